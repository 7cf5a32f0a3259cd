"""Functions of a number: mathematics on whole arrays, the calendar one by one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Moment:
    """A second of Go's ``time.Unix(...).UTC()``, whose years reach much farther than Python's."""

    year: int
    month: int
    day: int
    second: int
    """Of the day."""
    days: int
    """Since 1970-01-01."""


def _moment(seconds: float) -> _Moment:
    """The moment of a UNIX time, as Go on amd64 converts it: what fits no int64 is the least one, and wraps around."""
    unix = math.trunc(seconds) if -_INT64 <= seconds < _INT64 else -_INT64
    days, second = divmod((unix + _BEFORE_1970) % 2**64, _DAY)
    days -= _BEFORE_1970 // _DAY
    return _Moment(*_date(days), second, days)


def _date(days: int) -> tuple[int, int, int]:
    """Year, month and day of the Gregorian calendar, from the days since 1970-01-01."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * day_of_year + 2) // 153
    month = from_march + 3 if from_march < 10 else from_march - 9
    return era * 400 + year_of_era + (month <= 2), month, day_of_year - (153 * from_march + 2) // 5 + 1


def _first_of(year: int, month: int) -> int:
    """Days from 1970-01-01 to the first of a month."""
    years = year - (month <= 2)
    from_march = month - 3 if month > 2 else month + 9
    return years * 365 + years // 4 - years // 100 + years // 400 + (153 * from_march + 2) // 5 - 719_468


def _days_in(at: _Moment) -> int:
    following = (at.year + 1, 1) if at.month == 12 else (at.year, at.month + 1)
    return _first_of(*following) - _first_of(at.year, at.month)


_DAY: Final = 86_400
_INT64: Final = 2**63
_BEFORE_1970: Final = 9_223_372_028_715_321_600
"""Seconds from the first moment Go can count from to 1970 (time.unixToAbsolute)."""

_PARTS: Final[dict[str, Callable[[_Moment], int]]] = {
    "minute": lambda at: at.second // 60 % 60,
    "hour": lambda at: at.second // 3600,
    "day_of_week": lambda at: (at.days + 4) % 7,
    "day_of_month": lambda at: at.day,
    "day_of_year": lambda at: at.days - _first_of(at.year, 1) + 1,
    "days_in_month": _days_in,
    "month": lambda at: at.month,
    "year": lambda at: at.year,
}


def _dated(part: Callable[[_Moment], int]) -> Callable[[float], float]:
    return lambda seconds: float(part(_moment(seconds)))


CALENDAR: Final = {name: _dated(part) for name, part in _PARTS.items()}
"""Functions of a UNIX time in seconds, UTC."""


def rounded(values: Floats, nearest: float) -> Floats:
    """The values rounded to multiples of ``nearest``, halves upwards."""
    inverse = np.float64(1.0) / np.float64(nearest)
    return np.asarray(np.floor(values * inverse + 0.5) / inverse)


def least(left: Floats, right: Floats) -> Floats:
    """Go's ``math.Min``: -Inf even of NaN and -Inf, else NaN of any NaN."""
    return np.where((left == -np.inf) | (right == -np.inf), -np.inf, np.minimum(left, right))


def greatest(left: Floats, right: Floats) -> Floats:
    """Go's ``math.Max``: +Inf even of NaN and +Inf, else NaN of any NaN."""
    return -least(-left, -right)


def clamped(values: Floats, low: float, high: float) -> Floats:
    """The values forced between two bounds."""
    return greatest(np.array(low), least(np.array(high), values))
