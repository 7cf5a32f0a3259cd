"""Cron schedules as Argo CD reads them: the standard parser of robfig/cron v3, five fields, no descriptors.

Source: evaluators reference 5 (robfig/cron v3.0.1 ``parser.go``, ``spec.go``). Day of week is 0-6; 7, ``L``, ``#``,
``@daily`` and ranges that wrap are refused. ``TZ=``/``CRON_TZ=`` in front sets the zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SEARCH_YEARS = 5


class CronError(ValueError):
    """A text that is no schedule."""


@dataclass(frozen=True, slots=True)
class _Field:
    """Bounds of one field and the names of its values."""

    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS = (_Field(0, 59), _Field(0, 23), _Field(1, 31), _Field(1, 12, _MONTHS), _Field(0, 6, _DAYS))


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed schedule. ``either_day``: day of month *or* day of week is enough, because neither field is a star."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    zone: str = "UTC"

    def falls_on(self, day: date) -> bool:
        """Whether the schedule has anything on this day."""
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.days, (day.weekday() + 1) % 7 in self.weekdays
        return by_month or by_week if self.either_day else by_month and by_week


def parse(text: str) -> Schedule:
    """The schedule written; CronError says what is wrong with it."""
    zone, rest = "UTC", text
    if rest.startswith(("TZ=", "CRON_TZ=")):
        prefix, _, rest = rest.partition(" ")
        zone = prefix.partition("=")[2]
        zone_named(zone)
    fields = rest.split()
    if len(fields) != len(_FIELDS):
        msg = f"expected exactly 5 fields, found {len(fields)}: {fields}"
        raise CronError(msg)
    read = [_values(field, bounds) for field, bounds in zip(fields, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = (values for values, _ in read)
    starred = read[2][1] or read[4][1]
    return Schedule(tuple(sorted(minutes)), tuple(sorted(hours)), days, months, weekdays, not starred, zone)


def zone_named(name: str) -> ZoneInfo:
    """The time zone; CronError if there is none of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"provided bad location {name}"
        raise CronError(msg) from error


def _values(field: str, bounds: _Field) -> tuple[frozenset[int], bool]:
    """Values of a comma-separated field and whether one of its parts is a plain star."""
    parts = [_part(part, bounds) for part in field.split(",") if part]
    if not parts:
        msg = f"empty field: {field!r}"
        raise CronError(msg)
    return frozenset(value for values, _ in parts for value in values), any(star for _, star in parts)


def _part(text: str, bounds: _Field) -> tuple[range, bool]:
    """``*``, ``?``, ``5``, ``5-9``, each with an optional step; ``5/2`` runs from 5 to the end."""
    span, *steps = text.split("/")
    first, *last = span.split("-")
    if len(steps) > 1:
        msg = f"too many slashes: {text}"
        raise CronError(msg)
    if len(last) > 1:
        msg = f"too many hyphens: {text}"
        raise CronError(msg)
    star = first in {"*", "?"}
    if star:
        low, high = bounds.low, bounds.high
    else:
        low = _value(first, bounds)
        high = _value(last[0], bounds) if last else low
    step = _digits(steps[0]) if steps else 1
    if steps and not star and not last:
        high = bounds.high
    _check(low, high, step, bounds, text)
    # A star with a step above 1 is an ordinary list: the day fields then combine with "or".
    return range(low, high + 1, step), star and step <= 1


def _check(low: int, high: int, step: int, bounds: _Field, text: str) -> None:
    checks = (
        (low < bounds.low, f"beginning of range ({low}) below minimum ({bounds.low}): {text}"),
        (high > bounds.high, f"end of range ({high}) above maximum ({bounds.high}): {text}"),
        (low > high, f"beginning of range ({low}) beyond end of range ({high}): {text}"),
        (step == 0, f"step of range should be a positive number: {text}"),
    )
    for broken, message in checks:
        if broken:
            raise CronError(message)


def _value(text: str, bounds: _Field) -> int:
    if text.lower() in bounds.names:
        return bounds.names.index(text.lower()) + bounds.low
    return _digits(text)


def _digits(text: str) -> int:
    if not re.fullmatch(r"\+?[0-9]+", text):
        msg = f"failed to parse int from {text}"
        raise CronError(msg)
    return int(text)


def activations(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    """Every activation in (after, until], in order, in UTC.

    Walks days, not minutes. Local times that a clock change skips do not happen, those it repeats happen twice.
    """
    zone = zone_named(schedule.zone)
    day, last = after.astimezone(zone).date(), until.astimezone(zone).date()
    while day <= last:
        if schedule.falls_on(day):
            for instant in _instants(schedule, day, zone):
                if after < instant <= until:
                    yield instant
        day += timedelta(days=1)


def _instants(schedule: Schedule, day: date, zone: ZoneInfo) -> list[datetime]:
    clock = [time(hour, minute) for hour in schedule.hours for minute in schedule.minutes]
    if schedule.zone == "UTC":
        return [datetime.combine(day, at, UTC) for at in clock]
    offsets = {_noon(day, away, zone) for away in (-1, 0, 1, 2)}
    if len(offsets) == 1:
        return [datetime.combine(day, at, UTC) - offset for at in clock for offset in offsets]
    found: set[datetime] = set()
    for at in clock:
        for fold in (0, 1):
            local = datetime.combine(day, at.replace(fold=fold), zone)
            instant = local.astimezone(UTC)
            if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                found.add(instant)
    return sorted(found)


def _noon(day: date, away: int, zone: ZoneInfo) -> timedelta:
    """The zone's offset at noon some days away: where it stays the same around a day, every local time happens once."""
    return datetime.combine(day + timedelta(days=away), time(12), UTC).astimezone(zone).utcoffset() or timedelta()


def next_after(schedule: Schedule, after: datetime) -> datetime | None:
    """The first activation strictly after an instant, in UTC; None if the next five calendar years have none."""
    last_year = min(after.astimezone(UTC).year + _SEARCH_YEARS + 1, MAXYEAR)
    horizon = datetime(last_year, 1, 1, tzinfo=UTC)
    return next(activations(schedule, after, horizon), None)
