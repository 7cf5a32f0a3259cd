"""The Rollout controller's hands on Services, VirtualServices and DestinationRules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from sim.decide import gateway
from sim.decide.defaults import max_weight
from sim.decide.istio import rewriting
from sim.decide.istio.rewriting import Owner, short
from sim.decide.services import PING, service_names, sides, with_sides
from sim.decide.standin import SYNTHETIC, header_matches, takes_header_routes, use_of
from sim.engine.destinations import Network
from sim.engine.routing import Router, with_hash
from sim.model.network import VirtualService
from sim.model.rollout import (
    HeaderRoute,
    IstioVirtualService,
    MirrorRoute,
    RolloutSpec,
    ServiceView,
    TrafficRouting,
    TrafficWeights,
)

Rewrite = Callable[[VirtualService, IstioVirtualService, Owner], VirtualService]


class RouterWriter:
    """What the controller has written; the proxies act on it after their delay."""

    def __init__(self, spec: RolloutSpec, router: Router) -> None:
        self._spec = with_sides(spec)
        self._sides = sides(spec, PING)
        self._sides_of = partial(sides, spec)
        self._router = router
        self._targets: dict[str, str] = {}
        self._views: tuple[ServiceView, ...] | None = None
        self._added: tuple[str, ...] = ()
        self.managed_routes: tuple[HeaderRoute | MirrorRoute, ...] = ()
        self._selectors = {
            name: router.network.services[name] for name in service_names(spec) if name in router.network.services
        }

    def adopt(self, pod_hash: str) -> None:
        """The state before the release: every managed Service and subset selects the stable revision."""
        network = self._router.network
        for name, selector in self._selectors.items():
            self._targets[name], self._views = pod_hash, None
            network.services[name] = with_hash(selector, pod_hash)
        if self._routing is not None:
            self._write_subsets(pod_hash, pod_hash, network)
            self._rewrite(self._weighting(0), network)

    def services(self) -> tuple[ServiceView, ...]:
        """The controller's Services as written."""
        if self._views is None:
            self._views = tuple(
                ServiceView(name, self._targets.get(name, ""), managed=name in self._targets)
                for name in self._selectors
            )
        return self._views

    def point(self, service: str, pod_hash: str) -> None:
        """Makes a Service select one revision."""
        self._targets[service], self._views = pod_hash, None
        selector = with_hash(self._selectors[service], pod_hash)

        def change(network: Network) -> None:
            network.services[service] = selector

        self._router.write(change, "service")

    def set_sides(self, stable_ping_pong: str) -> None:
        """Says which of the ping-pong Services is stable now, for the weights written from now on."""
        self._sides = self._sides_of(stable_ping_pong)

    def set_weights(self, weights: TrafficWeights, new_hash: str, stable_hash: str) -> None:
        """Writes weights, and the revisions of the subsets with them."""
        if self._routing is None:
            return
        canary, stable = weights.canary.hash or new_hash, weights.stable.hash or stable_hash
        extra = tuple((one.service, one.weight) for one in weights.additional if one.service)
        hashes = tuple((one.service, one.hash) for one in weights.additional if one.service)
        # A full promotion of more pods than are wanted asks for more than everything; routers give it everything.
        share = weights.canary.weight + min(0, weights.stable.weight)
        rewrite = self._weighting(share, extra)
        names = self._sides

        def change(network: Network) -> None:
            self._write_subsets(canary, stable, network, hashes)
            self._rewrite(rewrite, network, names)

        self._router.write(change, "route")

    def add_route(self, route: HeaderRoute | MirrorRoute) -> None:
        """Puts a managed route on top, in the order of ``managedRoutes``; one without a match is taken away."""
        gone = not route.match if isinstance(route, HeaderRoute) else route.percentage is None
        kept = tuple(one for one in self.managed_routes if one.name != route.name)
        self.managed_routes = kept if gone else (*kept, route)
        if isinstance(route, HeaderRoute):
            self._write(partial(self._with_header_route, route=route))
        elif not self._by_gateway:
            self._write(partial(rewriting.with_mirror_route, route=route))

    def remove_routes(self) -> None:
        """Takes every managed route away."""
        self.managed_routes = ()
        steps = self._spec.canary.steps if self._spec.canary is not None else ()
        made = (
            route for step in steps for route in (step.set_header_route, step.set_mirror_route) if route is not None
        )
        names = tuple(route.name for route in made)
        if self._by_gateway:
            self._write(lambda vs, _use, owner: gateway.without_managed(vs, owner, self._sources(vs)))
        else:
            self._write(lambda vs, _use, owner: rewriting.without_managed(vs, owner, names))

    @property
    def verifies(self) -> bool:
        """Whether the controller asks the router for the weights it has."""
        kinds = self._routing.kinds if self._routing is not None else ()
        return "alb" in kinds and self._router.verifies

    def verified(self) -> bool:
        """Whether the router has what was last written, as far as the controller asks: of an ALB, where it is told to."""
        return not self.verifies or self._router.is_verified

    @property
    def _routing(self) -> TrafficRouting | None:
        return self._spec.canary.traffic_routing if self._spec.canary is not None else None

    @property
    def _by_gateway(self) -> bool:
        """Whether the Gateway API plugin writes; it knows no mirrors (plugin.go:155)."""
        return self._routing is not None and bool(self._routing.gateway_routes)

    def _sources(self, vs: VirtualService) -> tuple[str, ...]:
        """Rules that may get header routes."""
        routing = self._routing or TrafficRouting()
        return tuple(route.name for route in vs.http if takes_header_routes(route, routing))

    def _weighting(self, canary: int, additional: tuple[tuple[str, int], ...] = ()) -> Rewrite:
        if not self._by_gateway:
            return partial(rewriting.with_weights, canary=canary, additional=additional)
        previous, self._added = self._added, tuple(service for service, _ in additional)
        return lambda vs, _use, owner: gateway.with_weights(vs, owner, canary, additional, previous)

    def _write(self, rewrite: Rewrite) -> None:
        self._router.write(partial(self._rewrite, rewrite), "route")

    def _rewrite(self, rewrite: Rewrite, network: Network, names: tuple[str, str] | None = None) -> None:
        """Applies a change to every VirtualService that the Rollout names, or to the one that stands for its router."""
        for use in self._uses(network):
            vs = network.virtual_services.get(short(use.name))
            if vs is not None:
                network.virtual_services[vs.name] = rewrite(vs, use, self._owner(network, names or self._sides))

    def _uses(self, network: Network) -> tuple[IstioVirtualService, ...]:
        made = network.virtual_services.get(SYNTHETIC)
        if made is not None and self._spec.canary is not None:
            return (use_of(made, self._spec.canary),)
        return self._routing.virtual_services if self._routing is not None else ()

    def _with_header_route(
        self, vs: VirtualService, use: IstioVirtualService, owner: Owner, route: HeaderRoute
    ) -> VirtualService:
        if self._by_gateway:
            return gateway.with_header_route(vs, owner, route, self._sources(vs))
        changed = rewriting.with_header_route(vs, use, owner, route)
        if vs.name != SYNTHETIC or not route.match or self._routing is None:
            return changed
        matches = header_matches(route, self._routing.kinds)
        return replace(
            changed, http=tuple(replace(o, matches=matches) if o.name == route.name else o for o in changed.http)
        )

    def _owner(self, network: Network, names: tuple[str, str]) -> Owner:
        (stable, canary), routing = names, self._routing
        named = routing.destination_rule if routing is not None else None
        rule = network.destination_rules.get(named.name) if named is not None else None
        return Owner(
            canary,
            stable,
            named,
            rule.host if rule is not None else "",
            (routing.managed_routes or ()) if routing is not None else (),
            max_weight(self._spec) if SYNTHETIC in network.virtual_services else 100,
        )

    def _write_subsets(
        self, canary: str, stable: str, network: Network, additional: tuple[tuple[str, str], ...] = ()
    ) -> None:
        named = self._routing.destination_rule if self._routing is not None else None
        rule = network.destination_rules.get(named.name) if named is not None else None
        if named is not None and rule is not None:
            changed = rewriting.with_subsets(rule, named, canary, stable, additional)
            network.destination_rules[rule.name] = changed
