"""An Argo Rollout as a strategy: from the applied template to promotion, abort or undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sim.decide import operations, settling
from sim.decide.pauses import waits_for_person
from sim.decide.settling import Aim, Carried, Seen, aimed_at, settled
from sim.decide.standing import standing_status
from sim.engine.controller import RolloutController
from sim.engine.ground import Ground
from sim.engine.replicasets import ReplicaSet
from sim.engine.revision import STABLE, Revision, candidate_revision, stable_revision
from sim.engine.routing import Router
from sim.engine.site import PodSite
from sim.metrics.providers import Sources
from sim.model.behaviour import Release
from sim.model.outcome import Outcome
from sim.model.rollout import RolloutPhase, RolloutSpec


class ArgoDriver:
    """Watches the controller's status and the routers' weights for the rollout's end."""

    def __init__(self, site: PodSite, spec: RolloutSpec, router: Router, sources: Callable[[], Sources]) -> None:
        self._ground: Ground = site.ground
        self._router = router
        self._template = spec.template
        self._release = self._ground.scenario.release
        self._old = stable_revision(spec.template, self._ground.scenario.stable)
        self._target = candidate_revision(spec.template, self._release.behaviour)
        self._aim = Aim(self._target.hash)
        self.controller = RolloutController(site, spec, sources, router)
        self.controller.on_status.append(self._look)
        router.on_weights.append(self._look)
        self.on_change: list[Callable[[], None]] = []

    @property
    def outcome(self) -> Outcome | None:
        """The end that the rollout has come to, if it has."""
        return self._aim.outcome

    @outcome.setter
    def outcome(self, outcome: Outcome | None) -> None:
        self._aim = replace(self._aim, outcome=outcome)

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
        self._aim_at(revision)
        self._aim = replace(self._aim, served_all=False)
        self._ground.journal.decision("argo-cd", "start", f"revision {revision.hash} ({release.name}) applied")
        self.controller.apply(revision)
        return True

    def refuse(self, message: str) -> None:
        """The controller finds the spec invalid: it reports so and reconciles nothing any more."""
        self.controller.halt()
        self._ground.journal.phase(RolloutPhase.DEGRADED.value, message)

    def abort(self, reason: str) -> None:
        """A person aborts the update."""
        self._aim = replace(self._aim, person=reason)
        self.controller.operate(operations.abort)

    def undo(self, reason: str) -> None:
        """A person puts the old template back; that is a new update through the same strategy."""
        self.return_to(self._old, reason)

    def return_to(self, revision: Revision, reason: str) -> None:
        """A person puts the template of a revision back."""
        self._ground.journal.decision("person", "undo", reason)
        self._aim_at(revision, reason)
        self.controller.apply(revision)

    def reopen(self) -> None:
        """What had come to its end is under way again, for the same template."""
        self._aim_at(self._target)

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
        return settling.trouble(self._aim, self.controller.status)

    def arrive_late(self, reason: str) -> None:
        """Nothing is left to do: the stable version serves."""

    def stuck(self) -> Outcome:
        """Degraded if the controller says so, else stuck where it is."""
        return settling.stuck(self._aim, self.controller.status, self._ground.clock.now)

    def _aim_at(self, revision: Revision, person: str = "") -> None:
        self._target = revision
        self._aim = aimed_at(self._aim, revision.hash, going_back=self.going_back, person=person)

    def _look(self) -> None:
        ground, target = self._ground, self._target.hash
        carried = Carried(self._router.weights[0], self._router.weight_of(target))
        seen = Seen(ground.clock.now, ground.journal.t_s, ground.region, self.controller.status, carried)
        self._aim, row = settled(self._aim, seen)
        if row is not None:
            ground.journal.add(row)
        for listener in self.on_change:
            listener()
