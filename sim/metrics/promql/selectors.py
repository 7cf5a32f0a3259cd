"""What a selector sees at an instant: matching, lookback, staleness and the edges of ranges.

Prometheus 2 counts samples in the closed window [t - range, t], Prometheus 3 in (t - range, t]; the lookback follows
the same rule. Regular expressions are RE2's and anchored at both ends.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sim import patterns
from sim.metrics.columns import Booleans, Columns, Integers
from sim.metrics.promql.nodes import Matcher, Matrix, PromqlError, Selector
from sim.metrics.promql.values import Context, Ranges, Vector
from sim.metrics.rows import Labels, Rows
from sim.metrics.store import Selection


def pattern(text: str) -> patterns.Pattern:
    """A compiled label pattern, in which a dot fits line ends too; PromqlError when it is not one."""
    try:
        return patterns.compiled(f"(?s:{text})")
    except ValueError as error:
        raise PromqlError(str(error)) from None


def test_of(matcher: Matcher) -> Callable[[str], bool]:
    """The test a label value ('' when absent) must pass."""
    wanted = matcher.value
    match matcher.op:
        case "=":
            return lambda value: value == wanted
        case "!=":
            return lambda value: value != wanted
    full = pattern(wanted).fullmatch
    if matcher.op == "=~":
        return lambda value: full(value) is not None
    return lambda value: full(value) is None


def selection(selector: Selector, context: Context) -> Selection:
    """Every series the selector's matchers accept, in the dialect's order."""

    def accepts(labels: Labels) -> bool:
        return all(test(labels.get(name, "")) for name, test in tests)

    tests = [(matcher.name, test_of(matcher)) for matcher in selector.matchers]
    return context.store.select(selector.name, selector.matchers, accepts, by_labels=context.dialect.by_labels)


def latest(selector: Selector, context: Context) -> tuple[Rows, Integers]:
    """Rows and the position of the newest sample of each within the lookback, unless a stale marker ended it."""
    return visible(selection(selector, context), context, context.instant(selector.when))


def visible(chosen: Selection, context: Context, until_ms: int) -> tuple[Rows, Integers]:
    """Those of some series that an instant sees, and the position of their newest samples."""
    columns = context.store.samples
    positions = columns.positions(chosen.indices, until_ms) - 1
    times = columns.times[positions]
    seen = times > context.left_edge(until_ms, context.lookback_ms)
    seen &= ~_ended(chosen, context, until_ms, times)
    if seen.all():
        return chosen.rows, positions
    return chosen.rows.take(seen), positions[seen]


def _ended(chosen: Selection, context: Context, until_ms: int, times: Integers) -> Booleans:
    """Whether a stale marker follows each of these samples."""
    markers = context.store.markers
    return np.asarray(markers.times[markers.positions(chosen.indices, until_ms) - 1] >= times, dtype=np.bool_)


def instant_vector(selector: Selector, context: Context) -> Vector:
    """Newest sample of each series within the lookback."""
    rows, positions = latest(selector, context)
    return Vector(rows, context.store.samples.values[positions])


def ranges(matrix: Matrix, context: Context) -> Ranges:
    """The non-empty windows of a range selector; PromqlError for an extended one, which few functions know."""
    if matrix.selector.mode:
        msg = f"{matrix.selector.mode} modifier can only be used with functions that compare samples"
        raise PromqlError(msg)
    until_ms = context.instant(matrix.selector.when)
    chosen = selection(matrix.selector, context)
    return cut(chosen, context.store.samples, context, until_ms, matrix.range_ms)


def cut(chosen: Selection, columns: Columns, context: Context, until_ms: int, width_ms: int) -> Ranges:
    """Windows of this width up to this instant, without the series that have no sample in it."""
    low, high = columns.window(chosen.indices, context.left_edge(until_ms, width_ms), until_ms)
    whole = Ranges(chosen.rows, columns, chosen.indices, low, high, until_ms - width_ms, until_ms)
    return whole.where(high > low)
