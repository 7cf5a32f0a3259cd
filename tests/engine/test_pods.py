"""A pod's life at fixed delays, restarts and terminations, through a world with one Deployment."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from sim.engine import run
from sim.model.behaviour import Crash, Fault, NodeLoss, PodKill, Side, SlowStart, Target, Trigger
from sim.model.pods import AntiAffinity, Probe
from sim.model.records import PodRecord, RunResult, TrafficRecord, Verdict
from sim.model.strategy import RollingUpdate
from sim.model.units import IntOrPercent
from tests.engine import builders


def states(result: RunResult, side: str, state: str) -> list[float]:
    return [row.t_s for row in result.journal if isinstance(row, PodRecord) and row.side == side and row.state == state]


def one_pod_update(**changes: object) -> RunResult:
    manifests = builders.deployment_manifests(replicas=1, max_surge=IntOrPercent(1), max_unavailable=IntOrPercent(0))
    return run(builders.scenario(manifests, RollingUpdate("shop"), **changes), seed=1)


def test_a_pod_is_ready_on_the_first_tick_after_it_is_up() -> None:
    # reconcile 0.005; schedule 1, pull 4, start-up 7 -> up at 12.005; the grid of 5 s begins at the binding, 1.005.
    result = one_pod_update()
    assert states(result, "candidate", "running") == pytest.approx([5.005])
    assert states(result, "candidate", "ready") == pytest.approx([16.005])


def test_the_second_pod_on_a_node_finds_the_image() -> None:
    manifests = builders.deployment_manifests(replicas=2, max_surge=IntOrPercent(2), max_unavailable=IntOrPercent(0))
    cluster = replace(builders.CLUSTER, nodes=1)
    result = run(builders.scenario(manifests, RollingUpdate("shop"), cluster=cluster), seed=1)
    # Both are scheduled together and pull at once; neither waits for the other.
    assert len(states(result, "candidate", "running")) == 2


def test_termination_is_graceful_and_ends_within_the_clients_patience() -> None:
    result = one_pod_update()
    begun, gone = states(result, "stable", "terminating"), states(result, "stable", "gone")
    assert begun == pytest.approx([16.01], abs=0.01)
    assert gone[0] - begun[0] == pytest.approx(2.0)  # propagation 1 s, then the client's time-out of 1 s


@pytest.mark.parametrize(
    ("pre_stop_s", "fails"), [pytest.param(0.0, True, id="none"), pytest.param(5.0, False, id="sleeps")]
)
def test_only_without_pre_stop_do_requests_fail_while_routers_lag(pre_stop_s: float, fails: bool) -> None:
    manifests = builders.deployment_manifests(replicas=4, template=builders.template(pre_stop_s=pre_stop_s))
    quiet = builders.version("stable", 0.0)
    good = replace(builders.release(), behaviour=builders.version("candidate", 0.0))
    result = run(builders.scenario(manifests, RollingUpdate("shop"), stable=quiet, release=good), seed=1)
    refused = sum(
        count for row in result.journal if isinstance(row, TrafficRecord) for code, count in row.statuses if code == 503
    )
    assert (refused > 0) is fails


def test_crash_loop_restarts_at_once_then_after_ten_twenty_forty_seconds() -> None:
    crash = Fault("crash", Crash(), target=Target(Side.CANDIDATE))
    result = one_pod_update(release=builders.release(good=False, faults=(crash,)), horizon_s=400.0)
    crashes = states(result, "candidate", "crashed")[:6]
    gaps = [b - a for a, b in pairwise(crashes)]
    assert gaps == pytest.approx([0.0, 10.0, 20.0, 40.0, 80.0], abs=1e-6)
    assert result.verdict is Verdict.STUCK


def test_a_slow_start_delays_readiness_and_liveness_kills_the_slowest() -> None:
    slow = Fault("slow", SlowStart(factor=1.0, add_s=60.0), target=Target(Side.CANDIDATE))
    lasting = one_pod_update(release=builders.release(faults=(slow,)))
    assert states(lasting, "candidate", "ready") == pytest.approx([76.005])
    probes = builders.template(liveness=Probe(initial_delay_s=15, period_s=10))
    manifests = builders.deployment_manifests(replicas=1, template=probes)
    killed = run(
        builders.scenario(manifests, RollingUpdate("shop"), release=builders.release(faults=(slow,)), horizon_s=200.0),
        seed=1,
    )
    reasons = {row.reason for row in killed.journal if isinstance(row, PodRecord) and row.state == "crashed"}
    assert reasons == {"liveness probe"}
    assert killed.verdict is Verdict.STUCK


def test_pods_without_room_are_pending_until_some_comes_free() -> None:
    manifests = builders.deployment_manifests(
        replicas=2,
        max_surge=IntOrPercent(1),
        max_unavailable=IntOrPercent(1),
        template=builders.template(cpu_request=1.0),
    )
    cluster = replace(builders.CLUSTER, nodes=1, node_cpu=2.0)
    result = run(builders.scenario(manifests, RollingUpdate("shop"), cluster=cluster), seed=1)
    assert states(result, "candidate", "pending")
    assert result.verdict is Verdict.PROMOTED


def test_required_anti_affinity_keeps_the_canary_off_the_stable_nodes() -> None:
    manifests = builders.canary_manifests((builders.set_weight(50), builders.pause(10)), replicas=2)
    rollout = manifests.rollouts[0]
    assert rollout.canary is not None
    strict = replace(rollout, canary=replace(rollout.canary, anti_affinity=(AntiAffinity.REQUIRED,)))
    cluster = replace(builders.CLUSTER, nodes=3)
    result = run(builders.scenario(replace(manifests, rollouts=(strict,)), cluster=cluster), seed=1)
    ready = [row for row in result.journal if isinstance(row, PodRecord) and row.state == "ready"]
    nodes = {side: {row.node for row in ready if row.side == side} for side in ("stable", "candidate")}
    assert not nodes["stable"] & nodes["candidate"]


def test_killed_pods_are_gone_at_once_and_replaced() -> None:
    kill = Fault("kill", PodKill(2), Trigger(start_s=60.0), Target(Side.CANDIDATE))
    manifests = builders.deployment_manifests(replicas=4)
    result = run(builders.scenario(manifests, RollingUpdate("shop"), faults=(kill,), tail_s=200.0), seed=1)
    rows = [row for row in result.journal if isinstance(row, PodRecord) and row.side == "candidate"]
    gone = [row for row in rows if row.state == "gone"]
    assert [row.reason for row in gone] == ["Killed", "Killed"]
    assert all(60.0 < row.t_s < 65.0 for row in gone)
    ready = [row.pod for row in rows if row.state == "ready" and row.t_s <= 60.0]
    assert [row.pod for row in gone] == ready[:2], "the oldest"
    assert len([row for row in rows if row.state == "running" and row.t_s > 60.0]) == 2
    assert result.verdict is Verdict.PROMOTED
    refused = [row for row in result.journal if isinstance(row, TrafficRecord) and dict(row.statuses).get(503)]
    assert any(60.0 < row.t_s < 75.0 for row in refused)


def test_a_kill_waits_for_pods_of_its_target() -> None:
    kill = Fault("kill", PodKill(1), Trigger(start_s=-5.0), Target(Side.CANDIDATE))
    result = run(
        builders.scenario(builders.deployment_manifests(replicas=4), RollingUpdate("shop"), faults=(kill,)), seed=1
    )
    gone = [row for row in result.journal if isinstance(row, PodRecord) and row.reason == "Killed"]
    assert len(gone) == 1
    assert result.verdict is Verdict.PROMOTED


def test_a_lost_node_is_noticed_after_its_grace_and_its_pods_are_replaced_after_eviction() -> None:
    loss = Fault("loss", NodeLoss(1), Trigger(start_s=60.0))
    manifests = builders.deployment_manifests(replicas=4)
    cluster = replace(builders.CLUSTER, nodes=4)
    result = run(
        builders.scenario(manifests, RollingUpdate("shop"), faults=(loss,), cluster=cluster, tail_s=500.0), seed=1
    )
    noticed = [t for side in ("stable", "candidate") for t in states(result, side, "unready")]
    replaced = [t for t in states(result, "candidate", "running") if t > 300.0]
    assert noticed
    assert noticed == pytest.approx([100.0] * len(noticed))
    assert len(replaced) == len(noticed)
    assert min(replaced) > 400.0
