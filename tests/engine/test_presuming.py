"""Gates that are asked later give the same replication, byte for byte, as gates that are asked at once."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engine import presuming, run
from sim.engine.lookout import Grid
from sim.engine.observing import Watch
from sim.engine.presuming import PresumedWronglyError, Presuming
from sim.metrics.store import to_ms
from sim.model.behaviour import Crash, Errors, Fault, ProviderOutage, Side, Target, Trigger
from sim.model.data_plane import DataPlaneMode
from sim.model.records import MeasurementRecord, RunResult
from sim.model.scenario import Scenario
from tests.engine import builders

RATIO = 'sum(rate(http_requests_total{status!~"5.."}[1m])) / sum(rate(http_requests_total[1m]))'
P99 = "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[1m])))"
BEFORE = "sum(rate(http_requests_total[1m] offset 30s))"


def world(condition: str, *queries: str, faults: tuple[Fault, ...] = (), limit: int = 1, **changes: Any) -> Scenario:
    templates = tuple(
        builders.prometheus_template(f"gate-{n}", query, condition, interval="20s", failureLimit=limit)
        for n, query in enumerate(queries)
    )
    steps = (builders.set_weight(20), builders.pause(70), builders.set_weight(60), builders.pause(90))
    manifests = builders.canary_manifests(
        steps, templates=templates, background=builders.refs(*(one.name for one in templates)), min_ready_s=3
    )
    return builders.scenario(manifests, faults=faults, **changes)


ALL, CANDIDATE = Target(Side.ALL), Target(Side.CANDIDATE)
WORLDS: dict[str, Scenario] = {
    "passed": world("len(result) == 0 || isNaN(result[0]) || result[0] >= 0", RATIO, P99),
    "passed amid crashes": world(
        "len(result) == 0 || result[0] != 7", RATIO, P99, faults=(Fault("crashes", Crash(60.0), target=ALL),)
    ),
    "failed at once": world("result[0] > 2", RATIO),
    "failed now and then": world("result[0] >= 0.999", RATIO, P99, limit=100),
    "failed late": world(
        "result[0] >= 0.9", RATIO, faults=(Fault("bad", Errors(0.9), Trigger(start_s=130.0), CANDIDATE),)
    ),
    "unanswered for a while": world(
        "len(result) == 0 || result[0] >= 0",
        RATIO,
        faults=(Fault("down", ProviderOutage("prometheus"), Trigger(start_s=50.0, duration_s=35.0)),),
    ),
    "in error": world("result.nothing", RATIO),
    "of another time": world("len(result) == 0 || result[0] >= 0", BEFORE, RATIO),
    "drawn in aggregate": world("len(result) == 0 || result[0] >= 0", RATIO, P99, data_plane=DataPlaneMode.AGGREGATE),
}


@pytest.mark.parametrize(("name", "seed"), list(product(WORLDS, (1, 2))))
def test_the_replication_is_the_same(name: str, seed: int) -> None:
    assert run(WORLDS[name], seed) == run(WORLDS[name], seed, watch=Watch())


@settings(max_examples=20)
@given(st.floats(0.99, 1.0), st.integers(0, 3), st.integers(0, 1000), st.sampled_from((RATIO, P99)))
def test_so_it_is_whatever_the_gate(bound: float, limit: int, seed: int, query: str) -> None:
    gated = world(f"len(result) > 0 && result[0] >= {bound}", query, limit=limit)
    assert run(gated, seed) == run(gated, seed, watch=Watch())


def values(result: RunResult) -> list[str]:
    return [row.value for row in result.journal if isinstance(row, MeasurementRecord)]


def test_passed_gates_are_asked_together(monkeypatch: pytest.MonkeyPatch) -> None:
    settled: list[int] = []
    settle = Presuming._settle

    def noted(one: Presuming) -> None:
        settled.append(len(one._open))
        settle(one)

    monkeypatch.setattr(Presuming, "_settle", noted)
    measured = values(run(WORLDS["passed"], 1))
    assert sum(settled) >= len(measured) - 1 > 10
    assert settled[:2] == [presuming._FIRST, 2 * presuming._FIRST]
    assert not any("\0" in value for value in measured)


@pytest.mark.parametrize("name", ["failed at once", "failed late", "in error"])
def test_a_gate_that_is_not_passed_is_found_out(name: str) -> None:
    with pytest.raises(PresumedWronglyError):
        run(WORLDS[name], 1, watch=Presuming())


def test_bad_releases_are_not_presumed_to_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Presuming, "presumed", lambda *_: pytest.fail("presumed"))
    run(replace(WORLDS["passed"], release=builders.release(good=False)), 1)


@pytest.mark.parametrize("query", [BEFORE, "sum(http_requests_total @ end())"])
def test_queries_of_other_times_are_asked_at_once(query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Presuming, "_settle", lambda one: one._open and pytest.fail("presumed"))
    run(world("len(result) == 0 || result[0] >= 0", query), 1)


def test_within_the_millisecond_of_a_scrape_they_are_asked_at_once() -> None:
    grid = Grid(0.1234, 15.0)
    within = [to_ms(0.1234 + 15.0 * count) for count in (0, 1, 7)]
    assert all(grid.is_within(t_ms) for t_ms in within)
    assert not any(grid.is_within(t_ms + off) for t_ms in within for off in (-1, 1, 7000))
