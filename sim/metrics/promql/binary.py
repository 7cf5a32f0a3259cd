"""Binary operators between scalars and vectors."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Final

from sim.metrics.promql.nodes import Binary, Matching, PromqlError
from sim.metrics.promql.selectors import Vector
from sim.metrics.store import NAME, Labels

Value = float | Vector


def _divide(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _modulo(left: float, right: float) -> float:
    try:
        return math.fmod(left, right)
    except ValueError:
        return math.nan


def power(left: float, right: float) -> float:
    """``left ^ right`` as IEEE has it: NaN or infinities where Python would raise."""
    try:
        return math.pow(left, right)
    except OverflowError:
        odd = right == math.trunc(right) and math.fmod(right, 2) != 0
        return -math.inf if left < 0 and odd else math.inf
    except ValueError:
        if left != 0:
            return math.nan
        odd = right == math.trunc(right) and math.fmod(right, 2) != 0
        return math.copysign(math.inf, left) if odd else math.inf


ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _modulo,
    "^": power,
    "atan2": math.atan2,
}
COMPARISON: Final[dict[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
SETS: Final = frozenset({"and", "or", "unless"})


def binary(node: Binary, left: Value, right: Value) -> Value:
    """The operation's result, by the types of its sides."""
    if isinstance(left, list) and isinstance(right, list):
        return _set(node, left, right) if node.op in SETS else _vectors(node, left, right)
    if isinstance(left, list):
        return _scaled(node, left, lambda value: (value, _float(right)))
    if isinstance(right, list):
        return _scaled(node, right, lambda value: (_float(left), value))
    if node.op in ARITHMETIC:
        return ARITHMETIC[node.op](left, right)
    return float(COMPARISON[node.op](left, right))


def _float(value: Value) -> float:
    if isinstance(value, list):
        msg = "expected a scalar"
        raise PromqlError(msg)
    return value


def _scaled(node: Binary, vector: Vector, sides: Callable[[float], tuple[float, float]]) -> Vector:
    found = []
    for labels, value in vector:
        result = _apply(node, *sides(value), value)
        if result is not None:
            found.append((labels if _keeps_name(node) else bare(labels), result))
    return found


def _apply(node: Binary, left: float, right: float, kept: float) -> float | None:
    """The operation on two numbers; a comparison without ``bool`` gives ``kept``, or None for "filtered out"."""
    if node.op in ARITHMETIC:
        return ARITHMETIC[node.op](left, right)
    holds = COMPARISON[node.op](left, right)
    if node.returns_bool:
        return float(holds)
    return kept if holds else None


def _keeps_name(node: Binary) -> bool:
    return node.op in COMPARISON and not node.returns_bool


def bare(labels: Labels) -> Labels:
    """Labels without the metric name."""
    return {name: value for name, value in labels.items() if name != NAME} if NAME in labels else labels


def _signature(matching: Matching) -> Callable[[Labels], object]:
    if matching.on:
        return lambda labels: tuple(labels.get(name, "") for name in matching.labels)
    ignored = {NAME, *matching.labels}
    return lambda labels: frozenset(pair for pair in labels.items() if pair[0] not in ignored)


def _set(node: Binary, left: Vector, right: Vector) -> Vector:
    signature = _signature(node.matching)
    if node.op == "or":
        present = {signature(labels) for labels, _ in left}
        return [*left, *(sample for sample in right if signature(sample[0]) not in present)]
    present = {signature(labels) for labels, _ in right}
    wanted = node.op == "and"
    return [sample for sample in left if (signature(sample[0]) in present) is wanted]


def _vectors(node: Binary, left: Vector, right: Vector) -> Vector:
    matching = node.matching
    signature = _signature(matching)
    swapped = matching.many == "right"
    many, one = (right, left) if swapped else (left, right)
    if not many or not one:
        return []
    partners = _partners(one, signature, "left" if swapped else "right")
    found: Vector = []
    seen: dict[object, set[object]] = {}
    for labels, value in many:
        key = signature(labels)
        if key not in partners:
            continue
        other_labels, other = partners[key]
        sides = (other, value) if swapped else (value, other)
        result = _apply(node, *sides, sides[0])
        if result is None:
            continue
        result_labels = _result_labels(node, labels, other_labels)
        _check_unique(matching, seen.setdefault(key, set()), result_labels)
        found.append((result_labels, result))
    return found


def _partners(one: Vector, signature: Callable[[Labels], object], side: str) -> dict[object, tuple[Labels, float]]:
    partners: dict[object, tuple[Labels, float]] = {}
    for labels, value in one:
        key = signature(labels)
        if key in partners:
            msg = (
                f"found duplicate series for the match group on the {side} hand-side of the operation: "
                f"[{dict(labels)}, {dict(partners[key][0])}];many-to-many matching not allowed: "
                "matching labels must be unique on one side"
            )
            raise PromqlError(msg)
        partners[key] = (labels, value)
    return partners


def _check_unique(matching: Matching, seen: set[object], labels: Labels) -> None:
    if not matching.many:
        if seen:
            msg = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            raise PromqlError(msg)
        seen.add(None)
        return
    key = frozenset(labels.items())
    if key in seen:
        msg = "multiple matches for labels: grouping labels must ensure unique matches"
        raise PromqlError(msg)
    seen.add(key)


def _result_labels(node: Binary, labels: Labels, other: Labels) -> Labels:
    matching = node.matching
    kept = dict(labels) if _keeps_name(node) else dict(bare(labels))
    if not matching.many:
        if matching.on:
            return {name: value for name, value in kept.items() if name in matching.labels}
        return {name: value for name, value in kept.items() if name not in matching.labels}
    for name in matching.include:
        if other.get(name):
            kept[name] = other[name]
        else:
            kept.pop(name, None)
    return dict(sorted(kept.items()))
