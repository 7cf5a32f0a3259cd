"""Operations of ``condition_eval.json``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sim.metrics import conditions
from sim.metrics.conditions import ExprError
from sim.model.analysis import ProviderResult
from sim.model.controller import NEWEST, Controller, Expr


def _expr(given: Mapping[str, Any]) -> Expr:
    """The library of the controller a vector names, or of the newest."""
    return Controller.parse(given.get("controller", NEWEST)).expr


def evaluate(given: Mapping[str, Any]) -> dict[str, Any]:
    result = ProviderResult(given["result"]["value"], given["result"]["type"])
    phase, message = conditions.evaluate(result, given["successCondition"], given["failureCondition"], _expr(given))
    return {"phase": phase.value, "error": message}


def evalcond(given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        value = conditions.holds(given["result"]["value"], given["result"]["type"], given["condition"], _expr(given))
    except ExprError as error:
        return {"value": False, "error": str(error)}
    return {"value": value, "error": ""}


def evaltime(given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = conditions.time_of(given["expression"], datetime(2026, 1, 1, tzinfo=UTC))
    except ExprError as error:
        return {"value": "", "error": str(error)}
    return {"value": found.isoformat().replace("+00:00", "Z"), "error": ""}


OPS: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "evaluate": evaluate,
    "evalcond": evalcond,
    "evaltime": evaltime,
}
