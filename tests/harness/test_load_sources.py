"""Sources: independent, Poisson, and at the planned rate."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import mean, pstdev

import pytest

from harness.load.plan import LoadPlan, plan_of, read, sources_of, write
from harness.load.sources import Source, goes_on
from sim.model.load import Burst, Client, Diurnal, LoadShape, RequestClass, Stage
from tests.engine import builders


def plan(load: LoadShape, **changes: object) -> LoadPlan:
    world = builders.deployment_manifests()
    scenario = builders.scenario(world, load=load, warm_up_s=20.0, horizon_s=1000.0, tail_s=0.0)
    return replace(plan_of(scenario, 7), **changes)  # type: ignore[arg-type]


def arrivals(one: LoadPlan, number: int, until_s: float) -> list[float]:
    source, found = Source(one, number), []
    while (at_s := source.next_s(until_s)) is not None:
        found.append(at_s)
    return found


def test_one_source_is_poisson_at_the_rate() -> None:
    found = arrivals(plan(LoadShape((Stage(60.0, 10.0),))), 0, 980.0)
    gaps = [after - before for before, after in pairwise(found)]
    assert len(found) == pytest.approx(10_000, abs=400)
    assert mean(gaps) == pytest.approx(0.1, rel=0.04)
    assert pstdev(gaps) == pytest.approx(0.1, rel=0.08)


def test_a_source_repeats_itself_and_no_other() -> None:
    one = plan(LoadShape((Stage(60.0, 60.0),)))
    assert arrivals(one, 1, 0.0) == arrivals(one, 1, 0.0)
    assert set(arrivals(one, 1, 0.0)).isdisjoint(arrivals(one, 2, 0.0))
    assert set(arrivals(one, 1, 0.0)).isdisjoint(arrivals(replace(one, region="osaka"), 1, 0.0))


def test_looking_piece_by_piece_changes_nothing_but_the_draws() -> None:
    source, one = Source(plan(LoadShape((Stage(60.0, 20.0),))), 0), 0
    for limit_s in range(-19, 981):
        while source.next_s(float(limit_s)) is not None:
            one += 1
    assert one == pytest.approx(20_000, abs=600)


@pytest.mark.parametrize(
    "load",
    [
        LoadShape((Stage(100.0, 10.0), Stage(100.0, 90.0), Stage(1.0, 20.0))),
        LoadShape((Stage(100.0, 10.0), Stage(200.0, 60.0, ramp=True))),
        LoadShape((Stage(1.0, 30.0),), Diurnal(0.8, peak_hour=10.2)),
        LoadShape((Stage(1.0, 5.0),), bursts=(Burst(50.0, 0.4, 30.0),)),
    ],
    ids=["steps", "ramp", "diurnal", "burst"],
)
def test_all_sources_together_have_the_planned_rate(load: LoadShape) -> None:
    one = plan(load)
    times = [t / 10 + 0.05 for t in range(-200, 4000)]
    sources = [Source(one, number) for number in range(one.sources[-1][1])]
    for t in times:
        rates = [source.rate_rps(t) for source in sources]
        assert sum(rates) == pytest.approx(load.rate_rps(max(t, 0.0)))
        assert max(rates) <= one.bound_rps


def test_sources_are_there_before_the_rate_needs_them() -> None:
    load = LoadShape((Stage(100.0, 10.0), Stage(100.0, 60.0), Stage(1.0, 10.0)))
    assert list(sources_of(load, 1.0, -20.0, 500.0)) == [(-20.0, 1), (90.0, 3)]
    assert list(sources_of(load, 0.5, -20.0, 500.0)) == [(-20.0, 1), (90.0, 2)]


def test_nobody_calls_where_nobody_ever_does() -> None:
    assert arrivals(plan(LoadShape((Stage(60.0, 0.0),))), 0, 500.0) == []


def test_classes_come_in_their_shares() -> None:
    one = plan(LoadShape(classes=(RequestClass(0.25, path="/a"),)))
    source = Source(one, 0)
    drawn = [one.classes[source.draw_class()].path for _ in range(8000)]
    assert drawn.count("/a") == pytest.approx(2000, abs=160)


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    load = LoadShape(
        (Stage(10.0, 5.0), Stage(5.0, 9.0, ramp=True)),
        Diurnal(),
        (Burst(1.0, 2.0, 3.0),),
        (RequestClass(0.5, "buy", "/buy?x=1", "POST", (("x-user", "1"),), in_mesh=True, labels=(("app", "web"),)),),
    )
    one = plan(load)
    write(one, tmp_path / "plan.json", target="http://shop:80")
    again, more = read(tmp_path / "plan.json")
    assert again == replace(one, load=replace(load, classes=()), client=replace(one.client, headers=()))
    assert more == {"target": "http://shop:80"}


@pytest.mark.parametrize(
    ("attempt", "status", "timed_out", "expected"),
    [
        (0, 200, False, False),
        (0, 500, False, False),
        (0, 503, False, True),
        (0, 0, False, True),
        (0, 504, True, True),
        (1, 503, False, True),
        (2, 503, False, False),
    ],
)
def test_a_client_tries_again_as_the_twins_do(attempt: int, status: int, timed_out: bool, expected: bool) -> None:
    one = replace(plan(LoadShape()), client=Client(retries=2))
    assert goes_on(one, attempt, status, timed_out) is expected
