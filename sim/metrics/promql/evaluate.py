"""Walks the tree at one instant."""

from __future__ import annotations

import math

from sim.metrics.promql import nodes
from sim.metrics.promql.aggregations import OPERATORS, aggregate
from sim.metrics.promql.binary import ARITHMETIC, COMPARISON, SETS, bare, binary
from sim.metrics.promql.functions import KNOWN, OVER_RANGES, OVER_VALUES, over_ranges
from sim.metrics.promql.nodes import Node, PromqlError
from sim.metrics.promql.relabel import unique
from sim.metrics.promql.selectors import (
    DEFAULT_STEP_MS,
    Context,
    Ranges,
    Vector,
    cut,
    instant_vector,
    latest,
    ranges,
)
from sim.metrics.store import Series

Value = float | str | Vector | Ranges


def evaluate(node: Node, context: Context) -> Value:  # noqa: PLR0911  # one return per kind
    """The value of a (type-checked) tree: scalar, string, instant vector or windows of range vectors."""
    match node:
        case nodes.Number(value) | nodes.Text(value):
            return value
        case nodes.Selector():
            return instant_vector(node, context)
        case nodes.Matrix():
            return ranges(node, context)
        case nodes.Subquery():
            return _subquery(node, context)
        case nodes.Negate(expr):
            return _negated(evaluate(expr, context))
        case nodes.Aggregate():
            return _aggregate(node, context)
        case nodes.Binary():
            left, right = number_or_vector(evaluate(node.lhs, context)), number_or_vector(evaluate(node.rhs, context))
            return binary(node, left, right)
        case nodes.Call():
            return _call(node, context)


def number_or_vector(value: Value) -> float | Vector:
    """The value if it is a scalar or an instant vector, else PromqlError."""
    if isinstance(value, str | Ranges):
        msg = "expected a scalar or an instant vector"
        raise PromqlError(msg)
    return value


def _negated(value: Value) -> Value:
    plain = number_or_vector(value)
    if isinstance(plain, list):
        return [(bare(labels), -number) for labels, number in plain]
    return -plain


def _aggregate(node: nodes.Aggregate, context: Context) -> Vector:
    vector = number_or_vector(evaluate(node.expr, context))
    param = evaluate(node.param, context) if node.param is not None else math.nan
    if not isinstance(vector, list) or not isinstance(param, float | str):
        msg = f"{node.op} aggregates an instant vector"
        raise PromqlError(msg)
    return aggregate(node, param, vector)


def _subquery(node: nodes.Subquery, context: Context) -> Ranges:
    """Windows over the inner expression evaluated at absolute multiples of the step."""
    until_ms = context.instant(node.when)
    step_ms = node.step_ms or DEFAULT_STEP_MS
    after_ms = context.left_edge(until_ms, node.range_ms)
    first_ms = (after_ms // step_ms + 1) * step_ms
    found: dict[frozenset[tuple[str, str]], Series] = {}
    for at_ms in range(first_ms, until_ms + 1, step_ms):
        value = number_or_vector(evaluate(node.expr, context.moved_to(at_ms)))
        for labels, number in value if isinstance(value, list) else [({}, value)]:
            key = frozenset(labels.items())
            series = found.get(key)
            if series is None:
                series = found[key] = Series(dict(labels))
            series.append(at_ms, number)
    return cut(list(found.values()), until_ms, node.range_ms, context, distinct=False)


def _call(node: nodes.Call, context: Context) -> Value:
    if node.name == "timestamp" and isinstance(node.args[0], nodes.Selector):
        return [(series.bare, series.times[index] / 1000.0) for series, index in latest(node.args[0], context)]
    if node.name in {"absent", "absent_over_time"}:
        return _absent(node, context)
    args = [evaluate(arg, context) for arg in node.args]
    if node.name in OVER_RANGES:
        return over_ranges(node.name, args, context)
    return OVER_VALUES[node.name](args, context)


def _absent(node: nodes.Call, context: Context) -> Vector:
    value = evaluate(node.args[0], context)
    if value.windows if isinstance(value, Ranges) else value:
        return []
    target = node.args[0].selector if isinstance(node.args[0], nodes.Matrix) else node.args[0]
    matchers = target.matchers if isinstance(target, nodes.Selector) else ()
    names = [one.name for one in matchers]
    labels = {
        one.name: one.value
        for one in matchers
        if one.op == "=" and names.count(one.name) == 1 and one.name != "__name__" and one.value
    }
    return [(dict(sorted(labels.items())), 1.0)]


def refusal(node: Node) -> str | None:
    """Why a tree cannot be evaluated here (a function or operator that is not modelled), or None."""
    match node:
        case nodes.Call(name, args):
            own = None if name in KNOWN else f"function {name} is not modelled"
            return own or _first(args)
        case nodes.Aggregate(op, expr, param):
            own = None if op in OPERATORS else f"aggregation {op} is not modelled"
            return own or refusal(expr) or (refusal(param) if param is not None else None)
        case nodes.Binary(op, lhs, rhs):
            known = op in ARITHMETIC or op in COMPARISON or op in SETS
            return None if known and not _first((lhs, rhs)) else _first((lhs, rhs)) or f"operator {op} is not modelled"
        case nodes.Negate(expr) | nodes.Subquery(expr):
            return refusal(expr)
    return None


def _first(parts: tuple[Node, ...]) -> str | None:
    return next((reason for part in parts if (reason := refusal(part))), None)


__all__ = ["Value", "evaluate", "number_or_vector", "refusal", "unique"]
