"""How nginx reads an Ingress: which requests a path catches, and who belongs to the canary before weights are asked.

Source: its documentation of canary annotations (header before cookie before weight).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.model.network import HttpMatch, IngressPath, StringMatch
from sim.model.pods import Labels


def matches_of(path: IngressPath, base: HttpMatch | None = None) -> tuple[HttpMatch, ...]:
    """``Prefix`` goes element by element; so does, at nginx, ``ImplementationSpecific``."""
    start = base or HttpMatch()
    if path.exact:
        return (replace(start, uri=StringMatch("exact", path.path)),)
    bare = path.path.rstrip("/")
    if not bare:
        return (start,) if base is not None else ()
    uris = (StringMatch("exact", bare), StringMatch("prefix", f"{bare}/"))
    return tuple(replace(start, uri=uri) for uri in uris)


def by_annotations(path: IngressPath, annotations: Labels) -> Iterator[tuple[tuple[HttpMatch, ...], bool]]:
    """(requests of the path, whether the canary gets them), by header and by cookie: always, never, or one's own value."""
    for header, how, is_canary in _asked(dict(annotations)):
        yield matches_of(path, HttpMatch(headers=((header, how),))), is_canary


def _asked(said: dict[str, str]) -> Iterator[tuple[str, StringMatch, bool]]:
    header, value, pattern = (said.get(f"canary-by-header{end}", "") for end in ("", "-value", "-pattern"))
    if header and (value or pattern):
        yield header, StringMatch("exact", value) if value else StringMatch("regex", f".*(?:{pattern}).*"), True
    elif header:
        yield header, StringMatch("exact", "always"), True
        yield header, StringMatch("exact", "never"), False
    if cookie := said.get("canary-by-cookie", ""):
        for text, is_canary in (("always", True), ("never", False)):
            yield "cookie", StringMatch("regex", f"(?:.*; )?{cookie}={text}(?:;.*)?"), is_canary
