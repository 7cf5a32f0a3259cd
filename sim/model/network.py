"""Services and Istio routing as written in the manifests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sim.model.pods import Labels


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A core Service."""

    name: str
    namespace: str = "default"
    selector: Labels = ()


@dataclass(frozen=True, slots=True)
class IngressPath:
    """One path of an Ingress' rules. Unless ``exact`` it is a prefix, element by element."""

    path: str = "/"
    exact: bool = False
    service: str = ""


@dataclass(frozen=True, slots=True)
class Ingress:
    """An Ingress: which paths its rules send to which Services; hosts are not told apart."""

    name: str
    namespace: str = "default"
    paths: tuple[IngressPath, ...] = ()

    @property
    def backends(self) -> tuple[str, ...]:
        """Names of the Services its rules send to."""
        return tuple(path.service for path in self.paths)


@dataclass(frozen=True, slots=True)
class AmbassadorMapping:
    """An Ambassador Mapping; the controller makes a weighted copy of it, so it must have no weight of its own."""

    name: str
    namespace: str = "default"
    weight: int = 0


@dataclass(frozen=True, slots=True)
class StringMatch:
    """Istio's StringMatch: ``exact``, ``prefix`` or ``regex``; ``present`` for an empty one."""

    how: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class HttpMatch:
    """One ``match`` entry: all of its parts must hold."""

    headers: tuple[tuple[str, StringMatch], ...] = ()
    without_headers: tuple[tuple[str, StringMatch], ...] = ()
    query: tuple[tuple[str, StringMatch], ...] = ()
    uri: StringMatch | None = None
    ignore_uri_case: bool = False
    method: StringMatch | None = None
    authority: StringMatch | None = None
    scheme: StringMatch | None = None
    port: int = 0
    """Port that the client addressed; 0 is any."""
    gateways: tuple[str, ...] = ()
    source_labels: Labels = ()
    source_namespace: str = ""


@dataclass(frozen=True, slots=True)
class RouteDestination:
    """One weighted destination; ``weight`` None where it is not written (a single destination then takes 100)."""

    host: str
    subset: str = ""
    weight: int | None = None
    port: int = 0


@dataclass(frozen=True, slots=True)
class HttpFault:
    """``fault``: shares in 0..1 of the requests that are held up, and of those that are answered at once."""

    delay_s: float = 0.0
    delay_share: float = 0.0
    abort_status: int = 0
    abort_share: float = 0.0


@dataclass(frozen=True, slots=True)
class HttpRetry:
    """``retries``: further tries of the proxy after the first; 0 is none. ``retry_on`` '' is Istio's default list."""

    attempts: int = 2
    per_try_s: float | None = None
    retry_on: str = ""


@dataclass(frozen=True, slots=True)
class Mirror:
    """A destination that gets copies of a share (0..1) of the requests; nobody waits for its answers."""

    destination: RouteDestination
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """One ``spec.http`` entry."""

    name: str = ""
    matches: tuple[HttpMatch, ...] = ()
    destinations: tuple[RouteDestination, ...] = ()
    timeout_s: float | None = None
    retries: HttpRetry | None = None
    fault: HttpFault | None = None
    mirrors: tuple[Mirror, ...] = ()
    answer: int = 0
    """Status of a ``redirect`` or ``directResponse``; 0 where the request goes to a destination."""


class Layer(StrEnum):
    """What a route of connections looks at."""

    TLS = "tls"
    """The server name in the client's hello."""
    TCP = "tcp"
    """The port alone."""


@dataclass(frozen=True, slots=True)
class ConnectionRoute:
    """One ``spec.tls`` or ``spec.tcp`` entry: ports and server names of all its matches, and where it leads."""

    layer: Layer
    ports: tuple[int, ...] = ()
    sni_hosts: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    destinations: tuple[RouteDestination, ...] = ()


@dataclass(frozen=True, slots=True)
class VirtualService:
    """An Istio VirtualService; no ``gateways`` means ``mesh``."""

    name: str
    namespace: str = "default"
    hosts: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ("mesh",)
    http: tuple[HttpRoute, ...] = ()
    connections: tuple[ConnectionRoute, ...] = ()
    empty_http: bool = False
    """``http: []`` is written: a list without routes, which the controller does not take for an absent one."""


@dataclass(frozen=True, slots=True)
class GatewayRoute:
    """A Gateway API HTTPRoute; its ``routes`` in the order in which requests try them."""

    name: str
    namespace: str = "default"
    routes: tuple[HttpRoute, ...] = ()


@dataclass(frozen=True, slots=True)
class OutlierDetection:
    """``trafficPolicy.outlierDetection`` with Istio's defaults; a threshold of 0 never ejects.

    ``consecutive_gateway`` is enforced only where it is written, ``consecutive_local`` only with ``split``
    (istio 1.20.8 cluster_traffic_policy.go:336-403).
    """

    consecutive_5xx: int = 5
    consecutive_gateway: int = 0
    consecutive_local: int = 5
    split: bool = False
    """``splitExternalLocalOriginErrors``: what the proxy itself met with is counted apart."""
    interval_s: float = 10.0
    base_ejection_s: float = 30.0
    max_ejection_percent: int = 10
    min_health_percent: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionPool:
    """``trafficPolicy.connectionPool``; None is unlimited, as Istio's defaults are."""

    max_connections: int | None = None
    max_pending_requests: int | None = None
    max_requests: int | None = None


class LoadBalancer(StrEnum):
    """``trafficPolicy.loadBalancer.simple``."""

    LEAST_REQUEST = "LEAST_REQUEST"
    """Of two endpoints drawn at random the one with fewer requests under way: Istio's default."""
    ROUND_ROBIN = "ROUND_ROBIN"
    RANDOM = "RANDOM"


@dataclass(frozen=True, slots=True)
class TrafficPolicy:
    """What a DestinationRule says of one host or subset; None for a part that it does not write."""

    balancer: LoadBalancer | None = None
    outlier: OutlierDetection | None = None
    pool: ConnectionPool | None = None

    def over(self, base: TrafficPolicy) -> TrafficPolicy:
        """This policy where it says something, else the base."""
        return TrafficPolicy(self.balancer or base.balancer, self.outlier or base.outlier, self.pool or base.pool)


@dataclass(frozen=True, slots=True)
class Subset:
    """One ``subsets`` entry; parts of the policy that it does not write are the rule's."""

    name: str
    labels: Labels = ()
    policy: TrafficPolicy = TrafficPolicy()


@dataclass(frozen=True, slots=True)
class DestinationRule:
    """An Istio DestinationRule."""

    name: str
    namespace: str = "default"
    host: str = ""
    subsets: tuple[Subset, ...] = ()
    policy: TrafficPolicy = TrafficPolicy()
