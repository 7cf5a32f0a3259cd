"""What the twin's rules see of a real cluster: objects of the API as views, times on the run's clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from harness.cluster.objects import Object
from harness.cluster.statuses import condition
from sim.decide.istio.rewriting import HASH_LABEL
from sim.model.rollout import PodView, ReplicaSetView, ServiceView

REVISION: Final = "rollout.argoproj.io/revision"
DESIRED: Final = "rollout.argoproj.io/desired-replicas"
DEADLINE: Final = "scale-down-deadline"
MANAGED: Final = "argo-rollouts.argoproj.io/managed-by-rollouts"
"""Argo Rollouts' own annotations, so that its tools and people find what they know."""


def unix_s(written: str) -> float:
    """UNIX time of an RFC 3339 text, as the API server and we write them."""
    return datetime.fromisoformat(written).timestamp()


def rfc3339(at_unix_s: float) -> str:
    """UNIX time as RFC 3339 in UTC, to the microsecond."""
    return datetime.fromtimestamp(at_unix_s, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def replica_set(obj: Object, applied_at: float) -> ReplicaSetView:
    """A ReplicaSet; counts are the ReplicaSet controller's own, 0 where it has not written any yet."""
    metadata, status = obj["metadata"], obj.get("status") or {}
    notes: Mapping[str, str] = metadata.get("annotations") or {}
    deadline, desired = notes.get(DEADLINE, ""), notes.get(DESIRED, "")
    return ReplicaSetView(
        name=metadata["name"],
        hash=hash_of(obj),
        desired=obj["spec"].get("replicas", 1),
        replicas=status.get("replicas", 0),
        ready=status.get("readyReplicas", 0),
        available=status.get("availableReplicas", 0),
        created_s=unix_s(metadata["creationTimestamp"]) - applied_at,
        revision=int(notes.get(REVISION, "0")),
        scale_down_deadline_s=unix_s(deadline) - applied_at if deadline else None,
        desired_annotation=int(desired) if desired else None,
        fully_labelled=status.get("fullyLabeledReplicas", 0),
    )


def hash_of(obj: Object) -> str:
    """The pod-template hash in the labels of an object; '' without one."""
    return str((obj["metadata"].get("labels") or {}).get(HASH_LABEL, ""))


def pod(obj: Object, applied_at: float, now_s: float, min_ready_s: float) -> PodView:
    """A pod, available once it has been Ready for ``min_ready_s``."""
    metadata = obj["metadata"]
    ready = condition(obj, "Ready")
    since_s = unix_s(ready["lastTransitionTime"]) - applied_at if ready.get("lastTransitionTime") else now_s
    return PodView(
        name=metadata["name"],
        hash=hash_of(obj),
        created_s=unix_s(metadata["creationTimestamp"]) - applied_at,
        available=ready.get("status") == "True" and since_s + min_ready_s <= now_s,
        deleted="deletionTimestamp" in metadata,
    )


def services(names: Iterable[str], known: Mapping[str, Object]) -> tuple[ServiceView, ...]:
    """The controller's Services, as far as they exist, with the revision that each selects."""
    return tuple(_service(name, known[name]) for name in names if name in known)


def _service(name: str, obj: Object) -> ServiceView:
    pod_hash = str((obj["spec"].get("selector") or {}).get(HASH_LABEL, ""))
    notes = obj["metadata"].get("annotations") or {}
    return ServiceView(name, pod_hash, managed=bool(pod_hash) or MANAGED in notes)
