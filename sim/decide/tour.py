"""Region by region: phases and soaks on one time axis, whoever runs the inner strategy in each region."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from sim.decide.rejections import Rejection
from sim.model.behaviour import VersionBehaviour
from sim.model.data_plane import PlaneUse
from sim.model.header import base_failure_ratio
from sim.model.outcome import LocalResult, Outcome
from sim.model.records import DecisionRecord, Record, SoakRecord, Verdict, WeightRecord
from sim.model.scenario import Scenario
from sim.model.strategy import Geographic, Region, RegionPhase

SOAK_STEP_S = 600.0
"""Expected requests of a stretch are the sum of the offered rate at the middles of steps of at most this."""

RunRegions = Callable[[RegionPhase, Sequence[Region], float], Sequence[LocalResult]]
"""Runs these regions of a phase at once, ``float`` seconds after the first apply; one result each, times from its own apply."""


@dataclass(slots=True)
class _Tour:
    """What has happened so far, all regions together."""

    rows: list[Record] = field(default_factory=list)
    simulated: dict[str, tuple[float, float, Outcome]] = field(default_factory=dict)
    """(start, end, outcome) by region."""
    desired_pods: int = 0
    plane_use: PlaneUse | None = None
    now_s: float = 0.0
    failed: tuple[str, Outcome] | None = None

    def add(self, region: str, begun_s: float, result: LocalResult) -> None:
        """Takes in a region's run, whose times count from its own apply at ``begun_s``."""
        self.rows.extend(replace(row, t_s=round(row.t_s + begun_s, 6)) for row in result.rows)
        self.desired_pods += result.desired_pods
        if result.plane_use is not None:
            self.plane_use = result.plane_use if self.plane_use is None else self.plane_use + result.plane_use
        outcome = replace(result.outcome, ended_s=result.outcome.ended_s + begun_s)
        self.simulated[region] = (begun_s, begun_s + result.end_s, outcome)


def run_phases(
    scenario: Scenario, strategy: Geographic, refused: Rejection | None, run_regions: RunRegions
) -> LocalResult:
    """Every phase in turn: its regions at once, then a soak, of which only what people do is looked at in detail.

    A release that is stopped or taken back in one region ends the tour: later phases never start, and regions that
    already have it go back at that moment. Regions that no manifest deploys to never get the release.
    """
    tour = _Tour()
    phases = strategy.phases if strategy.ordered else (_merged(strategy.phases),)
    for phase in phases:
        regions = [region for region in phase.regions if region.deployed or refused is not None]
        _run_phase(phase, regions, tour, run_regions)
        if tour.failed is not None:
            break
    outcome = _outcome(strategy, tour)
    end_s = max(tour.now_s, outcome.ended_s)
    for region in (region for phase in strategy.phases for region in phase.regions):
        tour.rows.extend(_unsimulated(scenario, region, tour, end_s))
    tour.rows.sort(key=lambda row: row.t_s)
    return LocalResult(outcome, round(end_s, 6), tour.desired_pods, tuple(tour.rows), tour.plane_use)


def _merged(phases: tuple[RegionPhase, ...]) -> RegionPhase:
    regions = tuple(region for phase in phases for region in phase.regions)
    return RegionPhase("all at once", regions, phases[-1].soak_s if phases else 0.0)


def _run_phase(phase: RegionPhase, regions: Sequence[Region], tour: _Tour, run_regions: RunRegions) -> None:
    begun_s, ends = tour.now_s, [tour.now_s]
    for region, result in zip(regions, run_regions(phase, regions, begun_s), strict=True):
        tour.add(region.name, begun_s, result)
        ends.append(begun_s + result.end_s)
        outcome = tour.simulated[region.name][2]
        failed = outcome.verdict is not Verdict.PROMOTED
        if failed and (tour.failed is None or outcome.ended_s < tour.failed[1].ended_s):
            tour.failed = (f"{phase.name}, {region.name}", outcome)
    tour.now_s = max(ends)
    if tour.failed is not None:
        _take_back(tour)
        return
    promoted_s = max((outcome.ended_s for _, _, outcome in tour.simulated.values()), default=begun_s)
    tour.now_s = max(tour.now_s, promoted_s + phase.soak_s)


