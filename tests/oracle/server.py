"""A real Prometheus server for the length of a test session."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from sim.metrics import promql
from tests.oracle.wire import Samples, write_request

HOST: Final = "127.0.0.1"
READY_WITHIN_S: Final = 30.0


class Refused(Exception):  # noqa: N818  # an answer, not a failure of ours
    """The server's error for a query."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server's doors."""

    port: int

    @property
    def version(self) -> str:
        """Its release, ``2.42.0``."""
        found: str = self._get("/api/v1/status/buildinfo", {})["version"].partition("+")[0]
        return found

    @property
    def dialect(self) -> str:
        """How its queries are evaluated."""
        return promql.dialect_of(self.version)

    def write(self, series: Sequence[tuple[Mapping[str, str], Samples]]) -> None:
        """Remote write; the samples can be asked for when it returns."""
        headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
        status, body = self._request("POST", "/api/v1/write", write_request(series), headers)
        assert status in {200, 204}, body

    def query(self, text: str, at_s: float) -> float | list[tuple[dict[str, str], float]]:
        """An instant query's scalar or vector; Refused with the server's words."""
        data = self._get("/api/v1/query", {"query": text, "time": f"{at_s:.3f}"})
        if data["resultType"] == "scalar":
            return float(data["result"][1])
        return [(one["metric"], float(one["value"][1])) for one in data["result"]]

    def query_range(self, text: str, start_s: float, end_s: float, step_s: float) -> promql.Matrix:
        """A range query's series; Refused with the server's words."""
        asked = {"query": text, "start": f"{start_s:.3f}", "end": f"{end_s:.3f}", "step": f"{step_s:.3f}"}
        data = self._get("/api/v1/query_range", asked)
        return [(one["metric"], [(t_s, float(value)) for t_s, value in one["values"]]) for one in data["result"]]

    def is_ready(self) -> bool:
        """Whether it answers queries."""
        try:
            return self._request("GET", "/-/ready", b"", {})[0] == 200
        except OSError:
            return False

    def _get(self, path: str, parameters: Mapping[str, str]) -> Any:
        body = urlencode(parameters).encode()
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        status, answer = self._request("POST" if parameters else "GET", path, body, form)
        decoded = json.loads(answer)
        if status != 200:
            raise Refused(decoded["error"])
        return decoded["data"]

    def _request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        connection = HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(binary: Path, folder: Path) -> Iterator[Server]:
    """A server with an empty data base in a folder, stopped at the end."""
    (folder / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
    server = Server(_free_port())
    command = [
        str(binary),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",  # the default drops what is older than two weeks
        f"--web.listen-address={HOST}:{server.port}",
        "--web.enable-remote-write-receiver",
        "--log.level=error",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _await_ready(server, process, folder / "log")
            yield server
        finally:
            process.terminate()


def _await_ready(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while not server.is_ready():
        if process.poll() is not None or time.monotonic() > until:
            msg = f"no server within {READY_WITHIN_S:.0f} s: {log.read_text(errors='replace')}"
            raise RuntimeError(msg)
        time.sleep(0.05)
