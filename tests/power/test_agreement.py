"""Closed forms against full replications: simulated frequencies lie where the closed form says, within 99 % intervals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reports.power.building import frequency
from reports.power.reading import reading_of
from scenarios.power.courses import Method, course
from scenarios.power.limits import ended
from scenarios.power.models import Rollout
from scenarios.power.replicas import judging, observed
from scenarios.power.world import Truth
from sim.model.analysis import AnalysisPhase
from sim.model.records import Verdict
from sim.study import run_once
from tests.power.rollouts import GOOD, metric, rollout

ABORTS = {AnalysisPhase.FAILED, AnalysisPhase.ERROR}
SEEDS = range(5000, 5060)


def _aborted(models: Rollout, truth: Truth, seed: int) -> bool:
    (gate,) = models.gates
    measured = reading_of(run_once(observed(models.scenario, truth), seed)).of(("step", 2, "", "gate"))
    assert measured is not None
    found = ended(gate.metric, measured.sequence)
    return found is not None and found[1] in ABORTS


@pytest.mark.slow
@pytest.mark.parametrize("interval", ["1m", "20s"], ids=["apart", "overlapping"])
@pytest.mark.parametrize("errors", [0.02, 0.045])
def test_simulated_aborts_lie_within_99_percent_of_the_closed_form(
    interval: str, errors: float, tmp_path: Path
) -> None:
    gate = metric(GOOD, successCondition="'result[0] >= 0.97'", interval=interval, count=3, failureLimit=1)
    models = rollout(tmp_path, gate, rate=20.0, weight=50, pause="3m")
    found = course(models, models.gates[0], Truth(errors), 20_000)
    assert found is not None
    assert found.method is (Method.EXACT if interval == "1m" else Method.COUNTED)
    hits = sum(_aborted(models, Truth(errors), seed) for seed in SEEDS)
    assert frequency(hits, len(SEEDS)).covers(found.ends.abort), (hits / len(SEEDS), found.ends.abort)


def test_a_gate_that_only_watches_decides_as_the_one_that_acts(tmp_path: Path) -> None:
    gate = metric(GOOD, successCondition="'result[0] >= 0.97'", interval="20s", count=3, failureLimit=1)
    models = rollout(tmp_path, gate, rate=20.0, weight=50, pause="1m")
    for seed in range(12):
        acted = run_once(judging(models, Truth(0.03)), seed).verdict is Verdict.ABORTED
        assert acted is _aborted(models, Truth(0.03), seed)


def test_traffic_rows_that_nobody_reads_change_no_measurement(tmp_path: Path) -> None:
    gate = metric(GOOD, successCondition="'result[0] >= 0.97'", interval="20s", count=3, failureLimit=1)
    models = rollout(tmp_path, gate, rate=20.0, weight=50, pause="1m")
    bare = observed(models.scenario, Truth(0.03))
    watched = replace(bare, telemetry=models.scenario.telemetry)
    assert bare.telemetry != watched.telemetry
    for seed in range(3):
        assert reading_of(run_once(bare, seed)) == reading_of(run_once(watched, seed))
