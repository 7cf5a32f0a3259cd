"""One pod's requests and faults: servers, a waiting line, and the ends that faults prepare for the container."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from harness.app.behaviour import Behaviour, Fault, answer, end_s, influence, start_up_s
from harness.app.exposition import Metrics

Reply = Callable[[int], None]
"""Takes the status of the answer."""

UNAVAILABLE = 503
FAILED = 500
_LAG_S = 0.0005
"""An event loop's timers are rounded up to whole milliseconds: this much too late on average."""


class Clock(Protocol):
    """What is needed of an event loop."""

    def time(self) -> float:
        """Now, seconds."""
        ...

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Any:
        """Calls the callback in so many seconds."""
        ...


Work = Callable[[Callable[[bool], None]], None]
"""Something real that every request has to do first; calls back whether it went well."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    arrived: float
    base_s: float
    reply: Reply


@dataclass(slots=True)
class _Line:
    busy: int = 0
    waiting: deque[_Waiting] = field(default_factory=deque)
    arrived: int = 0


class Faults:
    """Which faults act on this pod now: those of its version, and those it has been told of."""

    def __init__(self, own: tuple[Fault, ...]) -> None:
        self._own = own
        self._told: tuple[Fault, ...] = ()
        self.rate_rps = 0.0
        """Requests a second in the last whole sample interval."""
        self.ready_at: float | None = None
        """When the pod became Ready, as far as it can know: its first probe that succeeded."""

    def tell(self, faults: tuple[Fault, ...]) -> None:
        """Replaces what it has been told of."""
        self._told = faults

    def all(self) -> tuple[Fault, ...]:
        """Whether they act or not."""
        return (*self._own, *self._told)

    def acting(self, now: float) -> list[Fault]:
        """Those whose conditions hold."""
        return [fault for fault in self.all() if self.acts(fault, now)]

    def acts(self, fault: Fault, now: float) -> bool:
        """Whether a fault is there and its conditions hold."""
        old_enough = fault.pod_age_s is None or (self.ready_at is not None and now - self.ready_at >= fault.pod_age_s)
        hot_enough = fault.above_rps_per_pod is None or self.rate_rps > fault.above_rps_per_pod
        return old_enough and hot_enough and fault in self.all()


class Pod:
    """Serves ``concurrency`` requests at once, first come first served; an error takes as long as a success.

    A client that gives up changes nothing here. ``end`` is called with the exit code when a fault ends the container.
    """

    def __init__(
        self, behaviour: Behaviour, metrics: Metrics, clock: Clock, random: Random, end: Callable[[int], None]
    ) -> None:
        self.behaviour = behaviour
        self.metrics = metrics
        self.faults = Faults(behaviour.faults)
        self.work: Work | None = None
        self.terminating = False
        self._clock = clock
        self._random = random
        self._end = end
        self._line = _Line()
        self._born = clock.time()
        self._doomed: set[str] = set()
        self._drawn_s = behaviour.start_up.draw_s(random)

    @property
    def age_s(self) -> float:
        """Seconds since the container started."""
        return self._clock.time() - self._born

    @property
    def in_flight(self) -> int:
        """Requests in service or waiting."""
        return self._line.busy + len(self._line.waiting)

    @property
    def arrived(self) -> int:
        """Requests so far, turned-away ones included."""
        return self._line.arrived

    def born(self, at: float) -> None:
        """The container started at this instant of the clock rather than when this object was made."""
        self._born = at

    def start_up_s(self) -> float:
        """From the container's start until it can answer, as things stand."""
        return start_up_s(self.faults.acting(self._clock.time()), self._drawn_s)

    def look(self) -> None:
        """Prepares the ends that acting faults bring; each fault strikes a container once."""
        for fault in self.faults.acting(self._clock.time()):
            coming = None if fault.name in self._doomed else end_s(fault, self.age_s, self._random)
            if coming is not None:
                self._doomed.add(fault.name)
                delay_s, code = coming
                self._clock.call_later(delay_s, self._strike, fault, code)

    def arrive(self, reply: Reply) -> None:
        """One request; ``reply`` is called once, perhaps at once."""
        line, behaviour = self._line, self.behaviour
        line.arrived += 1
        one = _Waiting(self._clock.time(), behaviour.service_time.draw_s(self._random), reply)
        if line.busy < behaviour.concurrency:
            self._begin(one)
        elif behaviour.queue_limit is not None and len(line.waiting) >= behaviour.queue_limit:
            self.metrics.count(UNAVAILABLE, 0.0)
            reply(UNAVAILABLE)
        else:
            line.waiting.append(one)

    def _begin(self, one: _Waiting) -> None:
        self._line.busy += 1
        if self.work is not None:
            self.work(lambda went_well: self._serve(one, went_well=went_well))
        else:
            self._serve(one)

    def _serve(self, one: _Waiting, *, went_well: bool = True) -> None:
        now = self._clock.time()
        found = influence(self.faults.acting(now), self.age_s)
        status = answer((*found.errors, *self.behaviour.statuses), self._random.random()) if went_well else FAILED
        service_s = one.base_s * found.factor + found.add_s
        self._clock.call_later(max(0.0, service_s - _LAG_S), self._finish, one, status)

    def _finish(self, one: _Waiting, status: int) -> None:
        line = self._line
        line.busy -= 1
        self.metrics.count(status, self._clock.time() - one.arrived)
        one.reply(status)
        if line.waiting:
            self._begin(line.waiting.popleft())

    def _strike(self, fault: Fault, code: int) -> None:
        if self.faults.acts(fault, self._clock.time()):
            self._end(code)
