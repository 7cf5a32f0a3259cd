"""Whether a query can see the canary, and only the canary, in the series the scenario's telemetry makes.

Three answers, because some labels are only known in the cluster: a pod's name, its template hash, its version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from scenarios.manifests import Document
from scenarios.rules.selectors import Matcher, Selector
from scenarios.rules.tree import entries, labels, text
from scenarios.rules.uses import PLACEHOLDER
from sim.metrics import conventions
from sim.model.telemetry import LabelSource, PrometheusTelemetry, Telemetry

UNKNOWN = None
_PER_REQUEST = frozenset({"status", "status-class"})


class Sees(StrEnum):
    """Whether a selector takes a pod's series."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


@dataclass(frozen=True)
class Pod:
    """What is known of the pods of one side of a Rollout."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    env: Mapping[str, str | None]


def sides(rollout: Document) -> tuple[Pod, Pod]:
    """(canary, stable) pods of a canary Rollout."""
    env = {
        text(item, "name"): text(item, "value") if "value" in item else UNKNOWN
        for _, container in entries(rollout.data, "spec", "template", "spec", "containers")
        for _, item in entries(container, "env")
    }
    return _side(rollout, "canaryMetadata", env), _side(rollout, "stableMetadata", env)


def _side(rollout: Document, metadata: str, env: Mapping[str, str | None]) -> Pod:
    template = ("spec", "template", "metadata")
    extra = ("spec", "strategy", "canary", metadata)
    return Pod(
        labels(rollout.data, *template, "labels") | labels(rollout.data, *extra, "labels"),
        labels(rollout.data, *template, "annotations") | labels(rollout.data, *extra, "annotations"),
        env,
    )


def sources_of(
    selector: Selector, kind: str, telemetry: Telemetry, pods: Iterable[Pod]
) -> tuple[LabelSource, ...] | None:
    """The labels of the series this selector names; None for metrics the twin does not make."""
    if kind == "prometheus":
        own = telemetry.prometheus
        duration = selector.metric in {f"{own.duration_metric}_{part}" for part in ("bucket", "count", "sum")}
        return _labels(selector, own, pods) if selector.metric == own.requests_metric or duration else None
    ours = selector.metric == telemetry.datadog.requests_metric or selector.metric.startswith(
        telemetry.datadog.duration_metric
    )
    return telemetry.datadog.tags if ours else None


def _labels(selector: Selector, telemetry: PrometheusTelemetry, pods: Iterable[Pod]) -> tuple[LabelSource, ...]:
    """The configured labels, and those of the selector's that pods of usual installations have besides."""
    if not telemetry.conventions:
        return telemetry.labels
    named = frozenset(matcher.label for matcher in selector.matchers)
    of_pods = (label for pod in pods for label in pod.labels)
    return (*telemetry.labels, *conventions.extra_sources(telemetry.labels, named, of_pods))


def sees(selector: Selector, pod: Pod, sources: tuple[LabelSource, ...], namespace: str) -> Sees:
    """Whether the selector takes the series of a pod."""
    answers = {_accepts(matcher, pod, sources, namespace) for matcher in selector.matchers}
    if Sees.NO in answers:
        return Sees.NO
    return Sees.MAYBE if Sees.MAYBE in answers else Sees.YES


def blocking(selector: Selector, pod: Pod, sources: tuple[LabelSource, ...], namespace: str) -> Matcher | None:
    """The first matcher no series of the pod satisfies."""
    return next((m for m in selector.matchers if _accepts(m, pod, sources, namespace) is Sees.NO), None)


def _accepts(matcher: Matcher, pod: Pod, sources: tuple[LabelSource, ...], namespace: str) -> Sees:
    source = next((source for source in sources if source.name == matcher.label), None)
    if PLACEHOLDER in matcher.value:
        return Sees.MAYBE
    if matcher.label == "le" or (source is not None and set(source.sources) & _PER_REQUEST):
        return Sees.YES  # holds for some requests of every pod
    value = "" if source is None else _value(source, pod, namespace)
    if value is UNKNOWN:
        return Sees.MAYBE
    return Sees.YES if matcher.accepts(value) else Sees.NO


def _value(source: LabelSource, pod: Pod, namespace: str) -> str | None:
    for text_of in source.sources:
        kind, _, key = text_of.partition(":")
        value = {
            "pod-label": pod.labels.get(key, ""),
            "pod-annotation": pod.annotations.get(key, ""),
            "env": pod.env.get(key, ""),
            "value": key,
            "namespace": namespace,
        }.get(kind, UNKNOWN)
        if value is UNKNOWN or value:
            return value
    return ""
