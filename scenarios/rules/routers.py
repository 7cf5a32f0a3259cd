"""RT412: the objects that routers other than Istio write their weights into, and what the controller says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scenarios.findings import Path, Severity
from scenarios.manifests import Document
from scenarios.rules.context import Context, space
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.tree import dig, entries, mapping, text, texts
from sim.model.controller import Controller

_CANARY: Final = ("spec", "strategy", "canary")
_GATEWAY: Final = ("plugins", "argoproj-labs/gatewayAPI")

Services = tuple[str, str]
"""Canary and stable Service."""


@dataclass(frozen=True, slots=True)
class _Written:
    """An object that a router names: its ``resource`` (plural and group), and ``wrong``, why it cannot be written if it is."""

    kind: str
    resource: str
    name: str
    namespace: str
    path: Path
    wrong: Callable[[Document, Services], str]
    prefix: str = ""


def unwritable_objects(context: Context) -> Iterator[Hit]:
    """Objects of a Rollout's router that nobody has written, or in which the controller does not find what it looks for."""
    for rollout in context.of_kind("Rollout"):
        canary = mapping(rollout.data, *_CANARY)
        services = text(canary, "canaryService"), text(canary, "stableService")
        for written in _named(context, rollout, mapping(canary, "trafficRouting")):
            found = _find(context, written)
            absent = f'{written.resource} "{written.name}" not found'
            if words := absent if found is None else written.wrong(found, services):
                message = (
                    f"Rollout {rollout.name!r} writes its weights into {written.kind} {written.name!r}: the controller fails "
                    f"with {written.prefix + words!r} and makes no progress; the twin takes all requests to be split"
                )
                yield Hit(rollout, (*_CANARY, "trafficRouting", *written.path), message)


def _find(context: Context, written: _Written) -> Document | None:
    group = written.resource.partition(".")[2]
    for document in context.of_kind(written.kind):
        if (document.group, document.name, space(document)) == (group, written.name, written.namespace):
            return document
    return None


def _named(context: Context, rollout: Document, routing: Mapping[str, Any]) -> Iterator[_Written]:
    """A TrafficSplit is made by the controller itself; Mappings, Ingresses and VirtualServices are validated (RT1xx)."""
    own = space(rollout)
    if name := text(routing, "traefik", "weightedTraefikServiceName"):
        path: Path = ("traefik", "weightedTraefikServiceName")
        resource = f"traefikservices.{_traefik_group(context)}"
        yield _Written("TraefikService", resource, name, own, path, _wrong_in_traefik_service)
    if name := text(routing, "apisix", "route", "name"):
        rules = texts(routing, "apisix", "route", "rules") or (name,)
        path = ("apisix", "route", "name")
        yield _Written(
            "ApisixRoute",
            "apisixroutes.apisix.apache.org",
            name,
            own,
            path,
            lambda d, s: _wrong_in_apisix_route(d, s, rules),
        )
    if name := text(routing, "appMesh", "virtualService", "name"):
        path = ("appMesh", "virtualService", "name")
        yield _Written("VirtualService", "virtualservices.appmesh.k8s.aws", name, own, path, _wrong_in_app_mesh)
    for name, path in _http_routes(routing):
        where = text(routing, *_GATEWAY, "namespace") or own
        resource = "httproutes.gateway.networking.k8s.io"
        yield _Written(
            "HTTPRoute", resource, name, where, path, _wrong_in_http_route, "failed to set weight via plugin: "
        )


def _traefik_group(context: Context) -> str:
    """Until 1.9 Traefik's older group (``utils/defaults/defaults.go``)."""
    return "traefik.io" if context.controller.is_since(Controller.ARGO_1_10_RC1) else "traefik.containo.us"


def _http_routes(routing: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    if name := text(routing, *_GATEWAY, "httpRoute"):
        yield name, (*_GATEWAY, "httpRoute")
    for at, route in entries(routing, *_GATEWAY, "httpRoutes"):
        if name := text(route, "name"):
            yield name, (*at, "name")


def _wrong_in_traefik_service(document: Document, services: Services) -> str:
    """``traefik.go:89-160``."""
    if not isinstance(dig(document.data, "spec", "weighted", "services"), list):
        return "spec.weighted.services was not found in traefik service manifest"
    names = {text(one, "name") for _, one in entries(document.data, "spec", "weighted", "services")}
    sides = zip(("canary", "stable"), services, strict=True)
    return next((f"traefik {side} service was not found" for side, name in sides if name not in names), "")


def _wrong_in_apisix_route(document: Document, services: Services, rules: tuple[str, ...]) -> str:
    """``apisix.go:97-197``."""
    if not isinstance(dig(document.data, "spec", "http"), list):
        return "spec.http was not found in Apisix Route manifest"
    routes = {text(route, "name"): route for _, route in reversed(list(entries(document.data, "spec", "http")))}
    for rule in rules:
        if rule not in routes:
            return f"Apisix http route rule {rule} not found"
        if dig(routes[rule], "backends") is None:
            return "Apisix http route backends not found"
        names = {text(one, "serviceName") for _, one in entries(routes[rule], "backends")}
        if missing := [name for name in services if name not in names]:
            return f"apisix route {missing[0]} backend was not found"
    return ""


def _wrong_in_app_mesh(document: Document, _services: Services) -> str:
    """``appmesh/resource_client.go:50-60``."""
    router = mapping(document.data, "spec", "provider", "virtualRouter", "virtualRouterRef")
    return "" if router else "Virtual-service is not associated with virtual-router"


def _wrong_in_http_route(document: Document, services: Services) -> str:
    """A rule of the canary alone does not count (rollouts-plugin-trafficrouter-gatewayapi ``httproute.go:36-61``)."""
    names: set[str] = set()
    for _, rule in entries(document.data, "spec", "rules"):
        backends = [text(one, "name") for _, one in entries(rule, "backendRefs")]
        if backends != [services[0]]:
            names.update(backends)
    return "" if set(services) <= names else "backendRef was not found in httpRoute"


RULES = (
    Rule(
        "RT412",
        "router-object-missing",
        Severity.WARNING,
        "A router's object decides which requests are split; without it, or without both Services in it, the controller's "
        "every write fails.",
        "add the object, with both Services, to the manifests",
        unwritable_objects,
    ),
)
