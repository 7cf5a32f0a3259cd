"""The least that reaches a wanted power: of the release's share, of the window, of the measurements, of the traffic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from math import floor, log

from scenarios.power.courses import course
from scenarios.power.models import GateModel, Rollout
from scenarios.power.readings import Share
from scenarios.power.world import Truth
from sim.decide.assessment import effective_count, tolerated

SHARES = (1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 75, 100)
"""Traffic shares that are tried first, percent; below the first that is enough every whole one is tried then."""
WINDOWS_S = (30.0, *(60.0 * n for n in range(1, 11)), *(300.0 * n for n in range(3, 13)))
"""Whole minutes up to ten, and every five up to an hour."""
COUNTS = tuple(range(1, 16))
MOST_FAILURES = 5
"""The highest failureLimit that is tried."""
MOST_TRAFFIC = 1000.0
"""Times the traffic; beyond it the advice helps nobody."""
_PATHS = 1_000
_GROWTH, _FINER = 1.25, 5
"""Traffic is tried in steps of a quarter, then in a fifth of such a step (4.6 %)."""


class Knob(StrEnum):
    """What is turned, everything else being left as it is written."""

    SHARE = "share"
    """Percent of the traffic."""
    WINDOW = "window"
    """Seconds in the query's range."""
    LIMITS = "limits"
    """count and failureLimit."""
    TRAFFIC = "traffic"
    """Times the traffic."""


@dataclass(frozen=True)
class Advice:
    """One knob's least setting that reaches what is wanted, or None if no setting tried does."""

    knob: Knob
    value: float | None
    limit: int | None = None
    """With ``LIMITS``: failureLimit (``value`` is the count)."""
    false_abort: float = 0.0
    miss: float = 0.0
    paths: int = 0
    """Draws that both were counted from; 0 where they are exact."""
    rps: float | None = None
    """With ``TRAFFIC``: requests a second, where the gate sees the release first."""


@dataclass(frozen=True)
class Goal:
    """The two releases that must be told apart, and how well."""

    healthy: Truth
    bad: Truth
    power: float
    false_abort: float

    def met(self, false_abort: float, miss: float) -> bool:
        """Whether both errors are rare enough."""
        return false_abort <= self.false_abort and 1 - miss >= self.power


def enough(rollout: Rollout, gate: GateModel, goal: Goal) -> tuple[float, float, int] | None:
    """(P(the healthy release is aborted), P(the bad one is not), draws) where that is what is wanted; else None."""
    bad = course(rollout, gate, goal.bad, _PATHS)
    if bad is None or not goal.met(0.0, 1 - bad.ends.abort):
        return None
    good = course(rollout, gate, goal.healthy, _PATHS)
    if good is None or not goal.met(good.ends.abort, 1 - bad.ends.abort):
        return None
    return good.ends.abort, 1 - bad.ends.abort, min(good.paths, bad.paths)


def advice(rollout: Rollout, gate: GateModel, goal: Goal) -> tuple[Advice, ...]:
    """One for each knob that can be turned at this gate."""
    found = (_share(rollout, gate, goal), _window(rollout, gate, goal), _limits(rollout, gate, goal),
             _traffic(rollout, gate, goal))  # fmt: skip
    return tuple(one for one in found if one is not None)


Candidates = Iterator[tuple[float, int | None, Rollout, GateModel]]


def _least(knob: Knob, candidates: Candidates, goal: Goal) -> Advice:
    for value, limit, rollout, gate in candidates:
        found = enough(rollout, gate, goal)
        if found is not None:
            return Advice(knob, value, limit, *found)
    return Advice(knob, None)


def _share(rollout: Rollout, gate: GateModel, goal: Goal) -> Advice | None:
    now = rollout.flow.weight(gate.instants[0])
    if now <= 0 or gate.reading is None or "stable" in gate.reading.sides:
        return None
    flow = rollout.flow

    def tried(shares: Iterable[int]) -> Candidates:
        for share in shares:
            yield float(share), None, replace(rollout, flow=replace(flow, weight_factor=share / now)), gate

    first = _least(Knob.SHARE, tried(SHARES), goal)
    less = range(1, int(first.value or 1))
    found = _least(Knob.SHARE, tried(share for share in less if share not in SHARES), goal)
    return first if found.value is None else found


def _window(rollout: Rollout, gate: GateModel, goal: Goal) -> Advice | None:
    reading = gate.reading
    if reading is None or (isinstance(reading, Share) and reading.bucket_s):
        return None  # Datadog's bucket is not the user's to choose, but for a rollup
    return _least(
        Knob.WINDOW,
        ((window, None, rollout, replace(gate, reading=replace(reading, window_s=window))) for window in WINDOWS_S),
        goal,
    )


def _limits(rollout: Rollout, gate: GateModel, goal: Goal) -> Advice | None:
    metric = gate.metric
    if metric.interval is None or tolerated(metric).failures is None or metric.consecutive_success_limit:
        return None
    count = effective_count(metric)
    counts: tuple[int | None, ...] = (None,) if count is None else COUNTS

    def tried() -> Candidates:
        for tries in counts:
            for limit in range(min(MOST_FAILURES + 1, tries or MOST_FAILURES + 1)):
                changed = replace(metric, count=tries, failure_limit=limit)
                yield float(tries or 0), limit, rollout, replace(gate, metric=changed)

    return _least(Knob.LIMITS, tried(), goal)


def _traffic(rollout: Rollout, gate: GateModel, goal: Goal) -> Advice:
    now = rollout.flow.rate_rps(max(0.0, gate.instants[0]))
    most = floor(log(MOST_TRAFFIC) / log(_GROWTH)) * _FINER

    def tried(steps: Iterable[int]) -> Candidates:
        for step in steps:
            factor = _GROWTH ** (step / _FINER)
            flow = replace(rollout.flow, factor=factor * rollout.flow.factor)
            yield factor, None, replace(rollout, flow=flow), gate

    found = _least(Knob.TRAFFIC, tried(range(_FINER, most + 1, _FINER)), goal)
    if found.value is None:
        return found
    step = round(log(found.value) / log(_GROWTH)) * _FINER
    found = _least(Knob.TRAFFIC, tried(range(step - _FINER + 1, step + 1)), goal)
    return replace(found, rps=now * (found.value or 0.0))
