"""Instants of a timetable in words: earliest bounds rounded down, latest ones up, so that they stay bounds."""

from __future__ import annotations

from math import ceil, floor

from reports.numbers import clock, digits, length
from sim.timetable import Exposure, Instant

NEVER, OPEN = "never", "open"
_NOISE_S = 0.25
"""Controllers' own milliseconds make no second more of a bound."""


def earliest_text(seconds: float | None) -> str:
    """``+5m01s``; ``never``."""
    return NEVER if seconds is None else clock(floor(seconds + 1e-6))


def latest_text(seconds: float | None) -> str:
    """``+12m``; ``open`` for no bound."""
    return OPEN if seconds is None else clock(_up(seconds))


def _up(seconds: float) -> int:
    """The next whole second, or what ``clock`` shows of an hour and more: the next whole minute."""
    unit = 1 if seconds < 3600 else 60
    return unit * ceil((seconds - _NOISE_S) / unit)


def latest_of(instant: Instant) -> str:
    """The latest bound, with what it leaves out."""
    return f"{latest_text(instant.latest_s)}{' + wait' if instant.after_wait and instant.latest_s is not None else ''}"


def span_text(earliest_s: float | None, latest_s: float | None) -> str:
    """``2m44s to 15m01s``, or once where both are the same."""
    low, high = earliest_text(earliest_s).removeprefix("+"), latest_text(latest_s).removeprefix("+")
    return low if low == high else f"{low} to {high}"


def weight_text(weight: float) -> str:
    """``33.3 %``."""
    return f"{digits(weight, 1)} %"


def seconds_text(seconds: float) -> str:
    """A length, rounded up: ``5m01s``."""
    return length(_up(seconds))


def exposure_text(exposure: Exposure) -> str:
    """How much traffic a failing version can have had: ``1 % for 5m01s, 5 % for 8m02s (3 % ...)``."""
    if not exposure.full_traffic_s:
        return "no traffic"
    # What lasts for a moment between two reconciles is not worth a word.
    at = [(weight, seconds) for weight, seconds in exposure.at if seconds >= 1.0] or exposure.at
    if len(at) > 3:
        total = sum(seconds for _, seconds in exposure.at)
        what = f"up to {weight_text(exposure.highest)}, {seconds_text(total)} in all"
    else:
        what = ", ".join(f"{weight_text(weight)} for {seconds_text(seconds)}" for weight, seconds in at)
    return f"{what} (as much as {seconds_text(exposure.full_traffic_s)} of all traffic)"
