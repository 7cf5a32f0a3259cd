"""What can be told of a PromQL query from its shape: how many series it returns, and what its quantiles stand on."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import promql_parser as promql

from sim.metrics.promql import PromqlError, PromqlSyntaxError
from sim.metrics.promql.parse import parse as understood
from sim.metrics.promql.parse import tree_of

_FEW = frozenset({"topk", "bottomk", "limitk", "limit_ratio", "count_values"})
_SCALARS = frozenset({"scalar", "vector", "time", "pi"})


class Elements(StrEnum):
    """How many elements the result has at most."""

    ONE = "one"
    MANY = "many"


def parse(query: str) -> Any | None:
    """The syntax tree, or None where the query does not parse."""
    try:
        return tree_of(query)
    except PromqlError:
        return None


def is_text(query: str) -> bool:
    """Whether a query is a text literal, which yields no number."""
    tree = parse(query)
    return tree is not None and isinstance(bare(tree), promql.StringLiteral)


def problem(query: str) -> str | None:
    """Why the query does not parse, or None."""
    try:
        understood(query)
    except PromqlSyntaxError as error:
        return str(error)
    except PromqlError:  # beyond the twin, perhaps not beyond the server
        return None
    return None


def elements(node: Any) -> Elements:
    """Whether the result has at most one element whatever series exist."""
    if isinstance(node, promql.ParenExpr | promql.UnaryExpr | promql.SubqueryExpr):
        return elements(node.expr)
    if isinstance(node, promql.AggregateExpr):
        kept = node.modifier is not None and (
            bool(node.modifier.labels) or node.modifier.type == promql.AggModifierType.Without
        )
        return Elements.MANY if kept or str(node.op) in _FEW else Elements.ONE
    if isinstance(node, promql.NumberLiteral | promql.StringLiteral):
        return Elements.ONE
    if isinstance(node, promql.BinaryExpr):
        return _of_binary(node)
    if isinstance(node, promql.Call):
        return _of_call(node)
    return Elements.MANY


def _of_binary(node: Any) -> Elements:
    sides = {elements(node.lhs), elements(node.rhs)}
    if sides == {Elements.ONE}:
        return Elements.ONE
    one_vector = Elements.ONE in sides and not any(_is_scalar(side) for side in (node.lhs, node.rhs))
    # A vector of one element matches at most one element of the other side, unless it is a union.
    return Elements.ONE if one_vector and str(node.op) not in {"or", "unless"} else Elements.MANY


def _of_call(node: Any) -> Elements:
    name = node.func.name
    if name in _SCALARS:
        return Elements.ONE
    if name == "histogram_quantile" and len(node.args) == 2:
        inner = bare(node.args[1])
        only_le = isinstance(inner, promql.AggregateExpr) and _by(inner) == {"le"}
        return Elements.ONE if only_le else elements(inner)
    vectors = [argument for argument in node.args if not _is_scalar(argument)]
    return elements(vectors[0]) if len(vectors) == 1 else Elements.MANY


def bare(node: Any) -> Any:
    """The node without parentheses around it."""
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node


def _is_scalar(node: Any) -> bool:
    inner = bare(node)
    if isinstance(inner, promql.NumberLiteral | promql.StringLiteral):
        return True
    return isinstance(inner, promql.Call) and inner.func.name in {"scalar", "time", "pi"}


def _by(node: Any) -> set[str] | None:
    """Labels of ``by (...)``; empty without a modifier, None for ``without``."""
    if node.modifier is None:
        return set()
    return set(node.modifier.labels) if node.modifier.type == promql.AggModifierType.By else None


def walk(node: Any) -> Iterator[Any]:
    """The node and everything below it."""
    yield node
    below = [getattr(node, name) for name in ("expr", "lhs", "rhs") if hasattr(node, name)]
    for child in (*below, *(getattr(node, "args", None) or ())):
        yield from walk(child)


def metrics(query: str) -> tuple[str, ...]:
    """The metrics named, each once; none of a query that does not parse."""
    tree = parse(query)
    names = (_name(node) for node in (walk(tree) if tree is not None else ()))
    return tuple(dict.fromkeys(name for name in names if name))


def _name(node: Any) -> str:
    selector = node.vector_selector if isinstance(node, promql.MatrixSelector) else node
    if not isinstance(selector, promql.VectorSelector):
        return ""
    exact = (m.value for m in selector.matchers.matchers if m.name == "__name__" and m.op == promql.MatchOp.Equal)
    return str(selector.name or next(exact, ""))


def quantiles(node: Any) -> Iterator[tuple[float | None, Any]]:
    """(quantile, its inner expression) of every ``histogram_quantile``."""
    for part in walk(node):
        if isinstance(part, promql.Call) and part.func.name == "histogram_quantile" and len(part.args) == 2:
            level = bare(part.args[0])
            yield (level.val if isinstance(level, promql.NumberLiteral) else None), bare(part.args[1])


def loses_le(inner: Any) -> bool:
    """Whether an aggregation drops the bucket bound ``le`` that ``histogram_quantile`` needs."""
    if isinstance(inner, promql.AggregateExpr):
        kept = _by(inner)
        dropped = set(inner.modifier.labels) if kept is None and inner.modifier is not None else set()
        return "le" in dropped if kept is None else "le" not in kept
    return False


def aggregates(inner: Any) -> bool:
    """Whether the expression is an aggregation."""
    return isinstance(inner, promql.AggregateExpr)


def fill(node: Any) -> float | None:
    """The constant that stands in for the whole answer where it is absent (``... or vector(0)``)."""
    top = bare(node)
    if not isinstance(top, promql.BinaryExpr) or str(top.op) != "or":
        return None
    right = bare(top.rhs)
    if isinstance(right, promql.Call) and right.func.name == "vector":
        right = bare(right.args[0])
    return float(right.val) if isinstance(right, promql.NumberLiteral) else None


def averaged_quantiles(node: Any) -> bool:
    """Whether quantiles are averaged: ``avg(histogram_quantile(...))`` or ``avg(m{quantile="0.99"})``."""
    for part in walk(node):
        if isinstance(part, promql.AggregateExpr) and str(part.op) in {"avg", "sum"}:
            for inner in walk(part.expr):
                if isinstance(inner, promql.Call) and inner.func.name == "histogram_quantile":
                    return True
                if isinstance(inner, promql.VectorSelector) and any(
                    matcher.name == "quantile" for matcher in inner.matchers.matchers
                ):
                    return True
    return False
