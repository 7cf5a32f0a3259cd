"""What a survey found as the twin's offered traffic: rates over time and kinds of requests. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import inf
from typing import Final

from scenarios.locustfiles.asking import Kind, Survey, SurveyError
from sim.model.load import RequestClass, Stage
from sim.model.pods import Labels

MOST_STEPS: Final = 40
"""More steps than these are drawn as straight pieces instead."""
TOLERANCE: Final = 0.01
"""Of the highest rate: how far a straight piece may be from the steps it stands for."""
MOST_CLASSES: Final = 50
MOST_VALUES: Final = 5
"""A header with more values than these tells one request from another, not one kind from another."""
_LAST_S: Final = 60.0
_VARIABLE: Final = re.compile(r"(?<=[/=])[^/=&?]*\d[^/=&?]*")
"""A part of a path, or a value in a query, that has digits in it."""


class AtEnd(StrEnum):
    """What comes after the end of Locust's run."""

    STOP = "stop"
    """Nobody calls any more, as in Locust."""
    HOLD = "hold"
    """The last rate goes on."""
    REPEAT = "repeat"
    """The run begins again."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Stages and classes for a ``LoadShape``, and what of the file they do not show."""

    stages: tuple[Stage, ...]
    classes: tuple[RequestClass, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Step:
    start_s: float
    """From the release being applied."""
    rate_rps: float
    users: dict[str, int]


def traffic_of(
    survey: Survey, until_s: float, at_end: AtEnd, released_at_s: float | None = None, hosts: Iterable[str] = ()
) -> Traffic:
    """The open workload nearest to the file's closed one, from the release being applied to ``until_s``.

    ``released_at_s`` is the second of Locust's run at which that is (default: when the first users are all there);
    ``hosts`` are those that anything routes: of others it does not matter who is called. SurveyError without requests.
    """
    if not any(found.requests for found in survey.classes.values()):
        message = "its users send no HTTP requests"
        raise SurveyError(message)
    offset_s = survey.ramped_s if released_at_s is None else released_at_s
    steps = tuple(_steps(survey, until_s, at_end, offset_s))
    classes, left_out = _classes(survey, _weights(survey, steps, until_s), frozenset(hosts))
    return Traffic(_stages(steps), classes, (*_notes(survey, at_end, offset_s, until_s), *left_out))


def _steps(survey: Survey, until_s: float, at_end: AtEnd, offset_s: float) -> Iterator[_Step]:
    """Rates by the users there are, the first at 0."""
    before = _Step(0.0, 0.0, {})
    for step in _all_steps(survey, until_s, at_end, offset_s):
        if step.start_s > 0.0 >= before.start_s:
            yield _Step(0.0, before.rate_rps, before.users)
        if step.start_s > 0.0:
            yield step
        before = step
    if before.start_s <= 0.0:
        yield _Step(0.0, before.rate_rps, before.users)


def _all_steps(survey: Survey, until_s: float, at_end: AtEnd, offset_s: float) -> Iterator[_Step]:
    """From the begin of Locust's run, which is before 0 by ``offset_s``."""
    ended_s = survey.ended_s
    begun_s = -offset_s
    while begun_s < until_s:
        for at_s, users in survey.users:
            if ended_s is None or at_s < ended_s:
                yield _Step(begun_s + at_s, _rate(survey, users), users)
        if ended_s is None or at_end is AtEnd.HOLD:
            return
        if at_end is AtEnd.STOP or ended_s <= 0:
            yield _Step(begun_s + ended_s, 0.0, {})
            return
        begun_s += ended_s


def _rate(survey: Survey, users: dict[str, int]) -> float:
    return sum(number * survey.classes[name].rate_rps for name, number in users.items())


def _stages(steps: Sequence[_Step]) -> tuple[Stage, ...]:
    kept = [steps[0]]
    for step in steps[1:]:
        if abs(step.rate_rps - kept[-1].rate_rps) > 1e-9:
            kept.append(step)
    if len(kept) > MOST_STEPS:
        return _pieces([(step.start_s, step.rate_rps) for step in kept])
    ends = [*(step.start_s for step in kept[1:]), kept[-1].start_s + _LAST_S]
    return tuple(Stage(_s(end - step.start_s), _s(step.rate_rps)) for step, end in zip(kept, ends, strict=True))


def _s(number: float) -> float:
    """Without the noise of adding floats."""
    return round(number, 6)


def _pieces(points: list[tuple[float, float]]) -> tuple[Stage, ...]:
    """Straight pieces through as few of the points as keep near all of them."""
    tolerance = TOLERANCE * max(rate for _, rate in points)
    chosen = _through(points, tolerance)
    # A first stage cannot be a ramp: there is no rate before it.
    first_s = min(1e-3, (chosen[1][0] - chosen[0][0]) / 2)
    stages = [Stage(first_s, _s(chosen[0][1]))]
    for number, ((start_s, _), (end_s, rate)) in enumerate(pairwise(chosen)):
        lost_s = first_s if number == 0 else 0.0
        stages.append(Stage(_s(end_s - start_s - lost_s), _s(rate), ramp=True))
    return tuple(stages)


def _through(points: list[tuple[float, float]], tolerance: float) -> list[tuple[float, float]]:
    """Ramer, Douglas and Peucker's choice of points, by distance in rate; without recursion."""
    keep, open_ends = {0, len(points) - 1}, [(0, len(points) - 1)]
    while open_ends:
        first, last = open_ends.pop()
        (t0, r0), (t1, r1) = points[first], points[last]
        slope = (r1 - r0) / (t1 - t0) if t1 > t0 else 0.0
        worst, at = 0.0, first
        for k in range(first + 1, last):
            distance = abs(points[k][1] - r0 - slope * (points[k][0] - t0))
            if distance > worst:
                worst, at = distance, k
        if worst > tolerance:
            keep.add(at)
            open_ends += [(first, at), (at, last)]
    return [points[k] for k in sorted(keep)]


def _weights(survey: Survey, steps: Sequence[_Step], until_s: float) -> dict[str, float]:
    """Requests of each class of users until the end, in expectation."""
    weights: dict[str, float] = defaultdict(float)
    ends = [*(step.start_s for step in steps[1:]), until_s]
    for step, end_s in zip(steps, ends, strict=True):
        for name, number in step.users.items():
            seconds = max(0.0, min(end_s, until_s) - step.start_s)
            weights[name] += seconds * number * survey.classes[name].rate_rps
    # Where nobody ever calls, what they would call does not matter, but has to add up.
    return (
        dict(weights) if sum(weights.values()) > 0 else {name: found.rate_rps for name, found in survey.classes.items()}
    )


_Key = tuple[str, str, Labels, str]


def _classes(
    survey: Survey, weights: dict[str, float], hosts: frozenset[str]
) -> tuple[tuple[RequestClass, ...], tuple[str, ...]]:
    """Kinds of requests by share, the largest last; plain ones, if there are no others, need no class."""
    steady = _steady_headers(survey)
    groups: dict[_Key, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    total = sum(weights.values())
    for name, found in survey.classes.items():
        for kind in found.kinds:
            share = weights.get(name, 0.0) / total * kind.number / found.requests
            groups[_key(kind, steady, hosts)][kind.path] += share
    ranked = sorted(groups.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    shown = [(key, paths) for key, paths in ranked[:MOST_CLASSES] if sum(paths.values()) > 0]
    if [key for key, _ in shown] == [("GET", "/", (), "")]:
        return (), ()
    complete = len(ranked) <= MOST_CLASSES
    notes = () if complete else (f"of {len(ranked)} kinds of requests the {MOST_CLASSES} most frequent are told apart",)
    return tuple(_numbered(shown, complete)), notes


def _numbered(shown: Sequence[tuple[_Key, dict[str, float]]], complete: bool) -> Iterator[RequestClass]:
    """The classes, smallest first; the largest has what is left to 1, so that sums are exact."""
    given = 0.0
    for number, ((method, template, headers, host), paths) in reversed(list(enumerate(shown))):
        share = 1.0 - given if complete and number == 0 else round(sum(paths.values()), 9)
        given += share
        path = min(paths, key=lambda one: (-paths[one], one))
        name = template if " " in template or not template.startswith("/") else f"{method} {template}"
        yield RequestClass(share, name, path, method, headers, host=host)


def _key(kind: Kind, steady: frozenset[str], hosts: frozenset[str]) -> _Key:
    template = kind.name or _VARIABLE.sub("*", kind.path)
    headers = tuple(item for item in kind.headers if item[0] in steady)
    return kind.method, template, headers, kind.host if kind.host in hosts else ""


def _steady_headers(survey: Survey) -> frozenset[str]:
    """Headers of few values."""
    values: dict[str, set[str]] = defaultdict(set)
    for found in survey.classes.values():
        for kind in found.kinds:
            for name, value in kind.headers:
                values[name].add(value)
    return frozenset(name for name, seen in values.items() if len(seen) <= MOST_VALUES)


def _notes(survey: Survey, at_end: AtEnd, offset_s: float, until_s: float) -> Iterator[str]:
    for name, found in survey.classes.items():
        for line, message in found.problems:
            where = f" (line {line})" if line else ""
            yield f"a task of {name} ended in {message}{where} where every answer is 200 and {{}}: what it asks for after that is missing"
        if not found.requests:
            yield f"users of {name} send no HTTP requests"
        elif found.stops:
            yield f"users of {name} stop by themselves in Locust; here they go on"
    ended_s = inf if survey.ended_s is None else survey.ended_s - offset_s
    if at_end is AtEnd.STOP and ended_s < until_s:
        yield f"Locust's run ends {max(ended_s, 0.0):g} s after the release is applied: nobody calls from then on (traffic.at_end)"
