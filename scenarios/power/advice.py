"""The least that reaches a wanted power: of the release's share, of the window, of the measurements, of the traffic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from scenarios.power.courses import course
from scenarios.power.models import GateModel, Rollout
from scenarios.power.readings import Share
from scenarios.power.world import Truth
from sim.decide.assessment import effective_count, tolerated

SHARES = (1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 75.0, 100.0)
"""Traffic shares that are tried, percent."""
WINDOWS_S = (30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)
COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15)
MOST_TRAFFIC = 1000.0
"""Times the traffic; beyond it the advice helps nobody."""
_PATHS = 1_000
_GROWTH = 1.25


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


def errors_of(rollout: Rollout, gate: GateModel, goal: Goal, paths: int = _PATHS) -> tuple[float, float] | None:
    """(P(the healthy release is aborted), P(the bad one is not)); None without a closed form."""
    good, bad = (course(rollout, gate, truth, paths) for truth in (goal.healthy, goal.bad))
    return None if good is None or bad is None else (good.ends.abort, 1 - bad.ends.abort)


def advice(rollout: Rollout, gate: GateModel, goal: Goal) -> tuple[Advice, ...]:
    """One for each knob that can be turned at this gate."""
    found = (_share(rollout, gate, goal), _window(rollout, gate, goal), _limits(rollout, gate, goal),
             _traffic(rollout, gate, goal))  # fmt: skip
    return tuple(one for one in found if one is not None)


Candidates = Iterator[tuple[float, int | None, Rollout, GateModel]]


def _least(knob: Knob, candidates: Candidates, goal: Goal) -> Advice:
    for value, limit, rollout, gate in candidates:
        found = errors_of(rollout, gate, goal)
        if found is not None and goal.met(*found):
            return Advice(knob, value, limit, *found)
    return Advice(knob, None)


def _share(rollout: Rollout, gate: GateModel, goal: Goal) -> Advice | None:
    now = rollout.flow.weight(gate.instants[0])
    if now <= 0 or gate.reading is None or "stable" in gate.reading.sides:
        return None
    flow = rollout.flow

    def tried() -> Candidates:
        for share in SHARES:
            yield share, None, replace(rollout, flow=replace(flow, weight_factor=share / now)), gate

    return _least(Knob.SHARE, tried(), goal)


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
            for limit in range(min(6, tries or 6)):
                changed = replace(metric, count=tries, failure_limit=limit)
                yield float(tries or 0), limit, rollout, replace(gate, metric=changed)

    return _least(Knob.LIMITS, tried(), goal)


def _traffic(rollout: Rollout, gate: GateModel, goal: Goal) -> Advice:
    now = rollout.flow.rate_rps(max(0.0, gate.instants[0]))

    def tried() -> Candidates:
        factor = _GROWTH
        while factor <= MOST_TRAFFIC:
            yield factor, None, replace(rollout, flow=replace(rollout.flow, factor=factor)), gate
            factor *= _GROWTH

    found = _least(Knob.TRAFFIC, tried(), goal)
    return found if found.value is None else replace(found, rps=now * found.value)
