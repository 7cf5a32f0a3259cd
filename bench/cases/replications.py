"""Whole replications by the minute: a study of one canary with gates, through the public API, on every processor.

The rollout is ``bench/canary``: ten pods a side, nginx splitting 1/5/25/50/100 % for nine minutes each, 1,000 requests/s on a day
curve, containers that crash by chance, Prometheus scraping every 15 s, and a gate that asks it each minute for the
canary's error ratio and its 99th percentile. A replication ends as ``reports.outcome`` reduces it.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

from bench.cases.control_plane import without_clients
from bench.cases.options import Options
from reports.outcome import Outcome, outcome_of
from scenarios import document
from sim.engine import run
from sim.model.data_plane import DataPlaneMode
from sim.model.records import RunResult
from sim.model.rollout import RolloutSpec
from sim.model.scenario import Scenario
from sim.study import Cell, run_study
from sim.study.engines import Processes

SCENARIO: Final = Path(__file__).parents[1] / "canary" / "scenario.yaml"
USUAL: Final = Options()
ROUNDS: Final = {DataPlaneMode.EXACT: 40, DataPlaneMode.AGGREGATE: 200}
"""Replications of one measurement; a tenth as many before it, that the workers have compiled and imported everything."""
QUIET_RUNS: Final = 15
TURNS: Final = 1_000_000
"""Of the loop by which machines are compared: what a replication costs in turns of it depends less on where it runs."""


@dataclass(frozen=True, slots=True)
class Done:
    """One replication, reduced, and what its worker had used by then."""

    outcome: Outcome
    pid: int
    cpu_s: float
    peak_mib: float

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Done:
        """What ``done`` returned, from its JSON form."""
        return cls(Outcome.from_json(data["outcome"]), data["pid"], data["cpu_s"], data["peak_mib"])


def done(result: RunResult) -> Done:
    """The reduction."""
    outcome = outcome_of(result)
    return Done(outcome, os.getpid(), process_time(), getrusage(RUSAGE_SELF).ru_maxrss / 1024)


def measure(options: Options) -> dict[str, Any]:
    """Replications a minute of wall time by data plane, and CPU milliseconds of one without traffic."""
    base, workers = scenario(options), os.cpu_count() or 1
    turns_ns = [_turn_ns()]
    with Processes(workers) as engine:
        studies = {mode: _study(replace(base, data_plane=mode), options, engine) for mode in ROUNDS}
    control_plane_ms = _control_plane_ms(base, options)
    turns_ns.append(_turn_ns())
    return {
        "replications_per_minute": {mode.value: one["per_minute"] for mode, one in studies.items()},
        "control_plane_ms_per_replication": control_plane_ms,
        "measured": {
            "how": "wall time (time.perf_counter) of sim.study.run_study over all processors with the reduction, workers "
            "warmed up; CPU of the workers from one replication to the next; calibration: CPU of one turn of a fixed loop of "
            "pure Python (total += n * n) in the parent, before and after",
            "scenario": " ".join((__doc__ or "").split("\n\n")[1].split()),
            "minutes": options.minutes,
            "requests_per_second": options.rps,
            "processors": workers,
            "calibration_ns": turns_ns,
            **{mode.value: one for mode, one in studies.items()},
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "numba", "simpy")},
        },
    }


def table(report: Mapping[str, Any]) -> str:
    """A line for each data plane, and the control plane's."""
    measured = report["measured"]
    lines = [
        f"{mode.value:>9}: {measured[mode.value]['per_minute']:7.0f} replications a minute on {measured['processors']} "
        f"processors, {measured[mode.value]['cpu_ms']:6.1f} ms of CPU each, peak {measured[mode.value]['peak_mib'][-1]:.0f} MiB a worker, "
        f"{measured[mode.value]['promoted']} of {measured[mode.value]['replications']} promoted"
        for mode in ROUNDS
    ]
    calibration = " and ".join(f"{one:.0f}" for one in measured["calibration_ns"])
    return "\n".join(
        [
            *lines,
            f"without traffic: {report['control_plane_ms_per_replication']:6.1f} ms of CPU",
            f"a turn of the loop by which machines are compared: {calibration} ns before and after",
        ]
    )


def scenario(options: Options) -> Scenario:
    """The packaged rollout; pauses and rate are scaled where other ones are wanted."""
    base = document.load(SCENARIO).scenario
    stages = tuple(replace(stage, rate_rps=options.rps) for stage in base.load.stages)
    base = replace(base, load=replace(base.load, stages=stages))
    if options.minutes == USUAL.minutes:
        return base
    (rollout,) = base.manifests.rollouts
    paced = _paced(rollout, options.minutes / USUAL.minutes)
    return replace(base, manifests=replace(base.manifests, rollouts=(paced,)))


def _paced(rollout: RolloutSpec, factor: float) -> RolloutSpec:
    canary = rollout.canary
    if canary is None:
        return rollout
    steps = tuple(
        replace(step, pause=replace(step.pause, duration=_scaled(step.pause.duration, factor))) if step.pause else step
        for step in canary.steps
    )
    return replace(rollout, canary=replace(canary, steps=steps))


def _scaled(duration: int | str | None, factor: float) -> str:
    return f"{max(1, round(float(str(duration).removesuffix('s')) * factor))}s"


def _study(base: Scenario, options: Options, engine: Processes) -> dict[str, Any]:
    rounds = ROUNDS[base.data_plane] * options.repeat
    _run(base, max(rounds // 10, 2 * engine.workers), options.seed + 1, engine)
    began = perf_counter()
    found = _run(base, rounds, options.seed, engine)
    wall_s = perf_counter() - began
    return {
        "per_minute": 60 * rounds / wall_s,
        "replications": rounds,
        "wall_s": wall_s,
        "cpu_ms": _cpu_ms(found),
        "peak_mib": [max(one.peak_mib for one in part) for part in (found[: rounds // 2], found)],
        "promoted": sum(one.outcome.verdict.value == "promoted" for one in found),
    }


def _run(base: Scenario, rounds: int, seed: int, engine: Processes) -> Sequence[Done]:
    study = run_study([Cell("canary", "", base)], rounds, seed, done, revive=Done.from_json, engine=engine)
    return tuple(study.cells[0].strata[0].values)


def _cpu_ms(found: Sequence[Done]) -> float:
    """CPU from a worker's first replication to its last, by replication after the first."""
    by_worker: dict[int, list[float]] = {}
    for one in found:
        by_worker.setdefault(one.pid, []).append(one.cpu_s)
    spent_s = sum(max(times_s) - min(times_s) for times_s in by_worker.values())
    return 1000 * spent_s / max(1, len(found) - len(by_worker))


def _control_plane_ms(base: Scenario, options: Options) -> float:
    quiet = without_clients(base)
    run(quiet, options.seed)
    return 1000 * median(_timed_s(quiet, options.seed + n) for n in range(QUIET_RUNS))


def _timed_s(quiet: Scenario, seed: int) -> float:
    began = process_time()
    run(quiet, seed)
    return process_time() - began


def _turn_ns() -> float:
    """CPU of one turn of the fixed loop, here and now."""
    began, total = process_time(), 0
    for n in range(TURNS):
        total += n * n
    return 1e9 * (process_time() - began) / TURNS
