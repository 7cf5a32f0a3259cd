"""Chances of a share of requests against SciPy's binomial, mixed over a Poisson number of requests."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from scenarios.power.poisson import Poisson, log_factorial, split


def _by_scipy(requests: float, errors: float, cut: float) -> tuple[float, float]:
    """(P(share < cut), P(share = cut)), requests being there."""
    n = np.arange(1, int(requests + 12 * requests**0.5 + 30))
    weights = stats.poisson.pmf(n, requests)
    whole = np.abs(n * cut - np.round(n * cut)) < 1e-9
    at = np.where(whole, stats.binom.pmf(np.round(n * cut), n, errors), 0.0)
    below = np.where(
        whole, stats.binom.cdf(np.round(n * cut) - 1, n, errors), stats.binom.cdf(np.floor(n * cut), n, errors)
    )
    return float((weights * below).sum()), float((weights * at).sum())


@pytest.mark.parametrize("requests", [0.4, 10.0, 60.0, 600.0, 6000.0])
@pytest.mark.parametrize("errors", [0.001, 0.01, 0.05, 0.5])
@pytest.mark.parametrize("cut", [0.005, 0.01, 0.25])
def test_the_share_of_errors_is_binomial_among_a_poisson_number_of_requests(
    requests: float, errors: float, cut: float
) -> None:
    below, at = _by_scipy(requests, errors, cut)
    found = split(requests * errors, requests * (1 - errors), [cut])
    assert found.nothing == pytest.approx(np.exp(-requests))
    assert found.between[0] == pytest.approx(below, abs=1e-9)
    assert found.at[0] == pytest.approx(at, abs=1e-9)
    assert sum(found.between) + sum(found.at) + found.nothing == pytest.approx(1.0)


def test_no_errors_at_all_is_a_cut_at_zero() -> None:
    found = split(2.0, 50.0, [0.0])
    assert found.at[0] == pytest.approx(np.exp(-2.0) * (1 - np.exp(-50.0)))
    assert found.between[0] == 0.0


def test_several_cuts_leave_a_band_between_them() -> None:
    found = split(3.0, 97.0, [0.02, 0.05])
    only = [split(3.0, 97.0, [cut]) for cut in (0.02, 0.05)]
    assert found.between[0] == pytest.approx(only[0].between[0])
    assert found.between[2] == pytest.approx(only[1].between[1])


def test_large_counts_stay_normalised() -> None:
    found = Poisson.of(3e6)
    assert found.chances.sum() == pytest.approx(1.0)
    assert float((found.values * found.chances).sum()) == pytest.approx(3e6, rel=1e-9)


def test_factorials_agree_where_the_series_takes_over() -> None:
    assert log_factorial(np.array([0.0, 1.0, 5.0, 20.0, 21.0, 170.0])) == pytest.approx(
        [0.0, 0.0, 4.787491742782046, 42.335616460753485, 45.38013889847691, 706.5730622457874], rel=1e-12
    )
