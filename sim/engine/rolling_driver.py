"""A Deployment as a strategy: a rolling update, or the playbook's ``kubectl set image`` hotfix."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sim.engine.deployment import DeploymentController
from sim.engine.ground import Ground
from sim.engine.replicasets import ReplicaSet
from sim.engine.revision import candidate_revision, stable_revision
from sim.engine.site import PodSite
from sim.model.outcome import Outcome
from sim.model.pods import DeploymentSpec
from sim.model.records import Verdict
from sim.model.rollout import RolloutPhase


class DeploymentDriver:
    """Watches the Deployment until it is complete. Going back, before or after that, is another update."""

    def __init__(self, site: PodSite, spec: DeploymentSpec, actor: str) -> None:
        self._ground: Ground = site.ground
        self._actor = actor
        scenario = self._ground.scenario
        self._old = stable_revision(spec.template, scenario.stable)
        self._new = candidate_revision(spec.template, scenario.release.behaviour)
        self._controller = DeploymentController(site, spec)
        self._controller.on_change.append(self._look)
        self.outcome: Outcome | None = None
        self.on_change: list[Callable[[], None]] = []
        self._returning: tuple[Verdict, str] | None = None
        self._released = False
        self._served_all = False

    @property
    def replica_sets(self) -> Sequence[ReplicaSet]:
        """The Deployment's ReplicaSets."""
        return self._controller.replica_sets

    def stand(self) -> None:
        """The stable template, fully deployed."""
        self._controller.stand(self._old)

    def release(self) -> None:
        """The Deployment is given the candidate's template."""
        self._released = True
        self._ground.journal.decision(self._actor, "start", f"revision {self._new.hash} applied")
        self._controller.apply(self._new)

    def refuse(self, message: str) -> None:
        """Deployments are refused by the API server only."""

    def waits_for_person(self) -> object | None:
        """Never."""
        return None

    def approve(self) -> None:
        """Nothing waits."""

    def abort(self, reason: str) -> None:
        """``kubectl rollout undo`` while the update is under way."""
        self._go_back("abort", Verdict.ABORTED, reason)

    def undo(self, reason: str) -> None:
        """``kubectl rollout undo`` after it."""
        self._go_back("undo", Verdict.UNDONE, reason)

    @property
    def desired_pods(self) -> int:
        """Pods wanted outside of releases."""
        return self._controller.spec.replicas

    @property
    def good(self) -> bool:
        """Whether the release is a good one."""
        return self._ground.scenario.release.good

    @property
    def going_back(self) -> bool:
        """Whether the old template has been put back."""
        return self._returning is not None

    @property
    def trouble(self) -> str:
        """What ``kubectl rollout status`` fails with past the progress deadline."""
        degraded = self._controller.phase is RolloutPhase.DEGRADED and self.outcome is None
        return f"{self._controller.phase.value}: {self._controller.message}" if degraded else ""

    def arrive_late(self, reason: str) -> None:
        """Nothing is left to do: the stable version serves."""

    def stuck(self) -> Outcome:
        """Degraded past the progress deadline, else stuck."""
        degraded = self._controller.phase is RolloutPhase.DEGRADED
        reason = self._controller.message or f"{self._controller.phase.value} at the horizon"
        verdict = Verdict.DEGRADED if degraded else Verdict.STUCK
        return Outcome(verdict, reason, self._ground.clock.now, self._served_all)

    def _go_back(self, decision: str, verdict: Verdict, reason: str) -> None:
        self._ground.journal.decision("person", decision, reason)
        self._returning, self.outcome = (verdict, reason), None
        self._controller.apply(self._old)

    def _look(self) -> None:
        if self._released and self.outcome is None and self._controller.is_complete:
            self._settle()
        for listener in self.on_change:
            listener()

    def _settle(self) -> None:
        now = self._ground.clock.now
        if self._returning is not None:
            verdict, reason = self._returning
            self.outcome = Outcome(verdict, f"taken back by a person: {reason}", now, self._served_all)
        else:
            self._served_all = True
            self._ground.journal.decision("controller", "promote", f"revision {self._new.hash} is fully available")
            self.outcome = Outcome(Verdict.PROMOTED, "every pod runs the release", now, served_all=True)
