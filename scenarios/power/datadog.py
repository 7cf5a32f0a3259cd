"""A Datadog query read as arithmetic over sums of counts."""

from __future__ import annotations

from collections.abc import Callable

from scenarios.power.probes import Probe
from scenarios.power.readings import MIXED, OPERATIONS, Leaf, Parts, Share, share_of, with_leaf
from scenarios.power.shares import Judge, Unread
from sim.metrics.datadog.parse import Arithmetic, Call, DatadogError, MetricQuery, Number, parse
from sim.model.analysis import DatadogProvider


def of_datadog(judge: Judge, provider: DatadogProvider, probe: Probe) -> Share:
    """What a query judges; ``Unread`` with the reason if it is no share of requests."""
    if not provider.query or provider.queries:
        raise Unread(why="it is put together of several queries by a formula")
    try:
        tree = parse(provider.query)
    except DatadogError as error:
        raise Unread(why=f"the query cannot be read: {error}") from None
    leaves: list[Leaf] = []
    buckets: set[float] = set()
    value = _arithmetic(tree, leaves, buckets, probe)
    if len(buckets) > 1:
        raise Unread(why=MIXED)
    telemetry = probe.scenario.telemetry.datadog
    leaves = [Leaf(one.taken, provider.interval_s, filled=one.filled) for one in leaves]
    share = share_of(judge, Parts(leaves, value, None), next(iter(buckets), 0.0) or telemetry.bucket_s)
    if share.needs_bad:
        raise Unread(why="as long as nothing bad happened it has no data: default_zero() would help")
    return share


def _arithmetic(
    tree: object, leaves: list[Leaf], buckets: set[float], probe: Probe, *, filled: bool = False
) -> Callable[[list[float]], float]:
    match tree:
        case Number(number):
            return lambda _: number
        case Arithmetic(op, lhs, rhs):
            left = _arithmetic(lhs, leaves, buckets, probe)
            right = _arithmetic(rhs, leaves, buckets, probe)
            operation = OPERATIONS[op]
            return lambda counts: operation(left(counts), right(counts))
        case Call("default_zero", (inner,)):
            return _arithmetic(inner, leaves, buckets, probe, filled=True)
        case MetricQuery() if probe.is_count(tree):
            buckets.add(tree.rollup[1])
            return with_leaf(leaves, Leaf(probe.datadog(tree), 0.0, filled=filled))
        case MetricQuery():
            raise Unread(why="it averages what each host computed by itself")
    raise Unread(why="it uses functions beyond sums of counts")
