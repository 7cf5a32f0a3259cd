"""The rest of the scenario: which of its times are divided, and which are not and why."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar

from scenarios.compression.metrics import promql_text
from scenarios.compression.pace import Pace, Spot
from sim.model.analysis import Metric
from sim.model.behaviour import (
    Alert,
    Crash,
    Delay,
    Leak,
    People,
    Slowdown,
    SlowStart,
    Trigger,
    VersionBehaviour,
)
from sim.model.load import Burst, Client, Diurnal, LoadShape, Stage
from sim.model.manifests import ManifestSet
from sim.model.operations import Operation
from sim.model.scenario import Cluster, Delivery, DeliveryStep, Scenario
from sim.model.strategy import RegionPhase, SwitchScript
from sim.model.telemetry import DatadogTelemetry, PrometheusTelemetry, Signal, Telemetry

T = TypeVar("T")

SHORTEST_SCRAPE_S: Final = 0.5
"""Prometheus would take less, but a small cluster spends its processors on scraping then."""
SHORTEST_SAMPLE_S: Final = 1.0
"""Windows of the clients' view; shorter ones hold too few requests to tell an error ratio."""

DIVIDED: Final[dict[type, tuple[str, ...]]] = {
    Scenario: ("warm_up_s", "tail_s", "horizon_s"),
    Stage: ("duration_s",),
    Burst: ("start_s", "duration_s"),
    Trigger: ("start_s", "duration_s", "pod_age_s"),
    Crash: ("mean_time_s",),
    SlowStart: ("add_s",),
    Leak: ("oom_after_s",),
    VersionBehaviour: ("start_up",),
    Alert: ("error_for_s", "p99_for_s"),
    People: ("approve", "notice", "decide", "act", "report"),
    Operation: ("at_s",),
    SwitchScript: ("interval_s", "first_check_after_s", "idle_deployed_by"),
    RegionPhase: ("soak_s",),
    PrometheusTelemetry: ("scrape_interval_s",),
    DatadogTelemetry: ("flush_interval_s", "lag_s", "expiry_s", "bucket_s"),
    Signal: ("answers", "takes_s"),
    Telemetry: ("sample_interval_s",),
}
"""Times over which something is waited for or watched."""

MULTIPLIED: Final[dict[type, tuple[str, ...]]] = {Diurnal: ("pace",), Leak: ("slowdown_per_hour",)}
"""What happens in an hour."""

KEPT: Final[dict[type, dict[str, str]]] = {
    VersionBehaviour: {"service_time": "a request takes as long as ever"},
    Slowdown: {"add_s": "a request's"},
    Alert: {"p99_s": "a bound on a request's latency"},
    Client: {"timeout_s": "a request's", "backoff_s": "a request's"},
    LoadShape: {"rate_rps": "requests come as often as ever"},
    Stage: {"rate_rps": "requests come as often as ever"},
    PrometheusTelemetry: {
        "query_latency_s": "a query takes as long as ever",
        "buckets_s": "bounds on a request's latency",
    },
    DatadogTelemetry: {
        "query_latency_s": "a query takes as long as ever",
        "epoch_s": "an instant of the calendar",
        "duration_unit_s": "a unit",
    },
    Cluster: {
        "schedule": "Kubernetes' own",
        "image_pull": "Kubernetes' own",
        "endpoint_propagation": "Kubernetes' own",
        "route_propagation": "the proxies' own",
        "router_propagation": "the proxies' own",
        "controller_latency_s": "the controller's own",
    },
    Delivery: {"git_poll_s": "before the release is applied"},
    DeliveryStep: {"delay": "before the release is applied, or after its rollout"},
}
"""Times that stay what they are, and why."""

_FLOORS: Final[dict[tuple[type, str], float]] = {
    (PrometheusTelemetry, "scrape_interval_s"): SHORTEST_SCRAPE_S,
    (Telemetry, "sample_interval_s"): SHORTEST_SAMPLE_S,
}


def divided(scenario: Scenario, pace: Pace) -> Scenario:
    """The scenario but for its manifests, with its times divided."""
    return _walked(scenario, Spot(pace, "scenario"))


def _walked(value: T, spot: Spot) -> T:
    """A value with every time below it divided."""
    if isinstance(value, tuple):
        return type(value)(_walked(item, spot.at(index)) for index, item in enumerate(value))
    if not is_dataclass(value) or isinstance(value, type | ManifestSet | Metric):
        return value
    changes = {one.name: _field(value, one.name, spot.at(one.name)) for one in fields(value)}
    return replace(value, **changes)


def _field(owner: Any, name: str, spot: Spot) -> Any:
    value, kind = getattr(owner, name), type(owner)
    if name in DIVIDED.get(kind, ()):
        return _quotient(value, _FLOORS.get((kind, name), 0.0), spot)
    if name in MULTIPLIED.get(kind, ()):
        return value * spot.pace.factor
    if kind is SwitchScript and name in {"error_query", "latency_query"}:
        return promql_text(value, spot)
    return _walked(value, spot)


def _quotient(value: Any, least_s: float, spot: Spot) -> Any:
    match value:
        case None:
            return None
        case Delay(median_s):
            return replace(value, median_s=median_s / spot.pace.factor)
        case tuple():
            return tuple((at_s / spot.pace.factor, answer) for at_s, answer in value)
    got = max(min(value, least_s), value / spot.pace.factor)
    spot.rounded(f"{value:g} s", value / spot.pace.factor, got)
    return got
