"""Inversion: one uniform a draw, and the law it should have."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.traffic.aggregate.draws import SIZES, binomial, clusters, normal, poisson
from sim.traffic.jit import kernel

UNIFORMS = (np.arange(200_000) + 0.5) / 200_000
"""Evenly spread: means over them are integrals."""


@kernel
def many(  # noqa: PLR0917 - a kernel
    what: int, first: float, second: float, uniforms: np.ndarray, others: np.ndarray, drawn: np.ndarray
) -> None:
    for i in range(len(uniforms)):
        if what == 0:
            drawn[i] = normal(uniforms[i])
        elif what == 1:
            drawn[i] = poisson(uniforms[i], first)
        elif what == 2:
            drawn[i] = binomial(uniforms[i], int(first), second)
        else:
            drawn[i] = clusters(uniforms[i], others[i], first)


def drawn(what: int, first: float = 0.0, second: float = 0.0) -> np.ndarray:
    found = np.empty(len(UNIFORMS))
    others = np.random.default_rng(1).permutation(UNIFORMS)
    many(what, first, second, UNIFORMS, others, found)
    return found


def test_normal_quantiles_are_right_to_seven_figures() -> None:
    assert np.abs(drawn(0) - stats.norm.ppf(UNIFORMS)).max() < 1e-6


@pytest.mark.parametrize("mean", [0.001, 0.7, 9.9, 10.1, 40.0, 1500.0, 2e6])
def test_poisson_counts_are_quantiles(mean: float) -> None:
    found = drawn(1, mean)
    # A quantile is the least count that is not exceeded with that probability: seventy times as fast as stats.poisson.ppf.
    below, law = stats.poisson.cdf(found - 1, mean), stats.poisson.cdf(found, mean)
    assert ((below < UNIFORMS) & (law >= UNIFORMS)).mean() > 0.995
    assert (stats.poisson.cdf(found - 2, mean) < UNIFORMS).all()
    assert (stats.poisson.cdf(found + 1, mean) >= UNIFORMS).all()


@pytest.mark.parametrize(
    ("trials", "share"), [(1500, 0.001), (100, 0.5), (40, 0.3), (1500, 0.99), (10, 0.7), (2_000_000, 0.02)]
)
def test_binomial_counts_have_the_right_mean_and_spread(trials: int, share: float) -> None:
    found = drawn(2, trials, share)
    assert found.mean() == pytest.approx(trials * share, abs=0.01)
    assert found.var() == pytest.approx(trials * share * (1 - share), rel=0.02)
    assert found.min() >= 0
    assert found.max() <= trials


@pytest.mark.parametrize("expected", [0.05, 1.0, 10.0, 24.0, 26.0, 1000.0])
def test_clusters_have_mean_one_and_the_spread_of_their_number_and_sizes(expected: float) -> None:
    found = drawn(3, expected)
    assert found.mean() == pytest.approx(1.0, abs=0.01)
    assert found.var() == pytest.approx((1 + SIZES) / expected, rel=0.04)
