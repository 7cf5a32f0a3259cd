"""Istio's, nginx' and kube-state-metrics' series, made of what the pods answered.

Proxies count what the pods answered, both at the pod (``reporter="destination"``) and at the gateway
(``reporter="source"``); answers between two scrapes are counted for the Service that leads to the pod at the later
one. What proxies answer because there is no pod to send to, or too much under way, has the flag ``UH`` and the
reporter ``source``. Latencies are not split by status: the histograms carry ``200``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sim.metrics.conventions import ISTIO, KUBE_STATE, NGINX
from sim.metrics.pods import PodView
from sim.metrics.rows import NAME
from sim.metrics.store import Series, SeriesStore

Labels = tuple[tuple[str, str], ...]
_GATEWAY: Final = "istio-ingressgateway"


@dataclass(slots=True)
class Counted:
    """What one set of labels has counted so far."""

    statuses: dict[int, int] = field(default_factory=dict)
    buckets: list[int] = field(default_factory=list)
    latency_sum_s: float = 0.0

    def add(self, now: PodView, before: PodView | None) -> None:
        """Add what a pod did between two views."""
        for status, count in now.statuses.items():
            earlier = before.statuses.get(status, 0) if before is not None else 0
            self.statuses[status] = self.statuses.get(status, 0) + count - earlier
        earlier_buckets = before.bucket_counts if before is not None and before.bucket_counts else ()
        counts = [
            count - (earlier_buckets[place] if earlier_buckets else 0) for place, count in enumerate(now.bucket_counts)
        ]
        self.buckets = [a + b for a, b in zip(self.buckets, counts, strict=True)] if self.buckets else counts
        self.latency_sum_s += now.latency_sum_s - (before.latency_sum_s if before is not None else 0.0)


@dataclass(frozen=True, slots=True)
class Family:
    """A counter of requests and a histogram of latencies, under labels of their own."""

    requests: str
    latency: str
    status: str
    unit_s: float
    """Seconds in one unit of the histogram."""
    labels: Callable[[PodView], Sequence[tuple[Labels, bool]]]
    """Label sets of a pod's answers; True where they end with the pod."""


def _istio(view: PodView) -> Sequence[tuple[Labels, bool]]:
    app = view.labels.get("app") or view.labels.get("app.kubernetes.io/name") or view.workload
    version = view.labels.get("version") or view.labels.get("app.kubernetes.io/version") or ""
    common = {
        "source_workload": _GATEWAY,
        "source_workload_namespace": "istio-system",
        "source_app": _GATEWAY,
        "source_canonical_service": _GATEWAY,
        "destination_workload": view.workload or "unknown",
        "destination_workload_namespace": view.namespace,
        "destination_app": app,
        "destination_version": version or "unknown",
        "destination_canonical_service": app,
        "destination_canonical_revision": version or "latest",
        "destination_service": f"{view.service}.{view.namespace}.svc.cluster.local",
        "destination_service_name": view.service,
        "destination_service_namespace": view.namespace,
        "request_protocol": "http",
        "response_flags": "UH" if view.refusal else "-",
        "connection_security_policy": "mutual_tls",
    }
    pod = {"reporter": "destination", "pod": view.pod, "namespace": view.namespace, "instance": view.pod}
    gateway = {"reporter": "source", "pod": _GATEWAY, "namespace": "istio-system", "instance": _GATEWAY}
    if view.refusal:
        return ((_pairs(common | gateway), False),)
    return ((_pairs(common | pod), True), (_pairs(common | gateway), False))


def _nginx(view: PodView) -> Sequence[tuple[Labels, bool]]:
    if view.refusal:
        return ()
    labels = {
        "ingress": view.ingress,
        "service": view.service,
        "exported_service": view.service,
        "namespace": view.namespace,
        "exported_namespace": view.namespace,
        "controller_class": "k8s.io/ingress-nginx",
        "instance": "ingress-nginx-controller",
    }
    return ((_pairs(labels), False),)


def _pairs(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted((name, value) for name, value in labels.items() if value))


