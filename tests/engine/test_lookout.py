"""Whether somebody looks at every instant or at many of them later makes no difference."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nextafter

import pytest

from sim.engine import run
from sim.engine.clock import Rank
from sim.engine.lookout import Grid
from sim.engine.sampler import Sampler
from sim.model.behaviour import Alert, Crash, Errors, Fault, Leak, People, Side, Slowdown, Target, Trigger
from sim.model.records import DecisionRecord, FaultRecord, RunResult, TrafficRecord
from sim.model.scenario import Scenario
from tests.engine import builders

TEMPLATE = builders.prometheus_template(
    "gate", builders.SUCCESS_QUERY, "result[0] >= 0.9", interval="30s", failureLimit=100
)
MANIFESTS = builders.canary_manifests(
    (builders.set_weight(20), builders.pause(120), builders.set_weight(60), builders.pause(150)),
    templates=(TEMPLATE,),
    background=builders.refs("gate"),
    min_ready_s=3,
)
ALL = Target(Side.ALL)
WORLDS: dict[str, Scenario] = {
    "nothing": builders.scenario(MANIFESTS),
    "crashes": builders.scenario(MANIFESTS, faults=(Fault("crashes", Crash(mean_time_s=150.0), target=ALL),)),
    "half of the pods": builders.scenario(
        MANIFESTS,
        faults=(
            Fault("crashes", Crash(mean_time_s=200.0), target=ALL),
            Fault("slow", Slowdown(3.0), Trigger(start_s=40.0, duration_s=93.0), Target(Side.ALL, share=0.5)),
        ),
    ),
    "hot pods": builders.scenario(
        MANIFESTS, faults=(Fault("hot", Errors(0.2), Trigger(above_rps_per_pod=4.0), target=ALL),)
    ),
    "old pods": builders.scenario(
        MANIFESTS, faults=(Fault("old", Errors(0.1), Trigger(pod_age_s=47.0), Target(Side.CANDIDATE)),)
    ),
    "a leak": builders.scenario(MANIFESTS, faults=(Fault("leak", Leak(200.0, oom_after_s=140.0), target=ALL),)),
    "alert people": builders.scenario(
        MANIFESTS,
        people=People(alert=Alert(error_ratio=0.02, error_for_s=25.0, p99_s=0.05, p99_for_s=70.0)),
        faults=(Fault("errors", Errors(0.3), Trigger(start_s=61.0), Target(Side.CANDIDATE)),),
    ),
}


@pytest.mark.parametrize("name", WORLDS)
def test_looking_late_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    late = run(WORLDS[name], seed=4)
    monkeypatch.setattr(Sampler, "_appoint", always_there)
    assert run(WORLDS[name], seed=4).journal == late.journal
    assert any(isinstance(row, TrafficRecord) for row in late.journal)


def always_there(sampler: Sampler) -> None:
    """An appointment at the end of every window."""
    if sampler._appointed_s == inf:
        sampler._appointed_s = sampler._end_s
        sampler._appointment = sampler._ground.clock.call_at(sampler._end_s, Rank.SAMPLER, sampler._act)


def test_the_worlds_have_what_they_are_to_show() -> None:
    paged = run(WORLDS["alert people"], seed=4)
    assert any(isinstance(row, DecisionRecord) and row.decision == "alert" for row in paged.journal)
    for name in ("half of the pods", "hot pods", "old pods", "a leak"):
        assert began(run(WORLDS[name], seed=4)), name


def began(result: RunResult) -> list[float]:
    return [row.t_s for row in result.journal if isinstance(row, FaultRecord)]


def test_windows_are_wide_where_sampled_seldom() -> None:
    world = WORLDS["nothing"]
    seldom = replace(world, telemetry=replace(world.telemetry, sample_interval_s=45.0))
    rows = [row for row in run(seldom, seed=1).journal if isinstance(row, TrafficRecord)]
    assert {row.width_s for row in rows[:-2]} == {45.0}


def test_a_grid_hands_out_each_instant_once() -> None:
    grid = Grid(1.0, 2.5)
    assert grid.before(1.0) == ()
    assert grid.before(nextafter(6.0, inf)) == (1.0, 3.5, 6.0)
    assert (grid.before(8.5), grid.next_s) == ((), 8.5)
