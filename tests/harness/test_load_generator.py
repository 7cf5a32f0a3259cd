"""Locust itself, for a few seconds, against a server in this process."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from harness.load.attempts import Attempt
from harness.load.generator import Load, LoadError
from harness.load.plan import LoadPlan
from sim.model.load import Client, LoadShape, RequestClass, Stage

pytestmark = [
    pytest.mark.skipif(find_spec("locust") is None, reason="Locust is not installed (extra: cluster)"),
    pytest.mark.slow,
]

PLAN = LoadPlan(
    load=LoadShape((Stage(60.0, 40.0),)),
    client=Client(timeout_s=1.0, retries=1, backoff_s=0.01),
    classes=(
        RequestClass(0.5),
        RequestClass(0.2, path="/slow"),
        RequestClass(0.15, path="/busy", method="POST", headers=(("x-user", "7"),), host="shop.example"),
        RequestClass(0.15, path="/late"),
    ),
    seed=3,
    sources=((0.0, 2),),
    bound_rps=20.2,
    until_s=60.0,
    grace_s=0.0,
)


class Shop(BaseHTTPRequestHandler):
    """Three behaviours by path; ``/busy`` insists on what the plan says of its requests."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        sleep({"/slow": 0.3, "/late": 1.5}.get(self.path, 0.0))
        self.answer(200)

    def do_POST(self) -> None:
        right = (self.path, self.headers["x-user"], self.headers["Host"]) == ("/busy", "7", "shop.example")
        self.answer(503 if right else 400)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("x-rolltwin-side", "stable")
        self.send_header("x-rolltwin-pod", "shop-1")
        try:
            self.end_headers()
        except OSError:
            self.close_connection = True  # whoever asked has given up

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that are killed reset their connections."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with Server(("127.0.0.1", 0), Shop) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def wait_for(load: Load, number: int) -> list[Attempt]:
    """Attempts until there are so many; the count is what ends it, the clock only saves a broken test."""
    found: list[Attempt] = []
    deadline = monotonic() + 60.0
    while len(found) < number and monotonic() < deadline:
        found += load.tail()
        sleep(0.05)
    return found


def test_locust_sends_what_the_plan_says_and_writes_down_what_came_back(address: str, tmp_path: Path) -> None:
    with Load(tmp_path) as load:
        begun = load.start(address, PLAN)
        found = wait_for(load, 120)
        pid = load._process.pid if load._process is not None else 0
        found += load.stop()
    assert found == load.attempts()
    assert min(one.scheduled_s for one in found) >= begun
    assert all(one.start_s >= one.scheduled_s - 0.002 for one in found)
    kinds = Counter((one.request_class, one.status, one.timed_out) for one in found)
    # More than these only where the machine is too busy to answer in time.
    assert set(kinds) >= {(0, 200, False), (1, 200, False), (2, 503, False), (3, 0, True)}
    assert {one.side for one in found if one.status} == {"stable"}
    assert {one.again for one in found if one.request_class in {2, 3} and one.attempt == 0} == {True}
    assert {one.again for one in found if one.attempt == 1} == {False}
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)


def test_the_same_seed_sends_the_same_requests_at_the_same_times(address: str, tmp_path: Path) -> None:
    quick = replace(PLAN, classes=(RequestClass(0.5), RequestClass(0.5, path="/other")))
    runs: list[dict[float, int]] = []
    for name in ("first", "second"):
        with Load(tmp_path / name) as load:
            begun = load.start(address, quick)
            found = wait_for(load, 60)
        runs.append({round(one.scheduled_s - begun, 4): one.request_class for one in found if one.attempt == 0})
    both = runs[0].keys() & runs[1].keys()
    assert len(both) > 30
    assert all(runs[0][t] == runs[1][t] for t in both)


def test_requests_beyond_the_room_are_counted_not_delayed(address: str, tmp_path: Path) -> None:
    narrow = replace(PLAN, classes=(RequestClass(1.0, path="/slow"),), max_in_flight=2)
    with Load(tmp_path) as load:
        load.start(address, narrow)
        found = wait_for(load, 60)
    assert 0 < sum(one.sent for one in found) < len(found)


def test_a_generator_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    with Load(tmp_path) as load, pytest.raises(LoadError, match="did not come up") as caught:
        load.start("127.0.0.1:http", PLAN)
    assert "exit code" in str(caught.value)
    assert "Traceback" in str(caught.value)


def test_a_generator_that_ends_by_itself_is_an_error(address: str, tmp_path: Path) -> None:
    with Load(tmp_path) as load:
        load.start(address, replace(PLAN, until_s=0.0))
        with pytest.raises(LoadError, match="ended by itself"):
            wait_for(load, 1)
