"""When Argo CD may sync: the sync windows of a project.

Source: evaluators reference 5 (Argo CD 2.10 ``SyncWindows.CanSync``). Windows bind syncs; they never stop a rollout that
is under way. Durations count in whole seconds, rounded up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Final
from zoneinfo import ZoneInfo

from sim.decide import daymasks
from sim.decide.cron import CronError, Schedule, next_after, parse, zone_named
from sim.model.gitops import Application, SyncWindow
from sim.model.units import go_duration_s

Interval = tuple[datetime, datetime]

LOOK_AHEAD_DAYS: Final = 4 * 366
"""How far a sync is looked for: every day of the calendar comes within it, leap days too."""
_LONGEST_GAP_DAYS: Final = 8 * 366 + 1
"""No schedule that fires at all is silent for longer: leap days around a century without one."""
_LAST_DAY: Final = date.max.toordinal() - 2
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A window ready to be asked."""

    window: SyncWindow
    schedule: Schedule
    duration: timedelta
    zone: ZoneInfo

    def is_active(self, at: datetime) -> bool:
        """Whether the instant lies strictly inside an activation: not at its first instant, nor at its last.

        Argo CD shifts the whole schedule by the zone's offset at the instant asked about, also across a clock change.
        A schedule that never comes makes Go's zero time, which lies before everything: the window is always active.
        """
        shifted = at + (at.astimezone(self.zone).utcoffset() or timedelta())
        following = next_after(self.schedule, shifted - self.duration)
        return following is None or following < shifted


def _parsed(windows: Sequence[SyncWindow], app: Application) -> tuple[_Parsed, ...]:
    """The windows that bind an application; ValueError for one that Argo CD cannot read."""
    return tuple(_parse(window) for window in windows if binds(window, app))


def _parse(window: SyncWindow) -> _Parsed:
    if window.kind not in {"allow", "deny"}:
        msg = f"kind '{window.kind}' mismatch: can only be allow or deny"
        raise ValueError(msg)
    try:
        schedule = parse(window.schedule)
    except CronError as error:
        msg = f"cannot parse schedule '{window.schedule}': {error}"
        raise ValueError(msg) from error
    try:
        duration = timedelta(seconds=ceil(go_duration_s(window.duration)))
    except ValueError as error:
        msg = f"cannot parse duration '{window.duration}': {error}"
        raise ValueError(msg) from error
    return _Parsed(window, schedule, duration, zone_named(window.time_zone or "UTC"))


def binds(window: SyncWindow, app: Application) -> bool:
    """Whether a window is about an application: by name, namespace *or* cluster, or by all that it lists (andOperator)."""
    listed = (
        (window.applications, (app.name,)),
        (window.namespaces, (app.target_namespace,)),
        (window.clusters, (app.cluster_name, app.server)),
    )
    hits = [any(_glob(p, v) for p in patterns for v in values if v) for patterns, values in listed if patterns]
    return bool(hits) and (all(hits) if window.and_operator else any(hits))


def _may(windows: Sequence[_Parsed], at: datetime, *, manual: bool) -> bool:
    """Deny beats allow; an allow window that is not active denies. By hand only where *all* that deny say so."""
    active = [w for w in windows if w.is_active(at)]
    denies = [w for w in active if w.window.kind == "deny"]
    if denies:
        return manual and all(w.window.manual_sync for w in denies)
    if any(w.window.kind == "allow" for w in active):
        return True
    idle = [w for w in windows if w.window.kind == "allow"]
    return not idle or (manual and all(w.window.manual_sync for w in idle))


def next_sync(windows: tuple[SyncWindow, ...], app: Application, after: datetime, manual: bool) -> datetime | None:
    """The first instant from ``after`` on (to the second) at which a sync may start; None if four years have none."""
    parsed = _parsed(windows, app)
    if _may(parsed, after, manual=manual):
        return after
    today = after.astimezone(UTC).toordinal()
    calendar = _Calendar(parsed, today, manual=manual)
    passed = int((after - daymasks.midnight(today)).total_seconds())
    for day in range(today, min(today + LOOK_AHEAD_DAYS, _LAST_DAY)):
        mask = calendar.open(day)
        if day == today:
            mask &= daymasks.between(passed, daymasks.DAY)
        if mask:
            opens = daymasks.midnight(day) + daymasks.first(mask) * _SECOND
            return next((at for at in (opens, opens + _SECOND) if _may(parsed, at, manual=manual)), opens + _SECOND / 2)
    return None


def open_hours(windows: tuple[SyncWindow, ...], app: Application, year: int, manual: bool) -> tuple[Interval, ...]:
    """The intervals of a calendar year (UTC) in which a sync may start, in order, touching ones joined."""
    begin, end = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    calendar = _Calendar(_parsed(windows, app), begin, manual=manual)
    found: list[Interval] = []
    for day in range(begin, end + 1):
        base = daymasks.midnight(day)
        for start_s, end_s in calendar.open_runs(day):
            opens, closes = base + start_s * _SECOND, base + end_s * _SECOND
            if found and found[-1][1] == opens:
                opens = found.pop()[0]
            found.append((opens, closes))
    return tuple(found)


