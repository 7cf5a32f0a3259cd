"""From a provider's answer to a measurement: conditions, or the judgement of the providers that have none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sim.metrics import conditions
from sim.model.analysis import AnalysisPhase, ProviderResult
from sim.model.controller import Expr

KEEPS_TEXT: Final = frozenset({"graphite"})
"""Providers that record the value even when a condition could not be evaluated."""
IMAGE_PROBLEMS: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName"})
"""Waiting reasons of a Job's container that make the measurement inconclusive."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Phase, recorded value and message of one measurement."""

    phase: AnalysisPhase
    value: str = ""
    message: str = ""


def judged(kind: str, result: ProviderResult, success: str, failure: str, expr: Expr = Expr.V1_17) -> Verdict:
    """The measurement a provider of this kind makes of its result."""
    if result.error:
        return Verdict(AnalysisPhase.ERROR, "", result.error)
    phase, message = conditions.evaluate(result, success, failure, expr)
    if phase is AnalysisPhase.ERROR and kind not in KEEPS_TEXT:
        return Verdict(phase, "", message)
    return Verdict(phase, result.text, message)


def kayenta(answer: Mapping[str, Any], config: Mapping[str, Any]) -> Verdict:
    """By score: pass, marginal (inconclusive) or fail; Running until the canary analysis is complete."""
    if answer.get("error"):
        return Verdict(AnalysisPhase.ERROR, "", str(answer["error"]))
    status = answer.get("httpStatus", 200)
    if not 200 <= status < 300:
        return Verdict(AnalysisPhase.ERROR, "", f"Invalid Response: HTTP {status}")
    body = answer.get("body")
    if not isinstance(body, Mapping) or "complete" not in body:
        return Verdict(AnalysisPhase.ERROR, "", "Missing Complete Status")
    if not body["complete"]:
        return Verdict(AnalysisPhase.RUNNING)
    score = _path(body, ("result", "judgeResult", "score", "score"))
    if not isinstance(score, int | float) or not math.isfinite(score):
        return Verdict(AnalysisPhase.ERROR, "", "Missing Score")
    return Verdict(_scored(int(score), config.get("threshold") or {}), str(int(score)))


def _scored(score: int, threshold: Mapping[str, float]) -> AnalysisPhase:
    if score >= threshold.get("pass", 0):
        return AnalysisPhase.SUCCESSFUL
    return AnalysisPhase.INCONCLUSIVE if score >= threshold.get("marginal", 0) else AnalysisPhase.FAILED


def _path(value: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def job(answer: Mapping[str, Any]) -> Verdict:
    """By the Job's own conditions; success and failure conditions are ignored."""
    if answer.get("error"):
        return Verdict(AnalysisPhase.ERROR, "", str(answer["error"]))
    if answer.get("jobMissing"):
        return Verdict(AnalysisPhase.ERROR, "", "jobs.batch not found")
    for condition in answer.get("jobConditions") or ():
        phase = {"Complete": AnalysisPhase.SUCCESSFUL, "Failed": AnalysisPhase.FAILED}.get(_condition(condition))
        if phase is not None:
            return Verdict(phase)
    waiting = (
        container.get("waiting") for pod in answer.get("pods") or () for container in pod.get("containers") or ()
    )
    blocked = next((reason for reason in waiting if reason in IMAGE_PROBLEMS), None)
    return Verdict(AnalysisPhase.INCONCLUSIVE, "", str(blocked)) if blocked else Verdict(AnalysisPhase.RUNNING)


def _condition(condition: Any) -> str:
    """Type of a condition that is in force, written bare or as an object."""
    if isinstance(condition, Mapping):
        return str(condition.get("type", "")) if condition.get("status", "True") == "True" else ""
    return str(condition)
