"""PromQL over a series store: ``query`` at one instant, ``query_range`` over many, ``check`` says what is wrong.

Not modelled, and refused: native histograms, start timestamps, texts that are not Unicode.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from sim.metrics.promql import nodes
from sim.metrics.promql.dialects import DIALECTS, dialect_of
from sim.metrics.promql.durations import Span, depends_on_span
from sim.metrics.promql.evaluate import evaluate
from sim.metrics.promql.foresight import foresight
from sim.metrics.promql.functions import SCALARS
from sim.metrics.promql.nodes import Node, PromqlError, PromqlSyntaxError
from sim.metrics.promql.parse import parse
from sim.metrics.promql.refusals import refusal
from sim.metrics.promql.values import Context, Ranges, Value, Vector, unique
from sim.metrics.rows import Labels
from sim.metrics.store import SeriesStore, to_ms

Matrix = list[tuple[Labels, list[tuple[float, float]]]]
"""A range query's answer: for each series its (seconds, value) points."""

_INSTANT: Final = Span()
_MOST_POINTS: Final = 11_000
"""Steps of a range query that the server answers."""


@lru_cache(maxsize=1024)
def _plan(text: str, span: Span = _INSTANT) -> Node:
    try:
        node = parse(text, span)
    except PromqlError as error:
        raise type(error)(error.reason, text) from None
    reason = refusal(node)
    if reason is not None:
        raise PromqlError(reason, text)
    return node


def check(text: str) -> str | None:
    """What is wrong with a query (syntax, types, things not modelled), or None."""
    try:
        _plan(text)
    except PromqlError as error:
        return str(error)
    return None


Kind = Literal["scalar", "string", "vector", "matrix"]


def kind_of(text: str) -> Kind:
    """A query's result type; PromqlError when it is none that can be evaluated."""
    return _kind(_plan(text))


def _kind(node: Node) -> Kind:
    match node:
        case nodes.Text():
            return "string"
        case nodes.Matrix() | nodes.Subquery():
            return "matrix"
    return "scalar" if _is_scalar(node) else "vector"


def _is_scalar(node: Node) -> bool:
    match node:
        case nodes.Number():
            return True
        case nodes.Negate(expr):
            return _is_scalar(expr)
        case nodes.Binary(_, lhs, rhs):
            return _is_scalar(lhs) and _is_scalar(rhs)
        case nodes.Call(name):
            return name in SCALARS
    return False


def evaluate_at(store: SeriesStore, text: str, at_s: float, dialect: str = "3", lookback_s: float = 300.0) -> Value:
    """Any value a query has at one instant, strings and range vectors included."""
    plan, at_ms = _plan(text), to_ms(at_s)
    with _evaluating(text):
        return evaluate(plan, _context(store, (at_ms, at_ms, 0), dialect, lookback_s))


@contextmanager
def _evaluating(text: str) -> Iterator[None]:
    """Numbers as IEEE has them, and errors that name the query."""
    try:
        with np.errstate(all="ignore"):
            yield
    except PromqlError as error:
        raise PromqlError(error.reason, text) from None


def _context(store: SeriesStore, span: tuple[int, int, int], dialect: str, lookback_s: float) -> Context:
    if dialect not in DIALECTS:
        msg = f"dialect {dialect!r} is none of {', '.join(DIALECTS)}"
        raise ValueError(msg)
    return Context(store, DIALECTS[dialect], span[0], *span, to_ms(lookback_s))


@contextmanager
def foreseen(store: SeriesStore, text: str, instants_s: Sequence[float], dialect: str = "3") -> Iterator[None]:
    """Inside, the query at each of these instants costs less; its values are the same.

    Only while the store stays as it is and the query is asked in the same dialect.
    """
    try:
        plan = _plan(text)
    except PromqlError:
        yield
        return
    contexts = [_context(store, (at_ms, at_ms, 0), dialect, 0.0) for at_ms in map(to_ms, instants_s)]
    with np.errstate(all="ignore"):
        store.foreseen = foresight(plan, contexts)
    try:
        yield
    finally:
        store.foreseen = {}


