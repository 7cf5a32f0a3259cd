"""When the metrics of one analysis run are measured, as ``sim.decide.analysis`` has it, without keeping any measurement.

It is the same rules on the few numbers they need: a test plays both side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from sim.decide.analysis import ERROR_RETRY_S
from sim.decide.assessment import effective_count
from sim.decide.defaults import JUST_AFTER_S
from sim.decide.orders import earliest
from sim.model.analysis import Metric
from sim.model.units import go_duration_s


@dataclass(frozen=True, slots=True)
class Times:
    """What of a metric its instants depend on; ``count`` is None where it is left to the caller to say when it is done."""

    gap_s: float | None
    delay_s: float | None
    count: int | None

    @classmethod
    def of(cls, metric: Metric) -> Times:
        """Of a metric that the controller accepts."""
        gap_s = go_duration_s(metric.interval) if metric.interval else None
        delay_s = go_duration_s(metric.initial_delay) if metric.initial_delay else None
        return cls(gap_s, delay_s, None if metric.interval else effective_count(metric))


@dataclass(slots=True)
class Entry:
    """How one metric stands; seconds, stored ones whole as the API server keeps them."""

    finished_s: float | None = None
    """End of its last measurement; None before the first and while one is in flight."""
    begun_s: float | None = None
    """Begin of the measurement in flight."""
    resume_s: float | None = None
    """When to look at that again; None: whenever something happens."""
    erred: bool = False
    """Whether the last one was an error."""
    count: int = 0
    """Of the measurements that were no errors."""
    errors: int = 0
    errors_in_row: int = 0
    done: bool = False

    def copy(self) -> Entry:
        """Another one that stands the same."""
        return Entry(
            self.finished_s,
            self.begun_s,
            self.resume_s,
            self.erred,
            self.count,
            self.errors,
            self.errors_in_row,
            self.done,
        )


class Agenda:
    """The times of a run's metrics so far, and what comes next."""

    def __init__(self, times: Sequence[Times], *, first: bool = True) -> None:
        self.times = times
        self.entries = [Entry() for _ in times] if first else []
        self.started_s: float | None = None
        self._changed = False

    def copy(self) -> Agenda:
        """Another one, from here on independent."""
        made = Agenda(self.times, first=False)
        made.entries = [entry.copy() for entry in self.entries]
        made.started_s, made._changed = self.started_s, self._changed
        return made

    @property
    def is_new(self) -> bool:
        """Whether the first pass is not over."""
        return self.started_s is None

    @property
    def is_over(self) -> bool:
        """Whether every metric has ended."""
        return all(entry.done for entry in self.entries)

    @property
    def in_flight(self) -> bool:
        """Whether any measurement is."""
        return any(entry.begun_s is not None for entry in self.entries)

    def due(self, now_s: float) -> list[int]:
        """The metrics to measure or to look at again, by place."""
        return [
            place for place, entry in enumerate(self.entries) if not entry.done and self._is_due(place, entry, now_s)
        ]

    def _is_due(self, place: int, entry: Entry, now_s: float) -> bool:
        times = self.times[place]
        if entry.begun_s is not None:
            return entry.resume_s is None or entry.resume_s <= now_s
        if entry.finished_s is None:
            begun_s = self.started_s
            return times.delay_s is None or (begun_s is not None and begun_s + times.delay_s <= now_s)
        if times.count is not None and entry.count >= times.count:
            return False
        gap_s = ERROR_RETRY_S if entry.erred or times.gap_s is None else times.gap_s
        return now_s > entry.finished_s + gap_s

    def wait(self, place: int, begun_s: float, resume_s: float | None) -> None:
        """A measurement that began then is in flight."""
        entry = self.entries[place]
        stands = entry.begun_s, entry.resume_s
        entry.begun_s, entry.resume_s = float(floor(begun_s)), None if resume_s is None else float(floor(resume_s))
        self._changed |= stands != (entry.begun_s, entry.resume_s)

    def finish(self, place: int, finished_s: float, *, erred: bool) -> None:
        """A measurement ended."""
        entry = self.entries[place]
        entry.finished_s, entry.begun_s, entry.resume_s = float(floor(finished_s)), None, None
        entry.erred = erred
        entry.count += not erred
        entry.errors += erred
        entry.errors_in_row = entry.errors_in_row + 1 if erred else 0
        self._changed = True

    def pass_over(self, now_s: float) -> None:
        """A pass ended."""
        if self.started_s is None:
            self.started_s = float(floor(now_s))
            self._changed = True

    def next_s(self, now_s: float) -> float | None:
        """When the controller passes over the run again after a pass that ended now; None if nothing is to come."""
        changed, self._changed = self._changed, False
        watched = (one for one in self.entries if not one.done and one.begun_s is not None and one.resume_s is None)
        if changed and any(watched):
            return now_s + JUST_AFTER_S
        wake_s = earliest(*(self._wake_s(place, entry) for place, entry in enumerate(self.entries) if not entry.done))
        return None if wake_s is None else max(now_s, wake_s + JUST_AFTER_S)

    def unplanned(self) -> list[tuple[int, float]]:
        """(metric, since when) of measurements in flight that no look is planned for."""
        waiting = ((place, one) for place, one in enumerate(self.entries) if one.begun_s is not None)
        return [(place, one.begun_s) for place, one in waiting if one.resume_s is None and one.begun_s is not None]

    def _wake_s(self, place: int, entry: Entry) -> float | None:
        times = self.times[place]
        if entry.begun_s is not None:
            return entry.resume_s
        if entry.finished_s is None:
            begun_s = self.started_s
            return None if times.delay_s is None or begun_s is None else begun_s + times.delay_s
        if times.count is not None and entry.count >= times.count:
            return None
        gap_s = ERROR_RETRY_S if entry.erred else times.gap_s
        return None if gap_s is None else entry.finished_s + gap_s
