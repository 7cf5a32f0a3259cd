"""Success and failure conditions: the expr language in Argo Rollouts' environment (behaviour reference, section 3).

Conditions are compiled against the type the measurement really has, then run; what either refuses makes the
measurement an Error, never a failure.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sim.metrics.conditions import environment, types
from sim.metrics.conditions.checker import Scope
from sim.metrics.conditions.checker import check as type_of
from sim.metrics.conditions.machine import Frame, run
from sim.metrics.conditions.operations import type_name
from sim.metrics.conditions.parser import parse
from sim.metrics.conditions.tokens import ExprError
from sim.model.analysis import AnalysisPhase, ProviderResult

NO_DATA = "metric result is nil or empty: no data returned from the metric provider"

TOO_DEEP = "the expression is a longer chain than the twin follows"
"""The limit is Python's, not expr's."""


def holds(result: Any, go_type: str, condition: str) -> bool:
    """Whether a condition holds for a result; ExprError in expr's words when it does not compile, run or answer."""
    try:
        answer = _answer(result, go_type, condition)
    except RecursionError:
        raise ExprError(TOO_DEEP) from None
    if not isinstance(answer, bool):
        msg = f"expected bool, but got {type_name(answer)}"
        raise ExprError(msg)
    return answer


def _answer(result: Any, go_type: str, condition: str) -> Any:
    tree = parse(condition)
    value = types.as_go(go_type, result)
    type_of(tree, Scope({**environment.TYPES, "result": types.of_result(go_type, value)}))
    return run(tree, Frame(environment.values(value)))


def check(condition: str, go_type: str) -> str | None:
    """What makes a condition fail for every result of that type, or None: syntax, names and types, before any run.

    ``any`` leaves open what the result is.
    """
    try:
        kind = type_of(parse(condition), Scope({**environment.TYPES, "result": types.named(go_type)}))
    except ExprError as error:
        return str(error)
    except RecursionError:
        return TOO_DEEP
    if kind.kind in {"bool", "unknown"}:
        return None
    return f"expected bool, but got {kind}"


def evaluate(result: ProviderResult, success: str, failure: str) -> tuple[AnalysisPhase, str]:
    """Phase of the measurement and, for Error, the controller's message. Both conditions are always evaluated."""
    outcomes: list[bool | None] = []
    for name, condition in (("successCondition", success), ("failureCondition", failure)):
        try:
            outcomes.append(holds(result.value, result.go_type, condition) if condition else None)
        except ExprError as error:
            empty = result.value is None or (isinstance(result.value, list) and not result.value)
            reason = NO_DATA if empty else str(error)
            return AnalysisPhase.ERROR, f'could not evaluate {name} "{condition}": {reason}'
    return _phase(*outcomes), ""


def _phase(success: bool | None, failure: bool | None) -> AnalysisPhase:
    match success, failure:
        case (_, True):
            return AnalysisPhase.FAILED
        case (None, _) | (True, _):
            return AnalysisPhase.SUCCESSFUL
        case (False, None):
            return AnalysisPhase.FAILED
    return AnalysisPhase.INCONCLUSIVE


def time_of(expression: str, now: datetime) -> datetime:
    """The instant a ``rangeQuery`` time expression means; ExprError when it means none."""
    tree = parse(expression)
    kind = type_of(tree, Scope({}))
    if kind.kind not in {"time", "unknown"}:
        msg = f"expected time, but got {kind}"
        raise ExprError(msg)
    answer = run(tree, Frame({"now()": lambda: now}))
    if not isinstance(answer, datetime):
        msg = f"expected time, but got {type_name(answer)}"
        raise ExprError(msg)
    return answer


__all__ = ["NO_DATA", "ExprError", "check", "evaluate", "holds", "time_of"]
