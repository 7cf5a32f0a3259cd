"""A route table in HAProxy's language: its configuration, the weights in a map, and the servers of each backend.

A request draws a number, finds its rule, and goes to the first of the rule's destinations whose upper bound (kept in a
map, so that weights change without a reload) is above the number. Pods are servers named ``SIDE:POD``; they too come and
go without a reload. Only another set of rules or destinations needs one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from harness.gateway.routes import Destination, RouteTable, Rule, Server, Treatment
from sim.model.network import HttpMatch, LoadBalancer, StringMatch

PORT: Final = 8080
ADMIN_PORT: Final = 9901
"""HAProxy's runtime API."""
CONFIGURE_PORT: Final = 9902
"""Takes a new configuration (``configure.sh``)."""
MAP: Final = "/run/gateway/weights.map"
DRAWS: Final = 1_000_000
"""Numbers that a request may draw."""
SERVER_WEIGHT: Final = 100
"""Every server's. HAProxy draws servers on a ring with 16 places a unit: many places make the draw even."""
BALANCE: Final = {
    LoadBalancer.LEAST_REQUEST: "random(2)",
    LoadBalancer.RANDOM: "random(1)",
    LoadBalancer.ROUND_ROBIN: "roundrobin",
}
RETRIED: Final = (404, 408, 425, 500, 501, 502, 503, 504)
"""Statuses after which HAProxy can try again."""
_FOREVER_S: Final = 3600.0

Servers = Mapping[str, Server]
"""Servers of one backend by name."""


