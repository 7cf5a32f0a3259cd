"""Proposals are functions of what was tried; NSGA-II crosses what it was given though every study of Optuna's is made anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.statistics import Estimate
from reports.tune.card import Fate, Tried
from scenarios.settings import read_parameters
from tests.reports.tunings import ASKED

pytest.importorskip("optuna")
from rolltwin.tuning.sampling import propose

PARAMETERS = read_parameters(
    [
        "canary.steps[1].pause=10s..10m",
        "gate.metrics[errors].failureLimit=0..100",
        "gate.metrics[errors].interval=5s..5m",
        "canary.maxSurge=1%..100%",
    ]
)


def history(count: int) -> list[Tried]:
    """Settings spread over the ranges, the objectives pulling apart."""
    return [
        Tried(
            place,
            "search",
            tuple((one.name, one.values.at((place * 7 % count) / count)) for one in PARAMETERS),
            Fate.COMPLETE,
            replications=4,
            objectives=tuple(Estimate(float(value), value, value, 4) for value in (place, count - place)),
            constraints=(),
            violations=(0.0, 0.0),
        )
        for place in range(count)
    ]


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_proposals_depend_on_what_was_tried_and_on_the_seed_alone(sampler: str) -> None:
    asked = replace(ASKED, sampler=sampler)
    assert propose(PARAMETERS, asked, history(20)) == propose(PARAMETERS, asked, history(20))
    others = [propose(PARAMETERS, replace(asked, seed=seed), history(20)) for seed in range(2, 5)]
    assert any(one != propose(PARAMETERS, asked, history(20)) for one in others)


def inherited(count: int) -> int:
    """How many of the values that NSGA-II proposes are those of settings tried, over eight seeds."""
    tried = history(count)
    known = {(name, value) for one in tried for name, value in one.settings}
    found = [propose(PARAMETERS, replace(ASKED, sampler="nsga2", seed=seed), tried) for seed in range(8)]
    return sum((one.name, values[one]) in known for values in found for one in PARAMETERS)


def test_the_second_generation_is_crossed_from_the_first() -> None:
    assert inherited(10) < 8
    assert inherited(40) > 16
