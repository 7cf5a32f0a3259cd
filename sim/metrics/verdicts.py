"""From a provider's answer to a measurement: conditions, or the judgement of the providers that have none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sim.metrics import conditions, gotext
from sim.model.analysis import AnalysisPhase, ProviderResult
from sim.model.controller import NEWEST, Controller, Expr

KEEPS_TEXT: Final = frozenset({"cloudwatch", "graphite"})
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
    """By score: pass, marginal (inconclusive) or fail; Running until the canary analysis is complete.

    Source: metricproviders/kayenta/kayenta.go:170.
    """
    try:
        body = _kayenta_body(answer)
        if not _at(body, ("complete",), bool, "Missing Complete Status"):
            return Verdict(AnalysisPhase.RUNNING)
        score = int(_at(body, ("result", "judgeResult", "score", "score"), float, "Missing Score"))
    except _UnusableError as problem:
        return Verdict(AnalysisPhase.ERROR, "", str(problem))
    return Verdict(_scored(score, config.get("threshold") or {}), str(score))


class _UnusableError(Exception):
    """An answer that says nothing."""


def _kayenta_body(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if answer.get("error"):
        raise _UnusableError(str(answer["error"]))
    if answer.get("httpStatus", 200) != 200:
        msg = "Invalid Response"
        raise _UnusableError(msg)
    body = answer.get("body")
    if isinstance(body, str):
        try:
            body = gotext.from_json(body)
        except ValueError as problem:
            raise _UnusableError(str(problem)) from None
    if not isinstance(body, Mapping):
        kind = "array" if isinstance(body, list) else "string" if isinstance(body, str) else "number"
        msg = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        raise _UnusableError(msg)
    return body


_GO_KINDS: Final = {bool: "bool", int: "float64", float: "float64", str: "string", list: "[]interface {}"}


def _at(body: Mapping[str, Any], keys: tuple[str, ...], kind: type, missing: str) -> Any:
    """A nested value of one kind (apimachinery's ``NestedBool``, ``NestedFloat64``)."""
    value: Any = body
    for place, key in enumerate(keys):
        if not isinstance(value, Mapping):
            raise _UnusableError(_wrong(keys[:place], value, "map[string]interface {}"))
        if key not in value:
            raise _UnusableError(missing)
        value = value[key]
    wanted = (bool,) if kind is bool else (int, float)
    if not isinstance(value, wanted) or isinstance(value, bool) is not (kind is bool):
        raise _UnusableError(_wrong(keys, value, _GO_KINDS[kind]))
    return value


def _wrong(keys: tuple[str, ...], value: Any, wanted: str) -> str:
    actual = "map[string]interface {}" if isinstance(value, Mapping) else _GO_KINDS.get(type(value), "<nil>")
    return f".{'.'.join(keys)} accessor error: {gotext.general(value)} is of the type {actual}, expected {wanted}"


def _scored(score: int, threshold: Mapping[str, float]) -> AnalysisPhase:
    if score >= int(threshold.get("pass", 0)):
        return AnalysisPhase.SUCCESSFUL
    return AnalysisPhase.INCONCLUSIVE if score >= int(threshold.get("marginal", 0)) else AnalysisPhase.FAILED


def job(answer: Mapping[str, Any], controller: Controller = NEWEST) -> Verdict:
    """By the Job's own conditions; success and failure conditions are ignored.

    A condition counts by its type whatever its status, and the last one wins (metricproviders/job/job.go:215). Before
    1.10 nobody looked at the Job's pods: one that cannot pull its image runs on.
    """
    if answer.get("error"):
        return Verdict(AnalysisPhase.ERROR, "", str(answer["error"]))
    if answer.get("jobMissing"):
        return Verdict(AnalysisPhase.ERROR, "", f"job.batch {gotext.quoted(str(answer.get('name', '')))} not found")
    ends = {"Complete": AnalysisPhase.SUCCESSFUL, "Failed": AnalysisPhase.FAILED}
    phases = [ends[name] for name in map(_condition, answer.get("jobConditions") or ()) if name in ends]
    if phases:
        return Verdict(phases[-1])
    blocked = _blocked(answer.get("pods") or ()) if controller.is_since(Controller.ARGO_1_10_RC1) else ""
    return Verdict(AnalysisPhase.INCONCLUSIVE, "", blocked) if blocked else Verdict(AnalysisPhase.RUNNING)


def _blocked(pods: Iterable[Mapping[str, Any]]) -> str:
    """What keeps a container from ever starting, or ''."""
    for pod in pods:
        for container in (*(pod.get("initContainers") or ()), *(pod.get("containers") or ())):
            waiting = container.get("waiting")
            reason = waiting.get("reason", "") if isinstance(waiting, Mapping) else str(waiting or "")
            if reason in IMAGE_PROBLEMS:
                message = waiting.get("message", "") if isinstance(waiting, Mapping) else ""
                names = f"Pod {pod.get('name', '')}, container {container.get('name', '')}"
                return f"{names} has terminal error ({reason}): {message}\n"
    return ""


def _condition(condition: Any) -> str:
    """Type of a condition, written bare or as an object."""
    return str(condition.get("type", "")) if isinstance(condition, Mapping) else str(condition)
