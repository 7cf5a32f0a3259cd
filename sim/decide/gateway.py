"""What the Gateway API plugin makes of the HTTPRoutes that a Rollout names, each rule a route of the stand-in.

Source: rollouts-plugin-trafficrouter-gatewayapi 0.15.0 ``pkg/plugin/httproute.go``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.decide.istio.rewriting import Owner
from sim.model.network import HttpMatch, HttpRoute, RouteDestination, StringMatch, VirtualService
from sim.model.rollout import HeaderRoute


def with_weights(
    vs: VirtualService,
    owner: Owner,
    canary: int,
    additional: tuple[tuple[str, int], ...] = (),
    previous: tuple[str, ...] = (),
) -> VirtualService:
    """Both Services' weights in *every* rule that names one of them; other backends stay (httproute.go:36-58).

    An experiment's Services come into the first of these rules, where they take from the stable Service alone; those of
    the ``previous`` writing go (experiment.go:15-155).
    """
    named = [i for i, route in enumerate(vs.http) if _is_weighted(route, owner)]
    weights = {owner.canary_service: canary, owner.stable_service: max(0, 100 - canary)}
    changed = {i: _weighted(vs.http[i], weights) for i in named}
    if named and (additional or previous):
        changed[named[0]] = _with_experiment(changed[named[0]], owner, additional, previous)
    return replace(vs, http=tuple(changed.get(i, route) for i, route in enumerate(vs.http)))


def with_header_route(vs: VirtualService, owner: Owner, route: HeaderRoute, sources: tuple[str, ...]) -> VirtualService:
    """Before each rule with both Services the same rule with *all* headers too, to the canary (httproute.go:98-182).

    ``sources`` are the names of rules of HTTPRoutes that take header routes. A route without a match takes away every
    header route, not only its own (httproute.go:75-77).
    """
    if not route.match:
        return without_managed(vs, owner, sources)
    headers = tuple((one.header, StringMatch(one.how, one.value)) for one in route.match)

    def placed() -> Iterator[HttpRoute]:
        for one in vs.http:
            if one.name in sources and _names_both(one, owner):
                yield _to_canary(one, owner, route.name, headers)
            if one.name != route.name:
                yield one

    return replace(vs, http=tuple(placed()))


def without_managed(vs: VirtualService, owner: Owner, sources: tuple[str, ...]) -> VirtualService:
    """No managed route, nor, where those may be, any rule of the canary alone, whoever wrote it (httproute.go:276-289)."""
    return replace(
        vs,
        http=tuple(
            one
            for one in vs.http
            if one.name not in owner.managed and not (one.name in sources and _is_alone(one, owner))
        ),
    )


def _is_weighted(route: HttpRoute, owner: Owner) -> bool:
    """A rule of the canary alone counts as a header route of the plugin's own (httproute.go:201-214)."""
    names = {one.host for one in route.destinations}
    return bool(names & {owner.canary_service, owner.stable_service}) and not (
        route.name in owner.managed or _is_alone(route, owner)
    )


def _is_alone(route: HttpRoute, owner: Owner) -> bool:
    return [one.host for one in route.destinations] == [owner.canary_service]


def _names_both(route: HttpRoute, owner: Owner) -> bool:
    return {owner.canary_service, owner.stable_service} <= {one.host for one in route.destinations}


def _weighted(route: HttpRoute, weights: dict[str, int]) -> HttpRoute:
    return replace(
        route, destinations=tuple(replace(o, weight=weights.get(o.host, o.weight)) for o in route.destinations)
    )


def _with_experiment(
    route: HttpRoute, owner: Owner, additional: tuple[tuple[str, int], ...], previous: tuple[str, ...]
) -> HttpRoute:
    kept = replace(route, destinations=tuple(one for one in route.destinations if one.host not in previous))
    if not additional:
        return kept
    left = max(0, 100 - sum(weight for _, weight in additional))
    new = (RouteDestination(host, weight=weight) for host, weight in additional)
    return replace(kept, destinations=(*_weighted(kept, {owner.stable_service: left}).destinations, *new))


def _to_canary(route: HttpRoute, owner: Owner, name: str, headers: tuple[tuple[str, StringMatch], ...]) -> HttpRoute:
    matches = tuple(replace(one, headers=(*one.headers, *headers)) for one in route.matches or (HttpMatch(),))
    return replace(route, name=name, matches=matches, destinations=(RouteDestination(owner.canary_service, weight=1),))
