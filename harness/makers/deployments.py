"""Real Deployments: deploying them, and reading from their status how far an update is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.cluster.objects import Object, Objects
from harness.deploy.plan import Plan
from harness.waiting import wait_until

KIND: Final = "apps/v1/Deployment"
DEADLINE: Final = "ProgressDeadlineExceeded"
STAND_S: Final = 300.0
"""Time for the stable version to come up: scheduling and starts on a busy machine, not what is measured."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What ``kubectl get`` shows of a Deployment; None for what is not written.

    Kubernetes leaves out a ``readyReplicas`` of 0. ``not_running`` are pods whose phase is not Running.
    """

    ready: int | None
    desired: int | None
    not_running: int | None


def is_complete(deployment: Object, generation: int = 0) -> bool:
    """Whether only the current template has pods, all of them available: the controller's own test (DeploymentComplete).

    ``generation`` is the least one that counts: an older picture says nothing about a template just applied.
    """
    status: Mapping[str, Any] = deployment.get("status", {})
    wanted = deployment["spec"].get("replicas", 1)
    counts = (status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas"))
    return _is_observed(deployment, generation) and all(count == wanted for count in counts)


def deadline(deployment: Object, generation: int = 0) -> tuple[str, str]:
    """(message, when) of an exceeded progress deadline, as ``kubectl describe`` shows it; ('', '') while there is none."""
    conditions = deployment.get("status", {}).get("conditions", ())
    found = next((one for one in conditions if one["type"] == "Progressing" and one.get("reason") == DEADLINE), None)
    if found is None or not _is_observed(deployment, generation):
        return "", ""
    return f"{DEADLINE}: {found.get('message', '')}", found.get("lastUpdateTime", "")


def counts(objects: Objects, name: str) -> Counts:
    """Of the Deployment of this name; all None where there is none."""
    deployment = objects.get(KIND, name)
    if deployment is None:
        return Counts(None, None, None)
    pods = objects.list("Pod", deployment["spec"]["selector"].get("matchLabels", {}))
    not_running = sum(pod.get("status", {}).get("phase") != "Running" for pod in pods)
    return Counts(deployment.get("status", {}).get("readyReplicas"), deployment["spec"].get("replicas"), not_running)


def with_template(deployment: Object, template: Object) -> Object:
    """The Deployment with another pod template, to be applied."""
    return {**deployment, "spec": {**deployment["spec"], "template": template}}


def stand(objects: Objects, plan: Plan, workload: Object | None = None) -> None:
    """Applies every object of the plan and returns when all Deployments are complete; WaitError otherwise.

    ``workload`` stands in for the plan's.
    """
    wanted = [*plan.others, workload or plan.workload]
    applied = [objects.apply(obj) for obj in wanted if obj]
    names = [obj["metadata"]["name"] for obj in applied if obj["kind"] == "Deployment"]
    seen = objects.watch(KIND)

    def missing() -> list[str]:
        now = seen.current()
        return [name for name in names if name not in now or not is_complete(now[name])]

    wait_until(lambda: not missing(), "the stable version serves", STAND_S, lambda: _dump(objects, missing()))


def _dump(objects: Objects, names: Sequence[str]) -> str:
    """Why these Deployments are not there yet."""
    lines = [f"{name}: {counts(objects, name)}" for name in names]
    for pod in objects.list("Pod"):
        status = pod.get("status", {})
        waits = [one["state"] for one in status.get("containerStatuses", ()) if not one.get("ready")]
        unmet = [one.get("message", "") for one in status.get("conditions", ()) if one.get("status") != "True"]
        lines.append(f"pod {pod['metadata']['name']}: {status.get('phase')} {waits} {[one for one in unmet if one]}")
    return "\n".join(lines)


def _is_observed(deployment: Object, generation: int) -> bool:
    current = deployment["metadata"].get("generation", 0)
    return current >= generation and bool(deployment.get("status", {}).get("observedGeneration", 0) >= current)
