"""The door through which queries reach Prometheus: shut, it refuses as a server does that is not there."""

from __future__ import annotations

import http.client
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_S = 120.0
"""Longest query that is waited for."""
KEPT = ("content-type", "accept")
"""Headers that are passed on."""


class Door:
    """Listens on a port and passes on what it hears, until it is shut; connections that are open then are cut."""

    def __init__(self, host: str, port: int, behind: tuple[str, int]) -> None:
        self._at = host, port
        self._behind = behind
        self._server: _Server | None = None
        self._lock = threading.Lock()

    def open(self) -> None:
        """Listens; nothing if it does already."""
        with self._lock:
            if self._server is None:
                self._server = _Server(self._at, self._behind)
                threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def shut(self) -> None:
        """Listens no more and cuts what is open; nothing if it was shut."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.cut()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, at: tuple[str, int], behind: tuple[str, int]) -> None:
        self.behind = behind
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(at, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a connection that ended early: that is what shutting the door does."""

    def cut(self) -> None:
        """Ends every open connection."""
        with self._lock:
            opened = list(self._open)
        for one in opened:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # its other end was faster


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """Passes the request on."""
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length) if length else None
        headers = {name: self.headers[name] for name in KEPT if name in self.headers}
        connection = http.client.HTTPConnection(*self.server.behind, timeout=PATIENCE_S)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            self._give(answer.status, answer.getheader("content-type") or "text/plain", answer.read())
        except OSError as error:
            self._give(502, "text/plain", str(error).encode())
        finally:
            connection.close()

    do_POST = do_GET  # noqa: N815  # the name is http.server's

    def _give(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
        """Says nothing."""
