"""The names Argo Rollouts gives a condition: ``result`` and the functions around it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from sim.metrics import gotext
from sim.metrics.conditions import types
from sim.metrics.conditions.operations import go_name, is_number, type_name
from sim.metrics.conditions.tokens import ExprError
from sim.metrics.conditions.types import Type


def _function(params: tuple[Type, ...], returns: Type) -> Type:
    return Type("function", "func", returns, params)


_ANY = (types.UNKNOWN,)
TYPES: Mapping[str, Type] = {
    "asInt": _function(_ANY, types.INT64),
    "asFloat": _function(_ANY, types.FLOAT),
    "isNaN": _function((types.FLOAT,), types.BOOL),
    "isInf": _function((types.FLOAT,), types.BOOL),
    "isNil": _function(_ANY, types.BOOL),
    "default": _function((types.UNKNOWN, types.UNKNOWN), types.UNKNOWN),
}


def as_int(value: Any) -> int:
    """A number cut to an integer, or the integer a text writes out."""
    if isinstance(value, str):
        try:
            if value.strip() == value and "_" not in value:
                return int(value)
        except ValueError:
            pass
        msg = f"strconv.ParseInt: parsing {json.dumps(value)}: invalid syntax"
        raise ExprError(msg)
    if not is_number(value):
        msg = f"asInt() not supported on {type_name(value)} {gotext.general(value)}"
        raise ExprError(msg)
    # Go's conversion of what does not fit yields the smallest integer on amd64.
    return int(value) if math.isfinite(value) and abs(value) < 2**63 else -(2**63)


def as_float(value: Any) -> float:
    """A number as a float, or the float a text writes out."""
    if isinstance(value, str):
        try:
            if value.strip() == value and "_" not in value:
                return float(value)
        except ValueError:
            pass
        msg = f"strconv.ParseFloat: parsing {json.dumps(value)}: invalid syntax"
        raise ExprError(msg)
    if not is_number(value):
        msg = f"asFloat() not supported on {type_name(value)} {gotext.general(value)}"
        raise ExprError(msg)
    return float(value)


def _of_float(test: Callable[[float], bool]) -> Callable[[Any], bool]:
    def call(value: Any) -> bool:
        if not isinstance(value, float):
            msg = f"interface conversion: interface {{}} is {go_name(value)}, not float64"
            raise ExprError(msg)
        return test(value)

    return call


def values(result: Any) -> dict[str, Any]:
    """The environment of one measurement. ``isNil`` and ``default`` look at the raw result, not at their argument."""
    return {
        "result": result,
        "asInt": as_int,
        "asFloat": as_float,
        "isNaN": _of_float(math.isnan),
        "isInf": _of_float(math.isinf),
        "isNil": lambda _: result is None,
        "default": lambda _, fallback: fallback if result is None else result,
    }
