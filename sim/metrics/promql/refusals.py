"""What a well-formed query may not ask for here: operators and functions that are not modelled, or too much work."""

from __future__ import annotations

from typing import Final

from sim.metrics.promql import nodes
from sim.metrics.promql.aggregations import OPERATORS
from sim.metrics.promql.functions import KNOWN
from sim.metrics.promql.nodes import DEFAULT_STEP_MS, Node
from sim.metrics.promql.operators import ARITHMETIC, COMPARISON, SETS

MOST_STEPS: Final = 250_000
"""Evaluations of subqueries within subqueries; a server ends such queries by their samples or their time."""


def refusal(node: Node) -> str | None:
    """Why a tree cannot be evaluated here (something in it is not modelled, or it is too much), or None."""
    if steps(node) > MOST_STEPS:
        return f"subqueries of more than {MOST_STEPS} steps in all are not modelled"
    return _unknown(node)


def _unknown(node: Node) -> str | None:
    match node:
        case nodes.Call(name, args):
            return (None if name in KNOWN else _unknown_function(name)) or _first(args)
        case nodes.Aggregate(op, expr, param):
            own = None if op in OPERATORS else f"aggregation {op} is not modelled"
            return own or _unknown(expr) or (_unknown(param) if param is not None else None)
        case nodes.Binary(op, lhs, rhs):
            known = op in ARITHMETIC or op in COMPARISON or op in SETS
            return None if known and not _first((lhs, rhs)) else _first((lhs, rhs)) or f"operator {op} is not modelled"
        case nodes.Negate(expr) | nodes.Subquery(expr):
            return _unknown(expr)
    return None


def _unknown_function(name: str) -> str:
    if name.startswith("histogram_"):
        return f"function {name} is of native histograms, which are not modelled"
    return f"function {name} is not modelled"


def steps(node: Node) -> int:
    """How often the innermost expression is evaluated for one answer."""
    match node:
        case nodes.Subquery(expr, range_ms, step_ms):
            return (range_ms // (step_ms or DEFAULT_STEP_MS) + 1) * steps(expr)
        case nodes.Negate(expr):
            return steps(expr)
        case nodes.Aggregate(_, expr, param):
            return max(steps(expr), steps(param) if param is not None else 1)
        case nodes.Call(_, args):
            return max(map(steps, args), default=1)
        case nodes.Binary(_, lhs, rhs):
            return max(steps(lhs), steps(rhs))
    return 1


def _first(parts: tuple[Node, ...]) -> str | None:
    return next((reason for part in parts if (reason := _unknown(part))), None)
