"""The journal's traffic rows, and those who act on what clients saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nextafter
from typing import Protocol

from sim.engine.clock import Instant, Rank
from sim.engine.ground import Ground
from sim.engine.journal import rounded_s
from sim.engine.lookout import Lookout
from sim.engine.revision import GROUPS
from sim.model.records import TrafficRecord
from sim.traffic import WindowSeries


class Ticker(Protocol):
    """Looks at everything anew at the end of a window, before it is taken."""

    @property
    def is_restless(self) -> bool:
        """Whether it may have something to do although nothing happened since it last looked."""
        ...

    def tick(self) -> None:
        """Look now."""
        ...


class Sampler:
    """Writes a traffic row per side every sample interval and hands the rows to whoever watches clients.

    Windows are taken late, many at once, unless somebody may act at the end of one: then there is an appointment.
    """

    def __init__(self, ground: Ground, lookout: Lookout) -> None:
        self._ground, self._lookout = ground, lookout
        self._interval_s = ground.scenario.telemetry.sample_interval_s
        self._last_s = ground.clock.now
        self._end_s = ground.clock.now + self._interval_s
        self._appointed_s = inf
        self._appointment: Instant | None = None
        self._stirred, self._ticking = True, False
        self.ticker: Ticker | None = None
        self.on_rows: list[Callable[[float, Sequence[TrafficRecord]], None]] = []
        """Told of each window: when it ended, and its rows."""
        self.idle_until_s: Callable[[], float] = lambda: inf
        """No window that ends before then makes any of them do more than take note."""
        ground.on_stir.append(self._stir)
        lookout.sample(self)

    @property
    def next_s(self) -> float:
        """See ``lookout.Windows``: never where nobody calls, for every window would be empty."""
        return inf if self._ground.plane.is_silent else self._end_s

    def begin(self) -> None:
        """Everybody who listens is there."""
        self._appoint()

    def ends(self, before_s: float) -> tuple[float, ...]:
        """See ``lookout.Windows``."""
        found = []
        while self._end_s < before_s:
            found.append(self._end_s)
            self._end_s += self._interval_s
        return () if self._ground.plane.is_silent else tuple(found)

    def take(self, windows: WindowSeries) -> None:
        """See ``lookout.Windows``."""
        for rows, end_s in zip(_rows(windows, self._ground.region, self._last_s), windows.instants_s, strict=True):
            self._last_s = end_s
            self._ground.journal.window(end_s, rows)
            for listener in self.on_rows:
                listener(end_s, rows)
        self._appoint()

    def finish(self) -> None:
        """Takes the last, possibly shorter, window."""
        now = self._ground.clock.now
        if now > self._last_s:
            if self.ticker is not None:
                self.ticker.tick()
            self._end_s = now
            self._lookout.look(nextafter(now, inf))

    def _act(self) -> None:
        """The end of a window at which somebody may do something."""
        now = self._ground.clock.now
        self._appointed_s, self._appointment = inf, None
        if self.ticker is not None and now == self._end_s:
            self._stirred, self._ticking = False, True
            self.ticker.tick()
            self._ticking = False
        self._lookout.look(nextafter(now, inf))
        self._appoint()

    def _stir(self) -> None:
        if not self._stirred and self.ticker is not None:
            self._stirred = True
            if not self._ticking:
                self._appoint()

    def _appoint(self) -> None:
        """Be there at the first end at which somebody may do something."""
        ticks = self.ticker is not None and (self._stirred or self.ticker.is_restless)
        while self._end_s < self._ground.clock.now:  # only where nobody calls: windows are not taken there
            self._end_s += self._interval_s
        end_s = self._end_s
        if not ticks:
            due_s = inf if self._ground.plane.is_silent else self.idle_until_s()
            while end_s < due_s < inf:
                end_s += self._interval_s
            end_s = end_s if due_s < inf else inf
        if end_s != self._appointed_s:
            if self._appointment is not None:
                self._appointment.cancel()
            self._appointed_s, self._appointment = end_s, None
            if end_s < inf:
                self._appointment = self._ground.clock.call_at(end_s, Rank.SAMPLER, self._act)


def _rows(windows: WindowSeries, region: str, since_s: float) -> Sequence[Sequence[TrafficRecord]]:
    """The rows of each window; a side that did nothing has none."""
    sides = [GROUPS[group] if group >= 0 else "none" for group in windows.groups]
    codes = sorted(set(windows.codes))
    slots = [[k for k, code in enumerate(windows.codes) if code == one] for one in codes]
    columns = [windows.answers[:, :, several].sum(axis=2) for several in slots]
    counts = [column.tolist() for column in columns]
    latencies, sums_s, clients = windows.buckets.tolist(), windows.latency_sum_s.tolist(), windows.clients.tolist()
    found: list[list[TrafficRecord]] = []
    for at, end_s in enumerate(windows.instants_s):
        t_s, width_s, since_s = rounded_s(end_s), round(end_s - since_s, 6), end_s
        rows = []
        for place, side in enumerate(sides):
            statuses = tuple(
                (code, count[at][place]) for code, count in zip(codes, counts, strict=True) if count[at][place]
            )
            seen = clients[at][place]
            if statuses or any((seen[0], seen[2], seen[3])):
                answers = statuses, tuple(latencies[at][place]), sums_s[at][place]
                rows.append(TrafficRecord(t_s, region, width_s, side, *answers, *seen))
        found.append(rows)
    return found
