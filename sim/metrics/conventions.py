"""What usual installations expose besides the application's own two metrics.

Prometheus setups share conventions: relabelling turns pod labels into labels (``rollouts-pod-template-hash`` into
``rollouts_pod_template_hash``), clients name the status ``code``, and Istio, nginx' ingress controller and
kube-state-metrics bring metrics of their own. They are made only as far as some query names them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from sim.model.telemetry import DatadogTelemetry, LabelSource, PrometheusTelemetry

ALIASES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("code", "status_code", "response_code", "http_status", "http_status_code"), "status"),
    **dict.fromkeys(("pod_name", "kubernetes_pod_name", "exported_pod"), "pod-name"),
    **dict.fromkeys(("kubernetes_namespace", "exported_namespace"), "namespace"),
    "container": "container",
    **dict.fromkeys(("pod_template_hash", "rollouts_pod_template_hash"), "pod-template-hash"),
}
"""Label -> source of labels that go by several names."""
ISTIO: Final = ("istio_requests_total", "istio_request_duration_milliseconds")
NGINX: Final = ("nginx_ingress_controller_requests", "nginx_ingress_controller_request_duration_seconds")
KUBE_STATE: Final = (
    "kube_pod_container_status_restarts_total",
    "kube_pod_container_status_ready",
    "kube_pod_status_ready",
    "kube_pod_info",
)
_PARTS: Final = ("_bucket", "_count", "_sum")
_WORD: Final = re.compile(r"[a-zA-Z_:][\w:]*")


def sanitized(label: str) -> str:
    """A pod label's name as Prometheus' relabelling writes it."""
    return re.sub(r"\W", "_", label, flags=re.ASCII)


def words(queries: str) -> frozenset[str]:
    """Every name in the queries: metrics, labels, functions alike."""
    return frozenset(_WORD.findall(queries))


def extra_sources(
    configured: Iterable[LabelSource], named: frozenset[str], pod_labels: Iterable[str] = ()
) -> tuple[LabelSource, ...]:
    """Sources of the labels that queries name and nobody configured: pod labels first, then other names of one thing."""
    known = {source.name for source in configured}
    from_pods = {sanitized(label): f"pod-label:{label}" for label in pod_labels}
    found = {**ALIASES, **from_pods}
    return tuple(LabelSource(name, (found[name],)) for name in sorted(found) if name in named and name not in known)


def exposes(metric: str, telemetry: PrometheusTelemetry) -> bool:
    """Whether a metric of this name can have series."""
    own = {"up", telemetry.requests_metric, *(telemetry.duration_metric + part for part in _PARTS)}
    if metric in own:
        return True
    base = next((metric.removesuffix(part) for part in _PARTS if metric.endswith(part)), metric)
    return telemetry.conventions and (metric in {ISTIO[0], NGINX[0], *KUBE_STATE} or base in {ISTIO[1], NGINX[1]})


def sends(metric: str, telemetry: DatadogTelemetry) -> bool:
    """Whether the Datadog agents send a metric of this name."""
    return metric == telemetry.requests_metric or metric.startswith(f"{telemetry.duration_metric}.")
