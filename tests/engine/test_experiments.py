"""Experiment steps end to end: pods, traffic, analyses, verdicts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.engine import run
from sim.model.analysis import AnalysisRef, AnalysisTemplate, Argument, TemplateRef
from sim.model.manifests import ManifestSet
from sim.model.records import (
    AnalysisRecord,
    DecisionRecord,
    PodRecord,
    RunResult,
    ScaleRecord,
    StepRecord,
    TrafficRecord,
    Verdict,
    WeightRecord,
)
from sim.model.rollout import CanaryStep, Experiment, ExperimentAnalysis, ExperimentTemplate
from tests.engine import builders
from tests.engine.test_canary import BY_VERSION, weights

BASELINE = ExperimentTemplate("baseline", "stable", replicas=1)
CANARY = ExperimentTemplate("canary", "canary", replicas=2)
POD_START_S = 16.0
"""Schedule 1 s; then pull 4 s, start-up 7 s and readiness on a grid of 5 s from the binding: 15 s."""


def experiment(*templates: ExperimentTemplate, duration: str = "1m", **changes: Any) -> CanaryStep:
    return CanaryStep(experiment=replace(Experiment(templates, duration), **changes))


def manifests(*steps: CanaryStep, templates: tuple[AnalysisTemplate, ...] = (), **spec: Any) -> ManifestSet:
    return builders.canary_manifests((*steps, builders.set_weight(50), builders.pause(10)), templates=templates, **spec)


def gate(condition: str, **metric: Any) -> AnalysisTemplate:
    return builders.prometheus_template("gate", "vector(1)", condition, **metric)


def judged_by(*, required: bool = False, args: tuple[Argument, ...] = ()) -> tuple[ExperimentAnalysis, ...]:
    return (ExperimentAnalysis("judge", AnalysisRef((TemplateRef("gate"),), args), required),)


def rows(result: RunResult, kind: type[Any]) -> list[Any]:
    return [row for row in result.journal if isinstance(row, kind)]


def of_experiment(result: RunResult, name: str) -> list[ScaleRecord]:
    return [row for row in rows(result, ScaleRecord) if row.replica_set.endswith(f"-0-{name}")]


def phases(result: RunResult) -> list[tuple[str, str]]:
    """(phase, message) of the experiment itself."""
    found = [row for row in rows(result, AnalysisRecord) if row.role == "experiment" and row.run.endswith("-0")]
    return [(row.phase, row.message) for row in found]


def test_its_pods_run_for_the_duration_and_go_after_the_delay() -> None:
    result = run(builders.scenario(manifests(experiment(BASELINE, CANARY))), seed=1)
    assert result.verdict is Verdict.PROMOTED
    assert of_experiment(result, "canary")[0].desired == 2
    assert {row.side for row in of_experiment(result, "baseline")} == {"stable"}
    available = next(row.t_s for row in of_experiment(result, "canary") if row.available == 2)
    completed = next(row.t_s for row in rows(result, StepRecord) if row.state == "completed" and row.index == 0)
    assert available == pytest.approx(POD_START_S, abs=0.2)
    assert completed == pytest.approx(available + 60, abs=1.2)
    gone = of_experiment(result, "canary")[-1]
    assert gone.desired == 0
    assert gone.t_s == pytest.approx(completed + 30, abs=1.2)
    assert phases(result) == [("Pending", ""), ("Running", ""), ("Successful", "")]


def test_pods_without_weight_get_no_traffic() -> None:
    result = run(builders.scenario(manifests(experiment(BASELINE, CANARY))), seed=1)
    completed = next(row.t_s for row in rows(result, StepRecord) if row.state == "completed" and row.index == 0)
    served = [row for row in rows(result, TrafficRecord) if row.side == "candidate" and row.t_s < completed]
    assert not served
    assert all(candidate == 0 for candidate, _ in weights(result)[:1])


def test_weighted_templates_take_their_share_from_stable_while_it_runs() -> None:
    weighted = (replace(BASELINE, weight=10), replace(CANARY, weight=20))
    result = run(builders.scenario(manifests(experiment(*weighted, duration="3m"))), seed=1)
    shown = rows(result, WeightRecord)
    assert [(row.candidate, row.stable) for row in shown][:3] == [(0.0, 100.0), (20.0, 80.0), (0.0, 100.0)]
    begins, ends = shown[1].t_s, shown[2].t_s
    assert ends - begins == pytest.approx(180, abs=3)
    during = [row for row in rows(result, TrafficRecord) if begins + 10 < row.t_s - row.width_s and row.t_s < ends]
    candidate = sum(row.client_requests for row in during if row.side == "candidate")
    assert candidate / sum(row.client_requests for row in during) == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(
    ("condition", "failure", "phase", "verdict"),
    [
        pytest.param("result[0] == 1", "", "Successful", Verdict.PROMOTED, id="successful"),
        pytest.param("result[0] == 2", "", "Failed", Verdict.ABORTED, id="failed"),
        pytest.param("result[7] == 2", "", "Error", Verdict.ABORTED, id="error"),
        pytest.param("result[0] == 2", "result[0] == 3", "Inconclusive", Verdict.STUCK, id="inconclusive"),
    ],
)
def test_its_analysis_decides(condition: str, failure: str, phase: str, verdict: Verdict) -> None:
    metric = {"failureCondition": failure} if failure else {}
    step = experiment(CANARY, duration="2m", analyses=judged_by())
    world = manifests(step, templates=(gate(condition, **metric),))
    result = run(builders.scenario(world, horizon_s=600.0), seed=1)
    assert phase in {name for name, _ in phases(result)}
    assert result.verdict is verdict
    if verdict is Verdict.ABORTED:
        assert "Experiment analysis phase is error/failed: Metric" in result.reason
        assert of_experiment(result, "canary")[-1].desired == 0


def test_required_analyses_end_it_early() -> None:
    step = experiment(CANARY, duration="1h", analyses=judged_by(required=True))
    result = run(builders.scenario(manifests(step, templates=(gate("true"),))), seed=1)
    assert result.verdict is Verdict.PROMOTED
    assert result.ended_s < 120
    assert phases(result)[-1] == ("Successful", "")


def test_an_argument_may_name_a_template_s_pods() -> None:
    query = 'count(up{pod=~"{{args.rs}}-.*"}) or vector({{args.hash}})'
    template = replace(
        builders.prometheus_template("gate", query, "len(result) == 1"), args=(Argument("rs"), Argument("hash"))
    )
    args = (
        Argument("rs", "{{templates.canary.replicaset.name}}"),
        Argument("hash", "0x{{ templates.canary.podTemplateHash }}"),
    )
    step = experiment(CANARY, analyses=judged_by(args=args))
    assert run(builders.scenario(manifests(step, templates=(template,))), seed=1).verdict is Verdict.PROMOTED


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param((Argument("x", "{{templates.other.podTemplateHash}}"),), "failed to resolve", id="unknown-tag"),
        pytest.param((), "args.x was not resolved", id="no-value"),
    ],
)
def test_a_run_that_cannot_be_created_is_an_error(args: tuple[Argument, ...], said: str) -> None:
    template = replace(gate("true"), args=(Argument("x"),))
    step = experiment(CANARY, analyses=judged_by(args=args))
    world = manifests(step, templates=(template,))
    scenario = builders.scenario(world)
    result = run(scenario, seed=1)
    assert result.verdict in {Verdict.ABORTED, Verdict.REJECTED}
    assert said in result.reason


def test_pods_that_do_not_come_fail_it_at_the_progress_deadline() -> None:
    many = replace(CANARY, replicas=500)
    result = run(builders.scenario(manifests(experiment(many), progress_deadline_s=120)), seed=1)
    assert result.verdict is Verdict.ABORTED
    assert "Template 'canary' exceeded its progressDeadlineSeconds (120)" in result.reason


def test_an_abort_ends_it_and_its_pods_go() -> None:
    step = experiment(replace(CANARY, weight=10), duration="")
    background = builders.refs("watch")
    watch = replace(gate("false", initialDelay="100s"), name="watch")
    world = builders.canary_manifests((step,), templates=(watch,), background=background)
    result = run(builders.scenario(world), seed=1)
    assert result.verdict is Verdict.ABORTED
    assert weights(result)[-1] == (0.0, 100.0)
    (abort,) = (row for row in rows(result, DecisionRecord) if row.decision == "abort")
    last = of_experiment(result, "canary")[-1]
    assert last.desired == 0
    assert last.t_s == pytest.approx(abort.t_s + 30, abs=1.5)
    created = {row.pod for row in rows(result, PodRecord) if "-0-canary" in row.pod}
    assert {row.pod for row in rows(result, PodRecord) if row.state == "gone"} >= created


def test_gates_see_its_pods_apart_from_the_canary_s() -> None:
    """The query counts requests per version; the experiment's canary pods are of the candidate's version."""
    query = 'sum(rate(http_requests_total{version="candidate"}[1m])) > 0'
    template = builders.prometheus_template("gate", query, "result[0] > 0", initialDelay="60s")
    step = experiment(replace(CANARY, weight=20), duration="3m", analyses=judged_by())
    world = manifests(step, templates=(template,))
    assert run(builders.scenario(world, telemetry=BY_VERSION), seed=1).verdict is Verdict.PROMOTED
