"""Gates on a ratio of requests, reduced to one number: the largest share of errors they let pass.

The selectors of the query become one of three numbers, for an error share x: ``errors`` x, ``good`` 1-x, ``total`` 1.
What remains is arithmetic; the condition is then tried on its value. So ``good/total >= 0.995``, ``errors/total < 0.005``
and ``1 - (errors/total)/0.001 > 0.1`` all come out as a share, whatever the author's way of writing it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

from scenarios.rules.evaluation import meant_to_pass
from scenarios.rules.selectors import Counts, Selector, datadog_selectors, promql_selectors
from scenarios.rules.tree import mapping, seconds, text
from scenarios.rules.uses import MetricUse

_PROMQL_CALL = re.compile(r"\b(?:sum|rate|increase|irate|max_over_time|scalar|vector|round)\s*(?=\()")
_PROMQL_BY = re.compile(r"\b(?:by|without)\s*\([^()]*\)")
_PROMQL_FILL = re.compile(r"\bor\s+(?:on\s*\(\s*\)\s*)?(?:vector\s*)?\(\s*[\d.]+\s*\)")
_PROMQL_OFFSET = re.compile(r"\boffset\s+-?\w+")
_DATADOG_METHOD = re.compile(r"\.(?:as_rate|as_count)\(\)|\.(?:rollup|fill)\([^()]*\)")
_DATADOG_CALL = re.compile(r"\b(?:default_zero|moving_rollup|abs)\s*(?=\()")
_DATADOG_EXTRA = re.compile(r",\s*(?:\d+|'[^']*'|\"[^\"]*\")")
_GROUPING = re.compile(r"\}\s*by\s*\{[^{}]*\}")

_STEPS = 60
"""Halvings of [0, 1]: far below any share a gate can tell."""


@dataclass(frozen=True)
class RatioGate:
    """A gate on the error share of requests."""

    metric: MetricUse
    limit: float
    """Largest error share that passes."""
    only_2xx: bool
    """Everything but 2xx counts as an error."""
    client_errors: bool
    """4xx count as errors."""
    window_s: float | None
    """Length of the window that one measurement judges; None where it depends on the provider."""
    families: frozenset[str]
    """Names of the metrics it divides."""
    provider: str


def ratio_gate(metric: MetricUse) -> RatioGate | None:
    """The gate if the metric judges an error share in a way that can be read off its query, else None."""
    for kind, convert in _READERS.items():
        provider = mapping(metric.metric, "provider", kind)
        query = text(provider, "query")
        if query:
            return _gate(metric, kind, *convert(query))
    return None


def share_grid(metric: MetricUse) -> tuple[float, ...]:
    """Values the query of a ratio takes as the share of errors goes from 0 to 1; empty if it is no such ratio."""
    for kind, convert in _READERS.items():
        query = text(metric.metric, "provider", kind, "query")
        arithmetic, selectors = convert(query) if query else ("", ())
        counts = {selector.counts for selector in selectors}
        value = _compiled(arithmetic) if counts & {Counts.ERRORS, Counts.GOOD} and Counts.TOTAL in counts else None
        if value is not None:
            values = [value(step / 200) for step in range(201)]
            return tuple(number for number in values if number is not None)
    return ()


def _gate(metric: MetricUse, kind: str, arithmetic: str, selectors: tuple[Selector, ...]) -> RatioGate | None:
    counts = {selector.counts for selector in selectors}
    if not counts & {Counts.ERRORS, Counts.GOOD} or Counts.OTHER in counts:
        return None
    value = _compiled(arithmetic)
    if value is None:
        return None
    limit = _largest_passing(metric, value)
    if limit is None:
        return None
    statuses = frozenset(status for s in selectors if s.statuses is not None for status in s.statuses)
    good = Counts.GOOD in counts
    return RatioGate(
        metric=metric,
        limit=limit,
        only_2xx=good and not statuses & set(range(300, 500)),
        client_errors=(good and 404 not in statuses) or (not good and 404 in statuses),
        window_s=_window_s(metric, kind, selectors),
        families=frozenset(selector.metric for selector in selectors),
        provider=kind,
    )


def _largest_passing(metric: MetricUse, value: Callable[[float], float | None]) -> float | None:
    """The limit; None unless no errors pass, only errors fail and nothing passes above what failed."""

    def ok(share: float) -> bool:
        number = value(share)
        return number is not None and meant_to_pass(metric, number)

    grid = [ok(step / 200) for step in range(201)]
    if not grid[0] or grid[-1] or grid != sorted(grid, reverse=True):
        return None
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if ok(middle) else (low, middle)
    return float(f"{low:.9g}")


def _promql(query: str) -> tuple[str, tuple[Selector, ...]]:
    selectors = tuple(promql_selectors(query))
    body = _PROMQL_FILL.sub("", _PROMQL_BY.sub("", _PROMQL_OFFSET.sub("", _replaced(query, selectors))))
    return _PROMQL_CALL.sub("", body), selectors


def _datadog(query: str) -> tuple[str, tuple[Selector, ...]]:
    query = _GROUPING.sub("}", query)
    selectors = tuple(datadog_selectors(query))
    body = _DATADOG_METHOD.sub("", _replaced(query, selectors))
    return _DATADOG_EXTRA.sub("", _DATADOG_CALL.sub("", body)), selectors


_READERS: dict[str, Callable[[str], tuple[str, tuple[Selector, ...]]]] = {"prometheus": _promql, "datadog": _datadog}


def _replaced(query: str, selectors: tuple[Selector, ...]) -> str:
    """The query with each selector replaced by a number's name."""
    parts, at = [], 0
    for selector in selectors:
        parts += [query[at : selector.start], f" {selector.counts.value} "]
        at = selector.end
    return "".join([*parts, query[at:]])


