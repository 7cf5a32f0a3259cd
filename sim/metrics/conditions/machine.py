"""Runs a checked expression."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sim.metrics.conditions.builtins import FUNCTIONS, total
from sim.metrics.conditions.operations import OPERATORS, boolean, fetched, is_number, type_name
from sim.metrics.conditions.syntax import (
    Binary,
    Builtin,
    Call,
    Chain,
    Constant,
    Let,
    ListOf,
    MapOf,
    Member,
    Name,
    Node,
    Pointer,
    Predicate,
    Sequence,
    Slice,
    Ternary,
    Unary,
)
from sim.metrics.conditions.tokens import ExprError


class _NilInChain(Exception):  # noqa: N818  # control flow: an optional access found nil
    pass


@dataclass(frozen=True, slots=True)
class Frame:
    """Names in force and, inside a predicate, the element, its index and the accumulator."""

    names: Mapping[str, Any]
    element: Any = None
    index: int = 0
    acc: Any = None


def run(node: Node, frame: Frame) -> Any:  # noqa: PLR0911  # one return per kind
    """The value of an expression; ExprError in the library's words when it fails."""
    match node:
        case Constant(value):
            return value
        case Name(name):
            return frame.names[name]
        case Pointer(name):
            return {"": frame.element, "index": frame.index, "acc": frame.acc}.get(name)
        case Unary(op, expr):
            return _unary(op, run(expr, frame))
        case Binary():
            return _binary(node, frame)
        case Ternary(condition, yes, no):
            return run(yes if boolean(run(condition, frame)) else no, frame)
        case Let(name, value, body):
            names = {**frame.names, name: run(value, frame)}
            return run(body, Frame(names, frame.element, frame.index, frame.acc))
    return _compound(node, frame)


def _compound(node: Node, frame: Frame) -> Any:  # noqa: PLR0911  # one return per kind
    match node:
        case Member():
            return _member(node, frame)
        case Slice():
            return _slice(node, frame)
        case Chain(expr):
            try:
                return run(expr, frame)
            except _NilInChain:
                return None
        case Call(callee, args):
            return _call(callee, args, frame)
        case Builtin():
            return _builtin(node, frame)
        case Sequence(parts):
            return [run(part, frame) for part in parts][-1]
    return _literal(node, frame)


def _literal(node: Node, frame: Frame) -> Any:
    match node:
        case ListOf(items):
            return [run(item, frame) for item in items]
        case MapOf(items):
            return {str(run(key, frame)): run(value, frame) for key, value in items}
        case Predicate(body):
            return run(body, frame)
    msg = f"{type(node).__name__} cannot be run"
    raise ExprError(msg)


def _call(callee: Node, args: tuple[Node, ...], frame: Frame) -> Any:
    function = run(callee, frame)
    if not callable(function):
        msg = f"{type_name(function)} is not callable"
        raise ExprError(msg)
    return function(*(_float_constant(arg, run(arg, frame), callee) for arg in args))


def _float_constant(node: Node, value: Any, callee: Node) -> Any:
    """Integer constants become floats where a function wants one, as the compiler rewrites them."""
    wants_float = isinstance(callee, Name) and callee.name in {"isNaN", "isInf"}
    return float(value) if wants_float and isinstance(value, int) and _is_constant(node) else value


def _is_constant(node: Node) -> bool:
    match node:
        case Constant():
            return True
        case Unary(_, expr):
            return _is_constant(expr)
        case Binary(_, left, right):
            return _is_constant(left) and _is_constant(right)
    return False


def _unary(op: str, value: Any) -> Any:
    if op in {"!", "not"}:
        return not boolean(value)
    if not is_number(value):
        msg = f"invalid operation: {op} {type_name(value)}"
        raise ExprError(msg)
    return -value if op == "-" else value


