"""Everything a power report says, as values: axes, gates with their chances, the rollout as a whole, recommendations."""

from __future__ import annotations

from dataclasses import dataclass

from reports.scorecard import About
from reports.statistics import Bounds
from scenarios.power.advice import Advice
from scenarios.power.asking import Axis, AxisKind
from scenarios.power.courses import Course
from scenarios.power.models import GateModel

LEVEL = 0.99
"""Of the intervals around simulated frequencies."""


@dataclass(frozen=True)
class Wanted:
    """What the user asks for: P(abort of the bad release) at least, P(abort of the healthy one) at most."""

    power: float
    false_abort: float


@dataclass(frozen=True)
class Frequency:
    """So many of so many replications, with the interval at ``LEVEL``."""

    hits: int
    of: int
    bounds: Bounds

    @property
    def share(self) -> float:
        """The frequency."""
        return self.bounds.mean

    def covers(self, chance: float) -> bool:
        """Whether a chance lies within the interval."""
        return self.bounds.lo <= chance <= self.bounds.hi


@dataclass(frozen=True)
class Dot:
    """One simulated point of a gate's curve."""

    x: float
    aborted: Frequency
    paused: int
    """Of the replications, how many ended without a verdict."""
    closed: float | None
    """What the closed form says there."""


@dataclass(frozen=True)
class StepLine:
    """One gate in one step: what it sees there, how often it is wrong, and what has become of the release by its end."""

    step: str
    weight: float
    measurements: int
    requests: float
    """A measurement."""
    false_fail: float
    """P(a measurement of the healthy release fails)."""
    miss: float
    """P(a measurement of the bad release passes)."""
    false_abort: float
    """P(the healthy release was aborted by this gate by the end of the step)."""
    caught: float
    """P(the bad one was)."""


@dataclass(frozen=True)
class GatePower:
    """One gate."""

    model: GateModel
    rule: str
    axis: Axis
    healthy: Course | None
    bad: Course | None
    line: tuple[tuple[float, float], ...]
    """(true value, P(abort)) by the closed form; empty where there is none."""
    dots: tuple[Dot, ...]
    steps: tuple[StepLine, ...]
    advice: tuple[Advice, ...]
    limit: float | None = None
    """On the axis: up to here the gate's condition holds."""
    reaches: bool | None = None
    """Whether it has the wanted power, by the closed form, else by the simulation; None where neither can tell."""

    @property
    def agreement(self) -> tuple[int, int]:
        """(points at which the closed form lies within the simulated interval, points at which there are both)."""
        both = [dot for dot in self.dots if dot.closed is not None]
        return sum(dot.closed is not None and dot.aborted.covers(dot.closed) for dot in both), len(both)

    def dot_at(self, x: float) -> Dot | None:
        """The simulated point there."""
        return next((dot for dot in self.dots if dot.x == x), None)


@dataclass(frozen=True)
class WholeDot:
    """The whole rollout at one true value: who stopped it first, and when."""

    x: float
    aborted: Frequency
    paused: Frequency
    first: tuple[tuple[str, int], ...]
    """(gate, how often it was the first to abort), most frequent first."""
    by_step: tuple[tuple[str, Frequency], ...]
    """(step, aborted by its end)."""
    median_s: float | None
    """From the release's first request to the abort, among those aborted."""
    p95_s: float | None
    closed: float | None
    """If the gates with a closed form were independent."""


@dataclass(frozen=True)
class Whole:
    """All gates together, on one axis."""

    axis: Axis
    line: tuple[tuple[float, float], ...]
    dots: tuple[WholeDot, ...]
    closed: int
    """Gates with a closed form, which the line is made of ..."""
    of: int
    """... among all that can abort."""
    paths: int = 0
    """Draws behind the line; 0 where all of it is exact."""

    def at(self, x: float) -> WholeDot | None:
        """The simulated point there."""
        return next((dot for dot in self.dots if dot.x == x), None)


@dataclass(frozen=True)
class Power:
    """The whole report of one Rollout."""

    about: About
    subject: str
    title: str
    scenario_hash: str
    rate: str
    """Traffic in words."""
    wanted: Wanted
    replications: int
    seed: int
    axes: tuple[Axis, ...]
    gates: tuple[GatePower, ...]
    wholes: tuple[Whole, ...]
    broken: tuple[tuple[str, str], ...]
    """(where, why) of runs that end in Error at once."""

    def axis(self, kind: AxisKind) -> Axis | None:
        """The axis of this kind."""
        return next((axis for axis in self.axes if axis.kind is kind), None)
