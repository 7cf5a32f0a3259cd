"""What becomes of a Prometheus server's answers, and of its silence."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest

from harness.monitoring.client import Client

VECTOR = {"resultType": "vector", "result": [{"metric": {}, "value": [12.5, "0.25"]}]}
BAD = 'invalid parameter "query": 1:5: parse error: unexpected end of input'


class Server(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        query = form["query"][0]
        if query == "echo":
            self._answer(200, {"status": "success", "data": {"resultType": "string", "result": [self.path, form]}})
        elif query == "bad(":
            self._answer(400, {"status": "error", "errorType": "bad_data", "error": BAD})
        elif query.isdigit():
            self._answer(int(query), "no JSON")
        else:
            self._answer(200, {"status": "success", "data": VECTOR})

    def _answer(self, status: int, said: object) -> None:
        body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_an_answer_is_its_data(address: str) -> None:
    assert Client(address).query("up", 12.5) == VECTOR


def test_instants_and_ranges_go_out_in_unix_seconds(address: str) -> None:
    at = Client(address).query("echo", 1700000000.25)["result"]
    assert at == ["/api/v1/query", {"query": ["echo"], "time": ["1700000000.250"]}]
    path, form = Client(address).query_range("echo", 10.0, 20.0, 2.5)["result"]
    assert path == "/api/v1/query_range"
    assert form == {"query": ["echo"], "start": ["10.000"], "end": ["20.000"], "step": ["2.500"]}


@pytest.mark.parametrize(
    ("query", "error"),
    [
        pytest.param("bad(", f"bad_data: {BAD}", id="the server refuses"),
        pytest.param("404", "client_error: client error: 404", id="not found"),
        pytest.param("500", "server_error: server error: 500", id="broken"),
        pytest.param("503", "server_error: server error: 503", id="unavailable"),
        pytest.param("200", "bad_response: no JSON", id="no JSON"),
    ],
)
def test_an_error_comes_in_the_go_clients_words(address: str, query: str, error: str) -> None:
    assert Client(address).query(query) == {"error": error}


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        there = f"127.0.0.1:{free.getsockname()[1]}"
    expected = f'Post "http://{there}/api/v1/query": dial tcp {there}: connect: connection refused'
    assert Client(f"http://{there}").query("up") == {"error": expected}


def test_no_answer_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        there = f"http://127.0.0.1:{silent.getsockname()[1]}"
        said = Client(there).query("up", timeout_s=0.05)
    assert said == {"error": f'Post "{there}/api/v1/query": context deadline exceeded'}
