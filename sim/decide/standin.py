"""Routers other than Istio, each as the VirtualService that splits requests as it does.

Sources: Argo Rollouts ``rollout/trafficrouting/{nginx,alb,smi,traefik,ambassador,apisix,appmesh,plugin}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Final

from sim.decide.nginx import by_annotations, matches_of
from sim.model.manifests import ManifestSet
from sim.model.network import HttpMatch, HttpRoute, RouteDestination, StringMatch, VirtualService
from sim.model.rollout import CanaryStrategy, HeaderRoute, IstioVirtualService, RolloutSpec, TrafficRouting

SYNTHETIC: Final = "traffic-router"
"""Name and host of the VirtualService that stands for any router that is not Istio."""


def stand_in(spec: RolloutSpec, manifests: ManifestSet) -> VirtualService | None:
    """The routes of a Rollout's router; None for Istio's own, and without a router.

    nginx and ALB split what their Ingress sends to the stable (or root) Service, the Gateway API plugin what the rules of
    its HTTPRoutes send to either Service (``sim.decide.gateway``). Of the others the objects are not read: they split everything.
    """
    canary = spec.canary
    routing = canary.traffic_routing if canary is not None else None
    if canary is None or routing is None or not routing.kinds or routing.virtual_services:
        return None
    routes = tuple(_ingress_routes(spec, canary, manifests)) or tuple(_gateway_routes(spec, routing, manifests))
    if not {canary.stable_service, canary.canary_service} <= {o.host for r in routes for o in r.destinations}:
        routes = (HttpRoute("", (), _halves(canary)),)
    named = tuple(replace(route, name=route.name or f"rule-{k}") for k, route in enumerate(routes))
    return VirtualService(SYNTHETIC, spec.namespace, (SYNTHETIC,), ("gateway", "mesh"), named)


def use_of(vs: VirtualService, canary: CanaryStrategy) -> IstioVirtualService:
    """Which routes of a stand-in carry the weights."""
    return IstioVirtualService(vs.name, tuple(route.name for route in vs.http if is_split(route, canary)))


def is_split(route: HttpRoute, canary: CanaryStrategy) -> bool:
    """Whether a route leads to both sides."""
    return {canary.stable_service, canary.canary_service} <= {one.host for one in route.destinations}


def _halves(canary: CanaryStrategy) -> tuple[RouteDestination, ...]:
    return RouteDestination(canary.stable_service, weight=100), RouteDestination(canary.canary_service, weight=0)


def _ingress_routes(spec: RolloutSpec, canary: CanaryStrategy, manifests: ManifestSet) -> Iterator[HttpRoute]:
    """Paths of the Ingresses, exact ones first, then the longest; several Ingresses count as one."""
    routing = canary.traffic_routing
    named = (routing.nginx or routing.alb) if routing is not None else None
    if named is None:
        return
    names = named.several or (named.one,)
    found = [one for one in manifests.ingresses if one.name in names and one.namespace == spec.namespace]
    paths = [path for one in found for path in one.paths]
    split = named.root_service or canary.stable_service
    for path in sorted(paths, key=lambda one: (not one.exact, -len(one.path))):
        if path.service == split:
            for matches, is_canary in by_annotations(path, named.annotations):
                side = canary.canary_service if is_canary else canary.stable_service
                yield HttpRoute("", matches, (RouteDestination(side),))
            yield HttpRoute("", matches_of(path), _halves(canary))
        else:
            yield HttpRoute("", matches_of(path), (RouteDestination(path.service),))


def _gateway_routes(spec: RolloutSpec, routing: TrafficRouting, manifests: ManifestSet) -> Iterator[HttpRoute]:
    namespace = routing.gateway_namespace or spec.namespace
    for found in manifests.gateway_routes:
        if found.name in routing.gateway_routes and found.namespace == namespace:
            yield from (replace(route, name=_rule_name(found.name, k)) for k, route in enumerate(found.routes))


def _rule_name(http_route: str, index: int) -> str:
    return f"{http_route}/{index}"


def takes_header_routes(route: HttpRoute, routing: TrafficRouting) -> bool:
    """Whether a rule of a stand-in is of an HTTPRoute into which the Gateway API plugin writes header routes."""
    return route.name.rpartition("/")[0] in routing.header_gateway_routes


def header_matches(route: HeaderRoute, kinds: Sequence[str]) -> tuple[HttpMatch, ...]:
    """What a managed header route asks for where the router is not Istio: *every* header, of an ALB any value of each.

    Source: ``alb.go`` (upsertCondition), ``apisix.go`` (setApisixRuleMatch): conditions of one rule are joined by "and".
    """
    by_name: dict[str, list[StringMatch]] = {}
    for one in route.match:
        by_name.setdefault(one.header, []).append(StringMatch(one.how, one.value))
    if "alb" not in kinds:
        every = tuple((one.header, StringMatch(one.how, one.value)) for one in route.match)
        return (HttpMatch(headers=every),)
    return tuple(HttpMatch(headers=tuple(zip(by_name, chosen, strict=True))) for chosen in product(*by_name.values()))
