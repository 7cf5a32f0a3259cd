"""Evaluation of a metric query, after Datadog's documentation: there is no server to compare with.

Order: time aggregation of every source series into buckets, space aggregation over the series of a group, then
functions and arithmetic. Buckets are aligned to UNIX time, the one that contains *now* is partial, and a bucket
without a point is no data (there is no interpolation between points).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from sim.metrics.datadog import functions
from sim.metrics.datadog.parse import Arithmetic, Call, DatadogError, MetricQuery, Node, Number, Word
from sim.metrics.datadog.series import AGGREGATES, Scope, Series, kept, mapped
from sim.metrics.datadog.store import COUNT, AgentStore, TagSeries
from sim.model.telemetry import DatadogTelemetry

COARSER: Final = ((14_400.0, 60.0), (86_400.0, 300.0), (172_800.0, 600.0), (604_800.0, 3600.0), (math.inf, 14_400.0))
"""(window up to, bucket) seconds beyond the hour that ``DatadogTelemetry.bucket_s`` is for."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call of the API; ``named`` are the results a formula's words refer to."""

    store: AgentStore
    now_s: float
    window_s: float
    telemetry: DatadogTelemetry
    named: tuple[tuple[str, tuple[Series, ...]], ...] = ()

    @property
    def bucket_s(self) -> float:
        """Bucket size where the query names none."""
        if self.window_s <= 3600:
            return self.telemetry.bucket_s
        return next(bucket for upto, bucket in COARSER if self.window_s <= upto)

    def aligned(self, t_s: float, bucket_s: float) -> float:
        """Start of the bucket that holds this instant."""
        epoch_s = self.telemetry.epoch_s
        return math.floor((t_s + epoch_s) / bucket_s) * bucket_s - epoch_s

    def grid(self, bucket_s: float) -> list[float]:
        """Bucket starts of the window, the partial ones at both ends included."""
        first = self.aligned(self.now_s - self.window_s, bucket_s)
        return [first + index * bucket_s for index in range(math.ceil((self.now_s - first) / bucket_s))]


Value = float | list[Series]


def evaluate(node: Node, request: Request) -> Value:
    """A number or a list of series; DatadogError for what is not modelled."""
    match node:
        case Number(value):
            return value
        case Word(text):
            return _named(text, request)
        case Arithmetic(op, left, right):
            return _arithmetic(op, evaluate(left, request), evaluate(right, request))
        case Call():
            return _call(node, request)
        case MetricQuery():
            return _metric(node, request)


def _named(text: str, request: Request) -> list[Series]:
    for name, series in request.named:
        if name == text:
            return list(series)
    msg = f"{text!r} is not the name of a query"
    raise DatadogError(msg)


def _metric(query: MetricQuery, request: Request) -> list[Series]:
    groups: dict[Scope, dict[float, list[float]]] = {}
    for source in request.store.series(query.metric):
        if query.filter.accepts(source.tags) and all(tag in source.tags for tag in query.by):
            scope = tuple((tag, source.tags[tag]) for tag in query.by)
            buckets = groups.setdefault(scope, {})
            for start_s, value in _rolled_up(source, query, request):
                buckets.setdefault(start_s, []).append(value)
    combine = AGGREGATES[query.space]
    found = [
        Series(scope, tuple((start_s, combine(values)) for start_s, values in sorted(buckets.items())))
        for scope, buckets in groups.items()
    ]
    return [series for series in found if series.points]


def _rolled_up(source: TagSeries, query: MetricQuery, request: Request) -> list[tuple[float, float]]:
    method, seconds = query.rollup
    bucket_s = seconds or request.bucket_s
    method = method or ("sum" if source.kind == COUNT or query.modifier else "avg")
    from_s = request.now_s - request.window_s
    if request.telemetry.whole_buckets:
        from_s = request.aligned(from_s, bucket_s)
    buckets: dict[float, list[float]] = {}
    for t_s, value in source.points(from_s, request.now_s, request.now_s):
        buckets.setdefault(request.aligned(t_s, bucket_s), []).append(value)
    scale = bucket_s if query.modifier == "as_rate" else 1.0
    return [(start_s, AGGREGATES[method](values) / scale) for start_s, values in buckets.items()]


def _binary(op: str, left: float, right: float) -> float | None:
    """The operation on two values; None (no point) for a division by zero."""
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return left / right if right else None


def _arithmetic(op: str, left: Value, right: Value) -> Value:
    """Pointwise, between groups of equal tags; only where both sides have a point."""
    if isinstance(left, list) and isinstance(right, list):
        others = {series.scope: dict(series.points) for series in right}
        single = next(iter(others.values())) if len(right) == 1 and not right[0].scope else None
        found = []
        for series in left:
            other = others.get(series.scope, single)
            if other is not None:
                points = [(t_s, _binary(op, value, other[t_s])) for t_s, value in series.points if t_s in other]
                found.append(Series(series.scope, kept(points)))
        return [series for series in found if series.points]
    if isinstance(left, list):
        return mapped(left, lambda value: _binary(op, value, _number(right)))
    if isinstance(right, list):
        return mapped(right, lambda value: _binary(op, _number(left), value))
    result = _binary(op, left, right)
    if result is None:
        msg = "division by zero"
        raise DatadogError(msg)
    return result


def _number(value: Value) -> float:
    if isinstance(value, list):
        msg = "expected a number"
        raise DatadogError(msg)
    return value


def _call(node: Call, request: Request) -> Value:
    function, shift_s = functions.FUNCTIONS.get(node.name), functions.shift_of(node)
    if (function is None and shift_s is None) or not node.args:
        raise DatadogError(node.refusal(functions.NAMES))
    if shift_s is not None:
        return _shifted(node, request, shift_s)
    vector = evaluate(node.args[0], request)
    if not isinstance(vector, list):
        msg = f"{node.place}{node.name} needs a query, not a number"
        raise DatadogError(msg)
    made = function(vector, functions.Options(node, _bucket_of(node, request), request.grid)) if function else vector
    return [series for series in made if series.points]


def _shifted(node: Call, request: Request, shift_s: float) -> list[Series]:
    """What the query would have said so much earlier, at today's times."""
    then = replace(request, now_s=request.now_s + shift_s)
    vector = evaluate(node.args[0], then)
    if not isinstance(vector, list):
        msg = f"{node.place}{node.name} needs a query, not a number"
        raise DatadogError(msg)
    return [Series(one.scope, tuple((t_s - shift_s, value) for t_s, value in one.points)) for one in vector]


def _bucket_of(node: Node, request: Request) -> float:
    """Bucket size of the first metric in an expression."""
    match node:
        case MetricQuery():
            return node.rollup[1] or request.bucket_s
        case Call(_, args):
            return _bucket_of(args[0], request) if args else request.bucket_s
        case Arithmetic(_, left, right):
            return _bucket_of(right if isinstance(left, Number) else left, request)
    return request.bucket_s
