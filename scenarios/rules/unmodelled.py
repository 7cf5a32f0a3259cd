"""RT41x: routing that the twin does not model, or that its objects do not say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from scenarios.findings import Path, Severity
from scenarios.manifests import Document
from scenarios.rules.context import Context
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.tree import dig, entries, mapping, text
from sim.decide.istio.matching import is_pattern

_CLAIMS: Final = "@request.auth.claims"
_ROUTER: Final = ("spec", "strategy", "canary", "trafficRouting")

Fields = Mapping[tuple[str, ...], str]
"""Path of a field -> what the twin does instead."""

_SERVICE_FIELDS: Final[Fields] = {("exportTo",): "every namespace sees it"}
_RULE_FIELDS: Final[Fields] = {
    ("exportTo",): "every namespace sees it",
    ("workloadSelector",): "it binds every client",
}
_ROUTE_FIELDS: Final[Fields] = {
    ("delegate",): "routes of another VirtualService are not looked up: requests that come here get 503",
    ("retries", "retryRemoteLocalities"): "localities are not modelled",
    ("fault", "delay", "exponentialDelay"): "Istio does not support it either: nothing is delayed",
    ("fault", "abort", "grpcStatus"): "requests are HTTP: nothing is aborted",
}
_POLICY_FIELDS: Final[Fields] = {
    ("loadBalancer", "consistentHash"): "requests carry nothing to hash: pods are chosen at random",
    ("loadBalancer", "localityLbSetting"): "pods have no locality",
    ("loadBalancer", "warmupDurationSecs"): "new pods get their full share at once",
    ("connectionPool", "http", "maxRequestsPerConnection"): "connections are not modelled",
    ("connectionPool", "http", "maxRetries"): "retries under way are not limited",
    ("connectionPool", "http", "idleTimeout"): "connections are not modelled",
    ("connectionPool", "tcp", "connectTimeout"): "a pod that is gone refuses at once",
    ("connectionPool", "tcp", "maxConnectionDuration"): "connections are not modelled",
    ("portLevelSettings",): "policies of single ports are not read",
    ("tunnel",): "tunnels are not modelled",
}

_WHOLE: Final = {
    "smi": "TrafficSplit",
    "traefik": "TraefikService",
    "ambassador": "Mappings",
    "apisix": "ApisixRoute",
    "appMesh": "App Mesh routes",
}


def unread_fields(context: Context) -> Iterator[Hit]:
    """Fields of routes and policies that change nothing in the twin though they would in the cluster."""
    for service in context.of_kind("VirtualService"):
        yield from _unread(service, ("spec",), _SERVICE_FIELDS)
        for path, route in entries(service.data, "spec", "http"):
            yield from _unread(service, path, _ROUTE_FIELDS)
            for at, match in entries(route, "match"):
                claims = [name for name in mapping(match, "headers") if name.startswith(_CLAIMS)]
                for name in claims:
                    yield _unmodelled(
                        service, (*path, *at, "headers", name), "requests carry no tokens: it never holds"
                    )
    for rule in context.of_kind("DestinationRule"):
        yield from _unread(rule, ("spec",), _RULE_FIELDS)
        yield from _unread(rule, ("spec", "trafficPolicy"), _POLICY_FIELDS)
        for path, _ in entries(rule.data, "spec", "subsets"):
            yield from _unread(rule, (*path, "trafficPolicy"), _POLICY_FIELDS)


def _unread(document: Document, base: Path, fields: Fields) -> Iterator[Hit]:
    for path, instead in fields.items():
        if dig(document.data, *base, *path) is not None:
            yield _unmodelled(document, (*base, *path), instead)


def _unmodelled(document: Document, path: Path, instead: str) -> Hit:
    return Hit(document, path, f"{document.kind} {document.name!r}: {path[-1]} is not modelled: {instead}")


def no_router_named(context: Context) -> Iterator[Hit]:
    """``trafficRouting`` that names no router the controller knows."""
    for rollout in context.manifests.rollouts:
        routing = rollout.canary.traffic_routing if rollout.canary is not None else None
        document = context.find("Rollout", rollout.name, rollout.namespace)
        if routing is not None and not routing.kinds and document is not None:
            message = (
                f"Rollout {rollout.name!r}: trafficRouting names no router: pods are counted as if one split the traffic, but "
                f"no weight is ever written"
            )
            yield Hit(document, _ROUTER, message)


def routers_taken_whole(context: Context) -> Iterator[Hit]:
    """Routers of whose objects the twin reads nothing."""
    for rollout in context.of_kind("Rollout"):
        routing = mapping(rollout.data, *_ROUTER)
        plugins = [name for name in mapping(routing, "plugins") if name != "argoproj-labs/gatewayAPI"]
        read = [(kind, objects) for kind, objects in _WHOLE.items() if kind in routing]
        for kind, objects in [*read, *((name, "objects") for name in plugins)]:
            message = (
                f"Rollout {rollout.name!r}: the {objects} of router {kind!r} are not read: the twin splits every request "
                f"between the stable and the canary Service"
            )
            where: Path = ("plugins", kind) if kind in plugins else (kind,)
            yield Hit(rollout, (*_ROUTER, *where), message)


def absent_headers(context: Context) -> Iterator[Hit]:
    """``withoutHeaders`` conditions on a value, under an Istio in which the absent header does not meet them."""
    if context.scenario is not None and context.scenario.cluster.istio != "istio-1.20":
        return
    for service, path, match in _matches(context):
        for name, how in mapping(match, "withoutHeaders").items():
            if isinstance(how, Mapping) and how:
                message = (
                    f"VirtualService {service.name!r}: before Istio 1.22 this holds only for requests that carry {name!r} with "
                    f"another value, not for those without the header"
                )
                yield Hit(service, (*path, "withoutHeaders", name), message)


def unreadable_patterns(context: Context) -> Iterator[Hit]:
    """Regular expressions of routes that RE2 cannot read."""
    for service, path, match in _matches(context):
        for at, how in _conditions(match):
            pattern = text(how, "regex")
            if pattern and not is_pattern(pattern) and pattern != "*":
                message = f"VirtualService {service.name!r}: {pattern!r} is no regular expression of RE2"
                yield Hit(service, (*path, *at, "regex"), message)


def _conditions(match: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for key in ("uri", "method", "authority", "scheme"):
        yield (key,), mapping(match, key)
    for key in ("headers", "withoutHeaders", "queryParams"):
        for name in mapping(match, key):
            yield (key, name), mapping(match, key, name)


def _matches(context: Context) -> Iterator[tuple[Document, Path, Mapping[str, Any]]]:
    for service in context.of_kind("VirtualService"):
        for path, route in entries(service.data, "spec", "http"):
            for at, match in entries(route, "match"):
                yield service, (*path, *at), match


RULES = (
    Rule(
        "RT411",
        "routing-not-modelled",
        Severity.INFO,
        "What the twin does not model it reads past; a result may be wrong where it matters.",
        "judge whether it matters for the question, or leave it out to see what the twin says without",
        unread_fields,
    ),
    Rule(
        "RT413",
        "router-taken-whole",
        Severity.INFO,
        "Of routers other than Istio, nginx, ALB and the Gateway API only the weights are modelled.",
        "read the result as if every request went through the split",
        routers_taken_whole,
    ),
    Rule(
        "RT414",
        "header-absent",
        Severity.WARNING,
        "Envoy inverts a condition on a header's value only where the header is present; Istio asks it to treat an absent "
        "one as empty since 1.22.",
        "add a route for requests without the header, or say cluster.istio: istio-1.30",
        absent_headers,
    ),
    Rule(
        "RT415",
        "route-pattern-unreadable",
        Severity.ERROR,
        "Istio's validation refuses the VirtualService; a proxy that gets it anyway refuses all of its routes.",
        "write what RE2 reads: no look-around, no back references",
        unreadable_patterns,
    ),
    Rule(
        "RT416",
        "no-router-named",
        Severity.WARNING,
        "The stable version keeps all its pods and the canary gets those of its weight, whatever traffic they get.",
        "name a router under trafficRouting, or leave trafficRouting out to split by the pods",
        no_router_named,
    ),
)
