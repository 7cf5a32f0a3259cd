"""Two worlds over time and by latency: how far apart their steps are, and their distributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reports.verify.facts import Steps

Array = NDArray[np.float64]

GRID_S = 1.0
"""Series are compared at every second since the apply."""
_FURTHEST_S = 30
"""Shifts beyond this are not looked for."""


class Deviation(NamedTuple):
    """How far a run's series is from the twin's median, in the series' unit, and how much later it would fit best."""

    most: float
    mean: float
    shift_s: float
    """Positive: the run is later. 0 where no shift fits better."""


class Band(NamedTuple):
    """The twin's replications at every point of a grid."""

    at_s: Array
    median: Array
    low: Array
    high: Array
    """5th and 95th percentile."""


def grid(end_s: float) -> Array:
    """Every second from the apply to ``end_s``."""
    return np.arange(0.0, max(end_s, 0.0) + GRID_S, GRID_S)


def sampled(steps: Steps, at_s: Array) -> Array:
    """The steps' values at these times; 0 before the first of them."""
    if not steps:
        return np.zeros(len(at_s))
    times, values = (np.asarray(column, dtype=float) for column in zip(*steps, strict=True))
    index = np.searchsorted(times, at_s, side="right") - 1
    return np.where(index >= 0, values[np.maximum(index, 0)], 0.0)


def band(replications: Sequence[Steps], at_s: Array) -> Band:
    """Median and 90 % band of the replications at these times; ValueError without any."""
    rows = np.stack([sampled(steps, at_s) for steps in replications])
    low, median, high = np.percentile(rows, (5, 50, 95), axis=0)
    return Band(at_s, median, low, high)


def deviation(run: Steps, replications: Sequence[Steps], end_s: float) -> Deviation | None:
    """How far the run is from the replications' median between the apply and ``end_s``; None without replications."""
    if not replications or end_s <= 0:
        return None
    at_s = grid(end_s)
    median = band(replications, at_s).median
    apart = np.abs(sampled(run, at_s) - median)
    return Deviation(float(apart.max()), float(apart.mean()), _shift_s(run, median, at_s))


def _shift_s(run: Steps, median: Array, at_s: Array) -> float:
    """The shift with the least mean distance, the smallest of equals."""
    lags = sorted(range(-_FURTHEST_S, _FURTHEST_S + 1), key=lambda lag: (abs(lag), lag))
    distances = [float(np.abs(sampled(run, at_s + lag) - median).mean()) for lag in lags]
    best = min(distances)
    return float(next(lag for lag, distance in zip(lags, distances, strict=True) if distance <= best + 1e-9))


class Kolmogorov(NamedTuple):
    """Largest distance between two distributions known by bucket, and how many answers each has.

    Within a bucket nothing is known, so the true distance may be larger.
    """

    distance: float
    twin: int
    cluster: int


def kolmogorov(twin: Sequence[int], cluster: Sequence[int]) -> Kolmogorov | None:
    """Two-sample distance at the buckets' bounds: ``[1, 1] and [2, 0] -> 0.5``; None if either has no answers."""
    counts = sum(twin), sum(cluster)
    if not all(counts) or len(twin) != len(cluster):
        return None
    ours, theirs = np.cumsum(twin) / counts[0], np.cumsum(cluster) / counts[1]
    return Kolmogorov(float(np.abs(ours - theirs).max()), *counts)
