"""The compile-time half of a condition: types, checked before anything runs, with expr's messages.

This is where ``result[0]`` on a number and ``result >= 0.95`` on a vector fail, whatever the values are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sim.metrics import patterns
from sim.metrics.conditions import types
from sim.metrics.conditions.parser import COMPARISONS
from sim.metrics.conditions.signatures import returned
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
from sim.metrics.conditions.types import Type

LIST_ELEMENT: Final = frozenset({"find", "findLast"})
INTEGER: Final = frozenset({"count", "findIndex", "findLastIndex"})
BOOLEAN: Final = frozenset({"all", "none", "any", "one"})


@dataclass(frozen=True, slots=True)
class Scope:
    """Names in force and, inside a predicate, the type of the current element."""

    names: Mapping[str, Type]
    element: Type | None = None

    def bound(self, name: str, kind: Type) -> Scope:
        """The scope with one more name."""
        return Scope({**self.names, name: kind}, self.element)


def check(node: Node, scope: Scope) -> Type:  # noqa: PLR0911  # one return per kind
    """The type of an expression; ExprError with the checker's message when it has none."""
    match node:
        case Constant(value):
            return types.of_value(value)
        case Name(name):
            return _name(name, scope)
        case Pointer(name):
            return types.INT if name == "index" else scope.element or types.UNKNOWN
        case Unary(op, expr):
            return _unary(op, check(expr, scope))
        case Binary():
            return _binary(node, scope)
        case Ternary():
            return _ternary(node, scope)
        case Let(name, value, body):
            return _let(name, check(value, scope), body, scope)
    return _compound(node, scope)


def _compound(node: Node, scope: Scope) -> Type:  # noqa: PLR0911  # one return per kind
    match node:
        case Member(base, key):
            return _member(check(base, scope), key, check(key, scope))
        case Slice(base):
            return _slice(check(base, scope))
        case Chain(expr):
            check(expr, scope)
            return types.UNKNOWN
        case Call(callee, args):
            return _call(callee, args, scope)
        case Builtin():
            return _builtin(node, scope)
        case Predicate(body):
            return check(body, scope)
        case Sequence(parts):
            return [check(part, scope) for part in parts][-1]
    return _literal(node, scope)


def _literal(node: Node, scope: Scope) -> Type:
    if isinstance(node, ListOf):
        kinds = {check(item, scope) for item in node.items}
        return Type("list", "[]interface {}", kinds.pop()) if len(kinds) == 1 else types.ANYS
    if isinstance(node, MapOf):
        for key, value in node.items:
            check(key, scope)
            check(value, scope)
    return types.MAP


def _name(name: str, scope: Scope) -> Type:
    if name not in scope.names:
        msg = f"unknown name {name}"
        raise ExprError(msg)
    return scope.names[name]


def _let(name: str, kind: Type, body: Node, scope: Scope) -> Type:
    if name in scope.names:
        msg = f"cannot redeclare variable {name}"
        raise ExprError(msg)
    return check(body, scope.bound(name, kind))


def _unary(op: str, kind: Type) -> Type:
    logical = op in {"!", "not"}
    if kind is types.UNKNOWN or (kind.kind == "bool" if logical else kind.is_number):
        return types.BOOL if logical else kind
    msg = f"invalid operation: {op} (mismatched type {kind})"
    raise ExprError(msg)


def _ternary(node: Ternary, scope: Scope) -> Type:
    condition = check(node.condition, scope)
    if condition.kind not in {"bool", "unknown"} and node.condition is not node.yes:
        msg = f"non-bool expression (type {condition}) used as condition"
        raise ExprError(msg)
    yes, no = check(node.yes, scope), check(node.no, scope)
    if yes == no or no.kind == "nil":
        return yes
    return no if yes.kind == "nil" else types.UNKNOWN


def comparable(left: Type, right: Type) -> bool:
    """Whether ``==`` is defined between two types."""
    if "unknown" in {left.kind, right.kind} or "nil" in {left.kind, right.kind}:
        return True
    return left.kind == right.kind or (left.is_number and right.is_number)


