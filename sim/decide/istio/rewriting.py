"""What the Rollout controller makes of the VirtualServices and DestinationRules it owns a part of.

Source: Argo Rollouts ``rollout/trafficrouting/istio/istio.go`` (behaviour reference 10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from sim.model.network import (
    ConnectionRoute,
    DestinationRule,
    HttpMatch,
    HttpRoute,
    Layer,
    Mirror,
    RouteDestination,
    StringMatch,
    Subset,
    VirtualService,
)
from sim.model.rollout import ConnectionTarget, HeaderRoute, IstioDestinationRule, IstioVirtualService, MirrorRoute

HASH_LABEL: Final = "rollouts-pod-template-hash"

AnyRoute = TypeVar("AnyRoute", HttpRoute, ConnectionRoute)


@dataclass(frozen=True, slots=True)
class Owner:
    """What a Rollout says of its two sides."""

    canary_service: str = ""
    stable_service: str = ""
    rule: IstioDestinationRule | None = None
    rule_host: str = ""
    """Host of that DestinationRule."""
    managed: tuple[str, ...] = ()
    """``managedRoutes``, in order."""
    total: int = 100
    """What the weights of a route add up to; Istio's are always of 100."""


def with_weights(
    vs: VirtualService,
    use: IstioVirtualService,
    owner: Owner,
    canary: int,
    additional: tuple[tuple[str, int], ...] = (),
) -> VirtualService:
    """The canary's weight and the stable one's in every route that the controller writes.

    ``additional`` are Services of a running experiment with their weights. The stable side gets what
    is left, at least 0. Other destinations that have weight are deleted (istio.go:205-282).
    """
    mirrors = tuple(route.name for route in vs.http if route.mirrors and route.name in owner.managed)
    http = set(http_targets((*use.routes, *mirrors), vs.http))
    others = set(_connection_targets(use, vs.connections))
    return replace(
        vs,
        http=tuple(_split(r, owner, canary, additional) if i in http else r for i, r in enumerate(vs.http)),
        connections=tuple(
            _split(r, owner, canary, additional) if i in others else r for i, r in enumerate(vs.connections)
        ),
    )


def http_targets(names: Sequence[str], routes: Sequence[HttpRoute]) -> list[int]:
    """Places of the named routes; without names the only one, else the first unnamed one (istio.go:984-1010)."""
    if not names:
        if len(routes) == 1:
            return [0]
        return [i for i, route in enumerate(routes) if not route.name][:1]
    found = [next((i for i, route in enumerate(routes) if route.name == name), -1) for name in names]
    return [] if -1 in found else found


def _connection_targets(use: IstioVirtualService, routes: Sequence[ConnectionRoute]) -> list[int]:
    """TLS and TCP routes by port and server names; the first of its kind where none is named (istio.go:1023-1124)."""
    found: list[int] = []
    for layer in Layer:
        own = [i for i, route in enumerate(routes) if route.layer is layer]
        wanted = [target for target in use.connections if target.layer is layer]
        found += [i for target in wanted for i in own if is_meant(routes[i], target)] if wanted else own[:1]
    return found


def is_meant(route: ConnectionRoute, target: ConnectionTarget) -> bool:
    """Whether a target means a route: never one of several ports; server names that a target repeats mean none."""
    names = target.layer is Layer.TCP or sorted(set(route.sni_hosts)) == sorted(target.sni_hosts)
    return len(route.ports) < 2 and (route.ports or (0,))[0] == target.port and names


def _split(route: AnyRoute, owner: Owner, canary: int, additional: tuple[tuple[str, int], ...]) -> AnyRoute:
    kept = additional_subset_weight(route.destinations, owner)
    stable = max(0, owner.total - canary - sum(weight for _, weight in additional) - kept)
    waiting = dict(additional)
    found: list[RouteDestination] = []
    for one in route.destinations:
        host = short(one.host)
        side = _side(one, owner)
        wanted = {"canary": canary, "stable": stable}.get(side)
        if wanted is None and host in waiting:
            wanted = waiting.pop(host)
        if wanted is not None:
            found.append(_weighted(one, wanted))
        elif not one.weight or not host or _is_additional(one, owner):
            found.append(one)
    born: list[RouteDestination] = [
        RouteDestination(host, weight=weight) for host, weight in sorted(waiting.items()) if weight
    ]
    return replace(route, destinations=(*found, *born))


def additional_subset_weight(destinations: Sequence[RouteDestination], owner: Owner) -> int:
    """What ``additionalSubsetNames`` hold of the 100."""
    return sum(one.weight or 0 for one in destinations if _is_additional(one, owner))


