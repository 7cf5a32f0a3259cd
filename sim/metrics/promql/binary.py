"""Binary operators between scalars and vectors."""

from __future__ import annotations

import numpy as np

from sim.metrics.columns import Floats, Integers
from sim.metrics.promql.matching import paired, present
from sim.metrics.promql.nodes import Binary, PromqlError
from sim.metrics.promql.operators import ARITHMETIC, COMPARISON, SETS, scalar
from sim.metrics.promql.values import EMPTY, Context, Vector, unique
from sim.metrics.rows import Rows, joined


def binary(node: Binary, left: float | Vector, right: float | Vector, context: Context) -> float | Vector:
    """The operation's result, by the types of its sides."""
    if isinstance(left, Vector) and isinstance(right, Vector):
        return _set(node, left, right) if node.op in SETS else _vectors(node, left, right, context)
    if node.op in SETS:
        msg = f"set operator {node.op} needs vectors on both sides"
        raise PromqlError(msg)
    if isinstance(left, Vector):
        return _scaled(node, left, (left.values, np.array(_number(right))), context)
    if isinstance(right, Vector):
        return _scaled(node, right, (np.array(left), right.values), context)
    return scalar(node.op, left, right)


def _number(value: float | Vector) -> float:
    if isinstance(value, Vector):
        raise TypeError
    return value


def _scaled(node: Binary, vector: Vector, sides: tuple[Floats, Floats], context: Context) -> Vector:
    if node.op in ARITHMETIC:
        return vector.mapped(ARITHMETIC[node.op](*sides), context)
    holds = COMPARISON[node.op](*sides)
    if node.returns_bool:
        return vector.mapped(holds.astype(np.float64), context)
    return vector.where(holds)


def _set(node: Binary, left: Vector, right: Vector) -> Vector:
    if node.op == "or":
        new = ~present(right.rows, left.rows, node.matching)
        key = ("or", right.rows, node.matching.on, node.matching.labels)
        rows = left.rows.once(key, lambda: _union(left.rows, right.rows, np.flatnonzero(new)))
        return Vector(rows, np.concatenate([left.values, right.values[new]]))
    found = present(left.rows, right.rows, node.matching)
    return left.where(found if node.op == "and" else ~found)


def _union(left: Rows, right: Rows, new: Integers) -> Rows:
    if not len(new):
        return left
    return joined([(left, range(len(left))), (right, new.tolist())])


def _vectors(node: Binary, left: Vector, right: Vector, context: Context) -> Vector:
    matching = node.matching
    fills = matching.fill_left is not None or matching.fill_right is not None
    if not (len(left.rows) and len(right.rows)) and not (fills and (len(left.rows) or len(right.rows))):
        return Vector(EMPTY, np.zeros(0))
    pairing = paired(node, left.rows, right.rows)
    swapped = matching.many == "right"
    ours, theirs = (matching.fill_right, matching.fill_left) if swapped else (matching.fill_left, matching.fill_right)
    sides = _filled(left.values, pairing.left, ours), _filled(right.values, pairing.right, theirs)
    rows = pairing.rows
    if node.op in ARITHMETIC:
        pairing.check()
        return Vector(rows, ARITHMETIC[node.op](*sides))
    holds = COMPARISON[node.op](*sides)
    if node.returns_bool:
        pairing.check()
        return Vector(rows if context.dialect.delays_names else unique(rows.final()), holds.astype(np.float64))
    pairing.check(holds if context.dialect.filters_first else None)
    return Vector(rows, sides[0]).where(holds)


def _filled(values: Floats, positions: Integers, fill: float | None) -> Floats:
    """The values at these positions; the fill value at -1."""
    if fill is None:
        return values[positions]
    return np.append(values, fill)[positions]
