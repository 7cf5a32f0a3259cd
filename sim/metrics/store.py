"""Sampled series, as a Prometheus server holds them in its head block."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import numpy as np

from sim.metrics.columns import Columns, Floats, Integers, Log
from sim.metrics.rows import NAME, Labels, Rows

_STALE_BITS: Final = 0x7FF0_0000_0000_0002
STALE: Final = struct.unpack("<d", struct.pack("<Q", _STALE_BITS))[0]
"""The NaN by which Prometheus marks the end of a series; appended as a value, it is a stale marker."""


def to_ms(seconds: float) -> int:
    """Whole milliseconds, the resolution in which Prometheus stores and compares time."""
    return round(seconds * 1000.0)


def is_stale(value: float) -> bool:
    """Whether a value is the stale NaN, and not any other."""
    return math.isnan(value) and struct.unpack("<Q", struct.pack("<d", value))[0] == _STALE_BITS


class Series:
    """One label set; its samples are in the store's columns under ``index``. ``order`` sorts series by their labels."""

    __slots__ = ("_ended_ms", "_log", "_markers", "_newest_ms", "index", "labels", "order")

    def __init__(self, index: int, labels: Labels, log: Log, markers: Log) -> None:
        self.index = index
        self.labels = labels
        self.order = tuple(labels.items())
        self._log, self._markers = log, markers
        self._newest_ms = self._ended_ms = -(1 << 62)

    def append(self, t_ms: int, value: float) -> None:
        """Add a sample; ValueError when it is earlier than one the series holds.

        A second sample of the same instant is dropped, as a server does.
        """
        if t_ms <= self._newest_ms:
            if t_ms < self._newest_ms:
                msg = f"sample at {t_ms} ms is earlier than {self._newest_ms} ms in {dict(self.labels)}"
                raise ValueError(msg)
            return
        if value != value and is_stale(value):  # noqa: PLR0124  # the quickest test for NaN, on the scrape's path
            self.mark_stale(t_ms)
            return
        self._newest_ms = t_ms
        log = self._log
        log.series.append(self.index)
        log.times.append(t_ms)
        log.values.append(value)

    def mark_stale(self, t_ms: int) -> None:
        """End the series at this instant; a later sample revives it."""
        if t_ms > self._ended_ms:
            self._ended_ms = t_ms
            self._markers.series.append(self.index)
            self._markers.times.append(t_ms)
            self._markers.values.append(0.0)


_BY_LABELS: Final = attrgetter("order")


@dataclass(frozen=True, slots=True)
class Selection:
    """Series in a certain order: their numbers and label sets."""

    indices: Integers
    rows: Rows


class _Choice:
    """What a selector chose among the first ``seen`` series of its pool; orders are made when asked for."""

    __slots__ = ("orders", "seen", "series")

    def __init__(self) -> None:
        self.seen = 0
        self.series: list[Series] = []
        self.orders: dict[bool, Selection] = {}

    def ordered(self, *, by_labels: bool) -> Selection:
        known = self.orders.get(by_labels)
        if known is None:
            series = sorted(self.series, key=_BY_LABELS) if by_labels else self.series
            indices = np.array([one.index for one in series], dtype=np.int64)
            known = self.orders[by_labels] = Selection(indices, Rows([one.labels for one in series]))
        return known


class SeriesStore:
    """Every series a server has scraped, found by metric name; series keep their order of creation."""

    def __init__(self) -> None:
        self._by_labels: dict[frozenset[tuple[str, str]], Series] = {}
        self._by_name: dict[str, list[Series]] = {}
        self._series: list[Series] = []
        self._choices: dict[tuple[str | None, Hashable], _Choice] = {}
        self._log, self._marker_log = Log(), Log()
        self._blocks: list[tuple[Integers, Integers, Floats]] = []
        self._samples, self._markers = Columns(), Columns()
        self.foreseen: Mapping[tuple[int, int], Any] = {}
        """Values of parts of a query at several instants (``promql.foreseen``), while these are asked for."""

    def series(self, labels: Labels) -> Series:
        """The series of exactly these labels, created empty at first use; empty label values count as absent."""
        key = frozenset(labels.items())
        found = self._by_labels.get(key)
        if found is None:
            found = self._by_labels[key] = self._create(labels)
        return found

    def _create(self, labels: Labels) -> Series:
        clean = {name: labels[name] for name in sorted(labels) if labels[name]}
        key = frozenset(clean.items())
        known = self._by_labels.get(key)
        if known is not None:
            return known
        made = self._by_labels[key] = Series(len(self._series), clean, self._log, self._marker_log)
        self._series.append(made)
        self._by_name.setdefault(clean.get(NAME, ""), []).append(made)
        return made

    def append(self, labels: Labels, t_s: float, value: float) -> None:
        """Add one sample, seconds; ``labels`` include ``__name__``. The value ``STALE`` is a stale marker."""
        self.series(labels).append(to_ms(t_s), value)

    def mark_stale(self, labels: Labels, t_s: float) -> None:
        """Write a stale marker: from this instant the series is not there, instead of lingering for the lookback."""
        self.series(labels).mark_stale(to_ms(t_s))

    def append_block(self, series: Integers, times_ms: Integers, values: Floats) -> None:
        """Add a sample of each of these series (by ``Series.index``, all different) at each of these rising instants.

        ``values`` is (instants, series) and has no NaN. Later than any sample that the series hold, which is not
        checked; nor do these hold back a second sample of the same instant.
        """
        if self._log.times:
            self._blocks.append(self._log.drain())
        self._blocks.append((series, times_ms, values))

    def names(self) -> tuple[str, ...]:
        """Metric names in order of first appearance."""
        return tuple(self._by_name)

    @property
    def samples(self) -> Columns:
        """Every sample so far, by the series' numbers."""
        if self._blocks:
            self._samples.grow(len(self._series))
            for series, times, values in _merged(self._blocks):
                self._samples.add(series, times, values)
            self._blocks.clear()
        return self._drained(self._log, self._samples)

    @property
    def markers(self) -> Columns:
        """Every stale marker so far, by the series' numbers."""
        return self._drained(self._marker_log, self._markers)

    def _drained(self, log: Log, columns: Columns) -> Columns:
        columns.grow(len(self._series))
        if log.times:
            columns.add(*log.drain())
        return columns

    def select(
        self, name: str | None, key: Hashable, accepts: Callable[[Labels], bool], *, by_labels: bool = False
    ) -> Selection:
        """Series of that metric name (of any, for None) that are accepted, in order of creation or of their labels.

        The answer is remembered under ``(name, key)``, and only series born since are looked at again.
        """
        pool = self._by_name.get(name, []) if name is not None else self._series
        choice = self._choices.setdefault((name, key), _Choice())
        if choice.seen < len(pool):
            fitting = [one for one in pool[choice.seen :] if accepts(one.labels)]
            choice.seen = len(pool)
            if fitting:
                choice.series += fitting
                choice.orders.clear()
        return choice.ordered(by_labels=by_labels)


def _merged(blocks: Sequence[tuple[Integers, Integers, Floats]]) -> Iterator[tuple[Integers, Integers, Floats]]:
    """The blocks, those of the very same series together."""
    for _, several in groupby(blocks, key=lambda block: id(block[0])):
        same = list(several)
        if len(same) == 1:
            yield same[0]
        else:
            yield same[0][0], np.concatenate([one[1] for one in same]), np.concatenate([one[2] for one in same])
