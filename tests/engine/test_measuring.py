"""Providers that the twin does not model, answered by the scenario."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from sim.decide.analysis import Task
from sim.engine import run
from sim.engine.measuring import measured
from sim.metrics.providers import Sources
from sim.metrics.scripts import Origin
from sim.model.analysis import AnalysisTemplate, Metric, OtherProvider
from sim.model.records import AnalysisRecord, MeasurementRecord, RunResult, Verdict
from sim.model.telemetry import Signal, Telemetry
from tests.engine import builders


def gate(kind: str, config: dict[str, Any] | None = None, template: str = "gate", **metric: Any) -> AnalysisTemplate:
    written = {"name": "check", "provider": {kind: config or {}}, "interval": "10s", "count": 3} | metric
    return AnalysisTemplate(template, metrics_json=(json.dumps(written),))


def judged(template: AnalysisTemplate, *signals: Signal) -> RunResult:
    manifests = builders.canary_manifests(
        (builders.set_weight(20), builders.analysis(template.name)), templates=(template,)
    )
    return run(builders.scenario(manifests, telemetry=Telemetry(signals=signals)), seed=1)


def measurements(result: RunResult) -> list[MeasurementRecord]:
    return [row for row in result.journal if isinstance(row, MeasurementRecord)]


WEB = gate("web", {"url": "http://shop/healthz"}, successCondition="result.ok")


@pytest.mark.parametrize(
    ("answers", "verdict", "phases"),
    [
        pytest.param(((0.0, '{"ok": true}'),), Verdict.PROMOTED, ["Successful"] * 3, id="good"),
        pytest.param(
            ((0.0, '{"ok": true}'), (30.0, '{"ok": false}')),
            Verdict.ABORTED,
            ["Successful", "Successful", "Failed"],
            id="turns-bad",
        ),
        pytest.param(((0.0, "error: no route to host"),), Verdict.ABORTED, ["Error"] * 5, id="error"),
    ],
)
def test_a_scripted_web_provider_drives_an_analysis(
    answers: tuple[tuple[float, str], ...], verdict: Verdict, phases: list[str]
) -> None:
    result = judged(WEB, Signal("gate", "check", answers))
    assert result.verdict is verdict
    assert [row.phase for row in measurements(result)] == phases


def test_a_provider_without_a_script_says_what_to_add_to_the_scenario() -> None:
    result = judged(WEB)
    assert result.verdict is Verdict.ABORTED
    assert "telemetry.signals" in measurements(result)[0].message


def test_the_script_of_another_template_does_not_answer() -> None:
    result = judged(WEB, Signal("other", "check", ((0.0, '{"ok": true}'),)))
    assert {row.phase for row in measurements(result)} == {"Error"}


@pytest.mark.parametrize(
    ("end", "verdict"),
    [
        pytest.param("success", Verdict.PROMOTED, id="success"),
        pytest.param("Complete", Verdict.PROMOTED, id="complete"),
        pytest.param('{"jobConditions": ["Failed"]}', Verdict.ABORTED, id="failed"),
    ],
)
def test_a_job_is_in_flight_until_it_ends(end: str, verdict: Verdict) -> None:
    result = judged(gate("job", count=1), Signal("gate", "check", answer=end, takes_s=20.0))
    (row,) = measurements(result)
    assert result.verdict is verdict
    begun = next(one for one in result.journal if isinstance(one, AnalysisRecord)).t_s
    # The controller looks 1, 2, 4, 6, 9, 13, 18, 24 ... seconds after the Job began, in whole seconds.
    assert math.floor(row.t_s) - math.floor(begun) == 24


def test_how_often_a_job_is_looked_at() -> None:
    metric = Metric("check", providers=(OtherProvider("job"),))
    sources = Sources(telemetry=Telemetry(signals=(Signal("", "", answer="running"),)))
    looked: list[float] = []
    now_s, resume = 10.4, False
    while now_s < 60:
        at_s = measured(Task(metric, resume=resume), now_s, sources, Origin(), 10.0).resume_at_s
        assert at_s is not None
        looked, now_s, resume = [*looked, at_s], at_s, True
    assert looked == [11, 12, 14, 16, 19, 23, 28, 34, 40, 47, 55, 64]


def test_an_answer_that_no_job_gives_is_an_error_that_says_so() -> None:
    result = judged(gate("job", count=1), Signal("gate", "check", ((0.0, "7"),)))
    assert "must be success, failure" in measurements(result)[0].message


def test_a_canary_analysis_is_looked_at_every_15_s() -> None:
    template = gate("kayenta", {"threshold": {"pass": 90, "marginal": 75}}, count=1, interval=None)
    result = judged(template, Signal("gate", "check", answer="80", takes_s=40.0))
    (row,) = measurements(result)
    begun = next(one for one in result.journal if isinstance(one, AnalysisRecord)).t_s
    assert (row.phase, row.value) == ("Inconclusive", "80")
    assert 45 <= row.t_s - math.floor(begun) < 46.5


def test_a_plugin_may_judge_by_itself() -> None:
    said = '{"phase": "Failed", "value": "7", "message": "seven"}'
    result = judged(gate("plugin", {"acme/metrics": {}}), Signal("gate", "check", answer=said))
    assert [(row.phase, row.value, row.message) for row in measurements(result)] == [("Failed", "7", "seven")]


@pytest.mark.parametrize(
    ("score", "verdict"),
    [pytest.param(96, Verdict.PROMOTED, id="pass"), pytest.param(50, Verdict.ABORTED, id="fail")],
)
def test_kayenta_judges_by_score(score: int, verdict: Verdict) -> None:
    body = {"complete": True, "result": {"judgeResult": {"score": {"score": score}}}}
    template = gate("kayenta", {"threshold": {"pass": 90, "marginal": 75}}, count=1, interval=None)
    assert judged(template, Signal("gate", "check", ((0.0, json.dumps({"body": body})),))).verdict is verdict


def test_a_measurement_in_flight_ends_with_its_run() -> None:
    job = gate("job", count=1)
    bad = gate("web", {"url": "http://shop"}, "bad", name="other", successCondition="result.ok", count=1)
    steps = (builders.set_weight(20), builders.analysis("gate", "bad"))
    signals = (Signal("gate", "check", ((0.0, "{}"),)), Signal("bad", "other", ((0.0, '{"ok": false}'),)))
    manifests = builders.canary_manifests(steps, templates=(job, bad))
    result = run(builders.scenario(manifests, telemetry=Telemetry(signals=signals)), seed=1)
    assert result.verdict is Verdict.ABORTED
    assert ("check", "Inconclusive", "Metric Terminated") in [
        (row.metric, row.phase, row.message) for row in measurements(result)
    ]
