from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from scenarios.rules.binomial import beyond, cdf, false_fail


@settings(deadline=None)
@given(st.integers(0, 3000), st.integers(-1, 3000), st.floats(0.0, 1.0))
def test_distribution_is_the_exact_one(n: int, k: int, p: float) -> None:
    assert cdf(k, n, p) == pytest.approx(float(binom.cdf(k, n, p)), abs=1e-9)


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 45), st.floats(0.0, 1.0))
def test_failures_of_equal_measurements_are_binomial(count: int, limit: int, chance: float) -> None:
    assert beyond([(chance, 1)] * count, limit) == pytest.approx(float(binom.sf(limit, count, chance)), abs=1e-9)


@pytest.mark.parametrize(
    ("chances", "limit", "expected"),
    [
        pytest.param([], 0, 0.0, id="no measurement"),
        pytest.param([(0.5, 1)], 0, 0.5, id="one"),
        pytest.param([(0.5, 1), (0.25, 1)], 0, 0.625, id="either of two"),
        pytest.param([(0.5, 1), (0.25, 1)], 1, 0.125, id="both of two"),
        pytest.param([(0.5, 3)], 2, 0.5, id="three that agree"),
        pytest.param([(0.5, 3), (0.5, 1)], 3, 0.25, id="three that agree and one"),
        pytest.param([(1.0, 1)] * 3, 3, 0.0, id="too few to matter"),
    ],
)
def test_failures_beyond_a_limit(chances: list[tuple[float, int]], limit: int, expected: float) -> None:
    assert beyond(chances, limit) == pytest.approx(expected)


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
