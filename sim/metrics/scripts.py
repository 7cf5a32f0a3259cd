"""Answers that the scenario scripts for the providers the twin does not model (``telemetry.signals``)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sim.metrics import answers
from sim.metrics.results import error, number
from sim.model.analysis import OtherProvider, ProviderResult
from sim.model.telemetry import Signal

JOB_ENDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "complete": {"jobConditions": ["Complete"]},
    "success": {"jobConditions": ["Complete"]},
    "failed": {"jobConditions": ["Failed"]},
    "failure": {"jobConditions": ["Failed"]},
    "inconclusive": {"pods": [{"containers": [{"waiting": "ErrImagePull"}]}]},
    "running": {},
}
"""Words for how a Job stands."""
_ERROR: Final = "error:"


@dataclass(frozen=True, slots=True)
class Origin:
    """Which metric a measurement is for; scripted signals are found by it ('' fits any)."""

    template: str = ""
    metric: str = ""


def fitting(signals: Iterable[Signal], origin: Origin, release: str = "") -> list[Signal]:
    """The signals for this metric, and for this kind of release, in the order they are listed."""
    return [
        one
        for one in signals
        if _fits(one.template, origin.template) and _fits(one.metric, origin.metric) and _fits(one.release, release)
    ]


def _fits(wanted: str, given: str) -> bool:
    return not wanted or not given or wanted == given


def scripted(provider: OtherProvider, now_s: float, begun_s: float, signals: list[Signal]) -> ProviderResult:
    """The answer in force at ``now_s``, typed as the provider would type it.

    Of several signals the last one listed that has an answer by then counts. ``begun_s`` is when the measurement
    began: a Job or a canary analysis is not over before the signal's ``takes_s`` have passed.
    """
    current = [(one, text) for one in signals for at_s, text in one.steps if at_s <= now_s]
    if not current:
        return error(
            f"provider {provider.kind} is not modelled, and the scenario scripts no answer for it by {now_s:g} s "
            f"(telemetry.signals)"
        )
    signal, text = current[-1]
    if text.startswith(_ERROR):
        return error(text.removeprefix(_ERROR).strip())
    over = now_s >= begun_s + signal.takes_s
    return _typed(provider, _decoded(text), over=over)


def turns_s(signals: Iterable[Signal], now_s: float, begun_s: float) -> float | None:
    """When the answer to a measurement that began at ``begun_s`` may next be another one; None if it never will."""
    listed = list(signals)
    instants = [at_s for one in listed for at_s, _ in one.steps] + [begun_s + one.takes_s for one in listed]
    return min((one for one in instants if one > now_s), default=None)


@lru_cache(maxsize=256)
def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _typed(provider: OtherProvider, value: Any, *, over: bool) -> ProviderResult:  # noqa: PLR0911  # one return per provider
    match provider.kind.lower():
        case "job":
            return ProviderResult(job_answer(value) if over else {}, "any")
        case "kayenta":
            return ProviderResult(kayenta_answer(value) if over else {"body": {"complete": False}}, "any")
        case "graphite":
            return answers.graphite(value if isinstance(value, list) else [value], {})
        case "influxdb":
            rows = value if isinstance(value, list) else [value]
            return answers.influxdb({"_value": [] if value is None else rows}, {})
        case "cloudwatch":
            return answers.cloudwatch(_metric_data(value), {})
        case "newrelic":
            return answers.newrelic([value] if isinstance(value, Mapping) else value, {})
        case "skywalking":
            return answers.skywalking(value, {})
        case "wavefront":
            return _series(value)
        case "web":
            return _page(value, provider.config_json)
    return answers.document(value)


def _page(value: Any, config_json: str) -> ProviderResult:
    """The value a web metric's path finds, or a whole answer ``{status, body}`` in which the path is yet to look."""
    if not (isinstance(value, Mapping) and "status" in value and set(value) <= {"status", "body"}):
        return answers.document(value)
    body = value.get("body", "")
    text = body if isinstance(body, str) else json.dumps(body)
    return answers.web({"httpStatus": value["status"], "bodyText": text}, json.loads(config_json))


def _series(value: Any) -> ProviderResult:
    if value is None:
        return answers.wavefront({}, {})
    values = [[[0.0, number(one)]] for one in (value if isinstance(value, list) else [value])]
    return answers.wavefront({"timeSeries": values}, {})


def _metric_data(value: Any) -> list[Mapping[str, Any]]:
    """Results as they are, the values of one result, or its only value."""
    if value is None:
        return []
    rows = value if isinstance(value, list) else [value]
    return rows if all(isinstance(row, Mapping) for row in rows) else [{"Values": rows}]


def job_answer(value: Any) -> Any:
    """How a Job stands: a word, or its conditions and pods as the API server would show them."""
    return JOB_ENDS.get(value.lower(), value) if isinstance(value, str) else value


def kayenta_answer(value: Any) -> Any:
    """A score, or the server's whole answer."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return {"body": {"complete": True, "result": {"judgeResult": {"score": {"score": value}}}}}
