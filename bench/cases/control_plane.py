"""The control plane alone: controllers, pods, probes, analyses and routers of a whole rollout, without a single request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from statistics import median
from time import process_time
from typing import Any, Final

from bench.cases.options import Options
from scenarios import document, library
from sim.engine import run
from sim.model.analysis import AnalysisTemplate
from sim.model.load import LoadShape, Stage
from sim.model.scenario import Delivery, Scenario
from sim.model.telemetry import Signal

VARIANTS: Final = ("repaired", "corrected")
RUNS: Final = 15
"""Seeds of one measurement; the first also compiles and imports, and is not counted."""


def measure(options: Options) -> dict[str, Any]:
    """CPU milliseconds of one rollout of the packaged canary, good release, by variant."""
    return {"measured": {variant: _measured(variant, options) for variant in VARIANTS}}


def table(report: Mapping[str, Any]) -> str:
    """A line for each variant."""
    rows = report["measured"].items()
    return "\n".join(
        f"{variant:>10}: {one['ms']:6.1f} ms of CPU for {one['minutes']:.0f} minutes, {one['rows']} journal rows"
        for variant, one in rows
    )


def quiet(variant: str) -> Scenario:
    """The packaged canary without clients, whose gates ask a scripted provider that is always content.

    So nothing is scraped and no query is evaluated: these have cases of their own. Nor is there a way to the apply.
    """
    base = document.load(library.playbook("canary", variant)).scenario
    return without_clients(replace(base, release=next(one for one in base.mix if one.good)))


def without_clients(base: Scenario) -> Scenario:
    """The same rollout with nobody calling and content gates that look as often."""
    templates = base.manifests.analysis_templates
    names = [(template.name, json.loads(text)["name"]) for template in templates for text in template.metrics_json]
    signals = tuple(Signal(template, metric, ((0.0, "true"),)) for template, metric in names)
    return replace(
        base,
        load=LoadShape((Stage(3600.0, 0.0),)),
        manifests=replace(base.manifests, analysis_templates=tuple(_scripted(one) for one in templates)),
        telemetry=replace(base.telemetry, signals=signals),
        delivery=Delivery(),
    )


def _scripted(template: AnalysisTemplate) -> AnalysisTemplate:
    """The template with its intervals, counts and limits, and another provider and condition."""
    kept = ("name", "interval", "initialDelay", "count", "failureLimit", "consecutiveErrorLimit", "inconclusiveLimit")
    provider = {"provider": {"web": {"url": "http://gate", "jsonPath": "{$}"}}, "successCondition": "result == true"}
    metrics = ({key: value for key, value in json.loads(text).items() if key in kept} for text in template.metrics_json)
    return replace(template, metrics_json=tuple(json.dumps(metric | provider) for metric in metrics))


def _measured(variant: str, options: Options) -> dict[str, Any]:
    scenario = quiet(variant)
    result = run(scenario, options.seed)
    times_s = [_timed_s(scenario, options.seed + n) for n in range(RUNS * options.repeat)]
    return {
        "ms": 1000 * median(times_s),
        "minutes": result.ended_s / 60,
        "rows": len(result.journal),
        "verdict": result.verdict.value,
    }


def _timed_s(scenario: Scenario, seed: int) -> float:
    begun_s = process_time()
    run(scenario, seed)
    return process_time() - begun_s
