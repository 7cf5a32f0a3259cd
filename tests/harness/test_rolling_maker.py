"""Rolling updates: what the Deployment's status is taken for."""

from __future__ import annotations

import pytest

from harness.deploy.plan import Plan
from harness.makers import Maker
from harness.makers.rolling import RollingMaker
from sim.model.records import PhaseRecord, Verdict
from sim.model.strategy import RollingUpdate
from tests.engine import builders
from tests.harness import stage as on
from tests.harness.stage import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage(builders.scenario(builders.deployment_manifests(replicas=3), RollingUpdate("shop")))


@pytest.fixture
def maker(stage: Stage) -> RollingMaker:
    workload = on.deployment("shop")
    maker = RollingMaker(stage.site, Plan(workload, on.template("candidate", {"app": "shop"}), (), ()), "argo-cd")
    on.complete(stage.objects.apply(workload))
    return maker


def ended(maker: RollingMaker) -> bool:
    return maker.outcome is not None


def phases(stage: Stage) -> list[tuple[str, str]]:
    return [(row.phase, row.message) for row in stage.rows(PhaseRecord)]


def test_a_release_is_complete_once_every_pod_of_the_new_template_is_available(
    stage: Stage, maker: RollingMaker
) -> None:
    maker.release()
    maker.poll()
    assert not ended(maker), "the status is the old template's"
    stage.recorder.now_s = 30.0
    on.complete(stage.objects.watch("Deployment").objects["shop"])
    maker.poll()
    assert maker.outcome is not None
    assert (maker.outcome.verdict, maker.outcome.ended_s) == (Verdict.PROMOTED, 30.0)
    assert stage.decisions == [("argo-cd", "start"), ("controller", "promote")]
    assert phases(stage) == [("Progressing", ""), ("Healthy", "")]


def test_a_deadline_exceeded_is_trouble_that_goes_on(stage: Stage, maker: RollingMaker) -> None:
    maker.release()
    on.expire(stage.objects.watch("Deployment").objects["shop"], "12:00")
    maker.poll()
    assert not ended(maker)
    assert maker.trouble == ('Degraded: ProgressDeadlineExceeded: ReplicaSet "shop-1" has timed out progressing.')
    assert maker.stuck().verdict is Verdict.DEGRADED


def test_an_abort_is_another_update_whose_stale_deadline_does_not_count(stage: Stage, maker: RollingMaker) -> None:
    maker.release()
    shop = stage.objects.watch("Deployment").objects
    on.expire(shop["shop"], "12:00")
    maker.poll()
    maker.abort("pods crash")
    assert shop["shop"]["spec"]["template"]["metadata"]["annotations"] == {"version": "stable"}
    on.expire(shop["shop"], "12:00")
    maker.poll()
    assert maker.trouble == ""
    on.complete(shop["shop"])
    maker.poll()
    assert maker.outcome is not None
    assert maker.outcome.verdict is Verdict.ABORTED
    assert maker.outcome.reason == "taken back by a person: pods crash"
    assert not maker.outcome.served_all


def test_an_undo_comes_after_the_end(stage: Stage, maker: RollingMaker) -> None:
    maker.release()
    on.complete(stage.objects.watch("Deployment").objects["shop"])
    maker.poll()
    maker.undo("users complain")
    assert not ended(maker)
    assert maker.going_back
    on.complete(stage.objects.watch("Deployment").objects["shop"])
    maker.poll()
    assert maker.outcome is not None
    assert maker.outcome.verdict is Verdict.UNDONE
    assert maker.outcome.served_all


def test_it_is_a_maker(maker: RollingMaker) -> None:
    held: Maker = maker
    assert held.waits_for_person() is None
