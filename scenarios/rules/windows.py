"""RT6xx: sync windows that do not cover what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from scenarios.findings import Path, Severity
from scenarios.manifests import Document
from scenarios.rules.applications import App, applications
from scenarios.rules.context import Context
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.tree import entries, text, texts
from sim.decide import cron
from sim.model.units import duration_text, go_duration_s

_WEEK_H = 168.0
_MOST_STARTS_A_DAY = 24
"""A schedule that fires more often is meant as always; its single openings say nothing."""
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Window:
    """One entry of ``spec.syncWindows``."""

    project: Document
    path: Path
    data: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """``allow`` or ``deny``."""
        return text(self.data, "kind")

    @property
    def schedule(self) -> str:
        """Cron expression."""
        return text(self.data, "schedule")

    @property
    def zone(self) -> str:
        """Time zone; UTC where none is written, as in Argo CD."""
        return text(self.data, "timeZone") or "UTC"

    @property
    def length(self) -> timedelta | None:
        """Duration, or None where it cannot be read."""
        try:
            seconds = go_duration_s(text(self.data, "duration"))
        except (ValueError, IndexError):
            return None
        return timedelta(seconds=seconds) if 0 < seconds < 1e9 else None

    @property
    def manual(self) -> bool:
        """``manualSync``."""
        return self.data.get("manualSync") is True

    @property
    def words(self) -> str:
        """``deny window '0 0 29 4 *' (168h)``."""
        return f"{self.kind} window {self.schedule!r} ({text(self.data, 'duration')}) of project {self.project.name!r}"

    def openings(self, year: int) -> tuple[tuple[datetime, datetime], ...]:
        """Every (start, end) of a calendar year, aware in the window's zone; empty if anything is unreadable."""
        length = self.length
        if length is None or not zone_known(self.zone):
            return ()
        return tuple((start, start + length) for start in starts(self.schedule, self.zone, year))


@lru_cache(maxsize=256)
def starts(schedule: str, zone: str, year: int) -> tuple[datetime, ...]:
    """Every instant of a year at which a schedule fires; empty if it cannot be read or fires all the time."""
    try:
        parsed = cron.parse(schedule)
    except ValueError:
        return ()
    if len(parsed.minutes) * len(parsed.hours) > _MOST_STARTS_A_DAY:
        return ()
    local = ZoneInfo(zone if parsed.zone == "UTC" else parsed.zone)
    before = datetime(year, 1, 1, tzinfo=local) - timedelta(seconds=1)
    last = datetime(year + 1, 1, 1, tzinfo=local) - timedelta(seconds=1)
    found = cron.activations(replace(parsed, zone=local.key), before, last)
    return tuple(instant.astimezone(local) for instant in found)


def zone_known(name: str) -> bool:
    """Whether the time zone exists."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def windows_of(context: Context) -> Iterator[Window]:
    """Every window of every project."""
    for project in context.of_kind("AppProject"):
        for path, data in entries(project.data, "spec", "syncWindows"):
            yield Window(project, path, data)


def year_of(context: Context) -> int:
    """The year that is looked at: the scenario's, or 2026."""
    return context.scenario.delivery.year if context.scenario is not None else 2026


def bad_schedule(context: Context) -> Iterator[Hit]:
    """Schedules Argo CD's parser refuses."""
    for window in windows_of(context):
        try:
            cron.parse(window.schedule)
        except ValueError as error:
            message = f"schedule {window.schedule!r} of project {window.project.name!r}: {error}"
            yield Hit(window.project, (*window.path, "schedule"), message)


def bad_duration(context: Context) -> Iterator[Hit]:
    """Durations Go does not read."""
    for window in windows_of(context):
        written = text(window.data, "duration")
        if window.length is None:
            hours = int(written[:-1]) * 24 if written[:-1].isdigit() and written.endswith("d") else 0
            message = (
                f"duration {written!r} of project {window.project.name!r} is no Go duration such as 30m, 4h or 168h"
            )
            yield Hit(window.project, (*window.path, "duration"), message, f"write {hours}h" if hours else "")


