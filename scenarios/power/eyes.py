"""Which requests one measurement sees: not those of its window, but those between two scrapes (or flushes) inside it.

A rate over ``[1m]`` at a scrape interval of 15 s stands on four samples, so on the requests of 45 s; its extrapolation
to 60 s changes the numbers, not what they rest on. Datadog's last point stands for one bucket of what has arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor

from scenarios.power.readings import Quantile, Share
from sim.metrics.promql.dialects import DIALECTS, dialect_of
from sim.model.scenario import Scenario

Span = tuple[float, float]
"""From after the first sample to the last one, seconds since the apply; empty where there are no two."""

_LATTICE = (34, 21)
"""Fibonacci's: of all ways to spread so many points over a square about the most even one."""
_EDGE_S = 1e-3


@dataclass(frozen=True)
class PrometheusEyes:
    """Scrapes every ``interval_s``; a window is closed on the left up to Prometheus 2."""

    interval_s: float
    window_s: float
    closed: bool

    def span(self, at_s: float, phase: tuple[float, float]) -> Span:
        """From the first to the last scrape in the window; ``phase`` are two numbers in [0, 1), where the grids stand."""
        first, last = self.samples(at_s, phase[0] * self.interval_s)
        offset_s = phase[0] * self.interval_s
        return offset_s + first * self.interval_s, offset_s + max(first, last) * self.interval_s

    def samples(self, at_s: float, offset_s: float) -> tuple[int, int]:
        """Numbers of the first and the last scrape in the window; scrape 0 is at ``offset_s``."""
        start = (at_s - self.window_s - offset_s) / self.interval_s
        first = ceil(start) if self.closed else floor(start) + 1
        return first, floor((at_s - offset_s) / self.interval_s)


@dataclass(frozen=True)
class DatadogEyes:
    """Flushes every ``flush_s``, queryable ``lag_s`` later; the last bucket that holds a point is what is judged."""

    flush_s: float
    lag_s: float
    bucket_s: float
    window_s: float

    def span(self, at_s: float, phase: tuple[float, float]) -> Span:
        """What arrived of the last bucket: points carry the time their flush interval began."""
        offset_s = phase[0] * self.flush_s
        last_s = floor((at_s - self.lag_s - offset_s) / self.flush_s) * self.flush_s + offset_s
        newest_s = last_s - self.flush_s
        bucket_offset_s = offset_s + phase[1] * self.bucket_s
        bucket_s = floor((newest_s - bucket_offset_s) / self.bucket_s) * self.bucket_s + bucket_offset_s
        from_s = max(bucket_s, at_s - self.window_s)
        flushes = max(0, floor((newest_s - from_s) / self.flush_s + 1e-9) + 1)
        return last_s - flushes * self.flush_s, last_s


def eyes_of(reading: Share | Quantile, scenario: Scenario) -> PrometheusEyes | DatadogEyes:
    """How the metric's provider sees requests."""
    telemetry = scenario.telemetry
    if isinstance(reading, Share) and reading.bucket_s:
        datadog = telemetry.datadog
        return DatadogEyes(datadog.flush_interval_s, datadog.lag_s, reading.bucket_s, reading.window_s)
    prometheus = telemetry.prometheus
    closed = DIALECTS[dialect_of(prometheus.version)].closed
    return PrometheusEyes(prometheus.scrape_interval_s, reading.window_s, closed)


def phases() -> tuple[tuple[float, float], ...]:
    """Positions of a provider's two grids, spread evenly: nobody knows where they stand when a release begins."""
    points, step = _LATTICE
    return tuple(((i + 0.5) / points, (i * step % points + 0.5) / points) for i in range(points))


def overlap(spans: Sequence[Span]) -> bool:
    """Whether two measurements in a row rest on the same requests."""
    return any(after[0] < before[1] - _EDGE_S for before, after in pairwise(spans))
