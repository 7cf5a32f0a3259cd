"""The route table: for each kind of client the rules that its requests try, each with weighted destinations and their pods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from harness.gateway.entry import Entry, Origin
from harness.gateway.ingresses import routes_of
from harness.gateway.picture import Picture, PodView, ServiceView
from sim.decide.istio.hosts import routes_for
from sim.decide.istio.matching import MESH, Call, text_matches
from sim.decide.istio.rewriting import short
from sim.model.network import (
    DestinationRule,
    HttpMatch,
    HttpRetry,
    HttpRoute,
    LoadBalancer,
    OutlierDetection,
    RouteDestination,
    TrafficPolicy,
)

UNROUTED: Final = 404
"""What a proxy answers where no rule takes a request."""
DEFAULT_RETRY_ON: Final = "connect-failure,refused-stream,unavailable,cancelled,503"
"""istio 1.20.8 retry.go:33-46, as in the twin."""


@dataclass(frozen=True, slots=True)
class Server:
    """A pod's port."""

    pod: str
    side: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a proxy treats requests to a destination beyond choosing a pod: nothing, behind a plain Service."""

    balancer: LoadBalancer = LoadBalancer.RANDOM
    retries: int = 0
    retry_on: str = ""
    """Istio's words."""
    timeout_s: float | None = None
    """The route's or each try's; None: the client's patience alone."""
    outlier: OutlierDetection | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Pods behind one host and subset, and its weight relative to its neighbours'."""

    name: str
    weight: float
    servers: tuple[Server, ...] = ()
    treatment: Treatment = Treatment()


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to requests that meet ``match`` (None: all): an answer, if it is not 0, or one of the destinations."""

    match: HttpMatch | None = None
    destinations: tuple[Destination, ...] = ()
    answer: int = 0
    abort_share: float = 0.0
    """Share of the requests that get ``abort_status`` instead."""
    abort_status: int = 0


@dataclass(frozen=True, slots=True)
class Entrance:
    """The rules of one kind of client; what meets none of them is answered 404."""

    origin: Origin
    rules: tuple[Rule, ...]

    @property
    def ordinary(self) -> Rule | None:
        """The rule that takes ``GET /`` without headers."""
        return next((rule for rule in self.rules if rule.match is None or _takes_ordinary(rule.match)), None)


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Everything the gateway acts on."""

    entrances: tuple[Entrance, ...] = ()
    left_out: tuple[str, ...] = ()
    """What is written and this gateway does not do."""


def table_of(picture: Picture, entry: Entry) -> RouteTable:
    """The table of what is written and of the pods that are ready."""
    making = _Making(picture, entry)
    entrances = tuple(Entrance(origin, tuple(making.rules(origin))) for origin in entry.origins)
    return RouteTable(entrances, tuple(dict.fromkeys(making.left_out)))


def _takes_ordinary(match: HttpMatch) -> bool:
    asks = (match.headers, match.query)
    texts = ((match.uri, "/"), (match.method, "GET"))
    return not any(asks) and all(how is None or text_matches(how, text) for how, text in texts)


