"""Istio's objects as JSON: what the twin's rules changed is written back, what they do not read stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from harness.cluster.objects import Object
from scenarios.manifests.build import network
from sim.model.network import (
    DestinationRule,
    HttpMatch,
    HttpRoute,
    Layer,
    RouteDestination,
    StringMatch,
    VirtualService,
)


def virtual_service(obj: Object) -> VirtualService:
    """A VirtualService as the rules read it."""
    return network.virtual_service(obj, *_identity(obj))


def destination_rule(obj: Object) -> DestinationRule:
    """A DestinationRule as the rules read it."""
    return network.destination_rule(obj, *_identity(obj))


def _identity(obj: Object) -> tuple[str, str]:
    return obj["metadata"]["name"], obj["metadata"].get("namespace", "default")


def virtual_service_patch(obj: Object, before: VirtualService, after: VirtualService) -> Object:
    """The merge patch that makes ``obj``, read as ``before``, into ``after``; empty if nothing changed.

    Routes of ``after`` must be those of ``before`` (the same values), those with other destinations, or new ones.
    """
    spec: Object = {}
    if after.http != before.http:
        spec["http"] = _http(obj["spec"].get("http") or [], before.http, after.http)
    if after.connections != before.connections:
        written = {layer: iter(obj["spec"].get(layer.value) or ()) for layer in Layer}
        for route in after.connections:
            spec.setdefault(route.layer.value, []).append(_split(next(written[route.layer]), route.destinations))
    return {"spec": spec} if spec else {}


def _http(written: Sequence[Object], before: Sequence[HttpRoute], after: Sequence[HttpRoute]) -> list[Object]:
    if [route.name for route in before] == [route.name for route in after]:
        # The controller changed weights: the same routes in the same places.
        return [_split(obj, route.destinations) for obj, route in zip(written, after, strict=True)]
    known = {id(route): obj for route, obj in zip(before, written, strict=True)}
    return [known[id(route)] if id(route) in known else _route(route) for route in after]


def _split(obj: Object, destinations: Iterable[RouteDestination]) -> Object:
    """The route with these destinations; those that were there keep what else is written of them."""
    waiting = list(obj.get("route") or ())
    found = []
    for one in destinations:
        same = next((entry for entry in waiting if _place(entry) == (one.host, one.subset, one.port)), None)
        if same is None:
            found.append(_destination(one))
            continue
        waiting.remove(same)
        found.append(same if one.weight is None else {**same, "weight": one.weight})
    return {**obj, "route": found}


def _place(entry: Object) -> tuple[str, str, int]:
    where: Any = entry.get("destination") or {}
    return where.get("host", ""), where.get("subset", ""), (where.get("port") or {}).get("number", 0)


def _destination(one: RouteDestination) -> Object:
    """An entry of ``route``."""
    written: Object = {"destination": _address(one)}
    return written if one.weight is None else {**written, "weight": one.weight}


def _address(one: RouteDestination) -> Object:
    """A ``destination``, also of a mirror."""
    where: Object = {"host": one.host}
    if one.subset:
        where["subset"] = one.subset
    if one.port:
        where["port"] = {"number": one.port}
    return where


def _route(route: HttpRoute) -> Object:
    """A route of the controller's own: by headers, or a mirror."""
    made: Object = {"name": route.name}
    if route.matches:
        made["match"] = [_match(one) for one in route.matches]
    made["route"] = [_destination(one) for one in route.destinations]
    for mirror in route.mirrors:
        made["mirror"] = _address(mirror.destination)
        made["mirrorPercentage"] = {"value": mirror.share * 100}
    return made


def _match(match: HttpMatch) -> Object:
    texts = {"method": match.method, "uri": match.uri}
    made: Object = {key: _text(how) for key, how in texts.items() if how is not None}
    if match.headers:
        made["headers"] = {name: _text(how) for name, how in match.headers}
    return made


def _text(how: StringMatch) -> Object:
    return {} if how.how == "present" else {how.how: how.value}


def destination_rule_patch(obj: Object, before: DestinationRule, after: DestinationRule) -> Object:
    """The merge patch that makes the subsets of ``obj``, read as ``before``, those of ``after``; empty if they are."""
    if after.subsets == before.subsets:
        return {}
    written = {one.get("name", ""): one for one in obj["spec"].get("subsets") or ()}
    subsets = [{**written.get(one.name, {"name": one.name}), "labels": dict(one.labels)} for one in after.subsets]
    return {"spec": {"subsets": subsets}}
