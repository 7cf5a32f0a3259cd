"""Which path of the API a kind of object has."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of one API version. ``api_version`` is as manifests write it: ``v1``, ``apps/v1``."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """The path of the collection, or of one object or a part of it."""
        root = ["api" if self.api_version == "v1" else "apis", self.api_version]
        place = ["namespaces", namespace] if self.namespaced else []
        return "/" + "/".join([*root, *place, self.plural, *(quote(part) for part in (name, subresource) if part)])


def _of(api_version: str, **plurals: str) -> tuple[Resource, ...]:
    return tuple(Resource(api_version, kind, plural) for kind, plural in plurals.items())


_CLUSTER_WIDE = (
    Resource("v1", "Namespace", "namespaces", namespaced=False),
    Resource("v1", "Node", "nodes", namespaced=False),
    Resource("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False),
    Resource("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", namespaced=False),
    Resource("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    Resource("argoproj.io/v1alpha1", "ClusterAnalysisTemplate", "clusteranalysistemplates", namespaced=False),
)
_NAMESPACED = (
    *_of(
        "v1",
        Pod="pods",
        Service="services",
        Endpoints="endpoints",
        ConfigMap="configmaps",
        Secret="secrets",  # noqa: S106
        ServiceAccount="serviceaccounts",
        Event="events",
        PersistentVolumeClaim="persistentvolumeclaims",
    ),
    *_of("apps/v1", Deployment="deployments", ReplicaSet="replicasets", StatefulSet="statefulsets"),
    *_of("batch/v1", Job="jobs"),
    *_of("networking.k8s.io/v1", Ingress="ingresses", NetworkPolicy="networkpolicies"),
    *_of("autoscaling/v1", HorizontalPodAutoscaler="horizontalpodautoscalers"),
    *_of("coordination.k8s.io/v1", Lease="leases"),
    *_of("rbac.authorization.k8s.io/v1", Role="roles", RoleBinding="rolebindings"),
    *_of(
        "argoproj.io/v1alpha1",
        Rollout="rollouts",
        AnalysisRun="analysisruns",
        AnalysisTemplate="analysistemplates",
        Experiment="experiments",
    ),
    # Every Istio that is alive serves v1beta1; the first of each kind answers to its bare name.
    *_of("networking.istio.io/v1beta1", VirtualService="virtualservices", DestinationRule="destinationrules"),
    *_of("networking.istio.io/v1beta1", Gateway="gateways"),
    *_of("networking.istio.io/v1alpha3", VirtualService="virtualservices", DestinationRule="destinationrules"),
    *_of("networking.istio.io/v1alpha3", Gateway="gateways"),
    *_of("networking.istio.io/v1", VirtualService="virtualservices", DestinationRule="destinationrules"),
    *_of("networking.istio.io/v1", Gateway="gateways"),
)
KNOWN = (*_CLUSTER_WIDE, *_NAMESPACED)
"""What needs no question to the API server: the same in every release from Kubernetes 1.20 on."""


def known(kind: str) -> Resource | None:
    """The resource of ``Pod`` or ``apps/v1/ReplicaSet``, if it is one of ours."""
    api_version, _, bare = kind.rpartition("/")
    return next(
        (item for item in KNOWN if item.kind == bare and (not api_version or item.api_version == api_version)), None
    )
