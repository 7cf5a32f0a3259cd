"""Which settings are worth choosing among once they have been looked at closely."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import pytest

from reports.tune.measures import Kinds
from tests.reports.test_tune import BAD, GOOD, outcome
from tests.reports.tunings import ASKED, tried

pytest.importorskip("optuna")
from rolltwin.tuning.search import Search

NOISE = (0.5, -1.5, 2.0, -0.5, 1.0, -1.0, 0.25, -0.25)


def kinds(failed: float, minutes: float, noise: float = 0.0) -> Kinds:
    """Failed requests that vary by pairs, deployments that hardly do."""
    return {
        GOOD: [outcome(deployment_duration=minutes + one / 100) for one in NOISE],
        BAD: [outcome(failed_requests=failed + noise * one) for one in NOISE],
    }


@pytest.mark.parametrize(
    ("found", "worth"),
    [
        pytest.param({0: kinds(44.0, 7.4), 1: kinds(43.9, 9.9, noise=1.0)}, [0], id="ahead by luck"),
        pytest.param({0: kinds(44.0, 7.4), 1: kinds(30.0, 9.9, noise=1.0)}, [0, 1], id="a true trade"),
        pytest.param({0: kinds(44.0, 7.4), 1: kinds(43.9, 7.4, noise=1.0)}, [0, 1], id="no difference known"),
        pytest.param({0: kinds(44.0, 7.4)}, [0], id="alone"),
    ],
)
def test_what_is_ahead_by_luck_alone_is_left_out(found: dict[int, Kinds], worth: list[int]) -> None:
    search = Search(replace(ASKED, constraints=()), Mock(), Mock(), Mock(), Mock(), Mock(), _kinds=found)
    settings = [tried(index, 0.0, 0.0) for index in found]
    assert [one.index for one in search._worth_their_place(settings)] == worth
