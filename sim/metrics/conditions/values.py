"""Run-time values that Python has no type of its own for, and the Go type of every value.

Plain lists are ``[]interface {}``, plain dicts ``map[string]interface {}``, ints ``int``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sim.metrics import gotext
from sim.metrics.conditions import types
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.types import Type


class Int64(int):
    """Go's ``int64``, which is another type than ``int``."""


class Byte(int):
    """Go's ``uint8``: what indexing a string yields."""


class Typed(list[Any]):
    """A list that knows its Go type, such as ``[]float64``."""

    def __init__(self, items: Iterable[Any], go_type: Type) -> None:
        super().__init__(items)
        self.go_type = go_type


class NilList(Typed):
    """A slice that is nil: what a map of slices has for a key that is not in it."""


class Record(dict[str, Any]):
    """The fields of a ``types.MetricDataResult``."""


class Keyed(dict[tuple[str, Hashable], Any]):
    """A Go map with keys of any type: 1, 1.0 and true are different keys, so each carries its type's name."""

    def __init__(self, go_type: Type) -> None:
        super().__init__()
        self.go_type = go_type

    @staticmethod
    def slot(key: Any) -> tuple[str, Hashable]:
        """The key as it is kept; ExprError for one that Go cannot hash."""
        if isinstance(key, list | dict):
            msg = f"hash of unhashable type: {type_name(key)}"
            raise ExprError(msg)
        return type_name(key), key


@dataclass(frozen=True, slots=True)
class KeySet:
    """Constants that ``in`` looks up, all of one type: the compiler makes them of a list of integers or strings."""

    members: frozenset[Any]
    key: Type


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A ``time.Duration``."""

    ns: int

    def __str__(self) -> str:
        return gotext.duration(self.ns)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the environment, or a method bound to its value."""

    go_type: Type
    call: Callable[..., Any]


_PLAIN: Final[Mapping[type, Type]] = {
    bool: types.BOOL,
    int: types.INT,
    Int64: types.INT64,
    Byte: types.BYTE,
    float: types.FLOAT,
    str: types.STRING,
    bytes: types.BYTES,
    list: types.ANYS,
    dict: types.MAP,
    Record: types.METRIC_DATA,
    Duration: types.DURATION,
    ZoneInfo: types.LOCATION,
    type(None): types.NIL,
}


def type_of(value: Any) -> Type:
    """The type of a run-time value."""
    if isinstance(value, Typed | Keyed | Function):
        return value.go_type
    if isinstance(value, datetime):
        return types.TIME
    if isinstance(value, KeySet):
        return Type("map", f"map[{value.key}]struct {{}}", types.ANY, value.key)
    return _PLAIN.get(type(value), types.UNKNOWN)


def type_name(value: Any) -> str:
    """Go's ``%T`` of a value."""
    return "<nil>" if value is None else type_of(value).name


def panic_name(value: Any) -> str:
    """Type as Go's run-time panics name it: ``nil`` where ``%T`` says ``<nil>``."""
    return "nil" if value is None else type_name(value)


def is_nil(value: Any) -> bool:
    """Whether it is nil, of whatever type."""
    return value is None or isinstance(value, NilList)


def is_number(value: Any) -> bool:
    """Whether it is an integer or a float, and no boolean."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def not_a(wanted: str, value: Any) -> ExprError:
    """Go's words for a type assertion that fails."""
    return ExprError(f"interface conversion: interface {{}} is {panic_name(value)}, not {wanted}")


def boolean(value: Any) -> bool:
    """The value, which must be a boolean."""
    if not isinstance(value, bool):
        msg = "bool"
        raise not_a(msg, value)
    return value


def text(value: Any) -> str:
    """The value, which must be a string."""
    if not isinstance(value, str):
        msg = "string"
        raise not_a(msg, value)
    return value


def wrapped(value: int) -> int:
    """An integer cut to 64 bits as Go's arithmetic cuts it."""
    return (value + 2**63) % 2**64 - 2**63 if not -(2**63) <= value < 2**63 else value


def to_int(value: Any, name: str = "int") -> int:
    """Conversion of a number to ``int``; what does not fit becomes the smallest integer, as on amd64."""
    if not is_number(value):
        msg = f"invalid operation: {name}({type_name(value)})"
        raise ExprError(msg)
    if isinstance(value, float):
        return int(value) if -(2.0**63) <= value < 2.0**63 else -(2**63)
    return int(value)


def of_result(go_type: str, value: Any) -> Type:
    """The type a condition is compiled against: a nil pointer is nil, decoded JSON is what it holds."""
    if value is None:
        return types.NIL
    known = types.named(go_type)
    return type_of(value) if known.is_unknown or known.is_nil else known


def as_go(go_type: str, value: Any) -> Any:
    """The value as the evaluator holds it: typed lists, records, and JSON's numbers as floats."""
    kind = types.named(go_type)
    if isinstance(value, list) and kind.is_list and kind is not types.ANYS:
        return Typed([_element(kind.elem or types.ANY, item) for item in value], kind)
    if kind is types.INT64 and is_number(value):
        return Int64(value)
    if kind is types.FLOAT and isinstance(value, int | float | str) and not isinstance(value, bool):
        return float(value)
    return _json(value) if kind.is_unknown or kind in {types.ANYS, types.MAP} else value


def _element(kind: Type, value: Any) -> Any:
    if kind is types.METRIC_DATA:
        return _record(value)
    return as_go(kind.name, value)


def _record(value: Mapping[str, Any]) -> Record:
    empty: Any = {name: Typed([], kind) if kind.is_list else "" for name, kind in types.METRIC_DATA.fields}
    given = {name: as_go(kind.name, value[name]) for name, kind in types.METRIC_DATA.fields if value.get(name)}
    return Record(empty | given)


def _json(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int():
            return float(value)
        case list():
            return [_json(one) for one in value]
        case dict():
            return {key: _json(one) for key, one in value.items()}
    return value
