"""The database behind the application: PostgreSQL's protocol against a server of the test's own, and what requests make of it."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from harness.app.database import Database
from harness.app.environment import environment
from harness.app.postgres import DatabaseError, Place, Scram, Session, md5_answer
from harness.app.settings import Settings
from sim.model.behaviour import VersionBehaviour
from sim.model.telemetry import PrometheusTelemetry
from tests.harness.dice import dice

PLACE: Final = Place("db", 5432, "postgres", "secret", "shop")


def message(kind: bytes, body: bytes = b"") -> bytes:
    """One of the server's messages."""
    return kind + struct.pack("!i", len(body) + 4) + body


OK: Final = message(b"R", struct.pack("!i", 0)) + message(b"Z", b"I")
ROW: Final = (
    message(b"D", struct.pack("!hi4si", 2, 4, b"item", -1)) + message(b"C", b"SELECT 1\0") + message(b"Z", b"I")
)
ERROR: Final = message(b"E", b"SERROR\0Mno such table\0\0") + message(b"Z", b"I")


def served(answer: bytes | None, use: Callable[[str], Awaitable[None]]) -> list[bytes]:
    """Runs ``use(DSN)`` against a server that lets everybody in and answers every query so; the queries. None: never answers."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (size,) = struct.unpack("!i", await reader.readexactly(4))
        await reader.readexactly(size - 4)
        writer.write(OK)
        while head := await reader.read(5):
            (size,) = struct.unpack("!i", head[1:])
            asked.append(await reader.readexactly(size - 4))
            if answer is not None:
                writer.write(answer)
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await use(f"postgresql://postgres:secret@127.0.0.1:{port}/shop")
        server.close()
        # The server's side of each connection still has to notice.
        await asyncio.sleep(0.01)

    asyncio.run(run())
    return asked


async def went_well(dsn: str, times: int = 1, patience_s: float = 5.0) -> list[bool]:
    """What several requests, one after the other, make of the database."""
    database, found = Database(dsn, dice(1), patience_s), []
    for _ in range(times):
        outcome = asyncio.get_running_loop().create_future()
        database.work(outcome.set_result)
        found.append(await outcome)
    database.close()
    return found


def test_rows_come_as_text() -> None:
    async def use(dsn: str) -> None:
        session = await Session.open(Place.of(dsn))
        assert await session.query("SELECT 1") == [("item", None)]
        session.close()

    assert served(ROW, use) == [b"SELECT 1\0"]


def test_an_error_is_told_in_the_databases_words() -> None:
    async def use(dsn: str) -> None:
        session = await Session.open(Place.of(dsn))
        with pytest.raises(DatabaseError, match="no such table"):
            await session.query("SELECT 1")
        session.close()

    served(ERROR, use)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(ROW, [True, True], id="a row"),
        pytest.param(message(b"Z", b"I"), [False, False], id="no row"),
        pytest.param(ERROR, [False, False], id="an error"),
    ],
)
def test_a_request_goes_well_if_it_finds_its_row(answer: bytes, expected: list[bool]) -> None:
    async def use(dsn: str) -> None:
        assert await went_well(dsn, 2) == expected

    served(answer, use)


def test_patience_with_a_silent_database_ends() -> None:
    async def use(dsn: str) -> None:
        assert await went_well(dsn, patience_s=0.05) == [False]

    served(None, use)


def test_a_database_that_is_not_there_fails_requests() -> None:
    assert asyncio.run(went_well("postgresql://postgres:secret@127.0.0.1:1/shop")) == [False]


def test_places_are_read_from_their_names() -> None:
    assert Place.of("postgresql://postgres:secret@db:5432/shop") == PLACE
    assert Place.of("postgresql://me:a%40b@db") == Place("db", 5432, "me", "a@b", "me")


def test_scram_proves_the_password_as_in_rfc_7677() -> None:
    scram = Scram("pencil", "rOprNGfwEbeRWgbNEkqO", "user")
    told = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    assert scram.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert scram.final(told).endswith(b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")


def test_the_old_way_of_authentication() -> None:
    assert md5_answer(PLACE, b"salt").startswith(b"md5")
    assert md5_answer(PLACE, b"salt") != md5_answer(PLACE, b"tlas")


def test_the_environment_names_the_database() -> None:
    told = environment(VersionBehaviour("v"), "stable", PrometheusTelemetry(), database="postgresql://db/shop")
    assert Settings.of(told).database == "postgresql://db/shop"
    assert "ROLLTWIN_DATABASE" not in environment(VersionBehaviour("v"), "stable", PrometheusTelemetry())
