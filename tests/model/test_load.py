"""Offered load as a function of time."""

from __future__ import annotations

import pytest

from sim.model.load import Burst, Diurnal, LoadShape, Stage

STAGES = (Stage(10.0, 5.0), Stage(7.5, 9.0, ramp=True), Stage(0.3, 9.0), Stage(20.0, 0.0, ramp=True), Stage(1.0, 4.0))


@pytest.mark.parametrize(
    "load",
    [LoadShape(STAGES), LoadShape(STAGES, Diurnal(0.5), (Burst(3.0, 9.0, 2.5),)), LoadShape(STAGES[1:])],
    ids=["stages", "all", "ramp-first"],
)
def test_the_curve_is_the_rate_to_the_last_bit(load: LoadShape) -> None:
    curve = load.curve()
    times = [k / 16 for k in range(1000)] + [17.8, 37.8, 38.8]
    assert [curve(t) for t in times] == [load.rate_rps(t) for t in times]


def test_the_last_stage_lasts() -> None:
    assert LoadShape(STAGES).curve()(1e9) == 4.0
