"""The decisions about shares: their error rates by exact recursion and by dice, their cost, their boundaries."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import log

import numpy as np
import pytest
from scipy.stats import binom

from reports.gate.chances import CUT_SHORT, chances, enough
from reports.gate.sprt import Answer, Sprt, State, Walk
from scenarios.policy.claims import Rates

TEST = Sprt(0.9, 0.08, Rates(), 370)
STRICT = Sprt(0.99, 0.008, Rates(0.01, 0.02, 0.05), 2000)


TOLERANT = Sprt(0.99, 0.0, Rates(0.05, 0.04, 0.05), 600, 0.04)


def walked(test: Sprt, outcomes: str) -> State:
    """After these replications: + keeps the claim, - breaks it."""
    walk, state = Walk(test), State()
    for outcome in outcomes:
        state = walk.after(state, kept=outcome == "+")
    return state


def thrown(test: Sprt, share: float, times: int, seed: int) -> tuple[Counter[Answer], float]:
    """Answers, and the mean number of replications, for claims that are kept in this share of the replications."""
    rng, walk = np.random.default_rng(seed), Walk(test)
    answers, seen = Counter[Answer](), 0
    for _ in range(times):
        state = State()
        draws = iter((rng.random(test.most) < share).tolist())
        while not state.answer.final:
            state = walk.after(state, kept=next(draws))
        answers[state.answer] += 1
        seen += state.seen
    return answers, seen / times


def test_a_claim_without_a_break_passes_after_as_many_as_it_takes() -> None:
    assert TEST.fewest_to_pass == 36
    assert walked(TEST, "+" * 35).answer is Answer.OPEN
    assert walked(TEST, "+" * 36).answer is Answer.PASSED


def test_a_claim_that_is_always_broken_fails_after_few() -> None:
    assert walked(TEST, "-" * (TEST.fewest_to_fail - 1)).answer is Answer.OPEN
    assert walked(TEST, "-" * TEST.fewest_to_fail).answer is Answer.FAILED


def test_an_answer_is_final() -> None:
    passed = walked(TEST, "+" * 36)
    assert Walk(TEST).after(passed, kept=False) == passed


def test_a_claim_at_its_bound_is_too_close_to_call() -> None:
    state = walked(Sprt(0.9, 0.08, Rates(), 10_000), "+++++++++-" * 1000)
    assert state.answer is Answer.UNDECIDED
    assert state.too_close
    assert state.seen < 400


@pytest.mark.parametrize(
    ("outcomes", "most"),
    [pytest.param("+-", 20, id="too few for either"), pytest.param("+" * 14 + "---", 40, id="a few breaks too many")],
)
def test_a_claim_that_can_no_longer_be_decided_is_given_up_at_once(outcomes: str, most: int) -> None:
    state = walked(Sprt(0.9, 0.08, Rates(), most), outcomes)
    assert (state.answer, state.seen) == (Answer.OPEN, len(outcomes))
    state = walked(Sprt(0.9, 0.08, Rates(), most), outcomes + "+" * most)
    assert state.answer is Answer.UNDECIDED
    assert state.seen < most


def test_the_last_replication_can_still_decide() -> None:
    assert walked(Sprt(0.9, 0.08, Rates(), 36), "+" * 36).answer is Answer.PASSED


@pytest.mark.parametrize("test", [TEST, STRICT], ids=["loose", "strict"])
def test_error_rates_hold_exactly_whatever_the_truth(test: Sprt) -> None:
    """P(wrong) is a polynomial in the truth; at the bound it is largest, and there it is within its rate."""
    bound, margin, rates = test.share, test.margin, test.rates
    below, above = np.linspace(0.5, bound, 12), np.linspace(bound, 1.0, 12)
    found = chances(test, [*below, *above])
    assert max(one.passed for one in found if one.share <= bound) <= rates.false_pass
    assert max(one.failed for one in found if one.share >= bound) <= rates.false_fail
    off = chances(test, [bound - margin, bound + margin, bound - 1.5 * margin, 1.0])
    assert max(one.too_close for one in off) <= rates.left_open
    for one in found:
        assert one.passed + one.failed + one.too_close + one.cut_short == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("most", [60, 600, 20_000])
def test_with_a_tolerance_error_rates_hold_outside_of_it(most: int) -> None:
    test = replace(TOLERANT, most=most)
    found = chances(test, [0.5, 0.9, 0.94, test.shown, 0.96, 0.97, 0.98, test.share, 0.995, 1.0])
    assert max(one.passed for one in found if one.share <= test.shown) <= test.rates.false_pass
    assert max(one.failed for one in found if one.share >= test.share) <= test.rates.false_fail
    assert max(one.too_close for one in found) == 0
    for one in found:
        assert one.passed + one.failed + one.cut_short == pytest.approx(1.0, abs=1e-9)


def test_a_tolerance_makes_clear_cases_cheap_and_leaves_next_to_none_open() -> None:
    assert (TOLERANT.fewest_to_pass, TOLERANT.fewest_to_fail) == (73, 3)
    assert walked(TOLERANT, "+" * 73).answer is Answer.PASSED
    assert walked(TOLERANT, "---").answer is Answer.FAILED
    test = replace(TOLERANT, most=enough(replace(TOLERANT, most=100_000)))
    assert max(one.cut_short for one in chances(test, [0.95, 0.96, 0.97, 0.98, 0.99])) <= CUT_SHORT + 0.001


@pytest.mark.parametrize("most", [40, 120, 370, 5000])
def test_truncation_takes_decisions_away_and_makes_none_wrong(most: int) -> None:
    full, cut = (chances(Sprt(0.9, 0.08, Rates(), n), [0.82, 0.9, 0.98]) for n in (100_000, most))
    for whole, part in zip(full, cut, strict=True):
        assert part.passed <= whole.passed + 1e-9
        assert part.failed <= whole.failed + 1e-9
        assert part.mean_replications <= min(most, whole.mean_replications) + 1e-9


def test_chances_are_those_of_the_walk() -> None:
    """Summed over every sequence of a short test, decided by the very code that decides claims."""
    test, share = Sprt(0.6, 0.2, Rates(0.2, 0.2, 0.2), 12), 0.7
    ends, weight = Counter[str](), 0.0

    def follow(state: State, mass: float) -> None:
        nonlocal weight
        if state.answer.final:
            ends["too_close" if state.too_close else state.answer.value] += mass  # type: ignore[assignment]
            weight += mass * state.seen
            return
        follow(Walk(test).after(state, kept=True), mass * share)
        follow(Walk(test).after(state, kept=False), mass * (1 - share))

    follow(State(), 1.0)
    (found,) = chances(test, [share])
    expected = (ends["passed"], ends["failed"], ends["too_close"], ends["undecided"], weight)
    assert (found.passed, found.failed, found.too_close, found.cut_short, found.mean_replications) == pytest.approx(
        expected
    )


@pytest.mark.parametrize(
    ("test", "share", "seed"),
    [
        *(pytest.param(TEST, share, 5, id=f"{share:g}") for share in (0.82, 0.9, 0.98)),
        *(pytest.param(TOLERANT, share, 6, id=f"{share:g} with a tolerance") for share in (0.95, 0.97, 0.99)),
    ],
)
def test_thrown_dice_are_decided_as_often_as_the_recursion_says(test: Sprt, share: float, seed: int) -> None:
    times = 300
    answers, mean = thrown(test, share, times, seed)
    (found,) = chances(test, [share])
    for answer, exact in ((Answer.PASSED, found.passed), (Answer.FAILED, found.failed)):
        low, high = binom.interval(0.9999, times, exact)
        assert low <= answers[answer] <= high
    assert mean == pytest.approx(found.mean_replications, rel=0.15)


@pytest.mark.parametrize("share", [0.98, 0.99, 1.0])
def test_the_mean_number_of_replications_is_walds(share: float) -> None:
    """E[n] = E[evidence at the end] / E[evidence a replication], where the other test hardly ever matters."""
    test = Sprt(0.9, 0.08, Rates(), 100_000)
    (found,) = chances(test, [share])
    step = share * test.speaks_for.kept + (1 - share) * test.speaks_for.broken
    wald = (found.passed * log(1 / 0.05) + (1 - found.passed) * log(0.05)) / step
    # Overshoot: the evidence ends up to one step beyond the bound.
    assert wald <= found.mean_replications * 1.02
    assert found.mean_replications <= wald + test.speaks_for.kept / step + 2


def test_enough_leaves_few_clear_claims_open_and_is_not_wasteful() -> None:
    most = enough(Sprt(0.9, 0.08, Rates(), 100_000))
    off = [0.82, 0.98]
    assert max(one.cut_short for one in chances(Sprt(0.9, 0.08, Rates(), most), off)) <= CUT_SHORT + 0.003
    assert max(one.cut_short for one in chances(Sprt(0.9, 0.08, Rates(), most // 2), off)) > CUT_SHORT