class _Making:
    """One table under construction."""

    def __init__(self, picture: Picture, entry: Entry) -> None:
        self._picture = picture
        self._entry = entry
        self.left_out: list[str] = []

    def rules(self, origin: Origin) -> Iterator[Rule]:
        """The rules of one kind of client."""
        if self._entry.ingresses:
            for route in routes_of(self._picture.ingresses, self._entry.ingresses):
                for match in route.matches or (None,):
                    yield self._rule(match, route, watched=False)
            return
        told = self._told(origin)
        if told is None:
            yield self._plain(origin)
            return
        for match, route in told:
            if match is None or _is_for(match, self._host(origin)):
                yield self._rule(match, route, watched=True)

    def _told(self, origin: Origin) -> list[tuple[HttpMatch | None, HttpRoute]] | None:
        call = Call(
            host=self._host(origin),
            gateways=(MESH,) if origin.in_mesh else self._entry.gateways,
            namespace=self._entry.namespace,
        )
        return routes_for(self._picture.virtual_services, call)

    def _host(self, origin: Origin) -> str:
        """The host that is called: of several the first that a VirtualService routes."""
        if origin.host:
            return origin.host
        gateways = (MESH,) if origin.in_mesh else self._entry.gateways
        calls = (Call(host=host, gateways=gateways) for host in self._entry.hosts)
        routed = (call.host for call in calls if routes_for(self._picture.virtual_services, call) is not None)
        return next(routed, next(iter(self._entry.hosts), ""))

    def _plain(self, origin: Origin) -> Rule:
        """No VirtualService takes the call: the Service of that name, or the workload's own pods."""
        if self._entry.service or not self._entry.hosts:
            name = self._entry.service
            service = self._picture.services.get(name, ServiceView(name, self._entry.labels))
            return Rule(destinations=(self._destination(service, RouteDestination(name), 100.0),))
        names = (short(host) for host in (self._host(origin), *self._entry.hosts))
        found = next((self._picture.services[name] for name in names if name in self._picture.services), None)
        if found is None:
            return Rule(answer=UNROUTED)
        treatment = _treatment(HttpRoute(), TrafficPolicy(), 0) if origin.in_mesh else Treatment()
        return Rule(destinations=(self._destination(found, RouteDestination(found.name), 100.0, treatment),))

    def _rule(self, match: HttpMatch | None, route: HttpRoute, *, watched: bool) -> Rule:
        if route.answer:
            return Rule(match, answer=route.answer)
        self._note(route)
        fault = route.fault
        return Rule(
            match,
            tuple(self._split(route, watched=watched)),
            abort_share=fault.abort_share if fault is not None and fault.abort_status else 0.0,
            abort_status=fault.abort_status if fault is not None else 0,
        )

    def _note(self, route: HttpRoute) -> None:
        if route.mirrors:
            self.left_out.append(f"VirtualService route {route.name!r}: the gateway sends no copies to a mirror.")
        if route.fault is not None and route.fault.delay_s and route.fault.delay_share:
            self.left_out.append(f"VirtualService route {route.name!r}: the gateway holds no requests up.")

    def _split(self, route: HttpRoute, *, watched: bool) -> Iterator[Destination]:
        """A single destination gets everything, whatever its weight."""
        single = len(route.destinations) == 1
        for one in route.destinations:
            weight = 100.0 if single else float(one.weight or 0)
            name = short(one.host)
            rule = self._rule_of(name)
            policy = _policy(rule, one.subset)
            service = self._picture.services.get(name, ServiceView(name))
            selectors = [service.selector, *self._subset(rule, one.subset)]
            pods = self._picture.selected(*selectors)
            treatment = _treatment(route, policy, len(pods)) if watched else Treatment()
            yield self._destination(service, one, weight, treatment, pods)
            if policy.pool is not None and watched:
                self.left_out.append(f"DestinationRule of {name}: the gateway limits no connection pools.")

    def _destination(
        self,
        service: ServiceView,
        where: RouteDestination,
        weight: float,
        treatment: Treatment | None = None,
        pods: tuple[PodView, ...] | None = None,
    ) -> Destination:
        chosen = self._picture.selected(service.selector) if pods is None else pods
        servers = tuple(Server(pod.name, pod.side, pod.address, service.target(pod, where.port)) for pod in chosen)
        return Destination(f"{service.name}|{where.subset}|{where.port}", weight, servers, treatment or Treatment())

    def _subset(self, rule: DestinationRule | None, name: str) -> list[tuple[tuple[str, str], ...]]:
        """What a subset asks for beyond the Service; one that does not exist selects nothing."""
        if not name:
            return []
        found = next((one for one in rule.subsets if one.name == name), None) if rule is not None else None
        if found is None:
            return [()]
        return [found.labels] if found.labels else []

    def _rule_of(self, host: str) -> DestinationRule | None:
        """The host's rule, or a wildcard's; several of one host are merged as Istio does."""
        rules = self._picture.destination_rules
        own = [one for one in rules if short(one.host) == host] or [o for o in rules if o.host.startswith("*")][:1]
        if not own:
            return None
        subsets = {subset.name: subset for rule in reversed(own) for subset in rule.subsets}
        policy = next((rule.policy for rule in own if rule.policy != TrafficPolicy()), TrafficPolicy())
        return replace(own[0], subsets=tuple(subsets.values()), policy=policy)


def _is_for(match: HttpMatch, host: str) -> bool:
    """Conditions that one table decides once and for all: the called host and the scheme."""
    texts = ((match.authority, host), (match.scheme, "http"))
    return all(how is None or text_matches(how, text) for how, text in texts)


def _policy(rule: DestinationRule | None, subset: str) -> TrafficPolicy:
    if rule is None:
        return TrafficPolicy()
    return next((one.policy.over(rule.policy) for one in rule.subsets if one.name == subset), rule.policy)


def _treatment(route: HttpRoute, policy: TrafficPolicy, pods: int) -> Treatment:
    """Istio's defaults where nothing is said: two more tries, and of two pods the one with less to do."""
    retry = HttpRetry() if route.retries is None else route.retries
    limits = [limit for limit in (route.timeout_s, retry.per_try_s) if limit]
    return Treatment(
        policy.balancer or LoadBalancer.LEAST_REQUEST,
        max(retry.attempts, 0),
        (retry.retry_on or DEFAULT_RETRY_ON) if retry.attempts > 0 else "",
        min(limits, default=None),
        policy.outlier if policy.outlier is not None and _may_eject(policy.outlier, pods) else None,
    )


def _may_eject(outlier: OutlierDetection, pods: int) -> bool:
    """Whether a proxy may eject even one of so many pods (Envoy since 1.28)."""
    return outlier.consecutive_5xx > 0 and pods * outlier.max_ejection_percent >= 100