def _compiled(arithmetic: str) -> Callable[[float], float | None] | None:
    """The arithmetic as a function of the error share (None where it divides by zero), or None if it is more than that."""
    try:
        tree = ast.parse(" ".join(arithmetic.split()), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    allowed = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Name, ast.Load, ast.Constant, ast.operator, ast.unaryop)
    names = {"total", "errors", "good"}
    for node in ast.walk(tree):
        known = not isinstance(node, ast.Name) or node.id in names
        numeric = not isinstance(node, ast.Constant) or type(node.value) in {int, float}
        if not (isinstance(node, allowed) and known and numeric) or isinstance(node, ast.Pow):
            return None
    return lambda share: _value(tree.body, {"total": 1.0, "errors": share, "good": 1.0 - share})


def _value(node: ast.expr, numbers: dict[str, float]) -> float | None:
    if isinstance(node, ast.Constant):
        return float(node.value) if isinstance(node.value, int | float) else None
    if isinstance(node, ast.Name):
        return numbers[node.id]
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, numbers)
        return None if inner is None else (-inner if isinstance(node.op, ast.USub) else inner)
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, numbers), _value(node.right, numbers)
        return None if left is None or right is None else _operate(node.op, left, right)
    return None


def _operate(operator: ast.operator, left: float, right: float) -> float | None:
    if isinstance(operator, ast.Add):
        return left + right
    if isinstance(operator, ast.Sub):
        return left - right
    if isinstance(operator, ast.Mult):
        return left * right
    if isinstance(operator, ast.Div) and right:
        return left / right
    return None


def _window_s(metric: MetricUse, kind: str, selectors: tuple[Selector, ...]) -> float | None:
    if kind == "prometheus":
        windows = [seconds(selector.window) for selector in selectors if selector.window]
        return min((window for window in windows if window), default=None)
    query = text(metric.metric, "provider", "datadog", "query")
    rolled = re.findall(r"(?:rollup\(\s*sum\s*,\s*|moving_rollup\([^()]*,\s*)(\d+)", query)
    return min(map(float, rolled), default=None)
