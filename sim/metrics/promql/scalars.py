"""Functions of a number: mathematics on whole arrays, the calendar one by one."""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import numpy as np

from sim.metrics.columns import Floats

MATHEMATICS: Final[dict[str, Callable[[Floats], Floats]]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sgn": lambda values: np.where(values == 0, values, np.sign(values)),
    "deg": lambda values: values * 180.0 / math.pi,
    "rad": lambda values: values * math.pi / 180.0,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
}


def _dated(part: Callable[[datetime], int]) -> Callable[[float], float]:
    def call(seconds: float) -> float:
        try:
            return float(part(datetime.fromtimestamp(math.trunc(seconds), UTC)))
        except (ValueError, OverflowError, OSError):
            return math.nan

    return call


CALENDAR: Final[dict[str, Callable[[float], float]]] = {
    "minute": _dated(lambda at: at.minute),
    "hour": _dated(lambda at: at.hour),
    "day_of_week": _dated(lambda at: at.isoweekday() % 7),
    "day_of_month": _dated(lambda at: at.day),
    "day_of_year": _dated(lambda at: at.timetuple().tm_yday),
    "days_in_month": _dated(lambda at: monthrange(at.year, at.month)[1]),
    "month": _dated(lambda at: at.month),
    "year": _dated(lambda at: at.year),
}
"""Of a UNIX time in seconds, UTC; NaN outside the years 1 to 9999."""


def rounded(values: Floats, nearest: float) -> Floats:
    """The values rounded to multiples of ``nearest``, halves upwards."""
    inverse = np.float64(1.0) / np.float64(nearest)
    return np.asarray(np.floor(values * inverse + 0.5) / inverse)


def clamped(values: Floats, low: float, high: float) -> Floats:
    """The values forced between two bounds; NaN where any of the three is."""
    return np.maximum(low, np.minimum(high, values))
