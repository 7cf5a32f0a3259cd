"""How the samples of two vectors find each other: signatures, partners, and the labels of the answer."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np

from sim.metrics.columns import Booleans, Integers
from sim.metrics.promql.nodes import Binary, Matching, PromqlError
from sim.metrics.promql.operators import COMPARISON
from sim.metrics.rows import NAME, Labels, Rows, without_name

_MANY_TO_ONE = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
_NOT_UNIQUE = "multiple matches for labels: grouping labels must ensure unique matches"


@dataclass(frozen=True, slots=True)
class Pairing:
    """Pairs of a vector operation: positions in the left and the right vector (-1: filled), and the answer's rows.

    ``identities`` may not occur twice among the pairs that count; None when they do not at all.
    """

    left: Integers
    right: Integers
    rows: Rows
    identities: list[Hashable] | None
    message: str

    def check(self, counted: Booleans | None = None) -> None:
        """PromqlError when two of these pairs (of all) are one too many."""
        if self.identities is None:
            return
        found = [key for at, key in enumerate(self.identities) if counted is None or counted[at]]
        if len(set(found)) < len(found):
            raise PromqlError(self.message)


def signatures(rows: Rows, matching: Matching) -> list[Hashable]:
    """What must be equal for two samples to match."""
    return rows.once(("signatures", matching.on, matching.labels), lambda: _signatures(rows, matching))


def _signatures(rows: Rows, matching: Matching) -> list[Hashable]:
    if matching.on:
        return [tuple(labels.get(name, "") for name in matching.labels) for labels in rows.labels]
    ignored = {NAME, *matching.labels}
    return [frozenset(pair for pair in labels.items() if pair[0] not in ignored) for labels in rows.labels]


def present(rows: Rows, others: Rows, matching: Matching) -> Booleans:
    """Whether each row has a match among the others."""
    return rows.once(("present", others, matching.on, matching.labels), lambda: _present(rows, others, matching))


def _present(rows: Rows, others: Rows, matching: Matching) -> Booleans:
    known = set(signatures(others, matching))
    return np.array([signature in known for signature in signatures(rows, matching)], dtype=np.bool_)


def paired(node: Binary, left: Rows, right: Rows) -> Pairing:
    """Every pair of the operation; PromqlError when the side that must be unique is not."""
    key = ("paired", right, node.op in COMPARISON, node.returns_bool, node.matching)
    return left.once(key, lambda: _paired(node, left, right))


def _paired(node: Binary, left: Rows, right: Rows) -> Pairing:
    matching = node.matching
    swapped = matching.many == "right"
    many, one = (right, left) if swapped else (left, right)
    partners = _partners(one, matching, "left" if swapped else "right")
    pairs = list(_pairs(many, one, partners, matching))
    labels = [_labels(node, *_sides(many, one, pair, matching)) for pair in pairs]
    nameless = [node.returns_bool or (at >= 0 and many.loses_name(at)) for at, _ in pairs]
    keys = [signatures(many, matching)[at] if at >= 0 else signatures(one, matching)[other] for at, other in pairs]
    identities: list[Hashable] = list(keys)
    if matching.many:
        identities = [(key, frozenset(one.items())) for key, one in zip(keys, labels, strict=True)]
    first, second = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    return Pairing(
        *((second, first) if swapped else (first, second)),
        Rows(labels, nameless),
        identities if len(set(identities)) < len(identities) else None,
        _NOT_UNIQUE if matching.many else _MANY_TO_ONE,
    )


def _partners(one: Rows, matching: Matching, side: str) -> dict[Hashable, int]:
    partners: dict[Hashable, int] = {}
    for index, key in enumerate(signatures(one, matching)):
        if key in partners:
            group = text_of(_matched(one.labels[index], matching))
            twins = sorted(text_of(one.labels[at]) for at in (index, partners[key]))
            msg = (
                f"found duplicate series for the match group {group} on the {side} hand-side of the operation: "
                f"[{', '.join(twins)}];many-to-many matching not allowed: matching labels must be unique on one side"
            )
            raise PromqlError(msg)
        partners[key] = index
    return partners


def _pairs(many: Rows, one: Rows, partners: dict[Hashable, int], matching: Matching) -> Iterator[tuple[int, int]]:
    """Positions in the many and the one side; -1 where a fill value stands in (VectorBinop of promql/engine.go)."""
    matched = set()
    for index, key in enumerate(signatures(many, matching)):
        partner = partners.get(key, -1)
        if partner >= 0 or matching.fill_right is not None:
            matched.add(key)
            yield index, partner
    if matching.fill_left is not None:
        for index, key in enumerate(signatures(one, matching)):
            if key not in matched:
                yield -1, index


def _sides(many: Rows, one: Rows, pair: tuple[int, int], matching: Matching) -> tuple[Labels, Labels]:
    at, other = pair
    if at < 0:
        return _matched(one.labels[other], matching), one.labels[other]
    if other < 0:
        return many.labels[at], _matched(many.labels[at], matching)
    return many.labels[at], one.labels[other]


def _matched(labels: Labels, matching: Matching) -> Labels:
    """The labels that take part in the matching."""
    if matching.on:
        return {name: value for name, value in labels.items() if name in matching.labels}
    return {name: value for name, value in labels.items() if name not in matching.labels and name != NAME}


def _labels(node: Binary, labels: Labels, other: Labels) -> Labels:
    """Labels of the answer for a sample of the many side and its partner."""
    matching = node.matching
    kept = labels if node.op in COMPARISON else without_name(labels)
    if not matching.many:
        return {name: value for name, value in kept.items() if (name in matching.labels) is matching.on}
    found = dict(kept)
    for name in matching.include:
        if other.get(name):
            found[name] = other[name]
        else:
            found.pop(name, None)
    return dict(sorted(found.items()))


def text_of(labels: Labels) -> str:
    """Labels as the server writes them."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
