"""From the written network to the data plane's routes: which pods each kind of request reaches, and how proxies treat it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from sim.decide.istio.hosts import first_holding, routes_for
from sim.decide.istio.matching import Call
from sim.decide.istio.rewriting import short
from sim.engine.callers import Caller, Entry
from sim.engine.replicasets import ReplicaSet
from sim.model.manifests import ManifestSet
from sim.model.network import (
    ConnectionPool,
    DestinationRule,
    HttpRetry,
    HttpRoute,
    LoadBalancer,
    RouteDestination,
    TrafficPolicy,
    VirtualService,
)
from sim.model.pods import Labels, selects
from sim.traffic import Balancing, Cluster, Handling, Pool, Route

UNROUTED: Final = 404
"""What a proxy answers where no route takes a request."""
DEFAULT_RETRY_ON: Final = "connect-failure,refused-stream,unavailable,cancelled,503"
"""istio 1.20.8 retry.go:33-46."""
SERVER_ERRORS: Final = tuple(range(500, 600))
GATEWAY_ERRORS: Final = (502, 503, 504)
BALANCING: Final = {
    LoadBalancer.LEAST_REQUEST: Balancing.LEAST_REQUEST,
    LoadBalancer.ROUND_ROBIN: Balancing.ROUND_ROBIN,
    LoadBalancer.RANDOM: Balancing.RANDOM,
}


@dataclass(slots=True)
class Network:
    """Services, VirtualServices and DestinationRules as they are written now."""

    services: dict[str, Labels]
    virtual_services: dict[str, VirtualService]
    destination_rules: dict[str, DestinationRule]
    istio: str = "istio-1.20"
    """Whose rules the proxies follow."""

    @classmethod
    def of(cls, manifests: ManifestSet, istio: str = "istio-1.20") -> Network:
        """The network as the manifests say, in their order (Istio goes by creation)."""
        return cls(
            {service.name: service.selector for service in manifests.services},
            {one.name: one for one in manifests.virtual_services},
            {one.name: one for one in manifests.destination_rules},
            istio,
        )

    @property
    def is_later(self) -> bool:
        """Whether the proxies follow a later Istio than 1.20."""
        return self.istio != "istio-1.20"


@dataclass(frozen=True, slots=True)
class Way:
    """How one kind of request is routed: ``taken`` by a VirtualService, and then by which route (None: by none)."""

    caller: Caller
    taken: bool
    route: HttpRoute | None = None


def way_of(caller: Caller, network: Network) -> Way:
    """The way of one kind of request; it changes only with what is written."""
    told = routes_for(tuple(network.virtual_services.values()), caller.call)
    if told is None:
        return Way(caller, taken=False)
    return Way(caller, True, first_holding(told, caller.call, absent_is_empty=network.is_later))


@dataclass(frozen=True, slots=True)
class Reach:
    """Resolves requests on one network with the pods of one instant."""

    network: Network
    entry: Entry
    replica_sets: tuple[ReplicaSet, ...]

    def route(self, way: Way) -> Route:
        """The data plane's route of one kind of request."""
        share, found = way.caller.share, way.route
        if not way.taken:
            return self._unmatched(way.caller)
        if found is None:
            return Route(share, (Pool(1.0, (), UNROUTED),))
        if found.answer:
            return Route(share, (Pool(1.0, (), found.answer),))
        if self.entry.router:
            return Route(share, tuple(self._split(found, watched=False)), mirrors=self._mirrors(found, watched=False))
        return Route(share, tuple(self._split(found)), handling(found), self._mirrors(found))

    def _unmatched(self, caller: Caller) -> Route:
        """No VirtualService: TLS or TCP routes of one, else the Service of that name, by a sidecar or by kube-proxy."""
        passed = self._connections(caller)
        if passed:
            return Route(caller.share, passed)
        host = self.entry.service or self._plain_service(caller.call)
        if not host:
            return Route(caller.share, (Pool(1.0, (), UNROUTED),))
        if caller.in_mesh:
            return Route(caller.share, (self._pool(RouteDestination(host), 1.0),), handling(HttpRoute()))
        return Route(caller.share, (self._pool(RouteDestination(host), 1.0, watched=False),))

    def _connections(self, caller: Caller) -> tuple[Pool, ...]:
        """Routes of whole connections, taken as weights of requests: the first one of the host."""
        for vs in self.network.virtual_services.values():
            gateways = set(vs.gateways) if not caller.in_mesh else {"mesh"} & set(vs.gateways)
            if not vs.http and vs.connections and caller.call.host in vs.hosts and gateways:
                return tuple(self._split(HttpRoute(destinations=vs.connections[0].destinations)))
        return ()

    def _split(self, route: HttpRoute, *, watched: bool = True) -> Iterable[Pool]:
        """Destinations without weight get nothing; a single one gets everything whatever its weight (route.go:595-617)."""
        single = len(route.destinations) == 1
        for one in route.destinations:
            weight = 100 if single else one.weight or 0
            if weight > 0:
                yield self._pool(one, float(weight), watched=watched)

    def _mirrors(self, route: HttpRoute, *, watched: bool = True) -> tuple[Pool, ...]:
        return tuple(
            self._pool(one.destination, one.share, watched=watched) for one in route.mirrors if one.share > 0
        )  # fmt: skip

    def _pool(self, destination: RouteDestination, weight: float, *, watched: bool = True) -> Pool:
        rule = self._rule(short(destination.host))
        policy = _policy(rule, destination.subset)
        cluster = (
            Cluster(
                f"{short(destination.host)}|{destination.subset}|{destination.port}",
                BALANCING[policy.balancer or LoadBalancer.LEAST_REQUEST],
                _limit(policy.pool or ConnectionPool()),
                policy.outlier,
            )
            if watched
            else None
        )
        return Pool(weight, self._pods(destination, rule), cluster=cluster)

    def _plain_service(self, call: Call) -> str:
        """The Service that a called host names when no VirtualService takes the call."""
        names = (short(host) for host in (call.host, *self.entry.hosts))
        return next((name for name in names if name in self.network.services), "")

    def _pods(self, destination: RouteDestination, rule: DestinationRule | None) -> tuple[int, ...]:
        """Pods in the endpoints of a host (compared up to its first dot) and in the subset, if one is named."""
        wanted = [self.network.services.get(short(destination.host), ())]
        if destination.subset:
            named = (one for one in rule.subsets if one.name == destination.subset) if rule is not None else ()
            subset = next(iter(named), None)
            if subset is None:
                return ()
            if subset.labels:
                wanted.append(subset.labels)
        found: list[int] = []
        for rs in self.replica_sets:
            labels = rs.labels()
            if all(selects(selector, labels) for selector in wanted):
                found.extend(pod.routed for pod in rs.pods if pod.routed is not None)
        return tuple(found)

    def _rule(self, host: str) -> DestinationRule | None:
        """The host's rule, a wildcard's where there is no other.

        Several of one host are merged: the first subset of a name, the first policy (istio 1.20.8 destination_rule.go:40-130).
        """
        rules = self.network.destination_rules.values()
        own = [rule for rule in rules if short(rule.host) == host] or [r for r in rules if r.host.startswith("*")][:1]
        if not own:
            return None
        subsets = {subset.name: subset for rule in reversed(own) for subset in rule.subsets}
        policy = next((rule.policy for rule in own if rule.policy != TrafficPolicy()), TrafficPolicy())
        return replace(own[0], subsets=tuple(subsets.values()), policy=policy)


