"""Who gets which requests: hosts, gateways, headers and Services, seen through whole runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.engine import run
from sim.model.load import Client, LoadShape, RequestClass, request_classes
from sim.model.network import HttpRoute, RouteDestination, ServiceSpec, VirtualService
from sim.model.pods import DeploymentSpec, PodTemplate
from sim.model.records import RunResult, TrafficRecord, WeightRecord
from sim.model.rollout import CanaryScale, CanaryStep, CanaryStrategy, HeaderMatch, HeaderRoute
from tests.engine import builders


def weights(result: RunResult) -> list[tuple[float, float]]:
    return [(row.candidate, row.stable) for row in result.journal if isinstance(row, WeightRecord)]


def test_request_classes_share_everything_out() -> None:
    client = Client(headers=(("x", "a", 0.1), ("y", "b", 0.2)), in_mesh_share=0.25)
    load = LoadShape(classes=(RequestClass(0.4, "orders", "/orders"),))
    classes = request_classes(load, client)
    assert sum(one.share for one in classes) == pytest.approx(1.0)
    assert len(classes) == 7


def test_another_virtual_service_that_is_older_takes_the_canarys_traffic() -> None:
    """Audit D48: two VirtualServices for one host on one gateway are merged, the first catch-all wins."""
    manifests = builders.canary_manifests((builders.set_weight(50), builders.pause(60)))
    colored = (("app", "shop"), ("color", "blue"))
    older = VirtualService(
        "older",
        hosts=("shop",),
        gateways=("ingress",),
        http=(HttpRoute(destinations=(RouteDestination("shop-blue"),)),),
    )
    manifests = replace(
        manifests,
        deployments=(
            DeploymentSpec("shop-blue", replicas=2, selector=colored, template=builders.template(labels=colored)),
        ),
        services=(*manifests.services, ServiceSpec("shop-blue", selector=colored)),
        virtual_services=(older, *manifests.virtual_services),
    )
    assert set(weights(run(builders.scenario(manifests), seed=1))) == {(0.0, 100.0)}


def test_clients_of_a_virtual_service_without_gateways_are_in_the_mesh() -> None:
    manifests = builders.canary_manifests((builders.set_weight(50), builders.pause(60)))
    meshed = tuple(replace(one, gateways=("mesh",)) for one in manifests.virtual_services)
    result = run(builders.scenario(replace(manifests, virtual_services=meshed)), seed=1)
    assert weights(result)[:2] == [(0.0, 100.0), (50.0, 50.0)]


def test_pods_of_a_workload_reference_serve_clients_whatever_its_deployments_replicas() -> None:
    steps = (builders.set_weight(50), builders.pause(60))
    manifests = builders.canary_manifests(steps, replicas=4)
    (rollout,) = manifests.rollouts
    referenced = DeploymentSpec("shop", replicas=0, selector=builders.APP, template=rollout.template)
    spec = replace(rollout, template=PodTemplate(), workload_ref="shop", canary=CanaryStrategy(steps))
    services = (ServiceSpec("shop", selector=builders.APP),)
    manifests = replace(manifests, rollouts=(spec,), deployments=(referenced,), services=services, virtual_services=())
    assert weights(run(builders.scenario(manifests), seed=1))[0] == (0.0, 100.0)


def test_calls_from_inside_the_mesh_bypass_a_virtual_service_bound_to_the_gateway_only() -> None:
    """Audit D32, D33: they reach the plain Service, hence every pod it selects."""
    manifests = builders.canary_manifests((builders.set_weight(10), builders.pause(60)), replicas=4)
    manifests = replace(manifests, services=(*manifests.services, ServiceSpec("shop", selector=builders.APP)))
    scenario = builders.scenario(manifests, client=Client(in_mesh_share=1.0))
    # 1 canary beside 4 stable pods: a fifth of the traffic whatever the weight says, as soon as the pod is ready.
    assert (20.0, 80.0) in weights(run(scenario, seed=1))


def test_a_managed_header_route_sends_its_matches_to_the_canary() -> None:
    route = HeaderRoute("beta", (HeaderMatch("x-ring", "exact", "beta"),))
    steps = (
        CanaryStep(set_canary_scale=CanaryScale(replicas=2)),
        CanaryStep(set_header_route=route),
        builders.pause(60),
    )
    manifests = builders.canary_manifests(steps)
    canary = manifests.rollouts[0].canary
    assert canary is not None
    routing = replace(builders.ISTIO, managed_routes=("beta",))
    rollout = replace(manifests.rollouts[0], canary=replace(canary, traffic_routing=routing))
    client = Client(headers=(("x-ring", "beta", 0.2),))
    result = run(builders.scenario(replace(manifests, rollouts=(rollout,)), client=client), seed=1)
    during = [row for row in result.journal if isinstance(row, TrafficRecord) and 30 < row.t_s <= 70]
    candidate = sum(row.client_requests for row in during if row.side == "candidate")
    assert candidate / sum(row.client_requests for row in during) == pytest.approx(0.2, abs=0.04)
    assert weights(result)[0] == (0.0, 100.0)  # header routes are not part of the weights


def test_a_basic_canary_splits_by_pods() -> None:
    manifests = builders.canary_manifests((builders.set_weight(20), builders.pause(60)), replicas=5)
    canary = manifests.rollouts[0].canary
    assert canary is not None
    basic = replace(canary, traffic_routing=None, canary_service="", stable_service="")
    manifests = replace(
        manifests,
        rollouts=(replace(manifests.rollouts[0], canary=basic),),
        services=(ServiceSpec("shop", selector=builders.APP),),
        virtual_services=(),
    )
    assert (20.0, 80.0) in weights(run(builders.scenario(manifests), seed=1))
