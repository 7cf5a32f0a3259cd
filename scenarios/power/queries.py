"""From a metric's query to what it counts: ``Share`` (of bad requests), ``Quantile`` (of latencies), or why neither."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from scenarios.power.probes import CANARY, Probe, Taken
from scenarios.power.shares import Judge, Unread, Value, Verdicts, divided, of_number, of_share
from sim.metrics import providers
from sim.metrics.datadog.parse import Arithmetic, DatadogError, MetricQuery
from sim.metrics.datadog.parse import Call as DatadogCall
from sim.metrics.datadog.parse import Number as DatadogNumber
from sim.metrics.datadog.parse import parse as parse_datadog
from sim.metrics.promql import nodes
from sim.metrics.promql.nodes import PromqlError
from sim.metrics.promql.parse import parse as parse_promql
from sim.model.analysis import DatadogProvider, Metric, PrometheusProvider
from sim.model.controller import Controller

BAD, GOOD, ALL = "bad", "good", "all"
_MIXED = "it divides counts over different windows"


@dataclass(frozen=True)
class Share:
    """A metric that judges which share of the requests is bad: answered with an error, or slower than a bound."""

    verdicts: Verdicts
    window_s: float
    sides: frozenset[str]
    statuses: frozenset[int] = frozenset()
    """Statuses that are bad."""
    slower_than_s: float | None = None
    """The bound, for a share of slow requests; None for a share of errors."""
    needs_bad: bool = False
    """Whether there is no answer as long as nothing bad ever happened."""
    bucket_s: float = 0.0
    """Of Datadog: the bucket that the last point stands for."""

    @property
    def is_slowness(self) -> bool:
        """Whether it is about latency."""
        return self.slower_than_s is not None


@dataclass(frozen=True)
class Quantile:
    """A metric that judges a quantile of the latencies in a histogram."""

    verdicts: Verdicts
    """On the quantile in seconds."""
    level: float
    bounds_s: tuple[float, ...]
    window_s: float
    sides: frozenset[str]


Reading = Share | Quantile


@dataclass(frozen=True)
class _Leaf:
    """One count of a query: what it takes, over which window."""

    taken: Taken
    window_s: float
    bound_s: float | None = None
    """Upper bound of a histogram bucket; None for whole counts."""
    of_histogram: bool = False
    filled: bool = False
    """Whether its absence counts as zero."""


@dataclass(frozen=True)
class _Parts:
    """A query taken apart: arithmetic over its leaves."""

    leaves: list[_Leaf]
    value: Callable[[list[float]], float]
    fill: float | None


def reading(metric: Metric, probe: Probe, controller: Controller) -> Reading:
    """What the metric judges; ``Unread`` with the reason if it is neither kind."""
    provider = metric.provider
    judge = Judge(metric, providers.result_type(provider), controller.expr)
    match provider:
        case PrometheusProvider(query, range_query=ranged):
            if ranged is not None:
                raise Unread(why="a range query is judged point by point")
            return _prometheus(judge, query, probe)
        case DatadogProvider():
            return _datadog(judge, provider, probe)
    raise Unread(why=f"what {provider.kind} answers is scripted by the scenario, not simulated")


def _prometheus(judge: Judge, query: str, probe: Probe) -> Reading:
    try:
        tree = parse_promql(query)
    except PromqlError as error:
        raise Unread(why=f"the query cannot be read: {error.reason}") from None
    tree, fill = _filled(tree)
    match tree:
        case nodes.Call("histogram_quantile", (nodes.Number(level), inner)) if 0 < level < 1:
            return _quantile(judge, level, inner, probe, fill)
    parts = _Parts([], lambda _: 0.0, fill)
    value = _arithmetic(tree, parts.leaves, probe)
    return _share(judge, _Parts(parts.leaves, value, fill), 0.0)


def _filled(tree: nodes.Node) -> tuple[nodes.Node, float | None]:
    """The query without ``or vector(0)``, and what that stands for."""
    match tree:
        case nodes.Binary("or", left, nodes.Call("vector", (nodes.Number(value),))):
            return left, value
    return tree, None


def _arithmetic(tree: nodes.Node, leaves: list[_Leaf], probe: Probe) -> Callable[[list[float]], float]:
    inner, fill = _filled(tree)
    if fill == 0.0:
        return _leaf(leaves, _count(inner, probe, filled=True))
    match tree:
        case nodes.Number(value):
            return lambda _: value
        case nodes.Negate(expr):
            of = _arithmetic(expr, leaves, probe)
            return lambda counts: -of(counts)
        case nodes.Binary(op, lhs, rhs) if op in _OPERATIONS:
            left, right = _arithmetic(lhs, leaves, probe), _arithmetic(rhs, leaves, probe)
            operation = _OPERATIONS[op]
            return lambda counts: operation(left(counts), right(counts))
        case nodes.Call("scalar" | "vector", (nodes.Aggregate() as inner,)):
            return _arithmetic(inner, leaves, probe)
    return _leaf(leaves, _count(tree, probe, filled=False))


_OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": divided,
}


def _leaf(leaves: list[_Leaf], leaf: _Leaf) -> Callable[[list[float]], float]:
    leaves.append(leaf)
    place = len(leaves) - 1
    return lambda counts: counts[place]


def _count(tree: nodes.Node, probe: Probe, *, filled: bool) -> _Leaf:
    match tree:
        case nodes.Aggregate("sum", inner, None, (), False):
            selector, window_s = _rated(inner)
        case _:
            raise Unread(why="it is not made of sums of rates of requests")
    name, bound = selector.name or "", None
    of_histogram = name.endswith(("_bucket", "_count"))
    if name.endswith("_bucket"):
        bound = next((_bound(m.value) for m in selector.matchers if m.name == "le" and m.op == "="), None)
        if bound is None:
            raise Unread(why="it adds up several buckets of a histogram")
    elif name.endswith("_sum"):
        raise Unread(why="it judges a mean latency")
    return _Leaf(probe.prometheus(selector), window_s, bound, of_histogram, filled)


def _rated(tree: nodes.Node) -> tuple[nodes.Selector, float]:
    match tree:
        case nodes.Call("rate" | "increase", (nodes.Matrix(selector, range_ms),)):
            if selector.when.offset_ms or selector.when.at is not None or selector.mode:
                raise Unread(why="it looks at another time than now")
            return selector, range_ms / 1000.0
    raise Unread(why="it is not made of rates over a window")


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _quantile(judge: Judge, level: float, tree: nodes.Node, probe: Probe, fill: float | None) -> Quantile:
    match tree:
        case nodes.Aggregate("sum", inner, None, ("le",), False):
            selector, window_s = _rated(inner)
        case _:
            raise Unread(why="its quantile is not taken of one histogram of all pods")
    bounds = probe.scenario.telemetry.prometheus.buckets_s
    if selector.name != f"{probe.scenario.telemetry.prometheus.duration_metric}_bucket":
        raise Unread(why=f"the buckets of {selector.name} are not those of the application's histogram")
    verdicts = of_number(judge, lambda number: number, fill, bounds[len(bounds) // 2])
    return Quantile(verdicts, level, bounds, window_s, _seen(probe.prometheus(selector).sides))


def _share(judge: Judge, parts: _Parts, bucket_s: float) -> Share:
    if not parts.leaves:
        raise Unread(why="it counts no requests")
    windows = {leaf.window_s for leaf in parts.leaves}
    if len(windows) > 1:
        raise Unread(why=_MIXED)
    sides = {leaf.taken.sides for leaf in parts.leaves if leaf.taken.sides}
    if len(sides) > 1:
        raise Unread(why="it compares the release with the stable version")
    seen = _seen(next(iter(sides), frozenset()))
    slow = _bound_of(parts.leaves)
    roles = [_role(leaf, slow) for leaf in parts.leaves]
    if ALL not in roles or not {BAD, GOOD} & set(roles):
        raise Unread(why="it is no share of requests: nothing bad is divided by all")
    statuses = _bad_statuses(parts.leaves, roles) if slow is None else frozenset()

    def value(bad: float, total: float) -> float:
        numbers = {BAD: bad, GOOD: total - bad, ALL: total}
        return parts.value([numbers[role] for role in roles])

    needs_bad = any(role == BAD and not leaf.filled for role, leaf in zip(roles, parts.leaves, strict=True))
    needs_bad = needs_bad and slow is None
    verdicts = of_share(judge, _guarded(value), parts.fill)
    return Share(verdicts, windows.pop(), seen, statuses, slow, needs_bad, bucket_s)


def _guarded(value: Value) -> Value:
    def guarded(bad: float, total: float) -> float:
        try:
            return value(bad, total)
        except OverflowError:
            return inf

    return guarded


def _seen(sides: frozenset[str]) -> frozenset[str]:
    if not sides:
        raise Unread(why="it finds no series of the release's pods, nor of the stable version's")
    if CANARY not in sides:
        raise Unread(why="it looks at the stable version only")
    return sides


def _bound_of(leaves: list[_Leaf]) -> float | None:
    bounds = {leaf.bound_s for leaf in leaves if leaf.bound_s is not None and leaf.bound_s != inf}
    if not bounds:
        return None
    if len(bounds) > 1 or not all(leaf.of_histogram for leaf in leaves):
        raise Unread(why="it mixes several buckets of a histogram")
    return bounds.pop()


def _role(leaf: _Leaf, slow: float | None) -> str:
    if slow is not None:
        return GOOD if leaf.bound_s == slow else ALL
    if leaf.taken.is_all:
        return ALL
    if leaf.taken.is_good:
        return GOOD
    if leaf.taken.is_bad:
        return BAD
    raise Unread(why="what it counts is neither all requests nor only good nor only bad ones")


def _bad_statuses(leaves: list[_Leaf], roles: list[str]) -> frozenset[int]:
    every = frozenset().union(*(leaf.taken.statuses for leaf, role in zip(leaves, roles, strict=True) if role == ALL))
    bad = [leaf.taken.statuses for leaf, role in zip(leaves, roles, strict=True) if role == BAD]
    good = [leaf.taken.statuses for leaf, role in zip(leaves, roles, strict=True) if role == GOOD]
    found = {*(frozenset(one) for one in bad), *(every - one for one in good)}
    if len(found) > 1:
        raise Unread(why="it counts two kinds of errors")
    return found.pop()


def _datadog(judge: Judge, provider: DatadogProvider, probe: Probe) -> Share:
    if not provider.query or provider.queries:
        raise Unread(why="it is put together of several queries by a formula")
    try:
        tree = parse_datadog(provider.query)
    except DatadogError as error:
        raise Unread(why=f"the query cannot be read: {error}") from None
    leaves: list[_Leaf] = []
    buckets: set[float] = set()
    value = _datadog_arithmetic(tree, leaves, buckets, probe)
    if len(buckets) > 1:
        raise Unread(why=_MIXED)
    telemetry = probe.scenario.telemetry.datadog
    leaves = [_Leaf(one.taken, provider.interval_s, filled=one.filled) for one in leaves]
    share = _share(judge, _Parts(leaves, value, None), next(iter(buckets), 0.0) or telemetry.bucket_s)
    if share.needs_bad:
        raise Unread(why="as long as nothing bad happened it has no data: default_zero() would help")
    return share


def _datadog_arithmetic(
    tree: object, leaves: list[_Leaf], buckets: set[float], probe: Probe, *, filled: bool = False
) -> Callable[[list[float]], float]:
    match tree:
        case DatadogNumber(number):
            return lambda _: number
        case Arithmetic(op, lhs, rhs):
            left = _datadog_arithmetic(lhs, leaves, buckets, probe)
            right = _datadog_arithmetic(rhs, leaves, buckets, probe)
            operation = _OPERATIONS[op]
            return lambda counts: operation(left(counts), right(counts))
        case DatadogCall("default_zero", (inner,)):
            return _datadog_arithmetic(inner, leaves, buckets, probe, filled=True)
        case MetricQuery() if probe.is_count(tree):
            buckets.add(tree.rollup[1])
            return _leaf(leaves, _Leaf(probe.datadog(tree), 0.0, filled=filled))
        case MetricQuery():
            raise Unread(why="it averages what each host computed by itself")
    raise Unread(why="it uses functions beyond sums of counts")


__all__ = ["Quantile", "Reading", "Share", "Unread", "reading"]
