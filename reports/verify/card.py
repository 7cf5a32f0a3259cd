"""The comparison as frozen values: everything that any output says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reports.scorecard import About
from reports.statistics import Bounds
from reports.verify.agreement import Agreement
from reports.verify.facts import Decision, Facts, Measure
from reports.verify.series import Deviation, Kolmogorov
from reports.verify.thresholds import Thresholds
from sim.model.records import Verdict


class Answer(StrEnum):
    """Whether something that was asked for beforehand holds."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    """It does."""
    FAIL = "fail"
    """It does not."""
    UNDECIDED = "undecided"
    """Too little is known to say."""
    NOT_ASKED = "not asked"
    """It is reported and not judged."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing asked for: the answer and why."""

    name: str
    answer: Answer
    why: str


@dataclass(frozen=True, slots=True)
class ClusterRun:
    """One run on a cluster."""

    label: str
    """What people call it: the folder it was recorded in, or its seed."""
    facts: Facts
    stated: tuple[tuple[str, str], ...] = ()
    """(what, which): who decided, versions, machine, date."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """One scenario with one kind of release: the twin's replications and the cluster's runs of it."""

    name: str
    title: str
    release: str
    good: bool
    near: bool
    """Stated beforehand to be near a threshold."""
    compression: float
    """Every duration of the scenario was divided by this in both worlds; 1: as written."""
    twin: tuple[Facts, ...]
    cluster: tuple[ClusterRun, ...]
    statements: tuple[str, ...] = ()
    """What a reader must know about how both worlds differ from the scenario as written, a sentence each."""


@dataclass(frozen=True, slots=True)
class TimeError:
    """The cluster's time to decision beside the twin's median over those replications that decided alike."""

    cluster_s: float
    twin_s: float
    low_s: float
    high_s: float
    """90 % interval of these replications."""
    of: int
    """How many they are."""

    @property
    def error_s(self) -> float:
        """Twin minus cluster: positive where the twin decides later."""
        return self.twin_s - self.cluster_s

    @property
    def relative(self) -> float | None:
        """The same as a share of the cluster's time; None for a decision at once."""
        return self.error_s / self.cluster_s if self.cluster_s else None


@dataclass(frozen=True, slots=True)
class Cover:
    """One figure of a cluster's run, and the twin's 90 % interval; ``inside`` None where either world has none."""

    measure: Measure
    value: float | None
    low: float | None
    high: float | None
    inside: bool | None


@dataclass(frozen=True, slots=True)
class RunComparison:
    """One cluster's run held against the twin's replications."""

    run: ClusterRun
    same_verdict: bool
    """As most of the twin's replications."""
    same_step: bool
    same_causes: bool
    verdict_share: float
    """Share of the twin's replications with this run's verdict."""
    decision_share: float
    """The same for verdict and step."""
    kin: str
    """Which replications times and series are compared with."""
    time: TimeError | None
    weights: Deviation | None
    ready: tuple[tuple[str, Deviation], ...]
    latency: tuple[tuple[str, Kolmogorov], ...]
    covers: tuple[Cover, ...]
    checks: tuple[Check, ...]

    @property
    def answer(self) -> Answer:
        """The worst of the checks."""
        return worst(self.checks)


@dataclass(frozen=True, slots=True)
class PairingComparison:
    """One scenario with one kind of release."""

    pairing: Pairing
    decision: Decision
    """The commonest of the twin's: verdict first, then step, then causes."""
    place: str
    """Its step in words; '' for none."""
    verdicts: tuple[tuple[Verdict, float], ...]
    """Shares of the twin's replications, largest first."""
    steps: tuple[tuple[Verdict, str, float], ...]
    """The same by verdict and step in words."""
    runs: tuple[RunComparison, ...]

    @property
    def answer(self) -> Answer:
        """The worst of its runs' answers."""
        return worst(tuple(check for run in self.runs for check in run.checks))


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the twin's 90 % interval held the cluster's value."""

    measure: Measure
    inside: int
    of: int
    bounds: Bounds | None


@dataclass(frozen=True, slots=True)
class Verification:
    """The whole comparison."""

    pairings: tuple[PairingComparison, ...]
    verdicts: Agreement
    steps: Agreement
    """Of (verdict, step)."""
    clear_steps: Agreement
    """The same over the runs that are not near a threshold."""
    causes: Agreement
    """Of (verdict, causes)."""
    coverage: tuple[Coverage, ...]
    thresholds: Thresholds
    replications: int
    seed: int
    about: About

    @property
    def runs(self) -> tuple[tuple[PairingComparison, RunComparison], ...]:
        """Every cluster's run with its scenario."""
        return tuple((pairing, run) for pairing in self.pairings for run in pairing.runs)

    @property
    def answer(self) -> Answer:
        """The worst of all checks."""
        return worst(tuple(check for _, run in self.runs for check in run.checks))


def worst(checks: tuple[Check, ...]) -> Answer:
    """Fail before undecided before pass; what was not asked does not count."""
    given = {check.answer for check in checks}
    order = (Answer.FAIL, Answer.UNDECIDED, Answer.PASS)
    return next((answer for answer in order if answer in given), Answer.NOT_ASKED)
