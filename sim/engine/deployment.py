"""The Deployment controller: old pods are replaced by new ones within surge and unavailability."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sim.decide import rolling
from sim.engine.clock import Instant, Rank
from sim.engine.ground import Ground
from sim.engine.loop import Loop
from sim.engine.replicasets import Identity, ReplicaSet
from sim.engine.revision import Revision
from sim.engine.site import PodSite
from sim.model.pods import DeploymentSpec
from sim.model.rollout import ReplicaSetView, RolloutPhase

HASH_LABEL = "pod-template-hash"


class DeploymentController:
    """Drives one Deployment. ``on_change`` hears of every reconcile that found or made a change."""

    def __init__(self, site: PodSite, spec: DeploymentSpec) -> None:
        self._site = site
        self._ground: Ground = site.ground
        self.spec = spec
        self._sets: dict[str, ReplicaSet] = {}
        self._current = ""
        self._counts: tuple[tuple[int, int], ...] = ()
        self._deadline: Instant | None = None
        self.phase = RolloutPhase.HEALTHY
        self.message = ""
        self.on_change: list[Callable[[], None]] = []
        latency_s = self._ground.scenario.cluster.controller_latency_s
        self._loop = Loop(self._ground.clock, latency_s, self._reconcile, spec.name)
        self._ground.on_pods.append(self._loop.notify)

    @property
    def replica_sets(self) -> Sequence[ReplicaSet]:
        """Every ReplicaSet, oldest first."""
        return tuple(self._sets.values())

    @property
    def is_complete(self) -> bool:
        """Whether only the current template has pods, all of them available."""
        new = self._sets[self._current]
        others = sum(len(rs.active) for rs in self.replica_sets if rs is not new)
        return others == 0 and new.desired == self.spec.replicas == new.available == len(new.active)

    def counts(self) -> tuple[int, int, int]:
        """(ready, desired, pods whose phase is not Running), as ``kubectl get`` shows them."""
        pods = [pod for rs in self.replica_sets for pod in rs.pods if not pod.gone]
        pending = sum(pod.index is None and not pod.past for pod in pods)
        return sum(rs.ready for rs in self.replica_sets), self.spec.replicas, pending

    def stand(self, revision: Revision) -> None:
        """Starts the run fully deployed."""
        self._current = revision.hash
        self._create(revision).stand(self.spec.replicas)

    def apply(self, revision: Revision) -> None:
        """The Deployment's template becomes this revision's; one it already has changes nothing."""
        if revision.hash == self._current:
            return
        self._current = revision.hash
        self._create(revision)
        self._show(RolloutPhase.PROGRESSING, "")
        self._progressed()
        self._loop.notify()

    def _create(self, revision: Revision) -> ReplicaSet:
        known = self._sets.pop(revision.hash, None)
        number = max((rs.number for rs in self._sets.values()), default=0) + 1
        if known is None:
            identity = Identity(
                f"{self.spec.name}-{revision.hash}", number, self.spec.min_ready_s, hash_label=HASH_LABEL
            )
            known = ReplicaSet(self._site, identity, revision)
        known.number = number
        self._sets[revision.hash] = known
        return known

    def _reconcile(self) -> tuple[bool, float | None]:
        if not self._current:
            return False, None
        views = [(pod_hash, self._view(rs)) for pod_hash, rs in self._sets.items()]
        new = next(view for pod_hash, view in views if pod_hash == self._current)
        olds = tuple(view for pod_hash, view in views if pod_hash != self._current)
        scales = rolling.next_actions(self.spec, new, olds, self._ground.clock.now)
        for scale in scales:
            self._sets[scale.hash].scale(scale.replicas)
        self._note_progress(new, olds)
        return bool(scales), None

    def _view(self, rs: ReplicaSet) -> ReplicaSetView:
        """The ReplicaSet as the rules want it: Recreate waits for pods that are still terminating."""
        view = rs.view()
        return replace(view, replicas=sum(not pod.gone for pod in rs.pods)) if self.spec.recreate else view

    def _note_progress(self, new: ReplicaSetView, olds: tuple[ReplicaSetView, ...]) -> None:
        counts = tuple((view.replicas, view.available) for view in (new, *olds))
        if counts != self._counts:
            self._counts = counts
            self._progressed()
        if self.is_complete and self.phase is not RolloutPhase.HEALTHY:
            self._show(RolloutPhase.HEALTHY, "")
        for listener in self.on_change:
            listener()

    def _progressed(self) -> None:
        """Starts the progress deadline anew; once exceeded it is only reported, the controller goes on."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._ground.clock.call_after(self.spec.progress_deadline_s, Rank.CONTROLLER, self._expire)

    def _expire(self) -> None:
        if self.phase is RolloutPhase.PROGRESSING:
            name = self._sets[self._current].name
            self._show(
                RolloutPhase.DEGRADED, f'ProgressDeadlineExceeded: ReplicaSet "{name}" has timed out progressing.'
            )
            for listener in self.on_change:
                listener()

    def _show(self, phase: RolloutPhase, message: str) -> None:
        if (phase, message) != (self.phase, self.message):
            self.phase, self.message = phase, message
            self._ground.journal.phase(phase.value, message)
