"""One replication from warm-up to verdict."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from sim.decide.rejections import Rejection, geographic_rejection, rejection
from sim.engine import delivery
from sim.engine.litter import swept
from sim.engine.local import Place, run_local
from sim.engine.observing import Watch
from sim.engine.presuming import PresumedWronglyError, Presuming
from sim.engine.regions import run_phases
from sim.model.header import header
from sim.model.outcome import LocalResult
from sim.model.records import DeliveryRecord, EndRecord, HeaderRecord, Record, RunResult, Verdict
from sim.model.scenario import Scenario
from sim.model.strategy import Geographic
from sim.streams import Streams

BACKEND: Final = "twin"


def run(scenario: Scenario, seed: int, scenario_hash: str = "", watch: Watch | None = None) -> RunResult:
    """One replication: the same (scenario, seed) gives the same journal, byte for byte, in any process.

    Simulated failure is data; an exception is a bug and carries scenario and seed. ``watch`` is what becomes of the gates'
    verdicts (None: they are enforced); only a run in one region can be watched.
    """
    try:
        with swept():
            return (
                _shortest(scenario, seed, scenario_hash)
                if watch is None
                else _run(scenario, seed, scenario_hash, watch)
            )
    except Exception as error:
        error.add_note(f"scenario {scenario.title!r}, seed {seed}")
        raise


def _shortest(scenario: Scenario, seed: int, scenario_hash: str) -> RunResult:
    """The run with its gates enforced. Those of a good release are most likely passed, and presumed to be."""
    if scenario.release.good:
        with suppress(PresumedWronglyError):
            return _run(scenario, seed, scenario_hash, Presuming())
    return _run(scenario, seed, scenario_hash, Watch())


def _run(scenario: Scenario, seed: int, scenario_hash: str, watch: Watch) -> RunResult:
    strategy, streams = scenario.strategy, Streams(seed)
    before = delivery.before_apply(scenario, streams)
    late = Rejection("argo-cd", before.refusal) if before.refusal else None
    if isinstance(strategy, Geographic):
        refused = geographic_rejection(scenario, strategy) or rejection(scenario, strategy.inner) or late
        result = run_phases(scenario, strategy, seed, refused)
    else:
        refused = rejection(scenario, strategy) or late
        result = run_local(scenario, strategy, Place(streams, watch=watch), refused)
    after: tuple[DeliveryRecord, ...] = ()
    if result.outcome.verdict is Verdict.PROMOTED:
        after = delivery.after_rollout(scenario, streams, result.outcome.ended_s)
    first = header(scenario, seed, scenario_hash, BACKEND, result.desired_pods)
    return _assembled(first, (*before.rows, *result.rows, *after), result)


def _assembled(first: HeaderRecord, rows: tuple[Record, ...], result: LocalResult) -> RunResult:
    outcome = result.outcome
    ended_s = round(outcome.ended_s, 6)
    end = EndRecord(max(result.end_s, ended_s), outcome.verdict, outcome.reason, ended_s)
    journal = (first, *rows, end)
    return RunResult(
        first.scenario_hash, first.seed, outcome.verdict, outcome.reason, ended_s, journal, result.plane_use
    )