@dataclass(frozen=True)
class Plan:
    """One table, written down. ``patience_s`` is the clients': after it they are answered 504 in their own name."""

    table: RouteTable
    patience_s: float | None = None

    @cached_property
    def skeleton(self) -> str:
        """The configuration without servers: as long as it stays the same nothing needs a reload."""
        return self._text(with_servers=False)

    @cached_property
    def text(self) -> str:
        """The whole configuration."""
        return self._text(with_servers=True)

    @cached_property
    def rules(self) -> tuple[tuple[str, Rule], ...]:
        """Every rule with its name."""
        return tuple(
            (f"r{place}x{k}", rule)
            for place, entrance in enumerate(self.table.entrances)
            for k, rule in enumerate(entrance.rules)
        )

    @cached_property
    def weights(self) -> dict[str, int]:
        """Upper bounds of each rule's destinations among the numbers that a request may draw."""
        return {f"{name}.{k}": bound for name, rule in self.rules for k, bound in enumerate(bounds(rule.destinations))}

    @cached_property
    def servers(self) -> dict[str, dict[str, Server]]:
        """Servers by backend and name."""
        return {name: {f"{s.side}:{s.pod}": s for s in one.servers} for name, one in self._backends.values()}

    @cached_property
    def _backends(self) -> dict[tuple[str, Treatment], tuple[str, Destination]]:
        """One for each destination and way of treating it."""
        found: dict[tuple[str, Treatment], tuple[str, Destination]] = {}
        for _, rule in self.rules:
            for one in rule.destinations:
                found.setdefault((one.name, one.treatment), (f"b{len(found)}", one))
        return found

    def _text(self, *, with_servers: bool) -> str:
        return "\n".join([*self._head(), *self._frontend(), *self._backend_lines(with_servers=with_servers), ""])

    def _head(self) -> Iterator[str]:
        patience_s = _FOREVER_S if self.patience_s is None else self.patience_s
        yield from (
            "global",
            "  nbthread 1",
            "  hard-stop-after 30s",
            f"  stats socket ipv4@*:{ADMIN_PORT} level admin",
            "defaults",
            "  mode http",
            f"  timeout connect {_ms(min(patience_s, 1.0))}",
            "  timeout client 1h",
            "  timeout http-keep-alive 1h",
            f"  timeout server {_ms(patience_s)}",
            "  option http-keep-alive",
            "  http-reuse always",
            "  retries 0",
            "frontend entry",
            f"  bind *:{PORT}",
            f"  http-request set-var(txn.draw) rand({DRAWS})",
            "  http-request set-var(txn.method) method",
        )

    def _frontend(self) -> Iterator[str]:
        for place, entrance in reversed([*enumerate(self.table.entrances)]):
            who = " ".join(_origin(entrance.origin.in_mesh, entrance.origin.host)) if place else ""
            untaken = "!{ var(txn.entrance) -m found }"
            yield f"  http-request set-var(txn.entrance) str(e{place}) if {untaken} {who}".rstrip()
        yield from self._rule_lines()
        yield "  http-request return status 404 if !{ var(txn.rule) -m found }"
        for name, rule in self.rules:
            if rule.answer:
                yield f"  http-request return status {rule.answer} if {_is_rule(name)}"
            if rule.abort_share:
                share = round(rule.abort_share * DRAWS)
                condition = f"{_is_rule(name)} {{ rand({DRAWS}) lt {share} }}"
                yield f"  http-request return status {rule.abort_status} if {condition}"
        for k in range(max((len(rule.destinations) for _, rule in self.rules), default=0)):
            yield f"  http-request set-var(txn.bound{k}) var(txn.rule),concat(.{k}),map_str_int({MAP},0)"
        yield from _AFTERWARDS
        for name, rule in self.rules:
            for k, one in enumerate(rule.destinations):
                backend, _ = self._backends[one.name, one.treatment]
                yield f"  use_backend {backend} if {_is_rule(name)} {{ var(txn.draw),sub(txn.bound{k}) lt 0 }}"

    def _rule_lines(self) -> Iterator[str]:
        for place, entrance in enumerate(self.table.entrances):
            for k, rule in enumerate(entrance.rules):
                known = f"!{{ var(txn.rule) -m found }} {{ var(txn.entrance) -m str e{place} }}"
                conditions = " ".join(_conditions(rule.match)) if rule.match is not None else ""
                yield f"  http-request set-var(txn.rule) str(r{place}x{k}) if {known} {conditions}".rstrip()

    def _backend_lines(self, *, with_servers: bool) -> Iterator[str]:
        for name, one in self._backends.values():
            yield f"backend {name}  # {one.name}{' ejects' if one.treatment.outlier is not None else ''}"
            yield f"  balance {BALANCE[one.treatment.balancer]}"
            yield from self._treatment_lines(one.treatment)
            if with_servers:
                for server, where in self.servers[name].items():
                    yield f"  server {server} {server_words(where, one.treatment)}"

    def _treatment_lines(self, treatment: Treatment) -> Iterator[str]:
        if treatment.retries:
            yield f"  retries {treatment.retries}"
            yield "  option redispatch 1"
            yield f"  retry-on {' '.join(retry_words(treatment.retry_on)) or 'none'}"
        limit_s, patience_s = treatment.timeout_s, self.patience_s
        if limit_s is not None and (patience_s is None or limit_s < patience_s):
            # The proxy's own 504 is an answer; the client has not given up.
            yield f"  timeout server {_ms(limit_s)}"
            yield "  http-request set-var(txn.limited) bool(1)"

    def treatment_of(self, backend: str) -> Treatment:
        """How a backend's requests are treated."""
        return next(treatment for (_, treatment), (name, _) in self._backends.items() if name == backend)


_AFTERWARDS: Final = (
    # What HAProxy answers itself has no side yet: that of the server it had chosen.
    "  http-after-response set-var(txn.own) bool(1) if !{ res.hdr(x-rolltwin-side) -m found }",
    "  http-after-response set-header x-rolltwin-side none if { var(txn.own) -m bool }",
    "  http-after-response set-header x-rolltwin-side %[srv_name,field(1,:)] if { var(txn.own) -m bool } { srv_name -m found }",
    "  http-after-response set-header x-rolltwin-pod %[srv_name,field(2,:)] if { var(txn.own) -m bool } { srv_name -m found }",
    "  http-after-response set-header x-rolltwin-by gateway if { var(txn.own) -m bool }",
    "  http-after-response set-header x-rolltwin-timeout 1 if { var(txn.own) -m bool } { status 504 } !{ var(txn.limited) -m bool }",
)


