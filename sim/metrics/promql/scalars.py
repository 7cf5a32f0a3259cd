"""Functions of one number: mathematics and the calendar."""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

Function = Callable[[float], float]


def _guarded(function: Function, *, below: float = math.nan) -> Function:
    """The function with NaN (or ``below``, for a pole) where Python raises."""

    def call(value: float) -> float:
        try:
            return float(function(value))
        except ValueError:
            return below if value == 0 else math.nan
        except OverflowError:
            return math.inf if value > 0 else -math.inf

    return call


def _whole(function: Callable[[float], int]) -> Function:
    return lambda value: float(function(value)) if math.isfinite(value) else value


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def _cosh(value: float) -> float:
    try:
        return math.cosh(value)
    except OverflowError:
        return math.inf


def _atanh(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) == 1 else _guarded(math.atanh)(value)


MATHEMATICS: Final[dict[str, Function]] = {
    "abs": abs,
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    "exp": _exp,
    "sqrt": _guarded(math.sqrt),
    "ln": _guarded(math.log, below=-math.inf),
    "log2": _guarded(math.log2, below=-math.inf),
    "log10": _guarded(math.log10, below=-math.inf),
    "sgn": lambda value: value if value == 0 or math.isnan(value) else math.copysign(1.0, value),
    "deg": math.degrees,
    "rad": math.radians,
    "sin": _guarded(math.sin),
    "cos": _guarded(math.cos),
    "tan": _guarded(math.tan),
    "asin": _guarded(math.asin),
    "acos": _guarded(math.acos),
    "atan": math.atan,
    "sinh": _guarded(math.sinh),
    "cosh": _cosh,
    "tanh": math.tanh,
    "asinh": math.asinh,
    "acosh": _guarded(math.acosh),
    "atanh": _atanh,
}


def _dated(part: Callable[[datetime], int]) -> Function:
    def call(seconds: float) -> float:
        try:
            return float(part(datetime.fromtimestamp(math.trunc(seconds), UTC)))
        except (ValueError, OverflowError, OSError):
            return math.nan

    return call


CALENDAR: Final[dict[str, Function]] = {
    "minute": _dated(lambda at: at.minute),
    "hour": _dated(lambda at: at.hour),
    "day_of_week": _dated(lambda at: at.isoweekday() % 7),
    "day_of_month": _dated(lambda at: at.day),
    "day_of_year": _dated(lambda at: at.timetuple().tm_yday),
    "days_in_month": _dated(lambda at: monthrange(at.year, at.month)[1]),
    "month": _dated(lambda at: at.month),
    "year": _dated(lambda at: at.year),
}
"""Of a UNIX time in seconds, UTC."""


def rounded(value: float, nearest: float) -> float:
    """The value rounded to a multiple of ``nearest``, halves upwards."""
    if not math.isfinite(value) or nearest == 0 or math.isnan(nearest):
        return value if nearest != 0 and not math.isnan(nearest) else math.nan
    inverse = 1.0 / nearest
    scaled = value * inverse + 0.5
    return math.floor(scaled) / inverse if math.isfinite(scaled) and inverse else value
