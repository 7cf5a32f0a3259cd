"""Operators at run time, on Go-like values; failures carry the library's words."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sim.metrics import patterns
from sim.metrics.conditions import types
from sim.metrics.conditions.tokens import ExprError


def type_name(value: Any) -> str:
    """Go's ``%T`` of a value."""
    return "<nil>" if value is None else types.of_value(value).name


def is_number(value: Any) -> bool:
    """Whether it is an integer or a float, and no boolean."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def boolean(value: Any) -> bool:
    """The value, which must be a boolean."""
    if not isinstance(value, bool):
        msg = f"interface conversion: interface {{}} is {go_name(value)}, not bool"
        raise ExprError(msg)
    return value


def go_name(value: Any) -> str:
    """Type as Go's run-time panics name it: ``nil`` where ``%T`` says ``<nil>``."""
    return "nil" if value is None else type_name(value)


def equal(left: Any, right: Any) -> bool:
    """``==``: numbers by value whatever their type, lists and maps by their elements, different types never."""
    if is_number(left) and is_number(right):
        return bool(left == right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return type(left) is type(right) and bool(left == right)


def _undefined(left: Any, op: str, right: Any) -> ExprError:
    return ExprError(f"invalid operation: {type_name(left)} {op} {type_name(right)}")


def _same_order(left: Any, right: Any) -> bool:
    if is_number(left) and is_number(right):
        return True
    return any(isinstance(left, kind) and isinstance(right, kind) for kind in (str, datetime, timedelta))


def ordered(op: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A comparison that is defined between numbers, strings, times and durations."""

    def call(left: Any, right: Any) -> bool:
        if not _same_order(left, right):
            raise _undefined(left, op, right)
        return bool(compare(left, right))

    return call


def _plus(left: Any, right: Any) -> Any:
    pairs = ((str, str), (datetime, timedelta), (timedelta, datetime), (timedelta, timedelta))
    fits = any(isinstance(left, one) and isinstance(right, other) for one, other in pairs)
    if fits or (is_number(left) and is_number(right)):
        return left + right
    raise _undefined(left, "+", right)


def _minus(left: Any, right: Any) -> Any:
    pairs = ((datetime, datetime), (datetime, timedelta), (timedelta, timedelta))
    fits = any(isinstance(left, one) and isinstance(right, other) for one, other in pairs)
    if fits or (is_number(left) and is_number(right)):
        return left - right
    raise _undefined(left, "-", right)


def _times(left: Any, right: Any) -> Any:
    if is_number(left) and is_number(right):
        return left * right
    if (isinstance(left, timedelta) and is_number(right)) or (is_number(left) and isinstance(right, timedelta)):
        return left * right
    raise _undefined(left, "*", right)


def _divided(left: Any, right: Any) -> float:
    if not (is_number(left) and is_number(right)):
        raise _undefined(left, "/", right)
    if right != 0:
        return float(left) / float(right)
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _modulo(left: Any, right: Any) -> int:
    if not (isinstance(left, int) and isinstance(right, int)):
        raise _undefined(left, "%", right)
    if right == 0:
        msg = "integer divide by zero"
        raise ExprError(msg)
    return int(math.fmod(left, right))


def _raised(left: Any, right: Any) -> float:
    if not (is_number(left) and is_number(right)):
        raise _undefined(left, "**", right)
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.inf if left == 0 else math.nan


def _range(left: Any, right: Any) -> list[int]:
    if not (is_number(left) and is_number(right)):
        wrong = right if is_number(left) else left
        msg = f"invalid operation: int({type_name(wrong)})"
        raise ExprError(msg)
    left, right = int(left), int(right)
    if right - left > 1_000_000:
        msg = "memory budget exceeded"
        raise ExprError(msg)
    return list(range(left, right + 1))


def _contained(left: Any, right: Any) -> bool:
    if isinstance(right, list):
        return any(equal(left, one) for one in right)
    if isinstance(right, dict):
        return isinstance(left, str) and left in right
    if right is None:
        return False
    msg = f'operator "in" not defined on {type_name(right)}'
    raise ExprError(msg)


def _textual(op: str, test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def call(left: Any, right: Any) -> bool:
        if not (isinstance(left, str) and isinstance(right, str)):
            kinds = "string", next(type_name(one) for one in (left, right) if not isinstance(one, str))
            msg = f"interface conversion: interface {{}} is {kinds[1]}, not {kinds[0]} ({op})"
            raise ExprError(msg)
        return test(left, right)

    return call


def _matches(text: str, pattern: str) -> bool:
    try:
        return patterns.compiled(pattern).search(text) is not None
    except ValueError as error:
        raise ExprError(str(error)) from None


OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": ordered("<", operator.lt),
    ">": ordered(">", operator.gt),
    "<=": ordered("<=", operator.le),
    ">=": ordered(">=", operator.ge),
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _divided,
    "%": _modulo,
    "**": _raised,
    "..": _range,
    "in": _contained,
    "matches": _textual("matches", _matches),
    "contains": _textual("contains", lambda text, part: part in text),
    "startsWith": _textual("startsWith", str.startswith),
    "endsWith": _textual("endsWith", str.endswith),
}


def fetched(base: Any, key: Any) -> Any:
    """``base[key]``: nil for a missing map key; negative indices count from the end."""
    match base:
        case list() | str():
            return base[_index(key, len(base))]
        case dict() if isinstance(key, str):
            return base.get(key)
    shown = key if isinstance(key, str) else str(key)
    msg = f"cannot fetch {shown} from {type_name(base)}"
    raise ExprError(msg)


def _index(key: Any, length: int) -> int:
    if not is_number(key):
        msg = f"invalid operation: int({type_name(key)})"
        raise ExprError(msg)
    index = int(key)
    place = index + length if index < 0 else index
    if not 0 <= place < length:
        msg = f"index out of range: {place} (array length is {length})"
        raise ExprError(msg)
    return place
