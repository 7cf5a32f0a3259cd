"""Exact chances of a share of requests, where each of two kinds arrives as a Poisson stream of its own.

That is a binomial number of bad requests among a number of requests that varies itself. Pure numbers; no shortcuts but
that counts further than nine standard deviations from their mean are left out (below 1e-17).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_REACH = 9.0
_SMALL = 20
"""Below it factorials are multiplied out, from it on Stirling's series is exact to 1e-12."""
_SMALL_LOGS = np.array([0.0, *np.cumsum(np.log(np.arange(1, _SMALL + 1)))])
_NEAR = 1e-7
"""How near a whole number a count must be to be one: far above rounding, far below one request."""
_MOST = 4_000
"""Counts of one kind that are gone through one by one; of more, every n-th stands for n."""


def log_factorial(counts: Floats) -> Floats:
    """Logarithm of the factorial of each count."""
    n = np.maximum(counts, _SMALL)
    large = n * np.log(n) - n + 0.5 * np.log(2 * np.pi * n) + 1 / (12 * n) - 1 / (360 * n**3) + 1 / (1260 * n**5)
    found: Floats = np.where(counts <= _SMALL, _SMALL_LOGS[np.minimum(counts, _SMALL).astype(int)], large)
    return found


@dataclass(frozen=True, slots=True)
class Poisson:
    """Counts of one kind: the values that happen, and P(each)."""

    values: Floats
    chances: Floats

    @classmethod
    def of(cls, mean: float) -> Poisson:
        """The distribution with this mean."""
        reach = _REACH * sqrt(mean) + 20
        if mean <= 0:
            return cls(np.zeros(1), np.ones(1))
        values = np.arange(max(0, floor(mean - reach)), ceil(mean + reach) + 1, dtype=np.float64)
        chances = np.exp(values * np.log(mean) - mean - log_factorial(values))
        return cls(values, chances / chances.sum())

    def thinned(self) -> Poisson:
        """The same with at most some thousand values."""
        step = ceil(len(self.values) / _MOST)
        if step == 1:
            return self
        chances = self.chances[::step]
        return Poisson(self.values[::step], chances / chances.sum())

    def above(self, bounds: Floats) -> Floats:
        """P(count > bound) for each bound."""
        tail = np.concatenate([np.cumsum(self.chances[::-1])[::-1], [0.0]])
        index = np.floor(np.clip(bounds, self.values[0] - 1, self.values[-1])) - self.values[0] + 1
        found: Floats = np.minimum(1.0, tail[index.astype(int)])
        return found

    def exactly(self, counts: Floats) -> Floats:
        """P(count) for each; counts that are no whole numbers never happen."""
        index = np.round(np.where(np.isfinite(counts), counts, -1)) - self.values[0]
        inside = (index >= 0) & (index < len(self.values)) & (np.abs(counts - np.round(counts)) < _NEAR)
        found: Floats = np.where(inside, self.chances[np.clip(index, 0, len(self.values) - 1).astype(int)], 0.0)
        return found


@dataclass(frozen=True, slots=True)
class Split:
    """Where the share of bad requests falls: P(below, at, above ...) in order of the cuts, and P(no request at all)."""

    between: tuple[float, ...]
    """One more than there are cuts."""
    at: tuple[float, ...]
    """P(the share is exactly the cut)."""
    nothing: float


def split(bad_mean: float, good_mean: float, cuts: Sequence[float]) -> Split:
    """P(share of bad requests in each stretch between the cuts), the cuts apart, for two independent Poisson counts."""
    bad, good = Poisson.of(bad_mean).thinned(), Poisson.of(good_mean)
    nothing = _none(bad_mean) * _none(good_mean)
    below, at = [0.0], [0.0]
    for cut in cuts:
        under, equal = _at_cut(bad, good, cut)
        # Without any request there is no share: it is counted apart.
        below.append(under)
        at.append(max(0.0, equal - nothing) if _touches_nothing(cut) else equal)
    below.append(1.0 - nothing)
    between = tuple(max(0.0, below[i + 1] - below[i] - at[i]) for i in range(len(cuts) + 1))
    return Split(between, tuple(at[1:]), nothing)


def _none(mean: float) -> float:
    return float(np.exp(-mean))


def _touches_nothing(cut: float) -> bool:
    """At zero bad requests the number of good ones that gives a positive share is 0: no request at all."""
    return cut >= 0


def _at_cut(bad: Poisson, good: Poisson, cut: float) -> tuple[float, float]:
    """(P(share < cut), P(share = cut)), no request at all being counted as equal."""
    if cut <= 0:
        none_bad = float(bad.exactly(np.zeros(1))[0])
        return 0.0, none_bad if cut == 0 else 0.0
    needed = bad.values * (1 - cut) / cut
    whole = np.abs(needed - np.round(needed)) < _NEAR
    needed = np.where(whole, np.round(needed), needed)
    under = float((bad.chances * good.above(needed)).sum())
    equal = float((bad.chances * np.where(whole, good.exactly(needed), 0.0)).sum())
    return under, equal
