"""Settings of gates judged on recorded paths, against simulating each setting, on the 45-minute canary."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

from bench.cases.options import Options
from scenarios import document
from sim.engine import run
from sim.engine.telemetry import Eyes
from sim.model.analysis import AnalysisTemplate
from sim.model.behaviour import People, Release, VersionBehaviour
from sim.model.load import LoadShape, Stage
from sim.model.records import DecisionRecord
from sim.model.scenario import Scenario
from sim.paths import Gates, Judgements
from sim.paths.path import Path as Recorded

SCENARIO: Final = Path(__file__).parent.parent / "canary" / "scenario.yaml"
ERROR_RATIO: Final = 0.02
"""Of the release: near the middle of the thresholds, so that they decide."""
NOBODY: Final = People(approve=None, alert=None, report=None, watch_degraded=False)
"""Only gates act."""
SPOT: Final = 3
"""Settings that are simulated as well, to compare."""
HOW: Final = (
    "CPU time. 'judged': settings x replications on recorded paths, queries included, by the clock of the judging alone; "
    "'with_path': the path's own exact simulation included. Making the settings ready is done once for all replications. "
    "'simulated': the same settings one simulation each, from those compared."
)


def measure(options: Options) -> dict[str, Any]:
    """Settings judged a second, with and without the simulation of their path, and by simulating each."""
    base = _base(options)
    variants = list(_variants(base))
    begun_s = process_time()
    gates = Gates(variants)
    ready_s = process_time() - begun_s
    _warm(base, gates, options.seed)
    rows = [_row(gates, variants, options.seed + n) for n in range(max(3, options.repeat))]
    rate = {name: len(variants) / median(row[f"{name}_s"] for row in rows) for name in ("judged", "with_path")}
    rate["simulated"] = 1 / median(row["simulated_s"] for row in rows)
    return {
        "gate_settings_per_second": rate,
        "measured": {
            "how": HOW,
            "settings": len(variants),
            "ready_s": ready_s,
            "runs": rows,
            "same_answers": all(row["same_answers"] for row in rows),
        },
    }


def table(report: Mapping[str, Any]) -> str:
    """A line for each way."""
    rates, measured = report["gate_settings_per_second"], report["measured"]
    words = {
        "judged": "judged on a recorded path",
        "with_path": "with the path's simulation",
        "simulated": "by simulation",
    }
    lines = [f"{rates[name]:>12,.0f} settings x replications a second {text}" for name, text in words.items()]
    return "\n".join([*lines, f"{measured['settings']:>12,} settings made ready in {measured['ready_s']:.1f} s"])


def _base(options: Options) -> Scenario:
    loaded = document.load(SCENARIO).scenario
    behaviour: VersionBehaviour = replace(loaded.stable, name="bad", statuses=((500, ERROR_RATIO),))
    stages = (Stage(60 * options.minutes, options.rps),)
    return replace(loaded, release=Release("bad", False, 1.0, behaviour), mix=(), load=LoadShape(stages), people=NOBODY)


def _variants(base: Scenario) -> Iterator[Scenario]:
    """Two metrics' thresholds with limits, intervals and delays, every combination."""
    ratios = [round(0.01 + 0.0004 * n, 4) for n in range(50)]
    latencies = [0.1, 0.12, 0.15, 0.18, 0.2, 0.22, 0.25, 0.3, 0.4, 0.5]
    for ratio, latency, limit, interval, delay in product(ratios, latencies, range(5), ("1m", "90s"), ("1m", "2m")):
        shared = {"failureLimit": limit, "interval": interval, "initialDelay": delay}
        yield _with(base, {"error-ratio": ratio, "p99": latency}, shared)


def _with(base: Scenario, thresholds: Mapping[str, float], shared: Mapping[str, object]) -> Scenario:
    def changed(template: AnalysisTemplate) -> AnalysisTemplate:
        texts = []
        for metric in map(json.loads, template.metrics_json):
            condition = f"len(result) == 0 || isNaN(result[0]) || result[0] < {thresholds[metric['name']]}"
            texts.append(json.dumps(metric | shared | {"successCondition": condition}))
        return replace(template, metrics_json=tuple(texts))

    templates = tuple(changed(one) for one in base.manifests.analysis_templates)
    return replace(base, manifests=replace(base.manifests, analysis_templates=templates))


def _warm(base: Scenario, gates: Gates, seed: int) -> None:
    """Compiles the loops and reads the conditions."""
    run(base, seed)
    gates.judge(seed)


def _row(gates: Gates, variants: Sequence[Scenario], seed: int) -> dict[str, Any]:
    path_s = 0.0

    def observe(scenario: Scenario, seed: int, eyes: Eyes) -> Recorded:
        nonlocal path_s
        begun_s = process_time()
        path = Recorded(scenario, seed, eyes)
        path_s += process_time() - begun_s
        return path

    begun_s = process_time()
    judged = gates.judge(seed, observe)
    both_s = process_time() - begun_s
    spots = [len(variants) * (2 * n + 1) // (2 * SPOT) for n in range(SPOT)]
    begun_s = process_time()
    runs = [run(variants[spot], seed) for spot in spots]
    simulated_s = (process_time() - begun_s) / SPOT
    return {
        "seed": seed,
        "paths": judged.paths,
        "simulated_alone": int(judged.simulated.sum()),
        "aborted": int(judged.aborted.sum()),
        "judged_s": both_s - path_s,
        "with_path_s": both_s,
        "simulated_s": simulated_s,
        "same_answers": all(_same(judged, spot, one.journal) for spot, one in zip(spots, runs, strict=True)),
    }


def _same(judged: Judgements, place: int, journal: Sequence[object]) -> bool:
    aborts = [row.t_s for row in journal if isinstance(row, DecisionRecord) and row.decision == "abort"]
    return judged.of(place).abort_s == (aborts[0] if aborts else None)