def bad_zone(context: Context) -> Iterator[Hit]:
    """Time zones that do not exist."""
    for window in windows_of(context):
        if not zone_known(window.zone):
            message = f"timeZone {window.zone!r} of project {window.project.name!r} is not in the time zone database"
            yield Hit(window.project, (*window.path, "timeZone"), message)


def never_opens(context: Context) -> Iterator[Hit]:
    """Windows whose date does not exist."""
    year = year_of(context)
    for window in windows_of(context):
        if not _readable(window) or cron.next_after(cron.parse(window.schedule), datetime(year, 1, 1, tzinfo=UTC)):
            continue
        message = f"{window.words} never begins: no date matches its schedule, and Argo CD then takes it for open all the time"
        yield Hit(window.project, (*window.path, "schedule"), message)


def no_time_zone(context: Context) -> Iterator[Hit]:
    """Windows in UTC that nobody asked to be in UTC."""
    for window in windows_of(context):
        opened = window.openings(year_of(context))
        if text(window.data, "timeZone") or not opened or _all_day(window):
            continue
        start, end = opened[0]
        example = f"{start:%a %d %b %H:%M}-{end:%a %d %b %H:%M} UTC"
        message = f"{window.words} has no timeZone, so it is in UTC: the first of {start.year} is {example}"
        yield Hit(window.project, window.path, message)


def _all_day(window: Window) -> bool:
    return window.schedule.split() == ["*"] * 5


def fires_more_often(context: Context) -> Iterator[Hit]:
    """Ranges of months or days that open the window more often than one stretch."""
    for window in windows_of(context):
        fields = window.schedule.split()
        opened = window.openings(year_of(context))
        if len(fields) != 5 or not opened or window.kind != "deny":
            continue
        months = sorted({start.month for start, _ in opened})
        fixed_day = fields[2].isdigit() and fields[4] == "*"
        if fixed_day and len(months) > 1 and fields[3] != "*":
            names = ", ".join(_MONTHS[month] for month in months)
            message = (
                f"{window.words} opens on day {fields[2]} of each of {names}, {len(opened)} times a year, not once"
            )
            yield Hit(window.project, (*window.path, "schedule"), message)


def overlapping_openings(context: Context) -> Iterator[Hit]:
    """Windows that open again before they have closed."""
    for window in windows_of(context):
        opened = window.openings(year_of(context))
        stretches = _merged(opened)
        length = window.length
        if length is None or len(stretches) == len(opened) or _all_day(window):
            continue
        start, end = max(stretches, key=lambda stretch: stretch[1] - stretch[0])
        message = (
            f"{window.words} opens {len(opened)} times in {len(stretches)} stretches: it opens again before it has closed, and "
            f"lasts from {start:%d %b %H:%M} to {end:%d %b %H:%M} {start:%Z}, {duration_text((end - start).total_seconds())} "
            f"instead of {duration_text(length.total_seconds())}"
        )
        yield Hit(window.project, (*window.path, "schedule"), message)


