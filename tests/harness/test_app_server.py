"""The application as its clients meet it: a real server on free ports."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import SystemRandom
from typing import Any, NamedTuple

import pytest

from harness.app.behaviour import Behaviour, Delay, Fault
from harness.app.http import Answer, Connection, Request, parse, written
from harness.app.server import Server
from harness.app.settings import Settings
from harness.app.stress import shares

FAST = Behaviour("v1", Delay(0.001, "constant"), start_up=Delay(0.0, "constant"))


async def ask(port: int, path: str = "/", *, body: str = "", agent: str = "test") -> tuple[int, dict[str, str], str]:
    """One request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    method = "POST" if body else "GET"
    writer.write(
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: {agent}\r\nContent-Length: {len(body)}\r\n"
        f"Connection: close\r\n\r\n{body}".encode()
    )
    head, _, content = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    first, *lines = head.split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), content


class Running(NamedTuple):
    """A server that is up."""

    server: Server
    port: int
    admin: int


def with_server(settings: Settings, use: Callable[[Running], Awaitable[None]]) -> list[int]:
    """Lets it be used; the exit codes with which the container would have ended."""
    ends: list[int] = []

    async def run() -> None:
        server = Server(settings, SystemRandom(), ends.append)
        await server.start()
        try:
            await use(Running(server, *server.ports))
        finally:
            server.close()

    asyncio.run(run())
    return ends


@pytest.fixture
def settings() -> Settings:
    """A version that answers fast, on free ports."""
    return Settings(FAST, "candidate", ports=(0,), admin_port=0, pod="pod-1", is_probed=True)


def test_answers_say_who_gave_them(settings: Settings) -> None:
    async def use(running: Running) -> None:
        status, headers, body = await ask(running.port)
        assert (status, body) == (200, "v1\n")
        assert (headers["x-rolltwin-side"], headers["x-rolltwin-pod"]) == ("candidate", "pod-1")
        state = json.loads((await ask(running.admin, "/rolltwin/state"))[2])
        assert (state["answers"], state["up"]) == ({"200": 1}, True)

    with_server(settings, use)


def test_probes_and_scrapes_are_not_counted(settings: Settings) -> None:
    async def use(running: Running) -> None:
        assert (await ask(running.port, "/healthz"))[0] == 200
        assert (await ask(running.port, "/", agent="kube-probe/1.20"))[0] == 200
        assert "http_request_duration_seconds_count 0" in (await ask(running.port, "/metrics"))[2]
        assert running.server.site.pod.faults.ready_at is not None

    with_server(settings, use)


def test_faults_are_replaced_as_told(settings: Settings) -> None:
    errors = json.dumps([{"kind": "Errors", "ratio": 1.0, "status": 502}])

    async def use(running: Running) -> None:
        assert (await ask(running.admin, "/rolltwin/faults", body=errors))[0] == 200
        assert (await ask(running.port))[0] == 502
        assert (await ask(running.admin, "/rolltwin/faults", body="[]"))[0] == 200
        assert (await ask(running.port))[0] == 200
        assert (await ask(running.admin, "/rolltwin/faults", body='{"no": "list"}'))[0] == 400

    with_server(settings, use)


def test_a_crash_told_of_ends_the_container(settings: Settings) -> None:
    async def use(running: Running) -> None:
        await ask(running.admin, "/rolltwin/faults", body=json.dumps([{"kind": "Crash", "mean_time_s": 0.0}]))

    assert with_server(settings, use) == [1]


def test_a_terminating_pod_turns_new_requests_away(settings: Settings) -> None:
    async def use(running: Running) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        running.server.site.pod.terminating = True
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        head = (await reader.read()).decode()
        writer.close()
        assert head.startswith("HTTP/1.1 503 ")
        assert "connection: close" in head
        assert running.server.site.pod.metrics.statuses == {}

    with_server(settings, use)


def test_requests_in_one_go_are_answered_one_after_the_other(settings: Settings) -> None:
    async def use(running: Running) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nConnection: close\r\n\r\n")
        text = (await reader.read()).decode()
        writer.close()
        assert text.count("HTTP/1.1 200 OK") == 2

    with_server(settings, use)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"GET / HTT", None, id="half a head"),
        pytest.param(b"POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", None, id="half a body"),
        pytest.param(b"POST /x?y=1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET", ("POST", "/x", b"ab"), id="a body"),
        pytest.param(
            b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
            ("POST", "/x", b"abc"),
            id="chunks",
        ),
        pytest.param(b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na", None, id="half a chunk"),
    ],
)
def test_requests_are_read_whole(raw: bytes, expected: tuple[str, str, bytes] | None) -> None:
    found = parse(raw)
    assert (found and (found[0].method, found[0].path, found[0].body)) == expected


def test_what_is_no_request_is_refused() -> None:
    sent: list[bytes] = []

    class Transport(asyncio.Transport):
        def write(self, data: Any) -> None:
            sent.append(data)

        def close(self) -> None:
            sent.append(b"closed")

    def handle(request: Request, say: Callable[[Answer], None]) -> None:
        say(Answer(200, request.body))

    connection = Connection(handle, b"")
    connection.connection_made(Transport())
    connection.data_received(b"nonsense\r\n\r\n")
    assert sent[0].startswith(b"HTTP/1.1 400 ")
    assert sent[1] == b"closed"


def test_an_answer_to_head_has_no_body() -> None:
    text = written(Answer(200, b"body"), b"x-a: b\r\n", without_body=True)
    assert text.endswith(b"content-length: 4\r\nx-a: b\r\n\r\n")


def test_a_versions_own_stress_burns_without_being_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    burnt: list[list[float]] = []
    monkeypatch.setattr("harness.app.stress.Stress.set", lambda _, wanted: burnt.append(wanted))
    own = Fault("own", {"kind": "CpuStress", "cores": 0.5})

    async def use(running: Running) -> None:
        running.server.site.look()
        assert burnt[-1] == [0.5]

    with_server(replace(settings, behaviour=replace(FAST, faults=(own,))), use)


def test_stress_burns_whole_cores_and_a_rest() -> None:
    told = [Fault("a", {"kind": "CpuStress", "cores": 1.0}), Fault("b", {"kind": "CpuStress", "cores": 0.5})]
    assert shares(told) == [1.0, 0.5]
