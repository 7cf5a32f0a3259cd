"""What older releases of the controller decide otherwise, each at the release that changed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sim.decide import analysis, operations
from sim.decide.metric_rules import metric_error
from sim.decide.pauses import verdict_text
from sim.decide.releases import known_to, metric_known_to
from sim.decide.routed import routed_counts
from sim.decide.runs import needs_new
from sim.decide.steps import is_indefinite
from sim.decide.weights import weight_going_back
from sim.model.actions import CreateReplicaSet, PointService, SetWeight
from sim.model.analysis import (
    AnalysisPhase,
    AnalysisRunSpec,
    AnalysisRunStatus,
    Measurement,
    Metric,
    MetricResult,
    OtherProvider,
)
from sim.model.controller import Controller
from sim.model.rollout import (
    CanaryStep,
    Condition,
    Observed,
    ReplicaSetView,
    RolloutSpec,
    RolloutStatus,
    RunRole,
    RunView,
    Threshold,
    TrafficRouting,
    TrafficWeights,
    WeightDestination,
)
from tests.decide.builders import ANALYSIS, basic, blue_green, pause, routed, running, weight
from tests.decide.builders import analysis as analysis_step
from tests.decide.driver import World

A6, A7, A8, A9, RC, A10 = Controller
Answers = dict[Controller, Any]


def since(release: Controller, before: Any, after: Any) -> Answers:
    """Answers that changed with this release."""
    return {one: after if one.is_since(release) else before for one in Controller}


def asked(question: Callable[[Controller], Any]) -> Answers:
    return {release: question(release) for release in Controller}


def world(spec: RolloutSpec, release: Controller) -> World:
    """A promoted v1 under this release, with v2 applied and not yet reconciled."""
    made = running(known_to(release, spec), release)
    made.template = "v2"
    return made


def rs(pod_hash: str, size: int, available: int | None = None, **more: Any) -> ReplicaSetView:
    ready = size if available is None else available
    return ReplicaSetView(f"app-{pod_hash}", pod_hash, size, size, ready, ready, **more)


def seen(release: Controller, new: ReplicaSetView, stable: ReplicaSetView, **status: Any) -> Observed:
    state = RolloutStatus(current_pod_hash=new.hash, stable_rs=stable.hash, **status)
    return Observed(0.0, state, new.hash, new, stable, controller=release)


def carried(canary: int) -> TrafficWeights:
    return TrafficWeights(WeightDestination(canary, "v2"), WeightDestination(100 - canary, "v1"))


def test_min_pods_may_exceed_the_rollout_before_1_10() -> None:
    spec = routed(weight(50), replicas=2, min_pods_per_replica_set=5)
    counts = asked(lambda release: routed_counts(spec, seen(release, rs("v2", 1), rs("v1", 2)), None))
    assert counts == since(RC, (5, 2), (2, 2))


@pytest.mark.parametrize(
    ("stable", "delay_s", "answers"),
    [
        pytest.param(6, None, since(A9, 40, 60), id="too-few-for-a-step"),
        pytest.param(10, 30, {A6: 0, A7: 0, A8: 0, A9: 30, RC: 30, A10: 0}, id="written-delay"),
        pytest.param(12, None, {A6: -20, A7: 0, A8: 0, A9: 30, RC: 30, A10: 30}, id="more-than-all"),
    ],
)
def test_weight_of_an_abort_with_dynamic_stable_scale(stable: int, delay_s: int | None, answers: Answers) -> None:
    steps = (weight(30), weight(60))
    spec = routed(*steps, dynamic_stable_scale=True, abort_scale_down_delay_s=delay_s)

    def weight_of(release: Controller) -> int:
        state = seen(release, rs("v2", 6), rs("v1", 10, stable), abort=True, weights=carried(60))
        return weight_going_back(spec, state)

    assert asked(weight_of) == answers


@pytest.mark.parametrize(
    ("available", "answers"),
    [
        pytest.param(5, since(A6, "", "v2"), id="all"),
        pytest.param(6, since(A9, "v1", "v2"), id="more"),
        pytest.param(4, since(A6, "", "v1"), id="fewer"),
    ],
)
def test_promotion_asks_for_pods(available: int, answers: Answers) -> None:
    spec = routed(replicas=5)

    def stable_after(release: Controller) -> str:
        one = world(spec, release)
        one.settle()
        state = replace(one.status, stable_rs="v1")
        one.status = state
        one.rss["v2"] = replace(one.rss["v2"], available=available)
        return one.decide().status.stable_rs

    assert asked(stable_after) == answers


def test_abort_names_the_analysis_since_1_9() -> None:
    assert asked(lambda release: verdict_text("Background analysis", "no", release)) == since(
        A9, "no", "Background analysis: no"
    )
    assert verdict_text("Background analysis", "", A10) == "Background analysis"


def test_a_pause_step_counts_as_resumed_before_1_8() -> None:
    one = running(routed(weight(10), pause()))
    one.template = "v2"
    one.settle()
    run = RunView("r", RunRole.BACKGROUND, AnalysisPhase.INCONCLUSIVE)
    assert one.status.pause_conditions
    assert asked(lambda release: needs_new(run, one.status, release)) == since(A8, True, False)


def test_paused_suspends_the_deadline_since_1_8() -> None:
    spec = blue_green()
    status = RolloutStatus(conditions=(Condition("Paused", status=True),))
    assert asked(lambda release: is_indefinite(spec, status, release)) == since(A8, False, True)


def created_first(spec: RolloutSpec, release: Controller) -> tuple[bool, str]:
    """Whether the first reconcile of a new template makes its ReplicaSet, and whose hash the status then has."""
    decision = world(spec, release).decide()
    made = any(isinstance(action, CreateReplicaSet) for action in decision.actions)
    return made, decision.status.current_pod_hash


def test_the_first_reconcile_of_a_new_template() -> None:
    canary = asked(lambda release: created_first(basic(weight(10)), release))
    assert canary == since(A8, (False, "v2"), (True, "v2")) | {RC: (True, "v1"), A10: (True, "v1")}
    colours = asked(lambda release: created_first(blue_green(), release))
    assert colours == since(RC, (True, "v2"), (True, "v1"))


def guarded(release: Controller) -> list[int]:
    """Weights written when stable has lost half of its pods at the end of a pause."""
    one = world(routed(weight(20), pause(), weight(50)), release)
    one.settle()
    one.rss["v1"] = replace(one.rss["v1"], available=5)
    one.journal.clear()
    one.status = replace(one.status, weights=None)
    one.reconcile()
    return [entry.weights.canary.weight for _, entry in one.journal if isinstance(entry, SetWeight)]


def test_stable_is_guarded_since_1_8() -> None:
    assert asked(guarded) == since(A8, [20], [])


def undone(release: Controller) -> list[str]:
    """Where the active Service goes when an update goes to pods that wait for their scale-down."""
    one = world(blue_green(auto_promotion_enabled=False, scale_down_delay_s=600), release)
    one.settle()
    one.status = operations.promote(one.spec, one.status)
    one.settle()
    one.template = "v3"
    one.settle()
    one.status = operations.promote(one.spec, one.status)
    one.settle()
    assert one.services["active"].hash == "v3"
    one.journal.clear()
    one.template = "v1"
    one.settle()
    pointed = [entry for _, entry in one.journal if isinstance(entry, PointService) and entry.service == "active"]
    return [entry.hash for entry in pointed]


def test_pods_inside_their_delay_take_over_at_once() -> None:
    assert all(answer == ["v1"] for answer in asked(undone).values())


METRIC = Metric("m", (OtherProvider("job"),), count=3, interval="1m")


def in_flight(release: Controller) -> tuple[tuple[analysis.Task, ...], AnalysisPhase]:
    """What a terminating run does with a measurement that it would look at in 50 s, and the metric's phase after."""
    run = AnalysisRunSpec("r", (METRIC,), terminate=True, controller=release)
    flying = Measurement(AnalysisPhase.RUNNING, started_s=0.0, resume_at_s=60.0)
    status = AnalysisRunStatus(
        AnalysisPhase.RUNNING, metric_results=(MetricResult("m", AnalysisPhase.RUNNING, (flying,)),)
    )
    tasks = analysis.due(run, status, 10.0)
    taken = {task.metric.name: Measurement(task.ends_as, finished_s=10.0) for task in tasks}
    return tasks, analysis.record(run, replace(status, started_s=0.0), taken, 10.0).metric_results[0].phase


