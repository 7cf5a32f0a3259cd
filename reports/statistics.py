"""Estimates over a mix of releases, with honest intervals.

Every kind of release (stratum) is replicated equally often, whatever its share, and weighted afterwards. Means have
t intervals with Welch-Satterthwaite degrees of freedom; proportions have a Wilson interval per stratum, combined by
MOVER (Zou & Donner 2008, Statistics in Medicine 27:1693), so that 10 out of 10 is never reported as certain.
Differences between two cells are taken replication by replication: both met the same random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, sqrt

from reports.student import t_quantile, z_quantile


@dataclass(frozen=True, slots=True)
class Sample:
    """One stratum: its weight in the mix and one value per replication, None where the indicator does not apply."""

    weight: float
    values: tuple[float | None, ...]

    @property
    def applying(self) -> tuple[float, ...]:
        """The values where it applies."""
        return tuple(value for value in self.values if value is not None)

    @property
    def applying_weight(self) -> float:
        """Share of all releases of this kind for which it applies, as estimated."""
        return self.weight * len(self.applying) / len(self.values) if self.values else 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean with its confidence interval over ``n`` replications.

    ``mean`` is None where nothing applied; ``lo`` and ``hi`` are None where the spread cannot be known (n < 2).
    """

    mean: float | None
    lo: float | None
    hi: float | None
    n: int


NOTHING = Estimate(None, None, None, 0)


def mean(samples: Sequence[Sample], level: float) -> Estimate:
    """Mean over the releases to which the indicator applies (a ratio estimator, linearised for its variance).

    With ``z = applies * (value - mean) / (share that applies)`` the variance is the sum of ``weight^2 var(z) / n`` over
    the strata. Where it applies to every replication this is the plain stratified mean.
    """
    share = sum(sample.applying_weight for sample in samples)
    if not share:
        return NOTHING
    values = [value for sample in samples for value in sample.applying]
    centre = sum(s.weight * sum(s.applying) / len(s.values) for s in samples if s.values) / share
    # Rounding must not move the mean of equal values, which would give them a spread.
    centre = min(max(centre, min(values)), max(values))
    n = len(values)
    parts = [
        (sample.weight**2 * _variance(_residuals(sample, centre, share)) / len(sample.values), len(sample.values) - 1)
        for sample in samples
        if sample.applying and len(sample.values) > 1
    ]
    # One applying value has no visible spread, nor has a stratum that was replicated once.
    if n < 2 or any(len(sample.values) < 2 for sample in samples if sample.applying):
        return Estimate(centre, None, None, n)
    variance = sum(part for part, _ in parts)
    half = t_quantile((1 + level) / 2, _degrees_of_freedom(parts)) * sqrt(variance) if variance else 0.0
    return Estimate(centre, centre - half, centre + half, n)


def proportion(samples: Sequence[Sample], level: float) -> Estimate:
    """Share of the releases, among those to which it applies, whose value is 1; Wilson per stratum, MOVER over them."""
    n = sum(len(sample.applying) for sample in samples)
    total = sum(sample.applying_weight for sample in samples)
    if not total:
        return NOTHING
    parts = [
        (sample.applying_weight / total, wilson(sum(sample.applying), len(sample.applying), level))
        for sample in samples
        if sample.applying
    ]
    centre = sum(weight * part.mean for weight, part in parts)
    below = sqrt(sum((weight * (part.mean - part.lo)) ** 2 for weight, part in parts))
    above = sqrt(sum((weight * (part.hi - part.mean)) ** 2 for weight, part in parts))
    return Estimate(centre, max(0.0, centre - below), min(1.0, centre + above), n)


def repeated(samples: Sequence[Sample], times: int) -> list[Sample]:
    """The same results so many times over: what more replications show if they go on as these."""
    return [Sample(sample.weight, sample.values * times) for sample in samples]