def query(
    store: SeriesStore, text: str, at_s: float, dialect: str = "3", lookback_s: float = 300.0
) -> float | list[tuple[Labels, float]]:
    """A scalar, or the samples of an instant vector in the order the server would send them.

    PromqlError when the text is not a query, cannot be evaluated on this data (duplicate matches), or yields a string
    or a range vector.
    """
    value = evaluate_at(store, text, at_s, dialect, lookback_s)
    with _evaluating(text):
        plain = _plain(value)
        return plain if isinstance(plain, float) else _samples(plain)


def _plain(value: Value) -> float | Vector:
    if isinstance(value, str | Ranges):
        msg = "the query yields a string or a range vector, not numbers at one instant"
        raise PromqlError(msg)
    return value


def _samples(vector: Vector) -> list[tuple[Labels, float]]:
    rows = vector.rows if vector.rows.nameless is None else unique(vector.rows.final())
    return [(dict(labels), value) for labels, value in zip(rows.labels, vector.numbers(), strict=True)]


def query_matrix(store: SeriesStore, text: str, at_s: float, dialect: str = "3", lookback_s: float = 300.0) -> Matrix:
    """The samples of a range vector (``up[5m]``), series in order of their labels; PromqlError when it is none."""
    value = evaluate_at(store, text, at_s, dialect, lookback_s)
    if not isinstance(value, Ranges):
        msg = "the query yields no range vector"
        raise PromqlError(msg, text)
    pairs = zip(value.rows.final().labels, value.times(), value.samples(), strict=True)
    found = [
        (dict(labels), list(zip([time / 1000.0 for time in times], numbers, strict=True)))
        for labels, times, numbers in pairs
    ]
    return sorted(found, key=lambda series: sorted(series[0].items()))


def query_range(  # noqa: PLR0913  # the server's own parameters
    store: SeriesStore,
    text: str,
    start_s: float,
    end_s: float,
    step_s: float,
    *,
    dialect: str = "3",
    lookback_s: float = 300.0,
) -> Matrix:
    """The query at start, start + step, ... up to end: series in order of their labels, a scalar as one without labels.

    PromqlError also for what the server refuses: a step that is not positive, an end before the start, more than
    11,000 steps, and queries that yield strings or range vectors.
    """
    start_ms, end_ms, step_ms = to_ms(start_s), to_ms(end_s), to_ms(step_s)
    _check_steps(start_ms, end_ms, step_ms)
    plan = _plan(text, Span(step_ms, end_ms - start_ms)) if depends_on_span(text) else _plan(text)
    context = _context(store, (start_ms, end_ms, step_ms), dialect, lookback_s)
    series: dict[tuple[tuple[str, str], ...], tuple[Labels, list[tuple[float, float]]]] = {}
    with _evaluating(text):
        for at_ms in range(start_ms, end_ms + 1, step_ms):
            value = _plain(evaluate(plan, context.moved_to(at_ms)))
            for labels, number in _samples(value) if isinstance(value, Vector) else [({}, value)]:
                key = tuple(sorted(labels.items()))
                series.setdefault(key, (labels, []))[1].append((at_ms / 1000.0, number))
    return [series[key] for key in sorted(series)]


def _check_steps(start_ms: int, end_ms: int, step_ms: int) -> None:
    if end_ms < start_ms:
        msg = 'invalid parameter "end": end timestamp must not be before start time'
        raise PromqlError(msg)
    if step_ms <= 0:
        msg = 'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer'
        raise PromqlError(msg)
    if (end_ms - start_ms) // step_ms > _MOST_POINTS:
        msg = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
        raise PromqlError(msg)


__all__ = [
    "DIALECTS",
    "Kind",
    "Matrix",
    "PromqlError",
    "PromqlSyntaxError",
    "check",
    "dialect_of",
    "evaluate_at",
    "foreseen",
    "kind_of",
    "query",
    "query_matrix",
    "query_range",
]
