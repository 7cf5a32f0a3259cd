"""Random numbers from one uniform each, by inversion: the same uniform gives more where the mean is higher.

That is what keeps two strategies under one seed close to each other (common random numbers).
"""

from __future__ import annotations

from math import exp, log, log1p, sqrt
from typing import Final

import numpy as np

from sim.traffic.jit import part
from sim.traffic.words import GAMMA, mix

S12: Final = np.uint64(12)
UNIT_52: Final = 2.0**-52
FEW: Final = 10.0
"""Up to this mean the probabilities are added up one by one, above it an expansion about the normal is exact enough."""
FAR: Final = 1000
"""More than any count that is added up one by one."""


@part
def uniform(word: np.uint64, purpose: int) -> float:
    """A number in (0, 1) for one purpose of what a word stands for."""
    return (np.float64(mix(word + GAMMA * np.uint64(purpose)) >> S12) + 0.5) * UNIT_52


@part
def normal(u: float) -> float:
    """The standard normal's quantile (Wichura 1988, AS 241, seven figures)."""
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        above = ((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179
        below = ((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0
        return q * above / below
    r = sqrt(-log(u if q < 0 else 1.0 - u))
    if r <= 5.0:
        r -= 1.6
        above = ((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777
        below = (0.12021132975 * r + 0.73700164250) * r + 1.0
    else:
        r -= 5.0
        above = ((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150
        below = (0.012258202635 * r + 0.24197894225) * r + 1.0
    return above / below if q >= 0 else -above / below


@part
def poisson(u: float, mean: float) -> int:
    """A Poisson count (above ``FEW``: Giles 2016, the expansion of its quantile about the normal)."""
    if u <= 1.0 - mean:
        return 0
    if mean <= FEW:
        term = exp(-mean)
        reached, count = term, 0
        while u > reached and count < FAR:
            count += 1
            term *= mean / count
            reached += term
        return count
    root, w = sqrt(mean), normal(u)
    third = (1.0 + 0.5 * w * w) / 3.0
    fourth = -w * (1.0 / 36.0 + w * w / 72.0) / root
    fifth = (-8.0 / 405.0 + w * w * (7.0 / 810.0 + w * w / 270.0)) / mean
    return max(0, int(np.floor(mean + root * w + third + fourth + fifth)))


@part
def binomial(u: float, trials: int, share: float) -> int:
    """How many of so many, each with this probability (large counts: Cornish and Fisher's expansion)."""
    if trials <= 0 or share <= 0.0:
        return 0
    if share >= 1.0:
        return trials
    p = min(share, 1.0 - share)
    low_u = u if share <= 0.5 else 1.0 - u
    mean = trials * p
    if mean <= FEW:
        if low_u <= 1.0 - mean:
            count = 0
        else:
            term = exp(trials * log1p(-p))
            reached, count, odds = term, 0, p / (1.0 - p)
            while low_u > reached and count < trials and count < FAR:
                count += 1
                term *= odds * (trials - count + 1) / count
                reached += term
    else:
        var = mean * (1.0 - p)
        root, w, skew = sqrt(var), normal(low_u), 1.0 - 2.0 * p
        bend = (1.0 - 6.0 * p * (1.0 - p)) * (w * w - 3.0) / 24.0 - skew * skew * (2.0 * w * w - 5.0) / 36.0
        count = int(np.floor(mean + root * w + (w * w - 1.0) * skew / 6.0 + w * bend / root + 0.5))
        count = min(max(count, 0), trials)
    return count if share <= 0.5 else trials - count


@part
def gamma(u: float, shape: float) -> float:
    """A gamma variable of mean 1 (Wilson and Hilferty's cube; ``shape`` at least about 1)."""
    ninth = 1.0 / (9.0 * shape)
    cube = 1.0 - ninth + normal(u) * sqrt(ninth)
    return cube * cube * cube if cube > 0.0 else 0.0


SIZES: Final = 0.3
"""Squared coefficient of variation taken for the sizes of clusters of one class (0.2 to 0.6 were seen)."""
MANY: Final = 25.0


@part
def clusters(u: float, other: float, expected: float) -> float:
    """The total of a Poisson number of clusters over its mean: mean 1, variance (1 + ``SIZES``) / ``expected``.

    The total over two stretches has the same law as that over both at once.
    """
    if expected >= MANY:
        return gamma(u, expected / (1.0 + SIZES))
    count = poisson(u, expected)
    if count == 0:
        return 0.0
    return count * gamma(other, count / SIZES) / expected
