"""ALB routers: Services that change places at every promotion, and weights that are asked for again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.engine import run
from sim.model.behaviour import Release
from sim.model.manifests import ManifestSet
from sim.model.network import Ingress, IngressPath, ServiceSpec
from sim.model.operations import Command, Operation
from sim.model.records import RunResult, ScaleRecord, Verdict, WeightRecord
from sim.model.rollout import CanaryStep, IngressRouting, TrafficRouting
from tests.engine import builders
from tests.engine.test_canary import weights

SECOND = Release("second", good=True, share=0.0, behaviour=builders.version("second"))
ALB = TrafficRouting(kinds=("alb",), alb=IngressRouting("web", root_service="root"))


def behind_alb(*steps: CanaryStep, ping_pong: bool = False) -> ManifestSet:
    manifests = builders.canary_manifests(steps, replicas=4)
    spec = manifests.rollouts[0]
    assert spec.canary is not None
    names = ("ping", "pong") if ping_pong else ("shop-stable", "shop-canary")
    canary = replace(spec.canary, traffic_routing=ALB)
    if ping_pong:
        canary = replace(canary, ping_pong=("ping", "pong"), stable_service="", canary_service="")
    return replace(
        manifests,
        rollouts=(replace(spec, canary=canary),),
        services=tuple(ServiceSpec(name, selector=builders.APP) for name in (*names, "root")),
        virtual_services=(),
        ingresses=(Ingress("web", paths=(IngressPath("/", service="root"),)),),
    )


def test_ping_and_pong_change_places_at_every_promotion() -> None:
    manifests = behind_alb(builders.set_weight(50), builders.pause(60), ping_pong=True)
    operations = (Operation(300.0, Command.APPLY, release="second"),)
    scenario = builders.scenario(manifests, operations=operations, mix=(builders.release(), SECOND))
    result = run(scenario, seed=1)
    assert result.verdict is Verdict.PROMOTED
    assert result.ended_s > 300
    assert weights(result) == [(0.0, 100.0), (50.0, 50.0), (100.0, 0.0)]
    served = [row for row in result.journal if isinstance(row, WeightRecord)]
    assert all(row.candidate + row.stable == 100 for row in served)


def test_an_aborted_ping_pong_update_leaves_everything_to_the_stable_service() -> None:
    manifests = behind_alb(builders.set_weight(50), builders.pause(60), ping_pong=True)
    result = run(builders.scenario(manifests, operations=(Operation(60.0, Command.ABORT),)), seed=1)
    assert result.verdict is Verdict.ABORTED
    assert weights(result)[-1] == (0.0, 100.0)


def old_pods_go_s(result: RunResult) -> float:
    rows = [row for row in result.journal if isinstance(row, ScaleRecord) and row.side == "stable"]
    return next(row.t_s for row in rows if row.desired == 0)


@pytest.mark.parametrize("asks", [True, False], ids=["verified", "unverified"])
def test_the_old_version_stays_until_a_verified_alb_has_the_full_weight(asks: bool) -> None:
    slow = replace(builders.CLUSTER, router_propagation=(("alb", builders.constant(90.0)),), verify_weights=asks)
    result = run(builders.scenario(behind_alb(builders.set_weight(50)), cluster=slow, tail_s=300.0), seed=1)
    full_s = next(row.t_s for row in result.journal if isinstance(row, WeightRecord) and row.candidate == 100)
    assert result.verdict is Verdict.PROMOTED
    assert (old_pods_go_s(result) > full_s) == asks
