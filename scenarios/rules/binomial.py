"""Exact binomial probabilities of a gate that tolerates a share of errors. Pure; no tables, no approximations."""

from __future__ import annotations

from math import ceil, exp, floor, lgamma, log

ALPHA = BETA = 0.05
"""Wrong alarms and misses that one measurement may have before a rule speaks up."""

_MOST_ERRORS = 2_000
"""Errors tolerated beyond which no sample is searched for: two rates that close are not told apart by a canary."""


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
        if term < total * 1e-17:
            break
    return total


def tolerated(n: int, limit: float) -> int:
    """Most errors among n requests whose share does not exceed the limit."""
    return floor(n * limit + 1e-9)


def false_fail(n: int, limit: float, healthy: float) -> float:
    """P(a release with a healthy error share exceeds the limit in n requests)."""
    return max(0.0, 1 - cdf(tolerated(n, limit), n, healthy))


def miss(n: int, limit: float, bad: float) -> float:
    """P(a release with a bad error share stays within the limit in n requests)."""
    return cdf(tolerated(n, limit), n, bad)


def smallest_sample(limit: float, healthy: float, bad: float) -> int | None:
    """Fewest requests with P(false fail) <= 5 % and P(miss) <= 5 %; None if the limit is not between the two shares.

    For every number k of tolerated errors the miss falls with n, so the first n that meets it is found by bisection.
    """
    if not healthy < limit < bad:
        return None
    for k in range(_MOST_ERRORS):
        low, high = max(1, ceil(k / limit - 1e-9)), ceil((k + 1) / limit - 1e-9) - 1
        if high < low or cdf(k, high, bad) > BETA:
            continue
        n = _first(low, high, k, bad)
        if 1 - cdf(k, n, healthy) <= ALPHA:
            return n
    return None


def _first(low: int, high: int, k: int, bad: float) -> int:
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if cdf(k, middle, bad) <= BETA else (middle + 1, high)
    return low