def _binary(node: Binary, frame: Frame) -> Any:
    left = run(node.left, frame)
    match node.op:
        case "&&":
            return boolean(left) and boolean(run(node.right, frame))
        case "||":
            return boolean(left) or boolean(run(node.right, frame))
        case "??":
            return run(node.right, frame) if left is None else left
    try:
        return OPERATORS[node.op](left, run(node.right, frame))
    except OverflowError:
        msg = f"value out of range in {node.op}"
        raise ExprError(msg) from None


def _member(node: Member, frame: Frame) -> Any:
    base = run(node.base, frame)
    if base is None and node.optional:
        raise _NilInChain
    return fetched(base, run(node.key, frame))


def _slice(node: Slice, frame: Frame) -> Any:
    base = run(node.base, frame)
    if not isinstance(base, list | str):
        msg = f"cannot slice {type_name(base)}"
        raise ExprError(msg)
    low = 0 if node.low is None else run(node.low, frame)
    high = len(base) if node.high is None else run(node.high, frame)
    if not (is_number(low) and is_number(high)):
        msg = f"invalid operation: int({type_name(low)})"
        raise ExprError(msg)
    return base[int(low) : int(high)]


def _builtin(node: Builtin, frame: Frame) -> Any:
    args = [run(arg, frame) for arg in node.args if not isinstance(arg, Predicate)]
    body = next((arg for arg in node.args if isinstance(arg, Predicate)), None)
    if body is None:
        function = FUNCTIONS.get(node.name) or frame.names.get(f"{node.name}()")
        if function is None:
            msg = f"function {node.name} is not modelled"
            raise ExprError(msg)
        return function(*args)
    if not isinstance(args[0], list):
        msg = f"invalid argument for {node.name} (type {type_name(args[0])})"
        raise ExprError(msg)
    if node.name == "reduce":
        return _reduced(args, body, frame)
    results = [run(body, Frame(frame.names, element, index)) for index, element in enumerate(args[0])]
    return COLLECTORS[node.name](args[0], results)


def _reduced(args: list[Any], body: Node, frame: Frame) -> Any:
    values = list(args[0])
    if len(args) == 1 and not values:
        msg = "reduce of empty array with no initial value"
        raise ExprError(msg)
    acc = args[1] if len(args) > 1 else values.pop(0)
    for index, element in enumerate(values):
        acc = run(body, Frame(frame.names, element, index, acc))
    return acc


def _matching(values: list[Any], flags: list[Any]) -> list[Any]:
    return [value for value, flag in zip(values, flags, strict=True) if boolean(flag)]


def _positions(flags: list[Any]) -> list[int]:
    return [index for index, flag in enumerate(flags) if boolean(flag)]


def _grouped(values: list[Any], keys: list[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for value, key in zip(values, keys, strict=True):
        groups.setdefault(str(key), []).append(value)
    return groups


def _sorted_by(values: list[Any], keys: list[Any]) -> list[Any]:
    try:
        return [values[index] for index in sorted(range(len(values)), key=lambda index: keys[index])]
    except TypeError:
        msg = "sortBy needs comparable keys"
        raise ExprError(msg) from None


COLLECTORS: Final[dict[str, Callable[[list[Any], list[Any]], Any]]] = {
    "all": lambda _, flags: all(map(boolean, flags)),
    "any": lambda _, flags: any(map(boolean, flags)),
    "none": lambda _, flags: not any(map(boolean, flags)),
    "one": lambda _, flags: len(_positions(flags)) == 1,
    "count": lambda _, flags: len(_positions(flags)),
    "filter": _matching,
    "map": lambda _, results: results,
    "find": lambda values, flags: next(iter(_matching(values, flags)), None),
    "findLast": lambda values, flags: next(reversed(_matching(values, flags)), None),
    "findIndex": lambda _, flags: next(iter(_positions(flags)), None),
    "findLastIndex": lambda _, flags: next(reversed(_positions(flags)), None),
    "sum": lambda _, results: total(results),
    "groupBy": _grouped,
    "sortBy": _sorted_by,
}
"""What a built-in makes of the elements and the predicate's results."""
