"""What the controller refuses of the VirtualServices it is to write weights into.

Source: behaviour reference 10 (Argo Rollouts ``validation/validation_references.go:349-440``,
``rollout/trafficrouting/istio/istio.go:984-1245``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.decide.field_errors import Place, SpecError, internal, invalid, place
from sim.decide.istio.rewriting import is_meant
from sim.model.manifests import ManifestSet
from sim.model.network import ConnectionRoute, HttpRoute, Layer, RouteDestination, VirtualService
from sim.model.rollout import CanaryStrategy, IstioVirtualService, RolloutSpec

_ISTIO = place("spec", "strategy", "canary", "trafficRouting", "istio")


def _istio_canary(spec: RolloutSpec) -> CanaryStrategy | None:
    canary = spec.canary
    routed = canary is not None and canary.traffic_routing is not None and "istio" in canary.traffic_routing.kinds
    return canary if routed and spec.blue_green is None else None


def _virtual_service_uses(canary: CanaryStrategy) -> tuple[tuple[IstioVirtualService, Place], ...]:
    """The named VirtualServices with the field of each; the controller prints lists without an index."""
    named = canary.traffic_routing.virtual_services if canary.traffic_routing is not None else ()
    if len(named) == 1:
        return ((named[0], _ISTIO.at("virtualService", "name")),)
    shown = (*_ISTIO.shown, "virtualServices", "name")
    indexed = enumerate(named)
    return tuple((use, Place((*_ISTIO.path, "virtualServices", index, "name"), shown)) for index, use in indexed)


def missing_virtual_services(spec: RolloutSpec, manifests: ManifestSet) -> Iterator[SpecError]:
    """VirtualServices that are not named, named in two ways, or not there."""
    canary = _istio_canary(spec)
    if canary is None or canary.traffic_routing is None:
        return
    if canary.traffic_routing.singular_and_plural or not canary.traffic_routing.virtual_services:
        yield internal(_ISTIO, "either VirtualService or VirtualServices must be configured")
        return
    for use, where in _virtual_service_uses(canary):
        if _virtual_service(use, spec, manifests) is None:
            name = _name_and_namespace(use.name)[0]
            yield invalid(where, name, f'virtualservices.networking.istio.io "{name}" not found')


def _name_and_namespace(name: str) -> tuple[str, str]:
    """``name.namespace`` apart; everything before the last dot is the name."""
    stripped = name.removesuffix(".cluster.local")
    head, dot, tail = stripped.rpartition(".")
    return (head, tail) if dot else (stripped, "")


def _virtual_service(use: IstioVirtualService, spec: RolloutSpec, manifests: ManifestSet) -> VirtualService | None:
    name, namespace = _name_and_namespace(use.name)
    key = (name, namespace or spec.namespace)
    return next((vs for vs in manifests.virtual_services if (vs.name, vs.namespace) == key), None)


def virtual_service_errors(spec: RolloutSpec, manifests: ManifestSet) -> Iterator[SpecError]:
    """VirtualServices whose routes the controller cannot write; an empty ``tls`` or ``tcp``, on which it panics, is absent."""
    canary = _istio_canary(spec)
    if canary is None or canary.traffic_routing is None or canary.traffic_routing.singular_and_plural:
        return
    for use, where in _virtual_service_uses(canary):
        found = _virtual_service(use, spec, manifests)
        if found is None:
            continue
        for detail in _route_errors(canary, use, found):
            yield invalid(where, found.name, detail)


def _route_errors(canary: CanaryStrategy, use: IstioVirtualService, vs: VirtualService) -> Iterator[str]:
    if not (vs.http or vs.empty_http or vs.connections):
        yield "Unable to get any of the HTTP, TCP or TLS routes for the Istio VirtualService"
    found = {"HTTP": http_routes_error(canary, use, vs.http) if vs.http or vs.empty_http else ""}
    for layer in Layer:
        own = [route for route in vs.connections if route.layer is layer]
        found[layer.name] = connection_routes_error(canary, use, layer, own) if own else ""
    for kind, error in found.items():
        if error:
            yield f"Istio VirtualService has invalid {kind} routes. Error: {error}"


def connection_routes_error(
    canary: CanaryStrategy, use: IstioVirtualService, layer: Layer, routes: Sequence[ConnectionRoute]
) -> str:
    """Why the controller cannot write weights into these TLS or TCP routes, empty if it can (istio.go:1023-1205)."""
    wanted = [target for target in use.connections if target.layer is layer]
    targets = [] if wanted else list(routes[:1])
    for target in wanted:
        meant = [route for route in routes if is_meant(route, target)]
        if not meant:
            return f"No matching {layer.name} routes found in the defined Virtual Service."
        targets += meant
    wrong = next(filter(None, (_destinations_error(canary, route.destinations) for route in targets)), "")
    if wrong or wanted or len(routes) == 1:
        return wrong
    omitted = f"omitting spec.strategy.canary.trafficRouting.istio.virtualService.{layer}Routes"
    return f"spec.{layer}[] should be set in VirtualService and it must have exactly one route when {omitted}"


def http_routes_error(canary: CanaryStrategy, use: IstioVirtualService, routes: Sequence[HttpRoute]) -> str:
    """Why the controller cannot write weights into these routes, empty if it can.

    Without named routes it takes the only one, or the first without a name; but then there may be just one that is
    not managed.
    """
    targets: list[HttpRoute] = []
    for name in use.routes:
        found = next((route for route in routes if route.name == name), None)
        if found is None:
            return f"HTTP Route '{name}' is not found in the defined Virtual Service."
        targets.append(found)
    if not use.routes:
        unnamed = [route for route in routes if not route.name]
        targets = list(routes) if len(routes) == 1 else unnamed[:1]
    for route in targets:
        error = _destinations_error(canary, route.destinations)
        if error:
            return error
    managed = (canary.traffic_routing.managed_routes if canary.traffic_routing is not None else None) or ()
    if not use.routes and sum(route.name not in managed for route in routes) > 1:
        omitted = "omitting spec.strategy.canary.trafficRouting.istio.virtualService.routes"
        return f"spec.http[] should be set in VirtualService and it must have exactly one route when {omitted}"
    return ""


def _destinations_error(canary: CanaryStrategy, destinations: Sequence[RouteDestination]) -> str:
    rule = canary.traffic_routing.destination_rule if canary.traffic_routing is not None else None
    hosts = {destination.host.split(".")[0] for destination in destinations}
    subsets = {destination.subset for destination in destinations}
    if rule is not None:
        wanted = (("Canary", rule.canary_subset), ("Stable", rule.stable_subset))
        missing = (
            f"{role} DestinationRule subset '{name}' not found in route"
            for role, name in wanted
            if name not in subsets - {""}
        )
        return next(missing, "")
    services = zip(("Canary", "Stable"), _services(canary), strict=True)
    return next(
        (f"{role} Service '{name}' not found in route" for role, name in services if name not in hosts - {""}), ""
    )


def _services(canary: CanaryStrategy) -> tuple[str, str]:
    """Canary and stable Service; with ping-pong alone those of a Rollout that has never swapped them.

    Source: ``rollout/trafficrouting/service_helper.go`` (GetStableAndCanaryServices).
    """
    if canary.ping_pong is not None and not canary.stable_service and not canary.canary_service:
        return canary.ping_pong
    return canary.canary_service, canary.stable_service
