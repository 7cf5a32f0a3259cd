"""Extended range selectors: ``anchored`` and ``smoothed`` (feature ``promql-extended-range-selectors`` of Prometheus 3.7).

An anchored window begins with the last sample before it, a smoothed one has its edges interpolated between the samples
on both sides; what lies at most the lookback outside is seen (promql/functions.go ``extendedRate``).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np

from sim.metrics.columns import Columns
from sim.metrics.promql.nodes import Matrix, PromqlError, Selector
from sim.metrics.promql.overtime import PLAIN
from sim.metrics.promql.selectors import cut, selection
from sim.metrics.promql.values import Context, Ranges, Vector

_RATES: Final = {"rate": (True, True), "increase": (True, False), "delta": (False, False)}
"""Whether of a counter, whether per second."""
_SAFE: Final = {
    "anchored": ("changes", "delta", "increase", "rate", "resets"),
    "smoothed": ("delta", "increase", "rate"),
}


def over_extended(name: str, node: Matrix, context: Context) -> Vector:
    """A function of an extended window; PromqlError for functions that know none."""
    mode = node.selector.mode
    if name not in _SAFE[mode]:
        msg = f"{mode} modifier can only be used with: {', '.join(_SAFE[mode])} - not with {name}"
        raise PromqlError(msg)
    ranges = _seen(node, context)
    if name not in _RATES:
        ranges = _anchored(ranges)
        return Vector(context.dropped(ranges.rows), PLAIN[name](ranges))
    counter, per_second = _RATES[name]
    found = [_change(ranges, at, counter=counter, smoothed=mode == "smoothed") for at in range(len(ranges.rows))]
    known = np.array([value is not None for value in found], dtype=np.bool_)
    seconds = node.range_ms / 1000.0 if per_second else 1.0
    values = np.array([value for value in found if value is not None], dtype=np.float64) / seconds
    return Vector(context.dropped(ranges.where(known).rows), values)


def _seen(node: Matrix, context: Context) -> Ranges:
    """What the window sees, also outside its edges; those it keeps."""
    until_ms = context.instant(node.selector.when)
    after = context.lookback_ms if node.selector.mode == "smoothed" else 0
    width_ms = node.range_ms + context.lookback_ms + after
    wide = cut(selection(node.selector, context), context.store.samples, context, until_ms + after, width_ms)
    return replace(wide, start_ms=until_ms - node.range_ms, end_ms=until_ms)


def _anchored(ranges: Ranges) -> Ranges:
    """Windows from the last sample before them, without those that have none inside."""
    inside = np.maximum(ranges.columns.positions(ranges.series, ranges.start_ms), ranges.low)
    begun = replace(ranges, low=np.maximum(inside - 1, ranges.low))
    return begun.where(ranges.high > inside)


def _change(ranges: Ranges, at: int, *, counter: bool, smoothed: bool) -> float | None:
    """What one series did between the edges of its window; None when nothing can be said."""
    low, high = int(ranges.low[at]), int(ranges.high[at])
    times, values = ranges.columns.times, ranges.columns.values
    first = max(low, low + int(np.searchsorted(times[low : high - 1], ranges.start_ms, side="right")) - 1)
    last = high - 1
    if smoothed:
        last = low + int(np.searchsorted(times[low : high - 1], ranges.end_ms, side="left"))
    if times[last] <= ranges.start_ms or (smoothed and times[first] > ranges.end_ms):
        return None
    left, right = float(values[first]), float(values[last])
    if smoothed and times[first] < ranges.start_ms:
        left = _between(ranges.columns, first, ranges.start_ms, counter=counter)
    if smoothed and last > low and times[last] > ranges.end_ms:
        right = _between(ranges.columns, last - 1, ranges.end_ms, counter=counter)
    if not counter:
        return right - left
    first += int(times[first] <= ranges.start_ms)
    last -= int(times[last] >= ranges.end_ms)
    return right - left + _lost([left, *values[first : last + 1].tolist(), right])


def _between(columns: Columns, at: int, t_ms: int, *, counter: bool) -> float:
    """The value at an instant between a sample and the next; a counter that was reset began at 0."""
    before, after = columns.values[at : at + 2].tolist()
    begun, ended = columns.times[at : at + 2].tolist()
    if counter and after < before:
        before = 0.0
    return float(before + (after - before) * (t_ms - begun) / (ended - begun))


def _lost(values: list[float]) -> float:
    """What a counter had reached before its resets."""
    return sum(before for before, after in pairwise(values) if after < before)


def smoothed_vector(selector: Selector, context: Context) -> Vector:
    """Each series between the samples around the instant, or its last sample when none follows."""
    at_ms, around_ms = context.instant(selector.when), context.lookback_ms
    wide = cut(selection(selector, context), context.store.samples, context, at_ms + around_ms, 2 * around_ms)
    found = [_smooth(wide, at, at_ms) for at in range(len(wide.rows))]
    known = np.array([value is not None for value in found], dtype=np.bool_)
    values = np.array([value for value in found if value is not None], dtype=np.float64)
    return Vector(wide.where(known).rows, values)


def _smooth(ranges: Ranges, at: int, at_ms: int) -> float | None:
    low, high = int(ranges.low[at]), int(ranges.high[at])
    times, values = ranges.columns.times, ranges.columns.values
    following = low + int(np.searchsorted(times[low:high], at_ms, side="left"))
    if following < high and times[following] == at_ms:
        return float(values[following])
    if following == low:
        return None
    if following == high:
        return float(values[high - 1])
    return _between(ranges.columns, following - 1, at_ms, counter=False)
