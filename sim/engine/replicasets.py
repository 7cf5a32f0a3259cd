"""ReplicaSets: keep the desired number of pods, choose victims, and show themselves to controllers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.engine.clock import Rank
from sim.engine.pods import Pod
from sim.engine.revision import Avoidance, Revision
from sim.engine.site import PodSite
from sim.model.pods import Labels
from sim.model.records import ScaleRecord
from sim.model.rollout import ReplicaSetView


@dataclass(frozen=True, slots=True)
class Identity:
    """What a ReplicaSet is made with, besides its revision."""

    name: str
    number: int
    """Revision number."""
    min_ready_s: float = 0.0
    avoids: Avoidance = Avoidance()
    hash_label: str = "rollouts-pod-template-hash"


class ReplicaSet:
    """Pods of one revision."""

    def __init__(self, site: PodSite, identity: Identity, revision: Revision) -> None:
        self._site = site
        self._identity = identity
        self.revision = revision
        self.name = identity.name
        self.number = identity.number
        self.created_s = site.ground.clock.now
        self.desired = 0
        self.desired_annotation: int | None = None
        self.deadline_s: float | None = None
        self._labels: Labels = ()
        self._maps: tuple[dict[str, str], dict[str, str]] = ({}, {})
        self.put_role((), ())
        self.env_map = dict(revision.template.env)
        self.pods: list[Pod] = []
        self.next_pod = 0
        """Number of the next pod: a ReplicaSet that is made again after its deletion goes on counting."""
        self._shown: tuple[int, int, int] | None = None
        self._seen: tuple[object, ReplicaSetView] | None = None
        self._noticed: dict[str, float] = {}
        site.ground.on_pods.append(self.look)
        site.ground.stir()

    @property
    def active(self) -> list[Pod]:
        """Pods that exist and are not being deleted."""
        return [pod for pod in self.pods if not pod.deleted and not pod.gone]

    @property
    def ready(self) -> int:
        """Ready pods."""
        return sum(pod.ready_s is not None for pod in self.active)

    @property
    def available(self) -> int:
        """Available pods."""
        return sum(pod.counts_as_available(self._identity.min_ready_s) for pod in self.active)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """What a controller sees of its pods: wanted, there, ready, available."""
        active = self.active
        ready = [pod for pod in active if pod.ready_s is not None]
        min_ready_s = self._identity.min_ready_s
        available = sum(pod.counts_as_available(min_ready_s) for pod in ready) if min_ready_s else len(ready)
        return self.desired, len(active), len(ready), available

    def labels(self) -> Labels:
        """Labels of the pods as they are now."""
        return self._labels

    def label_map(self) -> dict[str, str]:
        """The same as a mapping, made once for each role."""
        return self._maps[0]

    @property
    def role(self) -> object:
        """The metadata of its pods: the same object until anything about it changes."""
        return self._maps

    def annotation_map(self) -> dict[str, str]:
        """Annotations of the pods as they are now."""
        return self._maps[1]

    def put_role(self, labels: Labels, annotations: Labels) -> None:
        """Puts metadata on the pods while the revision has a role; it replaces that of the role before."""
        template = self.revision.template
        merged = dict(template.labels) | dict(labels) | {self._identity.hash_label: self.revision.hash}
        maps = dict(sorted(merged.items())), dict(template.annotations) | dict(annotations)
        if maps != self._maps:
            self._labels, self._maps = tuple(maps[0].items()), maps
            self._site.ground.stir()

    def stand(self, replicas: int) -> None:
        """Starts the run with this many pods that have long been ready."""
        self.desired = self.desired_annotation = replicas
        for _ in range(replicas):
            self._make(standing=True)

    def scale(self, replicas: int) -> None:
        """Sets the size; pods are made or deleted at once: those not ready first, then the newest."""
        self.desired = replicas
        surplus = len(self.active) - replicas
        if surplus > 0:
            for pod in sorted(self.active, key=_victim_order)[:surplus]:
                pod.delete()
        self.look()

    @property
    def is_empty(self) -> bool:
        """Whether it wants no pods and the last one is gone."""
        return self.desired == 0 and all(pod.gone for pod in self.pods)

    def evict(self, names: Sequence[str]) -> None:
        """Deletes these pods of its own gracefully; the next look replaces them."""
        for pod in self.pods:
            if pod.name in names:
                pod.delete()

    def retire(self) -> None:
        """The ReplicaSet is deleted; it must have no pods."""
        self._site.ground.stir()
        self._site.ground.on_pods.remove(self.look)

    def look(self) -> None:
        """Replaces pods that were lost and writes a row when the counts changed."""
        self.pods = [pod for pod in self.pods if not pod.gone]
        while len(self.active) < self.desired:
            self._make(standing=False)
        self._await_availability()
        desired, _, ready, available = self.counts
        counts = (desired, ready, available)
        if counts != self._shown:
            self._shown = counts
            journal = self._site.ground.journal
            journal.add(ScaleRecord(journal.t_s, journal.region, self.name, self.revision.side, *counts))

    def view(self) -> ReplicaSetView:
        """The ReplicaSet as a controller sees it."""
        counts = self.counts
        known = (counts, self.number, self.deadline_s, self.desired_annotation)
        if self._seen is None or self._seen[0] != known:
            self._seen = known, self._view(*counts)
        return self._seen[1]

    def _view(self, desired: int, replicas: int, ready: int, available: int) -> ReplicaSetView:
        return ReplicaSetView(
            name=self.name,
            hash=self.revision.hash,
            desired=desired,
            replicas=replicas,
            ready=ready,
            available=available,
            created_s=self.created_s,
            revision=self.number,
            scale_down_deadline_s=self.deadline_s,
            desired_annotation=self.desired_annotation,
            fully_labelled=replicas,
        )

    def _make(self, *, standing: bool) -> None:
        name = f"{self.name}-{self.next_pod}"
        self.next_pod += 1
        self.pods.append(Pod(self._site, name, self.revision, self._identity.avoids, standing=standing))

    def _await_availability(self) -> None:
        """With minReadySeconds a pod's availability is a change of its own, later than its readiness."""
        if self._identity.min_ready_s <= 0:
            return
        for pod in self.active:
            if pod.ready_s is not None and self._noticed.get(pod.name) != pod.ready_s:
                self._noticed[pod.name] = pod.ready_s
                due_s = pod.ready_s + self._identity.min_ready_s
                self._site.ground.clock.call_at(due_s, Rank.TRAFFIC, self._site.ground.pods_changed)


def _victim_order(pod: Pod) -> tuple[bool, float, float]:
    """Not ready first, then ready most recently, then newest (kubernetes pkg/controller ActivePodsWithRanks)."""
    return pod.ready_s is not None, -(pod.ready_s or 0.0), -pod.created_s
