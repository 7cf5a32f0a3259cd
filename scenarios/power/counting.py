"""Many draws of what the scrapes count, and what the measurements make of it: for windows that share requests.

Monte Carlo over counts per scrape interval, not over requests. It follows what Prometheus does with a counter: a status
that nobody had yet has no series, so its first errors go unseen; a counter is not extrapolated below zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import floor

import numpy as np
import numpy.typing as npt

from scenarios.power.eyes import PrometheusEyes
from scenarios.power.limits import PHASES, Codes
from scenarios.power.shares import Verdicts
from scenarios.power.world import Floats

PATHS = 4_000
_NEAR = 1e-9
_POSITIONS = 40
"""Different positions of the scrapes among the paths."""
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Grid:
    """Scrapes of each path: path ``p`` scrapes at ``offset[p] + j * interval`` for each of the numbers j."""

    offsets: Floats
    numbers: Integers
    eyes: PrometheusEyes

    @cached_property
    def times(self) -> Floats:
        """Instants, a row each path."""
        return np.asarray(self.offsets[:, None] + self.numbers[None, :] * self.eyes.interval_s)

    def windows(self, at_s: float) -> tuple[Integers, Integers]:
        """Columns of the first and the last scrape in the window of each path."""
        start = (at_s - self.eyes.window_s - self.offsets) / self.eyes.interval_s
        first = np.ceil(start) if self.eyes.closed else np.floor(start) + 1
        last = np.floor((at_s - self.offsets) / self.eyes.interval_s)
        base = self.numbers[0]
        return (first - base).astype(np.int64), (last - base).astype(np.int64)


def grid(eyes: PrometheusEyes, instants: tuple[float, ...], paths: int) -> Grid:
    """Scrapes that any measurement may look at; their positions are spread evenly over the paths, some to each."""
    low = floor((min(instants) - eyes.window_s) / eyes.interval_s) - 2
    high = floor(max(instants) / eyes.interval_s) + 1
    positions = (np.arange(_POSITIONS) + 0.5) / _POSITIONS * eyes.interval_s
    return Grid(np.resize(positions, paths), np.arange(low, high + 1), eyes)


@dataclass(frozen=True)
class Counter:
    """Counters of one kind on every path: counts by (pod, path, scrape), and from which scrape on each exists."""

    counts: Integers
    births: Integers


def counter(means: Sequence[Floats], generator: np.random.Generator, *, born_late: bool) -> Counter:
    """Counters with these expected cumulative counts of each pod; ``born_late``: there is none before its first request."""
    steps = np.diff(np.stack(means), axis=2, prepend=0.0)
    counts = np.cumsum(generator.poisson(np.maximum(steps, 0.0)), axis=2)
    births = (counts == 0).sum(axis=2) if born_late else np.zeros(counts.shape[:2], dtype=np.int64)
    return Counter(counts, births)


def increases(
    scraped: Grid, found: Counter, at_s: float, *, clamps_first: bool = False
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """(Increase over the window summed over the pods, whether any has one) on each path, extrapolated as Prometheus does."""
    begins, last = scraped.windows(at_s)
    first = np.maximum(begins[None, :], found.births)
    there = last[None, :] - first >= 1
    first = np.minimum(first, last[None, :])
    pods, paths = np.ogrid[: first.shape[0], : first.shape[1]]
    begin = found.counts[pods, paths, first]
    change = found.counts[pods, paths, last[None, :]] - begin
    interval = scraped.eyes.interval_s
    sampled = np.maximum(last[None, :] - first, 1) * interval
    to_start = scraped.times[paths, first] - (at_s - scraped.eyes.window_s)
    to_end = (at_s - scraped.times[paths[0], last])[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        to_zero = np.where(change > 0, sampled * begin / change, np.inf)
    if clamps_first:
        to_start = np.minimum(to_start, to_zero)
    to_start = np.where(to_start >= 1.1 * interval, interval / 2, to_start)
    if not clamps_first:
        to_start = np.minimum(to_start, to_zero)
    to_end = np.where(to_end >= 1.1 * interval, interval / 2, to_end)
    grown = np.where(there, change * (sampled + to_start + to_end) / sampled, 0.0)
    return np.asarray(grown.sum(axis=0)), np.asarray(there.any(axis=0))


def coded(verdicts: Verdicts, numbers: Floats, absent: npt.NDArray[np.bool_]) -> Codes:
    """The phase of each number, as a code; NaN and absence have their own."""
    cuts = np.array(verdicts.cuts)
    between = np.array([PHASES.index(phase) for phase in verdicts.between], dtype=np.int8)
    found = between[np.searchsorted(cuts, np.nan_to_num(numbers, nan=0.0), side="left")]
    for cut, phase in zip(verdicts.cuts, verdicts.at, strict=True):
        found = np.where(np.abs(numbers - cut) <= _NEAR, PHASES.index(phase), found)
    found = np.where(np.isnan(numbers), PHASES.index(verdicts.not_a_number), found)
    return np.where(absent, PHASES.index(verdicts.absent), found).astype(np.int8)
