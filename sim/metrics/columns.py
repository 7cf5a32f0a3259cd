"""Samples of many series in flat arrays, so that a question to all of them at once is a handful of array operations."""

from __future__ import annotations

from array import array
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

_BEFORE: Final = int(np.iinfo(np.int64).min)
_AFTER: Final = int(np.iinfo(np.int64).max)
_ROOM: Final = 32
"""Samples a series has room for at first; the room doubles when it is full."""
_STEPS: Final = 4
"""Corrections of a guessed position before positions that are still wrong are searched by halving."""


class Log:
    """Samples in order of arrival until somebody asks: appending here is all that a scrape costs."""

    __slots__ = ("series", "times", "values")

    def __init__(self) -> None:
        self.series = array("q")
        self.times = array("q")
        self.values = array("d")

    def drain(self) -> tuple[Integers, Integers, Floats]:
        """Everything since the last call: series numbers, milliseconds, values."""
        taken = np.array(self.series), np.array(self.times), np.array(self.values)
        del self.series[:], self.times[:], self.values[:]
        return taken


def _within(t_ms: int) -> int:
    """An instant that compares as it should with the cells around a stretch."""
    return max(_BEFORE + 1, min(_AFTER - 1, t_ms))


class Columns:
    """Times (milliseconds, rising) and values of numbered series, each in a stretch of its own in both arrays.

    A stretch begins with a cell before all time and ends with one after it, so that searches need no special cases.
    Positions are indices into ``times`` and ``values``; they hold until the next ``add``.
    """

    def __init__(self) -> None:
        self.times: Integers = np.full(4 * _ROOM, _AFTER, dtype=np.int64)
        self.values: Floats = np.zeros(4 * _ROOM)
        self.begin: Integers = np.zeros(0, dtype=np.int64)
        self.end: Integers = np.zeros(0, dtype=np.int64)
        self.fell: Booleans = np.zeros(0, dtype=np.bool_)
        """Whether a value was ever lower than the one before it; elsewhere no counter was ever reset."""
        self._room: Integers = np.zeros(0, dtype=np.int64)
        self._used = 0

    def grow(self, count: int) -> None:
        """Know the series 0 to ``count`` - 1."""
        born = count - len(self.begin)
        if born <= 0:
            return
        first = self._take(born * (_ROOM + 2)) + 1 + np.arange(born) * (_ROOM + 2)
        self.times[first - 1] = _BEFORE
        self.begin = np.concatenate([self.begin, first])
        self.end = np.concatenate([self.end, first])
        self.fell = np.concatenate([self.fell, np.zeros(born, dtype=np.bool_)])
        self._room = np.concatenate([self._room, np.full(born, _ROOM)])

    def add(self, series: Integers, times: Integers, values: Floats) -> None:
        """Samples in any order of series, but rising in time within each; or a block.

        That has ``values`` over (times, series): of each series, all different, a sample at each of the rising times.
        """
        if values.ndim == 2:
            self._add_block(series, times, values)
            return
        counts = np.bincount(series, minlength=len(self.begin))
        self._make_room(counts)
        order = np.argsort(series, kind="stable")
        owner, added = series[order], values[order]
        position = self.end[owner] + np.arange(len(owner)) - np.searchsorted(owner, owner)
        self.times[position] = times[order]
        self.values[position] = added
        fell = (added < self.values[position - 1]) & (position > self.begin[owner])
        self.fell[owner[fell]] = True
        self.end += counts

    def _add_block(self, series: Integers, times: Integers, values: Floats) -> None:
        counts = np.zeros(len(self.begin), dtype=np.int64)
        counts[series] = len(times)
        self._make_room(counts)
        end = self.end[series]
        position = end + np.arange(len(times))[:, np.newaxis]
        self.times[position] = times[:, np.newaxis]
        self.values[position] = values
        fell = (values[1:] < values[:-1]).any(axis=0) | (
            (values[0] < self.values[end - 1]) & (end > self.begin[series])
        )
        self.fell[series[fell]] = True
        self.end[series] = end + len(times)

    def positions(self, series: Integers, t_ms: int, guess: Integers | None = None) -> Integers:
        """Of each series the position after its last sample at or before an instant; quickest near the ``guess``."""
        t_ms = _within(t_ms)
        found = self._near(series, t_ms) if guess is None else guess
        for _ in range(_STEPS):
            late, early = self.times[found] <= t_ms, self.times[found - 1] > t_ms
            if not (late | early).any():
                return found
            found = found + late - early
        return self._search(series, t_ms)

    def window(self, series: Integers, after_ms: int, until_ms: int) -> tuple[Integers, Integers]:
        """Of each series the half-open range of positions in (after, until]; most series are sampled alike."""
        after_ms, high = _within(after_ms), self.positions(series, until_ms)
        if not len(series):
            return high, high
        some = len(series) // 2
        begin = self.begin[series]
        times = self.times[begin[some] : high[some]]
        width = len(times) - int(np.searchsorted(times, after_ms, side="right"))
        return self.positions(series, after_ms, np.maximum(high - width, begin)), high

    def windows(self, series: Integers, after_ms: Integers, until_ms: Integers) -> tuple[Integers, Integers]:
        """As ``window``, for several windows at once: arrays over (windows, series)."""
        return self._spread(series, after_ms), self._spread(series, until_ms)

    def _spread(self, series: Integers, t_ms: Integers) -> Integers:
        """As ``positions``, over (instants, series)."""
        if not len(series):
            return np.zeros((len(t_ms), 0), dtype=np.int64)
        begin, end, some = self.begin[series], self.end[series], series[len(series) // 2]
        times = self.times[self.begin[some] : self.end[some]]
        later = len(times) - np.searchsorted(times, t_ms, side="right")
        found: Integers = np.maximum(end - later[:, np.newaxis], begin)
        wrong = self._corrected(found, t_ms[:, np.newaxis])
        if wrong.any():
            found[:, wrong] = [self._search(series[wrong], t) for t in t_ms.tolist()]
        return found

    def _corrected(self, found: Integers, at_ms: Integers) -> Booleans:
        """Corrects guessed positions in place; the columns that are still wrong."""
        for _ in range(_STEPS):
            late, early = self.times[found] <= at_ms, self.times[found - 1] > at_ms
            wrong = np.asarray((late | early).any(axis=0), dtype=np.bool_)
            if not wrong.any():
                break
            found += late
            found -= early
        return wrong

    def _near(self, series: Integers, t_ms: int) -> Integers:
        """Positions that are right for series that are sampled as one of them is, up to now."""
        end = self.end[series]
        if not len(series):
            return end
        some = len(series) // 2
        times = self.times[self.begin[series[some]] : end[some]]
        later = len(times) - int(np.searchsorted(times, t_ms, side="right"))
        return np.maximum(end - later, self.begin[series]) if later else end

    def _search(self, series: Integers, t_ms: int) -> Integers:
        low, high = self.begin[series], self.end[series]
        while (low < high).any():
            middle = (low + high) // 2
            later = self.times[middle] <= t_ms
            low, high = np.where(later, middle + 1, low), np.where(later, high, middle)
        return low

    def _take(self, cells: int) -> int:
        """The first of so many unused cells."""
        first = self._used
        self._used += cells
        if self._used > len(self.times):
            more = max(self._used, 2 * len(self.times)) - len(self.times)
            self.times = np.concatenate([self.times, np.full(more, _AFTER, dtype=np.int64)])
            self.values = np.concatenate([self.values, np.zeros(more)])
        return first

    def _make_room(self, counts: Integers) -> None:
        """Give series that so many samples would not fit into a stretch with more room.

        The old stretches are lost, at most as much again as is in use.
        """
        held = self.end - self.begin
        full = np.flatnonzero(held + counts > self._room)
        if not len(full):
            return
        for room in np.unique(self._room[full]).tolist():
            moved = full[self._room[full] == room]
            begin, roomier = self.begin[moved], 2 * int((held + counts)[moved].max())
            first = self._take(len(moved) * (roomier + 2)) + np.arange(len(moved)) * (roomier + 2)
            cells = np.arange(room + 2)
            to, source = first[:, np.newaxis] + cells, begin[:, np.newaxis] - 1 + cells
            self.times[to], self.values[to] = self.times[source], self.values[source]
            self.begin[moved], self.end[moved], self._room[moved] = first + 1, first + 1 + held[moved], roomier