def test_measurements_in_flight_are_stopped_since_1_10() -> None:
    answers = asked(in_flight)
    assert {release: bool(tasks) for release, (tasks, _) in answers.items()} == since(RC, False, True)
    assert {release: phase for release, (_, phase) in answers.items()} == since(
        RC, AnalysisPhase.RUNNING, AnalysisPhase.INCONCLUSIVE
    )


@pytest.mark.parametrize(
    ("metric", "answers"),
    [
        pytest.param(
            replace(METRIC, failure_limit=4),
            since(
                A8,
                "count must be >= failureLimit",
                "count (3) must be >= failureLimit + consecutiveSuccessLimit (4 + 0)",
            ),
            id="count",
        ),
        pytest.param(
            replace(METRIC, failure_limit=-1, consecutive_success_limit=1),
            since(A8, "failureLimit must be >= 0", ""),
            id="streak-instead",
        ),
        pytest.param(
            replace(METRIC, count=None, interval="1x", inconclusive_limit=-1),
            since(A8, "invalid interval string", "inconclusiveLimit must be >= 0"),
            id="order",
        ),
        pytest.param(
            replace(METRIC, consecutive_error_limit=-1),
            since(A6, "", "consecutiveErrorLimit must be >= 0"),
            id="errors",
        ),
    ],
)
def test_metrics_that_are_refused(metric: Metric, answers: Answers) -> None:
    for release, start in answers.items():
        error = metric_error(metric_known_to(release, metric), release)
        assert error.startswith(start) if start else error == "", release


