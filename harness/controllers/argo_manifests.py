"""Argo Rollouts for one namespace: account, rights and Deployment, as its own ``namespace-install`` has them.

Differences: no leader election (there is one replica, and a busy machine must not make it lose its lease), host names
of the templates' Prometheus addresses (there may be no DNS), and probes that answer sooner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from harness.cluster.objects import Object

NAME: Final = "argo-rollouts"
_RBAC: Final = "rbac.authorization.k8s.io"
_LABELS: Final = {"app.kubernetes.io/name": NAME}
_READ: Final = ("get", "list", "watch")
_EDIT: Final = (*_READ, "update", "patch")
_OWN: Final = ("create", *_EDIT, "delete")
RULES: Final[tuple[tuple[Sequence[str], Sequence[str], Sequence[str]], ...]] = (
    (["argoproj.io"], ["rollouts", "rollouts/status", "rollouts/finalizers"], _EDIT),
    (["argoproj.io"], ["analysisruns", "analysisruns/finalizers", "experiments", "experiments/finalizers"], _OWN),
    (["argoproj.io"], ["analysistemplates", "clusteranalysistemplates"], _READ),
    (["apps"], ["replicasets"], _OWN),
    (["", "apps"], ["deployments", "podtemplates"], (*_READ, "update", "patch")),
    ([""], ["services"], (*_READ, "patch", "create", "delete")),
    (["coordination.k8s.io"], ["leases"], ("create", "get", "update")),
    ([""], ["secrets", "configmaps"], _READ),
    ([""], ["pods"], ("list", "update", "watch")),
    ([""], ["pods/eviction"], ("create",)),
    ([""], ["events"], ("create", "update", "patch")),
    (["networking.k8s.io", "extensions"], ["ingresses"], ("create", *_EDIT)),
    (["batch"], ["jobs"], _OWN),
    (["networking.istio.io"], ["virtualservices", "destinationrules"], _EDIT),
    ([""], ["endpoints"], ("get",)),
)
"""(API groups, resources, verbs)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What kind of installation a run wants."""

    image: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Host name -> IP address, for names that nothing else resolves."""
    prometheus: str = ""
    """Address for templates that name none."""


def objects_of(namespace: str, wanted: Wanted) -> tuple[Object, ...]:
    """In order of application."""
    rules = [
        {"apiGroups": list(groups), "resources": list(what), "verbs": list(verbs)} for groups, what, verbs in RULES
    ]
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": namespace}
    return (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME}},
        {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": {"name": NAME}, "rules": rules},
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": NAME},
            "subjects": [subject],
            "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": NAME},
        },
        _deployment(namespace, wanted),
    )


def _deployment(namespace: str, wanted: Wanted) -> Object:
    pod: dict[str, Any] = {
        "serviceAccountName": NAME,
        "terminationGracePeriodSeconds": 1,
        "hostAliases": _host_aliases(wanted.aliases),
        "containers": [_container(namespace, wanted)],
        "volumes": [{"name": "plugin-bin", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "labels": _LABELS},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": _LABELS},
            "template": {"metadata": {"labels": _LABELS}, "spec": pod},
        },
    }


def _host_aliases(aliases: Mapping[str, str]) -> list[dict[str, Any]]:
    addresses = sorted(set(aliases.values()))
    return [{"ip": ip, "hostnames": sorted(name for name in aliases if aliases[name] == ip)} for ip in addresses]


def _container(namespace: str, wanted: Wanted) -> dict[str, Any]:
    address = [{"name": "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS", "value": wanted.prometheus}] if wanted.prometheus else []
    return {
        "name": NAME,
        "image": wanted.image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["--namespaced", f"--namespace={namespace}", "--leader-elect=false"],
        "env": address,
        "ports": [{"containerPort": port, "protocol": "TCP"} for port in (8090, 8080)],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1, "timeoutSeconds": 4},
        "volumeMounts": [
            {"name": "plugin-bin", "mountPath": "/home/argo-rollouts/plugin-bin"},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # the container's own
        ],
    }
