"""Simulated time, and the documented order of things that happen at one instant.

At equal times: **fault < traffic < controller < sampler**, then by insertion. SimPy's own process starts, interrupts and
triggered events (priorities 0 and 1) come before all four, so that a process finishes reacting before the next rank acts.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from heapq import heappush
from math import inf, nextafter

from simpy import Environment
from simpy.events import Event, EventPriority


class Rank(IntEnum):
    """Order among things due at the same instant."""

    FAULT = 2
    """Injected perturbations begin, end and strike."""
    TRAFFIC = 3
    """Pods, endpoints and routes change; containers start."""
    CONTROLLER = 4
    """Controllers, scripts, analyses and people look and act on what they see."""
    SAMPLER = 5
    """Scrapes, flushes and journal samples see the final state of the instant, whether or not it is an appointment."""


class Instant(Event):
    """A moment that will come: yield it in a process, or let it call back. ``cancel`` makes it pass unnoticed.

    Whoever is told of it changes nothing that can be seen, unless it ``disturbs``.
    """

    def __init__(self, clock: Clock, *, disturbs: bool = True) -> None:
        super().__init__(clock)
        self._ok = True
        self._value = None
        self.disturbs = disturbs

    def cancel(self) -> None:
        """Nobody is told when the moment comes; without effect once it has passed."""
        if self.callbacks is not None:
            self.callbacks.clear()


class Poke(Event):
    """Comes when somebody says so, to one who changes nothing that can be seen."""

    disturbs = False


class Clock(Environment):
    """A SimPy environment whose appointments have a rank and an exact time.

    Whoever only looks makes no appointments, for nothing that happens depends on it: the ``lookout`` is told before the
    first thing that disturbs after ``due_s``, the next instant it wants to look at; or by who needs what was to be seen.
    """

    def __init__(self, initial_time: float = 0.0) -> None:
        super().__init__(initial_time)
        self.due_s = inf
        self.lookout: Callable[[float], None] = _nobody

    def step(self) -> None:
        """The next thing that happens, after everything that was to be seen before it has been."""
        if self._queue and self._queue[0][0] > self.due_s and _disturbs(self._queue[0][3]):
            self.lookout(self._queue[0][0])
        super().step()

    def catch_up(self) -> None:
        """See to it that everything that was to be seen before now has been."""
        if self.due_s < self._now:
            self.lookout(self.now)

    @property
    def now(self) -> float:
        """Simulated seconds since the release was applied; negative in the warm-up."""
        return float(self._now)

    def at(self, time_s: float, rank: Rank, *, disturbs: bool = True) -> Instant:
        """The moment ``time_s`` (now, if that has passed) in the order of ``rank``.

        The time is kept exactly: SimPy's own ``schedule`` adds a delay to now, and two appointments for one instant
        would then differ in the last bit and lose their order.
        """
        instant = Instant(self, disturbs=disturbs)
        heappush(self._queue, (max(time_s, self.now), EventPriority(rank), next(self._eid), instant))
        return instant

    def after(self, delay_s: float, rank: Rank, *, disturbs: bool = True) -> Instant:
        """The moment ``delay_s`` from now."""
        return self.at(self.now + delay_s, rank, disturbs=disturbs)

    def call_at(self, time_s: float, rank: Rank, action: Callable[[], None], *, disturbs: bool = True) -> Instant:
        """Calls ``action`` at ``time_s``; the moment returned can be cancelled."""
        instant = self.at(time_s, rank, disturbs=disturbs)
        if instant.callbacks is not None:
            instant.callbacks.append(lambda _: action())
        return instant

    def call_after(self, delay_s: float, rank: Rank, action: Callable[[], None]) -> Instant:
        """Calls ``action`` ``delay_s`` from now."""
        return self.call_at(self.now + delay_s, rank, action)

    def run_while(self, limit_s: Callable[[], float]) -> None:
        """Steps through everything due up to the limit, which is asked anew before every step, then stands there."""
        while self.peek() <= limit_s() < inf:
            self.step()
        end_s = max(self.now, limit_s())
        if self.due_s <= end_s:
            self.lookout(nextafter(end_s, inf))
        self._now = end_s


def _disturbs(event: Event) -> bool:
    """Whether what comes of it may change what is seen. Appointments that were cancelled change nothing."""
    return bool(event.callbacks) and getattr(event, "disturbs", True)


def _nobody(_: float) -> None:
    """Nobody looks."""
