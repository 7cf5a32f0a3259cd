"""Quantiles of Student's t and of the normal distribution, without SciPy."""

from __future__ import annotations

from math import exp, inf, lgamma, log, log1p, sqrt
from statistics import NormalDist


def z_quantile(probability: float) -> float:
    """Quantile of the standard normal distribution."""
    return NormalDist().inv_cdf(probability)


def t_quantile(probability: float, df: float) -> float:
    """Quantile of Student's t with ``df`` > 0 degrees of freedom (not necessarily whole; infinite: normal).

    Bisection on the distribution function; relative error below 1e-8, which the tests check against SciPy.
    """
    if df == inf:
        return z_quantile(probability)
    if probability < 0.5:
        return -t_quantile(1 - probability, df)
    low, high = 0.0, 1.0
    while t_cdf(high, df) < probability:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        low, high = (middle, high) if t_cdf(middle, df) < probability else (low, middle)
    return (low + high) / 2


def t_cdf(t: float, df: float) -> float:
    """P(T <= t) for Student's t."""
    square = t * t
    if square < df:
        # Near the middle the tail's argument is too close to 1 to tell t from 0.
        middle = 0.5 * _regularised_beta(square / (df + square), 0.5, df / 2)
        return 0.5 + middle if t > 0 else 0.5 - middle
    tail = 0.5 * _regularised_beta(df / (df + square), df / 2, 0.5)
    return 1 - tail if t > 0 else tail


def _regularised_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b), by the continued fraction where it converges fast and by symmetry elsewhere."""
    if x in {0.0, 1.0}:
        return x
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _continued_fraction(x, a, b) / a
    return 1 - front * _continued_fraction(1 - x, b, a) / b


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Lentz's method for the incomplete beta function (Press et al., Numerical Recipes, section 6.4)."""
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    total = d
    for m in range(1, 10 + int(5 * sqrt(max(a, b)) + 200)):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 + term * d
            c = 1 + term / c
            d = 1 / (d if abs(d) > tiny else tiny)
            c = c if abs(c) > tiny else tiny
            total *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return total
