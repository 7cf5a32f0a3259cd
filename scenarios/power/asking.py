"""What is asked of a rollout's gates: which releases have to be told apart, and between which truths the curves run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from math import exp, inf, log

from scenarios.power.courses import Curves
from scenarios.power.models import GateModel, Rollout, healthy_behaviour
from scenarios.power.readings import Quantile, Share
from scenarios.power.world import Truth, bad_share, behaviour_of, server_errors, slower_share
from sim.model.behaviour import Release
from sim.model.load import LoadShape, Stage
from sim.model.scenario import Scenario

_POINTS = 15
"""Of a closed form's line."""
_LEVELS = (0.1, 0.5, 0.9)
"""Chances of an abort near which simulated points say most."""
_MOST_POINTS = 7
_APART = 1.15
"""Two simulated points are no nearer than this."""
LINE_PATHS = 1_000
"""Draws behind each point of a line that is counted."""


class AxisKind(StrEnum):
    """What is wrong with the release, more or less."""

    ERRORS = "errors"
    """It answers a share of requests with an error."""
    LATENCY = "latency"
    """Its service times are a multiple of the healthy ones, or so much longer."""


@dataclass(frozen=True)
class Axis:
    """What is varied: where the healthy and the bad release stand, and what is simulated."""

    kind: AxisKind
    healthy: float
    bad: float
    healthy_errors: float
    """Error share of the healthy release, whatever is varied."""
    added: bool = False
    """Of latency: milliseconds on top instead of a factor."""
    line: tuple[float, ...] = ()
    """At which closed forms are worked out."""
    grid: tuple[float, ...] = ()
    """Simulated."""

    def truth(self, x: float) -> Truth:
        """The release that stands at ``x``."""
        if self.kind is AxisKind.ERRORS:
            return Truth(x)
        return Truth(self.healthy_errors, 1.0, x / 1000.0) if self.added else Truth(self.healthy_errors, x)


@dataclass(frozen=True)
class Asked:
    """What the user said, as far as he did."""

    rps: float | None = None
    healthy: float | None = None
    bad: float | None = None
    slower: float | None = None
    added: bool = False
    grid: tuple[float, ...] = ()
    slow_grid: tuple[float, ...] = ()
    power: float = 0.95
    false_abort: float = 0.01


def at_rate(scenario: Scenario, rps: float | None) -> Scenario:
    """The scenario under this traffic, which does not change with the hour; as it is for None."""
    if rps is None:
        return scenario
    return replace(scenario, load=LoadShape((Stage(3600.0, rps),), classes=scenario.load.classes))


def with_healthy(scenario: Scenario, errors: float | None) -> Scenario:
    """The scenario whose good release fails this share of requests; as it is for None."""
    if errors is None:
        return scenario
    behaviour = behaviour_of(healthy_behaviour(scenario), Truth(errors))
    stable = behaviour_of(scenario.stable, Truth(errors))
    good = Release("good", good=True, share=1.0, behaviour=behaviour)
    bad = tuple(release for release in scenario.mix if not release.good)
    return replace(scenario, stable=stable, release=good, mix=(good, *bad))


def axes_of(curves: Curves, asked: Asked) -> tuple[Axis, ...]:
    """The axes that any gate is about, with their points; errors where no gate is about anything else."""
    rollout = curves.rollout
    kinds = {AxisKind.LATENCY if gate.is_slowness else AxisKind.ERRORS for gate in rollout.gates} or {AxisKind.ERRORS}
    healthy = server_errors(rollout.healthy)
    axes = []
    if AxisKind.ERRORS in kinds:
        axes.append(_with_points(curves, _errors_axis(rollout, asked, healthy), asked.grid))
    if AxisKind.LATENCY in kinds:
        axes.append(_with_points(curves, _latency_axis(rollout, asked, healthy), asked.slow_grid))
    return tuple(axes)


def of_axis(rollout: Rollout, axis: Axis) -> tuple[GateModel, ...]:
    """The gates whose curve runs along this axis."""
    return tuple(gate for gate in rollout.gates if gate.is_slowness is (axis.kind is AxisKind.LATENCY))


def limit_on(rollout: Rollout, gate: GateModel, axis: Axis) -> float | None:
    """Up to where on the axis the gate's condition holds in the long run; None where that cannot be told."""
    reading = gate.reading
    limit = None if reading is None else reading.verdicts.limit
    if limit is None or reading is None:
        return None
    if isinstance(reading, Share) and not reading.is_slowness:
        others = bad_share(behaviour_of(rollout.healthy, Truth(0.0)), reading.statuses)
        return max(0.0, limit - others)

    def passes(x: float) -> bool:
        truth = axis.truth(x)
        behaviour = behaviour_of(rollout.healthy, truth)
        if isinstance(reading, Quantile):
            return slower_share(behaviour, truth, limit) <= 1 - reading.level
        return slower_share(behaviour, truth, reading.slower_than_s or inf) <= limit

    return _turn(passes, axis.healthy)


