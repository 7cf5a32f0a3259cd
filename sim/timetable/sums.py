"""Sums over walks: peaks, pod-hours, what an abort takes, lines to draw."""

from __future__ import annotations

from collections.abc import Sequence

from sim.timetable.rows import Pair
from sim.timetable.values import Instant, Peak, Point, Relief, Row
from sim.timetable.walk import Frame, Walk


def peak_of(rows: Sequence[Row], pair: Pair, if_aborted: int = 0) -> Peak:
    """The most pods at any pace, and the row in which the first walk that has them is then."""
    walks = (pair.fast, pair.slow)
    frames = [frame for walk in walks for frame in walk.frames]
    pods = max(frame.pods for frame in frames)
    first = next(frame for frame in frames if frame.pods == pods)
    all_of_them = max(frame.pods + frame.leaving for frame in frames)
    fast = first in pair.fast.frames
    return Peak(pods, all_of_them, _row_at(rows, first, fast=fast), round(first.t_s, 3), max(pods, if_aborted))


def _row_at(rows: Sequence[Row], frame: Frame, *, fast: bool) -> int:
    for index, row in enumerate(rows):
        end_s = row.end.earliest_s if fast else row.end.latest_s
        if end_s is None or frame.t_s <= end_s:
            return index
    return max(0, len(rows) - 1)


def extra_pod_hours(walk: Walk, desired: int) -> float | None:
    """Pods above the desired number, terminating ones included, until the last is gone; None if it waits for a person."""
    if walk.frames[-1].waits:
        return None
    seconds = sum(
        length * max(0, frame.pods + frame.leaving - desired)
        for length, frame in walk.stretches(0.0, walk.frames[-1].t_s)
    )
    return round((seconds + _last_leave_s(walk)) / 3600.0, 3)


def _last_leave_s(walk: Walk) -> float:
    """Pod-seconds of those that were still terminating when nothing else was to come."""
    last = walk.frames[-1]
    return last.leaving * walk.grace_s


def relief_of(weight: float, pair: Pair) -> Relief:
    """How long it takes from the abort until no traffic, and until no pod of the release, is left."""
    fast, slow = _after(pair.fast), _after(pair.slow)
    return Relief(weight, Instant(fast[0], slow[0]), Instant(fast[1], slow[1]))


def _after(walk: Walk) -> tuple[float | None, float | None]:
    aborted = walk.aborted
    if aborted is None:
        return None, None
    rest = [frame for frame in walk.frames if frame.t_s >= aborted.t_s and frame.aborted]
    off = next((frame.t_s for frame in rest if frame.weight == 0), None)
    gone = next((frame.t_s for frame in rest if frame.candidate == 0), None)
    return tuple(None if at is None else round(at - aborted.t_s, 3) for at in (off, gone))  # type: ignore[return-value]  # two of them


def points(walk: Walk) -> tuple[Point, ...]:
    """The walk's line: one point for each change."""
    found: list[Point] = []
    for frame in walk.frames:
        made = Point(round(frame.t_s, 3), round(frame.weight, 3), frame.candidate, frame.stable, frame.pods)
        if found and found[-1].t_s == made.t_s:
            found.pop()
        if not found or (found[-1].weight, found[-1].candidate_pods, found[-1].stable_pods, found[-1].pods) != (
            made.weight, made.candidate_pods, made.stable_pods, made.pods,
        ):  # fmt: skip
            found.append(made)
    return tuple(found)
