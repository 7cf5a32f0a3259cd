"""One release of each strategy on a real cluster, under load, held against the twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.steps import Given, Then, When

pytestmark = pytest.mark.cluster
SCENARIOS = Path(__file__).parents[1] / "recorded/scenarios"


def test_a_canary_full_of_errors_is_aborted(given: Given, when: When, then: Then) -> None:
    given.scenario(SCENARIOS / "canary-errors-50.yaml")
    when.released()
    # In CI this runs on whatever machine there is: one that is late by a minute is no news about the twin.
    then.verdict("aborted").reason("success-rate").as_in_the_twin(within_s=60)


def test_a_good_canary_is_promoted(given: Given, when: When, then: Then) -> None:
    given.scenario(SCENARIOS / "canary-good.yaml")
    when.released()
    then.verdict("promoted").failed_requests(at_most=0.02).as_in_the_twin()


def test_a_good_green_is_switched_to(given: Given, when: When, then: Then) -> None:
    given.scenario(SCENARIOS / "blue-green-good.yaml")
    when.released()
    then.verdict("promoted").failed_requests(at_most=0.02).as_in_the_twin()


def test_a_rolling_update_replaces_every_pod(given: Given, when: When, then: Then) -> None:
    given.scenario(SCENARIOS / "rolling-good.yaml")
    when.released()
    then.verdict("promoted").failed_requests(at_most=0.02).as_in_the_twin()
