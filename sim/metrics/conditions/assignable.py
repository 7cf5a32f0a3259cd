"""Go's assignability, and the constants the checker turns into floats."""

from __future__ import annotations

from sim.metrics.conditions import types
from sim.metrics.conditions.syntax import Binary, Constant, Node, Unary
from sim.metrics.conditions.types import Type

_NILABLE = frozenset({"ptr", "interface", "func", "map", "slice"})


def assignable(given: Type, wanted: Type) -> bool:
    """Whether a value of one type may be assigned to the other: the same type, or an interface."""
    if given.is_nil:
        return wanted.kind in _NILABLE
    if "invalid" in {given.kind, wanted.kind} or wanted.is_nil:
        return False
    return given.name == wanted.name or wanted.kind == "interface"


def wants_float(node: Node) -> None:
    """Turn the integer constants of an argument into floats, through signs and sums, as the checker does."""
    if isinstance(node, Constant):
        if type(node.value) is int:
            node.value, node.type = float(node.value), types.FLOAT
        return
    match node:
        case Unary(_, expr):
            wants_float(expr)
        case Binary("+" | "-" | "*", left, right):
            wants_float(left)
            wants_float(right)