def _all(*kinds: str) -> Callable[[Type, Type], bool]:
    return lambda left, right: {left.kind, right.kind} <= {*kinds, "unknown"}


_NUMBERS = _all("int", "float")
_TEXTS = _all("string")


def _ordered(left: Type, right: Type) -> bool:
    return any(_all(*kinds)(left, right) for kinds in (("int", "float"), ("string",), ("time",), ("duration",)))


def _combined(left: Type, right: Type) -> Type:
    if types.UNKNOWN in {left, right}:
        return types.UNKNOWN
    return types.FLOAT if "float" in {left.kind, right.kind} else types.INT


def _scaled(left: Type, right: Type) -> Type | None:
    return types.DURATION if _all("int", "float", "duration")(left, right) else None


def _sum(left: Type, right: Type) -> Type | None:
    if _NUMBERS(left, right):
        return _combined(left, right)
    if _TEXTS(left, right):
        return types.STRING
    if _all("duration")(left, right):
        return types.DURATION
    return types.TIME if {left.kind, right.kind} <= {"time", "duration", "unknown"} and left != right else None


def _difference(left: Type, right: Type) -> Type | None:
    if _NUMBERS(left, right):
        return _combined(left, right)
    if left.kind == right.kind and left.kind in {"time", "duration"}:
        return types.DURATION
    return types.TIME if left.kind == "time" and right.kind in {"duration", "unknown"} else None


def _coalesced(left: Type, right: Type) -> Type:
    if left.kind == "nil":
        return right
    if right.kind == "nil" or left == right:
        return left
    return types.UNKNOWN


_RULES: Final[Mapping[str, Callable[[Type, Type], Type | None]]] = {
    "&&": lambda left, right: types.BOOL if _all("bool")(left, right) else None,
    "||": lambda left, right: types.BOOL if _all("bool")(left, right) else None,
    "==": lambda left, right: types.BOOL if comparable(left, right) else None,
    "!=": lambda left, right: types.BOOL if comparable(left, right) else None,
    "+": _sum,
    "-": _difference,
    "*": lambda left, right: _combined(left, right) if _NUMBERS(left, right) else _scaled(left, right),
    "/": lambda left, right: types.FLOAT if _NUMBERS(left, right) else None,
    "**": lambda left, right: types.FLOAT if _NUMBERS(left, right) else None,
    "%": lambda left, right: types.INT if _all("int")(left, right) else None,
    "..": lambda left, right: Type("list", "[]int", types.INT) if _all("int")(left, right) else None,
    "??": _coalesced,
    **{
        op: lambda left, right: types.BOOL if _TEXTS(left, right) else None
        for op in ("matches", "contains", "startsWith", "endsWith")
    },
    **{op: lambda left, right: types.BOOL if _ordered(left, right) else None for op in COMPARISONS},
}
"""Result type of an operator by its sides' types, None where it is not defined."""


def _binary(node: Binary, scope: Scope) -> Type:
    left, right = check(node.left, scope), check(node.right, scope)
    if node.op == "matches" and isinstance(node.right, Constant) and isinstance(node.right.value, str):
        _check_pattern(node.right.value)
    kind = _contained(left, right) if node.op == "in" else _RULES[node.op](left, right)
    if kind is None:
        msg = f"invalid operation: {node.op} (mismatched types {left} and {right})"
        raise ExprError(msg)
    return kind


def _check_pattern(text: str) -> None:
    try:
        patterns.compiled(text)
    except ValueError as error:
        raise ExprError(str(error)) from None


def _contained(left: Type, right: Type) -> Type | None:
    match right.kind:
        case "list":
            element = right.elem or types.UNKNOWN
            if not comparable(left, element):
                msg = f"cannot use {left} as type {element} in array"
                raise ExprError(msg)
        case "map":
            if left.kind not in {"string", "unknown"}:
                msg = f"cannot use {left} as type string in map key"
                raise ExprError(msg)
        case "struct":
            return types.BOOL if left.kind in {"string", "unknown"} else None
        case "unknown":
            pass
        case _:
            return None
    return types.BOOL


