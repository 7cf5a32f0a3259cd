"""Operators at run time, on Go-like values; failures carry the library's words (vm/runtime of expr)."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sim import patterns
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.values import (
    Byte,
    Duration,
    Keyed,
    KeySet,
    Record,
    Typed,
    is_nil,
    is_number,
    not_a,
    text,
    to_int,
    type_name,
    type_of,
    wrapped,
)
from sim.model.controller import Expr

_MAX_RANGE: Final = 1_000_000


def equal(left: Any, right: Any, expr: Expr = Expr.V1_17) -> bool:
    """``==``: numbers by value whatever their type; since 1.17 a plain list element by element, too."""
    if is_number(left) and is_number(right):
        return _same_number(left, right)
    if is_nil(left) and is_nil(right):
        return True
    if isinstance(left, list) and isinstance(right, list) and expr is Expr.V1_17:
        if not (isinstance(left, Typed) and isinstance(right, Typed)):
            return _same_items(left, right, lambda one, other: equal(one, other, expr))
        return type_name(left) == type_name(right) and _same_items(left, right, _identical)
    return _identical(left, right)


def _same_number(left: Any, right: Any) -> bool:
    if isinstance(left, float) or isinstance(right, float):
        return float(left) == float(right)
    return bool(left == right)


def _same_items(left: list[Any], right: list[Any], same: Callable[[Any, Any], bool]) -> bool:
    return len(left) == len(right) and all(map(same, left, right))


def _identical(left: Any, right: Any) -> bool:
    """``reflect.DeepEqual``: the same types all the way down."""
    if type_name(left) != type_name(right):
        return False
    if isinstance(left, list):
        return left is right or _same_items(left, right, _identical)
    if isinstance(left, dict):
        same = left.keys() == right.keys()
        return left is right or (same and all(_identical(left[key], right[key]) for key in left))
    return bool(left == right)


def _undefined(left: Any, op: str, right: Any) -> ExprError:
    return ExprError(f"invalid operation: {type_name(left)} {op} {type_name(right)}")


def ordered(op: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A comparison that is defined between numbers, strings, times and durations."""

    def call(left: Any, right: Any) -> bool:
        if is_number(left) and is_number(right):
            if isinstance(left, float) or isinstance(right, float):
                return compare(float(left), float(right))
            return compare(left, right)
        if not any(isinstance(left, kind) and isinstance(right, kind) for kind in (str, datetime, Duration)):
            raise _undefined(left, op, right)
        if isinstance(left, str):
            return compare(left.encode(), right.encode())
        return compare(left, right)

    return call


less: Final = ordered("<", operator.lt)
more: Final = ordered(">", operator.gt)


