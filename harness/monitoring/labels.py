"""Which labels the series of a real Prometheus carry: the ones the twin's series carry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from scenarios.document import Loaded
from sim.metrics import conventions
from sim.model.scenario import Scenario
from sim.model.strategy import Geographic, SwitchScript
from sim.model.telemetry import LabelSource, PrometheusTelemetry

INSTANCE = LabelSource("instance", ("pod-name",))
"""Two pods never share a series."""


def telemetry_of(loaded: Loaded) -> PrometheusTelemetry:
    """The scenario's telemetry with every label written out, those of usual installations too where a query names them.

    The application and the scraping both get this, so that neither has to know the conventions.
    """
    telemetry = loaded.scenario.telemetry.prometheus
    extra: tuple[LabelSource, ...] = ()
    if telemetry.conventions:
        named = conventions.words("\n".join(queries(loaded.scenario)))
        extra = conventions.extra_sources(telemetry.labels, named, pod_labels(loaded))
    given = [INSTANCE, *telemetry.labels, *extra]
    return replace(telemetry, labels=tuple({source.name: source for source in given}.values()))


def queries(scenario: Scenario) -> tuple[str, ...]:
    """Every text in which a Prometheus query may stand."""
    templates = scenario.manifests.analysis_templates
    metrics = [text for one in templates for text in one.metrics_json if '"prometheus"' in text]
    strategy = scenario.strategy.inner if isinstance(scenario.strategy, Geographic) else scenario.strategy
    if isinstance(strategy, SwitchScript):
        return (*metrics, strategy.error_query, strategy.latency_query)
    return tuple(metrics)


def pod_labels(loaded: Loaded) -> Iterable[str]:
    """Keys of the labels of every pod template."""
    for document in loaded.documents.of_kind("Rollout", "Deployment"):
        metadata = (document.data.get("spec", {}).get("template") or {}).get("metadata") or {}
        yield from metadata.get("labels") or {}


def absent(loaded: Loaded) -> tuple[str, ...]:
    """What queries ask for that the twin's series have and a cluster's do not, one sentence each."""
    named = conventions.words("\n".join(queries(loaded.scenario)))
    metrics = (*conventions.ISTIO, *conventions.NGINX, *conventions.KUBE_STATE)
    found = sorted(metric for metric in metrics if any(name.startswith(metric) for name in named))
    return tuple(f"Nobody exposes {metric} on this cluster: queries for it find nothing." for metric in found)
