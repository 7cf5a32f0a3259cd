"""How many old ReplicaSets and analysis runs are kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.model.actions import DeleteAnalysis, DeleteReplicaSet, SetScaleDownDeadline
from sim.model.analysis import AnalysisPhase
from sim.model.rollout import RolloutSpec, RunRole, RunView
from tests.decide.builders import ANALYSIS, basic, blue_green, routed, running, weight
from tests.decide.driver import World


def updated(spec: RolloutSpec, versions: int) -> World:
    """A world after this many updates, each promoted and a minute apart."""
    world = running(spec)
    for number in range(2, versions + 2):
        world.template = f"v{number}"
        world.settle(world.now_s + 60)
    return world


@pytest.mark.parametrize(
    ("limit", "kept"),
    [
        pytest.param(None, ["v1", "v2", "v3", "v4"], id="ten-by-default"),
        pytest.param(1, ["v3", "v4"], id="the-newest"),
        pytest.param(0, ["v4"], id="none"),
    ],
)
@pytest.mark.parametrize("spec", [basic(), blue_green()], ids=["canary", "blue-green"])
def test_old_replica_sets(spec: RolloutSpec, limit: int | None, kept: list[str]) -> None:
    assert list(updated(replace(spec, revision_history_limit=limit), 3).rss) == kept


def test_one_with_pods_is_passed_over() -> None:
    world = updated(replace(routed(scale_down_delay_s=3600), revision_history_limit=0), 1)
    assert list(world.rss) == ["v1", "v2"]
    assert world.did(DeleteReplicaSet) == []


def analysed(phases: list[AnalysisPhase], **limits: Any) -> list[str]:
    """Names of the runs deleted of those with these phases, oldest first, all of revision v1."""
    world = running(replace(routed(weight(10), analysis=ANALYSIS), **limits))
    world.runs = [
        RunView(f"r{number}", RunRole.STEP, phase, pod_hash="v1", created_s=float(number))
        for number, phase in enumerate(phases)
    ]
    return [action.run for action in world.decide().actions if isinstance(action, DeleteAnalysis)]


GOOD, BAD, ERROR, DOUBT = (
    AnalysisPhase.SUCCESSFUL,
    AnalysisPhase.FAILED,
    AnalysisPhase.ERROR,
    AnalysisPhase.INCONCLUSIVE,
)


@pytest.mark.parametrize(
    ("phases", "limits", "deleted"),
    [
        pytest.param([GOOD] * 6, {}, ["r0"], id="five-successful-by-default"),
        pytest.param([BAD, ERROR, DOUBT, BAD, ERROR, DOUBT], {}, ["r0"], id="five-others-by-default"),
        pytest.param([GOOD, BAD, GOOD, BAD], {}, [], id="counted-apart"),
        pytest.param([GOOD, BAD, GOOD], {"successful_run_history_limit": 1}, ["r0"], id="own-limit"),
        pytest.param([BAD, GOOD], {"unsuccessful_run_history_limit": 0}, ["r0"], id="none-kept"),
        pytest.param([AnalysisPhase.RUNNING], {"successful_run_history_limit": 0}, [], id="running-ones-stay"),
    ],
)
def test_old_runs(phases: list[AnalysisPhase], limits: dict[str, int], deleted: list[str]) -> None:
    assert analysed(phases, **limits) == deleted


def test_runs_of_a_deleted_revision_go() -> None:
    world = running(routed(weight(10)))
    world.runs = [RunView("old", RunRole.STEP, GOOD, pod_hash="v0")]
    assert DeleteAnalysis("old") in world.decide().actions


@pytest.mark.parametrize(("delay_s", "size"), [pytest.param(890, 5, id="held"), pytest.param(2000, 0, id="not-held")])
def test_an_abort_delay_beyond_a_resync_does_not_hold_the_pods(delay_s: int, size: int) -> None:
    world = running(routed(weight(50), weight(60), abort_scale_down_delay_s=delay_s))
    world.template = "v2"
    world.broken.add("v2")
    world.settle()
    world.status = replace(world.status, abort=True)
    world.settle()
    assert len(world.did(SetScaleDownDeadline)) == 1
    assert world.sizes()["v2"] == size
