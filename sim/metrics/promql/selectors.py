"""What a selector sees at an instant: matching, lookback, staleness and the edges of ranges.

Prometheus 2 counts samples in the closed window [t - range, t], Prometheus 3 in (t - range, t]; the lookback follows
the same rule (evaluators reference 1.2, rule 1). Series come in label order from 2, in order of creation from 3
(rule 6). Regular expressions are anchored; they are Python's, which differ from RE2 in flags inside the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sim.metrics import patterns
from sim.metrics.promql.nodes import Matcher, Matrix, PromqlError, Selector, When
from sim.metrics.store import Labels, Series, SeriesStore

Sample = tuple[Labels, float]
Vector = list[Sample]
Window = tuple[Series, int, int]
"""A series and the half-open index range of its samples inside a range."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Non-empty windows over (or from, in dialect 2) ``start_ms`` up to ``end_ms``; ``distinct`` after dropping names."""

    windows: list[Window]
    start_ms: int
    end_ms: int
    distinct: bool = True


DEFAULT_STEP_MS: Final = 60_000
"""Subquery step where none is written: the server's default evaluation interval."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an evaluation needs to know; ``start_ms`` and ``end_ms`` are those of the whole query."""

    store: SeriesStore
    at_ms: int
    start_ms: int
    end_ms: int
    closed: bool
    """Prometheus 2: ranges include their left edge, and results are in label order."""
    clamp_first: bool
    """Prometheus 2.42: extrapolation to a counter's zero is limited before the half-interval rule, not after."""
    lookback_ms: int

    def moved_to(self, at_ms: int) -> Context:
        """The same at another instant."""
        return replace(self, at_ms=at_ms)

    def instant(self, when: When) -> int:
        """Evaluation instant after ``@`` and ``offset``, milliseconds."""
        match when.at:
            case None:
                base = self.at_ms
            case "start":
                base = self.start_ms
            case "end":
                base = self.end_ms
            case fixed:
                base = int(fixed)
        return base - when.offset_ms

    def left_edge(self, until_ms: int, width_ms: int) -> int:
        """The last instant that is *not* part of a window of this width."""
        return until_ms - width_ms - (1 if self.closed else 0)


def pattern(text: str) -> re.Pattern[str]:
    """A compiled label pattern; PromqlError when it is not one."""
    try:
        return patterns.compiled(text, re.DOTALL)
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


def series_of(selector: Selector, context: Context) -> list[Series]:
    """Every series the selector's matchers accept, in the dialect's order."""
    tests = [(matcher.name, test_of(matcher)) for matcher in selector.matchers]

    def accepts(labels: Labels) -> bool:
        return all(test(labels.get(name, "")) for name, test in tests)

    return context.store.select(selector.name, selector.matchers, accepts, by_labels=context.closed)


def latest(selector: Selector, context: Context) -> list[tuple[Series, int]]:
    """Series and the index of the sample an instant selector shows of each."""
    until_ms = context.instant(selector.when)
    after_ms = context.left_edge(until_ms, context.lookback_ms)
    hits = ((series, series.latest(after_ms, until_ms)) for series in series_of(selector, context))
    return [(series, index) for series, index in hits if index >= 0]


def instant_vector(selector: Selector, context: Context) -> Vector:
    """Newest sample of each series within the lookback, unless a stale marker ended it."""
    return [(series.labels, series.values[index]) for series, index in latest(selector, context)]


def ranges(matrix: Matrix, context: Context) -> Ranges:
    """The non-empty windows of a range selector."""
    until_ms = context.instant(matrix.selector.when)
    series = series_of(matrix.selector, context)
    return cut(series, until_ms, matrix.range_ms, context, distinct=matrix.selector.name is not None)


def cut(series: list[Series], until_ms: int, width_ms: int, context: Context, *, distinct: bool) -> Ranges:
    """Windows of this width up to this instant, without the series that have no sample in it."""
    after_ms = context.left_edge(until_ms, width_ms)
    cuts = ((one, *one.window(after_ms, until_ms)) for one in series)
    return Ranges([(one, low, high) for one, low, high in cuts if high > low], until_ms - width_ms, until_ms, distinct)
