"""Bounds of everything that the manifests leave open: pods, reconciles, queries."""

from __future__ import annotations

from dataclasses import dataclass

from sim.decide.probes import outlook
from sim.model.analysis import DatadogProvider, OtherProvider, PrometheusProvider, Provider
from sim.model.behaviour import Delay, Shape
from sim.model.pods import PodTemplate
from sim.model.scenario import Scenario
from sim.model.telemetry import Telemetry

LASTING = frozenset({"job", "kayenta"})
"""Providers whose measurements last as long as they like."""


_INSTANT_S = 1e-3
"""Pods are never available in the very reconcile that asks for them: batches would merge."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take in one walk, seconds."""

    pods_s: float | None
    """From a pod being wanted to being available; None: never."""
    reconcile_s: float
    gone_s: float
    """From a pod being deleted to being gone, as far as a controller waits for it."""
    slow: bool = False
    """Whether analyses take as long as they can and still succeed."""


def least_s(delay: Delay) -> float:
    """The least that a random time can be."""
    fixed = delay.shape is Shape.CONSTANT or (delay.shape is Shape.LOGNORMAL and delay.sigma == 0)
    return delay.median_s if fixed else 0.0


def least_ready_s(scenario: Scenario, template: PodTemplate) -> float:
    """From a pod being wanted to being ready at the earliest: its image is on the node, its probes tick as they do."""
    bound_s = least_s(scenario.cluster.schedule)
    versions = (scenario.stable, scenario.release.behaviour)
    start_up_s = min(least_s(version.start_up) for version in versions)
    return outlook(template, bound_s, bound_s, bound_s + start_up_s).ready_s or 0.0


def fastest(scenario: Scenario, template: PodTemplate, min_ready_s: float) -> Pace:
    """Every delay at its least, every analysis successful as soon as it can be."""
    return Pace(max(_INSTANT_S, least_ready_s(scenario, template) + min_ready_s), 0.0, 0.0)


def slowest(scenario: Scenario, template: PodTemplate, deadline_s: float) -> Pace:
    """Pods just within the progress deadline, analyses with every error that is tolerated."""
    return Pace(deadline_s, scenario.cluster.controller_latency_s, template.termination_grace_s, slow=True)


def query_s(provider: Provider, telemetry: Telemetry) -> float | None:
    """How long a measurement takes at most; None where only the provider knows."""
    match provider:
        case PrometheusProvider():
            return telemetry.prometheus.query_latency_s
        case DatadogProvider():
            return telemetry.datadog.query_latency_s
        case OtherProvider(kind):
            return None if kind in LASTING else 0.0
