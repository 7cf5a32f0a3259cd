from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from harness.profile import Profile, profile, profiled
from harness.profile.measuring import Samples, spread, written
from scenarios import library
from scenarios.document import load
from sim.model.behaviour import Delay, Fault, NodeLoss
from sim.model.scenario import Cluster, Scenario
from sim.model.strategy import RollingUpdate
from sim.study import run_once

MEASURED = Profile(
    Delay(1.2, sigma=0.1), Delay(0.0, sigma=0.0), Delay(0.1, sigma=0.3), Delay(0.2, sigma=0.4), 0.01, "here"
)
CANARY = library.DEFAULT.parent / "triptrip" / "scenarios" / "repaired" / "rolling-update.yaml"


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load(CANARY).scenario


def test_the_packaged_profile_can_be_read() -> None:
    found = profile()
    assert 0 < found.route_propagation.median_s < found.schedule.median_s
    assert found.source


def test_the_twin_gets_the_clusters_delays(scenario: Scenario) -> None:
    cluster = profiled(scenario, MEASURED).cluster
    assert (cluster.schedule, cluster.image_pull) == (MEASURED.schedule, MEASURED.image_pull)
    assert (cluster.endpoint_propagation, cluster.route_propagation) == (Delay(0.1, sigma=0.3), Delay(0.2, sigma=0.4))
    assert cluster.controller_latency_s == 0.01


def test_nothing_but_the_cluster_changes(scenario: Scenario) -> None:
    assert replace(profiled(scenario, MEASURED), cluster=scenario.cluster) == scenario


def test_one_node_has_the_room_of_all(scenario: Scenario) -> None:
    cluster = profiled(scenario, MEASURED).cluster
    assert (cluster.nodes, cluster.node_cpu, cluster.node_memory) == (1, 6 * 16.0, 6 * 64 * 2.0**30)


def test_nodes_that_a_fault_takes_away_stay(scenario: Scenario) -> None:
    losing = replace(scenario, faults=(Fault("loss", NodeLoss()),))
    assert profiled(losing, MEASURED).cluster.nodes == Cluster().nodes
    release = replace(scenario.release, behaviour=replace(scenario.stable, faults=losing.faults))
    assert profiled(replace(scenario, release=release), MEASURED).cluster.nodes == Cluster().nodes


def test_a_scenario_without_nodes_stays_without(scenario: Scenario) -> None:
    empty = replace(scenario, cluster=replace(scenario.cluster, nodes=0))
    assert profiled(empty, MEASURED).cluster.nodes == 0


def test_the_twin_runs_on_it(scenario: Scenario) -> None:
    assert isinstance(scenario.strategy, RollingUpdate)
    assert run_once(profiled(scenario, MEASURED), seed=1).verdict == "promoted"


def test_what_was_measured_can_be_read_back(tmp_path: Path) -> None:
    found = Samples([1.0, 1.5, 2.0], [0.1, 0.2, 0.3], [0.2, 0.25, 0.4], [0.02, 0.01, 0.03])
    file = tmp_path / "profile.yaml"
    file.write_text(written(found, "here, 2 cores"), encoding="utf-8")
    read = profile(file)
    assert (read.schedule.median_s, read.endpoint_propagation.median_s, read.route_propagation.median_s) == (
        1.5,
        0.2,
        0.25,
    )
    assert (read.controller_latency_s, read.image_pull.median_s, read.source) == (0.02, 0.0, "here, 2 cores")


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param([2.0], (2.0, 0.0), id="one"),
        pytest.param([1.0, 1.0, 1.0], (1.0, 0.0), id="all alike"),
        pytest.param([1.0, math.e, math.e**2], (math.e, 1.0), id="log-normal"),
        pytest.param([-0.1, 0.0], (0.001, 0.0), id="not before it was asked for"),
    ],
)
def test_samples_as_a_delay(samples: list[float], expected: tuple[float, float]) -> None:
    assert spread(samples) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "[]", "source: here", "schedule: 1"])
def test_a_file_that_is_no_profile(tmp_path: Path, text: str) -> None:
    file = tmp_path / "profile.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="a profile has exactly"):
        profile(file)


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    file = tmp_path / "profile.yaml"
    file.write_text("a: [", encoding="utf-8")
    with pytest.raises(ValueError, match="is no YAML"):
        profile(file)


def test_a_delay_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "profile.yaml"
    file.write_text(written(Samples([1], [1], [1], [1]), "").replace("sigma: 0.00}", "}"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"must be \{median_s"):
        profile(file)
