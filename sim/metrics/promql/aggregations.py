"""Aggregation operators over instant vectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from sim.metrics import gotext
from sim.metrics.columns import Integers
from sim.metrics.promql.nodes import Aggregate, PromqlError
from sim.metrics.promql.ranking import pushed, ranked
from sim.metrics.promql.sampling import sampled
from sim.metrics.promql.statistics import extreme, mean, quantile, total, variance
from sim.metrics.promql.values import EMPTY, Context, Vector
from sim.metrics.rows import NAME, Labels, Rows

SIMPLE: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "sum": total,
    "avg": mean,
    "count": lambda values: float(len(values)),
    "min": lambda values: extreme(values, min),
    "max": lambda values: extreme(values, max),
    "stddev": lambda values: math.sqrt(variance(values)),
    "stdvar": variance,
    "group": lambda _: 1.0,
}
"""Operators that are a function of a group's values."""

_SPREADS: Final = frozenset({"stddev", "stdvar"})
_CHOOSING: Final = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
"""Operators whose answer is some of the samples themselves."""

OPERATORS: Final = frozenset(SIMPLE) | _CHOOSING | {"quantile", "count_values"}


@dataclass(frozen=True, slots=True)
class _Groups:
    """Rows in groups, in order of first appearance: one after the other in ``order``, between ``edges``."""

    rows: Rows
    order: Integers
    edges: list[int]

    def indices(self) -> list[list[int]]:
        """Positions by group."""
        order = self.order.tolist()
        return [order[low:high] for low, high in pairwise(self.edges)]

    def members(self, vector: Vector) -> list[list[float]]:
        """Values by group."""
        values = vector.values[self.order].tolist()
        return [values[low:high] for low, high in pairwise(self.edges)]


def aggregate(node: Aggregate, param: float | str, vector: Vector, context: Context) -> Vector:
    """The aggregation's result; groups in order of first appearance."""
    if node.op == "count_values":
        return _count_values(node, str(param), vector, context)
    if node.op in _CHOOSING:
        _check_param(node.op, float(param))
    if not vector.rows:
        return Vector(EMPTY, vector.values)
    groups = vector.rows.once(("groups", node.labels, node.without), lambda: _grouped(node, vector.rows))
    if node.op in _CHOOSING:
        return _chosen(node.op, float(param), vector, groups, context)
    combine = _combination(node.op, param, context)
    return Vector(groups.rows, np.array([combine(values) for values in groups.members(vector)], dtype=np.float64))


def _combination(op: str, param: float | str, context: Context) -> Callable[[list[float]], float]:
    if op == "quantile":
        return lambda values: quantile(float(param), values)
    combine = SIMPLE[op]
    if op in _SPREADS and context.dialect.lone_spread:
        return lambda values: combine(values) if len(values) > 1 else 0.0
    return combine


def _grouped(node: Aggregate, rows: Rows) -> _Groups:
    key_of = _key(node)
    members: dict[object, list[int]] = {}
    for index, labels in enumerate(rows.labels):
        members.setdefault(key_of(labels), []).append(index)
    kept = [_kept(node, rows.labels[group[0]]) for group in members.values()]
    nameless = [any(map(rows.loses_name, group)) for group in members.values()]
    edges = [0]
    for group in members.values():
        edges.append(edges[-1] + len(group))
    return _Groups(Rows(kept, nameless), np.array([index for group in members.values() for index in group]), edges)


def _key(node: Aggregate) -> Callable[[Labels], object]:
    if node.without:
        dropped = {NAME, *node.labels}
        return lambda labels: frozenset(pair for pair in labels.items() if pair[0] not in dropped)
    return lambda labels: tuple(labels.get(name, "") for name in node.labels)


def _kept(node: Aggregate, labels: Labels) -> Labels:
    if node.without:
        return {name: value for name, value in labels.items() if name not in node.labels and name != NAME}
    return {name: labels[name] for name in sorted(set(node.labels)) if name in labels}


def _check_param(op: str, param: float) -> None:
    """PromqlError when an operator that chooses samples cannot choose by this number, even of none."""
    if math.isnan(param):
        msg = "Ratio value is NaN" if op == "limit_ratio" else "Parameter value is NaN"
        raise PromqlError(msg)
    if op != "limit_ratio" and param >= 2**63:
        msg = f"Scalar value {gotext.general(param)} overflows int64"
        raise PromqlError(msg)


def _chosen(op: str, param: float, vector: Vector, groups: _Groups, context: Context) -> Vector:
    choose = _choice(op, param, vector.rows, pops=context.dialect.pops_heap)
    pairs = zip(groups.indices(), groups.members(vector), strict=True)
    found = [members[at] for members, values in pairs for at in choose(members, values)]
    indices = np.array(found, dtype=np.int64)
    return Vector(vector.rows.take(indices), vector.values[indices])


def _choice(op: str, param: float, rows: Rows, *, pops: bool) -> Callable[[list[int], list[float]], list[int]]:
    """Of a group's members and values, the positions that are chosen, in the server's order."""
    if op == "limit_ratio":
        return lambda members, values: pushed(
            values, [at for at, member in enumerate(members) if sampled(rows, member, param)]
        )
    wanted = math.trunc(max(0.0, min(param, len(rows))))
    if op == "limitk":
        return lambda _, values: pushed(values, range(min(wanted, len(values))))
    return lambda _, values: ranked(values, wanted, largest=op == "topk", pops=pops) if wanted else []


def _count_values(node: Aggregate, label: str, vector: Vector, context: Context) -> Vector:
    """Groups by the value too, as if it were one more label."""
    if not label or (context.dialect.closed and not (label.isascii() and label.isidentifier())):
        msg = f'invalid label name "{label}"'
        raise PromqlError(msg)
    valued = Aggregate("count", node.expr, None, node.labels if node.without else (*node.labels, label), node.without)
    texts = [gotext.number(value) for value in vector.numbers()]
    pairs = zip(vector.rows.labels, texts, strict=True)
    named = Rows([dict(sorted({**labels, label: text}.items())) for labels, text in pairs])
    counted = aggregate(valued, math.nan, Vector(named, vector.values), context)
    return Vector(Rows(counted.rows.labels), counted.values)
