"""Whole walks of a canary with traffic routing, against pods that are there at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.decide import operations
from sim.decide.defaults import JUST_AFTER_S
from sim.decide.steps import current_step
from sim.model.actions import CreateReplicaSet, Scale, SetHeaderRoute, StartAnalysis, StartExperiment, TerminateAnalysis
from sim.model.analysis import AnalysisPhase, AnalysisRef, TemplateRef
from sim.model.rollout import (
    CanaryScale,
    CanaryStep,
    Experiment,
    HeaderMatch,
    HeaderRoute,
    PauseReason,
    RolloutPhase,
    RunRole,
    TrafficRouting,
)
from tests.decide.builders import ANALYSIS, PLAYBOOK, analysis, pause, release, routed, running, weight
from tests.decide.driver import World


def test_first_deployment_is_promoted_before_any_pod_is_ready() -> None:
    world = World(routed(*PLAYBOOK), broken={"v1"})
    world.settle()
    assert (world.status.stable_rs, world.status.current_step_index) == ("v1", len(PLAYBOOK))
    assert world.sizes() == {"v1": 10}
    assert world.weights() == [], "weights are first written when every pod is available"
    assert world.shown == ("Progressing", "updated replicas are still becoming available")
    world.broken.clear()
    world.grow()
    world.settle()
    assert world.weights() == [(0.0, 0)]
    assert world.status.phase is RolloutPhase.HEALTHY


def test_playbook_is_promoted_in_order() -> None:
    world = running(routed(*PLAYBOOK))
    release(world, until_s=1400.0)
    world.finish_run(AnalysisPhase.SUCCESSFUL)
    world.settle(2100.0)
    world.finish_run(AnalysisPhase.SUCCESSFUL)
    world.settle(2200.0)
    assert world.status.message == "CanaryPauseStep"
    assert current_step(world.spec, world.status) == pause()
    world.status = operations.promote(world.spec, world.status)
    world.settle(2300.0)
    later = JUST_AFTER_S
    assert [w for w in world.weights() if w[1]] == [(1000.0, 1), (1400.0, 5), (2100.0, 25), (2200.0, 100)]
    assert world.said("pause 5m") == [1300.0 + later]
    assert world.said("pause 10m") == [pytest.approx(2000.0 + later)]
    runs = [run.name for run in world.runs]
    assert runs == ["app-v2-2-2", "app-v2-2-5"]
    assert (world.status.stable_rs, world.status.phase) == ("v2", RolloutPhase.HEALTHY)
    assert world.sizes() == {"v1": 0, "v2": 10}
    assert world.weights()[-1] == (2200.0, 0), "after promotion the canary side carries nothing"


def test_old_stable_keeps_its_pods_for_the_scale_down_delay() -> None:
    world = running(routed(weight(50), scale_down_delay_s=45))
    release(world, until_s=1044.0)
    assert world.sizes() == {"v1": 10, "v2": 10}
    world.settle(1046.0)
    assert world.sizes() == {"v1": 0, "v2": 10}


@pytest.mark.parametrize(
    ("phase", "message", "text"),
    [
        pytest.param(AnalysisPhase.FAILED, "bad", "Step-based analysis phase error/failed: bad", id="failed"),
        pytest.param(AnalysisPhase.ERROR, "", "Step-based analysis phase error/failed", id="error without words"),
    ],
)
def test_failed_analysis_at_step_two_aborts(phase: AnalysisPhase, message: str, text: str) -> None:
    world = running(routed(*PLAYBOOK))
    release(world, until_s=1400.0)
    world.finish_run(phase, message)
    world.settle(1429.0)
    assert world.status.message == f"RolloutAborted: Rollout aborted update to revision 2: {text}"
    assert world.status.phase is RolloutPhase.DEGRADED
    assert (world.status.abort, world.status.aborted_at_s, world.status.current_step_index) == (True, 1400.0, 0)
    assert world.weights()[-1] == (1400.0, 0)
    assert world.services["app-canary"].hash == "v1", "an abort returns the canary Service to stable"
    assert world.sizes() == {"v1": 10, "v2": 1}, "the canary is kept for 30 s"
    world.settle(1431.0)
    assert world.sizes() == {"v1": 10, "v2": 0}


def test_abort_keeps_the_canary_until_stable_has_all_its_pods() -> None:
    world = running(routed(weight(10), pause()))
    release(world)
    world.broken.add("v1")
    world.status = operations.abort(world.status)
    world.grow()
    world.settle(1100.0)
    assert world.sizes()["v2"] == 1, "no deadline while stable could not take over"
    assert world.weights()[-1][1] == 10, "nor any weight"
    world.broken.clear()
    world.grow()
    world.settle(1129.0)
    assert (world.sizes()["v2"], world.weights()[-1]) == (1, (1100.0, 0))
    world.settle(1131.0)
    assert world.sizes()["v2"] == 0


def test_routing_without_a_router_counts_pods_as_with_one_and_writes_no_weights() -> None:
    spec = routed(weight(50), pause(), replicas=4)
    assert spec.canary is not None
    world = running(replace(spec, canary=replace(spec.canary, traffic_routing=TrafficRouting())))
    release(world)
    assert world.sizes() == {"v1": 4, "v2": 2}
    world.status = operations.abort(world.status)
    world.settle(1131.0)
    assert world.sizes() == {"v1": 4, "v2": 0}
    assert (world.weights(), world.status.weights) == ([], None)


def test_abort_without_delay_keeps_only_an_explicit_first_scale() -> None:
    scaled = CanaryStep(set_canary_scale=CanaryScale(replicas=3))
    for steps, kept in (((scaled, weight(10), pause()), 3), ((weight(10), pause()), 0)):
        world = running(routed(*steps, abort_scale_down_delay_s=0))
        release(world)
        world.status = operations.abort(world.status)
        world.settle(2000.0)
        assert world.sizes()["v2"] == kept


def test_inconclusive_analysis_waits_for_a_person_and_then_runs_again() -> None:
    world = running(routed(weight(10), analysis(), weight(100)))
    release(world)
    world.finish_run(AnalysisPhase.INCONCLUSIVE)
    world.settle(3000.0)
    assert [c.reason for c in world.status.pause_conditions] == [PauseReason.INCONCLUSIVE_ANALYSIS]
    assert world.status.phase is RolloutPhase.PAUSED
    world.status = replace(world.status, pause_conditions=())
    world.settle()
    assert [run.name for run in world.runs] == ["app-v2-2-1", "app-v2-2-1.1"]
    world.finish_run(AnalysisPhase.SUCCESSFUL)
    world.settle()
    assert world.status.stable_rs == "v2"


@pytest.mark.parametrize(
    ("phase", "settled", "paused", "scaled"),
    [
        pytest.param(AnalysisPhase.RUNNING, True, False, [Scale("v2", 1)], id="nothing-halts"),
        pytest.param(AnalysisPhase.INCONCLUSIVE, False, False, [], id="the-reconcile-that-finds-it-inconclusive"),
        pytest.param(AnalysisPhase.INCONCLUSIVE, True, False, [], id="while-it-waits"),
        pytest.param(AnalysisPhase.RUNNING, True, True, [], id="paused-by-a-user"),
    ],
)
def test_a_halt_leaves_replica_sets_as_they_are(
    phase: AnalysisPhase, settled: bool, paused: bool, scaled: list[Scale]
) -> None:
    world = running(routed(weight(10), analysis(), pause()))
    release(world)
    world.finish_run(phase)
    if settled:
        world.settle()
    world.spec = replace(world.spec, paused=paused)
    world.rss["v2"] = replace(world.rss["v2"], desired=4, replicas=4)
    before = len(world.did(Scale))
    world.reconcile()
    assert world.did(Scale)[before:] == scaled


def test_promote_skips_the_step_a_canary_is_at() -> None:
    world = running(routed(weight(10), analysis(), pause()))
    release(world)
    world.status = operations.promote(world.spec, world.status)
    world.settle()
    assert (world.status.current_step_index, world.did(TerminateAnalysis)) == (2, [TerminateAnalysis("app-v2-2-1")])


def test_promote_on_an_inconclusive_analysis_skips_its_step() -> None:
    world = running(routed(weight(10), analysis(), pause()))
    release(world)
    world.finish_run(AnalysisPhase.INCONCLUSIVE)
    world.settle()
    world.status = operations.promote(world.spec, world.status)
    world.settle()
    assert (world.status.current_step_index, len(world.runs)) == (2, 1)


@pytest.mark.parametrize(
    ("phase", "shown"),
    [
        pytest.param(AnalysisPhase.SUCCESSFUL, ("Paused", "CanaryPauseStep"), id="goes on"),
        pytest.param(AnalysisPhase.INCONCLUSIVE, ("Paused", "InconclusiveExperiment"), id="waits"),
        pytest.param(
            AnalysisPhase.FAILED,
            (
                "Degraded",
                "RolloutAborted: Rollout aborted update to revision 2: Experiment analysis phase is error/failed",
            ),
            id="aborts",
        ),
    ],
)
def test_experiment_decides(phase: AnalysisPhase, shown: tuple[str, str]) -> None:
    world = running(routed(CanaryStep(experiment=Experiment()), pause()))
    release(world)
    assert world.status.current_step_index == 0
    assert world.experiment is not None
    world.experiment = replace(world.experiment, phase=phase)
    world.settle()
    assert world.shown == shown
    assert len(world.did(StartExperiment)) == 1
    if phase is AnalysisPhase.INCONCLUSIVE:
        world.status = operations.promote(world.spec, world.status)
        world.settle()
        assert len(world.did(StartExperiment)) == 2


def test_every_experiment_step_has_an_experiment_of_its_own() -> None:
    step = CanaryStep(experiment=Experiment())
    world = running(routed(step, step))
    release(world)
    for started in (1, 2):
        assert (len(world.did(StartExperiment)), world.status.current_step_index) == (started, started - 1)
        assert world.experiment is not None
        world.experiment = replace(world.experiment, phase=AnalysisPhase.SUCCESSFUL)
        world.settle()
    assert world.status.stable_rs == "v2"


def test_background_analysis_runs_through_pauses_and_aborts_at_any_step() -> None:
    background = AnalysisRef((TemplateRef("t"),), starting_step=1)
    world = running(routed(weight(10), pause("10m"), weight(50), pause(), analysis=background))
    release(world, until_s=1100.0)
    assert [action.role for action in world.did(StartAnalysis) if isinstance(action, StartAnalysis)] == [
        RunRole.BACKGROUND
    ]
    world.settle(1700.0)
    world.finish_run(AnalysisPhase.FAILED, "too slow")
    world.settle()
    assert "Background analysis phase error/failed: too slow" in world.status.message


def test_background_analysis_is_ended_by_promotion() -> None:
    world = running(routed(weight(10), analysis=ANALYSIS))
    release(world)
    assert world.did(TerminateAnalysis) == [TerminateAnalysis("app-v2-2")]
    assert world.status.background_run is None


def test_undo_to_stable_skips_every_step_and_every_analysis() -> None:
    world = running(routed(weight(10), analysis(), weight(100)))
    release(world)
    release(world, "v1", until_s=1029.0)
    assert (world.status.current_step_index, world.weights()[-1][1]) == (3, 0)
    assert world.did(TerminateAnalysis) == [TerminateAnalysis("app-v2-2-1")]
    assert world.sizes() == {"v1": 10, "v2": 1}
    world.settle(1031.0)
    assert world.sizes() == {"v1": 10, "v2": 0}
    assert world.rss["v1"].revision == 3, "an older template that is used again is the newest revision"


@pytest.mark.parametrize(
    ("window", "weights"),
    [
        pytest.param(None, [10, 100, 0], id="without a window it takes every step"),
        pytest.param(1, [100, 0], id="within the window none"),
    ],
)
def test_undo_to_an_older_revision(window: int | None, weights: list[int]) -> None:
    world = running(replace(routed(weight(10), pause("1m"), weight(100)), rollback_window_revisions=window))
    release(world, "v2", until_s=1200.0)
    world.journal.clear()
    release(world, "v1", until_s=1300.0)
    seen = [value for _, value in world.weights()]
    assert [value for i, value in enumerate(seen) if value and value not in seen[:i]] == weights[:-1]
    assert seen[-1] == 0
    assert world.status.stable_rs == "v1"


def test_superseded_canary_goes_at_once() -> None:
    world = running(routed(weight(10), pause()))
    release(world, "v2")
    release(world, "v3")
    assert world.sizes() == {"v1": 10, "v2": 0, "v3": 1}
    assert [a.revision for a in world.did(CreateReplicaSet) if isinstance(a, CreateReplicaSet)] == [2, 3]


def test_full_promotion_moves_the_weight_only_at_the_end() -> None:
    world = running(routed(weight(10), pause()))
    release(world)
    world.journal.clear()
    world.status = operations.promote_full(world.status)
    world.settle()
    assert world.status.stable_rs == "v2"
    assert [value for _, value in world.weights()] == [0]


def test_full_promotion_of_an_aborted_rollout_ships_it() -> None:
    world = running(routed(weight(10), pause()))
    release(world)
    world.status = operations.abort(world.status)
    world.settle()
    world.status = operations.promote_full(world.status)
    world.settle()
    assert (world.status.stable_rs, world.status.abort) == ("v2", False)


def test_retry_starts_again_with_new_runs() -> None:
    world = running(routed(analysis(), weight(10), pause()))
    release(world)
    world.finish_run(AnalysisPhase.FAILED, "bad")
    world.settle(1100.0)
    world.status = operations.retry(world.status)
    world.settle()
    assert [run.name for run in world.runs] == ["app-v2-2-0", "app-v2-2-0.1"]
    assert world.status.phase is RolloutPhase.PROGRESSING
    world.finish_run(AnalysisPhase.SUCCESSFUL)
    world.settle()
    assert world.status.message == "CanaryPauseStep"


def test_aborting_a_healthy_rollout_means_nothing() -> None:
    world = running(routed(weight(10)))
    world.status = operations.abort(world.status)
    world.settle()
    assert (world.status.abort, world.status.phase) == (False, RolloutPhase.HEALTHY)


def test_canary_without_pods_misses_its_deadline_and_stays() -> None:
    world = running(routed(weight(10)))
    world.broken.add("v2")
    release(world, until_s=1600.0)
    assert world.status.phase is RolloutPhase.PROGRESSING
    world.settle(1700.0)
    assert world.status.message == 'ProgressDeadlineExceeded: ReplicaSet "app-v2" has timed out progressing.'
    assert not world.status.abort
    assert {value for _, value in world.weights()} == {0}


def test_deadline_aborts_when_asked_to() -> None:
    world = running(replace(routed(weight(10)), progress_deadline_abort=True, progress_deadline_s=60))
    world.broken.add("v2")
    release(world, until_s=1062.0)
    assert (world.status.abort, world.status.aborted_at_s) == (True, 1061.0)
    assert world.status.message.endswith('revision 2: ReplicaSet "app-v2" has timed out progressing.')


def test_pause_suspends_the_deadline() -> None:
    world = running(replace(routed(weight(10), pause("1h"), weight(20)), progress_deadline_s=60))
    release(world, until_s=4000.0)
    assert world.shown == ("Paused", "CanaryPauseStep")
    world.settle(5000.0)
    assert world.shown == ("Healthy", "")


def test_manual_pause_freezes_steps_but_not_traffic() -> None:
    world = running(routed(weight(10), pause("1m"), weight(50)))
    release(world)
    world.spec = operations.pause(world.spec)
    world.settle(2000.0)
    assert (world.status.message, world.status.current_step_index) == ("manually paused", 1)
    world.broken.add("v2")
    world.grow()
    world.settle()
    assert world.weights()[-1] == (2000.0, 0), "losing every canary pod takes its weight"
    world.broken.clear()
    world.grow()
    world.spec = operations.resume(world.spec)
    world.settle(2100.0)
    assert world.status.stable_rs == "v2"


def test_lost_canary_pods_take_the_weight_with_them() -> None:
    world = running(routed(weight(30), pause()))
    release(world)
    world.broken.add("v2")
    world.grow()
    world.settle()
    assert world.weights()[-1] == (1000.0, 0)


def test_changed_steps_start_over() -> None:
    world = running(routed(weight(10), pause()))
    release(world)
    world.spec = routed(weight(20), pause())
    world.settle()
    assert (world.status.current_step_index, world.weights()[-1][1]) == (1, 20)


def test_changed_size_is_followed_before_anything_else() -> None:
    world = running(routed(weight(10), pause()))
    release(world)
    world.spec = routed(weight(10), pause(), replicas=30)
    world.settle()
    assert world.sizes() == {"v1": 30, "v2": 3}


def test_a_route_set_before_there_are_pods_is_written_once() -> None:
    route = HeaderRoute("beta", (HeaderMatch("x-beta", "exact", "1"),))
    first = CanaryStep(set_canary_scale=CanaryScale(replicas=1), set_header_route=route)
    world = running(routed(first, weight(50)))
    world.broken.add("v2")
    release(world)  # comes to rest although the pod never does
    assert world.did(SetHeaderRoute) == [SetHeaderRoute(route)]
    assert world.managed_routes == [route]


def test_header_route_lasts_until_promotion() -> None:
    route = HeaderRoute("beta", (HeaderMatch("x-beta", "exact", "1"),))
    world = running(
        routed(
            CanaryStep(set_canary_scale=CanaryScale(replicas=2)),
            CanaryStep(set_header_route=route),
            pause(),
            weight(10),
        )
    )
    release(world)
    assert world.managed_routes == [route]
    assert {value for _, value in world.weights()} == {0}
    world.status = operations.promote(world.spec, world.status)
    world.settle()
    assert (world.managed_routes, world.status.stable_rs) == ([], "v2")


def test_an_abort_with_minimum_pods_and_dynamic_stable_scale_never_ends() -> None:
    """The controller's own deadlock: the canary keeps its minimum, and so the weight that needs fewer pods than it has."""
    world = running(routed(weight(1), pause(), replicas=2, dynamic_stable_scale=True, min_pods_per_replica_set=2))
    release(world)
    world.status = operations.abort(world.status)
    world.settle(world.now_s + 86400)
    assert world.weights()[-1][1] == 1
    assert world.sizes() == {"v1": 2, "v2": 2}
