"""A run says for how much of its time every request was simulated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.outcome import outcome_of
from sim.engine import run
from sim.model.data_plane import DataPlaneMode, PlaneUse
from sim.model.load import Burst, LoadShape, Stage
from tests.engine import builders
from tests.engine.test_canary import short_manifests

CALM = LoadShape((Stage(60.0, 120.0),))
BURST = replace(CALM, bursts=(Burst(30.0, 20.0, 30.0),))
FEW = LoadShape((Stage(60.0, 5.0),))


@pytest.mark.parametrize(
    ("load", "least", "most"),
    [(CALM, 1.0, 1.0), (BURST, 0.01, 0.99), (FEW, 0.0, 0.0)],
    ids=["calm-behind-istio", "burst", "too-few-to-be-worth-it"],
)
def test_the_share_of_the_time_in_aggregate_is_told(load: LoadShape, least: float, most: float) -> None:
    scenario = replace(builders.scenario(short_manifests(), load=load), data_plane=DataPlaneMode.AUTO)
    result = run(scenario, seed=1)
    assert result.plane_use is not None
    assert result.plane_use.total_s > scenario.warm_up_s
    assert least <= result.plane_use.aggregate_share <= most
    assert outcome_of(result).aggregate_share == result.plane_use.aggregate_share


def test_nothing_is_told_where_every_request_was_to_be_simulated() -> None:
    assert run(builders.scenario(short_manifests(), load=FEW), seed=1).plane_use is None


def test_the_uses_of_several_regions_are_one_use() -> None:
    both = PlaneUse(10.0, 100.0) + PlaneUse(50.0, 200.0)
    assert both.aggregate_share == pytest.approx(0.8)
    assert PlaneUse(0.0, 0.0).aggregate_share == 0.0
