"""An Argo Rollout as a strategy: from the applied template to promotion, abort or undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sim.decide import operations
from sim.decide.standing import standing_status
from sim.engine.controller import RolloutController, waits_for_person
from sim.engine.ground import Ground
from sim.engine.replicasets import ReplicaSet
from sim.engine.revision import STABLE, Revision, candidate_revision, stable_revision
from sim.engine.routing import Router
from sim.engine.site import PodSite
from sim.metrics.providers import Sources
from sim.model.behaviour import Release
from sim.model.outcome import Outcome
from sim.model.records import Verdict
from sim.model.rollout import RolloutPhase, RolloutSpec, RolloutStatus


class ArgoDriver:
    """Watches the controller's status and the routers' weights for the rollout's end."""

    def __init__(self, site: PodSite, spec: RolloutSpec, router: Router, sources: Callable[[], Sources]) -> None:
        self._ground: Ground = site.ground
        self._router = router
        self._template = spec.template
        self._release = self._ground.scenario.release
        self._old = stable_revision(spec.template, self._ground.scenario.stable)
        self._target = candidate_revision(spec.template, self._release.behaviour)
        self.controller = RolloutController(site, spec, sources, router)
        self.controller.on_status.append(self._look)
        router.on_weights.append(self._look)
        self.outcome: Outcome | None = None
        self.on_change: list[Callable[[], None]] = []
        self._person = ""
        self._abort_noted = False
        self._served_all = False

    @property
    def replica_sets(self) -> Sequence[ReplicaSet]:
        """The Rollout's ReplicaSets."""
        return self.controller.replica_sets

    def stand(self) -> None:
        """The stable revision, fully promoted, with its Services and routes."""
        self.controller.stand(self._old, standing_status(self.controller.spec, self._old.hash))
        self.controller.notify()

    def release(self) -> None:
        """The Rollout is given the candidate's template."""
        self._ground.journal.decision("argo-cd", "start", f"revision {self._target.hash} applied")
        self.controller.apply(self._target)

    def supersede(self, release: Release) -> bool:
        """Whether another release was applied, whatever is under way; one that is applied already changes nothing."""
        revision = candidate_revision(self._template, release.behaviour)
        if revision.hash == self.controller.template_hash:
            return False
        self._release = release
        self._aim(revision)
        self._served_all = False
        self._ground.journal.decision("argo-cd", "start", f"revision {revision.hash} ({release.name}) applied")
        self.controller.apply(revision)
        return True

    def refuse(self, message: str) -> None:
        """The controller finds the spec invalid: it reports so and reconciles nothing any more."""
        self.controller.halt()
        self._ground.journal.phase(RolloutPhase.DEGRADED.value, message)

    def abort(self, reason: str) -> None:
        """A person aborts the update."""
        self._person = reason
        self.controller.operate(operations.abort)

    def undo(self, reason: str) -> None:
        """A person puts the old template back; that is a new update through the same strategy."""
        self.return_to(self._old, reason)

    def return_to(self, revision: Revision, reason: str) -> None:
        """A person puts the template of a revision back."""
        self._ground.journal.decision("person", "undo", reason)
        self._aim(revision)
        self._person = reason
        self.controller.apply(revision)

    def reopen(self) -> None:
        """What had come to its end is under way again, for the same template."""
        self._aim(self._target)

    def waits_for_person(self) -> object | None:
        """The pause condition that only a person ends."""
        return waits_for_person(self.controller.spec, self.controller.status)

    def approve(self) -> None:
        """A person promotes the paused rollout."""
        self.controller.operate(lambda status: operations.promote(self.controller.spec, status))

    @property
    def desired_pods(self) -> int:
        """Pods wanted outside of releases."""
        return self.controller.spec.desired

    @property
    def good(self) -> bool:
        """Whether the release at work is a good one."""
        return self._release.good

    @property
    def going_back(self) -> bool:
        """Whether the old template has been put back."""
        return self._target.side == STABLE

    @property
    def trouble(self) -> str:
        """The controller's message while it is Degraded by itself."""
        status = self.controller.status
        degraded = status.phase is RolloutPhase.DEGRADED and not status.abort
        return f"{status.phase.value}: {status.message}" if degraded and self.outcome is None else ""

    def arrive_late(self, reason: str) -> None:
        """Nothing is left to do: the stable version serves."""

    def stuck(self) -> Outcome:
        """Degraded if the controller says so, else stuck where it is."""
        status = self.controller.status
        reason = f"{status.phase.value}: {status.message}" if status.message else status.phase.value
        degraded = status.phase is RolloutPhase.DEGRADED and not status.abort
        verdict = Verdict.DEGRADED if degraded else Verdict.STUCK
        return Outcome(verdict, reason, self._ground.clock.now, self._served_all)

    def _aim(self, revision: Revision) -> None:
        self._target, self.outcome = revision, None
        self._person, self._abort_noted = "", False

    def _look(self) -> None:
        self._settle(self.controller.status)
        for listener in self.on_change:
            listener()

    def _settle(self, status: RolloutStatus) -> None:
        if self.outcome is not None or status.current_pod_hash != self._target.hash:
            return
        if status.abort and not status.promote_full and status.stable_rs != self._target.hash:
            self._see_abort(status)
        elif status.stable_rs == self._target.hash and status.phase is RolloutPhase.HEALTHY:
            self._see_promotion()

    def _see_promotion(self) -> None:
        now = self._ground.clock.now
        if not self.going_back:
            self._served_all = True
            self._ground.journal.decision("controller", "promote", f"revision {self._target.hash} is stable")
            self.outcome = Outcome(
                Verdict.PROMOTED, "the release is stable and serves all traffic", now, served_all=True
            )
        elif self._served_all:
            self.outcome = Outcome(Verdict.UNDONE, f"undone by a person: {self._person}", now, served_all=True)
        elif self._router.weights[0] == 0:
            self.outcome = Outcome(Verdict.ABORTED, f"undone by a person: {self._person}", now)

    def _see_abort(self, status: RolloutStatus) -> None:
        if not self._abort_noted and status.message:
            self._abort_noted = True
            actor = "person" if self._person else "analysis" if " analysis " in status.message else "controller"
            self._ground.journal.decision(actor, "abort", self._person or status.message)
        if not self._abort_noted:
            return
        if not self.going_back and self._router.weight_of(self._target.hash) == 0:
            reason = f"aborted by a person: {self._person}" if self._person else status.message
            self.outcome = Outcome(Verdict.ABORTED, reason, self._ground.clock.now, self._served_all)
