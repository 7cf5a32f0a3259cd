"""What a study keeps of one run: its verdict and indicators, small enough to cross processes and to be stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reports.kpis import kpis_of, lower_bounds, occupancy_s
from reports.views import header_of, stopped_at
from sim.model.kpis import Kpi
from sim.model.records import RunResult, Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """One replication, reduced."""

    verdict: Verdict
    reason: str
    good: bool
    values: tuple[tuple[Kpi, float | None], ...]
    """Every indicator in its own unit; None where it does not apply."""
    lower_bounds: tuple[Kpi, ...] = ()
    """Indicators whose true value is larger, because the run ended first."""
    occupancy_s: float = 0.0
    """How long the release keeps the next one waiting."""
    ended_s: float = 0.0
    """When the rollout came to its end, seconds after the apply."""
    step: str = ""
    """The step under way when it was first decided against; '' for none."""
    aggregate_share: float | None = None
    """The share of the simulated time whose requests were drawn in aggregate; None where all were to be simulated."""

    def value(self, kpi: Kpi) -> float | None:
        """One indicator; None where it does not apply."""
        return dict(self.values)[kpi]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Outcome:
        """The outcome that ``sim.model.hashing.canonical_json`` wrote."""
        return cls(
            Verdict(data["verdict"]),
            data["reason"],
            data["good"],
            tuple((Kpi(kpi), value) for kpi, value in data["values"]),
            tuple(Kpi(kpi) for kpi in data["lower_bounds"]),
            data["occupancy_s"],
            data["ended_s"],
            data["step"],
            data.get("aggregate_share"),
        )


def outcome_of(result: RunResult) -> Outcome:
    """The reduction a study applies to every run, where it was run."""
    journal = result.journal
    return Outcome(
        result.verdict,
        result.reason,
        header_of(journal).release_good,
        tuple(kpis_of(journal).items()),
        tuple(sorted(lower_bounds(journal))),
        occupancy_s(journal),
        result.ended_s,
        stopped_at(journal),
        None if result.plane_use is None else result.plane_use.aggregate_share,
    )