def _merged(spans: tuple[tuple[datetime, datetime], ...]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def day_or_weekday(context: Context) -> Iterator[Hit]:
    """Day of month and day of week together, which are alternatives."""
    for window in windows_of(context):
        fields = window.schedule.split()
        if len(fields) == 5 and not {fields[2][0], fields[4][0]} & {"*", "?"}:
            message = (
                f"{window.words} opens on days {fields[2]} OR on weekdays {fields[4]}: cron does not want both to hold"
            )
            yield Hit(window.project, (*window.path, "schedule"), message)


def freezes_people(context: Context) -> Iterator[Hit]:
    """Deny windows during which not even a hotfix can be synced."""
    for window in windows_of(context):
        stretches = _merged(window.openings(year_of(context)))
        if window.kind == "deny" and stretches and not window.manual:
            start, end = max(stretches, key=lambda stretch: stretch[1] - stretch[0])
            message = (
                f"{window.words} denies manual syncs too: for {duration_text((end - start).total_seconds())} from "
                f"{start:%d %b %H:%M} {start:%Z} neither a hotfix nor a revert can be deployed"
            )
            yield Hit(window.project, window.path, message)


def people_unbound(context: Context) -> Iterator[Hit]:
    """Allow windows that people may ignore."""
    for project in context.of_kind("AppProject"):
        allows = [window for window in windows_of(context) if window.project is project and window.kind == "allow"]
        who = _may_sync(project)
        if allows and who and all(window.manual for window in allows):
            message = (
                f"every allow window of project {project.name!r} has manualSync: true: they bind automated syncs only, and "
                f"{who} may sync at any time"
            )
            yield Hit(project, (*allows[0].path, "manualSync"), message)


def _may_sync(project: Document) -> str:
    """Who else than administrators may sync: a role that is granted just that, or anybody where there are no roles."""
    roles = [role for _, role in entries(project.data, "spec", "roles")]
    for role in roles:
        if any(re.search(r",\s*applications\s*,\s*sync\s*,", policy) for policy in texts(role, "policies")):
            return f"role {text(role, 'name')!r}"
    return "" if roles else "everybody with the right to sync"


def time_open(context: Context) -> Iterator[Hit]:
    """How many hours a week automated syncs have."""
    year = year_of(context)
    hours_of_year = (datetime(year + 1, 1, 1, tzinfo=UTC) - datetime(year, 1, 1, tzinfo=UTC)).total_seconds() / 3600
    for project in context.of_kind("AppProject"):
        mine = [window for window in windows_of(context) if window.project is project]
        allow, deny = (_merged(_within(mine, kind, year)) for kind in ("allow", "deny"))
        if not allow:
            continue
        hours = _hours_without(allow, deny)
        message = (
            f"automated syncs of project {project.name!r} have {hours:.0f} h in {year} ({hours / hours_of_year:.1%}, "
            f"{hours / hours_of_year * _WEEK_H:.1f} h a week); windows bound syncs, not the rollouts they start"
        )
        yield Hit(project, ("spec", "syncWindows"), message)


def _within(windows: list[Window], kind: str, year: int) -> tuple[tuple[datetime, datetime], ...]:
    """Openings of one kind cut to a year; those of the year before may reach into it."""
    first, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    spans = (span for w in windows if w.kind == kind for at in (year - 1, year) for span in w.openings(at))
    return tuple((max(start, first), min(end, last)) for start, end in spans if end > first and start < last)


def _hours_without(spans: list[tuple[datetime, datetime]], holes: list[tuple[datetime, datetime]]) -> float:
    total = 0.0
    for start, end in spans:
        inside = [(max(start, a), min(end, b)) for a, b in holes if a < end and b > start]
        total += (end - start).total_seconds() - sum((b - a).total_seconds() for a, b in inside)
    return total / 3600


def heals_in_windows_only(context: Context) -> Iterator[Hit]:
    """Self-heal that undoes an undo at the next window."""
    for app, windows in _bound(context):
        if app.self_heals and any(window.kind == "allow" for window in windows):
            message = (
                f"{app.words} heals itself only while a sync window is open: an undo made outside survives until the next one "
                f"opens, and is then reverted to what Git says"
            )
            yield Hit(app.document, app.at("spec", "syncPolicy", "automated", "selfHeal"), message)


def binds_nothing(context: Context) -> Iterator[Hit]:
    """Windows no Application matches."""
    known = list(applications(context))
    for window in windows_of(context):
        mine = [app for app in known if app.project == window.project.name]
        named = any(window.data.get(key) for key in ("applications", "namespaces", "clusters"))
        if not named:
            message = f"{window.words} names no applications, namespaces or clusters: it binds nothing"
            yield Hit(window.project, window.path, message)
        elif mine and not any(_matches(window, app) for app in mine):
            message = (
                f"{window.words} matches no Application of the project (known: {', '.join(app.name for app in mine)})"
            )
            yield Hit(window.project, window.path, message)


def _bound(context: Context) -> Iterator[tuple[App, list[Window]]]:
    everything = list(windows_of(context))
    for app in applications(context):
        yield app, [w for w in everything if w.project.name == app.project and _matches(w, app)]


def _matches(window: Window, app: App) -> bool:
    """Name, namespace or cluster; all that are given with ``andOperator``."""
    destination = ("spec", "destination")
    values = {
        "applications": (app.name,),
        "namespaces": (text(app.data, *destination, "namespace"),),
        "clusters": (text(app.data, *destination, "server"), text(app.data, *destination, "name")),
    }
    answers = [
        any(fnmatchcase(value, pattern) for pattern in texts(window.data, key) for value in candidates if value)
        for key, candidates in values.items()
        if texts(window.data, key)
    ]
    return bool(answers) and (all(answers) if window.data.get("andOperator") is True else any(answers))


def _readable(window: Window) -> bool:
    try:
        cron.parse(window.schedule)
    except ValueError:
        return False
    return window.length is not None and zone_known(window.zone)


RULES = (
    Rule("RT601", "schedule-invalid", Severity.ERROR,
         "Argo CD reads five cron fields (minute, hour, day, month, weekday 0-6); it refuses @daily, L, # and a sixth field.",
         "write five fields, for example '0 10 * * 1-5'", bad_schedule),
    Rule("RT602", "duration-invalid", Severity.ERROR,
         "Durations are Go durations: hours, minutes, seconds; there are no days.",
         "write hours: 7d is 168h", bad_duration),
    Rule("RT603", "window-never-begins", Severity.ERROR, "No date matches the schedule; Argo CD computes with a time before all times then, and the window is always active.",
         "correct day and month", never_opens),
    Rule("RT604", "no-time-zone", Severity.WARNING, "A window without timeZone is in UTC, wherever the team lives.",
         "write timeZone, even if it is UTC", no_time_zone),
    Rule("RT605", "fires-more-often", Severity.WARNING,
         "A range in the month field repeats the day in each of the months; it does not make a span from one to the other.",
         "one entry for each span: its first day, and a duration that reaches its last", fires_more_often),
    Rule("RT606", "openings-overlap", Severity.WARNING,
         "A range in the day field opens the window on each of the days, each for the full duration.",
         "one start, and a duration that covers the whole span", overlapping_openings),
    Rule("RT607", "day-or-weekday", Severity.WARNING,
         "When both day of month and weekday are restricted, cron fires if either holds.",
         "restrict one of the two", day_or_weekday),
    Rule("RT608", "freeze-without-exit", Severity.WARNING,
         "A deny window without manualSync blocks every sync, a person's hotfix and a revert included.",
         "manualSync: true on the deny window, with the right to sync given to few", freezes_people),
    Rule("RT609", "people-unbound", Severity.WARNING,
         "manualSync: true on an allow window lets people sync while it is closed.",
         "manualSync: false, unless that is what the window is for", people_unbound),
    Rule("RT610", "time-open", Severity.INFO, "Lead time is bounded by the wait for the next window.",
         "open windows on more days if lead time matters", time_open),
    Rule("RT611", "heals-in-windows-only", Severity.WARNING,
         "Self-heal is an automated sync: windows delay it, and a release undone by hand returns when the next one opens.",
         "undo by git revert, or leave automated out", heals_in_windows_only),
    Rule("RT612", "window-binds-nothing", Severity.ERROR,
         "A window binds the Applications it matches by name, namespace or cluster; with none of them, none.",
         "applications: ['*']", binds_nothing),
    Rule("RT613", "zone-unknown", Severity.ERROR, "A window in a zone that does not exist is refused.",
         "use a name of the tz database, such as Asia/Tokyo", bad_zone),
)  # fmt: skip
