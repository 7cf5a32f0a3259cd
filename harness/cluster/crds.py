"""Kinds of Argo Rollouts and Istio for clusters that have neither, with open schemas.

The published schemas use keywords that old API servers refuse, and what a manifest may say has been checked before it
gets here. A cluster's own definitions are left as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.cluster.objects import Object, Objects
from harness.waiting import wait_until

ESTABLISHED_S = 60.0
_OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_SCALE = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.HPAReplicas",
    "labelSelectorPath": ".status.selector",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind as its authors define it, all but the schema."""

    group: str
    kind: str
    plural: str
    short: str
    versions: tuple[str, ...]
    """The stored one first."""
    scope: str = "Namespaced"
    subresources: tuple[str, ...] = ()
    """Where Argo's authors have none, its controller writes the status with the object: there must be none here."""

    @property
    def name(self) -> str:
        """The name of the definition."""
        return f"{self.plural}.{self.group}"

    def definition(self) -> Object:
        """The CustomResourceDefinition."""
        names = {
            "kind": self.kind,
            "listKind": f"{self.kind}List",
            "plural": self.plural,
            "singular": self.kind.lower(),
            "shortNames": [self.short],
        }
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": self.name, "labels": {"app.kubernetes.io/managed-by": "rolltwin"}},
            "spec": {
                "group": self.group,
                "names": names,
                "scope": self.scope,
                "versions": [self._version(name) for name in self.versions],
            },
        }

    def _version(self, name: str) -> dict[str, Any]:
        parts = {part: dict(_SCALE) if part == "scale" else {} for part in self.subresources}
        return {
            "name": name,
            "served": True,
            "storage": name == self.versions[0],
            "schema": {"openAPIV3Schema": dict(_OPEN)},
            "subresources": parts,
        }


_ARGO = "argoproj.io"
_ISTIO = "networking.istio.io"
_ISTIO_VERSIONS = ("v1beta1", "v1alpha3", "v1")
ARGO = (
    Kind(_ARGO, "Rollout", "rollouts", "ro", ("v1alpha1",), subresources=("status", "scale")),
    Kind(_ARGO, "AnalysisRun", "analysisruns", "ar", ("v1alpha1",)),
    Kind(_ARGO, "AnalysisTemplate", "analysistemplates", "at", ("v1alpha1",)),
    Kind(_ARGO, "ClusterAnalysisTemplate", "clusteranalysistemplates", "cat", ("v1alpha1",), scope="Cluster"),
    Kind(_ARGO, "Experiment", "experiments", "exp", ("v1alpha1",)),
)
ISTIO = (
    Kind(_ISTIO, "VirtualService", "virtualservices", "vs", _ISTIO_VERSIONS, subresources=("status",)),
    Kind(_ISTIO, "DestinationRule", "destinationrules", "dr", _ISTIO_VERSIONS, subresources=("status",)),
    Kind(_ISTIO, "Gateway", "gateways", "gw", _ISTIO_VERSIONS, subresources=("status",)),
)


def install(objects: Objects, kinds: Iterable[Kind] = (*ARGO, *ISTIO)) -> tuple[str, ...]:
    """Adds the kinds that the cluster has not, waits until it serves them, and returns the names of those added."""
    wanted = tuple(kinds)
    there = {item["metadata"]["name"] for item in objects.list("CustomResourceDefinition")}
    added = tuple(kind.name for kind in wanted if kind.name not in there)
    for kind in wanted:
        if kind.name in added:
            # Applied, not created: another run may be adding the same at this moment.
            objects.apply(kind.definition())
    wait_until(
        lambda: all(_established(objects, kind.name) for kind in wanted),
        "kinds of Argo Rollouts and Istio",
        ESTABLISHED_S,
        lambda: ", ".join(kind.name for kind in wanted if not _established(objects, kind.name)),
    )
    return added


def _established(objects: Objects, name: str) -> bool:
    found = objects.get("CustomResourceDefinition", name) or {}
    conditions = found.get("status", {}).get("conditions", ())
    return any(item["type"] == "Established" and item["status"] == "True" for item in conditions)