def _member(base: Type, key: Node, kind: Type) -> Type:
    match base.kind:
        case "unknown":
            return types.UNKNOWN
        case "map":
            if kind.kind not in {"string", "unknown"}:
                msg = f"cannot use {kind} to get an element from {base}"
                raise ExprError(msg)
            return base.elem or types.UNKNOWN
        case "list":
            if kind.kind not in {"int", "unknown"}:
                msg = f"array elements can only be selected using an integer (got {kind})"
                raise ExprError(msg)
            return base.elem or types.UNKNOWN
        case "struct" if isinstance(key, Constant) and isinstance(key.value, str):
            return _struct_field(base, key.value)
    if isinstance(key, Constant) and isinstance(key.value, str):
        msg = f"type {'nil' if base is types.NIL else base} has no field {key.value}"
        raise ExprError(msg)
    msg = f"type {base}[{kind}] is undefined"
    raise ExprError(msg)


def _struct_field(base: Type, name: str) -> Type:
    for field, kind in base.fields:
        if field == name:
            return kind
    msg = f"type {base} has no field {name}"
    raise ExprError(msg)


def _slice(base: Type) -> Type:
    if base.kind not in {"unknown", "list", "string"}:
        msg = f"cannot slice {base}"
        raise ExprError(msg)
    return base


def _call(callee: Node, args: tuple[Node, ...], scope: Scope) -> Type:
    kind = check(callee, scope)
    given = [check(arg, scope) for arg in args]
    if kind is types.UNKNOWN:
        return types.UNKNOWN
    if kind.kind != "function":
        msg = f"{kind} is not callable"
        raise ExprError(msg)
    name = callee.name if isinstance(callee, Name) else "function"
    if len(given) != len(kind.params):
        msg = f"{'too many' if len(given) > len(kind.params) else 'not enough'} arguments to call {name}"
        raise ExprError(msg)
    for wanted, actual in zip(kind.params, given, strict=True):
        numbers = wanted.kind == "float" and actual.kind == "int"
        if types.UNKNOWN not in {wanted, actual} and wanted.kind != actual.kind and not numbers:
            given_name = "nil" if actual is types.NIL else actual
            msg = f"cannot use {given_name} as argument (type {wanted}) to call {name} "
            raise ExprError(msg)
    return kind.elem or types.UNKNOWN


def _builtin(node: Builtin, scope: Scope) -> Type:
    given = [check(arg, scope) for arg in node.args if not isinstance(arg, Predicate)]
    if not any(isinstance(arg, Predicate) for arg in node.args):
        return returned(node.name, given)
    collection = given[0]
    if collection.kind not in {"list", "unknown"}:
        msg = f"builtin {node.name} takes only array (got {collection})"
        raise ExprError(msg)
    element = collection.elem or types.UNKNOWN
    body = next(arg for arg in node.args if isinstance(arg, Predicate))
    predicate = check(body, Scope(scope.names, element))
    if node.name in BOOLEAN | LIST_ELEMENT | INTEGER | {"filter"} and predicate.kind not in {"bool", "unknown"}:
        msg = f"predicate should return boolean (got {predicate})"
        raise ExprError(msg)
    return _collected(node.name, collection, predicate)


def _collected(name: str, collection: Type, predicate: Type) -> Type:  # noqa: PLR0911  # one return per kind
    if name in BOOLEAN:
        return types.BOOL
    if name in INTEGER:
        return types.INT
    if name in LIST_ELEMENT:
        return collection.elem or types.UNKNOWN
    if name in {"filter", "sortBy"}:
        return Type("list", "[]interface {}", collection.elem)
    if name == "map":
        return Type("list", "[]interface {}", predicate)
    if name == "groupBy":
        return Type("map", "map[interface {}][]interface {}", types.ANYS)
    return predicate if name == "sum" else types.UNKNOWN
