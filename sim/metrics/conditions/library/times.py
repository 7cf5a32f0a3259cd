"""Built-ins on times (builtin/builtin.go of expr)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sim.metrics import gotext
from sim.metrics.conditions import golayout
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.values import Duration, text
from sim.model.units import go_duration_s


def _duration(value: Any) -> Duration:
    value = text(value)
    try:
        return Duration(round(go_duration_s(value) * 1e9))
    except (ValueError, OverflowError):
        msg = f"time: invalid duration {gotext.quoted(value)}"
        raise ExprError(msg) from None


def _timezone(value: Any) -> ZoneInfo:
    name = text(value) or "UTC"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"unknown time zone {name}"
        raise ExprError(msg) from None


def _date(*args: Any) -> datetime:
    zone: tzinfo = UTC
    if isinstance(args[0], ZoneInfo):
        zone, args = args[0], args[1:]
    if not args:
        msg = "runtime error: index out of range [0] with length 0"
        raise ExprError(msg)
    written = text(args[0])
    layout = text(args[1]) if len(args) > 1 else ""
    zone = _timezone(args[2]) if len(args) > 2 else zone
    for one in [layout] if len(args) > 1 else golayout.COMMON:
        found = golayout.parse(written, one)
        if found is not None:
            return found if found.tzinfo else found.replace(tzinfo=zone)
    if len(args) > 1:
        shown, tried = gotext.quoted(written), gotext.quoted(layout)
        msg = f"parsing time {shown} as {tried}: cannot parse {shown} as {tried}"
    else:
        msg = f"invalid date {written}"
    raise ExprError(msg)


def now(clock: Callable[[], datetime] | None, *zone: Any) -> datetime:
    """The instant a clock shows; ExprError where there is none."""
    if clock is None:
        msg = "now() needs a calendar, which the twin has not"
        raise ExprError(msg)
    return clock().astimezone(zone[0]) if zone else clock()


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "duration": _duration,
    "date": _date,
    "timezone": _timezone,
}
