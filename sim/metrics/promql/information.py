"""info: data labels of info metrics (``target_info``) added to series of the same instance and job (promql/info.go)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from sim.metrics.promql import nodes
from sim.metrics.promql.matching import text_of
from sim.metrics.promql.nodes import Matcher, Node, PromqlError, Selector, When
from sim.metrics.promql.selectors import test_of, visible
from sim.metrics.promql.values import Context, Vector, unique
from sim.metrics.rows import NAME, Labels, Rows

_IDENTIFYING: Final = ("instance", "job")
_DEFAULT: Final = Matcher(NAME, "=", "target_info")
_ANY_INFO: Final = Matcher(NAME, "=~", ".+_info")
_Signature = tuple[str, ...]


def enriched(vector: Vector, first: Node, asked: Selector | None, context: Context) -> Vector:
    """The vector with labels of matching info series; PromqlError when two of these are equally new, or disagree.

    ``first`` is the expression that gave the vector: its instant is that of the info series too.
    """
    matchers = asked.matchers if asked is not None else ()
    names = _effective([one for one in matchers if one.name == NAME])
    data = [one for one in matchers if one.name != NAME]
    plain = [_accepts(names, labels, (NAME,)) for labels in vector.rows.labels]
    known = _info_series(vector.rows, plain, names, data, replace(context, at_ms=context.instant(_when(first))))
    metrics = {signature[0] for signature in known}
    kept, labels = [], []
    for index, base in enumerate(vector.rows.labels):
        found = [known[key] for key in _signatures(metrics, base) if key in known]
        if plain[index] or found or all(test_of(one)("") for one in data):
            kept.append(index)
            labels.append(base if plain[index] else _with(base, found, {one.name for one in data}))
    nameless = [vector.rows.loses_name(index) for index in kept]
    return Vector(unique(Rows(labels, nameless)), vector.values[np.array(kept, dtype=np.int64)])


def _effective(names: Sequence[Matcher]) -> tuple[Matcher, ...]:
    """Matchers that choose the info metrics: any ``_info`` when only others are excluded."""
    if any(one.op in {"=", "=~"} for one in names):
        return tuple(names)
    return (_ANY_INFO, *names) if names else (_DEFAULT,)


def _accepts(matchers: Sequence[Matcher], labels: Labels, names: Sequence[str] | None = None) -> bool:
    chosen = [one for one in matchers if names is None or one.name in names]
    return all(test_of(one)(labels.get(one.name, "")) for one in chosen)


def _when(node: Node) -> When:
    """``@`` and ``offset`` of the first selector in an expression, with those of the subqueries around it."""
    found = next(_selectors(node, ()), None)
    if found is None:
        return When()
    selector, around = found
    when = selector.when
    for subquery in reversed(around):
        if when.at is not None:
            break
        when = When(subquery.when.at, when.offset_ms + subquery.when.offset_ms)
    return when


def _selectors(node: Node, around: tuple[nodes.Subquery, ...]) -> Iterator[tuple[Selector, tuple[nodes.Subquery, ...]]]:
    match node:
        case Selector():
            yield node, around
        case nodes.Matrix(selector):
            yield selector, around
        case nodes.Subquery(expr):
            yield from _selectors(expr, (*around, node))
        case nodes.Negate(expr):
            yield from _selectors(expr, around)
        case nodes.Aggregate(_, expr, param):
            for part in (expr, param):
                yield from _selectors(part, around) if part is not None else ()
        case nodes.Binary(_, lhs, rhs):
            yield from _selectors(lhs, around)
            yield from _selectors(rhs, around)
        case nodes.Call(_, args):
            for part in args:
                yield from _selectors(part, around)


def _info_series(
    rows: Rows, plain: Sequence[bool], names: Sequence[Matcher], data: Sequence[Matcher], context: Context
) -> dict[_Signature, Labels]:
    """The newest info series of each metric, instance and job that the rows ask for."""
    asking = [labels for labels, is_info in zip(rows.labels, plain, strict=True) if not is_info]
    wanted = {name: frozenset(labels[name] for labels in asking if labels.get(name)) for name in _IDENTIFYING}
    wanted = {name: values for name, values in wanted.items() if values}
    if not wanted:
        return {}
    matchers = (*names, *data)
    chosen = context.store.select(
        None,
        ("info", matchers, tuple(wanted.items())),
        lambda labels: (
            all(labels.get(name, "") in values for name, values in wanted.items()) and _accepts(matchers, labels)
        ),
        by_labels=context.dialect.by_labels,
    )
    seen, positions = visible(chosen, context, context.at_ms)
    newest: dict[_Signature, tuple[int, Labels]] = {}
    for labels, t_ms in zip(seen.labels, context.store.samples.times[positions].tolist(), strict=True):
        signature = _signature(labels.get(NAME, ""), labels)
        at_ms, existing = newest.get(signature, (-1 << 62, labels))
        if at_ms == t_ms:
            msg = (
                f"found duplicate series for info metric: existing {text_of(existing)} @ {at_ms}, "
                f"new {text_of(labels)} @ {t_ms}"
            )
            raise PromqlError(msg)
        if t_ms > at_ms:
            newest[signature] = t_ms, labels
    return {signature: labels for signature, (_, labels) in newest.items()}


def _signature(metric: str, labels: Labels) -> _Signature:
    return metric, *(labels.get(name, "") for name in _IDENTIFYING)


def _signatures(metrics: set[str], labels: Labels) -> list[_Signature]:
    return [_signature(metric, labels) for metric in sorted(metrics)]


def _with(base: Labels, found: Sequence[Labels], asked: set[str]) -> Labels:
    """A series' labels and those of its info series, all or the asked ones; its own come first."""
    added: dict[str, str] = {}
    for labels in found:
        for name, value in labels.items():
            if name == NAME or (asked and name not in asked):
                continue
            if added.get(name, value) != value:
                msg = f"conflicting label: {name}"
                raise PromqlError(msg)
            if name not in base:
                added[name] = value
    return dict(sorted({**base, **added}.items()))
