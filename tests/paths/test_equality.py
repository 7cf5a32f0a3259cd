"""What is said of a setting offline is what a full simulation of that setting comes to."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sim.engine import run
from sim.model.records import DecisionRecord, RunResult, StepRecord
from sim.model.scenario import Scenario
from sim.paths import Gates
from tests.paths import worlds


def told(result: RunResult) -> tuple[object, ...]:
    """Verdict, and instant, metric and step of the abort."""
    abort = next((row for row in result.journal if isinstance(row, DecisionRecord) and row.decision == "abort"), None)
    if abort is None:
        return result.verdict, None, "", None
    metric = re.search(r'Metric "(.*?)" assessed', abort.reason) if abort.actor != "person" else None
    begun = [
        row for row in result.journal if isinstance(row, StepRecord) and row.state == "started" and row.t_s <= abort.t_s
    ]
    return result.verdict, abort.t_s, metric.group(1) if metric else "", begun[-1].index if begun else None


def judged(variants: Sequence[Scenario], seed: int) -> list[tuple[object, ...]]:
    judgements = Gates(variants).judge(seed)
    rows = [judgements.of(place) for place in range(len(variants))]
    return [(one.verdict, one.abort_s, one.metric, one.step) for one in rows]


@given(variants=worlds.groups(), seed=st.integers(0, 5))
@settings(max_examples=20, phases=(Phase.generate,))
def test_offline_says_what_a_full_simulation_says(variants: worlds.Variants, seed: int) -> None:
    assert judged(variants, seed) == [told(run(one, seed)) for one in variants]


@pytest.mark.slow
@pytest.mark.parametrize("place", worlds.PLACES)
@given(data=st.data(), seed=st.integers(0, 50))
@settings(max_examples=10, phases=(Phase.generate,))
def test_offline_says_what_a_full_simulation_says_for_many(place: str, data: st.DataObject, seed: int) -> None:
    variants = data.draw(worlds.groups(size=8, places=(place,)))
    assert judged(variants, seed) == [told(run(one, seed)) for one in variants]
