"""The twin decides the same in a compressed scenario, in that share of the time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scenarios import library
from scenarios.compression import compressed
from scenarios.document import load
from sim.model.behaviour import Delay
from sim.model.records import StepRecord
from sim.model.scenario import Cluster, Scenario
from sim.study import run_once

CANARY = library.DEFAULT.parent / "triptrip" / "scenarios" / "repaired" / "canary.yaml"
QUICK = Cluster(
    schedule=Delay(0.0), image_pull=Delay(0.0), endpoint_propagation=Delay(0.0), route_propagation=Delay(0.0)
)
"""Kubernetes' own delays are not divided; without them the two runs are alike."""


def ending(scenario: Scenario) -> tuple[str, int, float]:
    """Verdict, last step and when."""
    result = run_once(replace(scenario, cluster=QUICK), seed=3)
    steps = [row.index for row in result.journal if isinstance(row, StepRecord)]
    return str(result.verdict), steps[-1], result.ended_s


@pytest.mark.parametrize(("release", "verdict"), [("good", "promoted"), ("slow", "aborted")])
def test_a_compressed_canary_ends_at_the_same_step_in_a_tenth_of_the_time(release: str, verdict: str) -> None:
    loaded = load(CANARY, ["traffic.stages[0].rate=30", "stable.statuses={}"]).with_release(release)
    slow, fast = ending(loaded.scenario), ending(compressed(loaded, 10).scenario)
    assert slow[0] == fast[0] == verdict
    assert slow[1] == fast[1]
    assert fast[2] == pytest.approx(slow[2] / 10, rel=0.1)
