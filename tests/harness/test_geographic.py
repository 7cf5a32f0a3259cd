"""Region by region: who has which cluster when, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from threading import Barrier

import pytest

from harness.makers.geographic import Tour, Visit
from sim.model.outcome import LocalResult, Outcome
from sim.model.records import DecisionRecord, PhaseRecord, SoakRecord, Verdict
from sim.model.strategy import Geographic, Region, RegionPhase, RollingUpdate
from tests.engine import builders

PHASES = (
    RegionPhase("first", (Region("tokyo", 0.5),), 100.0),
    RegionPhase("rest", (Region("osaka", 0.3), Region("seoul", 0.2)), 50.0),
)


class World:
    """Every visit takes sixty seconds and ends as ``verdicts`` say."""

    def __init__(self, clusters: int = 2, **verdicts: Verdict) -> None:
        self.visits: list[Visit] = []
        self.verdicts = verdicts
        scenario = builders.scenario(builders.deployment_manifests())
        self.tour = Tour(scenario, Geographic(PHASES, RollingUpdate("shop")), clusters, self.run)

    def run(self, visit: Visit) -> LocalResult:
        self.visits.append(visit)
        name = visit.region.name
        verdict = self.verdicts.get(name, Verdict.PROMOTED)
        return LocalResult(Outcome(verdict, "so it is", 50.0), 60.0, 3, (PhaseRecord(10.0, name, "Progressing", ""),))


def test_phases_follow_each_other_after_their_soaks() -> None:
    world = World()
    result = world.tour.run()
    visits = {(one.region.name, one.begun_s, one.cluster) for one in world.visits}
    assert visits == {("tokyo", 0.0, 0), ("osaka", 150.0, 1), ("seoul", 150.0, 0)}
    assert (result.outcome.verdict, result.outcome.ended_s) == (Verdict.PROMOTED, 200.0)
    assert result.desired_pods == 9
    begun = [(row.t_s, row.region) for row in result.rows if isinstance(row, PhaseRecord)]
    assert begun == [(10.0, "tokyo"), (160.0, "osaka"), (160.0, "seoul")]
    assert [row for row in result.rows if isinstance(row, SoakRecord) and row.region == "tokyo"]
    assert world.tour.adaptations == ("3 regions share 2 clusters; those of one phase take turns there",)


def test_a_failure_ends_the_tour_and_takes_the_release_back_everywhere() -> None:
    world = World(osaka=Verdict.ABORTED)
    result = world.tour.run()
    assert (result.outcome.verdict, result.outcome.reason) == (Verdict.UNDONE, "rest, osaka: so it is")
    undone = [row.region for row in result.rows if isinstance(row, DecisionRecord) and row.decision == "undo"]
    assert undone == ["tokyo", "seoul"]
    early = World(tokyo=Verdict.ABORTED)
    assert early.tour.run().outcome.verdict is Verdict.ABORTED
    assert [one.region.name for one in early.visits] == ["tokyo"]


def test_regions_of_a_phase_run_at_once_on_clusters_of_their_own() -> None:
    both = Barrier(2, timeout=10.0)
    world = World()

    def run(visit: Visit) -> LocalResult:
        if visit.phase.name == "rest":
            both.wait()
        return world.run(visit)

    replace(world.tour, run_region=run).run()
    assert not both.broken


def test_one_cluster_takes_them_one_after_the_other() -> None:
    world = World(clusters=1)
    assert world.tour.run().outcome.verdict is Verdict.PROMOTED
    assert {one.cluster for one in world.visits} == {0}


def test_an_error_in_a_region_comes_out() -> None:
    def run(visit: Visit) -> LocalResult:
        raise ConnectionError(visit.region.name)

    with pytest.raises(ConnectionError, match="tokyo"):
        replace(World().tour, run_region=run).run()
