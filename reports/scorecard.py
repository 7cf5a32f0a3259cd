"""A scored study as frozen values: everything that any output says."""

from __future__ import annotations

from dataclasses import dataclass

from reports.statistics import Estimate
from sim.model.kpis import Kpi
from sim.model.records import Verdict
from sim.study import Stratum


@dataclass(frozen=True, slots=True)
class TargetCheck:
    """A declared target and whether it is met: True or False only if the whole interval says so, else None."""

    period: str
    value: float
    strict: bool
    met: bool | None
    replications: int | None = None
    """How many of each kind of release would decide an undecided target, if they went on as they have; None: unknown."""


@dataclass(frozen=True, slots=True)
class KpiScore:
    """One indicator of one cell, in its own unit."""

    kpi: Kpi
    estimate: Estimate
    unit: str
    targets: tuple[TargetCheck, ...] = ()
    dora: tuple[str, ...] | None = None
    """Clusters of the score's DORA year that contain the mean; None where DORA has no table or there is no mean."""
    lower_bounds: int = 0
    """Replications whose true value is larger, because the run ended first; if any, the mean is a lower bound."""

    @property
    def target(self) -> TargetCheck | None:
        """The target that counts now; None if none is declared.

        The one of period ``objective``; else the first declared that is not ``current`` (which says where a team
        stands, not where it wants to be); else the first.
        """
        return next(iter(sorted(self.targets, key=_rank)), None)


def _rank(check: TargetCheck) -> int:
    return {"objective": 0, "current": 2}.get(check.period.casefold(), 1)


@dataclass(frozen=True, slots=True)
class VerdictShare:
    """How often releases ended this way: of all, of the good and of the bad ones (None if the mix has none)."""

    verdict: Verdict
    share: Estimate
    of_good: float | None
    of_bad: float | None


@dataclass(frozen=True, slots=True)
class Reason:
    """A verdict's reason and its share of all releases."""

    verdict: Verdict
    text: str
    share: float


@dataclass(frozen=True, slots=True)
class Detection:
    """One bad release, for figures: minutes to detection and to which cost; ``found`` False: not within the run."""

    release: str
    minutes: float | None
    failed_requests: float
    bad_minutes: float
    found: bool
    weight: float
    """Its share of all bad releases."""


@dataclass(frozen=True, slots=True)
class StrategyScore:
    """One cell of the study."""

    name: str
    variant: str
    title: str
    scenario_hash: str
    mix: tuple[Stratum, ...]
    verdicts: tuple[VerdictShare, ...]
    kpis: tuple[KpiScore, ...]
    reasons: tuple[Reason, ...]
    detections: tuple[Detection, ...]

    def kpi(self, kpi: Kpi) -> KpiScore:
        """One indicator."""
        return next(score for score in self.kpis if score.kpi is kpi)

    def share(self, verdict: Verdict) -> float:
        """Share of all releases with this verdict."""
        return next((v.share.mean or 0.0 for v in self.verdicts if v.verdict is verdict), 0.0)

    @property
    def label(self) -> str:
        """Name and variant as one text."""
        return f"{self.name} ({self.variant})" if self.variant else self.name


@dataclass(frozen=True, slots=True)
class Difference:
    """How much larger an indicator is in one cell than in another, replication by replication."""

    ours: str
    theirs: str
    kpi: Kpi
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class About:
    """What a report says about its own making."""

    command: str = ""
    """What to type to get this score again; '' if not known."""
    version: str = ""
    """Of rolltwin."""
    assumptions: tuple[tuple[str, str], ...] = ()
    """(name, value) of what the scenario assumes and a reader should check."""


@dataclass(frozen=True, slots=True)
class Score:
    """A scored study: everything that any output says."""

    strategies: tuple[StrategyScore, ...]
    scenario_hash: str
    seed: int
    replications: int
    level: float
    dora_year: int
    differences: tuple[Difference, ...]
    about: About
