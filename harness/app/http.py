"""As much of HTTP/1.1 as proxies, probes, Prometheus and the API server speak: keep-alive, bodies by length or in chunks."""

from __future__ import annotations

from asyncio import BaseTransport, Protocol, Transport
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import cast

_HEAD_END = b"\r\n\r\n"
_LONGEST_HEAD = 65536
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``path`` is without its query, ``head`` as received but in lower case."""

    method: str
    path: str
    head: bytes
    body: bytes = b""

    @property
    def is_probe(self) -> bool:
        """Whether the kubelet sends it."""
        return b"\r\nuser-agent: kube-probe/" in self.head

    @property
    def closes(self) -> bool:
        """Whether the connection ends with the answer."""
        return b"\r\nconnection: close" in self.head or b" http/1.0\r\n" in self.head


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain"
    closes: bool = False
    took_s: float | None = None
    """How long the pod had the request, waiting included; told in a header."""


Handler = Callable[[Request, Callable[[Answer], None]], None]


def parse(buffer: bytes) -> tuple[Request, int] | None:
    """The first request of the buffer and its length; None while it is incomplete. ValueError for what is no HTTP."""
    end = buffer.find(_HEAD_END)
    if end < 0:
        if len(buffer) > _LONGEST_HEAD:
            msg = "the head of a request is too long"
            raise ValueError(msg)
        return None
    line = buffer[: buffer.find(b"\r\n")]
    method, target, _version = line.split(b" ")
    head = buffer[: end + 2].lower()
    found = _body(head, buffer, end + len(_HEAD_END))
    if found is None:
        return None
    body, size = found
    path = target.partition(b"?")[0].decode("latin-1")
    return Request(method.decode("latin-1"), path, head, body), size


def _body(head: bytes, buffer: bytes, start: int) -> tuple[bytes, int] | None:
    """The body that starts there and where it ends; None while it is incomplete."""
    if b"\r\ntransfer-encoding: chunked" in head:
        return _chunks(buffer, start)
    end = start + _length(head)
    return (buffer[start:end], end) if len(buffer) >= end else None


def _chunks(buffer: bytes, place: int) -> tuple[bytes, int] | None:
    body = b""
    while (line_end := buffer.find(b"\r\n", place)) >= 0:
        size = int(buffer[place:line_end].partition(b";")[0], 16)
        start, place = line_end + 2, line_end + 2 + size + 2
        if len(buffer) < place:
            return None
        if size == 0:
            return body, place
        body += buffer[start : place - 2]
    return None


def _length(head: bytes) -> int:
    start = head.find(b"\r\ncontent-length:")
    if start < 0:
        return 0
    return int(head[start + 17 : head.find(b"\r\n", start + 2)])


def written(answer: Answer, headers: bytes, *, without_body: bool) -> bytes:
    """The answer's bytes; ``headers`` are whole lines that every answer has."""
    close = b"connection: close\r\n" if answer.closes else b""
    took = b"" if answer.took_s is None else f"x-rolltwin-took: {answer.took_s:.6f}\r\n".encode()
    head = f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Unknown')}\r\ncontent-type: {answer.content_type}\r\ncontent-length: {len(answer.body)}\r\n"
    return head.encode() + headers + took + close + b"\r\n" + (b"" if without_body else answer.body)


def header_lines(headers: Mapping[str, str]) -> bytes:
    """Headers as whole lines."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()


class Connection(Protocol):
    """One client's connection: one request after the other, each handed to ``handler``."""

    def __init__(self, handler: Handler, headers: bytes) -> None:
        self._handler = handler
        self._headers = headers
        self._transport: Transport | None = None
        self._buffer = b""
        self._answering = False

    def connection_made(self, transport: BaseTransport) -> None:
        """The client is there."""
        self._transport = cast("Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The client is gone; what it asked for goes on."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Some bytes of the next request."""
        self._buffer += data
        if not self._answering:
            self._next()

    def _next(self) -> None:
        try:
            found = parse(self._buffer)
        except ValueError:
            self._write(Answer(400, closes=True), without_body=False)
            return
        if found is None:
            return
        request, size = found
        self._buffer = self._buffer[size:]
        self._answering = True
        self._handler(request, lambda answer: self._answer(request, answer))

    def _answer(self, request: Request, answer: Answer) -> None:
        self._answering = False
        closes = answer.closes or request.closes
        self._write(replace(answer, closes=closes), without_body=request.method == "HEAD")
        if self._buffer and not closes:
            self._next()

    def _write(self, answer: Answer, *, without_body: bool) -> None:
        if self._transport is None:
            return
        self._transport.write(written(answer, self._headers, without_body=without_body))
        if answer.closes:
            self._transport.close()
