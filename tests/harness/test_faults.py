"""Faults at a cluster run: when, on which pods, and what is done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from harness.cluster.objects import Object
from harness.faults import FaultEngine, View
from harness.faults.network import Network
from harness.faults.nodes import KilledPods
from harness.faults.pods import Subject, subjects
from harness.faults.telling import Teller
from harness.missing import MissingError
from sim.model.behaviour import (
    Crash,
    Errors,
    Fault,
    NodeLoss,
    PodKill,
    ProviderOutage,
    Side,
    Slowdown,
    Target,
    Trigger,
)
from sim.model.records import FaultRecord
from tests.engine import builders
from tests.harness.fakes import AtOnce
from tests.harness.stage import Stage

ERRORS = Errors(0.5)


def pod(name: str, side: str = "candidate", created: int = 0, container: str = "") -> Object:
    second = f"2026-01-01T00:00:{created:02d}+00:00"
    status = {"containerID": container or f"id-{name}", "state": {"running": {"startedAt": second}}}
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "1970-01-01T00:00:05Z"}
    return {
        "metadata": {"name": name, "annotations": {"rolltwin.dev/side": side}, "creationTimestamp": second},
        "spec": {},
        "status": {"containerStatuses": [status], "conditions": [ready]},
    }


class RecordedNodes:
    adaptation = ""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def lose(self, fault: str, count: int, pods: Sequence[Subject]) -> None:
        self.calls.append(f"lose {count} of {len(pods)} for {fault}")

    def restore(self) -> None:
        self.calls.append("restore")


class World:
    """Two pods of each side, and an engine that is polled at set times."""

    def __init__(self, *faults: Fault, own: tuple[Fault, ...] = (), network: bool = False) -> None:
        manifests = builders.deployment_manifests(replicas=2)
        self.stage = Stage(builders.scenario(manifests, faults=faults, release=builders.release(faults=own)))
        self.objects = self.stage.objects
        for one in (pod("s1", "stable"), pod("s2", "stable", 1), pod("c1", created=2), pod("c2", created=3)):
            self.put(one)
        self.weights = (20.0, 80.0)
        self.outages: list[tuple[str, bool]] = []
        self.nodes = RecordedNodes()
        teller = Teller(self.objects, AtOnce(), lambda: self.stage.recorder.now_s)
        view = View(teller, self.nodes, lambda: self.weights, lambda name, on: self.outages.append((name, on)))
        self.delays: list[dict[str, float]] = []
        self.engine = FaultEngine(self.stage.site, replace(view, network=cast("Network", self)) if network else view)

    def delay(self, pods: Sequence[Subject], delays_s: dict[str, float]) -> None:
        """As the network hears of it: what changed."""
        del pods
        wanted = {name: delay for name, delay in delays_s.items() if delay}
        if not self.delays or self.delays[-1] != wanted:
            self.delays.append(wanted)

    def close(self) -> None:
        self.delays.append({"closed": 0.0})

    def put(self, one: Object) -> None:
        self.objects.watch("Pod").objects[one["metadata"]["name"]] = one

    def at(self, t_s: float) -> World:
        self.stage.recorder.now_s = t_s
        self.engine.poll()
        self.engine.poll()
        return self

    @property
    def told(self) -> list[tuple[str, list[str]]]:
        """(pod, names of faults) in the order of telling."""
        return [(name, [one["name"] for one in faults]) for name, faults in self.objects.posted]

    @property
    def rows(self) -> list[tuple[float, str, str]]:
        return [(row.t_s, row.fault, row.state) for row in self.stage.rows(FaultRecord)]


def test_pods_aimed_at_are_told_once_at_the_start_and_once_at_the_end() -> None:
    world = World(Fault("errors", ERRORS, Trigger(10.0, 20.0), Target(Side.CANDIDATE)))
    world.at(9.0)
    assert world.told == []
    world.at(10.0).at(15.0)
    assert world.told == [("c1", ["errors"]), ("c2", ["errors"])]
    world.at(30.0)
    assert world.told[2:] == [("c1", []), ("c2", [])]
    assert world.rows == [(10.0, "errors", "began"), (30.0, "errors", "ended")]


def test_a_share_means_the_oldest_and_a_new_container_has_to_be_told_again() -> None:
    world = World(Fault("slow", Slowdown(2.0), Trigger(), Target(Side.ALL, 0.5)))
    world.at(1.0)
    assert world.told == [("s1", ["slow"]), ("s2", ["slow"])]
    world.put(pod("s2", "stable", 1, container="restarted"))
    world.at(2.0)
    assert world.told[2:] == [("s2", ["slow"])]


def test_weights_and_the_age_of_pods_count() -> None:
    heavy = Fault("heavy", ERRORS, Trigger(above_weight=40.0), Target(Side.CANDIDATE))
    old = Fault("old", PodKill(1), Trigger(pod_age_s=50.0), Target(Side.STABLE))
    world = World(heavy, old)
    world.at(1.0)
    assert world.told == []
    assert world.objects.deleted == []
    world.weights = (50.0, 50.0)
    world.at(55.0)
    assert world.told == [("c1", ["heavy"]), ("c2", ["heavy"])]
    assert world.objects.deleted == [("Pod", "s1", 0)]


def test_as_many_pods_are_killed_as_the_fault_says() -> None:
    world = World(Fault("kill", PodKill(3), Trigger(5.0), Target(Side.CANDIDATE)))
    world.at(5.0)
    assert world.objects.deleted == [("Pod", "c1", 0), ("Pod", "c2", 0)]
    world.put(pod("c3", created=10))
    world.put(pod("c4", created=11))
    world.at(6.0).at(7.0)
    assert world.objects.deleted == [("Pod", "c1", 0), ("Pod", "c2", 0), ("Pod", "c3", 0)]


def test_a_versions_own_fault_is_told_only_where_its_pods_cannot_judge_it() -> None:
    alone = Fault("alone", Crash(0.0))
    timed = Fault("timed", ERRORS, Trigger(30.0))
    world = World(own=(alone, timed))
    world.at(1.0)
    assert world.told == []
    assert world.rows == [(1.0, "alone", "began")]
    world.at(30.0)
    assert world.told == [("c1", ["timed"]), ("c2", ["timed"])]


def test_a_pod_says_itself_whether_its_load_is_high_enough() -> None:
    world = World(Fault("hot", ERRORS, Trigger(above_rps_per_pod=50.0), Target(Side.CANDIDATE)))
    world.at(1.0)
    assert world.told == [("c1", ["hot"]), ("c2", ["hot"])]
    assert world.rows == []
    world.objects.acting = ["hot"]
    world.at(20.0)
    assert world.rows == [(20.0, "hot", "began")]


def test_a_pod_that_does_not_answer_is_told_later() -> None:
    world = World(Fault("errors", ERRORS, Trigger(), Target(Side.CANDIDATE)))
    world.objects.deaf = {"c1"}
    world.at(1.0)
    world.objects.deaf = set()
    world.at(1.5)
    assert world.told == [("c2", ["errors"])]
    world.at(2.5)
    assert world.told[1:] == [("c1", ["errors"])]


def test_outages_and_node_losses_begin_and_end_once() -> None:
    world = World(
        Fault("blind", ProviderOutage("prometheus"), Trigger(10.0, 10.0)),
        Fault("loss", NodeLoss(1), Trigger(15.0, 10.0)),
    )
    world.at(5.0).at(10.0).at(15.0).at(20.0).at(25.0)
    assert world.outages == [("prometheus", True), ("prometheus", False)]
    assert world.nodes.calls == ["lose 1 of 4 for loss", "restore"]
    assert [(fault, state) for _, fault, state in world.rows] == [
        ("blind", "began"), ("loss", "began"), ("blind", "ended"), ("loss", "ended")
    ]  # fmt: skip


def test_added_time_is_the_networks_where_it_is_given() -> None:
    slow = Fault("slow", Slowdown(add_s=0.2), Trigger(10.0, 10.0), Target(Side.CANDIDATE))
    world = World(slow, network=True)
    world.at(5.0).at(10.0).at(20.0)
    assert world.told == []
    assert world.delays == [{}, {"c1": 0.2, "c2": 0.2}, {}]
    assert [state for _, _, state in world.rows] == ["began", "ended"]
    assert "the twin's do" in world.engine.adaptations[0]
    world.engine.close()
    assert world.delays[-1] == {"closed": 0.0}


def test_nobody_can_stop_a_datadog() -> None:
    with pytest.raises(MissingError, match="datadog of our own is missing: fault blind stops it"):
        World(Fault("blind", ProviderOutage("datadog")))


def test_a_region_has_its_own_faults() -> None:
    world = World(Fault("there", ERRORS, Trigger(), Target(region="osaka")))
    world.at(1.0)
    assert world.told == []


def test_without_workers_a_node_takes_its_share_of_the_pods() -> None:
    stage = Stage(builders.scenario(builders.deployment_manifests()))
    pods = [Subject(f"p{k}", "stable", "v", str(k)) for k in range(6)]
    KilledPods(stage.objects, of=3).lose("loss", 1, pods)
    assert [name for _, name, _ in stage.objects.deleted] == ["p0", "p1"]


def test_a_pod_is_read_as_the_api_tells_it() -> None:
    stage = Stage(builders.scenario(builders.deployment_manifests()))
    waiting: dict[str, Any] = pod("b")
    waiting["status"] = {"containerStatuses": [{"state": {"waiting": {}}}]}
    bare: Object = {"metadata": {"name": "prometheus"}, "spec": {}}
    found = subjects([waiting, bare, pod("a")], {"candidate": "v2"}, stage.recorder)
    assert [(one.name, one.container, one.ready_s) for one in found] == [("a", "id-a", 5.0), ("b", "", None)]
    assert found[0].version == "v2"
