"""expr's built-in functions without a predicate."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sim.metrics import gotext
from sim.metrics.conditions import golayout
from sim.metrics.conditions.operations import boolean, equal, is_number, type_name
from sim.metrics.conditions.tokens import ExprError
from sim.model.units import go_duration_s


def _refused(value: Any, name: str) -> ExprError:
    return ExprError(f"invalid argument for {name} (type {type_name(value)})")


def _len(value: Any) -> int:
    if not isinstance(value, list | str | dict):
        raise _refused(value, "len")
    return len(value)


def _number(name: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def call(value: Any) -> Any:
        if not is_number(value):
            raise _refused(value, name)
        return function(value)

    return call


def _whole(function: Callable[[float], int]) -> Callable[[Any], float]:
    return lambda value: float(function(value)) if math.isfinite(value) else float(value)


def _round(value: float) -> int:
    return math.floor(abs(value) + 0.5) * (-1 if value < 0 else 1)


def _int(value: Any) -> int:
    try:
        if is_number(value) or isinstance(value, str):
            return int(value)
    except (ValueError, OverflowError):
        msg = f"invalid operation: int({value})"
        raise ExprError(msg) from None
    raise _refused(value, "int")


def _float(value: Any) -> float:
    try:
        if is_number(value) or isinstance(value, str):
            return float(value)
    except ValueError:
        msg = f"invalid operation: float({value})"
        raise ExprError(msg) from None
    raise _refused(value, "float")


def _flat(values: Iterable[Any]) -> list[Any]:
    return [leaf for value in values for leaf in (_flat(value) if isinstance(value, list) else [value])]


def _numbers(name: str, values: Iterable[Any]) -> list[float]:
    flat = _flat(values)
    for value in flat:
        if not is_number(value):
            raise _refused(value, name)
    return flat


def _extreme(name: str, better: Callable[[float, float], bool]) -> Callable[..., Any]:
    """Max or min as the library loops: the first value stays until a better one comes, so NaN's place matters."""

    def call(*args: Any) -> Any:
        best: Any = None
        for value in _numbers(name, args):
            if best is None or better(value, best):
                best = value
        return best

    return call


def total(values: Iterable[Any]) -> Any:
    """Sum of a list of numbers; 0 for none."""
    result: Any = 0
    for value in values:
        if not is_number(value):
            msg = f"invalid operation: {type_name(result)} + {type_name(value)}"
            raise ExprError(msg)
        result = result + value
    return result


def _mean(*args: Any) -> Any:
    values = _numbers("mean", args)
    return total(values) / len(values) if values else 0.0


def _median(*args: Any) -> Any:
    values = _numbers("median", args)
    return float(statistics.median(values)) if values else 0.0


def _text(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(first: Any, *rest: Any) -> Any:
        if not isinstance(first, str):
            raise _refused(first, name)
        try:
            return function(first, *rest)
        except (TypeError, ValueError):
            raise _refused(rest[0] if rest else first, name) from None

    return call


def _list(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(first: Any, *rest: Any) -> Any:
        if not isinstance(first, list):
            raise _refused(first, name)
        return function(first, *rest)

    return call


def _get(base: Any, key: Any) -> Any:
    if isinstance(base, dict):
        return base.get(key) if isinstance(key, str) else None
    if isinstance(base, list) and is_number(key):
        return base[int(key)] if -len(base) <= key < len(base) else None
    return None


def _uniq(values: list[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if not any(equal(value, one) for one in found):
            found.append(value)
    return found


def _sort(values: list[Any], order: str = "asc") -> list[Any]:
    try:
        return sorted(values, reverse=order == "desc")
    except TypeError:
        raise _refused(values, "sort") from None


def _duration(text: str) -> timedelta:
    try:
        return timedelta(seconds=go_duration_s(text))
    except (ValueError, OverflowError):
        msg = f"time: invalid duration {json.dumps(text)}"
        raise ExprError(msg) from None


def _date(text: str, layout: str = "", zone: str = "UTC") -> datetime:
    try:
        place = UTC if zone in {"UTC", ""} else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"unknown time zone {zone}"
        raise ExprError(msg) from None
    layouts = [layout] if layout else golayout.COMMON
    for one in layouts:
        found = golayout.parse(text, one)
        if found is not None:
            return found if found.tzinfo else found.replace(tzinfo=place)
    msg = f"invalid date {text}" if not layout else f'parsing time "{text}" as "{layout}": cannot parse'
    raise ExprError(msg)


def _from_json(text: str) -> Any:
    try:
        return json.loads(text, parse_int=float)
    except (ValueError, RecursionError) as error:
        msg = f"invalid JSON: {error}"
        raise ExprError(msg) from None


def _type(value: Any) -> str:
    match value:
        case None:
            return "nil"
        case list():
            return "array"
        case dict():
            return "map"
    return {"float64": "float", "time.Time": "time", "time.Duration": "duration"}.get(
        type_name(value), type_name(value)
    )


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "len": _len,
    "type": _type,
    "abs": _number("abs", abs),
    "ceil": _number("ceil", _whole(math.ceil)),
    "floor": _number("floor", _whole(math.floor)),
    "round": _number("round", _whole(_round)),
    "int": _int,
    "float": _float,
    "string": gotext.general,
    "trim": _text("trim", lambda text, cut=None: text.strip(cut)),
    "trimPrefix": _text("trimPrefix", lambda text, cut=" ": text.removeprefix(cut)),
    "trimSuffix": _text("trimSuffix", lambda text, cut=" ": text.removesuffix(cut)),
    "upper": _text("upper", str.upper),
    "lower": _text("lower", str.lower),
    "split": _text("split", lambda text, by, count=-1: text.split(by, count - 1 if count > 0 else -1)),
    "replace": _text("replace", lambda text, old, new, count=-1: text.replace(old, new, count)),
    "repeat": _text("repeat", lambda text, count: text * min(count, 10_000)),
    "indexOf": _text("indexOf", str.find),
    "lastIndexOf": _text("lastIndexOf", str.rfind),
    "hasPrefix": _text("hasPrefix", str.startswith),
    "hasSuffix": _text("hasSuffix", str.endswith),
    "join": _list("join", lambda values, by="": by.join(map(str, values))),
    "max": _extreme("max", lambda value, best: value > best),
    "min": _extreme("min", lambda value, best: value < best),
    "mean": _mean,
    "median": _median,
    "sum": _list("sum", total),
    "count": _list("count", lambda values: sum(boolean(value) for value in values)),
    "first": _list("first", lambda values: values[0] if values else None),
    "last": _list("last", lambda values: values[-1] if values else None),
    "get": _get,
    "take": _list("take", lambda values, count: values[:count]),
    "keys": lambda value: list(value) if isinstance(value, dict) else _raise("keys", value),
    "values": lambda value: list(value.values()) if isinstance(value, dict) else _raise("values", value),
    "reverse": _list("reverse", lambda values: values[::-1]),
    "uniq": _list("uniq", _uniq),
    "concat": _list("concat", lambda *lists: [one for values in lists for one in values]),
    "flatten": _list("flatten", _flat),
    "sort": _list("sort", _sort),
    "duration": _text("duration", _duration),
    "date": _text("date", _date),
    "toJSON": gotext.document,
    "fromJSON": _text("fromJSON", _from_json),
}


def _raise(name: str, value: Any) -> Any:
    raise _refused(value, name)