def _turn(passes: Callable[[float], bool], start: float) -> float | None:
    low, high = start, max(1.0, start) * 2
    if not passes(low):
        return None
    while passes(high):
        low, high = high, high * 2
        if high > 1e6:
            return None
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if passes(middle) else (low, middle)
    return low


def _errors_axis(rollout: Rollout, asked: Asked, healthy: float) -> Axis:
    limits = sorted(
        reading.verdicts.limit
        for gate in rollout.gates
        if isinstance(reading := gate.reading, Share) and not reading.is_slowness and reading.verdicts.limit
    )
    scenario = rollout.scenario
    known = [server_errors(one.behaviour) for one in (*scenario.mix, scenario.release) if not one.good]
    above = [share for share in known if share > (limits[-1] if limits else healthy)]
    bad = asked.bad or min(above, default=min(0.5, 2 * limits[-1]) if limits else 0.05)
    return Axis(AxisKind.ERRORS, healthy, bad, healthy)


def _latency_axis(rollout: Rollout, asked: Asked, errors: float) -> Axis:
    base = rollout.healthy.service_time.median_s
    known = [
        one.behaviour.service_time.median_s / base
        for one in (*rollout.scenario.mix, rollout.scenario.release)
        if not one.good and base > 0 and one.behaviour.service_time.median_s > 1.2 * base
    ]
    if asked.added:
        return Axis(AxisKind.LATENCY, 0.0, asked.slower or 100.0, errors, added=True)
    return Axis(AxisKind.LATENCY, 1.0, asked.slower or min(known, default=2.0), errors)


def _with_points(curves: Curves, axis: Axis, grid: tuple[float, ...]) -> Axis:
    gates = of_axis(curves.rollout, axis)
    limits = [limit for gate in gates if (limit := limit_on(curves.rollout, gate, axis))]
    low, high = _ends(axis, limits, grid)
    spread = tuple(_spread(low, high))
    asked = sorted({axis.healthy, axis.bad, *(grid or _telling(curves, axis, gates, spread))})
    return replace(axis, line=tuple(sorted({*spread, *asked})), grid=tuple(asked))


def _ends(axis: Axis, limits: list[float], grid: tuple[float, ...]) -> tuple[float, float]:
    high = 1.6 * max([axis.bad, *limits, *grid])
    if axis.kind is AxisKind.LATENCY:
        return (1.0 if axis.added else axis.healthy), high
    low = min([*([axis.healthy] if axis.healthy > 0 else []), *(0.5 * limit for limit in limits), axis.bad / 10])
    return low / 1.5, min(1.0, high)


def _spread(low: float, high: float) -> Iterator[float]:
    for step in range(_POINTS):
        yield float(f"{exp(log(low) + (log(high) - log(low)) * step / (_POINTS - 1)):.4g}")


def _telling(curves: Curves, axis: Axis, gates: tuple[GateModel, ...], spread: tuple[float, ...]) -> list[float]:
    """Where the gates' curves rise, as far as there are closed forms; evenly spread where there are none."""
    found: list[float] = []
    for gate in gates:
        line = [(x, curves.course(gate, axis.truth(x), LINE_PATHS)) for x in spread if not gate.dry_run]
        known = [(x, one.ends.abort) for x, one in line if one is not None]
        found += [float(f"{x:.2g}") for x in _crossings(known)]
    if any(gate.reading is None for gate in gates) and len(found) < 4:
        found += [float(f"{spread[round(share * (len(spread) - 1))]:.2g}") for share in (0.25, 0.5, 0.75)]
    return _thinned(sorted(found), (axis.healthy, axis.bad))


def _thinned(found: list[float], kept: tuple[float, float]) -> list[float]:
    apart: list[float] = []
    for x in found:
        if all(max(x, other) > _APART * min(x, other) for other in (*apart, *kept) if other > 0):
            apart.append(x)
    step = max(1.0, len(apart) / (_MOST_POINTS - 2))
    return [apart[int(index * step)] for index in range(min(len(apart), _MOST_POINTS - 2))]


def _crossings(line: list[tuple[float, float]]) -> Iterator[float]:
    """Where a line passes each level for the first time, between its points on the logarithm of x."""
    for level in _LEVELS:
        for (a, before), (b, after) in pairwise(line):
            if before < level <= after:
                yield a * (b / a) ** ((level - before) / (after - before))
                break
