"""The Rollout controller's hands on Services, VirtualServices and DestinationRules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sim.engine.routing import HASH_LABEL, Network, Router, header_route, with_hash
from sim.model.network import DestinationRule, HttpRoute, RouteDestination, Subset, VirtualService
from sim.model.rollout import (
    HeaderRoute,
    IstioVirtualService,
    MirrorRoute,
    RolloutSpec,
    ServiceView,
    TrafficRouting,
    TrafficWeights,
    WeightDestination,
)

SYNTHETIC = "traffic-router"
"""Name of the VirtualService that stands for any router that is not Istio."""
_NOTHING, _EVERYTHING = WeightDestination(0), WeightDestination(100)


class RouterWriter:
    """What the controller has written; the proxies act on it after their delay."""

    def __init__(self, spec: RolloutSpec, router: Router) -> None:
        self._spec = spec
        self._router = router
        self._targets: dict[str, str] = {}
        self.managed_routes: tuple[HeaderRoute | MirrorRoute, ...] = ()
        self._selectors = {
            name: router.network.services[name] for name in service_names(spec) if name in router.network.services
        }

    def adopt(self, pod_hash: str) -> None:
        """The state before the release: every managed Service and subset selects the stable revision."""
        network = self._router.network
        for name, selector in self._selectors.items():
            self._targets[name] = pod_hash
            network.services[name] = with_hash(selector, pod_hash)
        if self._routing is not None:
            _write_subsets(network, self._routing, pod_hash, pod_hash)
            _write_weights(network, self._spec, self._routing, TrafficWeights(_NOTHING, _EVERYTHING))

    def services(self) -> tuple[ServiceView, ...]:
        """The controller's Services as written."""
        return tuple(
            ServiceView(name, self._targets.get(name, ""), managed=name in self._targets) for name in self._selectors
        )

    def point(self, service: str, pod_hash: str) -> None:
        """Makes a Service select one revision."""
        self._targets[service] = pod_hash
        selector = with_hash(self._selectors[service], pod_hash)

        def change(network: Network) -> None:
            network.services[service] = selector

        self._router.write(change, "service")

    def set_weights(self, weights: TrafficWeights, new_hash: str, stable_hash: str) -> None:
        """Writes weights, and the revisions of the subsets with them."""
        routing = self._routing
        if routing is None:
            return
        canary_hash, other_hash = weights.canary.hash or new_hash, weights.stable.hash or stable_hash

        def change(network: Network) -> None:
            _write_subsets(network, routing, canary_hash, other_hash)
            _add_subsets(network, routing, weights.additional)
            _write_weights(network, self._spec, routing, weights)

        self._router.write(change, "route")

    def add_route(self, route: HeaderRoute | MirrorRoute) -> None:
        """Puts a managed route on top, in the order of ``managedRoutes``; one without a match is taken away."""
        kept = [one for one in self.managed_routes if one.name != route.name]
        gone = not route.match if isinstance(route, HeaderRoute) else route.percentage is None
        order = self._routing.managed_routes if self._routing is not None else ()
        fresh = kept if gone else [*kept, route]
        self._write_managed(
            tuple(sorted(fresh, key=lambda one: order.index(one.name) if one.name in order else len(order)))
        )

    def remove_routes(self) -> None:
        """Takes every managed route away."""
        self._write_managed(())

    @property
    def _routing(self) -> TrafficRouting | None:
        return self._spec.canary.traffic_routing if self._spec.canary is not None else None

    def _write_managed(self, routes: tuple[HeaderRoute | MirrorRoute, ...]) -> None:
        self.managed_routes = routes
        service = self._spec.canary.canary_service if self._spec.canary is not None else ""
        # Mirrored requests are copies that no client waits for; the twin does not send them.
        managed = tuple(header_route(route, service) for route in routes if isinstance(route, HeaderRoute))

        def change(network: Network) -> None:
            network.managed = managed

        self._router.write(change, "route")


def service_names(spec: RolloutSpec) -> tuple[str, ...]:
    """Services that the controller points at revisions."""
    if spec.blue_green is not None:
        names = (spec.blue_green.active_service, spec.blue_green.preview_service)
    elif spec.canary is not None:
        names = (spec.canary.stable_service, spec.canary.canary_service)
    else:
        names = ("", "")
    return tuple(name for name in names if name)


