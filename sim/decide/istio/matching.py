"""Whether a ``match`` of a route holds for a request, as Envoy decides it.

Source: istio 1.20.8 ``pilot/pkg/networking/core/v1alpha3/route/route.go:421-470,959-1115`` and Envoy's
``source/common/http/header_utility.cc``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from sim.model.network import HttpMatch, StringMatch
from sim.model.pods import Labels
from sim.patterns import Pattern, compiled

MESH: Final = "mesh"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a proxy meets it. ``gateways`` are the names the proxy goes by (``mesh`` for a sidecar)."""

    path: str = "/"
    """With its query string."""
    method: str = "GET"
    headers: Labels = ()
    """Names in lower case."""
    host: str = ""
    scheme: str = "http"
    port: int = 0
    """0 where nobody has said: then every port condition holds."""
    gateways: tuple[str, ...] = (MESH,)
    labels: Labels = ()
    """Of the proxy's pod."""
    namespace: str = ""


def reaches(match: HttpMatch, call: Call, namespace: str) -> bool:
    """Whether a proxy is told of a match at all: its port, and its gateways *or else* its source labels and namespace."""
    if match.port and call.port and match.port != call.port:
        return False
    if match.gateways:
        return any(gateway_name(name, namespace) in call.gateways for name in match.gateways)
    from_there = match.source_namespace in {"", call.namespace}
    return from_there and set(match.source_labels) <= set(call.labels)


def holds(match: HttpMatch, call: Call, *, absent_is_empty: bool) -> bool:
    """Whether a request meets every condition of a match that its proxy knows of.

    ``absent_is_empty``: a ``withoutHeaders`` condition on a value is met by a request without the header; before Istio
    1.22 it is not.
    """
    path, _, query = call.path.partition("?")
    if match.uri is not None and not _path_holds(match.uri, path, ignore_case=match.ignore_uri_case):
        return False
    texts = ((match.method, call.method), (match.authority, call.host), (match.scheme, call.scheme))
    if not all(how is None or text_matches(how, text) for how, text in texts):
        return False
    asked = dict(parse_qsl(query, keep_blank_values=True))
    if not all(name in asked and text_matches(how, asked[name]) for name, how in match.query):
        return False
    carried = dict(call.headers)
    if not all(_has(how, carried.get(name.lower())) for name, how in match.headers):
        return False
    return all(_lacks(how, carried.get(name.lower()), absent_is_empty) for name, how in match.without_headers)


def is_catch_all(match: HttpMatch) -> bool:
    """Whether a match takes everything that reaches it: nothing behind it is told to the proxy (route.go:1495-1508)."""
    conditions = (match.headers, match.without_headers, match.query, match.method, match.authority, match.scheme)
    if any(conditions):
        return False
    everything = (StringMatch("prefix", "/"), StringMatch("regex", ".*"))
    return match.uri is None or match.uri.how == "present" or match.uri in everything


def text_matches(how: StringMatch, text: str) -> bool:
    """Istio's StringMatch; its regular expressions match the whole value."""
    match how.how:
        case "exact":
            return text == how.value
        case "prefix":
            return text.startswith(how.value)
        case "regex":
            pattern = _pattern(how.value)
            return pattern is not None and _encodes(text) and pattern.fullmatch(text) is not None
        case _:
            return True


def gateway_name(name: str, namespace: str) -> str:
    """A gateway's name as ``namespace/name``; ``mesh`` stays. A bare one is in the VirtualService's own namespace."""
    if name == MESH:
        return name
    where, slash, rest = name.partition("/")
    if slash:
        return f"{namespace if where == '.' else where}/{rest}"
    bare, _, tail = name.partition(".")
    return f"{tail.partition('.')[0] or namespace}/{bare}"


def _encodes(text: str) -> bool:
    """RE2 reads bytes: half of a surrogate pair is no text to it."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _path_holds(how: StringMatch, path: str, *, ignore_case: bool) -> bool:
    """Regular expressions stay case-sensitive: they say so themselves."""
    if ignore_case and how.how != "regex":
        how, path = StringMatch(how.how, how.value.lower()), path.lower()
    return text_matches(how, path)


def _has(how: StringMatch, value: str | None) -> bool:
    return value is not None and text_matches(how, value)


def _lacks(how: StringMatch, value: str | None, absent_is_empty: bool) -> bool:
    if value is not None:
        return not text_matches(how, value)
    return how.how == "present" or (absent_is_empty and not text_matches(how, ""))


def _pattern(text: str) -> Pattern | None:
    """The expression, or None for what RE2 cannot read: the proxy would refuse the whole route."""
    try:
        return compiled(text)
    except ValueError:
        return None


def is_pattern(text: str) -> bool:
    """Whether RE2 can read a regular expression."""
    return _pattern(text) is not None
