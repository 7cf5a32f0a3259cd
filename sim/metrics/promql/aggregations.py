"""Aggregation operators over instant vectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from sim.metrics import gotext
from sim.metrics.promql.nodes import Aggregate, PromqlError
from sim.metrics.promql.overtime import extreme, nan_first, quantile, total, variance
from sim.metrics.promql.selectors import Sample, Vector
from sim.metrics.store import NAME, Labels

SIMPLE: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "sum": total,
    "avg": lambda values: total(values) / len(values),
    "count": lambda values: float(len(values)),
    "min": lambda values: extreme(values, min),
    "max": lambda values: extreme(values, max),
    "stddev": lambda values: math.sqrt(variance(values)),
    "stdvar": variance,
    "group": lambda _: 1.0,
}
"""Operators that are a function of a group's values."""

OPERATORS: Final = frozenset(SIMPLE) | {"quantile", "topk", "bottomk", "count_values"}


def aggregate(node: Aggregate, param: float | str, vector: Vector) -> Vector:
    """The aggregation's result; groups in order of first appearance."""
    groups = _groups(node, vector)
    if node.op in SIMPLE:
        combine = SIMPLE[node.op]
        return [(labels, combine([value for _, value in members])) for labels, members in groups]
    if node.op == "count_values":
        return _count_values(str(param), groups)
    number = float(param)
    if node.op == "quantile":
        return [(labels, quantile(number, [value for _, value in members])) for labels, members in groups]
    return [sample for _, members in groups for sample in _ranked(node.op, number, members)]


def _groups(node: Aggregate, vector: Vector) -> list[tuple[Labels, Vector]]:
    groups: dict[object, tuple[Labels, Vector]] = {}
    for sample in vector:
        labels = sample[0]
        key, kept = _without(node.labels, labels) if node.without else _by(node.labels, labels)
        group = groups.get(key)
        if group is None:
            group = groups[key] = (kept(), [])
        group[1].append(sample)
    return list(groups.values())


def _by(names: tuple[str, ...], labels: Labels) -> tuple[object, Callable[[], Labels]]:
    return tuple(labels.get(name, "") for name in names), lambda: {
        name: labels[name] for name in sorted(set(names)) if name in labels
    }


def _without(names: tuple[str, ...], labels: Labels) -> tuple[object, Callable[[], Labels]]:
    kept = {name: value for name, value in labels.items() if name not in names and name != NAME}
    return frozenset(kept.items()), lambda: kept


def _ranked(op: str, count: float, members: Vector) -> list[Sample]:
    if math.isnan(count) or count >= 2**63:
        msg = f"parameter value {count} is not a count"
        raise PromqlError(msg)
    wanted = max(0, math.trunc(count))
    sign = -1 if op == "topk" else 1

    def order(sample: Sample) -> tuple[bool, float]:
        number, value = nan_first(sample[1])
        return (not number, sign * value)

    return sorted(members, key=order)[:wanted]


def _count_values(label: str, groups: list[tuple[Labels, Vector]]) -> Vector:
    counts: dict[frozenset[tuple[str, str]], tuple[Labels, int]] = {}
    for labels, members in groups:
        for _, value in members:
            named = dict(sorted({**labels, label: gotext.number(value)}.items()))
            _, so_far = counts.get(frozenset(named.items()), (named, 0))
            counts[frozenset(named.items())] = (named, so_far + 1)
    return [(labels, float(count)) for labels, count in counts.values()]
