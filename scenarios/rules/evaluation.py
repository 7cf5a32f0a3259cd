"""Trying a metric's conditions on made-up results, with the evaluator a run uses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from math import nan
from typing import Any

from scenarios.rules.tree import text
from scenarios.rules.uses import MetricUse
from sim.decide.templates import TemplateError, parse_metric
from sim.metrics import conditions, providers
from sim.model.analysis import AnalysisPhase, Metric, ProviderResult
from sim.model.controller import Expr

NUMBER, VECTOR = "float64", "[]float64"


def parsed(metric: Mapping[str, Any]) -> Metric | None:
    """The metric as the controller reads it, or None where it cannot be read (reported by the schema rules)."""
    try:
        return parse_metric(metric)
    except (TemplateError, ValueError, TypeError, KeyError, AttributeError):
        return None


def go_type(metric: MetricUse) -> str:
    """Go type of the provider's results, ``any`` where it is not known before the query is answered."""
    return _go_type(json.dumps(metric.metric.get("provider"), default=str))


@lru_cache(maxsize=1024)
def _go_type(provider_json: str) -> str:
    read = parsed({"name": "metric", "provider": json.loads(provider_json)})
    return providers.result_type(read.providers[0]) if read is not None and len(read.providers) == 1 else "any"


def written(metric: MetricUse) -> tuple[tuple[str, str], ...]:
    """(field, condition) of the conditions that are written."""
    fields = ("successCondition", "failureCondition")
    return tuple((field, text(metric.metric, field)) for field in fields if text(metric.metric, field))


def evaluates(metric: MetricUse) -> bool:
    """Whether every condition type-checks against the provider's result."""
    kind = go_type(metric)
    return all(problem(condition, kind, metric.expr) is None for _, condition in written(metric))


def problem(condition: str, kind: str, expr: Expr = Expr.V1_17) -> str | None:
    """Why the controller cannot evaluate a condition on this Go type, and where, or None."""
    found = conditions.check(condition, kind, expr)
    if found is None:
        return None
    return str(found) if found.at is None else f"{found} (at character {found.at + 1})"


def phase(metric: MetricUse, result: ProviderResult) -> AnalysisPhase:
    """Phase of a measurement with this result."""
    success, failure = text(metric.metric, "successCondition"), text(metric.metric, "failureCondition")
    return conditions.evaluate(result, success, failure, metric.expr)[0]


@lru_cache(maxsize=65536)
def _phase_of_number(value: float, kind: str, success: str, failure: str, expr: Expr) -> AnalysisPhase:
    """Many rules try the same few conditions on the same numbers."""
    held = [value] if kind == VECTOR else value
    return conditions.evaluate(ProviderResult(held, kind, str(held)), success, failure, expr)[0]


def phase_of_number(metric: MetricUse, value: float, kind: str = "") -> AnalysisPhase:
    """Phase of a measurement that yields one number, in the provider's type (or in another)."""
    success, failure = text(metric.metric, "successCondition"), text(metric.metric, "failureCondition")
    given = kind or (VECTOR if go_type(metric) == VECTOR else NUMBER)
    return _phase_of_number(value, given, success, failure, metric.expr)


def passes_no_data(metric: MetricUse) -> bool:
    """Whether a measurement without data is Successful."""
    return phase(metric, no_data(metric)) is AnalysisPhase.SUCCESSFUL


def no_data(metric: MetricUse) -> ProviderResult:
    """What the provider hands over when it has no series: an empty vector, or nil."""
    if go_type(metric) == VECTOR:
        return ProviderResult([], VECTOR, "[]")
    return ProviderResult(None, "nil", "")


def passes(metric: MetricUse, value: float) -> bool:
    """Whether a measurement of this number is Successful."""
    return phase_of_number(metric, value) is AnalysisPhase.SUCCESSFUL


def meant_to_pass(metric: MetricUse, value: float) -> bool:
    """The same, read as it was meant where the condition does not fit the provider (``result[0]`` of a number)."""
    if evaluates(metric):
        return passes(metric, value)
    return any(phase_of_number(metric, value, kind) is AnalysisPhase.SUCCESSFUL for kind in (NUMBER, VECTOR))


def passes_nan(metric: MetricUse) -> bool:
    """Whether a measurement of 0/0 is Successful."""
    return passes(metric, nan)