def test_what_older_releases_do_not_know() -> None:
    routing = TrafficRouting(("plugins",), max_weight=1000)
    spec = routed(CanaryStep(plugin="p"), replica_progress_threshold=Threshold("Pod", 1))
    spec = replace(spec, canary=replace(spec.canary, traffic_routing=routing) if spec.canary else None)

    def known(release: Controller) -> tuple[bool, bool, bool]:
        canary = known_to(release, spec).canary
        assert canary is not None
        assert canary.traffic_routing is not None
        return (
            canary.traffic_routing.max_weight is not None,
            canary.steps[0].plugin is not None,
            canary.replica_progress_threshold is not None,
        )

    assert asked(known) == since(A9, (True, True, False), (True, True, True)) | {
        A6: (False, False, False),
        A7: (True, False, False),
    }


def conditions_after_resuming(release: Controller) -> tuple[str, int | None]:
    """Reason of Progressing and the step after the reconcile that finds the pause ended by a person."""
    one = world(basic(weight(50), pause(), weight(80), analysis=ANALYSIS), release)
    one.settle()
    one.status = operations.promote(one.spec, one.status)
    status = one.decide().status
    reason = next(c.reason for c in status.conditions if c.type == "Progressing")
    return reason, status.current_step_index


def test_resuming_is_recorded_apart_since_1_10() -> None:
    assert asked(conditions_after_resuming) == since(RC, ("ReplicaSetUpdated", 2), ("RolloutResumed", 1))


def aborted_late(release: Controller) -> list[str]:
    """Phases shown while an update without progress is aborted."""
    spec = replace(routed(weight(50)), progress_deadline_s=60, progress_deadline_abort=True)
    one = world(spec, release)
    one.broken.add("v2")
    one.settle(one.now_s + 120)
    shown = [status.message.split(":")[0] for status in one.statuses if status.phase == "Degraded"]
    return list(dict.fromkeys(shown))


def test_an_abort_for_lack_of_progress_is_shown_late_before_1_10() -> None:
    assert asked(aborted_late) == since(RC, ["ProgressDeadlineExceeded", "RolloutAborted"], ["RolloutAborted"])


def test_every_release_promotes_and_aborts() -> None:
    for release in Controller:
        one = world(routed(weight(20), pause("1m"), analysis_step(), weight(60)), release)
        one.settle(one.now_s + 120)
        one.finish_run(AnalysisPhase.SUCCESSFUL)
        one.settle(one.now_s + 600)
        assert one.status.stable_rs == "v2", release
        assert one.shown == ("Healthy", ""), release
        one.template = "v3"
        one.settle()
        one.status = operations.abort(one.status)
        one.settle(one.now_s + 600)
        assert one.weights()[-1][1] == 0
        assert one.sizes()["v3"] == 0
        assert one.shown[0] == "Degraded"
