"""Functions over the samples of each window."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from sim.metrics.columns import Floats, Integers
from sim.metrics.promql import statistics
from sim.metrics.promql.nodes import PromqlError
from sim.metrics.promql.values import Context, Ranges, Vector

Function = Callable[[Ranges], Floats]


def _first(ranges: Ranges) -> Floats:
    return ranges.columns.values[ranges.low]


def _last(ranges: Ranges) -> Floats:
    return ranges.columns.values[ranges.high - 1]


def _count(ranges: Ranges) -> Floats:
    return (ranges.high - ranges.low).astype(np.float64)


def _present(ranges: Ranges) -> Floats:
    return np.ones(len(ranges.rows))


def _seconds(times: Integers) -> Floats:
    return np.asarray(times / 1000.0, dtype=np.float64)


def _min(ranges: Ranges) -> Floats:
    return np.asarray(np.fmin.reduce(ranges.block(np.nan), axis=1, initial=np.nan), dtype=np.float64)


def _max(ranges: Ranges) -> Floats:
    return np.asarray(np.fmax.reduce(ranges.block(np.nan), axis=1, initial=np.nan), dtype=np.float64)


def _changes(ranges: Ranges) -> Floats:
    block = ranges.block(np.nan)
    before, after = block[:, :-1], block[:, 1:]
    both = np.arange(1, block.shape[1]) < (ranges.high - ranges.low)[:, None]
    changed = (before != after) & ~(np.isnan(before) & np.isnan(after)) & both
    return np.asarray(changed.sum(axis=1), dtype=np.float64)


def _resets(ranges: Ranges) -> Floats:
    block = ranges.block(np.nan)
    return np.asarray((block[:, 1:] < block[:, :-1]).sum(axis=1), dtype=np.float64)


def _of_samples(function: Callable[[list[float]], float]) -> Function:
    return lambda ranges: np.array([function(values) for values in ranges.samples()], dtype=np.float64)


def _time_of_extreme(better: Callable[[float, float], bool]) -> Function:
    """Seconds of the last sample that is as extreme as any."""

    def pick(values: Sequence[float]) -> int:
        best = 0
        for index, value in enumerate(values):
            if better(value, values[best]) or math.isnan(values[best]):
                best = index
        return best

    def call(ranges: Ranges) -> Floats:
        pairs = zip(ranges.samples(), ranges.times(), strict=True)
        return np.array([times[pick(values)] / 1000.0 for values, times in pairs], dtype=np.float64)

    return call


NAMED: Final[dict[str, Function]] = {"first_over_time": _first, "last_over_time": _last}
"""Functions that keep the metric's name."""

PLAIN: Final[dict[str, Function]] = {
    "avg_over_time": _of_samples(statistics.mean),
    "min_over_time": _min,
    "max_over_time": _max,
    "sum_over_time": _of_samples(statistics.total),
    "count_over_time": _count,
    "present_over_time": _present,
    "stddev_over_time": _of_samples(lambda values: math.sqrt(statistics.compensated_variance(values))),
    "stdvar_over_time": _of_samples(statistics.compensated_variance),
    "mad_over_time": _of_samples(statistics.median_deviation),
    "ts_of_first_over_time": lambda ranges: _seconds(ranges.columns.times[ranges.low]),
    "ts_of_last_over_time": lambda ranges: _seconds(ranges.columns.times[ranges.high - 1]),
    "ts_of_min_over_time": _time_of_extreme(lambda value, best: value <= best),
    "ts_of_max_over_time": _time_of_extreme(lambda value, best: value >= best),
    "changes": _changes,
    "resets": _resets,
}
"""Functions of the window alone."""


def quantiles(q: float, ranges: Ranges, context: Context) -> Vector:
    """``quantile_over_time``."""
    found = [statistics.quantile(q, values) for values in ranges.samples()]
    return Vector(context.dropped(ranges.rows), np.array(found, dtype=np.float64))


def slopes(ranges: Ranges, context: Context) -> Vector:
    """``deriv``: per second, by least squares, of windows with at least two samples."""
    ranges = ranges.where(ranges.high - ranges.low >= 2)
    pairs = zip(ranges.times(), ranges.samples(), strict=True)
    found = [statistics.line(times, values, times[0])[0] for times, values in pairs]
    return Vector(context.dropped(ranges.rows), np.array(found, dtype=np.float64))


def predictions(ranges: Ranges, ahead_s: float, context: Context) -> Vector:
    """``predict_linear``: where the line through each window will be."""
    ranges = ranges.where(ranges.high - ranges.low >= 2)
    pairs = zip(ranges.times(), ranges.samples(), strict=True)
    lines = [statistics.line(times, values, context.at_ms) for times, values in pairs]
    found = [slope * ahead_s + level for slope, level in lines]
    return Vector(context.dropped(ranges.rows), np.array(found, dtype=np.float64))


def smoothed(ranges: Ranges, smoothing: float, trend: float, context: Context) -> Vector:
    """``double_exponential_smoothing``; PromqlError when a factor is not between 0 and 1."""
    for name, factor in (("smoothing", smoothing), ("trend", trend)):
        if ranges.rows and not 0 < factor < 1:
            letter = name[0]
            msg = f"invalid {name} factor. Expected: 0 < {letter}f < 1, got: {factor:f}"
            raise PromqlError(msg)
    ranges = ranges.where(ranges.high - ranges.low >= 2)
    found = [_smooth(values, smoothing, trend) for values in ranges.samples()]
    return Vector(context.dropped(ranges.rows), np.array(found, dtype=np.float64))


def _smooth(values: Sequence[float], smoothing: float, trend: float) -> float:
    before, level = 0.0, values[0]
    slope = values[1] - values[0]
    for index, value in enumerate(values[1:]):
        if index:
            slope = trend * (level - before) + (1 - trend) * slope
        before, level = level, smoothing * value + (1 - smoothing) * (level + slope)
    return level
