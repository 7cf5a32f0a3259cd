"""Advice is the least that reaches what is wanted: nothing smaller on its grid does, by binomials worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import log
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy import stats

from scenarios.power.advice import COUNTS, MOST_FAILURES, WINDOWS_S, Advice, Goal, Knob, advice
from scenarios.power.models import Rollout
from scenarios.power.world import Truth
from tests.power import test_binomials
from tests.power.rollouts import metric, rollout
from tests.power.test_binomials import FAST, limited, over

SHARE, WINDOW_S, SCRAPE_S = 10, 60.0, 15.0
LIMIT = 0.05
HEALTHY, BAD = Truth(0.001), Truth(0.001, 1.5)
SLOW = {
    truth: float(stats.norm.sf(log(test_binomials.BOUND_S / (0.02 * truth.factor)) / 0.4)) for truth in (HEALTHY, BAD)
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Rollout:
    gate = metric(FAST, successCondition=f"'result[0] >= {1 - LIMIT}'", interval="20m", count=3, failureLimit=1)
    return rollout(Path(tmp_path_factory.mktemp("shop")), gate, rate=1.0, weight=SHARE)


def met(goal: Goal, requests: float, count: int, failures: int) -> bool:
    """Whether a gate does what is wanted if each of its measurements rests on so many requests."""
    good, bad = (over(limited(SLOW[truth], LIMIT, requests), count, failures)[0] for truth in (HEALTHY, BAD))
    return good <= goal.false_abort and bad >= goal.power


def asked(models: Rollout, rps: float, count: int, failures: int, goal: Goal) -> dict[Knob, Advice]:
    (gate,) = models.gates
    gate = replace(gate, metric=replace(gate.metric, count=count, failure_limit=failures))
    flow = replace(models.flow.held(gate.first_s), factor=rps)
    found = advice(replace(models, flow=flow), gate, goal)
    return {one.knob: one for one in found}


@settings(max_examples=6, phases=(Phase.generate,))
@given(
    rps=st.sampled_from([4.0, 9.0, 20.0]),
    limits=st.sampled_from([(1, 0), (2, 0), (3, 0), (3, 1), (4, 2)]),
    power=st.sampled_from([0.8, 0.95]),
    false_abort=st.sampled_from([0.01, 0.05]),
)
def test_nothing_smaller_is_enough(
    models: Rollout, rps: float, limits: tuple[int, int], power: float, false_abort: float
) -> None:
    count, failures = limits
    goal = Goal(HEALTHY, BAD, power, false_abort)
    found = asked(models, rps, count, failures, goal)
    second = rps * (WINDOW_S - SCRAPE_S) / 100

    shares = (share for share in range(1, 101) if met(goal, second * share, count, failures))
    assert found[Knob.SHARE].value == next(shares, None)

    windows = (w for w in WINDOWS_S if met(goal, rps * SHARE / 100 * (w - SCRAPE_S), count, failures))
    assert found[Knob.WINDOW].value == next((w for w in windows if w <= 1200.0), None)

    pairs = product(COUNTS[:6], range(MOST_FAILURES + 1))
    first = next((pair for pair in pairs if pair[1] < pair[0] and met(goal, second * SHARE, *pair)), None)
    advised = found[Knob.LIMITS].value, found[Knob.LIMITS].limit
    assert advised == first if first else advised[0] is None or advised[0] > 6

    factor = found[Knob.TRAFFIC].value
    if factor is not None:
        assert met(goal, second * SHARE * factor, count, failures)
        assert factor < 1.05 or not met(goal, second * SHARE * factor / 1.25**0.2, count, failures)


def test_more_measurements_are_made_at_the_weight_of_their_step(models: Rollout) -> None:
    (gate,) = models.gates
    goal = Goal(HEALTHY, BAD, 0.95, 0.01)
    found = advice(replace(models, flow=replace(models.flow, factor=6.0)), gate, goal)
    advised = next(one for one in found if one.knob is Knob.LIMITS)
    assert advised.value is not None
    # The timetable promotes the release after the three measurements that are written.
    assert advised.value > 3
    count, limit = int(advised.value), advised.limit or 0
    chances = (limited(SLOW[truth], LIMIT, 6 * (WINDOW_S - SCRAPE_S) * SHARE / 100) for truth in (HEALTHY, BAD))
    good, bad = (over(one, count, limit)[0] for one in chances)
    assert (advised.false_abort, 1 - advised.miss) == pytest.approx((good, bad), abs=1e-5)


def test_what_no_setting_reaches_is_said_to_be_out_of_reach(models: Rollout) -> None:
    found = asked(models, 20.0, 3, 1, Goal(HEALTHY, HEALTHY, 0.95, 0.01))
    assert {one.value for one in found.values()} == {None}
