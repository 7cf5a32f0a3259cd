"""Everything a rule may look at: the documents as written, the same typed, and the scenario if there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from scenarios.manifests import Document, Documents, typed
from scenarios.rules.tree import labels, text
from sim.model.controller import NEWEST, Controller
from sim.model.manifests import ManifestSet
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, Geographic

WORKLOADS = ("Rollout", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
TEMPLATES = ("AnalysisTemplate", "ClusterAnalysisTemplate")


@dataclass(frozen=True)
class Context:
    """Input of every rule; what several rules need is computed once."""

    documents: Documents
    scenario: Scenario | None = None
    controller: Controller = NEWEST
    """Release of the Rollout controller the documents are for."""

    @cached_property
    def manifests(self) -> ManifestSet:
        """The documents, typed."""
        return typed(self.documents)

    @cached_property
    def judged_rollouts(self) -> frozenset[str]:
        """Names of the Rollouts the scenario's strategy uses; none without a scenario."""
        strategy = self.scenario.strategy if self.scenario is not None else None
        inner = strategy.inner if isinstance(strategy, Geographic) else strategy
        return frozenset({inner.rollout}) if isinstance(inner, ArgoRollout) else frozenset()

    def of_kind(self, *kinds: str) -> tuple[Document, ...]:
        """Documents of these kinds, in the order they were read; of an object written twice only the last, as applied."""
        return tuple(document for document in self._applied if document.kind in kinds)

    @cached_property
    def _applied(self) -> tuple[Document, ...]:
        last = {
            (item.group, item.kind, space(item), item.name): index for index, item in enumerate(self.documents.objects)
        }
        return tuple(
            item
            for index, item in enumerate(self.documents.objects)
            if not item.name or last[item.group, item.kind, space(item), item.name] == index
        )

    def find(self, kind: str, name: str, namespace: str | None = None) -> Document | None:
        """The first document of this kind and name (and namespace, unless None)."""
        for document in self.of_kind(kind):
            if document.name == name and namespace in {None, space(document)}:
                return document
        return None

    def workloads(self, namespace: str | None = None) -> Iterator[tuple[Document, dict[str, str]]]:
        """(workload, its pods' labels), of one namespace or of all."""
        for document in self.of_kind(*WORKLOADS):
            if namespace in {None, space(document)}:
                yield document, labels(document.data, "spec", "template", "metadata", "labels")

    def service_selects(self, service: Document) -> tuple[Document, ...]:
        """The workloads whose pods a Service selects; none for a Service without a selector."""
        selector = labels(service.data, "spec", "selector")
        if not selector:
            return ()
        return tuple(
            workload
            for workload, pod_labels in self.workloads(space(service))
            if selector.items() <= pod_labels.items()
        )

    def service_of_host(self, host: str, namespace: str) -> Document | None:
        """The Service an Istio host names: short, or ``name.namespace[.svc.cluster.local]``; None for other hosts."""
        name, where = split_host(host, namespace)
        return self.find("Service", name, where)


def space(document: Document) -> str:
    """The namespace an object lands in; ``default`` where none is written."""
    return document.namespace or "default"


def split_host(host: str, namespace: str) -> tuple[str, str]:
    """(name, namespace) of a cluster-local host, as Istio completes a short name with the rule's own namespace."""
    parts = host.removesuffix(".svc.cluster.local").removesuffix(".svc").split(".")
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[0], namespace)


def is_cluster_host(host: str) -> bool:
    """Whether a host can only name a Service of the mesh: a short name or ``*.svc[.cluster.local]``."""
    return bool(host) and "*" not in host and ("." not in host or host.endswith((".svc", ".svc.cluster.local")))


def rollout_services(rollout: Document) -> dict[str, str]:
    """Field -> Service name of the Services whose selector the Rollout controller owns."""
    fields = (
        ("canary", "canaryService"),
        ("canary", "stableService"),
        ("blueGreen", "activeService"),
        ("blueGreen", "previewService"),
    )
    named = {f"{kind}.{key}": text(rollout.data, "spec", "strategy", kind, key) for kind, key in fields}
    return {field: name for field, name in named.items() if name}
