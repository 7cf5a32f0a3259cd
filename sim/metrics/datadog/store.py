"""Points the Datadog agents sent."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Final

COUNT: Final = "count"
"""Sum over a flush interval; summed over time."""
GAUGE: Final = "gauge"
"""Value at a flush; averaged over time."""


class TagSeries:
    """Points of one metric from one host with one tag set, in time order (seconds)."""

    __slots__ = ("kind", "seen", "tags", "times", "values")

    def __init__(self, tags: Mapping[str, str], kind: str) -> None:
        self.tags = tags
        self.kind = kind
        self.times = array("d")
        self.values = array("d")
        self.seen = array("d")

    def points(self, from_s: float, to_s: float, now_s: float) -> list[tuple[float, float]]:
        """Points in [from, to) that are queryable at ``now_s``."""
        low = bisect_left(self.times, from_s)
        high = min(bisect_left(self.times, to_s), bisect_right(self.seen, now_s))
        return [(self.times[index], self.values[index]) for index in range(low, high)]


class AgentStore:
    """Everything sent so far, by metric; each point knows from when on a query can see it."""

    def __init__(self) -> None:
        self._metrics: dict[str, dict[object, TagSeries]] = {}

    def append(  # noqa: PLR0913  # a point is all of these
        self,
        metric: str,
        tags: Mapping[str, str],
        t_s: float,
        value: float,
        *,
        kind: str = COUNT,
        host: str = "",
        seen_s: float | None = None,
    ) -> None:
        """Add one point; series of different hosts stay apart even with equal tags. ``seen_s`` None: at once."""
        of_metric = self._metrics.setdefault(metric, {})
        key = (host, frozenset(tags.items()))
        series = of_metric.get(key)
        if series is None:
            series = of_metric[key] = TagSeries(dict(tags), kind)
        series.times.append(t_s)
        series.values.append(value)
        series.seen.append(t_s if seen_s is None else seen_s)

    def series(self, metric: str) -> list[TagSeries]:
        """Series of a metric in order of creation; empty when nothing of that name was ever sent."""
        return list(self._metrics.get(metric, {}).values())
