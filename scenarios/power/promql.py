"""A PromQL query read as arithmetic over sums of rates, or as a quantile of one histogram."""

from __future__ import annotations

from collections.abc import Callable

from scenarios.power.probes import Probe
from scenarios.power.readings import OPERATIONS, Leaf, Parts, Quantile, Reading, seen, share_of, with_leaf
from scenarios.power.shares import Judge, Unread, of_number
from sim.metrics.promql import nodes
from sim.metrics.promql.nodes import PromqlError
from sim.metrics.promql.parse import parse


def of_promql(judge: Judge, query: str, probe: Probe) -> Reading:
    """What a query judges; ``Unread`` with the reason if it is neither kind."""
    try:
        tree = parse(query)
    except PromqlError as error:
        raise Unread(why=f"the query cannot be read: {error.reason}") from None
    tree, fill = _filled(tree)
    match tree:
        case nodes.Call("histogram_quantile", (nodes.Number(level), inner)) if 0 < level < 1:
            return _quantile(judge, level, inner, probe, fill)
    parts = Parts([], lambda _: 0.0, fill)
    value = _arithmetic(tree, parts.leaves, probe)
    return share_of(judge, Parts(parts.leaves, value, fill), 0.0)


def _filled(tree: nodes.Node) -> tuple[nodes.Node, float | None]:
    """The query without ``or vector(0)``, and what that stands for."""
    match tree:
        case nodes.Binary("or", left, nodes.Call("vector", (nodes.Number(value),))):
            return left, value
    return tree, None


def _arithmetic(tree: nodes.Node, leaves: list[Leaf], probe: Probe) -> Callable[[list[float]], float]:
    inner, fill = _filled(tree)
    if fill == 0.0:
        return with_leaf(leaves, _count(inner, probe, filled=True))
    match tree:
        case nodes.Number(value):
            return lambda _: value
        case nodes.Negate(expr):
            of = _arithmetic(expr, leaves, probe)
            return lambda counts: -of(counts)
        case nodes.Binary(op, lhs, rhs) if op in OPERATIONS:
            left, right = _arithmetic(lhs, leaves, probe), _arithmetic(rhs, leaves, probe)
            operation = OPERATIONS[op]
            return lambda counts: operation(left(counts), right(counts))
        case nodes.Call("scalar" | "vector", (nodes.Aggregate() as inner,)):
            return _arithmetic(inner, leaves, probe)
    return with_leaf(leaves, _count(tree, probe, filled=False))


def _count(tree: nodes.Node, probe: Probe, *, filled: bool) -> Leaf:
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
    return Leaf(probe.prometheus(selector), window_s, bound, of_histogram, filled)


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
    return Quantile(verdicts, level, bounds, window_s, seen(probe.prometheus(selector).sides))
