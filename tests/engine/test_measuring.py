"""Providers that the twin does not model, answered by the scenario."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sim.engine import run
from sim.model.analysis import AnalysisTemplate
from sim.model.records import MeasurementRecord, RunResult, Verdict
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
        pytest.param("Complete", Verdict.PROMOTED, id="complete"),
        pytest.param('{"jobConditions": ["Failed"]}', Verdict.ABORTED, id="failed"),
    ],
)
def test_a_job_is_in_flight_until_it_ends(end: str, verdict: Verdict) -> None:
    answers = ((0.0, "{}"), (90.0, end))
    result = judged(gate("job", count=1), Signal("gate", "check", answers))
    (row,) = measurements(result)
    assert result.verdict is verdict
    assert row.t_s == pytest.approx(90, abs=1.1)


def test_an_answer_that_no_job_gives_is_an_error_that_says_so() -> None:
    result = judged(gate("job", count=1), Signal("gate", "check", ((0.0, "7"),)))
    assert "must be Complete, Failed or an object" in measurements(result)[0].message


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
