from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports.statistics import (
    NOTHING,
    Bounds,
    Estimate,
    Sample,
    difference,
    mean,
    proportion,
    proportion_difference,
    wilson,
)
from reports.student import t_cdf, t_quantile, z_quantile
from sim.streams import Streams

LEVEL = 0.95


def close(found: Estimate | Bounds, lo: float, hi: float, abs_: float = 1e-9) -> bool:
    """Whether the interval is this one."""
    assert found.lo is not None
    assert found.hi is not None
    return abs(found.lo - lo) <= abs_ and abs(found.hi - hi) <= abs_


@pytest.mark.parametrize("df", [pytest.param(df, id=f"df={df}") for df in (1, 1.5, 3, 10, 77.3, 1e4, 1e6)])
@pytest.mark.parametrize("p", [pytest.param(p, id=f"p={p}") for p in (0.0005, 0.1, 0.5, 0.6, 0.975, 0.9995)])
def test_t_quantiles_are_scipys(p: float, df: float) -> None:
    assert t_quantile(p, df) == pytest.approx(float(stats.t.ppf(p, df)), rel=1e-8, abs=1e-12)


@given(st.floats(-50, 50), st.floats(0.5, 1e5))
def test_the_t_distribution_function_is_scipys(t: float, df: float) -> None:
    assert t_cdf(t, df) == pytest.approx(float(stats.t.cdf(t, df)), abs=1e-10)


def test_infinite_degrees_of_freedom_are_normal() -> None:
    assert t_quantile(0.975, float("inf")) == z_quantile(0.975) == pytest.approx(1.959964, abs=1e-6)


@pytest.mark.parametrize(
    ("successes", "n", "lo", "hi"),
    [
        pytest.param(8, 10, 0.4902, 0.9433, id="8 of 10"),
        pytest.param(10, 10, 0.7225, 1.0, id="all of 10"),
        pytest.param(0, 10, 0.0, 0.2775, id="none of 10"),
        pytest.param(1, 1, 0.2065, 1.0, id="the only one"),
        pytest.param(81, 263, 0.2553, 0.3662, id="Newcombe's example"),
    ],
)
def test_wilson(successes: int, n: int, lo: float, hi: float) -> None:
    assert close(wilson(successes, n, LEVEL), lo, hi, 5e-5)


def test_one_stratum_is_the_textbook_t_interval() -> None:
    found = mean([Sample(1.0, (1.0, 2.0, 3.0, 4.0))], LEVEL)
    half = 3.182446 * sqrt(5 / 3) / 2
    assert (found.mean, found.n) == (2.5, 4)
    assert close(found, 2.5 - half, 2.5 + half, 1e-5)


def test_two_equal_strata_are_welchs_interval() -> None:
    a, b = (10.0, 12.0, 11.0, 13.0, 9.0), (20.0, 30.0, 25.0)
    found = mean([Sample(0.5, a), Sample(0.5, b)], LEVEL)
    # The mean of two halves has Welch's standard error and degrees of freedom, halved.
    welch = stats.ttest_ind(a, tuple(-value for value in b), equal_var=False).confidence_interval(LEVEL)
    assert found.mean == pytest.approx(18.0)
    assert close(found, welch.low / 2, welch.high / 2)


def test_shares_weigh_whatever_the_numbers_of_replications() -> None:
    found = mean([Sample(0.9, (1.0, 1.0)), Sample(0.1, (11.0, 11.0, 11.0))], LEVEL)
    assert found.mean == pytest.approx(2.0)
    assert close(found, 2.0, 2.0)


def test_a_conditional_mean_is_over_the_releases_it_applies_to() -> None:
    # Of the 80 % all apply; of the 20 % half do: weights 0.8 and 0.1.
    found = mean([Sample(0.8, (1.0, 3.0)), Sample(0.2, (11.0, None))], LEVEL)
    assert found.mean == pytest.approx((0.8 * 2 + 0.1 * 11) / 0.9)
    assert found.n == 3
    assert found.lo is not None
    assert found.lo < 3.0


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param([], NOTHING, id="no strata"),
        pytest.param([Sample(1.0, (None, None))], NOTHING, id="never applies"),
        pytest.param([Sample(1.0, (5.0,))], Estimate(5.0, None, None, 1), id="once"),
        pytest.param([Sample(1.0, (5.0, None, None))], Estimate(5.0, None, None, 1), id="applies once"),
        pytest.param(
            [Sample(0.5, (5.0,)), Sample(0.5, (5.0, 5.0))], Estimate(5.0, None, None, 3), id="once in a stratum"
        ),
        pytest.param([Sample(0.5, (0.1, 0.1)), Sample(0.5, (0.1, 0.1))], Estimate(0.1, 0.1, 0.1, 4), id="never varies"),
    ],
)
def test_what_cannot_be_known_is_not_claimed(samples: list[Sample], expected: Estimate) -> None:
    assert mean(samples, LEVEL) == expected


def test_a_proportion_of_one_stratum_is_wilsons() -> None:
    found, bounds = proportion([Sample(1.0, (1.0,) * 8 + (0.0,) * 2)], LEVEL), wilson(8, 10, LEVEL)
    assert (found.mean, found.n) == (0.8, 10)
    assert close(found, bounds.lo, bounds.hi)


