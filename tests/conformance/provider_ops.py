"""The operation of ``provider_results.json``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from sim.metrics import answers, datadog_answers, gotext, results, verdicts
from sim.model.analysis import ProviderResult


def provider(given: Mapping[str, Any]) -> dict[str, Any]:
    kind, config = given["provider"].lower(), given.get("config") or {}
    answer: Any = given.get("response")
    if kind == "wavefront" and "points" in answer:
        value, drift = answers.picked_point(answer["points"], answer["measuredAt"])
        return {"resultType": None, "value": None, "phase": None, "pickedValue": value, "driftSeconds": drift}
    if kind in {"kayenta", "job"}:
        verdict = verdicts.kayenta(answer, config) if kind == "kayenta" else verdicts.job(answer)
        return _output(ProviderResult(), verdict)
    result = answers.INTERPRETERS[kind](answer, config)
    output = _output(result, verdicts.judged(kind, result, given["successCondition"], given["failureCondition"]))
    if kind == "datadog" and result.go_type == results.FLOATS:
        groups = datadog_answers.datadog_groups(answer)
        output["metadataGroups"] = [{"name": name, "value": value} for name, value in groups]
    return output


def _output(result: ProviderResult, verdict: verdicts.Verdict) -> dict[str, Any]:
    typed = None if result.error or result.go_type == "nil" else result.go_type
    return {
        "resultType": typed,
        "result": _plain(result.value),
        "value": verdict.value,
        "phase": verdict.phase.value,
        "error": verdict.message,
    }


def _plain(value: Any) -> Any:
    """The value in JSON's terms: numbers JSON lacks are written out."""
    if isinstance(value, float) and not math.isfinite(value):
        return gotext.number(value)
    return [_plain(one) for one in value] if isinstance(value, list) else value


OPS: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {"provider": provider}
