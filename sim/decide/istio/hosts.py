"""Which routes a proxy has for a host: one VirtualService's in the mesh, several merged at a gateway.

Source: istio 1.20.8 ``route.go:100-330,370-417,1481-1508``, ``gateway.go`` (buildGatewayHTTPRouteConfig) and
``httproute.go`` (dedupeDomains).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sim.decide.istio.matching import MESH, Call, gateway_name, holds, is_catch_all, reaches
from sim.model.network import HttpMatch, HttpRoute, VirtualService

Told = tuple[HttpMatch | None, HttpRoute]
"""One condition (None: none) and where it leads."""


def bound(virtual_services: Iterable[VirtualService], call: Call) -> list[VirtualService]:
    """Those bound to a gateway that the proxy serves (or to the mesh), in the order given: that of creation."""
    return [
        vs
        for vs in virtual_services
        if any(gateway_name(gateway, vs.namespace) in call.gateways for gateway in vs.gateways)
    ]


def routes_for(virtual_services: Sequence[VirtualService], call: Call) -> list[Told] | None:
    """Every condition that the proxy tries for the call's host, in order; None where no VirtualService takes the host.

    At a gateway all VirtualServices of the host are merged, those that take everything last. In the mesh only the oldest counts.
    One of which nothing reaches this proxy does not count at all.
    """
    told = [(vs, told_of(vs, call)) for vs in bound(virtual_services, call)]
    domain = best_domain([(host, vs.namespace) for vs, routes in told if routes for host in vs.hosts], call.host)
    if domain is None:
        return None
    owners = [routes for vs, routes in told if routes and domain in {full_name(h, vs.namespace) for h in vs.hosts}]
    if MESH in call.gateways:
        return owners[0]
    merged = [one for routes in owners for one in routes]
    return sorted(merged, key=lambda one: one[0] is None or is_catch_all(one[0]))


def told_of(vs: VirtualService, call: Call) -> list[Told]:
    """What a proxy is told of a VirtualService: nothing beyond the first route that takes everything."""
    told: list[Told] = []
    for route in vs.http:
        if not route.matches:
            return [*told, (None, route)]
        for match in route.matches:
            if reaches(match, call, vs.namespace):
                told.append((match, route))
                if is_catch_all(match):
                    return told
    return told


def first_holding(told: Iterable[Told], call: Call, *, absent_is_empty: bool) -> HttpRoute | None:
    """The route that takes the request; None is a 404."""
    found = (route for match, route in told if match is None or holds(match, call, absent_is_empty=absent_is_empty))
    return next(found, None)


def best_domain(hosts: Iterable[tuple[str, str]], called: str) -> str | None:
    """The full name, among (host, namespace) pairs, that a called host falls under: itself, else the longest wildcard."""
    names = {full_name(host, namespace) for host, namespace in hosts}
    spaces = {namespace for _, namespace in hosts}
    if called in names:
        return called
    exact = sorted(names & {full_name(called, namespace) for namespace in spaces})
    if exact:
        return exact[0]
    fitting = [name for name in names if name.startswith("*") and called.endswith(name[1:])]
    return max(fitting, key=lambda name: (len(name), name), default=None)


def full_name(host: str, namespace: str) -> str:
    """A host as Istio completes it: a short name gets the namespace of the object it stands in."""
    host = host.lower()
    for suffix in (".svc.cluster.local", ".svc"):
        if host.endswith(suffix) and host.count(".") == suffix.count(".") + 1:
            host = host.removesuffix(suffix)
            return f"{host}.svc.cluster.local"
    return host if "." in host or host.startswith("*") else f"{host}.{namespace}.svc.cluster.local"
