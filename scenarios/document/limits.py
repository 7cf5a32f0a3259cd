"""What is legal but too large: manifests that would be replayed for hours are refused at load, where they say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scenarios.document.offered import pods_of
from scenarios.findings import Finding, Path, Severity
from scenarios.manifests import Document, Documents
from sim.model.load import LoadShape
from sim.model.scenario import Scenario
from sim.model.units import go_duration_s

MOST_PODS = 2000
MOST_MEASUREMENTS = 30_000
"""Of one metric in one run: one a second for eight hours."""
CODE = "RT800"
BUSY = 0.9
"""Occupation from which on queues say more about the result than the release does."""


def oversized(documents: Documents, horizon_s: float) -> Iterator[Finding]:
    """Workloads of too many pods, and metrics measured too often within the horizon, each at its place."""
    for item in documents.objects:
        spec = item.data.get("spec")
        if isinstance(spec, Mapping):
            if item.kind in {"Rollout", "Deployment"}:
                yield from _pods(item, spec)
            if item.kind in {"AnalysisTemplate", "ClusterAnalysisTemplate"}:
                yield from _measurements(item, spec, horizon_s)


def occupation(scenario: Scenario) -> float | None:
    """Offered load at its highest stage as a share of what the stable version's pods can serve; None if not known.

    From about 1 on requests queue and time out whatever the release does.
    """
    pods = pods_of(scenario.strategy, scenario.manifests)
    served = scenario.stable.service_time.mean_s
    if not pods or not served:
        return None
    return _highest_rps(scenario.load) * served / (pods * scenario.stable.concurrency)


def _highest_rps(load: LoadShape) -> float:
    highest = max((stage.rate_rps for stage in load.stages), default=0.0)
    return highest * (1 + load.diurnal.amplitude if load.diurnal else 1.0)


def _pods(item: Document, spec: Mapping[str, Any]) -> Iterator[Finding]:
    replicas = spec.get("replicas")
    if isinstance(replicas, int) and replicas > MOST_PODS:
        message = f"{item.kind} {item.name!r} asks for {replicas} pods (at most {MOST_PODS} are simulated)"
        yield _finding(item, ("spec", "replicas"), message, "scale replicas and traffic down alike")


def _measurements(item: Document, spec: Mapping[str, Any], horizon_s: float) -> Iterator[Finding]:
    metrics = spec.get("metrics")
    for index, metric in enumerate(metrics if isinstance(metrics, list) else []):
        if not isinstance(metric, Mapping):
            continue
        interval_s = _interval_s(metric.get("interval"))
        count = metric.get("count")
        bound = count if isinstance(count, int) and count > 0 else MOST_MEASUREMENTS + 1
        if interval_s > 0 and min(bound, horizon_s / interval_s) > MOST_MEASUREMENTS:
            message = (
                f"{item.kind} {item.name!r} would measure {metric.get('name')!r} every {metric.get('interval')}, "
                f"{min(bound, horizon_s / interval_s):.2g} times (at most {MOST_MEASUREMENTS} within the horizon)"
            )
            yield _finding(item, ("spec", "metrics", index, "interval"), message, "lengthen the interval")


def _interval_s(raw: Any) -> float:
    """Seconds; 0 for what is no duration, which other rules report."""
    try:
        return go_duration_s(raw) if isinstance(raw, str) else 0.0
    except ValueError:
        return 0.0


def _finding(item: Document, path: Path, message: str, suggestion: str) -> Finding:
    line, column = item.position(path)
    return Finding(CODE, Severity.ERROR, message, item.file, line, column, path, suggestion)
