"""Routes of the Ingresses that nginx splits: its own, and the canary ones that a controller puts beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.gateway.picture import IngressView
from sim.decide.nginx import by_annotations, matches_of
from sim.model.network import HttpRoute, IngressPath, RouteDestination
from sim.model.pods import Labels


def routes_of(ingresses: Sequence[IngressView], names: Sequence[str]) -> Iterator[HttpRoute]:
    """Paths of the named Ingresses, exact ones first, then the longest, each split with the canary of the same path."""
    own = [path for one in ingresses if one.ingress.name in names for path in one.ingress.paths]
    for path in sorted(own, key=lambda one: (not one.exact, -len(one.path))):
        canary = next(_canaries(ingresses, path), None)
        stable = RouteDestination(path.service)
        if canary is None:
            yield HttpRoute("", matches_of(path), (stable,))
            continue
        service, annotations = canary
        for matches, is_canary in by_annotations(path, annotations):
            yield HttpRoute("", matches, (RouteDestination(service if is_canary else path.service),))
        weight = _weight(annotations)
        halves = (replace(stable, weight=100 - weight), RouteDestination(service, weight=weight))
        yield HttpRoute("", matches_of(path), halves)


def _canaries(ingresses: Sequence[IngressView], path: IngressPath) -> Iterator[tuple[str, Labels]]:
    for one in ingresses:
        if one.is_canary:
            yield from ((other.service, one.nginx) for other in one.ingress.paths if other.path == path.path)


def _weight(annotations: Labels) -> int:
    """Percent; ``canary-weight-total`` says of how many."""
    said = dict(annotations)
    total = int(said.get("canary-weight-total", "100")) or 100
    return min(100, max(0, round(100 * int(said.get("canary-weight", "0")) / total)))
