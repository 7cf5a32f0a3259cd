"""The queue of a controller: look some time after any change, until nothing changes any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sim.decide.progress import LIVELOCK
from sim.engine.clock import Clock, Instant, Rank

MINIMUM_LATENCY_S: Final = 0.001
"""Deadlines must have strictly passed when a controller looks, so it never looks at the very instant."""


class Loop:
    """Calls ``reconcile``, which returns (whether it changed anything, when to look again at the latest)."""

    def __init__(
        self,
        clock: Clock,
        latency_s: float,
        reconcile: Callable[[], tuple[bool, float | None]],
        name: str,
        bound: int = LIVELOCK,
    ) -> None:
        self._clock = clock
        self._latency_s = max(latency_s, MINIMUM_LATENCY_S)
        self._reconcile = reconcile
        self._name = name
        self._bound = bound
        self._queued: Instant | None = None
        self._timer: Instant | None = None
        self._streak = 0
        self.halted = False

    def notify(self) -> None:
        """Something changed: look soon. Changes until then are seen together."""
        if self._queued is None and not self.halted:
            self._queued = self._clock.call_after(self._latency_s, Rank.CONTROLLER, self._turn)

    def _turn(self) -> None:
        self._queued = None
        if self.halted:
            return
        changed, wake_s = self._reconcile()
        self._streak = self._streak + 1 if changed else 0
        if self._streak > self._bound:
            msg = f"{self._name}: {self._bound} reconciles in a row all changed something, last at {self._clock.now} s"
            raise RuntimeError(msg)
        if changed:
            self.notify()
        self._set_timer(wake_s)

    def _set_timer(self, wake_s: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if wake_s is None else self._clock.call_at(wake_s, Rank.CONTROLLER, self.notify)
