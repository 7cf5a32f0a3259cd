"""One sample of one metric: asked of the simulated backends or of the scenario's script, judged as its provider judges."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from sim.decide.analysis import Task
from sim.metrics import providers, verdicts
from sim.metrics.providers import Origin, Sources
from sim.model.analysis import AnalysisPhase, Measurement, Metric, OtherProvider, ProviderResult
from sim.model.controller import Expr

RECHECK_S: Final = {"kayenta": 15.0, "job": 1.0}
"""How soon a measurement in flight is looked at again: Kayenta's own interval (metricproviders/kayenta/kayenta.go:30); the
end of a Job wakes the controller, which the script can say to the second."""
OWN_JUDGEMENT: Final = frozenset(RECHECK_S)
"""Providers that ignore a metric's conditions."""


def measured(task: Task, now_s: float, sources: Sources, origin: Origin, expr: Expr = Expr.V1_17) -> Measurement:
    """The sample; its times are the caller's, but for when to look again at one that stays in flight."""
    if task.terminate:
        return Measurement(task.ends_as, message="Metric Terminated")
    provider = task.metric.provider
    kind = providers.kind_of(provider)
    result = providers.measure(provider, now_s, sources, origin)
    verdict = _judged(kind, task.metric, result, expr)
    resume_at_s = None if verdict.phase.is_completed else now_s + RECHECK_S[kind]
    return Measurement(verdict.phase, resume_at_s=resume_at_s, value=verdict.value, message=verdict.message)


def _judged(kind: str, metric: Metric, result: ProviderResult, expr: Expr) -> verdicts.Verdict:
    if kind not in OWN_JUDGEMENT or result.error:
        return verdicts.judged(kind, result, metric.success_condition, metric.failure_condition, expr)
    answer = result.value
    if kind == "job" and isinstance(answer, str):
        answer = {"jobConditions": [answer]}
    if not isinstance(answer, Mapping):
        example = '{"body": {"complete": true, ...}}' if kind == "kayenta" else "Complete, Failed or an object"
        return verdicts.Verdict(AnalysisPhase.ERROR, "", f"the scripted answer of a {kind} provider must be {example}")
    if kind == "job":
        return verdicts.job(answer)
    config = metric.provider.config_json if isinstance(metric.provider, OtherProvider) else "{}"
    return verdicts.kayenta(answer, json.loads(config))