def _is_additional(one: RouteDestination, owner: Owner) -> bool:
    return owner.rule is not None and bool(one.subset) and one.subset in owner.rule.additional_subsets


def _weighted(one: RouteDestination, weight: int) -> RouteDestination:
    """An unwritten weight reads as 0 and stays unwritten where it is to be 0."""
    return one if (one.weight or 0) == weight else replace(one, weight=weight)


def _side(one: RouteDestination, owner: Owner) -> str:
    host = short(one.host)
    subsets = (owner.rule.canary_subset, owner.rule.stable_subset) if owner.rule is not None else ("", "")
    if not host:
        return ""
    if host == owner.canary_service or (one.subset and one.subset == subsets[0]):
        return "canary"
    return "stable" if host == owner.stable_service or (one.subset and one.subset == subsets[1]) else ""


def short(host: str) -> str:
    """A host up to its first dot, as the controller compares it; '' for one that begins with a dot (istio.go:285-293)."""
    return host.partition(".")[0]


def with_subsets(
    rule: DestinationRule,
    named: IstioDestinationRule,
    canary_hash: str,
    stable_hash: str,
    additional: tuple[tuple[str, str], ...] = (),
) -> DestinationRule:
    """The two subsets select their revisions; of the others only an experiment's stay (istio.go:413-483).

    ``additional`` are an experiment's Services with the hashes of their pods; without a hash a label is taken away.
    """
    hashes = dict(additional) | {named.stable_subset: stable_hash, named.canary_subset: canary_hash}
    subsets = [_selecting(one, hashes[one.name]) for one in rule.subsets if one.name in hashes]
    known = {one.name for one in rule.subsets}
    new = [Subset(name, ((HASH_LABEL, pod_hash),)) for name, pod_hash in additional if name not in known]
    return replace(rule, subsets=(*subsets, *new))


def _selecting(subset: Subset, pod_hash: str) -> Subset:
    others = {key: value for key, value in subset.labels if key != HASH_LABEL}
    return replace(subset, labels=tuple(sorted((others | ({HASH_LABEL: pod_hash} if pod_hash else {})).items())))


def with_header_route(vs: VirtualService, use: IstioVirtualService, owner: Owner, route: HeaderRoute) -> VirtualService:
    """Requests that meet *any* of the matches go to the canary; without a match the route goes (istio.go:811-855)."""
    kept = tuple(one for one in vs.http if one.name != route.name)
    if not route.match:
        return replace(vs, http=ordered(kept, owner.managed))
    matches = tuple(HttpMatch(headers=((one.header, StringMatch(one.how, one.value)),)) for one in route.match)
    destination = _canary_destination(kept, use, owner)
    made = HttpRoute(route.name, matches, (replace(destination, weight=100),))
    return replace(vs, http=ordered((*kept, made), owner.managed))


def with_mirror_route(vs: VirtualService, use: IstioVirtualService, owner: Owner, route: MirrorRoute) -> VirtualService:
    """Matching requests are split as before and copied to the canary; without a match the route goes (istio.go:1251-1410)."""
    kept = tuple(one for one in vs.http if one.name != route.name)
    if route.percentage is None:
        return replace(vs, http=ordered(kept, owner.managed))
    split = next((kept[i].destinations for i in http_targets(use.routes, kept)), ())
    mirror = Mirror(_canary_destination(kept, use, owner), route.percentage / 100)
    made = HttpRoute(route.name, route.match, split, mirrors=(mirror,))
    return replace(vs, http=ordered((made, *kept), owner.managed))


def _canary_destination(routes: Sequence[HttpRoute], use: IstioVirtualService, owner: Owner) -> RouteDestination:
    """The DestinationRule's host and subset, or the canary Service, at the port of the first destination written to."""
    split = next((routes[i].destinations for i in http_targets(use.routes, routes)), ())
    subset = owner.rule.canary_subset if owner.rule is not None else ""
    return RouteDestination(owner.rule_host or owner.canary_service, subset, None, split[0].port if split else 0)


def without_managed(vs: VirtualService, owner: Owner, of_steps: Sequence[str]) -> VirtualService:
    """Neither the routes of setHeaderRoute and setMirrorRoute steps nor any that ``managedRoutes`` names (istio.go:1586-1690)."""
    gone = {*owner.managed, *of_steps}
    return replace(vs, http=tuple(route for route in vs.http if route.name not in gone))


def ordered(routes: Sequence[HttpRoute], managed: Sequence[str]) -> tuple[HttpRoute, ...]:
    """Managed routes on top, in the order of ``managedRoutes`` (istio.go:1439-1540)."""
    on_top = [route for name in dict.fromkeys(managed) for route in routes if route.name == name]
    return (*on_top, *(route for route in routes if route.name not in managed))
