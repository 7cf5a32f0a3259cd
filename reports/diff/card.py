"""The compared policies as frozen values: everything that any output of a diff says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reports.scorecard import About, KpiScore
from reports.statistics import Estimate
from scenarios.changes import Comparison
from sim.model.kpis import Kpi, KpiTarget
from sim.model.records import Verdict


class Mark(StrEnum):
    """What can be said of an indicator's change."""

    WORSE = "worse"
    """The whole interval is on the worse side of zero, and reaches beyond what is too small to matter."""
    BETTER = "better"
    """The same on the better side."""
    EQUAL = "no change"
    """Equal in every pair of replications."""
    LITTLE = "no clear change"
    """The whole interval is within what is too small to matter."""
    UNDECIDED = "undecided"
    """More replications could still say either."""
    NO_DATA = "no data"
    """No pair of replications has the indicator on both sides."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One indicator on both sides, and new minus old over the pairs of replications that have it on both."""

    kpi: Kpi
    old: KpiScore
    new: KpiScore
    difference: Estimate
    mark: Mark
    equal: int
    """Pairs in which both sides have the same value."""
    bound: str = ""
    """``at least`` or ``at most`` where runs that ended first make the difference a bound; '' otherwise."""


@dataclass(frozen=True, slots=True)
class TargetEffect:
    """A target whose answer changed."""

    target: KpiTarget
    old: bool | None
    new: bool | None


@dataclass(frozen=True, slots=True)
class Transition:
    """Pairs of one kind of release that ended this way under the old policy and that way under the new one."""

    release: str
    good: bool
    old: Verdict
    new: Verdict
    count: int
    of: int
    """Pairs of this kind of release."""
    seed: int
    """Of the first such pair: both sides can be replayed with it."""
    old_reason: str
    new_reason: str
    """Of that pair."""

    @property
    def changed(self) -> bool:
        """Whether the verdict is another."""
        return self.old is not self.new


@dataclass(frozen=True, slots=True)
class Relocation:
    """Pairs of one kind of release that ended alike, but by another gate or in another step."""

    release: str
    verdict: Verdict
    old: str
    new: str
    count: int
    of: int
    seed: int


@dataclass(frozen=True, slots=True)
class Timing:
    """How much later (minutes) releases of one kind end under the new policy, over pairs that end alike."""

    release: str
    verdict: Verdict
    old_min: float
    new_min: float
    difference: Estimate


@dataclass(frozen=True, slots=True)
class Effort:
    """How much was replayed."""

    replications: int
    looks: tuple[int, ...]
    """Numbers of replications after which the results were looked at to decide whether to go on."""
    seed: int
    level: float
    """Of each interval: over all looks together at least 95 %."""


@dataclass(frozen=True)
class Diff:
    """What changed."""

    policies: Comparison
    effort: Effort
    refused: tuple[str, str]
    """Why every release of the old and of the new policy is rejected; '' where not all are."""
    transitions: tuple[Transition, ...]
    relocations: tuple[Relocation, ...]
    timings: tuple[Timing, ...]
    effects: tuple[Effect, ...]
    targets: tuple[TargetEffect, ...]
    left_out: tuple[str, ...]
    """Kinds of release that only one of the two worlds has."""
    about: About
    replay: str = ""
    """The command that replays one release on both sides, up to the release and the seed."""

    def marked(self, mark: Mark) -> tuple[Effect, ...]:
        """The indicators with this mark."""
        return tuple(effect for effect in self.effects if effect.mark is mark)

    @property
    def changed(self) -> tuple[Transition, ...]:
        """The changed verdicts, those that matter most first: good releases stopped, bad ones let through."""
        return tuple(sorted((item for item in self.transitions if item.changed), key=_urgency))

    @property
    def worse(self) -> bool:
        """Whether an indicator got clearly worse, a good release is newly stopped or a bad one newly let through."""
        return bool(self.marked(Mark.WORSE)) or any(_urgency(item)[0] == 0 for item in self.changed)


def _urgency(item: Transition) -> tuple[int, int]:
    harm = _rank(item.new, good=item.good) - _rank(item.old, good=item.good)
    return (0 if harm > 0 else 1, -item.count)


def _rank(verdict: Verdict, *, good: bool) -> int:
    """0: as it should be. A release that ended degraded is as it should be for nobody."""
    if verdict is Verdict.DEGRADED:
        return 2
    if good:
        return int(verdict is not Verdict.PROMOTED)
    return int(verdict in {Verdict.PROMOTED, Verdict.UNDONE})
