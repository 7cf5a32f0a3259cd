"""Counters of many pods at many instants, and their way into a store's columns in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sim.metrics.pods import PodView
from sim.metrics.store import Series, SeriesStore


@dataclass(frozen=True, slots=True)
class Readings:
    """Totals of several pods at rising instants, as arrays over (instants, pods ...).

    ``codes`` are the statuses along the last axis of ``answers``, where a status may have several places; ``buckets``
    are not cumulated over the bounds.
    """

    times_ms: npt.NDArray[np.int64]
    codes: tuple[int, ...]
    answers: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.int64]
    latency_sum_s: npt.NDArray[np.float64]

    def part(self, begin: int, end: int | None = None) -> Readings:
        """Those of some of the instants."""
        kept = slice(begin, end)
        return Readings(
            self.times_ms[kept], self.codes, self.answers[kept], self.buckets[kept], self.latency_sum_s[kept]
        )


@dataclass(slots=True)
class Target:
    """Series of one pod under one set of target labels, kept so that a scrape is appends only."""

    view: PodView
    signature: tuple[object, ...]
    up: Series
    buckets: tuple[Series, ...]
    total: Series
    count: Series
    statuses: dict[int, Series] = field(default_factory=dict)

    def all(self) -> list[Series]:
        """Every series."""
        return [self.up, *self.buckets, self.total, self.count, *self.statuses.values()]

    def counters(self) -> list[tuple[Series, list[int]]]:
        """Each counter with its statuses: without a status label several statuses share one."""
        found: dict[int, tuple[Series, list[int]]] = {}
        for status, series in self.statuses.items():
            found.setdefault(id(series), (series, []))[1].append(status)
        return list(found.values())


class Plan:
    """Which series the columns of readings go to, for pods all of whose series are known."""

    def __init__(self, targets: Sequence[Target], codes: tuple[int, ...]) -> None:
        self.codes = codes
        self._known = np.array([[code in target.statuses for code in codes] for target in targets], dtype=np.bool_)
        counters = [(pod, series, _places(told, codes)) for pod, target in enumerate(targets)
                    for series, told in target.counters()]  # fmt: skip
        self._pods = np.array([pod for pod, _, places in counters for _ in places], dtype=np.int64)
        self._slots = np.array([place for *_, places in counters for place in places], dtype=np.int64)
        self._starts = np.cumsum([0, *(len(places) for *_, places in counters[:-1])])
        self._is_plain = len(self._pods) == len(counters)
        pods = range(len(targets))
        columns = [
            *((pod, series) for pod in pods for series in targets[pod].buckets),
            *((pod, targets[pod].up) for pod in pods),
            *((pod, targets[pod].total) for pod in pods),
            *((pod, targets[pod].count) for pod in pods),
            *((pod, series) for pod, series, _ in counters),
        ]
        series = np.array([one.index for _, one in columns], dtype=np.int64)
        self._kept = _firsts(series, [pod for pod, _ in columns])
        self._series = series if self._kept is None else series[self._kept]

    def is_new(self, answers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Where totals over (..., pods, places) have answers of a status without a series."""
        found: npt.NDArray[np.bool_] = (answers > 0) & ~self._known
        return found

    def append(self, store: SeriesStore, readings: Readings) -> None:
        """Puts readings without a new status into the store."""
        count, pods = readings.latency_sum_s.shape
        if not pods or not count:
            return
        running = np.cumsum(readings.buckets, axis=2)
        # One place more, which is always 0, for statuses that the plane has no place for.
        padded = np.concatenate([readings.answers, np.zeros((count, pods, 1), dtype=np.int64)], axis=2)
        answers = padded[:, self._pods, self._slots]
        if not self._is_plain:
            answers = np.add.reduceat(answers, self._starts, axis=1)
        columns = (
            running.reshape(count, -1),
            np.ones((count, pods)),
            readings.latency_sum_s,
            running[:, :, -1],
            answers,
        )
        values = np.concatenate(columns, axis=1, dtype=np.float64)
        store.append_block(self._series, readings.times_ms, values if self._kept is None else values[:, self._kept])


def _places(statuses: Sequence[int], codes: tuple[int, ...]) -> list[int]:
    """Where these statuses are counted; never empty: the last place but one is 0 (see ``append``)."""
    return [place for place, code in enumerate(codes) if code in statuses] or [len(codes)]


def _firsts(series: npt.NDArray[np.int64], pods: Sequence[int]) -> npt.NDArray[np.int64] | None:
    """Columns to keep where some share a series, None where none do.

    Of two samples of one instant a store keeps the first, and pods are scraped one after the other.
    """
    if len(np.unique(series)) == len(series):
        return None
    order = np.argsort(np.array(pods), kind="stable")
    _, first = np.unique(series[order], return_index=True)
    return np.sort(order[first])
