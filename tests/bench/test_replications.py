"""The rollout that replications are measured on is the one that is described."""

from __future__ import annotations

from dataclasses import replace

from bench.cases import replications
from bench.cases.options import Options
from sim.engine import run
from sim.model.load import Stage
from sim.model.records import MeasurementRecord, PodRecord, TrafficRecord, Verdict, WeightRecord


def test_the_canary_takes_its_steps_under_a_gate_that_asks_each_minute() -> None:
    short = replications.scenario(Options(minutes=15.0, rps=60.0))
    result = run(replace(short, faults=()), seed=1)
    assert result.verdict is Verdict.PROMOTED
    weights = [row.candidate for row in result.journal if isinstance(row, WeightRecord)]
    assert weights == [0.0, 1.0, 5.0, 25.0, 50.0, 100.0]
    gates = [row for row in result.journal if isinstance(row, MeasurementRecord)]
    assert {row.metric for row in gates} == {"error-ratio", "p99"}
    assert len(gates) == 2 * (int(result.ended_s / 60) - 1)
    assert all(row.value not in {"[]", "[NaN]"} for row in gates[len(gates) // 2 :])
    candidates = {row.pod for row in result.journal if isinstance(row, PodRecord) and row.side == "candidate"}
    assert len(candidates) == 10


def test_the_usual_options_leave_the_scenario_as_written() -> None:
    assert replications.scenario(Options()).load.stages == (Stage(3600.0, 1000.0),)


def test_a_replication_says_what_its_worker_used() -> None:
    short = replications.scenario(Options(minutes=1.0, rps=20.0))
    done = replications.done(run(short, seed=1))
    assert done.outcome.verdict is Verdict.PROMOTED
    assert done.cpu_s > 0
    assert 20 < done.peak_mib < 4000


def test_windows_are_as_wide_as_scrapes_are_far_apart() -> None:
    short = replications.scenario(Options(minutes=1.0, rps=20.0))
    rows = [row for row in run(short, seed=1).journal if isinstance(row, TrafficRecord)]
    assert rows[0].width_s == short.telemetry.prometheus.scrape_interval_s