FAMILIES: Final = (
    Family(*ISTIO, status="response_code", unit_s=0.001, labels=_istio),
    Family(*NGINX, status="status", unit_s=1.0, labels=_nginx),
)


class Proxies:
    """One family, scraped."""

    def __init__(self, family: Family, bounds_s: Sequence[float], store: SeriesStore) -> None:
        self._family = family
        self._bounds = [*(f"{round(bound / family.unit_s, 9):g}" for bound in bounds_s), "+Inf"]
        self._store = store
        self._last: dict[str, PodView] = {}
        self._counted: dict[Labels, Counted] = {}
        self._owners: dict[str, set[Labels]] = {}
        """Label sets that end with a pod."""
        self._series: dict[tuple[Labels, str], Series] = {}

    def scrape(self, t_ms: int, pods: Sequence[PodView]) -> None:
        """Take one sample of everything at ``t_ms``."""
        for view in pods:
            before = self._last.get(view.pod)
            if before is not None and before.restarts != view.restarts:
                before = None  # another container, which counts from 0
            for labels, ends in self._family.labels(view) if view.service else ():
                self._counted.setdefault(labels, Counted()).add(view, before)
                if ends:
                    self._owners.setdefault(view.pod, set()).add(labels)
        self._last = {view.pod: view for view in pods}
        for pod in sorted(self._owners.keys() - self._last.keys()):
            self._end(self._owners.pop(pod), t_ms)
        for labels, counted in self._counted.items():
            for name, extra, value in self._samples(counted):
                self._of(labels, name, extra).append(t_ms, value)

    def _samples(self, counted: Counted) -> Iterator[tuple[str, Labels, float]]:
        family = self._family
        for status, count in counted.statuses.items():
            yield family.requests, ((family.status, str(status)),), float(count)
        if not counted.statuses:
            return
        ok, running = (family.status, "200"), 0
        for bound, count in zip(self._bounds, counted.buckets, strict=False):
            running += count
            yield f"{family.latency}_bucket", (ok, ("le", bound)), float(running)
        yield f"{family.latency}_count", (ok,), float(running)
        yield f"{family.latency}_sum", (ok,), counted.latency_sum_s / family.unit_s

    def _of(self, labels: Labels, name: str, extra: Labels) -> Series:
        key = (labels, name + "".join(value for _, value in extra))
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = self._store.series({NAME: name, **dict(labels), **dict(extra)})
        return series

    def _end(self, ended: set[Labels], t_ms: int) -> None:
        for labels in ended:
            self._counted.pop(labels, None)
            for key in [key for key in self._series if key[0] == labels]:
                self._series.pop(key).mark_stale(t_ms)


class KubeState:
    """kube-state-metrics' view of the pods: restarts, readiness."""

    def __init__(self, store: SeriesStore) -> None:
        self._store = store
        self._series: dict[tuple[str, Labels], Series] = {}

    def scrape(self, t_ms: int, pods: Sequence[PodView]) -> None:
        """Take one sample of every pod at ``t_ms``; a pod that is gone ends."""
        seen = {(name, labels): value for view in pods for name, labels, value in _state(view)}
        for key in [key for key in self._series if key not in seen]:
            self._series.pop(key).mark_stale(t_ms)
        for key, value in seen.items():
            if key not in self._series:
                self._series[key] = self._store.series({NAME: key[0], **dict(key[1])})
            self._series[key].append(t_ms, value)


def _state(view: PodView) -> Iterator[tuple[str, Labels, float]]:
    pod = {"pod": view.pod, "namespace": view.namespace, "instance": "kube-state-metrics"}
    restarts, container_ready, ready, info = KUBE_STATE
    labels = _pairs(pod | {"container": view.container})
    yield restarts, labels, float(view.restarts)
    yield container_ready, labels, float(view.ready)
    for condition, holds in (("true", view.ready), ("false", not view.ready), ("unknown", False)):
        yield ready, _pairs(pod | {"condition": condition}), float(holds)
    yield info, _pairs(pod | {"created_by_kind": "ReplicaSet", "created_by_name": view.owner}), 1.0
