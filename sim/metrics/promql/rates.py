"""rate and its kin: what a counter did over a window, extrapolated to the window as Prometheus does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sim.metrics.columns import Booleans, Columns, Floats, Integers
from sim.metrics.promql.nodes import Matrix, PromqlError
from sim.metrics.promql.selectors import selection
from sim.metrics.promql.values import EMPTY, Context, Ranges, Vector


def extrapolated(ranges: Ranges, context: Context, *, counter: bool, per_second: bool) -> Vector:
    """Increase (counter), rate (counter, per second) or delta of every window with at least two samples.

    The change between first and last sample is scaled to the window: up to its edge when the edge is nearer than 1.1
    mean spacings, else by half a spacing; a counter is never extrapolated below zero (promql/functions.go
    ``extrapolatedRate``).
    """
    ranges = ranges.where(ranges.high - ranges.low >= 2)
    change = _change(ranges, counter=counter)
    factor = _factor(_Windows.of(ranges), change, context, counter=counter)
    if per_second:
        factor /= (ranges.end_ms - ranges.start_ms) / 1000.0
    return Vector(context.dropped(ranges.rows), change * factor)


def extrapolated_at(
    matrix: Matrix, contexts: Sequence[Context], *, counter: bool, per_second: bool
) -> Iterator[Vector | None]:
    """``extrapolated`` at each of several instants, worked out together; None where labels clash."""
    context = contexts[0]
    chosen, columns = selection(matrix.selector, context), context.store.samples
    until_ms = np.array([one.instant(matrix.selector.when) for one in contexts], dtype=np.int64)
    after_ms = np.array([context.left_edge(int(t_ms), matrix.range_ms) for t_ms in until_ms], dtype=np.int64)
    low, high = columns.windows(chosen.indices, after_ms, until_ms)
    windows = _Windows(columns, low, high, (until_ms - matrix.range_ms)[:, np.newaxis], until_ms[:, np.newaxis])
    enough = high - low >= 2
    change = columns.values[high - 1] - columns.values[low]
    if counter:
        _add_lost(change, enough & columns.fell[chosen.indices], windows)
    factor = _factor(windows, change, context, counter=counter)
    if per_second:
        factor /= matrix.range_ms / 1000.0
    found = change * factor
    for mask, values in zip(enough, found, strict=True):
        rows = chosen.rows if mask.all() else chosen.rows.take(mask)
        try:
            yield Vector(context.dropped(rows), values if mask.all() else values[mask])
        except PromqlError:
            yield None


@dataclass(frozen=True, slots=True)
class _Windows:
    """Positions of first samples and behind last ones, and the windows' edges; all of shapes that go together."""

    columns: Columns
    low: Integers
    high: Integers
    start_ms: int | Integers
    end_ms: int | Integers

    @classmethod
    def of(cls, ranges: Ranges) -> _Windows:
        """Those of one instant."""
        return cls(ranges.columns, ranges.low, ranges.high, ranges.start_ms, ranges.end_ms)


def _add_lost(change: Floats, fell: Booleans, windows: _Windows) -> None:
    """Adds to the changes of counters that may have been reset (over (instants, series)) what they lost."""
    for at in np.flatnonzero(fell.any(axis=1)).tolist():
        mask = fell[at]
        low, high = windows.low[at][mask], windows.high[at][mask]
        change[at, mask] = _with_lost(change[at, mask], Ranges(EMPTY, windows.columns, low, low, high, 0, 0))


def _change(ranges: Ranges, *, counter: bool) -> Floats:
    values = ranges.columns.values
    change: Floats = values[ranges.high - 1] - values[ranges.low]
    if counter:
        fell = ranges.columns.fell[ranges.series]
        if fell.any():
            change[fell] = _with_lost(change[fell], ranges.where(fell))
    return change


def _with_lost(change: Floats, ranges: Ranges) -> Floats:
    """The change and what each counter had reached before its resets, added one after the other as the server does."""
    block = ranges.block(np.nan)
    before, after = block[:, :-1], block[:, 1:]
    lost = np.where(after < before, before, 0.0)
    added: Floats = np.cumsum(np.column_stack([change, lost]), axis=1)[:, -1]
    return added


def _factor(ranges: _Windows, change: Floats, context: Context, *, counter: bool) -> Floats:
    times, low, high = ranges.columns.times, ranges.low, ranges.high
    first_ms, last_ms = times[low], times[high - 1]
    to_start, to_end = (first_ms - ranges.start_ms) / 1000.0, (ranges.end_ms - last_ms) / 1000.0
    sampled = (last_ms - first_ms) / 1000.0
    spacing = sampled / (high - low - 1)
    threshold, half = spacing * 1.1, spacing / 2
    if counter and context.dialect.clamps_first:
        to_start = np.fmin(to_start, _to_zero(ranges, change, sampled))
    to_start = np.where(to_start >= threshold, half, to_start)
    if counter and not context.dialect.clamps_first:
        to_start = np.fmin(to_start, _to_zero(ranges, change, sampled))
    to_end = np.where(to_end >= threshold, half, to_end)
    factor: Floats = (sampled + to_start + to_end) / sampled
    return factor


def _to_zero(ranges: _Windows, change: Floats, sampled: Floats) -> Floats:
    """Seconds since each counter would have been zero, had it always grown at this pace."""
    first = ranges.columns.values[ranges.low]
    return np.where((change > 0) & (first >= 0), sampled * (first / change), np.inf)


def instant_change(ranges: Ranges, context: Context, *, counter: bool) -> Vector:
    """Irate (counter, per second) or idelta: from the last two samples of each window alone."""
    ranges = ranges.where(ranges.high - ranges.low >= 2)
    times, values = ranges.columns.times, ranges.columns.values
    before, after = values[ranges.high - 2], values[ranges.high - 1]
    change = after - before
    if counter:
        change = np.where(after < before, after, change)
        change /= (times[ranges.high - 1] - times[ranges.high - 2]) / 1000.0
    return Vector(context.dropped(ranges.rows), change)
