"""What people and faults do to a rollout."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.engine import run
from sim.model.behaviour import (
    Alert,
    CpuStress,
    Crash,
    Effect,
    Errors,
    Fault,
    Leak,
    People,
    ProviderOutage,
    Side,
    Slowdown,
    SlowStart,
    Target,
    Trigger,
)
from sim.model.manifests import ManifestSet
from sim.model.records import (
    DecisionRecord,
    FaultRecord,
    MeasurementRecord,
    PodRecord,
    RunResult,
    TrafficRecord,
    Verdict,
    WeightRecord,
)
from sim.model.strategy import ArgoRollout, LocalStrategy, RollingUpdate
from tests.engine import builders
from tests.engine.test_canary import BY_VERSION, GATE

PEOPLE = People(
    approve=builders.constant(60),
    alert=Alert(error_ratio=0.05, error_for_s=60.0, p99_s=None),
    notice=builders.constant(30),
    decide=builders.constant(20),
    act=builders.constant(10),
    report=builders.constant(300),
)
BAD = builders.release(good=False, error_ratio=0.3)


def blind_canary(rollback_window: int | None = None) -> ManifestSet:
    steps = (builders.set_weight(20), builders.pause(120), builders.set_weight(60), builders.pause(60))
    return builders.canary_manifests(steps, rollback_window_revisions=rollback_window)


def times(result: RunResult, decision: str) -> list[float]:
    return [row.t_s for row in result.journal if isinstance(row, DecisionRecord) and row.decision == decision]


def test_an_alert_while_it_is_under_way_aborts() -> None:
    result = run(builders.scenario(blind_canary(), release=BAD, people=PEOPLE), seed=1)
    alert, abort = times(result, "alert")[0], times(result, "abort")[0]
    assert result.verdict is Verdict.ABORTED
    assert abort == pytest.approx(alert + 60, abs=0.1)


@pytest.mark.parametrize("effect", [Slowdown(3.0), CpuStress(2.0, slowdown=3.0)], ids=["slowdown", "cpu-stress"])
def test_cpu_stress_slows_down_as_much_as_its_fault_says(effect: Effect) -> None:
    fault = Fault("slow", effect, Trigger(30.0), Target(Side.STABLE))
    scenario = builders.scenario(blind_canary(), people=builders.QUIET, faults=(fault,), horizon_s=60.0)
    rows = [row for row in run(scenario, seed=1).journal if isinstance(row, TrafficRecord) and row.side == "stable"]
    means = {row.t_s: row.latency_sum_s / sum(row.latency_counts) for row in rows}
    assert means[60.0] == pytest.approx(3 * means[30.0], rel=0.1)


def test_an_undo_replays_the_canary() -> None:
    quiet_alert = replace(PEOPLE, alert=None)
    result = run(builders.scenario(blind_canary(), release=BAD, people=quiet_alert), seed=1)
    promoted, undone = times(result, "promote")[0], times(result, "undo")[0]
    assert result.verdict is Verdict.UNDONE
    assert undone == pytest.approx(promoted + 330, abs=0.1)
    assert result.ended_s - undone > 180
    assert [row for row in result.journal if isinstance(row, WeightRecord)][-1].stable == 100


def test_a_rollback_window_makes_the_undo_quick() -> None:
    quiet_alert = replace(PEOPLE, alert=None)
    result = run(builders.scenario(blind_canary(1), release=BAD, people=quiet_alert), seed=1)
    assert result.verdict is Verdict.UNDONE
    assert result.ended_s - times(result, "undo")[0] < 40


def test_a_deployment_is_undone_after_a_report() -> None:
    result = run(
        builders.scenario(
            builders.deployment_manifests(), RollingUpdate("shop"), release=BAD, people=replace(PEOPLE, alert=None)
        ),
        seed=1,
    )
    assert result.verdict is Verdict.UNDONE


def test_an_open_ended_pause_waits_for_approval() -> None:
    manifests = builders.canary_manifests((builders.set_weight(20), builders.pause(None)))
    result = run(builders.scenario(manifests, people=PEOPLE), seed=1)
    assert result.verdict is Verdict.PROMOTED
    assert times(result, "resume")[0] == pytest.approx(76, abs=0.2)


def test_an_outage_of_the_provider_is_an_error_five_times_and_then_an_abort() -> None:
    outage = Fault("outage", ProviderOutage("prometheus"), Trigger(start_s=30.0))
    steps = (builders.set_weight(20), builders.pause(60), builders.analysis("gate"))
    manifests = builders.canary_manifests(steps, templates=(GATE,))
    result = run(builders.scenario(manifests, faults=(outage,), telemetry=BY_VERSION), seed=1)
    measured = [row for row in result.journal if isinstance(row, MeasurementRecord)]
    assert {row.phase for row in measured} == {"Error"}
    assert [row.t_s - measured[0].t_s for row in measured] == pytest.approx([0, 10, 20, 30, 40], abs=1.0)
    assert result.verdict is Verdict.ABORTED


def requests(result: RunResult) -> list[tuple[float, int]]:
    totals: dict[float, int] = {}
    for row in result.journal:
        if isinstance(row, TrafficRecord):
            totals[row.t_s] = totals.get(row.t_s, 0) + row.client_requests
    return sorted(totals.items())


def test_a_fault_does_not_change_the_arrivals() -> None:
    # Errors that nobody retries change answers, not when requests come or how long they take.
    fault = Fault("errors", Errors(0.5), target=Target(Side.CANDIDATE))
    scenario = builders.scenario(blind_canary())
    assert requests(run(scenario, 4)) == requests(run(replace(scenario, faults=(fault,)), 4))


@pytest.mark.parametrize(
    ("trigger", "began_s"),
    [
        pytest.param(Trigger(start_s=50.0), 50.0, id="time"),
        pytest.param(Trigger(pod_age_s=30.0), 46.02, id="pod-age"),
        pytest.param(Trigger(above_weight=50.0), 154.0, id="weight"),
    ],
)
def test_a_fault_begins_when_its_trigger_says(trigger: Trigger, began_s: float) -> None:
    fault = Fault("slow", Slowdown(2.0), trigger, Target(Side.CANDIDATE))
    result = run(builders.scenario(blind_canary(), faults=(fault,)), seed=1)
    began = [row.t_s for row in result.journal if isinstance(row, FaultRecord) and row.state == "began"]
    assert began[0] == pytest.approx(began_s, abs=1.0)


def test_load_triggers_a_fault_and_spares_pods_with_less() -> None:
    fault = Fault("hot", Errors(1.0), Trigger(above_rps_per_pod=1000.0))
    result = run(builders.scenario(blind_canary(), faults=(fault,)), seed=1)
    assert not [row for row in result.journal if isinstance(row, FaultRecord)]
    low = Fault("hot", Errors(1.0), Trigger(above_rps_per_pod=1.0, start_s=0.0))
    result = run(builders.scenario(blind_canary(), faults=(low,)), seed=1)
    assert next(row.state for row in result.journal if isinstance(row, FaultRecord)) == "began"


def test_a_fault_that_ends_leaves_nothing_behind() -> None:
    fault = Fault("blip", Errors(1.0), Trigger(start_s=20.0, duration_s=20.0))
    result = run(builders.scenario(blind_canary(), faults=(fault,)), seed=1)
    failing = {
        row.t_s
        for row in result.journal
        if isinstance(row, TrafficRecord) and row.client_failures > row.client_requests / 2
    }
    assert failing == {30.0, 40.0}


def test_a_leak_kills_its_pod_at_its_age() -> None:
    fault = Fault("leak", Leak(oom_after_s=100.0), target=Target(Side.CANDIDATE, share=0.01))
    result = run(builders.scenario(blind_canary(), faults=(fault,)), seed=1)
    kills = [row.t_s for row in result.journal if isinstance(row, PodRecord) and row.reason == "OOMKilled"]
    assert kills[0] == pytest.approx(105.0, abs=1.0)


CRASHING = builders.release(good=False, faults=(Fault("crash", Crash()),))
WATCHING = replace(
    builders.QUIET,
    watch_degraded=True,
    notice=builders.constant(30),
    decide=builders.constant(20),
    act=builders.constant(10),
)
SHORT: dict[str, Any] = {"progress_deadline_s": 120}


def reasons(result: RunResult, decision: str) -> list[tuple[str, str]]:
    return [
        (row.actor, row.reason)
        for row in result.journal
        if isinstance(row, DecisionRecord) and row.decision == decision
    ]


@pytest.mark.parametrize(
    ("manifests", "strategy"),
    [
        pytest.param(builders.canary_manifests((builders.set_weight(20),), **SHORT), ArgoRollout("shop"), id="canary"),
        pytest.param(builders.deployment_manifests(**SHORT), RollingUpdate("shop"), id="rolling-update"),
    ],
)
def test_a_rollout_that_becomes_degraded_pages_a_person_who_aborts(
    manifests: ManifestSet, strategy: LocalStrategy
) -> None:
    result = run(builders.scenario(manifests, strategy, release=CRASHING, people=WATCHING), seed=1)
    assert [actor for actor, _ in reasons(result, "alert")] == ["person"]
    assert reasons(result, "alert")[0][1].startswith("Degraded: ProgressDeadlineExceeded: ")
    assert reasons(result, "abort") == [("person", reasons(result, "alert")[0][1])]
    assert times(result, "abort")[0] == pytest.approx(times(result, "alert")[0] + 60, abs=0.1)
    assert result.verdict is Verdict.ABORTED
    assert "by a person: Degraded: ProgressDeadlineExceeded" in result.reason
    assert [row for row in result.journal if isinstance(row, WeightRecord)][-1].stable == 100


def test_nobody_watching_leaves_it_degraded_until_the_horizon() -> None:
    manifests = builders.deployment_manifests(**SHORT)
    scenario = builders.scenario(manifests, RollingUpdate("shop"), release=CRASHING, horizon_s=900.0)
    result = run(scenario, seed=1)
    assert (result.verdict, result.ended_s) == (Verdict.DEGRADED, 900.0)
    assert not reasons(result, "alert")


def test_a_person_who_finds_the_rollout_healthy_again_leaves_it_alone() -> None:
    slow = builders.release(faults=(Fault("slow", SlowStart(add_s=150.0)),))
    manifests = builders.deployment_manifests(replicas=1, **SHORT)
    patient = replace(WATCHING, act=builders.constant(600))
    result = run(builders.scenario(manifests, RollingUpdate("shop"), release=slow, people=patient), seed=1)
    assert len(reasons(result, "alert")) == 1
    assert result.verdict is Verdict.PROMOTED


def test_bounds_read_as_people_write_them() -> None:
    result = run(builders.scenario(blind_canary(), release=BAD, people=PEOPLE), seed=1)
    assert reasons(result, "alert")[0] == ("person", "clients' error ratio above 5 % for 1m")
    slow = replace(BAD, behaviour=replace(BAD.behaviour, statuses=(), faults=(Fault("slow", Slowdown(add_s=3.0)),)))
    alert = Alert(error_ratio=None, p99_s=2.0, p99_for_s=90.0)
    result = run(builders.scenario(blind_canary(), release=slow, people=replace(PEOPLE, alert=alert)), seed=1)
    assert reasons(result, "alert")[0] == ("person", "p99 above 2s for 1m30s")