def times_to_decide(decided: Callable[[int], bool], most: int) -> int | None:
    """Fewest times the same results must come for ``decided(times)``; None if ``most`` times do not suffice.

    Intervals narrow with every repetition, so that what is decided stays decided. With no failures in n replications
    of one kind this is Wilson's relative of the rule of three: the upper end is z^2 / (n + z^2).
    """
    low, high = 1, 2
    while high < most and not decided(high):
        low, high = high, 2 * high
    high = min(high, most)
    if not decided(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high


def difference(ours: Sequence[Sample], theirs: Sequence[Sample], level: float) -> Estimate:
    """Mean of (ours - theirs) over the replications in which both apply, paired by stratum and replication."""
    return mean([Sample(a.weight, _paired(a, b)) for a, b in zip(ours, theirs, strict=True)], level)


def proportion_difference(ours: Sequence[Sample], theirs: Sequence[Sample], level: float) -> Estimate:
    """The same for proportions: Newcombe's paired score interval per stratum, MOVER over the strata.

    Newcombe (1998, Statistics in Medicine 17:2635), method 10 without continuity correction; never of width zero.
    """
    pairs = [(a.weight, _both(a, b)) for a, b in zip(ours, theirs, strict=True)]
    shares = [
        weight * len(both) / len(a.values) if a.values else 0.0 for (weight, both), a in zip(pairs, ours, strict=True)
    ]
    total = sum(shares)
    if not total:
        return NOTHING
    parts = [(share / total, _newcombe(both, level)) for share, (_, both) in zip(shares, pairs, strict=True) if both]
    centre = sum(weight * part.mean for weight, part in parts)
    below = sqrt(sum((weight * (part.mean - part.lo)) ** 2 for weight, part in parts))
    above = sqrt(sum((weight * (part.hi - part.mean)) ** 2 for weight, part in parts))
    return Estimate(centre, max(-1.0, centre - below), min(1.0, centre + above), sum(len(both) for _, both in pairs))


@dataclass(frozen=True, slots=True)
class Bounds:
    """A point estimate within its bounds."""

    mean: float
    lo: float
    hi: float


def wilson(successes: float, n: int, level: float) -> Bounds:
    """Wilson's score interval for a proportion: ``8 of 10 at 95 % -> 0.490 .. 0.943``."""
    z2 = z_quantile((1 + level) / 2) ** 2
    p = successes / n
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # The bounds at 0 and n successes are exactly 0 and 1; rounding must not move them across the estimate.
    return Bounds(p, min(p, middle - half) if successes else 0.0, max(p, middle + half) if successes < n else 1.0)


def _newcombe(pairs: Sequence[tuple[float, float]], level: float) -> Bounds:
    n = len(pairs)
    ours, theirs = wilson(sum(a for a, _ in pairs), n, level), wilson(sum(b for _, b in pairs), n, level)
    spread = sqrt(ours.mean * (1 - ours.mean) * theirs.mean * (1 - theirs.mean))
    covariance = sum(a * b for a, b in pairs) / n - ours.mean * theirs.mean
    phi = covariance / spread if spread else 0.0
    centre = ours.mean - theirs.mean
    a_below, a_above = ours.mean - ours.lo, ours.hi - ours.mean
    b_below, b_above = theirs.mean - theirs.lo, theirs.hi - theirs.mean
    below = a_below**2 - 2 * phi * a_below * b_above + b_above**2
    above = a_above**2 - 2 * phi * a_above * b_below + b_below**2
    return Bounds(centre, centre - sqrt(max(below, 0.0)), centre + sqrt(max(above, 0.0)))


def _residuals(sample: Sample, centre: float, share: float) -> list[float]:
    return [0.0 if value is None else (value - centre) / share for value in sample.values]


def _variance(values: Sequence[float]) -> float:
    """Unbiased sample variance; exactly 0 for equal values, which rounding would otherwise blur."""
    if len(set(values)) == 1:
        return 0.0
    centre = sum(values) / len(values)
    return sum((value - centre) ** 2 for value in values) / (len(values) - 1)


def _degrees_of_freedom(parts: Sequence[tuple[float, int]]) -> float:
    below = sum(part**2 / df for part, df in parts)
    return sum(part for part, _ in parts) ** 2 / below if below else inf


def _paired(ours: Sample, theirs: Sample) -> tuple[float | None, ...]:
    return tuple(None if a is None or b is None else a - b for a, b in zip(ours.values, theirs.values, strict=True))


def _both(ours: Sample, theirs: Sample) -> list[tuple[float, float]]:
    pairs = zip(ours.values, theirs.values, strict=True)
    return [(a, b) for a, b in pairs if a is not None and b is not None]
