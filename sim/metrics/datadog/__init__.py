"""Datadog metric queries over what the agents sent: ``query`` for timeseries (v1), ``scalars`` for API v2, ``check``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sim.metrics.datadog.evaluate import Request, Value, evaluate
from sim.metrics.datadog.functions import NAMES
from sim.metrics.datadog.parse import Arithmetic, Call, DatadogError, MetricQuery, Node, Word, parse
from sim.metrics.datadog.series import AGGREGATES, Series
from sim.metrics.datadog.store import COUNT, GAUGE, AgentStore
from sim.model.analysis import DatadogProvider
from sim.model.telemetry import DatadogTelemetry

REDUCERS: Final = {name: AGGREGATES[name] for name in ("avg", "min", "max", "sum", "last")} | {
    "mean": AGGREGATES["avg"]
}
"""Values of ``aggregator`` (API v2) that can be evaluated."""


def check(text: str, names: Sequence[str] = ()) -> str | None:
    """What is wrong with a query or formula (whose words may be ``names``), or None."""
    try:
        return _refusal(parse(text), names)
    except DatadogError as error:
        return str(error)


def _refusal(node: Node, names: Sequence[str]) -> str | None:
    match node:
        case Word(text) if text not in names:
            return f"{text!r} is not the name of a query"
        case Arithmetic(_, left, right):
            return _refusal(left, names) or _refusal(right, names)
        case Call(name, args):
            # Further arguments are options, judged when the function runs.
            return _refusal(args[0], names) if args and name in NAMES else node.refusal(NAMES)
    return None


def is_grouped(text: str) -> bool:
    """Whether any metric of the query is split ``by`` tags; False for what is no query."""
    try:
        return _grouped(parse(text))
    except DatadogError:
        return False


def _grouped(node: Node) -> bool:
    match node:
        case MetricQuery():
            return bool(node.by)
        case Arithmetic(_, left, right):
            return _grouped(left) or _grouped(right)
        case Call(_, args):
            return any(_grouped(arg) for arg in args)
    return False


def query(
    store: AgentStore, text: str, now_s: float, window_s: float, telemetry: DatadogTelemetry | None = None
) -> list[Series]:
    """Series of a query over the last ``window_s``, without the groups that have no point; DatadogError if malformed.

    A query that is only a number has one series with one point now.
    """
    request = Request(store, now_s, window_s, telemetry or DatadogTelemetry())
    return _as_series(evaluate(parse(text), request), now_s)


def _as_series(value: Value, now_s: float) -> list[Series]:
    return value if isinstance(value, list) else [Series((), ((now_s, value),))]


def scalars(
    store: AgentStore, provider: DatadogProvider, now_s: float, telemetry: DatadogTelemetry | None = None
) -> list[tuple[Series, float]]:
    """One value per group of an API v2 request: every query is reduced over time, then the formula applied."""
    reduce_by = REDUCERS.get(provider.aggregator or "last")
    if reduce_by is None:
        msg = f"aggregator {provider.aggregator} is not modelled"
        raise DatadogError(msg)
    request = Request(store, now_s, provider.interval_s, telemetry or DatadogTelemetry())

    def reduced(text: str) -> tuple[Series, ...]:
        found = _as_series(evaluate(parse(text), request), now_s)
        return tuple(
            Series(one.scope, ((now_s, reduce_by([value for _, value in one.points])),)) for one in found if one.points
        )

    if provider.query:
        return [(series, series.points[-1][1]) for series in reduced(provider.query)]
    named = tuple((name, reduced(text)) for name, text in provider.queries)
    formula = provider.formula or (named[0][0] if named else "")
    over = Request(store, now_s, provider.interval_s, request.telemetry, named)
    return [(one, one.points[-1][1]) for one in _as_series(evaluate(parse(formula), over), now_s)]


__all__ = ["COUNT", "GAUGE", "AgentStore", "DatadogError", "Series", "check", "is_grouped", "parse", "query", "scalars"]
