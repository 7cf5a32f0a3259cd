"""A Deployment as a strategy: the cluster's Deployment controller does the rest."""

from __future__ import annotations

from harness.cluster.objects import Object
from harness.deploy.plan import Plan
from harness.makers import deployments
from harness.site import Site
from sim.model.outcome import Outcome
from sim.model.records import Verdict
from sim.model.rollout import RolloutPhase


class RollingMaker:
    """Rolling update or ``kubectl set image``. Going back, before or after the end, is another update.

    ``actor`` applies the release: ``argo-cd``, or for ``set image`` a ``person``. The image stays the same in either case,
    because a version's behaviour is in the pod's environment.
    """

    def __init__(self, site: Site, plan: Plan, actor: str) -> None:
        self._site = site
        self._plan = plan
        self._actor = actor
        self._name: str = plan.workload["metadata"]["name"]
        self._version = site.loaded.scenario.release.behaviour.name
        self._generation = 0
        """Of the template last applied."""
        self._stale = ""
        """When a deadline was exceeded that belongs to an earlier template: the controller keeps saying so for a while."""
        self._phase, self._message = RolloutPhase.HEALTHY, ""
        self._returning: tuple[Verdict, str] | None = None
        self._released = self._served_all = False
        self.outcome: Outcome | None = None

    def stand(self) -> None:
        """See ``Maker.stand``."""
        deployments.stand(self._site.objects, self._plan)

    def release(self) -> None:
        """The Deployment is given the candidate's template."""
        self._released = True
        self._site.recorder.decision(self._actor, "start", f"revision {self._version} applied")
        self._apply(self._plan.release_template)

    def poll(self) -> None:
        """Reads the Deployment's status."""
        deployment = self._site.objects.watch(deployments.KIND).current().get(self._name)
        if not self._released or deployment is None:
            return
        if deployments.is_complete(deployment, self._generation):
            self._show(RolloutPhase.HEALTHY, "")
            if self.outcome is None:
                self._settle()
            return
        message, when = deployments.deadline(deployment, self._generation)
        if message and when != self._stale and self._phase is RolloutPhase.PROGRESSING:
            # Once exceeded it is only reported, the controller goes on.
            self._show(RolloutPhase.DEGRADED, message)

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

    def arrive_late(self, reason: str) -> None:
        """Nothing is left to do: the stable version serves."""

    @property
    def going_back(self) -> bool:
        """Whether the old template has been put back."""
        return self._returning is not None

    @property
    def trouble(self) -> str:
        """What ``kubectl rollout status`` fails with past the progress deadline."""
        degraded = self._phase is RolloutPhase.DEGRADED and self.outcome is None
        return f"{self._phase.value}: {self._message}" if degraded else ""

    def stuck(self) -> Outcome:
        """Degraded past the progress deadline, else stuck."""
        reason = self._message or f"{self._phase.value} at the horizon"
        verdict = Verdict.DEGRADED if self._phase is RolloutPhase.DEGRADED else Verdict.STUCK
        return Outcome(verdict, reason, self._site.recorder.t_s, self._served_all)

    def close(self) -> None:
        """Nothing was started outside of the namespace."""

    def _go_back(self, decision: str, verdict: Verdict, reason: str) -> None:
        self._site.recorder.decision("person", decision, reason)
        self._returning, self.outcome = (verdict, reason), None
        self._apply(self._plan.workload["spec"]["template"])

    def _apply(self, template: Object) -> None:
        before = self._site.objects.get(deployments.KIND, self._name)
        self._stale = deployments.deadline(before)[1] if before is not None else ""
        applied = self._site.objects.apply(deployments.with_template(self._plan.workload, template))
        self._generation = applied["metadata"].get("generation", 0)
        self._show(RolloutPhase.PROGRESSING, "")

    def _settle(self) -> None:
        now = self._site.recorder.t_s
        if self._returning is not None:
            verdict, reason = self._returning
            self.outcome = Outcome(verdict, f"taken back by a person: {reason}", now, self._served_all)
        else:
            self._served_all = True
            self._site.recorder.decision("controller", "promote", f"revision {self._version} is fully available")
            self.outcome = Outcome(Verdict.PROMOTED, "every pod runs the release", now, served_all=True)

    def _show(self, phase: RolloutPhase, message: str) -> None:
        if (phase, message) != (self._phase, self._message):
            self._phase, self._message = phase, message
            self._site.recorder.phase(phase.value, message)
