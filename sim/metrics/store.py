"""Sampled series, as a Prometheus server holds them in its head block."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

NAME = "__name__"
"""The label that holds the metric's name."""

Labels = Mapping[str, str]


def to_ms(seconds: float) -> int:
    """Whole milliseconds, the resolution in which Prometheus stores and compares time."""
    return round(seconds * 1000.0)


class Series:
    """Samples of one label set in time order, milliseconds and values; stale markers are kept apart.

    ``bare`` is the label set without the metric name, ``order`` sorts series by their labels. Range selections never see stale markers, instant ones end at
    them, hence the two lists. ``resets`` holds, for every sample, the counter value lost to resets before it, so that an
    increase over any window is a difference instead of a walk.
    """

    __slots__ = ("bare", "labels", "order", "resets", "stale", "times", "values")

    def __init__(self, labels: dict[str, str]) -> None:
        self.labels: Labels = labels
        self.bare: Labels = {name: value for name, value in labels.items() if name != NAME}
        self.order = tuple(labels.items())
        self.times = array("q")
        self.values = array("d")
        self.resets = array("d")
        self.stale = array("q")

    def append(self, t_ms: int, value: float) -> None:
        """Add a sample; ValueError when it is not later than everything the series holds."""
        times = self.times
        lost = 0.0
        if times:
            if t_ms <= times[-1]:
                msg = f"sample at {t_ms} ms is not later than {times[-1]} ms in {dict(self.labels)}"
                raise ValueError(msg)
            lost = self.resets[-1]
            if value < self.values[-1]:
                lost += self.values[-1]
        times.append(t_ms)
        self.values.append(value)
        self.resets.append(lost)

    def mark_stale(self, t_ms: int) -> None:
        """End the series at this instant; a later sample revives it."""
        self.stale.append(t_ms)

    def latest(self, after_ms: int, until_ms: int) -> int:
        """Index of the newest sample in (after, until], or -1 when there is none or a stale marker follows it."""
        index = bisect_right(self.times, until_ms) - 1
        if index < 0 or self.times[index] <= after_ms:
            return -1
        ended = bisect_right(self.stale, until_ms) - 1
        if ended >= 0 and self.stale[ended] >= self.times[index]:
            return -1
        return index

    def window(self, after_ms: int, until_ms: int) -> tuple[int, int]:
        """Half-open index range of the samples in (after, until]."""
        return bisect_right(self.times, after_ms), bisect_right(self.times, until_ms)


_BY_LABELS: Final = attrgetter("order")


@dataclass(slots=True)
class _Selection:
    """What a selector chose among the first ``seen`` series of its pool."""

    seen: int = 0
    created: list[Series] = field(default_factory=list)
    ordered: list[Series] = field(default_factory=list)


class SeriesStore:
    """Every series a server has scraped, found by metric name; series keep their order of creation."""

    def __init__(self) -> None:
        self._by_labels: dict[frozenset[tuple[str, str]], Series] = {}
        self._by_name: dict[str, list[Series]] = {}
        self._selected: dict[tuple[str | None, Hashable], _Selection] = {}

    def series(self, labels: Labels) -> Series:
        """The series of exactly these labels, created empty at first use; empty label values count as absent."""
        key = frozenset(labels.items())
        found = self._by_labels.get(key)
        if found is None:
            found = self._by_labels[key] = self._create(labels)
        return found

    def _create(self, labels: Labels) -> Series:
        clean = {name: labels[name] for name in sorted(labels) if labels[name]}
        known = self._by_labels.get(frozenset(clean.items()))
        if known is not None:
            return known
        made = self._by_labels[frozenset(clean.items())] = Series(clean)
        self._by_name.setdefault(clean.get(NAME, ""), []).append(made)
        return made

    def append(self, labels: Labels, t_s: float, value: float) -> None:
        """Add one sample, seconds; ``labels`` include ``__name__``."""
        self.series(labels).append(to_ms(t_s), value)

    def mark_stale(self, labels: Labels, t_s: float) -> None:
        """Write a stale marker: from this instant the series is not there, instead of lingering for the lookback."""
        self.series(labels).mark_stale(to_ms(t_s))

    def names(self) -> tuple[str, ...]:
        """Metric names in order of first appearance."""
        return tuple(self._by_name)

    def select(
        self, name: str | None, key: Hashable, accepts: Callable[[Labels], bool], *, by_labels: bool = False
    ) -> list[Series]:
        """Series of that metric name (of any, for None) that are accepted, in order of creation or of their labels.

        The answer is remembered under ``(name, key)``, and only series born since are looked at again.
        """
        pool = self._by_name.get(name, []) if name is not None else self._all()
        known = self._selected.setdefault((name, key), _Selection())
        if known.seen < len(pool):
            known.created += [one for one in pool[known.seen :] if accepts(one.labels)]
            known.ordered = sorted(known.created, key=_BY_LABELS)
            known.seen = len(pool)
        return known.ordered if by_labels else known.created

    def _all(self) -> list[Series]:
        return list(dict.fromkeys(self._by_labels.values()))
