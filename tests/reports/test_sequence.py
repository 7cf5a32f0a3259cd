"""Shares judged at every look: the chance to err over all looks together is computed, not sampled."""

from __future__ import annotations

import numpy as np
import pytest

from reports.tune.measures import Kinds, read_constraint
from reports.tune.sequence import bounds, evidence, flawless
from sim.study import Stratum
from tests.reports.test_tune import BAD, GOOD, detections, outcome
from tests.reports.tunings import STRATA

LEVEL = 0.95


def answers(truth: float, asked: float, first: int, most: int) -> tuple[float, float]:
    """(chance of ever being called less than asked, of more), looking at every replication from the first look on."""
    height, less, more = -np.log1p(-LEVEL), 0.0, 0.0
    chances = np.zeros(most + 1)
    chances[0] = 1.0
    for of in range(1, most + 1):
        chances[1:] = chances[1:] * (1 - truth) + chances[:-1] * truth
        chances[0] *= 1 - truth
        if of < first:
            continue
        for broken in np.flatnonzero(chances > 1e-12).tolist():
            if evidence(broken, of, asked, asked) >= height:
                less += chances[broken] * (broken < asked * of)
                more += chances[broken] * (broken >= asked * of)
                chances[broken] = 0.0
    return float(less), float(more)


@pytest.mark.parametrize("asked", [0.05, 0.3])
def test_both_errors_together_stay_below_the_level_at_every_look(asked: float) -> None:
    less, more = answers(asked, asked, 1, 400)
    assert 0.001 < less + more <= 1 - LEVEL
    # Beyond the limit it is called less even less often.
    assert answers(1.2 * asked, asked, 1, 400)[0] < less


def test_a_truth_of_half_the_limit_is_mostly_decided_within_ten_times_the_flawless_number() -> None:
    first = flawless(0.05, LEVEL)
    less, more = answers(0.025, 0.05, first, 10 * first)
    assert less > 0.8
    assert more < 0.001


def test_the_flawless_number_is_the_first_that_decides() -> None:
    assert flawless(0.01, LEVEL) == 473
    assert bounds(0, 473, 0.01, LEVEL)[1] < 0.01 < bounds(0, 472, 0.01, LEVEL)[1]


@pytest.mark.parametrize(("broken", "of"), [(0, 20), (3, 382), (10, 20), (20, 20)])
def test_the_interval_is_what_the_evidence_leaves(broken: int, of: int) -> None:
    low, high = bounds(broken, of, 0.01, LEVEL)
    assert 0 <= low <= broken / of <= high <= 1
    height = -np.log1p(-LEVEL)
    for end, outside in ((low, low - 1e-6), (high, high + 1e-6)):
        if 0 < end < 1:
            assert evidence(broken, of, outside, 0.01) > height
            assert evidence(broken, of, (end + broken / of) / 2, 0.01) < height


def aborts(broken: int, of: int) -> Kinds:
    found = [outcome(false_abort_rate=float(place < broken)) for place in range(of)]
    return {GOOD: found, BAD: [outcome()] * of}


@pytest.mark.parametrize(
    ("text", "kinds", "met"),
    [
        pytest.param("false_abort_rate<1%", aborts(0, 473), True, id="known to be less"),
        pytest.param("false_abort_rate<1%", aborts(0, 400), None, id="not yet"),
        pytest.param("false_abort_rate<1%", aborts(20, 400), False, id="known to be more"),
        pytest.param("time_to_detect@errors-5:p99<2m", detections(*[1.0] * 473), True, id="a quantile"),
        pytest.param("time_to_detect@errors-5:p99<2m", detections(*[None] * 473), None, id="nothing to judge"),
        pytest.param("time_to_detect@errors-5<2m", detections(*[1.0] * 473), None, id="a mean is no share"),
        pytest.param("false_abort_rate>1%", aborts(0, 473), None, id="no cap"),
    ],
)
def test_caps_on_a_share_are_followed(text: str, kinds: Kinds, met: bool | None) -> None:
    assert read_constraint(text, STRATA).followed_to(kinds, LEVEL) is met


def test_a_share_over_several_kinds_is_not_followed() -> None:
    other = Stratum("errors-1", False, 0.1)
    missed = [outcome(miss_rate=0.0)] * 500
    constraint = read_constraint("miss_rate<1%", (*STRATA, other))
    assert constraint.followed_to({GOOD: missed, BAD: missed}, LEVEL) is True
    assert constraint.followed_to({GOOD: missed, BAD: missed, other: missed}, LEVEL) is None


def test_values_that_no_constraint_caps_have_no_allowed_share() -> None:
    assert read_constraint("failed_requests<10", STRATA).allowed is None
    assert read_constraint("false_abort_rate<=2%", STRATA).allowed == 0.02
    assert read_constraint("deployment_duration@good:p90<1h", STRATA).allowed == pytest.approx(0.1)
