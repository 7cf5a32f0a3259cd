"""Exact binomial probabilities of a gate that tolerates a share of errors. Pure; no tables, no approximations."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, floor, lgamma, log

ALPHA = BETA = 0.05
"""Wrong alarms and misses that a gate may have before a rule speaks up."""


def cdf(k: int, n: int, p: float) -> float:
    """P(X <= k) for X ~ Binomial(n, p).

    Summed from k away from the mean, where every term is smaller than the one before it: exact to rounding, and short.
    """
    if k < 0:
        return 0.0
    if k >= n or p <= 0:
        return 1.0
    if p >= 1:
        return 0.0
    if k < n * p:
        return min(1.0, _tail(k, n, p, 1.0 - p))
    return max(0.0, 1.0 - _tail(n - k - 1, n, 1.0 - p, p))


def _tail(k: int, n: int, p: float, q: float) -> float:
    """P(X <= k) where k is not above the mean; q is 1 - p, given apart because it may be too small to subtract."""
    term = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log(q))
    total = term
    for j in range(k, 0, -1):
        term *= j / (n - j + 1) * q / p
        total += term
        if term <= total * 1e-17:
            break
    return total


def beyond(chances: Sequence[tuple[float, int]], limit: int) -> float:
    """P(more than ``limit`` failures) among independent measurements given as (chance to fail, failures it counts for)."""
    if limit >= sum(size for _, size in chances):
        return 0.0
    spread = [1.0, *[0.0] * max(0, limit)]
    lost = 0.0
    for chance, size in chances:
        failed = [share * chance for share in spread]
        lost += sum(failed[max(0, len(spread) - size) :])
        spread = [share * (1 - chance) for share in spread]
        for failures in range(size, len(spread)):
            spread[failures] += failed[failures - size]
    return min(1.0, lost)


def tolerated(n: int, limit: float) -> int:
    """Most errors among n requests whose share does not exceed the limit."""
    return floor(n * limit + 1e-9)


def false_fail(n: int, limit: float, healthy: float) -> float:
    """P(a release with a healthy error share exceeds the limit in n requests)."""
    return max(0.0, 1 - cdf(tolerated(n, limit), n, healthy))


def miss(n: int, limit: float, bad: float) -> float:
    """P(a release with a bad error share stays within the limit in n requests)."""
    return cdf(tolerated(n, limit), n, bad)
