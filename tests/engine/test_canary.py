"""Canary rollouts end to end."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sim.engine import run
from sim.model.analysis import AnalysisPhase
from sim.model.manifests import ManifestSet
from sim.model.records import (
    AnalysisRecord,
    DecisionRecord,
    HeaderRecord,
    MeasurementRecord,
    RunResult,
    ScaleRecord,
    StepRecord,
    TrafficRecord,
    Verdict,
    WeightRecord,
)
from sim.model.telemetry import LabelSource, PrometheusTelemetry, Telemetry
from tests.engine import builders

BY_VERSION = Telemetry(
    prometheus=PrometheusTelemetry(
        labels=(
            LabelSource("version", ("version",)),
            LabelSource("status", ("status",)),
            LabelSource("pod", ("pod-name",)),
        )
    )
)
GATE = builders.prometheus_template(
    "gate", builders.SUCCESS_QUERY, "result[0] >= 0.97", interval="1m", count=4, failureLimit=3
)
PLAYBOOK_PAUSES = ((1, "2m"), (5, "5m"), (25, "10m"), (50, "15m"))


def playbook_manifests() -> ManifestSet:
    steps = [
        step
        for weight, length in PLAYBOOK_PAUSES
        for step in (builders.set_weight(weight), builders.pause(length), builders.analysis("gate"))
    ]
    last = (builders.set_weight(100), builders.pause("5m"))
    return builders.canary_manifests((*steps, *last), templates=(GATE,))


def short_manifests() -> ManifestSet:
    return builders.canary_manifests(
        (builders.set_weight(20), builders.pause(60), builders.set_weight(60), builders.pause(30))
    )


def weights(result: RunResult) -> list[tuple[float, float]]:
    return [(row.candidate, row.stable) for row in result.journal if isinstance(row, WeightRecord)]


def test_short_canary_keeps_its_timetable() -> None:
    # Pod start: schedule 1 + pull 4 + start-up 7, on a readiness grid of 5 s from the binding: ready 15 s after creation.
    result = run(builders.scenario(short_manifests()), seed=1)
    completed = {
        row.index: row.t_s for row in result.journal if isinstance(row, StepRecord) and row.state == "completed"
    }
    assert result.verdict is Verdict.PROMOTED
    assert completed[0] == pytest.approx(16, abs=0.1)
    assert completed[1] == pytest.approx(76, abs=0.1)
    assert completed[2] == pytest.approx(92, abs=0.1)
    assert completed[3] == pytest.approx(122, abs=0.1)
    assert weights(result)[:3] == [(0.0, 100.0), (20.0, 80.0), (60.0, 40.0)]
    assert weights(result)[-1] == (100.0, 0.0)


def test_a_plan_of_many_steps_without_pauses_is_no_livelock() -> None:
    steps = tuple(builders.set_weight(20 + index % 2) for index in range(1000))
    assert run(builders.scenario(builders.canary_manifests(steps)), seed=1).verdict is Verdict.PROMOTED


def test_first_row_describes_the_run() -> None:
    header = run(builders.scenario(short_manifests()), seed=7, scenario_hash="abc").journal[0]
    assert isinstance(header, HeaderRecord)
    assert (header.seed, header.scenario_hash, header.desired_pods, header.t_s) == (7, "abc", 10, -60.0)


def test_playbook_without_faults_takes_its_pauses_and_analyses_and_pod_starts() -> None:
    result = run(builders.scenario(playbook_manifests(), telemetry=BY_VERSION), seed=1)
    pauses_s, analyses_s = (2 + 5 + 10 + 15 + 5) * 60, 4 * 3 * 60
    pod_starts = 4  # 5 % needs no pod that 1 % did not already have
    assert result.verdict is Verdict.PROMOTED
    assert result.ended_s == pytest.approx(pauses_s + analyses_s + pod_starts * 16, abs=10)


def test_a_bad_release_is_aborted_at_five_minutes_and_not_before() -> None:
    bad = builders.release(good=False, error_ratio=0.3)
    result = run(builders.scenario(playbook_manifests(), telemetry=BY_VERSION, release=bad), seed=1)
    decision = next(row for row in result.journal if isinstance(row, DecisionRecord) and row.decision == "abort")
    assert result.verdict is Verdict.ABORTED
    assert decision.actor == "analysis"
    assert 300 <= decision.t_s <= 330


def test_after_an_abort_the_stable_version_serves_everything() -> None:
    bad = builders.release(good=False, error_ratio=0.3)
    result = run(builders.scenario(playbook_manifests(), telemetry=BY_VERSION, release=bad), seed=2)
    assert weights(result)[-1] == (0.0, 100.0)
    last_rows = [row for row in result.journal if isinstance(row, TrafficRecord) and row.t_s > result.ended_s + 30]
    assert {row.side for row in last_rows} == {"stable"}
    scales = [row for row in result.journal if isinstance(row, ScaleRecord) and row.side == "candidate"]
    assert scales[-1].desired == 0


def test_condition_that_cannot_be_evaluated_aborts_after_five_errors_ten_seconds_apart() -> None:
    broken = builders.prometheus_template("gate", 'absent_metric{a="b"}', "result[0] >= 0.97", interval="1m", count=4)
    steps = (builders.set_weight(10), builders.analysis("gate"))
    result = run(builders.scenario(builders.canary_manifests(steps, templates=(broken,))), seed=1)
    times = [row.t_s for row in result.journal if isinstance(row, MeasurementRecord)]
    assert len(times) == 5
    assert [b - a for a, b in pairwise(times)] == pytest.approx([10.0] * 4, abs=1.0)
    assert result.verdict is Verdict.ABORTED
    last = [row for row in result.journal if isinstance(row, AnalysisRecord)][-1]
    assert last.phase == AnalysisPhase.ERROR


def test_same_seed_same_journal_and_another_seed_another() -> None:
    scenario = builders.scenario(short_manifests())
    assert repr(run(scenario, 5)) == repr(run(scenario, 5))
    assert repr(run(scenario, 5)) != repr(run(scenario, 6))
