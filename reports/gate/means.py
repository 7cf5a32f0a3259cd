"""Is the mean of an indicator on the right side of its bound? A confidence sequence: an interval that may be watched.

The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024, *Annals of Statistics* 52),
one-sided, with Robbins' normal mixture: after n replications the mean lies below what was seen by at most

    w = sqrt(2 (n r^2 + 1) / (n^2 r^2) * ln(1 + sqrt(n r^2 + 1) / (2 rate)))

standard deviations, at every n at once, so one may stop whenever it decides. ``r`` makes it narrowest near ``TUNED_FOR``.
Failed requests and times are skewed, for which normal limits are too narrow; so where skewness ``g`` works against it, a
limit is that of Hall's cubic transformation (1992, *Journal of the Royal Statistical Society* B 54):

    3 / g * (1 - cbrt(1 - g (w + g / (6 n))))

It asks for no family of distributions, but it is a limit: of rare and huge values that have not yet shown it knows nothing
(``python -m bench claims`` measures how far off that is), which is why a claim about a share (in at least 95 % of replications)
is the better one to make. So no upper limit is believed before ``SHOWN`` replications: but for one case in twenty, whatever
comes in one replication of a hundred is then among them. Indicators are rarely below 0, so lower limits need not wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cbrt, log, sqrt

from reports.gate.sprt import Answer
from scenarios.policy.claims import Rates, Relation

FIRST = 100
"""Values before the first look."""
SHOWN = 300
"""Values before an upper limit is believed: 0.99^300 is just below 5 %."""
MOST = 10_000
"""Replications after which to stop looking, where nobody says how long."""
TUNED_FOR = 200
_STRAIGHT = 1e-6
"""Skewness below which the transformation is the identity, to rounding."""


@dataclass(frozen=True, slots=True)
class MeanTest:
    """The test of one claim about a mean."""

    relation: Relation
    bound: float
    margin: float
    """Once the mean is known to lie this near to the bound, the claim is undecided."""
    rates: Rates
    most: int = MOST

    @property
    def fewest_to_pass(self) -> int:
        """Values before which it cannot pass."""
        return SHOWN if self.relation.caps else FIRST

    @property
    def fewest_to_fail(self) -> int:
        """Values before which it cannot fail."""
        return FIRST if self.relation.caps else SHOWN


@dataclass(frozen=True, slots=True)
class MeanState:
    """What has been seen: running mean, and sums of squared and cubed deviations from it."""

    seen: int = 0
    mean: float = 0.0
    squares: float = 0.0
    cubes: float = 0.0
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

    @property
    def skewness(self) -> float:
        """Third moment in units of the deviation; 0 for equal values."""
        return self.cubes / self.seen / self.deviation**3 if self.squares > 0 else 0.0

    def with_value(self, value: float, *, lower_bound: bool) -> MeanState:
        """One more value (Welford's and Terriberry's updates)."""
        n = self.seen + 1
        step = value - self.mean
        part = step / n
        grown = step * part * self.seen
        cubes = self.cubes + grown * part * (n - 2) - 3 * part * self.squares
        squares = self.squares + grown
        return replace(
            self,
            seen=n,
            mean=self.mean + part,
            squares=squares,
            cubes=cubes,
            unbounded=self.unbounded + lower_bound,
        )


def after(test: MeanTest, state: MeanState, value: float | None, *, lower_bound: bool = False) -> MeanState:
    """The state after one more replication; an answer that is final stays."""
    if state.answer.final:
        return state
    if value is None:
        moved = replace(state, absent=state.absent + 1)
    else:
        moved = state.with_value(value, lower_bound=lower_bound)
    answer, close = _answer(test, moved)
    return replace(moved, answer=answer, too_close=close)


def limits(test: MeanTest, state: MeanState) -> tuple[float, float]:
    """The mean lies between these; the side that passes at rate ``false_pass``, the other at ``false_fail``."""
    rates = (test.rates.false_fail, test.rates.false_pass)
    below, above = rates if test.relation.caps else reversed(rates)
    spread, skewness = state.deviation, state.skewness
    low = spread * _reach(state.seen, below, -skewness)
    return state.mean - low, state.mean + spread * _reach(state.seen, above, skewness)


def _reach(n: int, rate: float, skewness: float) -> float:
    """How many deviations the mean may be off on a side, but for ``rate``; ``skewness`` widens it where it is positive."""
    r2 = (log(1 / rate**2) + log(log(1 / rate**2) + 1)) / TUNED_FOR
    plain = sqrt(2 * (n * r2 + 1) / (n * n * r2) * log(1 + sqrt(n * r2 + 1) / (2 * rate)))
    if skewness < _STRAIGHT:
        return plain
    return max(plain, 3 / skewness * (1 - cbrt(1 - skewness * (plain + skewness / (6 * n)))))


def _answer(test: MeanTest, state: MeanState) -> tuple[Answer, bool]:
    looked = state.seen + state.absent
    end = Answer.OPEN if looked < test.most else Answer.UNDECIDED
    if state.seen < FIRST:
        return end, False
    low, high = limits(test, state)
    inside, outside = (high, low) if test.relation.caps else (low, high)
    if state.seen >= test.fewest_to_fail and not test.relation.holds(outside, test.bound):
        # What is unbounded is larger still: it can speak against an upper bound and for a lower one, never the other way.
        return (Answer.FAILED if test.relation.caps or not state.unbounded else Answer.UNDECIDED), False
    if state.seen >= test.fewest_to_pass and test.relation.holds(inside, test.bound):
        return (Answer.UNDECIDED if test.relation.caps and state.unbounded else Answer.PASSED), False
    if state.seen >= SHOWN and max(abs(low - test.bound), abs(high - test.bound)) <= test.margin:
        return Answer.UNDECIDED, True
    return end, False
