"""What one replication says about a claim: whether it keeps it, and by what value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from reports.outcome import Outcome, outcome_of
from reports.views import of_kind
from scenarios.policy.claims import Aborted, Claim, FalselyAborted, Happening, Indicator, Missed, Promoted
from sim.model.kpis import Kpi
from sim.model.records import DecisionRecord, RunResult, Verdict

FINE_WITHOUT = frozenset({Kpi.RECOVERY_TIME, Kpi.TIME_TO_DETECT})
"""Indicators that do not apply to a replication in which nothing bad happened: no harm to recover from, no request of a
bad release to detect. A bound on one is kept there; where another does not apply (never served everybody), it is not."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One replication as claims see it."""

    outcome: Outcome
    aborted_s: float | None = None
    """When the release was last aborted, seconds after the apply."""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Observed:
        """What ``sim.model.hashing.canonical_json`` wrote."""
        return cls(Outcome.from_json(data["outcome"]), data["aborted_s"])


def observed_of(result: RunResult) -> Observed:
    """The reduction of every run, where it was run."""
    aborts = [row.t_s for row in of_kind(result.journal, DecisionRecord) if row.decision == "abort"]
    return Observed(outcome_of(result), max(aborts, default=None))


class Judged(NamedTuple):
    """What a claim sees in one replication."""

    kept: bool
    value: float | None
    """The indicator, or the time of what happened in seconds; None for neither."""
    lower_bound: bool = False
    """The value is at least this: the run ended first."""


def judged(claim: Claim, seen: Observed) -> Judged:
    """Whether the replication keeps the claim."""
    happened, value, lower = _happened(claim.happening, seen)
    wanted = claim.often is None or claim.often.at_least
    return Judged(happened == wanted, value, lower)


def _happened(happening: Happening, seen: Observed) -> Judged:
    outcome = seen.outcome
    match happening:
        case Aborted(within_s=within):
            aborted_s = seen.aborted_s if outcome.verdict is Verdict.ABORTED else None
            return Judged(_in_time(aborted_s, within), aborted_s)
        case Promoted(within_s=within):
            minutes = outcome.value(Kpi.DEPLOYMENT_DURATION) if outcome.verdict is Verdict.PROMOTED else None
            served_s = None if minutes is None else 60 * minutes
            return Judged(_in_time(served_s, within), served_s)
        case FalselyAborted():
            return Judged(outcome.value(Kpi.FALSE_ABORT_RATE) == 1, None)
        case Missed():
            return Judged(outcome.value(Kpi.MISS_RATE) == 1, None)
        case Indicator():
            return _indicator(happening, outcome)


def _in_time(at_s: float | None, within_s: float | None) -> bool:
    return at_s is not None and (within_s is None or at_s <= within_s)


def _indicator(happening: Indicator, outcome: Outcome) -> Judged:
    """A value that is only a lower bound cannot keep an upper one; what it really is, nobody knows."""
    value = outcome.value(happening.kpi)
    lower = happening.kpi in outcome.lower_bounds
    if value is None:
        return Judged(happening.kpi in FINE_WITHOUT, None)
    holds = happening.relation.holds(value, happening.value)
    return Judged(holds and not (lower and happening.relation.caps), value, lower)
