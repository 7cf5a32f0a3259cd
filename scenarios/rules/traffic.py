"""RT40x-RT41x: Services, VirtualServices, DestinationRules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from scenarios.findings import Path, Severity
from scenarios.manifests import Document
from scenarios.rules.context import Context, is_cluster_host, rollout_services, space, split_host
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.tree import entries, labels, mapping, sequence, text, texts, whole

_ROUTE_KINDS = ("http", "tls", "tcp")


def broad_services(context: Context) -> Iterator[Hit]:
    """Services that select the pods of several workloads though somebody else tells them apart."""
    managed = {(space(r), name) for r in context.of_kind("Rollout") for name in rollout_services(r).values()}
    for service in context.of_kind("Service"):
        selected = context.service_selects(service)
        if len(selected) > 1 and (space(service), service.name) not in managed:
            names = ", ".join(f"{workload.kind} {workload.name!r}" for workload in selected)
            selector = ",".join(f"{k}={v}" for k, v in labels(service.data, "spec", "selector").items())
            message = (
                f"Service {service.name!r} ({selector}) selects the pods of {names}: callers get a mixture of versions"
            )
            yield Hit(service, ("spec", "selector"), message)


def empty_services(context: Context) -> Iterator[Hit]:
    """Services that select no pod of the set."""
    for service in context.of_kind("Service"):
        selector = labels(service.data, "spec", "selector")
        if selector and any(context.workloads(space(service))) and not context.service_selects(service):
            written = ",".join(f"{k}={v}" for k, v in selector.items())
            message = f"Service {service.name!r} selects {written}, which no pod template in its namespace carries"
            yield Hit(service, ("spec", "selector"), message)


def unknown_hosts(context: Context) -> Iterator[Hit]:
    """Routes to Services that do not exist."""
    if not context.of_kind("Service"):
        return
    for virtual_service, path, destination in _destinations(context):
        host = text(destination, "host")
        if is_cluster_host(host) and context.service_of_host(host, space(virtual_service)) is None:
            name, namespace = split_host(host, space(virtual_service))
            message = f"VirtualService {virtual_service.name!r} routes to {host!r}, but there is no Service {namespace}/{name}"
            yield Hit(virtual_service, (*path, "destination", "host"), message)


def not_in_mesh(context: Context) -> Iterator[Hit]:
    """VirtualServices for in-mesh names that are bound to gateways only."""
    for virtual_service in context.of_kind("VirtualService"):
        gateways = texts(virtual_service.data, "spec", "gateways")
        inside = [host for host in texts(virtual_service.data, "spec", "hosts") if is_cluster_host(host)]
        if gateways and "mesh" not in gateways and inside:
            message = (
                f"VirtualService {virtual_service.name!r} names the in-mesh host {inside[0]!r} but is bound to "
                f"{', '.join(gateways)} only: calls from inside the mesh go to the Service directly, past these routes"
            )
            yield Hit(virtual_service, ("spec", "gateways"), message)


def idle_destination_rules(context: Context) -> Iterator[Hit]:
    """DestinationRules whose host no route goes to."""
    routed = {split_host(text(d, "host"), space(v)) for v, _, d in _destinations(context)}
    if not routed:
        return
    for rule in context.of_kind("DestinationRule"):
        host = text(rule.data, "spec", "host")
        if "*" in host or not host:
            continue
        if split_host(host, space(rule)) not in routed:
            message = (
                f"DestinationRule {rule.name!r} is for host {host!r}, which no VirtualService routes to: its pools and "
                f"outlier detection apply to none of the routed traffic"
            )
            yield Hit(rule, ("spec", "host"), message)


def unknown_subsets(context: Context) -> Iterator[Hit]:
    """Routes to subsets no DestinationRule defines."""
    defined: dict[tuple[str, str], set[str]] = defaultdict(set)
    for rule in context.of_kind("DestinationRule"):
        host = split_host(text(rule.data, "spec", "host"), space(rule))
        defined[host] |= {text(subset, "name") for _, subset in entries(rule.data, "spec", "subsets")}
    for virtual_service, path, destination in _destinations(context):
        target, subset = text(destination, "host"), text(destination, "subset")
        if subset and subset not in defined[split_host(target, space(virtual_service))]:
            message = f"VirtualService {virtual_service.name!r} routes to subset {subset!r} of {target!r}, which is defined nowhere"
            yield Hit(virtual_service, (*path, "destination", "subset"), message)


def rivals(context: Context) -> Iterator[Hit]:
    """VirtualServices that claim the same host on the same gateway."""
    owners: dict[tuple[str, str], Document] = {}
    for virtual_service in context.of_kind("VirtualService"):
        hosts = list(enumerate(texts(virtual_service.data, "spec", "hosts")))
        for gateway in texts(virtual_service.data, "spec", "gateways") or ("mesh",):
            for index, host in hosts:
                key = (_qualified(gateway, virtual_service), _full_host(host, virtual_service))
                first = owners.setdefault(key, virtual_service)
                if first is not virtual_service:
                    message = (
                        f"VirtualServices {first.name!r} and {virtual_service.name!r} both claim {host!r} on gateway "
                        f"{gateway!r}: the older one wins or the two are merged, so weights written to one may have no effect"
                    )
                    yield Hit(virtual_service, ("spec", "hosts", index), message)


def _qualified(gateway: str, document: Document) -> str:
    return gateway if gateway == "mesh" or "/" in gateway else f"{space(document)}/{gateway}"


def _full_host(host: str, document: Document) -> str:
    if not is_cluster_host(host):
        return host
    return ".".join(split_host(host, space(document)))


def weights_off(context: Context) -> Iterator[Hit]:
    """Routes whose weights do not sum to 100."""
    for virtual_service, path, route in _routes(context):
        weights = [whole(item.get("weight", 0)) for _, item in entries(route, "route")]
        known = [weight for weight in weights if weight is not None]
        if len(weights) > 1 and len(known) == len(weights) and sum(known) != 100:
            message = (
                f"the weights of this route of VirtualService {virtual_service.name!r} sum to {sum(known)}, not 100"
            )
            yield Hit(virtual_service, (*path, "route"), message)


def open_header_routes(context: Context) -> Iterator[Hit]:
    """Routes that any client can choose by a header."""
    for virtual_service, path, route in _routes(context):
        gateways = texts(virtual_service.data, "spec", "gateways")
        for at, match in entries(route, "match"):
            # A match's own gateways replace those of the VirtualService.
            outside = [gateway for gateway in texts(match, "gateways") or gateways if gateway != "mesh"]
            headers = [name for name in mapping(match, "headers") if name.lower() not in {":authority", "host"}]
            if headers and outside:
                message = (
                    f"any client that sends the header {headers[0]!r} through {outside[0]} chooses this route of "
                    f"VirtualService {virtual_service.name!r}"
                )
                yield Hit(virtual_service, (*path, *at, "headers", headers[0]), message)


def unreachable_routes(context: Context) -> Iterator[Hit]:
    """Routes behind one that takes everything."""
    for virtual_service in context.of_kind("VirtualService"):
        catch_all = ""
        for path, route in entries(virtual_service.data, "spec", "http"):
            if catch_all:
                message = f"this route of VirtualService {virtual_service.name!r} is never reached: {catch_all} matches everything"
                yield Hit(virtual_service, path, message)
            elif not sequence(route, "match"):
                catch_all = f"route {text(route, 'name') or f'http[{path[-1]}]'}"


def _routes(context: Context) -> Iterator[tuple[Document, Path, Mapping[str, Any]]]:
    """(VirtualService, path, route) of every route of every protocol."""
    for virtual_service in context.of_kind("VirtualService"):
        for kind in _ROUTE_KINDS:
            for path, route in entries(virtual_service.data, "spec", kind):
                yield virtual_service, path, route


def _destinations(context: Context) -> Iterator[tuple[Document, Path, Mapping[str, Any]]]:
    """(VirtualService, path of the weighted entry, its destination)."""
    for virtual_service, path, route in _routes(context):
        for at, item in entries(route, "route"):
            yield virtual_service, (*path, *at), mapping(item, "destination")


RULES = (
    Rule(
        "RT401",
        "service-mixes-versions",
        Severity.WARNING,
        "A Service sends to every pod its selector matches; a VirtualService does not change selectors, so callers that use "
        "the Service directly get every version at once.",
        "add the label that tells the versions apart to the selector, or delete the Service",
        broad_services,
    ),
    Rule(
        "RT402",
        "service-selects-nothing",
        Severity.WARNING,
        "A Service without matching pods answers every request with a connection error (503 in the mesh).",
        "make the selector a subset of spec.template.metadata.labels of the workload",
        empty_services,
    ),
    Rule(
        "RT403",
        "route-to-missing-service",
        Severity.ERROR,
        "A route to a host that does not exist answers 503.",
        "create the Service or correct the host",
        unknown_hosts,
    ),
    Rule(
        "RT404",
        "virtual-service-not-in-mesh",
        Severity.WARNING,
        "Where gateways are listed, the routes hold for those only; `mesh` stands for the sidecars.",
        "gateways: [mesh, <your gateway>]",
        not_in_mesh,
    ),
    Rule(
        "RT405",
        "destination-rule-idle",
        Severity.WARNING,
        "A DestinationRule acts on the host a route finally sends to, not on the host the client called.",
        "write one DestinationRule for each destination host",
        idle_destination_rules,
    ),
    Rule(
        "RT406",
        "subset-missing",
        Severity.ERROR,
        "A route to an undefined subset answers 503.",
        "define the subset in the DestinationRule of that host",
        unknown_subsets,
    ),
    Rule(
        "RT407",
        "virtual-services-collide",
        Severity.ERROR,
        "Two VirtualServices for one host and gateway are merged in no guaranteed order, or one is ignored.",
        "put all routes of a host into one VirtualService: one delivery strategy for each service",
        rivals,
    ),
    Rule(
        "RT408",
        "weights-not-100",
        Severity.WARNING,
        "Weights are proportions of their sum; the share on the wire is then not the number written.",
        "let the weights of a route sum to 100",
        weights_off,
    ),
    Rule(
        "RT409",
        "open-header-route",
        Severity.INFO,
        "A route chosen by a plain header lets anybody reach an unreleased version.",
        "strip the header at the gateway, or match a claim of an authenticated token",
        open_header_routes,
    ),
    Rule(
        "RT410",
        "route-unreachable",
        Severity.WARNING,
        "The first route that matches wins; nothing behind a route without conditions is ever used.",
        "move the route without match to the end",
        unreachable_routes,
    ),
)
