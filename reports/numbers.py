"""Numbers as people read them: three significant digits, and the unit in which a duration needs the fewest of them."""

from __future__ import annotations

from math import floor, log10
from typing import NamedTuple

from reports.statistics import Estimate

_MINUTES = {"min": 1.0, "h": 60.0}
_LADDER = (("s", 1 / 60, 1.0), ("min", 1.0, 180.0), ("h", 60.0, 72 * 60.0), ("d", 1440.0, float("inf")))
"""Unit, its length in minutes, and below how many minutes it is used."""
_WORDS = {"1/week": "a week", "pod h": "pod-hours", "requests": ""}


class Scale(NamedTuple):
    """How an indicator is shown: times ``factor``, then the unit; at most ``places`` decimals."""

    factor: float
    unit: str
    places: int = 6


def scale(value: float, unit: str) -> Scale:
    """The scale for a value of this size: a duration of 0.7 min in seconds, one of 20,000 min in days."""
    if unit == "share":
        return Scale(100.0, "%", 2)
    if unit not in _MINUTES:
        return Scale(1.0, _WORDS.get(unit, unit), 0 if unit == "requests" else 6)
    minutes = abs(value) * _MINUTES[unit]
    if not minutes:
        return Scale(1.0, unit)
    name, length = next((name, length) for name, length, below in _LADDER if minutes < below)
    return Scale(_MINUTES[unit] / length, name)


def number(value: float | None, unit: str) -> str:
    """A value with its unit: ``0.0123 share -> 1.23 %``, ``20160 min -> 14 d``, ``1234567 requests -> 1,230,000``."""
    if value is None:
        return "-"
    used = scale(value, unit)
    return _with_unit(digits(value * used.factor, used.places), used.unit)


def interval_text(estimate: Estimate, unit: str) -> str:
    """Mean, and the interval where it is known, all in the mean's unit: ``10 min (9.5 .. 10.5)``."""
    if estimate.mean is None:
        return "n/a"
    used = scale(estimate.mean or estimate.hi or 0.0, unit)
    text = _with_unit(digits(estimate.mean * used.factor, used.places), used.unit)
    if estimate.lo is None or estimate.hi is None:
        return text
    low, high = (digits(bound * used.factor, used.places) for bound in (estimate.lo, estimate.hi))
    return f"{text} ({low} .. {high})"


def digits(value: float, places: int = 6) -> str:
    """Three significant digits with thousands' commas, but no more decimals than ``places``; never ``-0``."""
    if not round(value, places):
        return "0"
    wanted = 2 - floor(log10(abs(value)))
    text = f"{round(value, min(wanted, places)):,.{max(0, min(wanted, places))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def clock(seconds: float) -> str:
    """A time since the apply: ``+45s``, ``+1m30s``, ``-20m00s``, ``+6h12m``, ``+14d00h11m``; ``0s`` for the apply itself."""
    whole = round(seconds)
    if not whole:
        return "0s"
    sign, (minutes, secs) = ("+" if whole > 0 else "-"), divmod(abs(whole), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d{hours:02d}h{minutes:02d}m"
    if hours:
        return f"{sign}{hours}h{minutes:02d}m"
    return f"{sign}{minutes}m{secs:02d}s" if minutes else f"{sign}{secs}s"


def length(seconds: float) -> str:
    """A duration in words of the same form, without a sign."""
    return clock(abs(seconds)).removeprefix("+")


def _with_unit(text: str, unit: str) -> str:
    return f"{text} {unit}" if unit else text
