"""One replication from warm-up to verdict."""

from __future__ import annotations

from typing import Final

from sim.engine.local import LocalResult, LocalRun, Place
from sim.engine.setup import base_failure_ratio
from sim.engine.verdicts import rejection
from sim.model.records import SCHEMA_VERSION, EndRecord, HeaderRecord, RunResult
from sim.model.scenario import Scenario
from sim.model.strategy import Geographic
from sim.streams import Streams

BACKEND: Final = "twin"


def run(scenario: Scenario, seed: int, scenario_hash: str = "") -> RunResult:
    """One replication: the same (scenario, seed) gives the same journal, byte for byte, in any process.

    Simulated failure is data; RuntimeError, naming scenario, seed and simulated time, is a bug.
    """
    strategy = scenario.strategy
    if isinstance(strategy, Geographic):
        raise NotImplementedError
    refused = rejection(scenario, strategy)
    result = LocalRun(scenario, strategy, Place(Streams(seed))).run(refused)
    return _assembled(scenario, seed, scenario_hash, result)


def _assembled(scenario: Scenario, seed: int, scenario_hash: str, result: LocalResult) -> RunResult:
    outcome = result.outcome
    ended_s = round(outcome.ended_s, 6)
    end = EndRecord(result.end_s, outcome.verdict, outcome.reason, ended_s)
    journal = (_header(scenario, seed, scenario_hash, result.desired_pods), *result.rows, end)
    return RunResult(scenario_hash, seed, outcome.verdict, outcome.reason, ended_s, journal)


def _header(scenario: Scenario, seed: int, scenario_hash: str, desired_pods: int) -> HeaderRecord:
    return HeaderRecord(
        t_s=-scenario.warm_up_s,
        schema=SCHEMA_VERSION,
        scenario_hash=scenario_hash,
        title=scenario.title,
        strategy=type(scenario.strategy).__name__,
        variant=scenario.variant,
        release=scenario.release.name,
        release_good=scenario.release.good,
        seed=seed,
        backend=BACKEND,
        desired_pods=desired_pods,
        slo=scenario.slo,
        warm_up_s=scenario.warm_up_s,
        base_failure_ratio=base_failure_ratio(scenario.stable, scenario.client),
        buckets_s=scenario.telemetry.prometheus.buckets_s,
    )
