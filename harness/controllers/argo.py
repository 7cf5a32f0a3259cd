"""The Argo Rollouts controller of a run: the user's own if there is one, else one of the run's in its namespace."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.cluster.cluster import Cluster
from harness.cluster.objects import Object, Objects
from harness.controllers.argo_manifests import NAME, Wanted, objects_of
from harness.waiting import wait_until

READY_S = 120.0


@dataclass(frozen=True, slots=True)
class Installation:
    """A controller that works on the run's namespace."""

    namespace: str
    image: str
    own: bool
    """Whether the run installed it, and it goes with the run's namespace."""

    def __str__(self) -> str:
        whose = "installed for this run" if self.own else f"the cluster's own, in namespace {self.namespace}"
        return f"Argo Rollouts {self.image} ({whose})"


def present(cluster: Cluster, namespace: str) -> Installation | None:
    """The controller that works on this namespace already, if one does."""
    found = json.loads(cluster.kubectl("get", "deployments.apps", "--all-namespaces", "--output=json"))
    return chosen(found["items"], namespace)


def chosen(deployments: Iterable[Object], namespace: str) -> Installation | None:
    """The first Deployment of an Argo Rollouts image that watches this namespace."""
    for deployment in deployments:
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            where = deployment["metadata"]["namespace"]
            if is_controller(container["image"]) and _watches(container, where, namespace):
                return Installation(where, container["image"], own=False)
    return None


def is_controller(image: str) -> bool:
    """Whether an image is the controller's, whatever registry it comes from."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0] == NAME


def _watches(container: Mapping[str, Any], where: str, namespace: str) -> bool:
    arguments = [*(container.get("command") or ()), *(container.get("args") or ())]
    if not any(one in {"--namespaced", "--namespaced=true"} for one in arguments):
        return True
    named = [one.partition("=")[2] for one in arguments if one.startswith("--namespace=")]
    return namespace in (named or [where])


def at_work(cluster: Cluster, objects: Objects, wanted: Callable[[], Wanted]) -> Installation:
    """A controller at work, installed as ``wanted`` says only where there is none; the kinds must be there.

    WaitError with the state of its pods if it does not come to run.
    """
    there = present(cluster, objects.namespace)
    if there is not None:
        return there
    ours = wanted()
    for obj in objects_of(objects.namespace, ours):
        objects.apply(obj)
    wait_until(lambda: _is_available(objects), "the Argo Rollouts controller runs", READY_S, lambda: _state(objects))
    return Installation(objects.namespace, ours.image, own=True)


def _is_available(objects: Objects) -> bool:
    status = (objects.get("Deployment", NAME) or {}).get("status") or {}
    return bool(status.get("availableReplicas"))


def _state(objects: Objects) -> str:
    pods = objects.list("Pod", {"app.kubernetes.io/name": NAME})
    return "\n".join(f"{pod['metadata']['name']}: {pod.get('status')}" for pod in pods) or "there is no pod of it"
