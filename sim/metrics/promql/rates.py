"""rate and its kin: what a counter did over a window, extrapolated to the window as Prometheus does."""

from __future__ import annotations

from sim.metrics.promql.selectors import Context, Ranges, Vector, Window


def extrapolated(ranges: Ranges, context: Context, *, counter: bool, per_second: bool) -> Vector:
    """Increase (counter), rate (counter, per second) or delta of every window with at least two samples.

    The change between first and last sample is scaled to the window: up to its edge when the edge is nearer than 1.1
    mean spacings, else by half a spacing; a counter is never extrapolated below zero (promql/functions.go
    ``extrapolatedRate``).
    """
    scale = (ranges.end_ms - ranges.start_ms) / 1000.0 if per_second else 1.0
    found = []
    for window in ranges.windows:
        series, low, high = window
        if high - low >= 2:
            change = _change(window, counter=counter)
            factor = _factor(window, ranges, change, context, counter=counter)
            found.append((series.bare, change * (factor / scale)))
    return found


def _change(window: Window, *, counter: bool) -> float:
    series, low, high = window
    change = series.values[high - 1] - series.values[low]
    return change + series.resets[high - 1] - series.resets[low] if counter else change


def _factor(window: Window, ranges: Ranges, change: float, context: Context, *, counter: bool) -> float:
    series, low, high = window
    first_ms, last_ms = series.times[low], series.times[high - 1]
    to_start, to_end = (first_ms - ranges.start_ms) / 1000.0, (ranges.end_ms - last_ms) / 1000.0
    sampled = (last_ms - first_ms) / 1000.0
    spacing = sampled / (high - low - 1)
    threshold = spacing * 1.1
    first = series.values[low]
    to_zero = sampled * (first / change) if counter and change > 0 and first >= 0 else float("inf")
    if context.clamp_first:
        to_start = min(to_start, to_zero)
    if to_start >= threshold:
        to_start = spacing / 2
    if not context.clamp_first:
        to_start = min(to_start, to_zero)
    if to_end >= threshold:
        to_end = spacing / 2
    return (sampled + to_start + to_end) / sampled


def instant_change(ranges: Ranges, *, counter: bool, per_second: bool) -> Vector:
    """Irate or idelta: from the last two samples of each window alone."""
    found = []
    for series, low, high in ranges.windows:
        if high - low < 2:
            continue
        before, after = series.values[high - 2], series.values[high - 1]
        change = after if counter and after < before else after - before
        seconds = (series.times[high - 1] - series.times[high - 2]) / 1000.0
        found.append((series.bare, change / seconds if per_second else change))
    return found
