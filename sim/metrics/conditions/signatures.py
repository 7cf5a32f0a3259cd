"""Types of the built-ins without a predicate."""

from __future__ import annotations

from typing import Final

from sim.metrics.conditions import types
from sim.metrics.conditions.tokens import ExprError
from sim.metrics.conditions.types import Type

ARITY: Final = (
    {"max": (1, 99), "min": (1, 99), "mean": (1, 99), "median": (1, 99), "concat": (1, 99)}
    | dict.fromkeys(("trim", "split", "sort", "join"), (1, 2))
    | {"split": (2, 3), "replace": (3, 4), "indexOf": (2, 2), "lastIndexOf": (2, 2), "hasPrefix": (2, 2)}
    | {"hasSuffix": (2, 2), "get": (2, 2), "take": (2, 2), "repeat": (2, 2), "now": (0, 0), "date": (1, 3)}
    | {"trimPrefix": (1, 2), "trimSuffix": (1, 2)}
)
"""(least, most) arguments; one where nothing is listed."""

_STRING_FIRST: Final = frozenset(
    {"trim", "trimPrefix", "trimSuffix", "upper", "lower", "split", "replace", "repeat", "indexOf", "lastIndexOf"}
    | {"hasPrefix", "hasSuffix", "duration", "fromJSON", "date"}
)
_RETURNS: Final = (
    dict.fromkeys(("trim", "trimPrefix", "trimSuffix", "upper", "lower", "replace", "repeat", "join"), types.STRING)
    | dict.fromkeys(("string", "type", "toJSON"), types.STRING)
    | dict.fromkeys(("len", "int", "indexOf", "lastIndexOf"), types.INT)
    | dict.fromkeys(("hasPrefix", "hasSuffix"), types.BOOL)
    | {"float": types.FLOAT, "duration": types.DURATION, "date": types.TIME, "now": types.TIME}
    | {"split": Type("list", "[]string", types.STRING), "keys": types.ANYS, "values": types.ANYS}
)
_LISTS: Final = frozenset(
    {"first", "last", "take", "reverse", "uniq", "concat", "flatten", "sort", "sum", "count", "join"}
)
_NUMERIC: Final = frozenset({"abs", "ceil", "floor", "round"})
_REDUCERS: Final = frozenset({"max", "min", "mean", "median"})


def returned(name: str, given: list[Type]) -> Type:
    """The result type of a built-in for these argument types; ExprError when it does not take them."""
    low, high = ARITY.get(name, (1, 1))
    if not low <= len(given) <= high:
        few = len(given) < low
        msg = f"{'not enough' if few else 'too many'} arguments to call {name}"
        if low == high == 1:
            msg = f"invalid number of arguments (expected 1, got {len(given)})"
        raise ExprError(msg)
    if name in _REDUCERS:
        return _reduced(name, given)
    if given:
        _check_first(name, given[0])
    if name in _NUMERIC:
        return given[0] if name == "abs" else types.FLOAT
    if name == "sum":
        return given[0].elem or types.UNKNOWN
    return _RETURNS.get(name, types.UNKNOWN)


_WORDS: Final = {
    "get": "type {} does not support indexing",
    "first": "cannot get first element from {}",
    "last": "cannot get last element from {}",
    "take": "cannot take from {}",
    "reverse": "cannot reverse {}",
    "uniq": "cannot uniq {}",
    "keys": "cannot get keys from {}",
    "values": "cannot get values from {}",
    "sum": "builtin sum takes only array (got {})",
    "count": "builtin count takes only array (got {})",
}
"""How a built-in refuses its argument where it has its own words."""


def _check_first(name: str, first: Type) -> None:
    if first.kind == "unknown" or _fits(name, first):
        return
    if name in _WORDS:
        raise ExprError(_WORDS[name].format(first))
    raise ExprError(_invalid(name, first))


def _fits(name: str, first: Type) -> bool:
    if name in _NUMERIC:
        return first.is_number
    if name in {"int", "float"}:
        return first.is_number or first.kind == "string"
    if name in _LISTS:
        return first.kind == "list"
    kinds = {"len": {"list", "map", "string"}, "get": {"list", "map"}, "keys": {"map"}, "values": {"map"}}
    return first.kind in kinds.get(name, {first.kind}) and (name not in _STRING_FIRST or first.kind == "string")


def _invalid(name: str, kind: Type) -> str:
    shown = "%!s(<nil>)" if kind is types.NIL else kind
    return f"invalid argument for {name} (type {shown})"


def _reduced(name: str, given: list[Type]) -> Type:
    for kind in given:
        if kind.kind in {"list", "unknown"}:
            return types.UNKNOWN
        if not kind.is_number:
            raise ExprError(_invalid(name, kind))
    return given[0]
