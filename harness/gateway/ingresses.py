"""Routes of the Ingresses that nginx splits: its own, and the canary ones that a controller puts beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.gateway.picture import IngressView
from sim.model.network import HttpMatch, HttpRoute, IngressPath, RouteDestination, StringMatch
from sim.model.pods import Labels


def routes_of(ingresses: Sequence[IngressView], names: Sequence[str]) -> Iterator[HttpRoute]:
    """Paths of the named Ingresses, exact ones first, then the longest, each split with the canary of the same path."""
    own = [path for one in ingresses if one.ingress.name in names for path in one.ingress.paths]
    for path in sorted(own, key=lambda one: (not one.exact, -len(one.path))):
        canary = next(_canaries(ingresses, path), None)
        stable = RouteDestination(path.service)
        if canary is None:
            yield HttpRoute("", _matches(path), (stable,))
            continue
        service, annotations = canary
        yield from _by_header(path, service, annotations)
        weight = _weight(annotations)
        halves = (replace(stable, weight=100 - weight), RouteDestination(service, weight=weight))
        yield HttpRoute("", _matches(path), halves)


def _canaries(ingresses: Sequence[IngressView], path: IngressPath) -> Iterator[tuple[str, Labels]]:
    for one in ingresses:
        if one.is_canary:
            yield from ((other.service, one.nginx) for other in one.ingress.paths if other.path == path.path)


def _weight(annotations: Labels) -> int:
    """Percent; ``canary-weight-total`` says of how many."""
    said = dict(annotations)
    total = int(said.get("canary-weight-total", "100")) or 100
    return min(100, max(0, round(100 * int(said.get("canary-weight", "0")) / total)))


def _by_header(path: IngressPath, canary: str, annotations: Labels) -> Iterator[HttpRoute]:
    """Nginx' canary by header: always, never, or by a value of one's own; it comes before the weight."""
    said = dict(annotations)
    header, value, pattern = (said.get(f"canary-by-header{end}", "") for end in ("", "-value", "-pattern"))
    if not header:
        return
    if value or pattern:
        how = StringMatch("exact", value) if value else StringMatch("regex", f".*(?:{pattern}).*")
        yield HttpRoute("", _matches(path, HttpMatch(headers=((header, how),))), (RouteDestination(canary),))
        return
    for text, service in (("always", canary), ("never", path.service)):
        how = StringMatch("exact", text)
        yield HttpRoute("", _matches(path, HttpMatch(headers=((header, how),))), (RouteDestination(service),))


def _matches(path: IngressPath, base: HttpMatch | None = None) -> tuple[HttpMatch, ...]:
    """A prefix goes element by element."""
    start = base or HttpMatch()
    if path.exact:
        return (replace(start, uri=StringMatch("exact", path.path)),)
    bare = path.path.rstrip("/")
    if not bare:
        return (start,) if base is not None else ()
    uris = (StringMatch("exact", bare), StringMatch("prefix", f"{bare}/"))
    return tuple(replace(start, uri=uri) for uri in uris)
