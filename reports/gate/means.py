"""Is the mean of an indicator on the right side of its bound? A confidence sequence: an interval that may be watched.

The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024, *Annals of Statistics* 52),
one-sided, with Robbins' normal mixture: after n replications with mean ``m`` and standard deviation ``s`` the bound is

    m + s * sqrt(2 (n r^2 + 1) / (n^2 r^2) * ln(1 + sqrt(n r^2 + 1) / (2 rate)))

at every n at once, so one may stop whenever it decides. ``r`` makes it narrowest near ``TUNED_FOR`` replications. It asks
for no family of distributions, but it is a limit: rare and huge values that have not yet shown in the first ``FIRST``
replications are beyond it, which is why a claim about a share (in at least 95 % of replications) is the better one to make.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, sqrt

from reports.gate.sprt import Answer
from scenarios.policy.claims import Rates, Relation

FIRST = 50
"""Replications before the first look."""
MOST = 10_000
"""Replications after which to stop looking, where nobody says how long."""
TUNED_FOR = 200


@dataclass(frozen=True, slots=True)
class MeanTest:
    """The test of one claim about a mean."""

    relation: Relation
    bound: float
    margin: float
    """Once the mean is known to lie this near to the bound, the claim is undecided."""
    rates: Rates
    most: int = MOST


@dataclass(frozen=True, slots=True)
class MeanState:
    """What has been seen: Welford's running mean and sum of squared deviations."""

    seen: int = 0
    mean: float = 0.0
    squares: float = 0.0
    unbounded: int = 0
    """Values that are only known to be larger than what was measured, because the run ended first."""
    absent: int = 0
    """Replications to which the indicator does not apply."""
    answer: Answer = Answer.OPEN
    too_close: bool = False

    @property
    def deviation(self) -> float:
        """Standard deviation of the values, divided by n."""
        return sqrt(self.squares / self.seen) if self.seen else 0.0


def after(test: MeanTest, state: MeanState, value: float | None, *, lower_bound: bool = False) -> MeanState:
    """The state after one more replication; an answer that is final stays."""
    if state.answer.final:
        return state
    if value is None:
        moved = replace(state, absent=state.absent + 1)
    else:
        seen = state.seen + 1
        step = value - state.mean
        mean = state.mean + step / seen
        squares = state.squares + step * (value - mean)
        moved = replace(state, seen=seen, mean=mean, squares=squares, unbounded=state.unbounded + lower_bound)
    answer, close = _answer(test, moved)
    return replace(moved, answer=answer, too_close=close)


def half_width(state: MeanState, rate: float) -> float:
    """How far the mean may be off to one side, but for ``rate``, at this and at every other number of replications."""
    r2 = (log(1 / rate**2) + log(log(1 / rate**2) + 1)) / TUNED_FOR
    n = state.seen
    spread = 2 * (n * r2 + 1) / (n * n * r2) * log(1 + sqrt(n * r2 + 1) / (2 * rate))
    return state.deviation * sqrt(spread)


def limits(test: MeanTest, state: MeanState) -> tuple[float, float]:
    """The mean lies between these; the side that passes at rate ``false_pass``, the other at ``false_fail``."""
    passing, failing = half_width(state, test.rates.false_pass), half_width(state, test.rates.false_fail)
    below, above = (failing, passing) if test.relation.upper else (passing, failing)
    return state.mean - below, state.mean + above


def _answer(test: MeanTest, state: MeanState) -> tuple[Answer, bool]:
    looked = state.seen + state.absent
    end = Answer.OPEN if looked < test.most else Answer.UNDECIDED
    if state.seen < min(FIRST, test.most):
        return end, False
    low, high = limits(test, state)
    inside, outside = (high, low) if test.relation.upper else (low, high)
    if not test.relation.holds(outside, test.bound):
        # What is unbounded is larger still: it can speak against an upper bound, never for one.
        return (Answer.FAILED, False) if test.relation.upper or not state.unbounded else (end, False)
    if test.relation.holds(inside, test.bound):
        return (Answer.PASSED, False) if not (test.relation.upper and state.unbounded) else (end, False)
    if max(abs(low - test.bound), abs(high - test.bound)) <= test.margin:
        return Answer.UNDECIDED, True
    return end, False
