"""Whole walks of a blue-green Rollout."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.decide import operations
from sim.decide.defaults import JUST_AFTER_S
from sim.model.actions import PointService, StartAnalysis
from sim.model.analysis import AnalysisPhase
from sim.model.rollout import PauseReason, RunRole
from tests.decide.builders import ANALYSIS, blue_green, release, running
from tests.decide.driver import World


def switched_at(world: World) -> list[float]:
    return [
        at
        for at, entry in world.journal
        if isinstance(entry, PointService) and (entry.service, entry.hash) == ("active", "v2")
    ]


def test_first_deployment_waits_for_saturation_only() -> None:
    world = World(blue_green(auto_promotion_enabled=False), broken={"v1"})
    world.settle()
    assert world.services["active"].hash == ""
    world.broken.clear()
    world.grow()
    world.settle()
    assert (world.services["active"].hash, world.status.stable_rs) == ("v1", "v1")
    assert world.shown == ("Healthy", "")


def test_promotes_at_once_by_default_and_keeps_the_old_colour_for_its_delay() -> None:
    world = running(blue_green())
    release(world, until_s=1029.0)
    assert switched_at(world) == [1000.0]
    assert (world.status.stable_rs, world.sizes()) == ("v2", {"v1": 4, "v2": 4})
    world.settle(1031.0)
    assert world.sizes() == {"v1": 0, "v2": 4}


def test_preview_follows_before_any_pod_exists() -> None:
    world = running(blue_green())
    world.broken.add("v2")
    release(world)
    assert (world.services["preview"].hash, world.services["active"].hash) == ("v2", "v1")


def test_promotes_by_itself_after_its_seconds() -> None:
    world = running(blue_green(auto_promotion_s=120))
    release(world, until_s=1119.0)
    assert world.shown == ("Paused", "BlueGreenPause")
    world.settle(1121.0)
    assert switched_at(world) == [1120.0 + JUST_AFTER_S]


@pytest.mark.parametrize("seconds", [pytest.param(0, id="alone"), pytest.param(60, id="with meaningless seconds")])
def test_waits_for_a_person_when_promotion_is_not_automatic(seconds: int) -> None:
    world = running(blue_green(auto_promotion_enabled=False, auto_promotion_s=seconds))
    release(world, until_s=9000.0)
    assert switched_at(world) == []
    world.status = operations.promote(world.spec, world.status)
    world.settle(9000.0)
    assert (switched_at(world), world.status.stable_rs) == ([9000.0], "v2")
    assert not world.status.controller_pause


def test_promote_without_a_pause_does_nothing() -> None:
    world = running(blue_green(auto_promotion_enabled=False))
    assert operations.promote(world.spec, world.status) == world.status


def test_pre_promotion_analysis_comes_before_the_pause() -> None:
    world = running(blue_green(auto_promotion_enabled=False, pre_promotion=ANALYSIS))
    release(world)
    assert world.did(StartAnalysis) == [StartAnalysis(RunRole.PRE_PROMOTION, None, "app-v2-2-pre")]
    assert not world.status.pause_conditions
    world.finish_run(AnalysisPhase.SUCCESSFUL)
    world.settle()
    assert [c.reason for c in world.status.pause_conditions] == [PauseReason.BLUE_GREEN]


def test_failed_pre_promotion_analysis_aborts_and_the_preview_goes_after_its_delay() -> None:
    world = running(blue_green(pre_promotion=ANALYSIS))
    release(world)
    world.finish_run(AnalysisPhase.FAILED, "bad")
    world.settle(1029.0)
    assert world.status.message.endswith("Blue/green pre-promotion analysis phase error/failed: bad")
    assert (switched_at(world), world.sizes()) == ([], {"v1": 4, "v2": 4})
    world.settle(1031.0)
    assert world.sizes() == {"v1": 4, "v2": 0}


def test_failed_post_promotion_analysis_switches_back() -> None:
    world = running(blue_green(post_promotion=ANALYSIS))
    release(world)
    assert (switched_at(world), world.status.stable_rs) == ([1000.0], "v1")
    assert world.shown == ("Progressing", "waiting for analysis to complete")
    world.finish_run(AnalysisPhase.ERROR)
    world.settle()
    assert world.services["active"].hash == "v1"
    assert world.status.abort


def test_inconclusive_post_promotion_analysis_waits_for_a_person() -> None:
    world = running(blue_green(post_promotion=ANALYSIS))
    release(world)
    world.finish_run(AnalysisPhase.INCONCLUSIVE)
    world.settle()
    assert (world.shown, world.status.stable_rs) == (("Paused", "InconclusiveAnalysisRun"), "v1")


def test_switch_back_waits_for_the_new_pods_too() -> None:
    world = running(blue_green(post_promotion=ANALYSIS))
    release(world)
    world.broken.add("v2")
    world.grow()
    world.finish_run(AnalysisPhase.FAILED)
    world.settle()
    assert world.services["active"].hash == "v2", "upstream keeps a failing version active while its pods are down"


def test_successful_post_promotion_analysis_promotes() -> None:
    world = running(blue_green(post_promotion=ANALYSIS))
    release(world)
    world.finish_run(AnalysisPhase.SUCCESSFUL)
    world.settle(2000.0)
    assert (world.status.stable_rs, world.sizes()) == ("v2", {"v1": 0, "v2": 4})


def test_undo_within_the_delay_is_instant_and_unpaused() -> None:
    world = running(blue_green(auto_promotion_enabled=False, pre_promotion=ANALYSIS))
    release(world)
    world.finish_run(AnalysisPhase.SUCCESSFUL)
    world.settle()
    world.status = operations.promote(world.spec, world.status)
    world.settle(1010.0)
    release(world, "v1")
    assert (world.services["active"].hash, world.status.stable_rs, len(world.runs)) == ("v1", "v1", 1)


def test_preview_count_grows_to_full_size_before_the_switch() -> None:
    world = running(blue_green(preview_replica_count=1, auto_promotion_enabled=False))
    release(world)
    assert (world.sizes(), switched_at(world)) == ({"v1": 4, "v2": 1}, [])
    world.status = operations.promote(world.spec, world.status)
    world.settle()
    assert (world.sizes(), switched_at(world)) == ({"v1": 4, "v2": 4}, [1000.0])


def test_full_promotion_skips_pause_and_analysis() -> None:
    world = running(blue_green(auto_promotion_enabled=False, pre_promotion=ANALYSIS, post_promotion=ANALYSIS))
    release(world)
    world.status = operations.promote_full(world.status)
    world.settle()
    assert (world.status.stable_rs, world.status.promote_full) == ("v2", False)


def test_manual_pause_holds_the_switch() -> None:
    world = running(blue_green(auto_promotion_s=10))
    release(world)
    world.spec = operations.pause(world.spec)
    world.settle(2000.0)
    assert (switched_at(world), world.status.message) == ([], "manually paused")


def test_changed_size_scales_both_colours() -> None:
    world = running(blue_green(auto_promotion_enabled=False))
    release(world)
    world.spec = replace(world.spec, replicas=6)
    world.settle()
    assert world.sizes() == {"v1": 6, "v2": 6}
