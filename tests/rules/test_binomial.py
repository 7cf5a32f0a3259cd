from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from scenarios.rules.binomial import cdf, false_fail, miss, smallest_sample


@settings(deadline=None)
@given(st.integers(0, 3000), st.integers(-1, 3000), st.floats(0.0, 1.0))
def test_distribution_is_the_exact_one(n: int, k: int, p: float) -> None:
    assert cdf(k, n, p) == pytest.approx(float(binom.cdf(k, n, p)), abs=1e-9)


@pytest.mark.parametrize(
    ("healthy", "bad", "needed"),
    [
        pytest.param(0.001, 0.01, 773, id="0.1 % against 1 %"),
        pytest.param(0.001, 0.02, 236, id="0.1 % against 2 %"),
        pytest.param(0.003, 0.01, 1800, id="0.3 % against 1 %"),
        pytest.param(0.003, 0.007, 3979, id="0.3 % against 0.7 %"),
        pytest.param(0.004, 0.006, 14592, id="0.4 % against 0.6 %"),
        pytest.param(0.006, 0.01, None, id="healthy beyond the limit"),
        pytest.param(0.001, 0.005, None, id="bad at the limit"),
    ],
)
def test_smallest_sample_of_the_playbooks_gate(healthy: float, bad: float, needed: int | None) -> None:
    assert smallest_sample(0.005, healthy, bad) == needed


@settings(deadline=None)
@given(st.floats(0.001, 0.05), st.floats(0.05, 0.9), st.floats(1.3, 5.0))
def test_smallest_sample_meets_both_chances_and_one_less_does_not(limit: float, low: float, high: float) -> None:
    healthy, bad = limit * low, min(0.99, limit * high)
    n = smallest_sample(limit, healthy, bad)

    if n is not None:
        assert false_fail(n, limit, healthy) <= 0.05 + 1e-12
        assert miss(n, limit, bad) <= 0.05 + 1e-12
        assert false_fail(n - 1, limit, healthy) > 0.05 or miss(n - 1, limit, bad) > 0.05


@pytest.mark.parametrize(
    ("n", "healthy", "chance"),
    [
        pytest.param(100, 0.001, 0.095, id="100"),
        pytest.param(199, 0.001, 0.18, id="199"),
        pytest.param(200, 0.001, 0.018, id="200"),
    ],
)
def test_one_error_fails_below_two_hundred_requests(n: int, healthy: float, chance: float) -> None:
    assert false_fail(n, 0.005, healthy) == pytest.approx(chance, abs=0.006)
