"""Built-ins on numbers (builtin/lib.go of expr)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sim.metrics import gotext
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.operations import less, more
from sim.metrics.conditions.values import Duration, is_number, to_int, type_name, type_of, wrapped


def refused(name: str, value: Any) -> ExprError:
    """The library's refusal of an argument whose type was not known before."""
    return ExprError(f"invalid argument for {name} (type {type_name(value)})")


def kind(value: Any) -> str:
    """``reflect.Kind`` of a value."""
    return "invalid" if value is None else type_of(value).kind


def _absolute(value: Any) -> Any:
    if not is_number(value):
        msg = "abs"
        raise refused(msg, value)
    if isinstance(value, float):
        return -value if value < 0 else value
    return type(value)(wrapped(abs(value)))


def _rounded(name: str, function: Callable[[float], int]) -> Callable[[Any], float]:
    def call(value: Any) -> float:
        if not is_number(value):
            raise refused(name, value)
        value = float(value)
        return math.copysign(float(function(value)), value) if math.isfinite(value) else value

    return call


def _half_away(value: float) -> int:
    whole = math.floor(abs(value))
    return (whole + (abs(value) - whole >= 0.5)) * (-1 if value < 0 else 1)


def _int(value: Any) -> int:
    if isinstance(value, str):
        try:
            return gotext.parsed_int(value)
        except ValueError:
            msg = f"invalid operation: int({value})"
            raise ExprError(msg) from None
    if value is None:
        msg = "reflect: call of reflect.Value.Type on zero Value"
        raise ExprError(msg)
    return value.ns if isinstance(value, Duration) else to_int(value)


def _int_1_15(value: Any) -> int:
    if value is None or isinstance(value, Duration):
        msg = f"invalid operation: int({type_name(value)})"
        raise ExprError(msg)
    return _int(value)


def _float(value: Any) -> float:
    if isinstance(value, str):
        try:
            return gotext.parsed_float(value)
        except ValueError:
            msg = f"invalid operation: float({value})"
            raise ExprError(msg) from None
    if not is_number(value):
        msg = f"invalid operation: float({type_name(value)})"
        raise ExprError(msg)
    return float(value)


def _extreme(name: str, worse: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    """Max or min as the library loops: the first value stays until a better one comes, so NaN's place matters."""

    def best(args: Sequence[Any], *, top: bool) -> Any:
        found: Any = None
        for arg in args:
            value = best(arg, top=False) if isinstance(arg, list) else arg
            if value is None and isinstance(arg, list):
                continue
            if not (is_number(value) or (top and isinstance(arg, Duration))):
                if top and len(args) == 1 and not isinstance(arg, list):
                    return value
                raise refused(name, value)
            if found is None or worse(found, value):
                found = value
        return found

    return lambda *args: best(args, top=True)


def _flat(name: str, args: Iterable[Any]) -> list[float]:
    found: list[float] = []
    for arg in args:
        if isinstance(arg, list):
            found += _flat(name, arg)
        elif is_number(arg):
            found.append(float(arg))
        elif isinstance(arg, Duration):
            found.append(float(arg.ns))
        else:
            raise refused(name, arg)
    return found


def _average(values: list[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total / len(values) if values else 0.0


def _middle(values: list[float]) -> float:
    # Go sorts NaN before every number.
    values = sorted(values, key=lambda value: (not math.isnan(value), value))
    half = len(values) // 2
    if not values:
        return 0.0
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def _first_best(worse: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    """Before 1.17: of the arguments themselves, in whatever order they have."""

    def call(*args: Any) -> Any:
        found: Any = None
        for value in args:
            if found is None or worse(found, value):
                found = value
        return found

    return call


def _listed(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        msg = f"cannot {name} {kind(value)}"
        raise ExprError(msg)
    for one in value:
        if not (is_number(one) or isinstance(one, Duration)):
            msg = f"cannot {name} {'interface' if one is None else kind(one)}"
            raise ExprError(msg)
    return [one.ns if isinstance(one, Duration) else one for one in value]


def _sum_1_15(value: Any) -> Any:
    total: Any = 0
    for one in _listed("sum", value):
        total = total + one
    return total if isinstance(total, float) else wrapped(total)


def _bits(name: str, compute: Callable[[int, int], int]) -> Callable[[Any, Any], int]:
    def call(left: Any, right: Any) -> int:
        one, other = _whole(name, left), _whole(name, right)
        if name.startswith(("bitsh", "bitush")) and other < 0:
            msg = f"invalid operation: negative shift count {other} (type int)"
            raise ExprError(msg)
        return wrapped(compute(one, other))

    return call


def _whole(name: str, value: Any) -> int:
    if not is_number(value) or isinstance(value, float):
        msg = f"cannot use {type_name(value)} as argument (type int) to call {name}"
        raise ExprError(msg)
    return int(value)


_SHARED: Final[Mapping[str, Callable[..., Any]]] = {
    "abs": _absolute,
    "ceil": _rounded("ceil", math.ceil),
    "floor": _rounded("floor", math.floor),
    "round": _rounded("round", _half_away),
    "float": _float,
}
FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    **_SHARED,
    "int": _int,
    "max": _extreme("max", less),
    "min": _extreme("min", more),
    "mean": lambda *args: _average(_flat("mean", args)),
    "median": lambda *args: _middle(_flat("median", args)),
    "bitand": _bits("bitand", lambda one, other: one & other),
    "bitor": _bits("bitor", lambda one, other: one | other),
    "bitxor": _bits("bitxor", lambda one, other: one ^ other),
    "bitnand": _bits("bitnand", lambda one, other: one & ~other),
    "bitshl": _bits("bitshl", lambda one, other: one << other if other < 64 else 0),
    "bitshr": _bits("bitshr", lambda one, other: one >> min(other, 63)),
    "bitushr": _bits("bitushr", lambda one, other: (one % 2**64) >> min(other, 64)),
    "bitnot": lambda value: ~_whole("bitnot", value),
}
FUNCTIONS_1_15: Final[Mapping[str, Callable[..., Any]]] = {
    **_SHARED,
    "int": _int_1_15,
    "max": _first_best(less),
    "min": _first_best(more),
    "sum": _sum_1_15,
    "mean": lambda value: _average([float(one) for one in _listed("mean", value)]),
    "median": lambda value: _middle([float(one) for one in _listed("median", value)]),
}
