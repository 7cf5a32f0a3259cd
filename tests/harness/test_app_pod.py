"""A pod's servers, its waiting line and its faults, on a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import pytest

from harness.app.behaviour import Behaviour, Delay, Fault
from harness.app.exposition import Metrics, Telemetry
from harness.app.pod import Pod
from tests.harness.dice import dice


class Hands:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self._now = 0.0
        self._due: list[tuple[float, int, Callable[..., Any], tuple[Any, ...]]] = []
        self._count = 0

    def time(self) -> float:
        """Now."""
        return self._now

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> None:
        """Remembers the call."""
        self._count += 1
        heappush(self._due, (self._now + delay, self._count, callback, args))

    def to(self, until: float) -> None:
        """Lets everything happen up to an instant."""
        while self._due and self._due[0][0] <= until:
            self._now, _, callback, args = heappop(self._due)
            callback(*args)
        self._now = until


class World:
    """One pod and what came out of it."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.clock = Hands()
        self.ends: list[tuple[float, int]] = []
        self.answers: list[tuple[float, int]] = []
        self.metrics = Metrics(Telemetry(), "v", {})
        end = lambda code: self.ends.append((self.clock.time(), code))  # noqa: E731
        self.pod = Pod(behaviour, self.metrics, self.clock, dice(1), end)

    def ask(self, times: int = 1) -> None:
        """Requests that arrive now."""
        for _ in range(times):
            self.pod.arrive(lambda status: self.answers.append((round(self.clock.time(), 2), status)))


def version(**fields: Any) -> Behaviour:
    """A version that takes a second for everything."""
    return Behaviour("v", Delay(1.0, "constant"), **fields)


def test_requests_wait_their_turn_first_come_first_served() -> None:
    world = World(version(concurrency=2))
    world.ask(5)
    world.clock.to(10.0)
    assert world.answers == [(1.0, 200), (1.0, 200), (2.0, 200), (2.0, 200), (3.0, 200)]


def test_a_full_line_turns_requests_away_at_once_and_counts_them() -> None:
    world = World(version(concurrency=1, queue_limit=1))
    world.ask(3)
    assert world.answers == [(0.0, 503)]
    world.clock.to(10.0)
    assert world.metrics.statuses == {503: 1, 200: 2}
    assert world.pod.arrived == 3


def test_an_error_takes_as_long_as_a_success() -> None:
    world = World(version(statuses=((500, 1.0),)))
    world.ask()
    world.clock.to(10.0)
    assert world.answers == [(1.0, 500)]


def test_effects_act_on_requests_that_begin_service_later() -> None:
    world = World(version(concurrency=1))
    world.ask(2)
    world.clock.to(0.5)
    world.pod.faults.tell((Fault("slow", {"kind": "Slowdown", "factor": 3.0, "add_s": 0.0}),))
    world.clock.to(10.0)
    assert world.answers == [(1.0, 200), (4.0, 200)]


def test_a_crash_strikes_a_container_once_and_only_while_it_acts() -> None:
    world = World(version())
    crash = Fault("crash", {"kind": "Crash", "mean_time_s": 5.0})
    world.pod.faults.tell((crash,))
    world.pod.look()
    world.pod.look()
    world.pod.faults.tell(())
    world.clock.to(1000.0)
    assert world.ends == []
    world.pod.faults.tell((crash,))
    world.pod.look()
    world.clock.to(2000.0)
    assert world.ends == []


def test_a_leak_ends_in_a_kill() -> None:
    world = World(version(faults=(Fault("leak", {"kind": "Leak", "slowdown_per_hour": 0.0, "oom_after_s": 90.0}),)))
    world.clock.to(30.0)
    world.pod.look()
    world.clock.to(200.0)
    assert world.ends == [(90.0, 137)]


@pytest.mark.parametrize(
    ("ready_at", "rate", "acting"),
    [
        pytest.param(None, 99.0, False, id="not ready yet"),
        pytest.param(50.0, 99.0, False, id="too young"),
        pytest.param(10.0, 5.0, False, id="too little to do"),
        pytest.param(10.0, 99.0, True, id="old and busy"),
    ],
)
def test_a_pod_judges_its_age_and_its_load(ready_at: float | None, rate: float, acting: bool) -> None:
    own = Fault("f", {"kind": "Errors", "ratio": 1.0, "status": 500}, pod_age_s=60.0, above_rps_per_pod=10.0)
    faults = World(version(faults=(own,))).pod.faults
    faults.ready_at, faults.rate_rps = ready_at, rate
    assert bool(faults.acting(100.0)) is acting


def test_a_slow_start_told_of_lengthens_the_start_under_way() -> None:
    pod = World(Behaviour("v", start_up=Delay(4.0, "constant"))).pod
    assert pod.start_up_s() == 4.0
    pod.faults.tell((Fault("slow", {"kind": "SlowStart", "factor": 2.0, "add_s": 1.0}),))
    assert pod.start_up_s() == 9.0
