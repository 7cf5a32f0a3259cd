"""As much of PostgreSQL's protocol (version 3) as one query takes: start, authentication, simple queries."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import struct
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

_PROTOCOL: Final = 196608
_OK, _CLEAR, _MD5, _SASL, _SASL_CONTINUE, _SASL_FINAL = 0, 3, 5, 10, 11, 12


class DatabaseError(Exception):
    """The database refuses or cannot be understood, in its words."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database is and who asks."""

    host: str
    port: int
    user: str
    password: str
    name: str

    @classmethod
    def of(cls, dsn: str) -> Place:
        """The place of ``postgresql://USER:PASSWORD@HOST:PORT/NAME``."""
        parts = urlsplit(dsn)
        user = unquote(parts.username or "postgres")
        name = parts.path.strip("/") or user
        return cls(parts.hostname or "localhost", parts.port or 5432, user, unquote(parts.password or ""), name)


class Session:
    """One connection. Not to be used by two at once."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, place: Place) -> Session:
        """A session that takes queries; OSError or DatabaseError otherwise."""
        session = cls(*await asyncio.open_connection(place.host, place.port))
        try:
            await session._begin(place)
        except BaseException:
            session.close()
            raise
        return session

    async def query(self, text: str) -> list[tuple[str | None, ...]]:
        """The rows of a query, as text; DatabaseError where the database answers with an error."""
        self._send(b"Q", text.encode() + b"\0")
        rows, trouble = [], ""
        while True:
            kind, body = await self._receive()
            match kind:
                case b"D":
                    rows.append(_row(body))
                case b"E":
                    trouble = _words(body)
                case b"Z":
                    break
        if trouble:
            raise DatabaseError(trouble)
        return rows

    def close(self) -> None:
        """Hangs up."""
        self._writer.close()

    async def _begin(self, place: Place) -> None:
        told = f"user\0{place.user}\0database\0{place.name}\0\0".encode()
        self._writer.write(struct.pack("!ii", len(told) + 8, _PROTOCOL) + told)
        scram: Scram | None = None
        while True:
            kind, body = await self._receive()
            if kind == b"E":
                raise DatabaseError(_words(body))
            if kind == b"Z":
                return
            if kind == b"R":
                scram = self._authenticate(place, body, scram)

    def _authenticate(self, place: Place, body: bytes, scram: Scram | None) -> Scram | None:
        (how,) = struct.unpack("!i", body[:4])
        if how == _CLEAR:
            self._send(b"p", place.password.encode() + b"\0")
        elif how == _MD5:
            self._send(b"p", md5_answer(place, body[4:8]) + b"\0")
        elif how == _SASL:
            scram = Scram(place.password)
            first = scram.first()
            self._send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first)
        elif how == _SASL_CONTINUE and scram is not None:
            self._send(b"p", scram.final(body[4:]))
        elif how not in {_OK, _SASL_FINAL}:
            message = f"authentication of kind {how} is not known here"
            raise DatabaseError(message)
        return scram

    def _send(self, kind: bytes, body: bytes) -> None:
        self._writer.write(kind + struct.pack("!i", len(body) + 4) + body)

    async def _receive(self) -> tuple[bytes, bytes]:
        head = await self._reader.readexactly(5)
        kind, (size,) = head[:1], struct.unpack("!i", head[1:])
        return kind, await self._reader.readexactly(size - 4)


class Scram:
    """SCRAM-SHA-256 (RFC 7677), the client's side. What the server proves is not looked at: it is one of the test's own."""

    def __init__(self, password: str, nonce: str = "", user: str = "") -> None:
        self._password = password.encode()
        # PostgreSQL goes by the name it was told before, not by this one.
        self._bare = f"n={user},r={nonce or secrets.token_urlsafe(18)}"

    def first(self) -> bytes:
        """The first message."""
        return f"n,,{self._bare}".encode()

    def final(self, told: bytes) -> bytes:
        """The last message, in answer to the server's first."""
        said = dict(part.split("=", 1) for part in told.decode().split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self._password, b64decode(said["s"]), int(said["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = f"c=biws,r={said['r']}"
        signed = f"{self._bare},{told.decode()},{without_proof}".encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return f"{without_proof},p={b64encode(proof).decode()}".encode()


def md5_answer(place: Place, salt: bytes) -> bytes:
    """What PostgreSQL's old way of authentication wants to hear."""
    inner = hashlib.md5((place.password + place.user).encode(), usedforsecurity=False).hexdigest()
    return b"md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest().encode()


def _row(body: bytes) -> tuple[str | None, ...]:
    (count,) = struct.unpack("!h", body[:2])
    place, values = 2, list[str | None]()
    for _ in range(count):
        (size,) = struct.unpack("!i", body[place : place + 4])
        place += 4
        values.append(None if size < 0 else body[place : place + size].decode())
        place += max(size, 0)
    return tuple(values)


def _words(body: bytes) -> str:
    fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    return fields.get(b"M", "an error without a message")
