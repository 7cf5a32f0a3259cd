"""Functions over the samples of one window."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from sim.metrics.promql.selectors import Window


def quantile(q: float, values: Sequence[float]) -> float:
    """Linear interpolation between ranks; NaN for nothing, -Inf below 0, +Inf above 1."""
    if not values or math.isnan(q):
        return math.nan
    if not 0 <= q <= 1:
        return math.copysign(math.inf, q)
    ranked = sorted(values, key=nan_first)
    rank = q * (len(ranked) - 1)
    low = max(0, math.floor(rank))
    weight = rank - low
    return ranked[low] * (1 - weight) + ranked[min(low + 1, len(ranked) - 1)] * weight


def nan_first(value: float) -> tuple[bool, float]:
    """Sort key that puts NaN before every number."""
    return (False, 0.0) if math.isnan(value) else (True, value)


def extreme(values: Sequence[float], pick: Callable[[float, float], float]) -> float:
    """Min or max as Prometheus takes them: NaN only when there is nothing else."""
    best = values[0]
    for value in values[1:]:
        best = value if math.isnan(best) else best if math.isnan(value) else pick(best, value)
    return best


def variance(values: Sequence[float]) -> float:
    """Population variance."""
    with np.errstate(invalid="ignore", over="ignore"):
        return float(np.var(np.asarray(values, dtype=np.float64)))


def total(values: Sequence[float]) -> float:
    """Compensated sum; infinities, NaN and overflow as IEEE adds them."""
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):
        return float(sum(values))


def _changes(values: Sequence[float]) -> float:
    pairs = pairwise(values)
    return float(sum(a != b and not (math.isnan(a) and math.isnan(b)) for a, b in pairs))


def _resets(values: Sequence[float]) -> float:
    return float(sum(b < a for a, b in pairwise(values)))


PLAIN: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "avg_over_time": lambda values: total(values) / len(values),
    "min_over_time": lambda values: extreme(values, min),
    "max_over_time": lambda values: extreme(values, max),
    "sum_over_time": total,
    "count_over_time": lambda values: float(len(values)),
    "last_over_time": lambda values: values[-1],
    "present_over_time": lambda _: 1.0,
    "stddev_over_time": lambda values: math.sqrt(variance(values)),
    "stdvar_over_time": variance,
    "changes": _changes,
    "resets": _resets,
}
"""Function of the window's values alone."""


def regression(window: Window, at_ms: int) -> tuple[float, float]:
    """(slope per second, value at ``at_ms``) of the least-squares line; (NaN, NaN) below two samples."""
    series, low, high = window
    if high - low < 2:
        return math.nan, math.nan
    values = np.asarray(series.values[low:high], dtype=np.float64)
    if bool((values == values[0]).all()):
        return (0.0, float(values[0])) if math.isfinite(values[0]) else (math.nan, math.nan)
    seconds = (np.asarray(series.times[low:high], dtype=np.int64) - at_ms) / 1000.0
    spread = seconds - seconds.mean()
    with np.errstate(invalid="ignore", over="ignore"):
        slope = float((spread * values).sum() / (spread * spread).sum())
        return slope, float(values.mean() - slope * seconds.mean())
