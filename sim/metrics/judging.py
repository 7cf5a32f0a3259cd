"""From a provider's result to a measurement: judged as its provider judges, or looked at again later."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from sim.metrics import providers, verdicts
from sim.metrics.verdicts import Verdict
from sim.model.analysis import AnalysisPhase, Measurement, Metric, OtherProvider, ProviderResult
from sim.model.controller import Controller

KAYENTA_DELAY_S: Final = 15.0
"""Between two looks at a canary analysis (metricproviders/kayenta/kayenta.go:30)."""
OWN_JUDGEMENT: Final = frozenset({"job", "kayenta"})
"""Providers that ignore a metric's conditions, and whose measurements take their time."""


def judged(
    metric: Metric, result: ProviderResult, now_s: float, controller: Controller, begun_s: float | None = None
) -> Measurement:
    """What a look at ``now_s`` makes of a metric; its times are the caller's, but for when to look again.

    ``begun_s`` is when a measurement in flight began, in whole seconds as the API server keeps it; None at its first look.
    """
    kind = providers.kind_of(metric.provider)
    if kind in OWN_JUDGEMENT and begun_s is None and not result.error:
        return Measurement(AnalysisPhase.RUNNING, resume_at_s=_next_look_s(kind, now_s, now_s, controller))
    verdict = _judged(kind, metric, result, controller)
    resume_at_s = None
    if not verdict.phase.is_completed:
        resume_at_s = _next_look_s(kind, now_s, now_s if begun_s is None else begun_s, controller)
    return Measurement(verdict.phase, resume_at_s=resume_at_s, value=verdict.value, message=verdict.message)


def _next_look_s(kind: str, now_s: float, begun_s: float, controller: Controller) -> float | None:
    """When a measurement in flight is looked at again; None: only when something else wakes the controller.

    A Job after the square root of twice the time since it began (metricproviders/job/job.go:246), kept in whole
    seconds: its end wakes the controller (analysis/controller.go:248), which does not look before that time all the
    same. Within the first second the controller looks as fast as it can. Before 1.10 nothing but its end counts.
    """
    if kind == "kayenta":
        return now_s + KAYENTA_DELAY_S
    if not controller.is_since(Controller.ARGO_1_10_RC1):
        return None
    return max(math.floor(now_s + math.sqrt(2 * max(now_s - begun_s, 0.0))), math.floor(now_s) + 1.0)


def _judged(kind: str, metric: Metric, result: ProviderResult, controller: Controller) -> Verdict:
    if kind == "plugin" and _is_verdict(result.value):
        said = result.value
        return Verdict(AnalysisPhase(said["phase"]), str(said.get("value", "")), str(said.get("message", "")))
    if kind not in OWN_JUDGEMENT or result.error:
        success, failure = metric.success_condition, metric.failure_condition
        return verdicts.judged(kind, result, success, failure, controller.expr)
    if not isinstance(result.value, Mapping):
        example = "a score" if kind == "kayenta" else "success, failure, inconclusive, running"
        return Verdict(
            AnalysisPhase.ERROR, "", f"the scripted answer of a {kind} provider must be {example} or an object"
        )
    if kind == "job":
        return verdicts.job(result.value, controller)
    config = metric.provider.config_json if isinstance(metric.provider, OtherProvider) else "{}"
    return verdicts.kayenta(result.value, json.loads(config))


def _is_verdict(value: Any) -> bool:
    """Whether a metric plugin's answer is the measurement itself."""
    return (
        isinstance(value, Mapping)
        and value.get("phase") in set(AnalysisPhase)
        and set(value) <= {"phase", "value", "message"}
    )
