"""Indexing, slicing and methods at run time (vm/runtime/runtime.go of expr)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sim.metrics import gotext
from sim.metrics.conditions import golayout
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.operations import as_key, moved, since
from sim.metrics.conditions.values import (
    Byte,
    Duration,
    Function,
    Int64,
    Keyed,
    NilList,
    Record,
    Typed,
    not_a,
    text,
    to_int,
    type_name,
    type_of,
)
from sim.model.controller import Expr

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_METHODS: Final[Mapping[str, Callable[..., Any]]] = {
    "Hours": lambda duration: duration.ns / 3.6e12,
    "Minutes": lambda duration: duration.ns / 6e10,
    "Seconds": lambda duration: duration.ns / 1e9,
    "Milliseconds": lambda duration: Int64(int(duration.ns / 1e6)),
    "Microseconds": lambda duration: Int64(int(duration.ns / 1e3)),
    "Nanoseconds": lambda duration: Int64(duration.ns),
    "String": gotext.general,
    "Day": lambda time: time.day,
    "Hour": lambda time: time.hour,
    "Minute": lambda time: time.minute,
    "Nanosecond": lambda time: time.microsecond * 1000,
    "Second": lambda time: time.second,
    "Year": lambda time: time.year,
    "YearDay": lambda time: time.timetuple().tm_yday,
    "Unix": lambda time: Int64(since(time, _EPOCH).ns // 1_000_000_000),
    "UnixMilli": lambda time: Int64(since(time, _EPOCH).ns // 1_000_000),
    "UnixMicro": lambda time: Int64(since(time, _EPOCH).ns // 1_000),
    "UnixNano": lambda time: Int64(since(time, _EPOCH).ns),
    "After": lambda time, other: time > _time(other),
    "Before": lambda time, other: time < _time(other),
    "Equal": lambda time, other: time == _time(other),
    "Add": moved,
    "Format": lambda time, layout: golayout.shown(time, text(layout)),
    "IsZero": lambda time: time == datetime(1, 1, 1, tzinfo=UTC),
    "Sub": lambda time, other: since(time, _time(other)),
    "UTC": lambda time: time.astimezone(UTC),
}


def _time(value: Any) -> datetime:
    if not isinstance(value, datetime):
        msg = "time.Time"
        raise not_a(msg, value)
    return value


def fetched(base: Any, key: Any, expr: Expr) -> Any:  # noqa: PLR0911  # one return per kind
    """``base[key]``: nil for a missing map key; negative indices count from the end."""
    if isinstance(base, datetime | Duration) and isinstance(key, str):
        method = _method(base, key)
        if method is not None:
            return method
    match base:
        case list():
            return base[_index(key, len(base), type_of(base).kind, expr)]
        case str():
            data = base.encode()
            return Byte(data[_index(key, len(data), "string", expr)])
        case bytes():
            return Byte(base[_index(key, len(base), "slice", expr)])
        case Keyed():
            missing = NilList([], base.go_type.elem) if base.go_type.elem and base.go_type.elem.is_list else None
            return base.get(Keyed.slot(key), missing)
        case Record():
            return _field(base, key)
        case dict():
            return base.get(as_key(key, "string"))
    msg = f"cannot fetch {gotext.general(key)} from {type_name(base)}"
    raise ExprError(msg)


def _method(base: Any, name: str) -> Function | None:
    for method, kind in type_of(base).methods:
        if method == name:
            return Function(kind, lambda *args: _METHODS[name](base, *args))
    return None


def _field(base: Record, key: Any) -> Any:
    if not isinstance(key, str):
        msg = "string"
        raise not_a(msg, key)
    if key not in base:
        msg = f"cannot fetch {key} from {type_name(base)}"
        raise ExprError(msg)
    return base[key]


def _index(key: Any, length: int, kind: str, expr: Expr) -> int:
    index = to_int(key)
    place = index + length if index < 0 else index
    if not 0 <= place < length:
        if expr is Expr.V1_17:
            msg = f"index out of range: {place} (array length is {length})"
        else:
            msg = f"reflect: {kind} index out of range"
        raise ExprError(msg)
    return place


def sliced(base: Any, low: Any, high: Any) -> Any:
    """``base[low:high]``, cut to what there is."""
    if not isinstance(base, list | str | bytes):
        msg = f"cannot slice {gotext.general(low)}"
        raise ExprError(msg)
    data = base.encode() if isinstance(base, str) else base
    start, end = (_bound(one, len(data)) for one in (low, high))
    part = data[min(start, end) : end]
    if isinstance(part, bytes):
        return part.decode("utf-8", "replace") if isinstance(base, str) else part
    return Typed(part, type_of(base)) if isinstance(base, Typed) else part


def _bound(value: Any, length: int) -> int:
    bound = to_int(value)
    return min(max(bound + length if bound < 0 else bound, 0), length)


def length(value: Any, expr: Expr) -> int:
    """``len``: of text in characters since 1.17, in bytes before."""
    if isinstance(value, str):
        return len(value) if expr is Expr.V1_17 else len(value.encode())
    if not isinstance(value, list | dict | bytes):
        msg = f"invalid argument for len (type {type_name(value)})"
        raise ExprError(msg)
    return len(value)


def slice_end(value: Any) -> int:
    """Where a slice without an end ends."""
    return len(value.encode()) if isinstance(value, str) else length(value, Expr.V1_17)