def synthetic(spec: RolloutSpec) -> VirtualService | None:
    """For a router other than Istio: its split between the stable and canary Services, as a VirtualService for all traffic."""
    canary = spec.canary
    if canary is None or canary.traffic_routing is None or canary.traffic_routing.virtual_services:
        return None
    split = (
        RouteDestination(canary.stable_service, weight=100),
        RouteDestination(canary.canary_service, weight=0),
    )
    return VirtualService(SYNTHETIC, spec.namespace, (SYNTHETIC,), ("gateway", "mesh"), (HttpRoute("", (), split),))


def _write_subsets(network: Network, routing: TrafficRouting, canary_hash: str, stable_hash: str) -> None:
    """The canary and stable subsets select their revisions; every other subset is removed (istio.go:436-462)."""
    wanted = routing.destination_rule
    if wanted is None or wanted.name not in network.destination_rules:
        return
    hashes = {wanted.canary_subset: canary_hash, wanted.stable_subset: stable_hash}
    rule: DestinationRule = network.destination_rules[wanted.name]
    subsets = tuple(
        replace(subset, labels=tuple(sorted((dict(subset.labels) | {HASH_LABEL: hashes[subset.name]}).items())))
        for subset in rule.subsets
        if subset.name in hashes
    )
    network.destination_rules[wanted.name] = replace(rule, subsets=subsets)


def _add_subsets(network: Network, routing: TrafficRouting, additional: tuple[WeightDestination, ...]) -> None:
    """Templates of the running experiment get a subset each, named after their Service (istio.go:431-470)."""
    wanted = routing.destination_rule
    if wanted is None or wanted.name not in network.destination_rules:
        return
    rule = network.destination_rules[wanted.name]
    added = tuple(Subset(one.service, ((HASH_LABEL, one.hash),)) for one in additional)
    network.destination_rules[wanted.name] = replace(rule, subsets=(*rule.subsets, *added))


def _write_weights(network: Network, spec: RolloutSpec, routing: TrafficRouting, weights: TrafficWeights) -> None:
    chosen: list[tuple[VirtualService, Callable[[HttpRoute], bool]]] = []
    for named in routing.virtual_services:
        vs = network.virtual_services.get(named.name.partition(".")[0])
        if vs is not None:
            chosen.append((vs, _managed_by(vs, named)))
    if not routing.virtual_services and SYNTHETIC in network.virtual_services:
        chosen.append((network.virtual_services[SYNTHETIC], lambda _route: True))
    for vs, managed in chosen:
        http = tuple(_split(route, spec, routing, weights) if managed(route) else route for route in vs.http)
        network.virtual_services[vs.name] = replace(vs, http=http)


def _managed_by(vs: VirtualService, named: IstioVirtualService) -> Callable[[HttpRoute], bool]:
    """The named routes; without names the only route, or the first unnamed one (istio.go:984-1010)."""
    if named.routes:
        return lambda route: route.name in named.routes
    first = vs.http[0] if len(vs.http) == 1 else next((route for route in vs.http if not route.name), None)
    return lambda route: route is first


def _split(route: HttpRoute, spec: RolloutSpec, routing: TrafficRouting, weights: TrafficWeights) -> HttpRoute:
    """Canary gets its weight, an experiment's Services theirs, stable the rest.

    Other destinations that had weight are deleted (istio.go:223-285).
    """
    extra = {one.service: one.weight for one in weights.additional}
    stable = max(0, 100 - weights.canary.weight - sum(extra.values()))
    kept = []
    for destination in route.destinations:
        side, host = _side(destination, spec, routing), destination.host.partition(".")[0]
        if side:
            kept.append(replace(destination, weight=weights.canary.weight if side == "canary" else stable))
        elif host in extra:
            kept.append(replace(destination, weight=extra.pop(host)))
        elif not destination.weight:
            kept.append(replace(destination, weight=0))
    kept += [RouteDestination(host, weight=weight) for host, weight in sorted(extra.items())]
    return replace(route, destinations=tuple(kept))


def _side(destination: RouteDestination, spec: RolloutSpec, routing: TrafficRouting) -> str:
    host = destination.host.partition(".")[0]
    rule, strategy = routing.destination_rule, spec.canary
    if rule is not None and destination.subset:
        return {rule.canary_subset: "canary", rule.stable_subset: "stable"}.get(destination.subset, "")
    if strategy is None:
        return ""
    return {strategy.canary_service: "canary", strategy.stable_service: "stable"}.get(host, "")
