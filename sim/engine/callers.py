"""Who calls: the scenario's kinds of requests, each with the host, the gateways and the labels its proxy goes by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sim.decide.istio.hosts import bound, routes_for
from sim.decide.istio.matching import MESH, Call, gateway_name
from sim.model.load import RequestClass
from sim.model.network import VirtualService
from sim.model.pods import Labels

GATEWAY_LABELS: Final[Labels] = (("app", "istio-ingressgateway"), ("istio", "ingressgateway"))
GATEWAY_NAMESPACE: Final = "istio-system"
"""Of Istio's own ingress gateway."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What clients call: the hosts of VirtualServices (by these gateways first), or one plain Service."""

    hosts: tuple[str, ...] = ()
    service: str = ""
    gateways: tuple[str, ...] = ()
    """As ``namespace/name``."""
    namespace: str = "default"
    router: str = ""
    """Kind of the router that splits the calls, where it is not Istio."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One kind of request, as its proxy meets it.

    ``plain`` ones carry no header and call no host of their own: the journal's weights are theirs.
    """

    share: float
    call: Call
    plain: bool = True

    @property
    def in_mesh(self) -> bool:
        """Whether a sidecar sends it."""
        return MESH in self.call.gateways


def callers(
    classes: Sequence[RequestClass], entry: Entry, virtual_services: Sequence[VirtualService]
) -> tuple[Caller, ...]:
    """Each class with its place in the network. A gateway's host is one that it routes, as far as there is one."""
    return tuple(_caller(one, entry, virtual_services) for one in classes)


def _caller(one: RequestClass, entry: Entry, virtual_services: Sequence[VirtualService]) -> Caller:
    headers = tuple(sorted((name.lower(), value) for name, value in one.headers))
    call = Call(one.path, one.method, headers, port=one.port)
    hosts = (one.host,) if one.host else entry.hosts
    if one.in_mesh:
        call = replace(call, labels=one.labels, namespace=one.namespace or entry.namespace)
    else:
        names = (gateway_name(one.gateway, entry.namespace),) if one.gateway else entry.gateways
        call = replace(
            call,
            gateways=names or _gateways_of(hosts, virtual_services),
            labels=one.labels or GATEWAY_LABELS,
            namespace=one.namespace or GATEWAY_NAMESPACE,
        )
    routed = (host for host in hosts if routes_for(virtual_services, replace(call, host=host)) is not None)
    return Caller(one.share, replace(call, host=next(routed, hosts[0] if hosts else "")), not (one.headers or one.host))


def _gateways_of(hosts: Sequence[str], virtual_services: Sequence[VirtualService]) -> tuple[str, ...]:
    """The first gateway that any VirtualService of a called host is bound to."""
    found = (
        gateway_name(name, vs.namespace)
        for vs in virtual_services
        for name in vs.gateways
        if name != MESH and set(vs.hosts) & set(hosts)
    )
    return tuple(name for name in [next(found, "")] if name)


def only_in_mesh(classes: Sequence[RequestClass], entry: Entry, virtual_services: Sequence[VirtualService]) -> bool:
    """Whether only the mesh routes the entry's hosts. Then clients of whom nothing else is said must be in it."""
    said = any(one.in_mesh or one.gateway or one.host for one in classes)
    sharing = [vs for vs in virtual_services if set(vs.hosts) & set(entry.hosts)]
    in_mesh = bound(sharing, Call())
    return not said and bool(in_mesh) and all(set(vs.gateways) == {MESH} for vs in sharing)
