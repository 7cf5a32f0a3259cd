"""Sums, means, spreads, quantiles and lines of a few numbers, with NaN and infinities as Prometheus has them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence


def divided(left: float, right: float) -> float:
    """The quotient as IEEE has it: NaN or infinities where Python would raise."""
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def total(values: Sequence[float]) -> float:
    """Compensated sum; infinities, NaN and overflow as IEEE adds them."""
    if min(values) < 0 < max(values):
        return sum(_added(values))
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):
        return float(sum(values))


def mean(values: Sequence[float]) -> float:
    """Compensated mean, also where the sum would overflow."""
    added, lost = (total(values), 0.0) if min(values) >= 0 else _added(values)
    if math.isinf(added):
        return _running_mean(values)
    return added / len(values) + lost / len(values)


def _added(values: Sequence[float]) -> tuple[float, float]:
    """Sum and what rounding took from it, exactly as the server finds them: with mixed signs, its errors show."""
    added, lost = 0.0, 0.0
    for value in values:
        added, lost = _incremented(value, added, lost)
    return added, lost


def _incremented(value: float, added: float, lost: float) -> tuple[float, float]:
    """One step of Neumaier's summation (util/kahansum)."""
    new = added + value
    if math.isinf(new):
        return new, 0.0
    if abs(added) >= abs(value):
        return new, lost + ((added - new) + value)
    return new, lost + ((value - new) + added)


def _running_mean(values: Sequence[float]) -> float:
    """The mean by updates, from the value at which the sum overflows."""
    added, lost = values[0], 0.0
    overflows = False
    for count, value in enumerate(values[1:], 2):
        if not overflows:
            new, rest = _incremented(value, added, lost)
            if not math.isinf(new):
                added, lost = new, rest
                continue
            overflows = True
            added, lost = added / (count - 1), lost / (count - 1)
        share = (count - 1) / count
        added, lost = _incremented(value / count, share * added, share * lost)
    return added + lost if overflows else added / len(values) + lost / len(values)


def extreme(values: Sequence[float], pick: Callable[[float, float], float]) -> float:
    """Min or max as Prometheus takes them: NaN only when there is nothing else."""
    best = values[0]
    for value in values[1:]:
        best = value if math.isnan(best) else best if math.isnan(value) else pick(best, value)
    return best


def variance(values: Sequence[float]) -> float:
    """Population variance by Welford's updates: exactly 0 for equal values."""
    centre, squares = 0.0, 0.0
    for count, value in enumerate(values, 1):
        delta = value - centre
        centre += delta / count
        squares += delta * (value - centre)
    return squares / len(values)


def compensated_variance(values: Sequence[float]) -> float:
    """The same with compensated sums, as the server has it over time but not over groups."""
    centre = lost_centre = squares = lost_squares = 0.0
    for count, value in enumerate(values, 1):
        delta = value - (centre + lost_centre)
        centre, lost_centre = _incremented(delta / count, centre, lost_centre)
        squares, lost_squares = _incremented(delta * (value - (centre + lost_centre)), squares, lost_squares)
    return (squares + lost_squares) / len(values)


def nan_first(value: float) -> tuple[bool, float]:
    """Sort key that puts NaN before every number."""
    return (False, 0.0) if math.isnan(value) else (True, value)


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


def median_deviation(values: Sequence[float]) -> float:
    """Median distance from the median; NaN when any value is."""
    if any(map(math.isnan, values)):
        return math.nan
    median = quantile(0.5, values)
    return quantile(0.5, [abs(value - median) for value in values])


def line(times: Sequence[int], values: Sequence[float], at_ms: int) -> tuple[float, float]:
    """(slope per second, value at ``at_ms``) of the least-squares line through at least two samples."""
    if all(value == values[0] for value in values):
        return (0.0, values[0]) if math.isfinite(values[0]) else (math.nan, math.nan)
    seconds = [(time - at_ms) / 1000.0 for time in times]
    count = len(values)
    x, y = total(seconds), total(values)
    xy = total([one * value for one, value in zip(seconds, values, strict=True)])
    xx = total([one * one for one in seconds])
    slope = divided(xy - x * y / count, xx - x * x / count)
    return slope, y / count - slope * x / count