def test_a_proportion_over_strata_is_movers() -> None:
    good, bad = wilson(10, 10, LEVEL), wilson(3, 10, LEVEL)
    found = proportion([Sample(0.9, (1.0,) * 10), Sample(0.1, (1.0,) * 3 + (0.0,) * 7)], LEVEL)
    below = sqrt((0.9 * (1 - good.lo)) ** 2 + (0.1 * (0.3 - bad.lo)) ** 2)
    assert found.mean == pytest.approx(0.93)
    assert found.lo == pytest.approx(0.93 - below)
    assert found.hi == pytest.approx(0.93 + 0.1 * (bad.hi - 0.3))


@given(
    st.lists(st.tuples(st.floats(0.01, 1), st.lists(st.booleans(), min_size=1, max_size=12)), min_size=1, max_size=4)
)
def test_a_proportion_is_never_certain(strata: list[tuple[float, list[bool]]]) -> None:
    total = sum(weight for weight, _ in strata)
    found = proportion([Sample(weight / total, tuple(map(float, values))) for weight, values in strata], LEVEL)
    assert found.mean is not None
    assert found.lo is not None
    assert found.hi is not None
    assert 0 <= found.lo <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.hi <= 1
    assert found.hi - found.lo > 0.01


def test_pairs_lose_what_both_share() -> None:
    theirs = tuple(10.0 * i for i in range(8))
    ours = tuple(value + 1 + 0.1 * (i % 2) for i, value in enumerate(theirs))
    found = difference([Sample(1.0, ours)], [Sample(1.0, theirs)], LEVEL)
    paired = stats.ttest_rel(ours, theirs).confidence_interval(LEVEL)
    assert found.mean == pytest.approx(1.05)
    assert close(found, paired.low, paired.high)


def test_pairs_are_of_replications_in_which_both_apply() -> None:
    found = difference([Sample(1.0, (5.0, None, 9.0))], [Sample(1.0, (1.0, 2.0, None))], LEVEL)
    assert found == Estimate(4.0, None, None, 1)


@pytest.mark.parametrize(
    ("counts", "lo", "hi"),
    [
        # Both, ours only, theirs only, neither; the first is an example of Newcombe (1998).
        pytest.param((36, 12, 2, 0), 0.0569, 0.3404, id="36 12 2 0"),
        pytest.param((0, 0, 0, 50), -0.0713, 0.0713, id="nobody"),
        pytest.param((50, 0, 0, 0), -0.0713, 0.0713, id="everybody"),
    ],
)
def test_paired_proportions_are_newcombes(counts: tuple[int, int, int, int], lo: float, hi: float) -> None:
    kinds = ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0))
    pairs = [pair for pair, count in zip(kinds, counts, strict=True) for _ in range(count)]
    ours, theirs = Sample(1.0, tuple(a for a, _ in pairs)), Sample(1.0, tuple(b for _, b in pairs))
    found = proportion_difference([ours], [theirs], LEVEL)
    assert close(found, lo, hi, 2e-3)


def _coverage(intervals: Sequence[Estimate], truth: float) -> float:
    inside = [e.lo is not None and e.hi is not None and e.lo <= truth <= e.hi for e in intervals]
    return sum(inside) / len(inside)


def test_mean_intervals_cover_the_truth_as_often_as_they_promise() -> None:
    dice = Streams(1).generator("dice")
    found = []
    for _ in range(600):
        good = Sample(0.9, tuple(dice.normal(10, 1) for _ in range(12)))
        bad = Sample(0.1, tuple(dice.normal(40, 20) for _ in range(12)))
        found.append(mean([good, bad], LEVEL))
    assert 0.925 <= _coverage(found, 13.0) <= 0.975


def test_conditional_mean_intervals_cover_the_truth() -> None:
    dice = Streams(2).generator("dice")
    found = []
    for _ in range(600):
        often = tuple(dice.normal(10, 2) if dice.random() < 0.9 else None for _ in range(40))
        seldom = tuple(dice.normal(20, 2) if dice.random() < 0.5 else None for _ in range(40))
        found.append(mean([Sample(0.8, often), Sample(0.2, seldom)], LEVEL))
    assert 0.92 <= _coverage(found, (0.72 * 10 + 0.1 * 20) / 0.82) <= 0.98


@pytest.mark.parametrize(
    ("p_good", "p_bad", "n"),
    [
        pytest.param(0.02, 0.7, 20, id="rare in the large stratum"),
        pytest.param(0.5, 0.5, 10, id="even"),
        pytest.param(0.0, 0.95, 15, id="never and nearly always"),
    ],
)
def test_proportion_intervals_cover_the_truth(p_good: float, p_bad: float, n: int) -> None:
    dice = Streams(3).generator("dice")
    found = [
        proportion(
            [Sample(w, tuple(float(dice.random() < p) for _ in range(n))) for w, p in ((0.88, p_good), (0.12, p_bad))],
            LEVEL,
        )
        for _ in range(600)
    ]
    assert _coverage(found, 0.88 * p_good + 0.12 * p_bad) >= 0.93
