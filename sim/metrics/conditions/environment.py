"""The names Argo Rollouts gives a condition: ``result`` and the functions around it (utils/evaluate)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from sim.metrics import gotext
from sim.metrics.conditions import types
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.types import Type, function
from sim.metrics.conditions.values import Function, Int64, is_number, not_a, to_int, type_name

_ANY: Final = (types.ANY,)
TYPES: Final[Mapping[str, Type]] = {
    "asInt": function(_ANY, types.INT64),
    "asFloat": function(_ANY, types.FLOAT),
    "isNaN": function((types.FLOAT,), types.BOOL),
    "isInf": function((types.FLOAT,), types.BOOL),
    "isNil": function(_ANY, types.BOOL),
    "default": function((types.ANY, types.ANY), types.ANY),
}
TIME_TYPES: Final = {name: TYPES[name] for name in ("isNaN", "isInf")}
"""What a time of a range query may name."""


def as_int(value: Any) -> Int64:
    """A number cut to an integer, or the integer a text writes out."""
    if isinstance(value, str):
        try:
            return Int64(gotext.parsed_int(value))
        except ValueError as error:
            raise ExprError(str(error)) from None
    if not is_number(value):
        msg = "asInt"
        raise _unsupported(msg, value)
    return Int64(to_int(value))


def as_float(value: Any) -> float:
    """A number as a float, or the float a text writes out."""
    if isinstance(value, str):
        try:
            return gotext.parsed_float(value)
        except ValueError as error:
            raise ExprError(str(error)) from None
    if not is_number(value):
        msg = "asFloat"
        raise _unsupported(msg, value)
    return float(value)


def _unsupported(name: str, value: Any) -> ExprError:
    return ExprError(f"{name}() not supported on {type_name(value)} {gotext.general(value)}")


def _of_float(test: Callable[[float], bool]) -> Callable[[Any], bool]:
    def call(value: Any) -> bool:
        if not isinstance(value, float):
            msg = "float64"
            raise not_a(msg, value)
        return test(value)

    return call


def functions(result: Any) -> dict[str, Any]:
    """The environment of one measurement. ``isNil`` and ``default`` look at the raw result, not at their argument."""
    calls: dict[str, Callable[..., Any]] = {
        "asInt": as_int,
        "asFloat": as_float,
        "isNaN": _of_float(math.isnan),
        "isInf": _of_float(math.isinf),
        "isNil": lambda _: result is None,
        "default": lambda _, fallback: fallback if result is None else result,
    }
    return {name: Function(TYPES[name], call) for name, call in calls.items()}
