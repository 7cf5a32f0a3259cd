"""Success and failure conditions: the expr language in Argo Rollouts' environment (behaviour reference, section 3).

Conditions are compiled against the type the measurement really has, then run; what either refuses makes the
measurement an Error, never a failure. A condition goes from text to tokens to a tree (``parser``), is given types
(``checker``), made smaller (``lowering``) and run (``machine``), as in the library, because each of these steps has
errors of its own and the controller records their words.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sim.metrics.conditions import environment, types
from sim.metrics.conditions.checker import check as type_of_tree
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.lowering import lowered
from sim.metrics.conditions.machine import Environment, Machine
from sim.metrics.conditions.parser import parse
from sim.metrics.conditions.syntax import Node
from sim.metrics.conditions.types import Type
from sim.metrics.conditions.values import as_go, of_result, type_name
from sim.model.analysis import AnalysisPhase, ProviderResult
from sim.model.controller import Expr

NO_DATA = "metric result is nil or empty: no data returned from the metric provider"

TOO_DEEP = "the expression is a longer chain than the twin follows"
"""The limit is Python's, not expr's."""


@dataclass(frozen=True, slots=True)
class _Program:
    """A compiled condition, or why there is none."""

    tree: Node | None
    kind: Type = types.UNKNOWN
    error: ExprError | None = None

    def checked(self) -> Node:
        if self.tree is None:
            # A copy: an error that is kept and raised again and again holds on to everything that ever met it.
            raise copy(self.error or ExprError(""))
        return self.tree


@lru_cache(maxsize=1024)
def _compiled(text: str, result: Type, expr: Expr) -> _Program:
    return _program(text, {**environment.TYPES, "result": result}, expr)


def _program(text: str, names: Mapping[str, Type], expr: Expr) -> _Program:
    try:
        tree = parse(text, expr)
        kind = type_of_tree(tree, names, expr)
        return _Program(lowered(tree, expr), kind)
    except ExprError as error:
        return _Program(None, error=error.with_traceback(None))
    except RecursionError:
        return _Program(None, error=ExprError(TOO_DEEP))


def value_of(result: Any, go_type: str, expression: str, expr: Expr = Expr.V1_17) -> Any:
    """The value of an expression for a result; ExprError in expr's words when it does not compile or run."""
    value = as_go(go_type, result)
    tree = _compiled(expression, of_result(go_type, value), expr).checked()
    names = {**environment.functions(value), "result": value}
    return _run(tree, Environment(names, expr))


def _run(tree: Node, within: Environment) -> Any:
    try:
        return Machine(within).run(tree)
    except RecursionError:
        raise ExprError(TOO_DEEP) from None


def holds(result: Any, go_type: str, condition: str, expr: Expr = Expr.V1_17) -> bool:
    """Whether a condition holds for a result; ExprError in expr's words when it does not compile, run or answer."""
    answer = value_of(result, go_type, condition, expr)
    if not isinstance(answer, bool):
        msg = f"expected bool, but got {type_name(answer)}"
        raise ExprError(msg)
    return answer


def check(condition: str, go_type: str, expr: Expr = Expr.V1_17) -> ExprError | None:
    """What makes a condition fail for every result of that type, or None: syntax, names and types, before any run.

    ``any`` leaves open what the result is. The error says where in the condition (``at``).
    """
    program = _compiled(condition, types.named(go_type), expr)
    if program.error is not None:
        return program.error
    if program.kind.kind == "bool" or program.kind.is_unknown:
        return None
    return ExprError(f"expected bool, but got {'<nil>' if program.kind.is_nil else program.kind}")


def evaluate(result: ProviderResult, success: str, failure: str, expr: Expr = Expr.V1_17) -> tuple[AnalysisPhase, str]:
    """Phase of the measurement and, for Error, the controller's message.

    A failure condition is not looked at where the success condition is in error.
    """
    outcomes: list[bool | None] = []
    for name, condition in (("successCondition", success), ("failureCondition", failure)):
        try:
            outcomes.append(holds(result.value, result.go_type, condition, expr) if condition else None)
        except ExprError as error:
            return AnalysisPhase.ERROR, _message(result, name, condition, error, expr)
    return _phase(*outcomes), ""


def _message(result: ProviderResult, name: str, condition: str, error: ExprError, expr: Expr) -> str:
    """Controllers with expr 1.17 say which condition it was, and that there was no data."""
    if expr is not Expr.V1_17:
        return str(error)
    empty = result.value is None or (isinstance(result.value, list) and not result.value)
    return f'could not evaluate {name} "{condition}": {NO_DATA if empty else error}'


def _phase(success: bool | None, failure: bool | None) -> AnalysisPhase:
    match success, failure:
        case (_, True):
            return AnalysisPhase.FAILED
        case (None, _) | (True, _):
            return AnalysisPhase.SUCCESSFUL
        case (False, None):
            return AnalysisPhase.FAILED
    return AnalysisPhase.INCONCLUSIVE


def time_of(expression: str, now: datetime, expr: Expr = Expr.V1_17) -> datetime:
    """The instant a ``rangeQuery`` time expression means; ExprError when it means none."""
    tree = _program(expression, environment.TIME_TYPES, expr).checked()
    answer = _run(tree, Environment({}, expr, lambda: now))
    if not isinstance(answer, datetime):
        msg = f"expected time.Time, but got {type_name(answer)}"
        raise ExprError(msg)
    return answer


__all__ = ["NO_DATA", "ExprError", "check", "evaluate", "holds", "time_of", "value_of"]
