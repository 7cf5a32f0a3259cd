"""From models and a study's readings to the card: closed forms and simulated frequencies beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod

from reports.power.card import (
    LEVEL,
    Dot,
    Frequency,
    GatePower,
    Power,
    StepLine,
    Wanted,
    Whole,
    WholeDot,
)
from reports.power.reading import Key, Reading
from reports.scorecard import About
from reports.statistics import wilson
from scenarios.power.advice import Goal, advice
from scenarios.power.asking import LINE_PATHS, Asked, Axis, limit_on, of_axis
from scenarios.power.courses import Course, Curves
from scenarios.power.limits import ended
from scenarios.power.models import GateModel, Rollout
from scenarios.power.world import Truth
from sim.model.analysis import AnalysisPhase
from sim.model.hashing import digest
from sim.timetable.gates import rule_text

Readings = dict[Truth, tuple[Reading, ...]]
"""Replications of each simulated release."""

_ABORTS = frozenset({AnalysisPhase.FAILED, AnalysisPhase.ERROR})
_POINT_PATHS = 4_000


@dataclass(frozen=True)
class Source:
    """What a report is made of: what was asked about which rollout, and what was simulated."""

    curves: Curves
    asked: Asked
    axes: tuple[Axis, ...]
    readings: Readings
    seed: int


def build(source: Source, about: About, rate: str) -> Power:
    """The report; ``rate`` is the traffic in words."""
    rollout, asked = source.curves.rollout, source.asked
    by_axis = [
        gate_power(source.curves, axis, gate, source.readings, asked)
        for axis in source.axes
        for gate in of_axis(rollout, axis)
    ]
    order = [id(gate) for gate in rollout.gates]
    gates = sorted(by_axis, key=lambda one: order.index(id(one.model)))
    return Power(
        about,
        rollout.subject,
        rollout.scenario.title,
        digest(rollout.scenario),
        rate,
        Wanted(asked.power, asked.false_abort),
        max((len(one) for one in source.readings.values()), default=0),
        source.seed,
        source.axes,
        tuple(gates),
        tuple(_whole(axis, gates, source.readings) for axis in source.axes),
        rollout.broken,
    )


def gate_power(curves: Curves, axis: Axis, gate: GateModel, readings: Readings, asked: Asked) -> GatePower:
    """One gate on its axis."""
    rollout, courses = curves.rollout, dict(_courses(curves, axis, gate))
    healthy, bad = courses.get(axis.healthy), courses.get(axis.bad)
    closed = {x: found.ends.abort for x, found in courses.items()}
    dots = tuple(_dots(axis, gate, readings, closed))
    wanted = asked.power, asked.false_abort
    if healthy is None or bad is None:
        able, reaches = False, _seen_to_reach(axis, dots, asked)
    else:
        able, reaches = True, bad.ends.abort >= wanted[0] and healthy.ends.abort <= wanted[1]
    goal = Goal(axis.truth(axis.healthy), axis.truth(axis.bad), *wanted)
    return GatePower(
        gate,
        rule_text(gate.metric),
        axis,
        healthy,
        bad,
        tuple(closed.items()),
        dots,
        tuple(_steps(gate, rollout, healthy, bad)) if healthy is not None and bad is not None else (),
        advice(rollout, gate, goal) if able and not reaches and not gate.dry_run else (),
        limit_on(rollout, gate, axis),
        reaches,
    )


def _seen_to_reach(axis: Axis, dots: Sequence[Dot], asked: Asked) -> bool | None:
    """Whether the simulated frequencies say so, one way or the other; None while their intervals leave it open."""
    at = {dot.x: dot.aborted.bounds for dot in dots}
    if axis.healthy not in at or axis.bad not in at:
        return None
    good, bad = at[axis.healthy], at[axis.bad]
    if good.lo > asked.false_abort or bad.hi < asked.power:
        return False
    return True if good.hi <= asked.false_abort and bad.lo >= asked.power else None


def _courses(curves: Curves, axis: Axis, gate: GateModel) -> Iterator[tuple[float, Course]]:
    """(true value, course) along the axis, as far as there is a closed form."""
    for x in axis.line:
        found = curves.course(gate, axis.truth(x), _POINT_PATHS if x in axis.grid else LINE_PATHS)
        if found is not None:
            yield x, found


def frequency(hits: int, of: int) -> Frequency:
    """A frequency with its interval."""
    return Frequency(hits, of, wilson(hits, of, LEVEL))


def _key(gate: GateModel) -> Key:
    return gate.key.role.value, gate.key.step, gate.key.name, gate.metric.name


def _end(gate: GateModel, reading: Reading) -> tuple[int, AnalysisPhase, float] | None:
    """(index, verdict, instant) of the measurement that decided the gate in one replication."""
    measured = reading.of(_key(gate))
    found = None if measured is None else ended(gate.metric, measured.sequence)
    return None if measured is None or found is None else (*found, measured.times_s[found[0]])


def _dots(axis: Axis, gate: GateModel, readings: Readings, closed: dict[float, float]) -> Iterator[Dot]:
    for x in axis.grid:
        runs = [run for run in readings.get(axis.truth(x), ()) if run.of(_key(gate)) is not None]
        if runs:
            ends = [found[1] for run in runs if (found := _end(gate, run)) is not None]
            aborted = sum(phase in _ABORTS for phase in ends)
            paused = sum(phase is AnalysisPhase.INCONCLUSIVE for phase in ends)
            yield Dot(x, frequency(aborted, len(runs)), paused, closed.get(x))


def _steps(gate: GateModel, rollout: Rollout, healthy: Course, bad: Course) -> Iterator[StepLine]:
    places = [(gate.row_at(at_s), index) for index, at_s in enumerate(gate.instants)]
    followed = min(len(healthy.failing), len(bad.failing))
    for row, members in groupby(places[:followed], key=lambda place: place[0]):
        indices = [index for _, index in members]
        last = indices[-1] + 1
        at_s = gate.instants[indices[0]]
        yield StepLine(
            _step_name(row.number, row.what) if row is not None else gate.where,
            rollout.flow.weight(at_s),
            len(indices),
            _average(healthy.requests, indices),
            _average(healthy.failing, indices),
            1 - _average(bad.failing, indices),
            sum(healthy.ends.aborts[:last]),
            sum(bad.ends.aborts[:last]),
        )


def _step_name(number: int | None, what: str) -> str:
    return what if number is None else f"step {number}"


def _average(values: Sequence[float], indices: Sequence[int]) -> float:
    return sum(values[index] for index in indices) / len(indices)


def _whole(axis: Axis, gates: Sequence[GatePower], readings: Readings) -> Whole:
    judging = [gate for gate in gates if not gate.model.dry_run]
    line = _together(judging, axis)
    closed = dict(line)
    models = [gate.model for gate in judging]
    dots = tuple(
        _whole_dot(models, x, readings[axis.truth(x)], closed.get(x)) for x in axis.grid if readings.get(axis.truth(x))
    )
    known = [gate.healthy for gate in judging if gate.healthy is not None]
    paths = min((course.paths for course in known if course.paths), default=0)
    return Whole(axis, line, dots, len(known), len(judging), paths)


def _together(gates: Sequence[GatePower], axis: Axis) -> tuple[tuple[float, float], ...]:
    """(true value, P(any gate aborts)) if they had nothing to do with each other, of the gates with a closed form.

    Gates on the other axis see a healthy release all along this one.
    """
    others = [gate.healthy for gate in gates if gate.axis.kind is not axis.kind and gate.healthy is not None]
    lines = [dict(gate.line) for gate in gates if gate.axis.kind is axis.kind and gate.line]
    if not lines:
        return ()
    base = prod(1 - course.ends.abort for course in others)
    return tuple(
        (x, 1 - base * prod(1 - line.get(x, 0.0) for line in lines))
        for x in axis.line
        if any(x in line for line in lines)
    )


def _whole_dot(gates: Sequence[GateModel], x: float, runs: Sequence[Reading], closed: float | None) -> WholeDot:
    firsts = [_first(gates, run) for run in runs]
    aborted = [
        (gate, index, at_s)
        for one in firsts
        if one is not None
        for gate, index, phase, at_s in [one]
        if phase in _ABORTS
    ]
    paused = sum(one is not None and one[2] is AnalysisPhase.INCONCLUSIVE for one in firsts)
    times = sorted(at_s for _, _, at_s in aborted)
    steps = [gate.row_at(gate.instants[min(index, len(gate.instants) - 1)]) for gate, index, _ in aborted]
    numbers = [row.number or 0 for row in steps if row is not None]
    return WholeDot(
        x,
        frequency(len(aborted), len(runs)),
        frequency(paused, len(runs)),
        tuple(Counter(gate.name for gate, _, _ in aborted).most_common()),
        tuple(
            (f"step {number}", frequency(sum(one <= number for one in numbers), len(runs)))
            for number in sorted(set(numbers) - {0})
        ),
        _quantile(times, 0.5),
        _quantile(times, 0.95),
        closed,
    )


def _first(gates: Sequence[GateModel], run: Reading) -> tuple[GateModel, int, AnalysisPhase, float] | None:
    """The first gate that stopped the release in one replication: aborted it or left it to a person."""
    ends = [(gate, *found) for gate in gates if (found := _end(gate, run)) is not None]
    stops = [one for one in ends if one[2] in _ABORTS or one[2] is AnalysisPhase.INCONCLUSIVE]
    return min(stops, key=lambda one: one[3], default=None)


def _quantile(times: Sequence[float], share: float) -> float | None:
    """The smallest instant by which this share of the aborts had come."""
    if not times:
        return None
    return times[min(len(times) - 1, max(0, -(-int(share * len(times) * 1000) // 1000) - 1))]
