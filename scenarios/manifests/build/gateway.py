"""Gateway API HTTPRoutes, as the routes of a VirtualService in the order in which requests try them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from scenarios.manifests.build.reading import integer, mappings, text
from sim.model.network import GatewayRoute, HttpMatch, HttpRoute, RouteDestination, StringMatch

_HOW = {"Exact": "exact", "RegularExpression": "regex"}


def http_route(data: dict[str, Any], name: str, namespace: str) -> GatewayRoute:
    """Rules one match at a time: exact paths first, then longer prefixes, methods, more headers, more parameters."""
    found = [one for rule in mappings(data, "spec", "rules") for one in _rule(rule)]
    return GatewayRoute(name, namespace, tuple(route for _, route in sorted(found, key=lambda one: one[0])))


def _rule(rule: dict[str, Any]) -> Iterator[tuple[tuple[int, ...], HttpRoute]]:
    destinations = tuple(
        RouteDestination(text(one, "name"), weight=1 if integer(one, "weight") is None else integer(one, "weight"))
        for one in mappings(rule, "backendRefs")
    )
    for match in list(mappings(rule, "matches")) or [{}]:
        method = StringMatch("exact", text(match, "method")) if text(match, "method") else None
        base = HttpMatch(headers=_named(match, "headers"), query=_named(match, "queryParams"), method=method)
        path, how = text(match, "path", "value") or "/", text(match, "path", "type")
        rank = (how != "Exact", -len(path), method is None, -len(base.headers), -len(base.query))
        yield rank, HttpRoute(matches=tuple(_paths(base, how, path)), destinations=destinations)


def _paths(base: HttpMatch, how: str, path: str) -> Iterator[HttpMatch]:
    if how in _HOW:
        yield replace(base, uri=StringMatch(_HOW[how], path))
    else:
        yield from below(base, path)


def below(base: HttpMatch, path: str) -> Iterator[HttpMatch]:
    """A path and everything below it, element by element: ``/a`` takes ``/a/b``, not ``/ab``."""
    bare = path.rstrip("/")
    if not bare:
        yield base
        return
    yield replace(base, uri=StringMatch("exact", bare))
    yield replace(base, uri=StringMatch("prefix", bare + "/"))


def _named(match: dict[str, Any], key: str) -> tuple[tuple[str, StringMatch], ...]:
    return tuple(
        (text(one, "name"), StringMatch(_HOW.get(text(one, "type"), "exact"), text(one, "value")))
        for one in mappings(match, key)
    )
