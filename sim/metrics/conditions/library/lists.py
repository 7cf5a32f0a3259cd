"""Built-ins on lists and maps (builtin/builtin.go of expr)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cmp_to_key
from itertools import pairwise
from typing import Any, Final

from sim.metrics import gotext
from sim.metrics.conditions import types
from sim.metrics.conditions.access import fetched, length
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.library.numbers import kind
from sim.metrics.conditions.operations import as_key, equal, less
from sim.metrics.conditions.values import (
    Duration,
    Keyed,
    Record,
    Typed,
    not_a,
    to_int,
    type_name,
    type_of,
)
from sim.model.controller import Expr

_INSERTED: Final = 12
"""Lists up to this length Go sorts by insertion, which shows where NaN has no place."""
_PACKAGES: Final = {
    "types.MetricDataResult": "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types.MetricDataResult",
    "time.Time": "time.Time",
    "time.Duration": "time.Duration",
}
_KINDS: Final = {
    "bool": "bool", "int": "int", "int64": "int", "uint8": "uint", "float64": "float", "string": "string",
    "slice": "array", "array": "array", "map": "map", "func": "func", "struct": "struct",
}  # fmt: skip


def _type(value: Any) -> str:
    if value is None:
        return "nil"
    return _PACKAGES.get(type_name(value)) or _KINDS.get(kind(value), "unknown")


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        msg = f"cannot {name} {kind(value)}"
        raise ExprError(msg)
    return value


def _map(words: str, value: Any) -> list[tuple[Any, Any]]:
    if not isinstance(value, dict) or isinstance(value, Record):
        raise ExprError(words.format(kind(value)))
    return [(key[1] if isinstance(value, Keyed) else key, held) for key, held in value.items()]


def _end(index: int) -> Callable[[Any], Any]:
    def call(value: Any) -> Any:
        try:
            return fetched(value, index, Expr.V1_17)
        except ExprError:
            return None

    return call


def _get(base: Any, key: Any) -> Any:
    if isinstance(base, list | str):
        index, size = to_int(key), len(base.encode() if isinstance(base, str) else base)
        return fetched(base, index, Expr.V1_17) if -size <= index < size else None
    if isinstance(base, Record):
        if not isinstance(key, str):
            msg = "string"
            raise not_a(msg, key)
        return base.get(key)
    if isinstance(base, Keyed):
        return base.get(Keyed.slot(key))
    if isinstance(base, dict):
        return base.get(as_key(key, "string"))
    return fetched(base, key, Expr.V1_17) if isinstance(key, str) and _has_method(base, key) else None


def _has_method(base: Any, name: str) -> bool:
    return any(method == name for method, _ in type_of(base).methods)


def _get_1_15(base: Any, key: Any) -> Any:
    try:
        return fetched(base, key, Expr.V1_15_5)
    except ExprError:
        return None


def _take(values: Any, count: Any) -> Any:
    if not isinstance(values, list):
        msg = f"cannot take from {kind(values)}"
        raise ExprError(msg)
    if kind(count) not in types.INTEGER_KINDS:
        msg = f"cannot take {kind(count)} elements"
        raise ExprError(msg)
    most = count.ns if isinstance(count, Duration) else int(count)
    if most < 0:
        msg = "reflect.Value.Slice: slice index out of bounds"
        raise ExprError(msg)
    return Typed(values[:most], values.go_type) if isinstance(values, Typed) else values[:most]


def _to_pairs(value: Any) -> Typed:
    pairs = _map("cannot transform {} to pairs", value)
    return Typed([Typed(pair, types.PAIR) for pair in pairs], types.PAIRS)


def _from_pairs(value: Any) -> Keyed:
    if not isinstance(value, list):
        shown = "<invalid reflect.Value>" if value is None else gotext.general(value)
        msg = f"cannot transform {shown} from pairs"
        raise ExprError(msg)
    found = Keyed(types.ANY_MAP)
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:
            msg = f"invalid pair {'length ' if isinstance(pair, list) else ''}{gotext.general(pair)}"
            raise ExprError(msg)
        found[Keyed.slot(pair[0])] = pair[1]
    return found


def _uniq(value: Any) -> list[Any]:
    found: list[Any] = []
    for one in _list("uniq", value):
        if not any(equal(one, kept) for kept in found):
            found.append(one)
    return found


def _flat(values: list[Any]) -> list[Any]:
    return [leaf for value in values for leaf in (_flat(value) if isinstance(value, list) else [value])]


def ordered(items: list[Any], keys: list[Any], *, descending: bool) -> list[Any]:
    """Items in the order of their keys, compared as the language compares; ExprError where it does not."""

    def before(one: int, other: int) -> bool:
        return less(keys[other], keys[one]) if descending else less(keys[one], keys[other])

    places = list(range(len(items)))
    if len(places) <= _INSERTED:
        for end in range(1, len(places)):
            place = end
            while place > 0 and before(places[place], places[place - 1]):
                places[place - 1], places[place] = places[place], places[place - 1]
                place -= 1
    else:

        def compared(one: int, other: int) -> int:
            return before(other, one) - before(one, other)

        places.sort(key=cmp_to_key(compared))
    return [items[place] for place in places]


def _sort(values: Any, order: Any = "asc") -> list[Any]:
    if not isinstance(order, str):
        msg = f"sort order argument must be a string (got {type_name(order)})"
        raise ExprError(msg)
    if order not in {"asc", "desc"}:
        msg = f"invalid order {order}, expected asc or desc"
        raise ExprError(msg)
    known = isinstance(values, list) and type_of(values) in {types.ANYS, types.INTS, types.FLOATS, types.STRINGS}
    return ordered(list(values), list(values), descending=order == "desc") if known else []


def _sort_1_15(values: Any, order: Any = "asc") -> list[Any]:
    return _sorted_1_15(_list("sort", values), [_key(one, "") for one in values], order)


def _sort_by_1_15(values: Any, name: Any, order: Any = "asc") -> list[Any]:
    _list("sort", values)
    if not isinstance(name, str):
        raise _not_text(name)
    return _sorted_1_15(values, [_key(one, name) for one in values], order)


def _key(value: Any, name: str) -> Any:
    """What an element is sorted by: its field, where it has fields."""
    if isinstance(value, dict) and name not in value:
        msg = "cannot deref <invalid reflect.Value>"
        raise ExprError(msg)
    return value[name] if isinstance(value, dict) else value


def _not_text(value: Any) -> ExprError:
    shown = "%!s(<nil>)" if value is None else type_name(value)
    return ExprError(f"invalid argument for sort (expected string, got {shown})")


def _sorted_1_15(values: list[Any], keys: list[Any], order: Any) -> list[Any]:
    if not isinstance(order, str):
        raise _not_text(order)
    if order not in {"asc", "desc"}:
        msg = f'invalid argument for sort (expected "asc" or "desc", got "{order}")'
        raise ExprError(msg)
    for before, key in pairwise(keys):
        if type_name(before) != type_name(key):
            msg = f"cannot sort array of different types ({type_name(key)} and {type_name(keys[0])})"
            raise ExprError(msg)
    if len(keys) > 1 and kind(keys[0]) not in {*types.INTEGER_KINDS, "float64", "string"}:
        msg = f"sort: unsupported type {kind(keys[0])}"
        raise ExprError(msg)
    return ordered(list(values), keys, descending=order == "desc")


_SHARED: Final[Mapping[str, Callable[..., Any]]] = {
    "type": _type,
    "first": _end(0),
    "last": _end(-1),
    "take": _take,
    "keys": lambda value: [key for key, _ in _map("cannot get keys from {}", value)],
    "values": lambda value: [held for _, held in _map("cannot get values from {}", value)],
    "toPairs": _to_pairs,
    "fromPairs": _from_pairs,
}
FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    **_SHARED,
    "len": lambda value: length(value, Expr.V1_17),
    "get": _get,
    "reverse": lambda value: _list("reverse", value)[::-1],
    "uniq": _uniq,
    "concat": lambda *lists: [one for value in lists for one in _list("concat", value)],
    "flatten": lambda value: _flat(_list("flatten", value)),
    "sort": _sort,
}
FUNCTIONS_1_15: Final[Mapping[str, Callable[..., Any]]] = {
    **_SHARED,
    "len": lambda value: length(value, Expr.V1_15_5),
    "get": _get_1_15,
    "sort": _sort_1_15,
    "sortBy": _sort_by_1_15,
}


def _without_floats(sort: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def call(values: Any, *more: Any) -> list[Any]:
        found = sort(values, *more)
        if len(found) > 1 and isinstance(found[0], float):
            msg = "sort: unsupported type float64"
            raise ExprError(msg)
        return found

    return call


FUNCTIONS_1_15_3: Final[Mapping[str, Callable[..., Any]]] = {
    **FUNCTIONS_1_15,
    "sort": _without_floats(_sort_1_15),
    "sortBy": _without_floats(_sort_by_1_15),
}
