"""The append-only rows of one simulated run."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from sim.engine.clock import Clock
from sim.journal import Journal
from sim.model.records import Record

_DIGITS = 6
"""Times are kept to the microsecond: finer digits are noise of adding floats."""


def rounded_s(time_s: float) -> float:
    """A time as rows write it."""
    return round(time_s, _DIGITS) + 0.0


class SimulatedJournal(Journal):
    """Rows by a region's simulated clock, in the order of what they tell: windows of traffic may be written down late."""

    def __init__(self, clock: Clock, region: str = "") -> None:
        self._clock = clock
        self.region = region
        self._rows: list[Record] = []
        self._held: list[tuple[float, Record]] = []
        """Rows that windows which have not been looked at yet come before, and when they were written."""

    @property
    def rows(self) -> list[Record]:
        """All of them."""
        self._release(inf)
        return self._rows

    @property
    def t_s(self) -> float:
        """Now, as rows write it."""
        return rounded_s(self._clock.now)

    def add(self, row: Record) -> None:
        """Appends a row."""
        if self._clock.due_s < self._clock.now:
            self._held.append((self._clock.now, row))
            return
        self._release(inf)
        self._rows.append(row)

    def window(self, end_s: float, rows: Sequence[Record]) -> None:
        """Appends what was seen until ``end_s``, behind everything else that was written by then."""
        self._release(end_s)
        self._rows.extend(rows)

    def _release(self, until_s: float) -> None:
        if self._held:
            self._rows.extend(row for written_s, row in self._held if written_s <= until_s)
            self._held = [one for one in self._held if one[0] > until_s]
