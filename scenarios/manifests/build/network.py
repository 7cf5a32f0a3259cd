"""Services and Istio's routing objects."""

from __future__ import annotations

from typing import Any

from scenarios.manifests.build.reading import duration_s, integer, items, labels, mapping, mappings, text, texts
from sim.model.network import (
    DestinationRule,
    HttpMatch,
    HttpRoute,
    OutlierDetection,
    RouteDestination,
    ServiceSpec,
    StringMatch,
    Subset,
    VirtualService,
)  # fmt: skip


def service(data: dict[str, Any], name: str, namespace: str) -> ServiceSpec:
    """A core Service."""
    return ServiceSpec(name, namespace, labels(data, "spec", "selector"))


def virtual_service(data: dict[str, Any], name: str, namespace: str) -> VirtualService:
    """A VirtualService; without ``gateways`` it holds for the mesh."""
    spec = mapping(data, "spec")
    return VirtualService(
        name=name,
        namespace=namespace,
        hosts=texts(spec, "hosts"),
        gateways=texts(spec, "gateways") or ("mesh",),
        http=tuple(_http(route) for route in mappings(spec, "http")),
        tls=len(items(spec, "tls")),
        tcp=len(items(spec, "tcp")),
    )


def _http(route: dict[str, Any]) -> HttpRoute:
    return HttpRoute(
        name=text(route, "name"),
        matches=tuple(_match(match) for match in mappings(route, "match")),
        destinations=tuple(_destination(entry) for entry in mappings(route, "route")),
        timeout_s=duration_s(route, "timeout"),
        retries=integer(route, "retries", "attempts"),
    )


def _destination(entry: dict[str, Any]) -> RouteDestination:
    where = mapping(entry, "destination")
    return RouteDestination(text(where, "host"), text(where, "subset"), integer(entry, "weight"))


def _match(match: dict[str, Any]) -> HttpMatch:
    return HttpMatch(
        headers=_headers(match, "headers"),
        without_headers=_headers(match, "withoutHeaders"),
        uri=_string_match(match["uri"]) if "uri" in match else None,
        method=_string_match(match["method"]) if "method" in match else None,
        gateways=texts(match, "gateways"),
        source_labels=labels(match, "sourceLabels"),
    )


def _headers(match: dict[str, Any], key: str) -> tuple[tuple[str, StringMatch], ...]:
    return tuple((name, _string_match(how)) for name, how in sorted(mapping(match, key).items()))


def _string_match(match: Any) -> StringMatch:
    """The one way a StringMatch names; an empty one only asks for presence."""
    for how in ("exact", "prefix", "regex"):
        if found := text(match, how):
            return StringMatch(how, found)
    return StringMatch("present")


def destination_rule(data: dict[str, Any], name: str, namespace: str) -> DestinationRule:
    """A DestinationRule; policies of single subsets and ports are not read."""
    spec = mapping(data, "spec")
    policy = mapping(spec, "trafficPolicy")
    http = mapping(policy, "connectionPool", "http")
    return DestinationRule(
        name=name,
        namespace=namespace,
        host=text(spec, "host"),
        subsets=tuple(Subset(text(subset, "name"), labels(subset, "labels")) for subset in mappings(spec, "subsets")),
        outlier=_outlier(policy["outlierDetection"]) if "outlierDetection" in policy else None,
        max_connections=integer(policy, "connectionPool", "tcp", "maxConnections"),
        max_pending_requests=integer(http, "http1MaxPendingRequests"),
        max_requests=integer(http, "http2MaxRequests"),
    )


def _outlier(data: Any) -> OutlierDetection:
    """Istio's defaults where a field is not written; ``consecutiveErrors`` was the older name of the first."""
    default = OutlierDetection()
    consecutive = integer(data, "consecutive5xxErrors")
    interval, base = duration_s(data, "interval"), duration_s(data, "baseEjectionTime")
    ejected, healthy = integer(data, "maxEjectionPercent"), integer(data, "minHealthPercent")
    return OutlierDetection(
        consecutive_5xx=default.consecutive_5xx if consecutive is None else consecutive,
        interval_s=default.interval_s if interval is None else interval,
        base_ejection_s=default.base_ejection_s if base is None else base,
        max_ejection_percent=default.max_ejection_percent if ejected is None else ejected,
        min_health_percent=default.min_health_percent if healthy is None else healthy,
    )
