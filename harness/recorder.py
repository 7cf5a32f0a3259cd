"""The rows of a run on a cluster, from whatever thread they come."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import time
from typing import TypeVar

from sim.journal import Journal
from sim.model.records import Record

Row = TypeVar("Row")
_DIGITS = 3
"""A cluster's times are kept to the millisecond: clocks and watches tell no more."""


class Recorder(Journal):
    """Collects rows; its clock's 0 is the instant at which the release is to be applied, fixed with ``begin``."""

    def __init__(self, applied_at: float = 0.0, region: str = "", clock: Callable[[], float] = time) -> None:
        self.region = region
        self.applied_at = applied_at
        """UNIX time at which the release is applied."""
        self._clock = clock
        self._rows: list[Record] = []
        self._lock = Lock()

    def begin(self, applied_at: float) -> None:
        """The warm-up begins: what was recorded while things were being set up is forgotten."""
        with self._lock:
            self.applied_at = applied_at
            self._rows.clear()

    @property
    def t_s(self) -> float:
        """Now, as rows write it."""
        return self.at(self._clock())

    def at(self, unix_s: float) -> float:
        """An instant of UNIX time, as rows write it."""
        return round(unix_s - self.applied_at, _DIGITS) + 0.0

    def add(self, row: Record) -> None:
        """Appends a row."""
        with self._lock:
            self._rows.append(row)

    def latest(self, kind: type[Row]) -> Row | None:
        """The row of this kind that was added last, or None."""
        with self._lock:
            return next((row for row in reversed(self._rows) if isinstance(row, kind)), None)

    def rows(self) -> tuple[Record, ...]:
        """Every row so far, in order of time (rows of one instant as they came)."""
        with self._lock:
            return tuple(sorted(self._rows, key=lambda row: row.t_s))