class _Activity:
    """Seconds at which one window is active, day by day from ``first`` on; asked in order, days may be left out."""

    def __init__(self, parsed: _Parsed, first: int) -> None:
        self._schedule = parsed.schedule
        self._fires_in = zone_named(parsed.schedule.zone)
        self._zone = parsed.zone
        self._length = int(parsed.duration.total_seconds())
        seconds = (hour * 3600 + minute * 60 for hour in self._schedule.hours for minute in self._schedule.minutes)
        self._pattern = sum(1 << second for second in seconds)
        self._smeared: dict[int, int] = {}
        begin = daymasks.midnight(first - 1) - parsed.duration
        self._always = next_after(self._schedule, begin) is None
        # A zone ahead of or behind UTC looks at the day before and the day after.
        self._masks: dict[int, int] = {}
        self._day, self._left = first - 1, 0 if self._always else self._left_over(first - 1)

    def on(self, day: int) -> int:
        """The mask of a UTC day."""
        return daymasks.ALL if self._always else daymasks.in_utc(self._shifted, self._zone, day)

    def _shifted(self, day: int) -> int:
        """The mask of a day on the shifted clock."""
        while self._day <= day:
            starts = self._starts(self._day)
            if starts not in self._smeared:
                self._smeared[starts] = daymasks.smear(starts, self._length)
            carried = daymasks.between(0, min(self._left, daymasks.DAY))
            self._masks[self._day] = self._smeared[starts] | carried
            self._left = max(self._left, starts.bit_length() - 1 + self._length if starts else 0) - daymasks.DAY
            self._left = max(self._left, 0)
            self._masks.pop(self._day - 4, None)
            self._day += 1
        return self._masks[day]

    def _starts(self, day: int) -> int:
        return daymasks.in_utc(self._written, self._fires_in, day)

    def _written(self, day: int) -> int:
        return self._pattern if self._schedule.falls_on(date.fromordinal(day)) else 0

    def _left_over(self, day: int) -> int:
        """How long after the beginning of a day earlier activations last, seconds."""
        reach = min(self._length // daymasks.DAY + 1, _LONGEST_GAP_DAYS)
        for back in range(1, reach + 1):
            starts = self._starts(day - back)
            if starts:
                return max(0, starts.bit_length() - 1 + self._length - back * daymasks.DAY)
        return 0


class _Calendar:
    """When syncs may start, day by day; the same rule as ``_may``, for whole days at a time."""

    def __init__(self, windows: Sequence[_Parsed], first: int, *, manual: bool) -> None:
        allows = [one for one in windows if one.window.kind == "allow"]
        passing = [one for one in windows if one.window.kind == "deny" and manual and one.window.manual_sync]
        blocking = [one for one in windows if one.window.kind == "deny" and one not in passing]
        self._free = not allows or (manual and all(one.window.manual_sync for one in allows))
        opening = [] if self._free else [*allows, *passing]
        self._opening = [_Activity(one, first) for one in dict.fromkeys(opening)]
        self._blocking = [_Activity(one, first) for one in dict.fromkeys(blocking)]
        self._runs: dict[int, tuple[tuple[int, int], ...]] = {}

    def open(self, day: int) -> int:
        """The mask of a UTC day."""
        blocked = _union(self._blocking, day)
        if self._free or blocked == daymasks.ALL:
            return daymasks.ALL & ~blocked
        return _union(self._opening, day) & ~blocked

    def open_runs(self, day: int) -> tuple[tuple[int, int], ...]:
        """The same as stretches of seconds."""
        mask = self.open(day)
        if mask not in self._runs:
            self._runs[mask] = tuple(daymasks.runs(mask))
        return self._runs[mask]


def _union(activities: Sequence[_Activity], day: int) -> int:
    mask = 0
    for one in activities:
        mask |= one.on(day)
        if mask == daymasks.ALL:
            break
    return mask


def _glob(pattern: str, text: str) -> bool:
    """Whether a glob (``*``, ``?``, ``[a-z]``, ``[!a]``, ``{a,b}``) matches all of a text."""
    return re.fullmatch(_regex(pattern), text) is not None


def _regex(pattern: str) -> str:
    simple = {"*": ".*", "?": ".", "{": "(?:", "}": ")"}
    parts: list[str] = []
    depth = 0
    for piece in re.findall(r"\[!?[^\]]+\]|.", pattern, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(piece, 0)
        if len(piece) > 1:
            parts.append(piece.replace("[!", "[^", 1))
        elif piece == "," and depth > 0:
            parts.append("|")
        else:
            parts.append(simple.get(piece, re.escape(piece)))
    return "".join(parts) if depth == 0 else re.escape(pattern)
