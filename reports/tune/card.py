"""A finished search as frozen values: everything that any output says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reports.scorecard import About
from reports.statistics import Estimate
from reports.tune.measures import Constraint, Measure, Objective


class Fate(StrEnum):
    """What became of a setting that was tried."""

    COMPLETE = "complete"
    """All its replications were run."""
    INFEASIBLE = "infeasible"
    """Stopped early: its replications so far left no doubt that it breaks a constraint."""
    DOMINATED = "dominated"
    """Stopped early: another setting was better in every objective, replication by replication, without doubt."""
    REFUSED = "refused"
    """The controller, or the loader, does not take such a manifest."""


Settings = tuple[tuple[str, str], ...]
"""(name, value as written)."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One setting of all parameters and what its replications showed."""

    index: int
    origin: str
    """Why it was tried: ``as written``, ``pauses halved`` ... or ``search``."""
    settings: Settings
    fate: Fate
    said: str = ""
    """Why it was stopped or refused."""
    replications: int = 0
    """Of each kind of release."""
    objectives: tuple[Estimate, ...] = ()
    constraints: tuple[Estimate, ...] = ()
    violations: tuple[float, ...] = ()
    """By how much of its limit each constraint is broken; 0 where it is kept to."""
    beside: int | None = None
    """The setting whose paths it shares, for it was tried because only limits and thresholds differ; None for a proposal."""

    @property
    def feasible(self) -> bool:
        """Whether its estimates keep to every constraint and there is one of every objective."""
        return (
            self.fate in {Fate.COMPLETE, Fate.DOMINATED}
            and not any(violation > 0 for violation in self.violations)
            and all(estimate.mean is not None for estimate in self.objectives)
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One measure before and after, on releases that were not searched with."""

    measure: Measure
    before: Estimate
    after: Estimate
    difference: Estimate
    """After less before, replication by replication; of a quantile, of its mean."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One constraint of the chosen policy, on releases that were not searched with."""

    constraint: Constraint
    estimate: Estimate
    """Of its measure."""
    met: bool | None
    """None: the interval does not say."""
    kept: int
    of: int
    """Replications that keep to it, of those to which it applies."""
    before: bool | None
    """The same of the policy as written."""
    broken: Estimate | None = None
    """The share that breaks it, by an interval that holds at every look, if it was followed until it was decided."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The chosen policy and the one as written, in fresh replications."""

    seed: int
    replications: tuple[tuple[str, int], ...]
    """Of the chosen policy, by kind of release."""
    pairs: int
    """Those that the policy as written met too."""
    rows: tuple[Row, ...]
    claims: tuple[Claim, ...]
    most: int = 0
    """How many of a kind there might have been; 0 where their number was fixed beforehand."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The question."""

    title: str
    scenario_hash: str
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    space: tuple[tuple[str, str, str, str], ...]
    """(name, values as given, as written now, place)."""
    releases: tuple[str, ...]
    """Kinds that were simulated."""
    seed: int
    trials: int
    """Settings to propose; others are tried beside them."""
    looks: tuple[int, ...]
    """Replications of each kind after which a setting may be stopped; the last is all of them."""
    level: float
    sampler: str = "tpe"
    """Who proposes: ``tpe`` or ``nsga2``."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Of objectives and constraints, each once."""
        found = [item.measure for item in self.objectives] + [item.measure for item in self.constraints]
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Importance:
    """Shares of an objective's spread over all settings tried that a parameter alone explains, largest first."""

    objective: Objective
    shares: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Tuning:
    """The search and its outcome."""

    asked: Asked
    tried: tuple[Tried, ...]
    written: Tried
    """The policy as written."""
    front: tuple[Tried, ...]
    """Feasible settings that none dominates, in more replications than the search gave them."""
    knee: Tried | None
    held_out: HeldOut | None
    patch: str
    apply: str
    """What applies the patch."""
    unwritten: tuple[str, ...]
    importances: tuple[Importance, ...]
    about: About
    unfinished: str = ""
    """Why there are fewer settings than asked for; '' if there are not."""
