"""The twin controller's hands on a cluster: each action of a decision, carried out on real objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.cluster.objects import Object, Objects
from harness.makers import observe
from harness.makers.analyst import Analyst
from harness.makers.avoidance import avoiding
from harness.makers.observe import DEADLINE, DESIRED, REVISION, rfc3339
from harness.makers.picture import Picture
from harness.makers.roles import Roles
from harness.makers.routers import RouterHands
from harness.recorder import Recorder
from sim.decide.istio.rewriting import HASH_LABEL
from sim.hands import Hands, Rollout
from sim.model.actions import (
    CreateReplicaSet,
    DeleteReplicaSet,
    Experimenting,
    RestartPods,
    Scale,
    SetScaleDownDeadline,
    Sizing,
)
from sim.model.rollout import PodView, ReplicaSetView, RolloutSpec

REPLICA_SET = "apps/v1/ReplicaSet"
Listener = Callable[[str, Object | None, float], None]


class ClusterHands(Hands):
    """Every object that belongs to one Rollout, and what can be done to them."""

    def __init__(self, objects: Objects, recorder: Recorder, spec: RolloutSpec, analyst: Analyst) -> None:
        self._objects = objects
        self._recorder = recorder
        self._owner = spec.name
        self._pods = objects.watch("Pod")
        self._sets = Picture(objects.watch(REPLICA_SET))
        self._roles = Roles(objects, self._sets)
        self.templates: dict[str, Object] = {}
        """Pod templates by hash."""
        self.router = RouterHands(objects, spec)
        self.analyst = analyst
        super().__init__(self.router, analyst, analyst.controller)

    def on_change(self, listener: Listener) -> None:
        """Calls ``listener``, on a watching thread, when a ReplicaSet or a Service changed."""
        for kind in (REPLICA_SET, "Service"):
            self._objects.watch(kind).on_change(listener)

    def replica_sets(self) -> Mapping[str, ReplicaSetView]:
        """The Rollout's ReplicaSets by hash."""
        views = (observe.replica_set(obj, self._recorder.applied_at) for obj in self._own().values())
        return {view.hash: view for view in views}

    def pods(self, min_ready_s: float) -> tuple[PodView, ...]:
        """Pods of the Rollout's ReplicaSets."""
        own, now_s = self._own(), self._recorder.t_s
        views = (
            observe.pod(obj, self._recorder.applied_at, now_s, min_ready_s) for obj in self._pods.current().values()
        )
        return tuple(view for view in views if view.hash in own)

    def create(self, pod_hash: str, number: int, rollout: Rollout, replicas: int = 0) -> None:
        """The ReplicaSet of a revision; one that exists only gets the number."""
        spec = rollout.spec
        if pod_hash in self._own():
            self._annotate(pod_hash, {REVISION: str(number)})
            return
        notes = {REVISION: str(number), DESIRED: str(spec.desired)}
        template = avoiding(self.templates[pod_hash], spec, rollout.status.stable_rs, pod_hash)
        made = _replica_set(spec, pod_hash, template, notes, replicas)
        self._sets.wrote(self._objects.create(made))

    def relabel(self, rollout: Rollout) -> None:
        """Puts the metadata of its role on each revision's pods; a revision without a role loses it."""
        self._roles.put(self._own(), rollout.spec, rollout.status.stable_rs, rollout.template_hash)

    def _own(self) -> dict[str, Object]:
        """ReplicaSets by hash."""
        named = f"{self._owner}-"
        found = self._sets.current()
        return {observe.hash_of(obj): obj for name, obj in found.items() if name == named + observe.hash_of(obj)}

    def _resize(self, action: Sizing, rollout: Rollout) -> None:
        match action:
            case CreateReplicaSet():
                self.create(action.hash, action.revision, rollout)
                self.relabel(rollout)
            case Scale():
                notes = {DESIRED: str(rollout.spec.desired)}
                self._patch(action.hash, {"metadata": {"annotations": notes}, "spec": {"replicas": action.replicas}})
            case SetScaleDownDeadline():
                deadline = None
                if action.deadline_s is not None:
                    deadline = rfc3339(self._recorder.applied_at + action.deadline_s)
                self._annotate(action.hash, {DEADLINE: deadline})
            case DeleteReplicaSet():
                obj = self._own()[action.hash]
                self._objects.delete(REPLICA_SET, obj["metadata"]["name"])
                self._sets.deleted(obj)
            case RestartPods():
                for name in action.names:
                    self._objects.delete("Pod", name)

    def _annotate(self, pod_hash: str, notes: Mapping[str, str | None]) -> None:
        self._patch(pod_hash, {"metadata": {"annotations": dict(notes)}})

    def _patch(self, pod_hash: str, change: Object) -> None:
        name = self._own()[pod_hash]["metadata"]["name"]
        self._sets.wrote(self._objects.patch(REPLICA_SET, name, change))

    def _experiment(self, action: Experimenting, rollout: Rollout) -> None:
        del rollout
        # Refused before the run began (``harness.makers.support``).
        raise AssertionError(action)


def _replica_set(spec: RolloutSpec, pod_hash: str, template: Object, notes: Object, replicas: int) -> Object:
    """A ReplicaSet of one revision, as the Rollout controller makes it (``rollout/sync.go`` createDesiredReplicaSet)."""
    hashed = {HASH_LABEL: pod_hash}
    metadata = template.get("metadata") or {}
    labels = {**(metadata.get("labels") or {}), **hashed}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": f"{spec.name}-{pod_hash}", "labels": labels, "annotations": notes},
        "spec": {
            "replicas": replicas,
            "minReadySeconds": spec.min_ready_s,
            "selector": {"matchLabels": {**dict(spec.selector), **hashed}},
            "template": {**template, "metadata": {**metadata, "labels": labels}},
        },
    }
