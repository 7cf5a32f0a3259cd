"""A metric read as a question about requests: which share of them is bad, or how slow a quantile of them is.

The query's tree becomes arithmetic over two numbers, bad and all requests; the written conditions are then tried on its
value, so that ``good / all >= 0.995``, ``bad / all < 0.005`` and ``1 - (bad / all) / 0.001 > 0.1`` all come out as they
were meant, and their equality case too. A query that is none of this is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import inf, isfinite, nan

from sim.metrics import conditions
from sim.model.analysis import AnalysisPhase, Metric, ProviderResult
from sim.model.controller import Expr

Value = Callable[[float, float], float]
"""(bad requests, all requests) -> the query's value; NaN for 0/0."""

_GRID = 400
_HALVINGS = 60
_NEAR = 1e-9


class Unread(Exception):  # noqa: N818 - no error: most metrics are something else, and the text says what
    """The metric is not of this kind; the text says why, in words for the user."""

    def __init__(self, *, why: str) -> None:
        super().__init__(why)


@dataclass(frozen=True)
class Verdicts:
    """What the written conditions make of a number: phases between cuts, at each cut, of no number, of no answer."""

    cuts: tuple[float, ...]
    between: tuple[AnalysisPhase, ...]
    at: tuple[AnalysisPhase, ...]
    not_a_number: AnalysisPhase
    absent: AnalysisPhase

    @property
    def limit(self) -> float | None:
        """Up to here it passes; None if it does not pass below its first cut."""
        return self.cuts[0] if self.cuts and self.between[0] is AnalysisPhase.SUCCESSFUL else None

    @property
    def can_fail(self) -> bool:
        """Whether any number that can come up is not a success."""
        return any(phase is not AnalysisPhase.SUCCESSFUL for phase in (*self.between, *self.at))


@dataclass(frozen=True)
class Judge:
    """The conditions of a metric, tried on made-up answers of its provider."""

    metric: Metric
    go_type: str
    expr: Expr

    def phase(self, number: float) -> AnalysisPhase:
        """Of a measurement that yields this number."""
        value = [number] if self.go_type == "[]float64" else number
        return self._of(ProviderResult(value, self.go_type, str(value)))

    def absent(self) -> AnalysisPhase:
        """Of a measurement without an answer."""
        if self.go_type == "[]float64":
            return self._of(ProviderResult([], self.go_type, "[]"))
        return self._of(ProviderResult(None, "nil", ""))

    def _of(self, result: ProviderResult) -> AnalysisPhase:
        return conditions.evaluate(result, self.metric.success_condition, self.metric.failure_condition, self.expr)[0]


def of_share(judge: Judge, value: Value, fill: float | None) -> Verdicts:
    """The verdicts on the share of bad requests, from 0 to 1; ``fill`` stands in for an absent answer."""

    def phase(share: float) -> AnalysisPhase:
        return judge.phase(value(share, 1.0))

    def at(cut: float) -> AnalysisPhase:
        # As the provider would get there: from whole numbers, which rounding treats better than shares.
        ratio = Fraction(cut).limit_denominator(1_000_000)
        return judge.phase(value(float(ratio.numerator), float(ratio.denominator)))

    cuts = _cuts(phase, [step / _GRID for step in range(_GRID + 1)])
    edges = [0.0, *cuts, 1.0]
    between = tuple(phase(_middle(low, high)) for low, high in pairwise(edges))
    absent = judge.absent() if fill is None else judge.phase(fill)
    return Verdicts(tuple(cuts), between, tuple(at(cut) for cut in cuts), judge.phase(value(0.0, 0.0)), absent)


def of_number(judge: Judge, value: Callable[[float], float], fill: float | None, scale: float) -> Verdicts:
    """The verdicts on a positive number (a quantile), looked for around ``scale``."""

    def phase(number: float) -> AnalysisPhase:
        return judge.phase(value(number))

    cuts = _cuts(phase, [0.0, *(scale * 1.02 ** (step - _GRID) for step in range(2 * _GRID + 1))])
    edges = [0.0, *cuts]
    between = tuple(
        phase(_middle(low, high)) for low, high in zip(edges, [*cuts, 4 * max([scale, *cuts])], strict=True)
    )
    absent = judge.absent() if fill is None else judge.phase(fill)
    return Verdicts(tuple(cuts), between, tuple(phase(cut) for cut in cuts), judge.phase(nan), absent)


def _middle(low: float, high: float) -> float:
    return (low + high) / 2


def _cuts(phase: Callable[[float], AnalysisPhase], grid: list[float]) -> list[float]:
    """Where the phase changes; a cut at the very beginning (``errors == 0``) is one too."""
    found: list[float] = []
    for low, high in pairwise(grid):
        before, after = phase(low), phase(high)
        if before is not after:
            found.append(_halved(phase, low, high, before))
    if found and found[0] < _NEAR:
        found[0] = 0.0
    return found


def _halved(phase: Callable[[float], AnalysisPhase], low: float, high: float, before: AnalysisPhase) -> float:
    for _ in range(_HALVINGS):
        middle = _middle(low, high)
        low, high = (middle, high) if phase(middle) is before else (low, middle)
    return float(f"{low:.9g}")


def divided(left: float, right: float) -> float:
    """A quotient as both providers' arithmetic has it: x/0 is infinite, 0/0 is no number."""
    if right:
        return left / right
    return nan if left == 0 or not isfinite(left) else inf if left > 0 else -inf
