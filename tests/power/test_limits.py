"""Verdicts of chances: the chain, the drawn rows and the controller's own code must say the same."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from scenarios.power.limits import PHASES, chain, ended, follow, mean_of
from sim.model.analysis import AnalysisPhase, Metric

S, F, I, E = PHASES  # noqa: E741 - as the report's letters
METRICS = (
    Metric("plain", interval="1m", count=4, failure_limit=1),
    Metric("never", interval="1m", count=3, failure_limit=3),
    Metric("background", interval="1m", failure_limit=2),
    Metric("unsure", interval="1m", count=4, failure_limit=1, inconclusive_limit=1),
    Metric("erring", interval="1m", count=4, failure_limit=0, consecutive_error_limit=1),
    Metric("streak", interval="1m", count=4, failure_limit=2, consecutive_success_limit=2),
    Metric("off", interval="1m", count=4, failure_limit=-1),
)
CHANCES = {S: 0.6, F: 0.2, I: 0.1, E: 0.1}
LENGTH = 5


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_the_chain_adds_up_every_possible_sequence(metric: Metric) -> None:
    wanted = {F: [0.0] * LENGTH, I: [0.0] * LENGTH, E: [0.0] * LENGTH}
    for sequence in product(PHASES, repeat=LENGTH):
        end = ended(metric, sequence)
        if end is not None and end[1] in wanted:
            wanted[end[1]][end[0]] += float(np.prod([CHANCES[phase] for phase in sequence]))
    found = chain(metric, [CHANCES] * LENGTH)
    assert found.failed == pytest.approx(wanted[F])
    assert found.inconclusive == pytest.approx(wanted[I])
    assert found.error == pytest.approx(wanted[E])


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_drawn_rows_end_as_each_of_them_does(metric: Metric) -> None:
    rows = list(product(PHASES, repeat=LENGTH))
    codes = np.array([[PHASES.index(phase) for phase in row] for row in rows], dtype=np.int8)
    found = follow(metric, codes)
    for phase, shares in ((F, found.failed), (I, found.inconclusive), (E, found.error)):
        for index in range(LENGTH):
            assert shares[index] * len(rows) == pytest.approx(sum(ended(metric, row) == (index, phase) for row in rows))


def test_a_fourth_failure_is_what_failure_limit_three_takes() -> None:
    metric = Metric("success-rate", interval="1m", count=5, failure_limit=3)
    found = chain(metric, [{S: 0.55, F: 0.45}] * 5)
    assert found.abort == pytest.approx(0.13, abs=0.005)  # numbers.md D: 13 % at 60 requests and 1 % errors
    assert found.failed[:3] == (0.0, 0.0, 0.0)


def test_the_mean_of_courses_is_taken_measurement_by_measurement() -> None:
    metric = Metric("one", interval="1m", count=2)
    found = mean_of([chain(metric, [{S: 1.0}, {S: 1.0}]), chain(metric, [{F: 1.0}, {S: 1.0}])])
    assert found.failed == (0.5, 0.0)
    assert found.abort == 0.5
    assert found.pause == 0.0


def test_phases_are_those_of_measurements() -> None:
    assert set(PHASES) == {phase for phase in AnalysisPhase if phase.is_completed}
