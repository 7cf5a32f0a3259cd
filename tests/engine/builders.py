"""Small worlds in Python: manifests and scenarios for the engine's tests."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sim.model.analysis import AnalysisRef, AnalysisTemplate, TemplateRef
from sim.model.behaviour import Delay, Fault, People, Release, Shape, VersionBehaviour
from sim.model.load import Client, LoadShape, Stage
from sim.model.manifests import ManifestSet
from sim.model.network import HttpRoute, RouteDestination, ServiceSpec, VirtualService
from sim.model.pods import DeploymentSpec, PodTemplate, Probe
from sim.model.rollout import (
    BlueGreenStrategy,
    CanaryStep,
    CanaryStrategy,
    IstioVirtualService,
    Pause,
    RolloutSpec,
    TrafficRouting,
)
from sim.model.scenario import Cluster, Scenario
from sim.model.strategy import ArgoRollout, LocalStrategy, Strategy

APP = (("app", "shop"),)
QUIET = People(approve=None, alert=None, report=None, watch_degraded=False)


def constant(seconds: float) -> Delay:
    return Delay(seconds, Shape.CONSTANT)


def template(**changes: Any) -> PodTemplate:
    base = PodTemplate(labels=APP, image="shop:1", cpu_request=0.5, readiness=Probe(initial_delay_s=5, period_s=5))
    return replace(base, **changes)


def version(name: str = "v", error_ratio: float = 0.001, **changes: Any) -> VersionBehaviour:
    base = VersionBehaviour(name, service_time=Delay(0.02), statuses=((500, error_ratio),), start_up=constant(7))
    return replace(base, **changes)


def release(*, good: bool = True, error_ratio: float = 0.001, faults: tuple[Fault, ...] = ()) -> Release:
    return Release("good" if good else "bad", good, 1.0, version("candidate", error_ratio, faults=faults))


def set_weight(weight: int) -> CanaryStep:
    return CanaryStep(set_weight=weight)


def pause(duration: int | str | None) -> CanaryStep:
    return CanaryStep(pause=Pause(duration))


def analysis(*names: str) -> CanaryStep:
    return CanaryStep(analysis=refs(*names))


def refs(*names: str) -> AnalysisRef:
    return AnalysisRef(tuple(TemplateRef(name) for name in names))


def prometheus_template(name: str, query: str, condition: str, **metric: Any) -> AnalysisTemplate:
    provider = {"prometheus": {"address": "http://prometheus:9090", "query": query}}
    return AnalysisTemplate(
        name, metrics_json=(json.dumps({"name": name, "provider": provider, "successCondition": condition} | metric),)
    )


SUCCESS_QUERY = (
    'sum(rate(http_requests_total{version="candidate",status!~"5.."}[1m]))'
    ' / sum(rate(http_requests_total{version="candidate"}[1m]))'
)

ISTIO = TrafficRouting(kinds=("istio",), virtual_services=(IstioVirtualService("shop", ("primary",)),))


def canary_manifests(
    steps: tuple[CanaryStep, ...],
    *,
    replicas: int = 10,
    templates: tuple[AnalysisTemplate, ...] = (),
    background: AnalysisRef | None = None,
    **spec: Any,
) -> ManifestSet:
    strategy = CanaryStrategy(
        steps=steps,
        canary_service="shop-canary",
        stable_service="shop-stable",
        traffic_routing=ISTIO,
        analysis=background,
    )
    rollout = RolloutSpec("shop", replicas=replicas, selector=APP, template=template(), canary=strategy)
    split = (RouteDestination("shop-stable", weight=100), RouteDestination("shop-canary", weight=0))
    return ManifestSet(
        rollouts=(replace(rollout, **spec),),
        analysis_templates=templates,
        services=(ServiceSpec("shop-stable", selector=APP), ServiceSpec("shop-canary", selector=APP)),
        virtual_services=(
            VirtualService("shop", hosts=("shop",), gateways=("ingress",), http=(HttpRoute("primary", (), split),)),
        ),
    )


def blue_green_manifests(
    *, replicas: int = 4, templates: tuple[AnalysisTemplate, ...] = (), **strategy: Any
) -> ManifestSet:
    blue_green = BlueGreenStrategy(active_service="shop-active", preview_service="shop-preview")
    rollout = RolloutSpec(
        "shop", replicas=replicas, selector=APP, template=template(), blue_green=replace(blue_green, **strategy)
    )
    return ManifestSet(
        rollouts=(rollout,),
        analysis_templates=templates,
        services=(ServiceSpec("shop-active", selector=APP), ServiceSpec("shop-preview", selector=APP)),
    )


def deployment_manifests(*, replicas: int = 4, **changes: Any) -> ManifestSet:
    deployment = replace(DeploymentSpec("shop", replicas=replicas, selector=APP, template=template()), **changes)
    return ManifestSet(deployments=(deployment,), services=(ServiceSpec("shop", selector=APP),))


CLUSTER = Cluster(
    schedule=constant(1),
    image_pull=constant(4),
    endpoint_propagation=constant(1),
    route_propagation=constant(2),
)


def scenario(manifests: ManifestSet, strategy: Strategy | LocalStrategy | None = None, **changes: Any) -> Scenario:
    base = Scenario(
        "test",
        strategy if strategy is not None else ArgoRollout("shop"),
        manifests,
        version("stable"),
        release(),
        load=LoadShape((Stage(60.0, 50.0),)),
        client=Client(),
        people=QUIET,
        cluster=CLUSTER,
        warm_up_s=60.0,
        tail_s=60.0,
        horizon_s=7200.0,
    )
    return replace(base, **changes)
