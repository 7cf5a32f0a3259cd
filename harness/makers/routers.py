"""The twin controller's hands on Services, VirtualServices, DestinationRules and nginx' canary Ingresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

from harness.cluster.objects import Object, Objects
from harness.makers import istio
from harness.makers.observe import MANAGED, services
from harness.makers.picture import Picture
from sim.decide.defaults import max_weight
from sim.decide.istio import rewriting
from sim.decide.istio.rewriting import HASH_LABEL, Owner, short
from sim.decide.services import PING, service_names, sides, with_sides
from sim.model.network import DestinationRule, VirtualService
from sim.model.rollout import (
    HeaderRoute,
    IstioVirtualService,
    MirrorRoute,
    RolloutSpec,
    ServiceView,
    TrafficRouting,
    TrafficWeights,
)

VIRTUAL_SERVICE: Final = "VirtualService"
DESTINATION_RULE: Final = "DestinationRule"
INGRESS: Final = "networking.k8s.io/v1/Ingress"
_NGINX: Final = "nginx.ingress.kubernetes.io/"
WRITTEN: Final = frozenset({"istio", "nginx"})
"""Routers whose objects this module writes."""

Rewrite = Callable[[VirtualService, IstioVirtualService, Owner], VirtualService]


class RouterHands:
    """Writes weights, routes and selectors; the gateway acts on them when it hears of them."""

    def __init__(self, objects: Objects, spec: RolloutSpec) -> None:
        self._objects = objects
        self._spec = with_sides(spec)
        self._sides_of = partial(sides, spec)
        self._sides = sides(spec, PING)
        self._names = service_names(spec)
        self._services = Picture(objects.watch("Service"))
        self.managed_routes: tuple[HeaderRoute | MirrorRoute, ...] = ()

    def adopt(self, pod_hash: str) -> None:
        """The state before the release: every managed Service and subset selects the stable revision."""
        for one in self.services():
            self.point(one.name, pod_hash)
        if self._routing is not None:
            self._write_subsets(pod_hash, pod_hash)
            self._rewrite(partial(rewriting.with_weights, canary=0))
            self._write_ingresses(0)

    def services(self) -> tuple[ServiceView, ...]:
        """The controller's Services as written."""
        return services(self._names, self._services.current())

    def point(self, service: str, pod_hash: str) -> None:
        """Makes a Service select one revision."""
        metadata = {"annotations": {MANAGED: self._spec.name}}
        change = {"metadata": metadata, "spec": {"selector": {HASH_LABEL: pod_hash}}}
        self._services.wrote(self._objects.patch("Service", service, change))

    def set_sides(self, stable_ping_pong: str) -> None:
        """Says which of the ping-pong Services is stable now, for the weights written from now on."""
        self._sides = self._sides_of(stable_ping_pong)

    def set_weights(self, weights: TrafficWeights, new_hash: str, stable_hash: str) -> None:
        """Writes weights, and the revisions of the subsets with them."""
        if self._routing is None:
            return
        # A full promotion of more pods than are wanted asks for more than everything; routers give it everything.
        canary = weights.canary.weight + min(0, weights.stable.weight)
        self._write_subsets(weights.canary.hash or new_hash, weights.stable.hash or stable_hash)
        self._rewrite(partial(rewriting.with_weights, canary=canary))
        self._write_ingresses(canary)

    def add_route(self, route: HeaderRoute | MirrorRoute) -> None:
        """Puts a managed route on top, in the order of ``managedRoutes``; one without a match is taken away."""
        gone = not route.match if isinstance(route, HeaderRoute) else route.percentage is None
        kept = tuple(one for one in self.managed_routes if one.name != route.name)
        self.managed_routes = kept if gone else (*kept, route)
        if isinstance(route, HeaderRoute):
            self._rewrite(partial(rewriting.with_header_route, route=route))
        else:
            self._rewrite(partial(rewriting.with_mirror_route, route=route))

    def remove_routes(self) -> None:
        """Takes every managed route away."""
        self.managed_routes = ()
        steps = self._spec.canary.steps if self._spec.canary is not None else ()
        made = (route for step in steps for route in (step.set_header_route, step.set_mirror_route))
        names = tuple(route.name for route in made if route is not None)
        self._rewrite(lambda vs, _use, owner: rewriting.without_managed(vs, owner, names))

    @property
    def _routing(self) -> TrafficRouting | None:
        return self._spec.canary.traffic_routing if self._spec.canary is not None else None

    def _rewrite(self, rewrite: Rewrite) -> None:
        """Applies a change to every VirtualService that the Rollout names."""
        for use in self._routing.virtual_services if self._routing is not None else ():
            obj = self._objects.get(VIRTUAL_SERVICE, short(use.name))
            if obj is not None:
                before = istio.virtual_service(obj)
                change = istio.virtual_service_patch(obj, before, rewrite(before, use, self._owner()))
                self._patch(VIRTUAL_SERVICE, before.name, change)

    def _owner(self) -> Owner:
        (stable, canary), routing = self._sides, self._routing
        named = routing.destination_rule if routing is not None else None
        rule = self._rule()
        managed = (routing.managed_routes or ()) if routing is not None else ()
        return Owner(canary, stable, named, rule[1].host if rule is not None else "", managed)

    def _rule(self) -> tuple[Object, DestinationRule] | None:
        """The DestinationRule that the Rollout names, as it is now."""
        named = self._routing.destination_rule if self._routing is not None else None
        obj = self._objects.get(DESTINATION_RULE, named.name) if named is not None else None
        return (obj, istio.destination_rule(obj)) if obj is not None else None

    def _write_subsets(self, canary: str, stable: str) -> None:
        rule, routing = self._rule(), self._routing
        if rule is None or routing is None or routing.destination_rule is None:
            return
        obj, before = rule
        after = rewriting.with_subsets(before, routing.destination_rule, canary, stable)
        self._patch(DESTINATION_RULE, before.name, istio.destination_rule_patch(obj, before, after))

    def _patch(self, kind: str, name: str, change: Object) -> None:
        if change:
            self._objects.patch(kind, name, change)

    def _write_ingresses(self, canary: int) -> None:
        """Of each Ingress a copy for the canary that carries the weight (``rollout/trafficrouting/nginx/nginx.go``)."""
        for ingress in self._ingresses():
            self._objects.apply(self._canary_ingress(ingress, canary))

    def _ingresses(self) -> Iterator[Object]:
        nginx = self._routing.nginx if self._routing is not None else None
        for name in (nginx.several or (nginx.one,)) if nginx is not None else ():
            obj = self._objects.get(INGRESS, name)
            if obj is not None:
                yield obj

    def _canary_ingress(self, ingress: Object, weight: int) -> Object:
        nginx = self._routing.nginx if self._routing is not None else None
        stable, canary = self._sides
        written = {f"{_NGINX}{key}": value for key, value in (nginx.annotations if nginx is not None else ())}
        own = {f"{_NGINX}canary": "true", f"{_NGINX}canary-weight": str(weight)}
        if max_weight(self._spec) != 100:
            own[f"{_NGINX}canary-weight-total"] = str(max_weight(self._spec))
        spec = ingress["spec"]
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {
                "name": f"{self._spec.name}-{ingress['metadata']['name']}-canary",
                "annotations": written | own,
            },
            "spec": {
                **{key: spec[key] for key in ("ingressClassName",) if key in spec},
                "rules": list(_leading_to(spec.get("rules") or (), stable, canary)),
            },
        }


def _leading_to(rules: Iterable[Object], stable: str, canary: str) -> Iterator[Object]:
    """The rules' paths to the stable Service, leading to the canary's instead; rules without any are left out."""
    for rule in rules:
        paths = (rule.get("http") or {}).get("paths") or ()
        kept = [path for path in paths if path["backend"].get("service", {}).get("name") == stable]
        turned = [{**path, "backend": _backend(path["backend"], canary)} for path in kept]
        if turned:
            yield {**rule, "http": {"paths": turned}}


def _backend(backend: Object, canary: str) -> Object:
    return {"service": {**backend["service"], "name": canary}}
