"""Walks the tree at one instant."""

from __future__ import annotations

import math

import numpy as np

from sim.metrics.columns import Columns, Integers
from sim.metrics.promql import nodes
from sim.metrics.promql.aggregations import aggregate
from sim.metrics.promql.binary import binary
from sim.metrics.promql.extended import over_extended, smoothed_vector
from sim.metrics.promql.functions import FUNCTIONS
from sim.metrics.promql.information import enriched
from sim.metrics.promql.nodes import DEFAULT_STEP_MS, Node, PromqlError
from sim.metrics.promql.selectors import cut, instant_vector, latest, ranges
from sim.metrics.promql.values import EMPTY, NAMELESS, Context, Ranges, Value, Vector
from sim.metrics.rows import Key, Rows, joined
from sim.metrics.store import Selection


def evaluate(node: Node, context: Context) -> Value:  # noqa: PLR0911  # one return per kind
    """The value of a (type-checked) tree: scalar, string, instant vector or windows of range vectors."""
    match node:
        case nodes.Number(value) | nodes.Text(value):
            return value
        case nodes.Selector(mode="smoothed"):
            return smoothed_vector(node, context)
        case nodes.Selector():
            return instant_vector(node, context)
        case nodes.Matrix():
            return ranges(node, context)
        case nodes.Subquery():
            return _subquery(node, context)
        case nodes.Negate(expr):
            return _negated(evaluate(expr, context), context)
        case nodes.Aggregate():
            return _aggregate(node, context)
        case nodes.Binary():
            left, right = number_or_vector(evaluate(node.lhs, context)), number_or_vector(evaluate(node.rhs, context))
            return binary(node, left, right, context)
        case nodes.Call():
            return _call(node, context)


def number_or_vector(value: Value) -> float | Vector:
    """The value if it is a scalar or an instant vector, else PromqlError."""
    if isinstance(value, str | Ranges):
        msg = "expected a scalar or an instant vector"
        raise PromqlError(msg)
    return value


def _negated(value: Value, context: Context) -> Value:
    plain = number_or_vector(value)
    return plain.mapped(-plain.values, context) if isinstance(plain, Vector) else -plain


def _aggregate(node: nodes.Aggregate, context: Context) -> Vector:
    vector = evaluate(node.expr, context)
    param = evaluate(node.param, context) if node.param is not None else math.nan
    if not isinstance(vector, Vector) or not isinstance(param, float | str):
        msg = f"{node.op} aggregates an instant vector"
        raise PromqlError(msg)
    return aggregate(node, param, vector, context)


def _subquery(node: nodes.Subquery, context: Context) -> Ranges:
    """Windows over the inner expression evaluated at absolute multiples of the step."""
    until_ms = context.instant(node.when)
    step_ms = node.step_ms or DEFAULT_STEP_MS
    first_ms = (context.left_edge(until_ms, node.range_ms) // step_ms + 1) * step_ms
    answers = [
        (at_ms, number_or_vector(evaluate(node.expr, context.moved_to(at_ms))))
        for at_ms in range(first_ms, until_ms + 1, step_ms)
    ]
    return cut(*_recorded(answers), context, until_ms, node.range_ms)


def _recorded(answers: list[tuple[int, float | Vector]]) -> tuple[Selection, Columns]:
    """Answers at rising instants as series in columns of their own."""
    known: dict[Key, int] = {}
    born: list[tuple[Rows, list[int]]] = []
    columns, last, series = Columns(), EMPTY, np.zeros(0, dtype=np.int64)
    times: list[Integers] = []
    parts: list[Integers] = []
    values = []
    for at_ms, answer in answers:
        vector = answer if isinstance(answer, Vector) else Vector(NAMELESS, np.array([answer]))
        if vector.rows is not last:
            last = vector.rows
            new = [index for index, key in enumerate(last.keys) if key not in known]
            series = np.array([known.setdefault(key, len(known)) for key in last.keys], dtype=np.int64)
            born.append((last, new))
        parts.append(series)
        times.append(np.full(len(series), at_ms))
        values.append(vector.values)
    columns.grow(len(known))
    if parts:
        columns.add(np.concatenate(parts), np.concatenate(times), np.concatenate(values))
    return Selection(np.arange(len(known)), joined(born)), columns


def _call(node: nodes.Call, context: Context) -> Value:
    known: Vector | None = context.store.foreseen.get((id(node), context.at_ms))
    if known is not None:
        return known
    if node.name == "timestamp" and isinstance(node.args[0], nodes.Selector):
        rows, positions = latest(node.args[0], context)
        return Vector(context.dropped(rows), context.store.samples.times[positions] / 1000.0)
    if node.name in {"absent", "absent_over_time"}:
        return _absent(node, context)
    if node.name == "info":
        return _info(node, context)
    extended = next((arg for arg in node.args if isinstance(arg, nodes.Matrix) and arg.selector.mode), None)
    if extended is not None:
        return over_extended(node.name, extended, context)
    return FUNCTIONS[node.name]([evaluate(arg, context) for arg in node.args], context)


def _info(node: nodes.Call, context: Context) -> Vector:
    vector = evaluate(node.args[0], context)
    asked = node.args[1] if len(node.args) > 1 else None
    if not isinstance(vector, Vector) or not isinstance(asked, nodes.Selector | None):
        msg = "info takes an instant vector and a label selector"
        raise PromqlError(msg)
    return enriched(vector, node.args[0], asked, context)


def _absent(node: nodes.Call, context: Context) -> Vector:
    value = evaluate(node.args[0], context)
    if not isinstance(value, Vector | Ranges) or len(value.rows):
        return Vector(EMPTY, np.zeros(0))
    target = node.args[0].selector if isinstance(node.args[0], nodes.Matrix) else node.args[0]
    matchers = target.matchers if isinstance(target, nodes.Selector) else ()
    names = [one.name for one in matchers]
    labels = {
        one.name: one.value
        for one in matchers
        if one.op == "=" and names.count(one.name) == 1 and one.name != "__name__" and one.value
    }
    return Vector(Rows([dict(sorted(labels.items()))]), np.ones(1))
