"""Services and Istio routing as written in the manifests."""

from __future__ import annotations

from dataclasses import dataclass

from sim.model.pods import Labels


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A core Service."""

    name: str
    namespace: str = "default"
    selector: Labels = ()


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
    uri: StringMatch | None = None
    method: StringMatch | None = None
    gateways: tuple[str, ...] = ()
    source_labels: Labels = ()


@dataclass(frozen=True, slots=True)
class RouteDestination:
    """One weighted destination; ``weight`` None where it is not written (a single destination then takes 100)."""

    host: str
    subset: str = ""
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """One ``spec.http`` entry."""

    name: str = ""
    matches: tuple[HttpMatch, ...] = ()
    destinations: tuple[RouteDestination, ...] = ()
    timeout_s: float | None = None
    retries: int | None = None


@dataclass(frozen=True, slots=True)
class VirtualService:
    """An Istio VirtualService; no ``gateways`` means ``mesh``."""

    name: str
    namespace: str = "default"
    hosts: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ("mesh",)
    http: tuple[HttpRoute, ...] = ()
    tls: int = 0
    tcp: int = 0


@dataclass(frozen=True, slots=True)
class OutlierDetection:
    """``trafficPolicy.outlierDetection`` with Istio's defaults."""

    consecutive_5xx: int = 5
    interval_s: float = 10.0
    base_ejection_s: float = 30.0
    max_ejection_percent: int = 10
    min_health_percent: int = 0


@dataclass(frozen=True, slots=True)
class Subset:
    """One ``subsets`` entry."""

    name: str
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class DestinationRule:
    """An Istio DestinationRule."""

    name: str
    namespace: str = "default"
    host: str = ""
    subsets: tuple[Subset, ...] = ()
    outlier: OutlierDetection | None = None
    max_connections: int | None = None
    max_pending_requests: int | None = None
    max_requests: int | None = None
