"""Services and Istio's routing objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scenarios.manifests.build.policies import traffic_policy
from scenarios.manifests.build.reading import (
    duration_s,
    flag,
    integer,
    labels,
    mapping,
    mappings,
    text,
    texts,
    value,
)  # fmt: skip
from sim.model.network import (
    AmbassadorMapping,
    ConnectionRoute,
    DestinationRule,
    HttpFault,
    HttpMatch,
    HttpRetry,
    HttpRoute,
    Ingress,
    IngressPath,
    Layer,
    Mirror,
    RouteDestination,
    ServiceSpec,
    StringMatch,
    Subset,
    VirtualService,
)  # fmt: skip

_MATCHES_ALL = "*"
"""A ``regex`` of this value asks for presence only (istio 1.20.8 route.go:1060-1076)."""
_MOVED = 301


def service(data: dict[str, Any], name: str, namespace: str) -> ServiceSpec:
    """A core Service."""
    return ServiceSpec(name, namespace, labels(data, "spec", "selector"))


def ingress(data: dict[str, Any], name: str, namespace: str) -> Ingress:
    """An Ingress and the paths of its rules; the default backend does not count."""
    paths = (path for rule in mappings(data, "spec", "rules") for path in mappings(rule, "http", "paths"))
    return Ingress(
        name,
        namespace,
        tuple(
            IngressPath(
                text(path, "path") or "/", text(path, "pathType") == "Exact", text(path, "backend", "service", "name")
            )
            for path in paths
        ),
    )


def ambassador_mapping(data: dict[str, Any], name: str, namespace: str) -> AmbassadorMapping:
    """An Ambassador Mapping."""
    return AmbassadorMapping(name, namespace, integer(data, "spec", "weight") or 0)


def virtual_service(data: dict[str, Any], name: str, namespace: str) -> VirtualService:
    """A VirtualService; without ``gateways`` it holds for the mesh."""
    spec = mapping(data, "spec")
    return VirtualService(
        name=name,
        namespace=namespace,
        hosts=texts(spec, "hosts"),
        gateways=texts(spec, "gateways") or ("mesh",),
        http=tuple(http_route(route) for route in mappings(spec, "http")),
        connections=tuple(_connection(route, layer) for layer in Layer for route in mappings(spec, layer.value)),
        empty_http=spec.get("http") == [],
    )


def http_route(route: dict[str, Any]) -> HttpRoute:
    """One ``spec.http`` entry; ``rewrite``, ``headers`` and ``corsPolicy`` change nothing that the twin looks at."""
    return HttpRoute(
        name=text(route, "name"),
        matches=tuple(_match(match) for match in mappings(route, "match")),
        destinations=tuple(_destination(entry) for entry in mappings(route, "route")),
        timeout_s=duration_s(route, "timeout"),
        retries=_retries(route["retries"]) if isinstance(route.get("retries"), dict) else None,
        fault=_fault(route["fault"]) if isinstance(route.get("fault"), dict) else None,
        mirrors=tuple(_mirrors(route)),
        answer=_answer(route),
    )


def _connection(route: dict[str, Any], layer: Layer) -> ConnectionRoute:
    """Ports (0: any) and server names of all matches together, as the controller compares them (istio.go:1038-1075)."""
    matches = list(mappings(route, "match"))
    return ConnectionRoute(
        layer,
        ports=tuple(dict.fromkeys(integer(match, "port") or 0 for match in matches)),
        sni_hosts=tuple(dict.fromkeys(host for match in matches for host in texts(match, "sniHosts"))),
        gateways=tuple(dict.fromkeys(name for match in matches for name in texts(match, "gateways"))),
        destinations=tuple(_destination(entry) for entry in mappings(route, "route")),
    )


def _destination(entry: dict[str, Any]) -> RouteDestination:
    return _place(mapping(entry, "destination"), integer(entry, "weight"))


def _place(where: dict[str, Any], weight: int | None = None) -> RouteDestination:
    return RouteDestination(
        text(where, "host"), text(where, "subset"), weight, integer(where, "port", "number") or 0
    )  # fmt: skip


def _match(match: dict[str, Any]) -> HttpMatch:
    def one(key: str) -> StringMatch | None:
        return string_match(match[key]) if isinstance(match.get(key), dict) else None

    return HttpMatch(
        headers=_named(match, "headers"),
        without_headers=_named(match, "withoutHeaders"),
        query=_named(match, "queryParams"),
        uri=one("uri"),
        ignore_uri_case=flag(match, "ignoreUriCase"),
        method=one("method"),
        authority=one("authority"),
        scheme=one("scheme"),
        port=integer(match, "port") or 0,
        gateways=texts(match, "gateways"),
        source_labels=labels(match, "sourceLabels"),
        source_namespace=text(match, "sourceNamespace"),
    )


def _named(match: dict[str, Any], key: str) -> tuple[tuple[str, StringMatch], ...]:
    return tuple((name, string_match(how)) for name, how in sorted(mapping(match, key).items()))


def string_match(match: Any) -> StringMatch:
    """The one way a StringMatch names; an empty one only asks for presence."""
    for how in ("exact", "prefix", "regex"):
        found = value(match, how)
        if isinstance(found, str) and (how, found) != ("regex", _MATCHES_ALL):
            return StringMatch(how, found)
    return StringMatch("present")


def _retries(data: dict[str, Any]) -> HttpRetry:
    """``attempts`` below 1 (or not written: it is a plain number) disables retries (istio 1.20.8 retry.go:66-75)."""
    return HttpRetry(integer(data, "attempts") or 0, duration_s(data, "perTryTimeout"), text(data, "retryOn"))


def _fault(data: dict[str, Any]) -> HttpFault:
    """Without ``percentage`` a delay takes the older ``percent``; an abort then hits nobody (route.go:1260-1297)."""
    delay, abort = mapping(data, "delay"), mapping(data, "abort")
    share = _percentage(delay)
    return HttpFault(
        delay_s=duration_s(delay, "fixedDelay") or 0.0,
        delay_share=(integer(delay, "percent") or 0) / 100 if share is None else share,
        abort_status=integer(abort, "httpStatus") or 0,
        abort_share=_percentage(abort) or 0.0,
    )


def _mirrors(route: dict[str, Any]) -> Iterator[Mirror]:
    """``mirror`` with the newest of its three percentages, then each of ``mirrors``; all requests where none is said."""
    if isinstance(route.get("mirror"), dict):
        older = integer(route, "mirrorPercent")
        share = _percentage(route, "mirrorPercentage")
        yield Mirror(_place(route["mirror"]), (1.0 if older is None else older / 100) if share is None else share)
    for one in mappings(route, "mirrors"):
        share = _percentage(one)
        yield Mirror(_place(mapping(one, "destination")), 1.0 if share is None else share)


def _percentage(data: dict[str, Any], key: str = "percentage") -> float | None:
    """A share in 0..1; a ``percentage`` without a value is 0."""
    if not isinstance(data.get(key), dict):
        return None
    number = value(data, key, "value")
    written = float(number) if isinstance(number, int | float) and not isinstance(number, bool) else 0.0
    return min(max(written / 100, 0.0), 1.0)


def _answer(route: dict[str, Any]) -> int:
    if isinstance(route.get("redirect"), dict):
        return integer(route, "redirect", "redirectCode") or _MOVED
    return integer(route, "directResponse", "status") or 0


def destination_rule(data: dict[str, Any], name: str, namespace: str) -> DestinationRule:
    """A DestinationRule; policies of single ports are not read."""
    spec = mapping(data, "spec")
    return DestinationRule(
        name=name,
        namespace=namespace,
        host=text(spec, "host"),
        subsets=tuple(
            Subset(text(one, "name"), labels(one, "labels"), traffic_policy(mapping(one, "trafficPolicy")))
            for one in mappings(spec, "subsets")
        ),
        policy=traffic_policy(mapping(spec, "trafficPolicy")),
    )