def _policy(rule: DestinationRule | None, subset: str) -> TrafficPolicy:
    if rule is None:
        return TrafficPolicy()
    return next((one.policy.over(rule.policy) for one in rule.subsets if one.name == subset), rule.policy)


def _limit(pool: ConnectionPool) -> int | None:
    """Requests under way that one proxy allows: connections and those that wait for one, or the plain limit."""
    waiting = None
    if pool.max_connections is not None and pool.max_pending_requests is not None:
        waiting = pool.max_connections + pool.max_pending_requests
    limits = [limit for limit in (waiting, pool.max_requests) if limit is not None]
    return min(limits, default=None)


@lru_cache(maxsize=64)
def handling(route: HttpRoute) -> Handling:
    """Retries (Istio's default list where none is said), time-out and fault of a route."""
    retry = HttpRetry() if route.retries is None else route.retries
    words = {word.strip() for word in (retry.retry_on or DEFAULT_RETRY_ON).split(",")}
    server, gateway = "5xx" in words, bool(words & {"5xx", "gateway-error"})
    statuses = [int(word) for word in words if word.isdecimal()]
    statuses += SERVER_ERRORS if server else GATEWAY_ERRORS if gateway else ()
    fault = route.fault
    return Handling(
        retries=max(retry.attempts, 0),
        retry_on=tuple(sorted({*statuses, *([409] if "retriable-4xx" in words else [])})),
        retry_refused=gateway or bool(words & {"connect-failure", "reset"}),
        retry_reset=gateway or "reset" in words,
        retry_late=gateway or "reset" in words,
        per_try_s=retry.per_try_s or None,
        timeout_s=route.timeout_s or None,
        delay_s=fault.delay_s if fault else 0.0,
        delay_share=fault.delay_share if fault and fault.delay_s else 0.0,
        abort_status=fault.abort_status if fault else 0,
        abort_share=fault.abort_share if fault and fault.abort_status else 0.0,
    )
