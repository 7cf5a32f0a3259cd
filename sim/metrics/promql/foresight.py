"""Parts of a query at several instants at once: of what gates ask, rates over windows cost the most one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sim.metrics.promql.nodes import Aggregate, Binary, Call, Matrix, Negate, Node, When
from sim.metrics.promql.rates import extrapolated_at
from sim.metrics.promql.values import Context, Vector


@dataclass(frozen=True, slots=True)
class _Kind:
    counter: bool
    per_second: bool


_KINDS: Final = {
    "rate": _Kind(counter=True, per_second=True),
    "increase": _Kind(counter=True, per_second=False),
    "delta": _Kind(counter=False, per_second=False),
}


def foresight(plan: Node, contexts: Sequence[Context]) -> Mapping[tuple[int, int], Vector]:
    """By a part's ``id`` and the instant in milliseconds: what the part evaluates to then; parts left out have to be evaluated."""
    found: dict[tuple[int, int], Vector] = {}
    for call, matrix in _windowed(plan):
        kind = _KINDS[call.name]
        vectors = extrapolated_at(matrix, contexts, counter=kind.counter, per_second=kind.per_second)
        for context, vector in zip(contexts, vectors, strict=True):
            if vector is not None:
                found[id(call), context.at_ms] = vector
    return found


def _windowed(node: Node | None) -> Iterator[tuple[Call, Matrix]]:
    """Rates of the evaluation's own time."""
    match node:
        case Call(name, (Matrix() as matrix,)) if name in _KINDS:
            if not matrix.selector.mode and matrix.selector.when == When():
                yield node, matrix
        case Call(_, args):
            for arg in args:
                yield from _windowed(arg)
        case Aggregate(_, expr, param):
            yield from _windowed(expr)
            yield from _windowed(param)
        case Binary(_, lhs, rhs):
            yield from _windowed(lhs)
            yield from _windowed(rhs)
        case Negate(expr):
            yield from _windowed(expr)