def _take_back(tour: _Tour) -> None:
    """Regions that were promoted and not watched any more are put back as soon as the trouble is over elsewhere."""
    if tour.failed is None or tour.failed[1].verdict is Verdict.REJECTED:
        return
    where, cause = tour.failed
    for name, (start_s, end_s, outcome) in list(tour.simulated.items()):
        if outcome.verdict is Verdict.PROMOTED:
            at_s = round(max(cause.ended_s, end_s), 6)
            tour.rows.append(DecisionRecord(at_s, name, "person", "undo", f"taken back everywhere after {where}"))
            tour.rows.append(WeightRecord(at_s, name, 0.0, 100.0))
            tour.simulated[name] = (start_s, end_s, replace(outcome, verdict=Verdict.UNDONE, ended_s=at_s))


def _outcome(strategy: Geographic, tour: _Tour) -> Outcome:
    ended_s = max((outcome.ended_s for _, _, outcome in tour.simulated.values()), default=0.0)
    if tour.failed is not None:
        where, outcome = tour.failed
        earlier = any(one.verdict is Verdict.UNDONE for _, _, one in tour.simulated.values())
        verdict = Verdict.UNDONE if earlier and outcome.verdict is Verdict.ABORTED else outcome.verdict
        reason = outcome.reason if outcome.verdict is Verdict.REJECTED else f"{where}: {outcome.reason}"
        return Outcome(verdict, reason, ended_s, outcome.served_all)
    missing = [region.name for phase in strategy.phases for region in phase.regions if not region.deployed]
    if missing:
        return Outcome(Verdict.STUCK, f"no manifest deploys to {', '.join(missing)}", ended_s)
    return Outcome(Verdict.PROMOTED, "the release serves all traffic in every region", ended_s, served_all=True)


def _unsimulated(scenario: Scenario, region: Region, tour: _Tour, end_s: float) -> list[SoakRecord]:
    """Expected figures before a region's turn and after its run: the stable version before, after it what it ended with."""
    begun_s, over_s, outcome = tour.simulated.get(region.name, (end_s, end_s, None))
    has_release = outcome is not None and outcome.verdict is Verdict.PROMOTED
    after = "candidate" if has_release else "stable"
    if outcome is not None and outcome.verdict is Verdict.UNDONE and outcome.ended_s > over_s:
        middle = _soak(scenario, region, "candidate", (over_s, outcome.ended_s))
        return [
            *_soak(scenario, region, "stable", (0.0, begun_s)),
            *middle,
            *_soak(scenario, region, "stable", (outcome.ended_s, end_s)),
        ]
    return [*_soak(scenario, region, "stable", (0.0, begun_s)), *_soak(scenario, region, after, (over_s, end_s))]


def _soak(scenario: Scenario, region: Region, side: str, span_s: tuple[float, float]) -> list[SoakRecord]:
    """One row for a stretch, or none: offered rate times the version's own failure ratio; queueing is left out."""
    begin_s, end_s = span_s
    if end_s - begin_s < 1e-6:
        return []
    steps = ceil((end_s - begin_s) / SOAK_STEP_S)
    width_s = (end_s - begin_s) / steps
    requests = sum(scenario.load.rate_rps(begin_s + (i + 0.5) * width_s) for i in range(steps)) * width_s * region.share
    version: VersionBehaviour = scenario.stable if side == "stable" else scenario.release.behaviour
    failures = requests * base_failure_ratio(version, scenario.client)
    return [SoakRecord(round(end_s, 6), region.name, round(end_s - begin_s, 6), side, requests, failures)]
