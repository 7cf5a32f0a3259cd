"""When Argo CD may sync: the sync windows of a project.

Source: evaluators reference 5 (Argo CD 2.10 ``SyncWindows.CanSync``). Windows bind syncs; they never stop a rollout that
is under way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sim.decide.cron import Schedule, activations, next_after, parse
from sim.model.gitops import Application, SyncWindow
from sim.model.units import go_duration_s

Interval = tuple[datetime, datetime]

_LOOK_AHEAD = timedelta(days=400)
_LOOKS = 6
_INSTANT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A window ready to be asked."""

    window: SyncWindow
    schedule: Schedule
    duration: timedelta
    zone: ZoneInfo

    def offset(self, at: datetime) -> timedelta:
        """How far the zone is ahead of UTC at this instant.

        Argo CD shifts the whole schedule by it, also across a clock change.
        """
        return at.astimezone(self.zone).utcoffset() or timedelta()

    def is_active(self, at: datetime) -> bool:
        """Whether the instant lies strictly inside an activation: not at its first instant, nor at its last.

        A schedule that never comes makes Go's zero time, which lies before everything: the window is always active.
        """
        shifted = at + self.offset(at)
        following = next_after(self.schedule, shifted - self.duration)
        return following is None or following < shifted


def _parsed(windows: Sequence[SyncWindow], app: Application) -> tuple[_Parsed, ...]:
    """The windows that bind an application; ValueError for a schedule, duration or zone that cannot be read."""
    return tuple(
        _Parsed(w, parse(w.schedule), timedelta(seconds=go_duration_s(w.duration)), ZoneInfo(w.time_zone or "UTC"))
        for w in windows
        if binds(w, app)
    )


def binds(window: SyncWindow, app: Application) -> bool:
    """Whether a window is about an application: by name, namespace *or* cluster, or by all that it lists (andOperator)."""
    listed = (
        (window.applications, (app.name,)),
        (window.namespaces, (app.target_namespace,)),
        (window.clusters, (app.cluster_name, app.server)),
    )
    hits = [any(_glob(p, v) for p in patterns for v in values if v) for patterns, values in listed if patterns]
    return bool(hits) and (all(hits) if window.and_operator else any(hits))


def may_sync(windows: tuple[SyncWindow, ...], app: Application, at: datetime, manual: bool) -> bool:
    """Whether a sync (by hand or automatic) may start at an instant; ValueError if a window cannot be read."""
    return _may(_parsed(windows, app), at, manual=manual)


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
    """The first instant from ``after`` on (to the second) at which a sync may start; None if the next years have none."""
    parsed = _parsed(windows, app)
    if _may(parsed, after, manual=manual):
        return after
    for look in range(_LOOKS):
        start = after + look * _LOOK_AHEAD
        for opens, _ in _open(parsed, (start, start + _LOOK_AHEAD), manual=manual):
            return opens if _may(parsed, opens, manual=manual) else opens + _INSTANT
    return None


def open_hours(windows: tuple[SyncWindow, ...], app: Application, year: int, manual: bool) -> tuple[Interval, ...]:
    """The intervals of a calendar year (UTC) in which a sync may start, in order, touching ones joined."""
    span = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    return tuple(_open(_parsed(windows, app), span, manual=manual))


def _open(windows: Sequence[_Parsed], span: Interval, *, manual: bool) -> Iterator[Interval]:
    """Open intervals of a span: between two edges nothing changes, so one look in the middle is enough."""
    edges = sorted({*span, *(edge for w in windows for edge in _edges(w, span))})
    current: Interval | None = None
    for start, end in pairwise(edges):
        if not _may(windows, start + (end - start) / 2, manual=manual):
            continue
        if current is not None and current[1] == start:
            current = current[0], end
            continue
        if current is not None:
            yield current
        current = start, end
    if current is not None:
        yield current


def _edges(window: _Parsed, span: Interval) -> Iterator[datetime]:
    """Instants inside a span at which a window may open, close or shift."""
    shifts = list(_clock_changes(window, span))
    bounds = [span[0], *shifts, span[1]]
    for start, end in pairwise(bounds):
        offset = window.offset(start)
        for opens in activations(window.schedule, start + offset - window.duration - _INSTANT, end + offset):
            for edge in (opens - offset, opens - offset + window.duration):
                if start < edge < end:
                    yield edge
    yield from shifts


def _clock_changes(window: _Parsed, span: Interval) -> Iterator[datetime]:
    """Instants at which the window's zone changes its offset, to the second."""
    day = span[0]
    while day < span[1]:
        following = min(day + timedelta(days=1), span[1])
        if window.offset(day) != window.offset(following):
            low, high = day, following
            while high - low > _INSTANT:
                middle = low + (high - low) / 2
                low, high = (middle, high) if window.offset(middle) == window.offset(day) else (low, middle)
            yield high.replace(microsecond=0)
        day = following


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