def _arithmetic(op: str, compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def call(left: Any, right: Any) -> Any:
        if is_number(left) and is_number(right):
            if isinstance(left, float) or isinstance(right, float):
                return compute(float(left), float(right))
            return wrapped(int(compute(int(left), int(right))))
        found = _TIMED[op](left, right)
        if found is None:
            raise _undefined(left, op, right)
        return found

    return call


def _sum(left: Any, right: Any) -> Any:
    match left, right:
        case str(), str():
            return left + right
        case (datetime(), Duration()) | (Duration(), datetime()):
            time, duration = (left, right) if isinstance(left, datetime) else (right, left)
            return _moved(time, duration.ns)
        case Duration(), Duration():
            return Duration(wrapped(left.ns + right.ns))
    return None


def _difference(left: Any, right: Any) -> Any:
    match left, right:
        case datetime(), datetime():
            return since(left, right)
        case datetime(), Duration():
            return _moved(left, -right.ns)
        case Duration(), Duration():
            return Duration(wrapped(left.ns - right.ns))
    return None


def _product(left: Any, right: Any) -> Any:
    if not any(isinstance(one, Duration) for one in (left, right)):
        return None
    left, right = (one.ns if isinstance(one, Duration) else one for one in (left, right))
    if not (is_number(left) and is_number(right)):
        return None
    if isinstance(left, float) or isinstance(right, float):
        return float(left) * float(right)
    return Duration(wrapped(left * right))


def since(later: datetime, earlier: datetime) -> Duration:
    """Time between two instants."""
    return Duration((later - earlier) // timedelta(microseconds=1) * 1000)


def _moved(time: datetime, nanoseconds: int) -> datetime:
    try:
        return time + timedelta(microseconds=nanoseconds / 1000)
    except OverflowError:
        msg = "the twin knows no year beyond 9999"
        raise ExprError(msg) from None


def moved(time: datetime, duration: Any) -> datetime:
    """``time.Add``."""
    if not isinstance(duration, Duration):
        msg = "time.Duration"
        raise not_a(msg, duration)
    return _moved(time, duration.ns)


_TIMED: Final[Mapping[str, Callable[[Any, Any], Any]]] = {"+": _sum, "-": _difference, "*": _product}


def divided(left: Any, right: Any) -> float:
    """``/``, which always yields a float; by zero it is infinite or NaN."""
    if not (is_number(left) and is_number(right)):
        raise _undefined(left, "/", right)
    above, below = float(left), float(right)
    if below != 0:
        return above / below
    if above == 0 or math.isnan(above):
        return math.nan
    return math.copysign(math.inf, above) * math.copysign(1.0, below)


def _modulo(left: Any, right: Any) -> int:
    if not all(is_number(one) and isinstance(one, int) for one in (left, right)):
        raise _undefined(left, "%", right)
    if right == 0:
        msg = "runtime error: integer divide by zero"
        raise ExprError(msg)
    return remainder(int(left), int(right))


def remainder(left: int, right: int) -> int:
    """Go's ``%``: the sign is the dividend's."""
    found = abs(left) % abs(right)
    return -found if left < 0 else found


def _power(left: Any, right: Any) -> float:
    for one in (left, right):
        if not is_number(one):
            msg = f"invalid operation: float({type_name(one)})"
            raise ExprError(msg)
    return raised(float(left), float(right))


def raised(left: float, right: float) -> float:
    """``math.Pow`` of Go."""
    try:
        return math.pow(left, right)
    except OverflowError:
        return -math.inf if left < 0 and right % 2 == 1 else math.inf
    except ValueError:
        if left != 0:
            return math.nan
        return math.copysign(math.inf, left) if right % 2 == 1 else math.inf


def _range(left: Any, right: Any) -> tuple[int, int]:
    return to_int(left), to_int(right)


def range_of(left: Any, right: Any) -> range:
    """The integers of ``a..b``; ExprError where they are more than the library's memory budget."""
    low, high = _range(left, right)
    if high - low + 1 >= _MAX_RANGE:
        msg = "memory budget exceeded"
        raise ExprError(msg)
    return range(low, high + 1)


def contained(needle: Any, haystack: Any, expr: Expr) -> bool:
    """``in``."""
    if haystack is None:
        return False
    if isinstance(haystack, list):
        return any(equal(one, needle, expr) for one in haystack)
    if isinstance(haystack, Record | datetime):
        if not isinstance(needle, str):
            msg = f"cannot use {type_name(needle)} as field name of {type_name(haystack)}"
            raise ExprError(msg)
        return isinstance(haystack, Record) and needle in haystack
    if isinstance(haystack, dict | KeySet):
        return _has_key(needle, haystack)
    msg = f'operator "in" not defined on {type_name(haystack)}'
    raise ExprError(msg)


def _has_key(needle: Any, haystack: dict[Any, Any] | KeySet) -> bool:
    if isinstance(haystack, Keyed):
        return Keyed.slot(needle) in haystack
    wanted = haystack.key.name if isinstance(haystack, KeySet) else "string"
    key = as_key(needle, wanted)
    return key in (haystack.members if isinstance(haystack, KeySet) else haystack)


def as_key(key: Any, wanted: str) -> Any:
    """A key for a map of keys of one type; nil stands for that type's zero."""
    if key is None:
        return "" if wanted == "string" else 0
    if type_name(key) != wanted:
        msg = f"reflect.Value.MapIndex: value of type {type_name(key)} is not assignable to type {wanted}"
        raise ExprError(msg)
    return key


def _textual(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: test(text(left), text(right))


def matches(subject: Any, pattern: Any) -> bool:
    """``matches`` with a pattern that is not known before it runs."""
    pattern = text(pattern)
    found = matcher(pattern)
    return found(subject)


def matcher(pattern: str) -> Callable[[Any], bool]:
    """The test of a pattern; ExprError in Go's words when it is none."""
    try:
        found = patterns.compiled(pattern)
    except ValueError as error:
        raise ExprError(str(error)) from None

    def test(subject: Any) -> bool:
        if isinstance(subject, bytes):
            subject = subject.decode("utf-8", "replace")
        if not isinstance(subject, str):
            msg = "[]uint8"
            raise not_a(msg, subject)
        return found.search(subject) is not None

    return test


OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "<": less,
    ">": more,
    "<=": ordered("<=", operator.le),
    ">=": ordered(">=", operator.ge),
    "+": _arithmetic("+", operator.add),
    "-": _arithmetic("-", operator.sub),
    "*": _arithmetic("*", operator.mul),
    "/": divided,
    "%": _modulo,
    "**": _power,
    "^": _power,
    "matches": matches,
    "contains": _textual(lambda whole, part: part in whole),
    "startsWith": _textual(str.startswith),
    "endsWith": _textual(str.endswith),
}
TEXTUAL: Final = frozenset({"matches", "contains", "startsWith", "endsWith"})
"""Operators that are false where a side is nil (1.17)."""
add: Final = OPERATORS["+"]


def negated(value: Any) -> Any:
    """``-``."""
    if not is_number(value):
        msg = f"invalid operation: - {type_name(value)}"
        raise ExprError(msg)
    return -value if isinstance(value, float) else type(value)(wrapped(-value))


class _Unindexed(Sequence[Any]):
    """A map as a predicate walks it: it has a length, but no element that could be asked for."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        msg = "reflect: call of reflect.Value.Index on map Value"
        raise ExprError(msg)


def elements(value: Any) -> Sequence[Any]:
    """What a predicate walks; ExprError in the words of Go's reflection where it has no length."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and not isinstance(value, Record):
        return _Unindexed(len(value))
    if isinstance(value, str):
        return [Byte(one) for one in value.encode()]
    kind = "zero" if value is None else type_of(value).kind
    msg = f"reflect: call of reflect.Value.Len on {kind} Value"
    raise ExprError(msg)
