"""What a DestinationRule says of load balancing, outliers and connection pools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from scenarios.manifests.build.reading import duration_s, flag, integer, text
from sim.model.network import ConnectionPool, LoadBalancer, OutlierDetection, TrafficPolicy

T = TypeVar("T")
_BALANCERS = {"ROUND_ROBIN": LoadBalancer.ROUND_ROBIN, "RANDOM": LoadBalancer.RANDOM}


def traffic_policy(policy: dict[str, Any]) -> TrafficPolicy:
    """A ``trafficPolicy``; hashing and PASSTHROUGH are read as RANDOM, for requests carry nothing to hash."""

    def part(key: str, read: Callable[[dict[str, Any]], T]) -> T | None:
        return read(policy[key]) if isinstance(policy.get(key), dict) else None

    return TrafficPolicy(
        part("loadBalancer", _balancer), part("outlierDetection", _outlier), part("connectionPool", _pool)
    )


def _balancer(data: dict[str, Any]) -> LoadBalancer:
    hashed = "consistentHash" in data or text(data, "simple") == "PASSTHROUGH"
    return LoadBalancer.RANDOM if hashed else _BALANCERS.get(text(data, "simple"), LoadBalancer.LEAST_REQUEST)


def _pool(data: dict[str, Any]) -> ConnectionPool:
    """A limit of 0 counts as not written (istio 1.20.8 cluster_traffic_policy.go:86-125)."""
    return ConnectionPool(
        max_connections=integer(data, "tcp", "maxConnections") or None,
        max_pending_requests=integer(data, "http", "http1MaxPendingRequests") or None,
        max_requests=integer(data, "http", "http2MaxRequests") or None,
    )


def _outlier(data: Any) -> OutlierDetection:
    """Istio's defaults where a field is not written, or is 0 and no threshold.

    The proxy no longer looks at ``consecutiveErrors``, the older name of the first field.
    """
    default = OutlierDetection()
    consecutive = integer(data, "consecutive5xxErrors")
    return OutlierDetection(
        consecutive_5xx=default.consecutive_5xx if consecutive is None else consecutive,
        consecutive_gateway=integer(data, "consecutiveGatewayErrors") or 0,
        consecutive_local=integer(data, "consecutiveLocalOriginFailures") or default.consecutive_local,
        split=flag(data, "splitExternalLocalOriginErrors"),
        interval_s=duration_s(data, "interval") or default.interval_s,
        base_ejection_s=duration_s(data, "baseEjectionTime") or default.base_ejection_s,
        max_ejection_percent=integer(data, "maxEjectionPercent") or default.max_ejection_percent,
        min_health_percent=integer(data, "minHealthPercent") or 0,
    )
