"""The append-only rows of one simulated run."""

from __future__ import annotations

from sim.engine.clock import Clock
from sim.journal import Journal
from sim.model.records import Record

_DIGITS = 6
"""Times are kept to the microsecond: finer digits are noise of adding floats."""


def rounded_s(time_s: float) -> float:
    """A time as rows write it."""
    return round(time_s, _DIGITS) + 0.0


class SimulatedJournal(Journal):
    """Rows by a region's simulated clock."""

    def __init__(self, clock: Clock, region: str = "") -> None:
        self._clock = clock
        self.region = region
        self.rows: list[Record] = []

    @property
    def t_s(self) -> float:
        """Now, as rows write it."""
        return rounded_s(self._clock.now)

    def add(self, row: Record) -> None:
        """Appends a row."""
        self.rows.append(row)
