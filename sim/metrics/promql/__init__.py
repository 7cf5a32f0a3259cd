"""PromQL over a series store: ``query`` evaluates at one instant, ``check`` says what is wrong with a text.

Not modelled, and refused: native histograms, experimental functions, fill modifiers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from sim.metrics.promql import nodes
from sim.metrics.promql.evaluate import Value, evaluate, refusal
from sim.metrics.promql.nodes import Node, PromqlError
from sim.metrics.promql.parse import parse
from sim.metrics.promql.selectors import Context, Ranges
from sim.metrics.store import Labels, SeriesStore, to_ms

DIALECTS: Final = ("2", "2.42", "3")
"""Closed windows (2), also the older order of the zero clamp (2.42), left-open windows (3)."""


def dialect_of(version: str) -> str:
    """The dialect of a Prometheus release (``2.53.3 -> 2``): 2.42 has its own, unknown ones count as the newest."""
    if version == "2.42" or version.startswith("2.42."):
        return "2.42"
    return "2" if version.partition(".")[0] == "2" else "3"


@lru_cache(maxsize=1024)
def _plan(text: str) -> Node:
    node = parse(text)
    reason = refusal(node)
    if reason is not None:
        raise PromqlError(reason)
    return node


def check(text: str) -> str | None:
    """What is wrong with a query (syntax, types, things not modelled), or None."""
    try:
        _plan(text)
    except PromqlError as error:
        return str(error)
    return None


def is_scalar(text: str) -> bool:
    """Whether a query's result type is scalar (False for vectors and for what is no query)."""
    try:
        return _is_scalar(_plan(text))
    except PromqlError:
        return False


def _is_scalar(node: Node) -> bool:
    match node:
        case nodes.Number():
            return True
        case nodes.Negate(expr):
            return _is_scalar(expr)
        case nodes.Binary(_, lhs, rhs):
            return _is_scalar(lhs) and _is_scalar(rhs)
        case nodes.Call(name):
            return name in {"scalar", "time", "pi"}
    return False


def evaluate_at(store: SeriesStore, text: str, at_s: float, dialect: str = "3", lookback_s: float = 300.0) -> Value:
    """Any value a query has at one instant, strings and range vectors included."""
    if dialect not in DIALECTS:
        msg = f"dialect {dialect!r} is none of {', '.join(DIALECTS)}"
        raise ValueError(msg)
    at_ms = to_ms(at_s)
    context = Context(store, at_ms, at_ms, at_ms, dialect != "3", dialect == "2.42", to_ms(lookback_s))
    return evaluate(_plan(text), context)


def query(
    store: SeriesStore, text: str, at_s: float, dialect: str = "3", lookback_s: float = 300.0
) -> float | list[tuple[Labels, float]]:
    """A scalar, or the samples of an instant vector in the order the server would send them.

    PromqlError when the text is not a query, cannot be evaluated on this data (duplicate matches), or yields a string
    or a range vector.
    """
    value = evaluate_at(store, text, at_s, dialect, lookback_s)
    if isinstance(value, str | Ranges):
        msg = "the query yields a string or a range vector, not numbers at one instant"
        raise PromqlError(msg)
    return value


__all__ = ["DIALECTS", "PromqlError", "check", "dialect_of", "evaluate_at", "is_scalar", "query"]