def bounds(destinations: tuple[Destination, ...]) -> list[int]:
    """Cumulative shares of the drawable numbers; all 0 where nothing has weight."""
    total = sum(one.weight for one in destinations)
    reached, found = 0.0, []
    for one in destinations:
        reached += one.weight
        found.append(round(DRAWS * reached / total) if total else 0)
    return found


def server_words(server: Server, treatment: Treatment) -> str:
    """Address and settings of a server, for the configuration and the runtime API alike."""
    words = f"{server.address}:{server.port} weight {SERVER_WEIGHT}"
    outlier = treatment.outlier
    if outlier is None:
        return words
    ejection = f"observe layer7 error-limit {outlier.consecutive_5xx} on-error mark-down"
    return f"{words} check inter {_ms(outlier.base_ejection_s)} fall 1 rise 1 {ejection}"


def retry_words(retry_on: str) -> Iterator[str]:
    """HAProxy's words for Istio's ``retryOn``, as far as it has any."""
    words = {word.strip() for word in retry_on.split(",")}
    gateway = bool(words & {"5xx", "gateway-error"})
    if gateway or words & {"connect-failure", "reset"}:
        yield "conn-failure"
    if gateway or "reset" in words:
        yield from ("empty-response", "response-timeout")
    statuses = {int(word) for word in words if word.isdecimal()}
    statuses |= set(range(500, 600)) if "5xx" in words else {502, 503, 504} if gateway else set()
    yield from (str(status) for status in sorted(statuses) if status in RETRIED)


def quoted(text: str) -> str:
    """A text as one word of a configuration."""
    return "'" + text.replace("'", "'\\''") + "'"


def _ms(seconds: float) -> str:
    return f"{max(1, round(1000 * seconds))}ms"


def _is_rule(name: str) -> str:
    return f"{{ var(txn.rule) -m str {name} }}"


def _origin(in_mesh: bool, host: str) -> Iterator[str]:
    """How clients that are not the ordinary ones are told from them."""
    yield f"{'' if in_mesh else '!'}{{ req.hdr(x-rolltwin-mesh) -m found }}"
    if host:
        yield f"{{ req.hdr(host) -i -m str -- {quoted(host)} }}"


def _conditions(match: HttpMatch) -> Iterator[str]:
    """Every condition of a match, to be joined by "and". Host and scheme have been decided before."""
    if match.uri is not None:
        yield _condition("path", match.uri, ignore_case=match.ignore_uri_case)
    if match.method is not None:
        yield _condition("var(txn.method)", match.method)
    for name, how in match.headers:
        yield _condition(f"req.fhdr({quoted(name)})", how)
    for name, how in match.query:
        yield _condition(f"url_param({quoted(name)}),url_dec", how)
    for name, how in match.without_headers:
        header = f"req.fhdr({quoted(name)})"
        if how.how == "present":
            yield f"!{{ {header} -m found }}"
        else:
            # Before Istio 1.22 a request without the header does not meet a condition on its value.
            yield f"{{ {header} -m found }} !{_condition(header, how)}"


def _condition(fetch: str, how: StringMatch, *, ignore_case: bool = False) -> str:
    flag = "-i " if ignore_case and how.how != "regex" else ""
    match how.how:
        case "exact":
            return f"{{ {fetch} {flag}-m str -- {quoted(how.value)} }}"
        case "prefix":
            return f"{{ {fetch} {flag}-m beg -- {quoted(how.value)} }}"
        case "regex":
            return f"{{ {fetch} -m reg -- {quoted(f'^(?:{how.value})$')} }}"
        case _:
            return f"{{ {fetch} -m found }}"
