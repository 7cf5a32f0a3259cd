"""``--controller twin``: the twin's own rules decide about a Rollout on a real cluster."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace

from harness.cluster.objects import Object
from harness.deploy.plan import Plan
from harness.makers import support
from harness.makers.aiming import Aiming
from harness.makers.analyst import Analyst
from harness.makers.asking import Asking
from harness.makers.hands import ClusterHands
from harness.makers.reconciling import Reconciling
from harness.makers.templates import spec_of
from harness.monitoring.prometheus import Prometheus
from harness.site import Site
from harness.waiting import wait_until
from sim.decide import operations
from sim.decide.commands import Change, Standing
from sim.decide.pauses import waits_for_person
from sim.decide.settling import Aim, aimed_at
from sim.model.hashing import digest
from sim.model.rollout import RolloutStatus, RunRole
from sim.model.strategy import ArgoRollout

STAND_S = 300.0
"""Time for the stable version to come up: scheduling and starts on a busy machine, not what is measured."""
_QUESTIONS = 8
"""Queries under way at once; a pass asks all of its metrics together."""


class TwinMaker(Aiming):
    """An Argo Rollout without Argo: ReplicaSets, Services and routes are real, the decisions are the twin's."""

    def __init__(self, site: Site, plan: Plan, prometheus: Prometheus, executor: Executor | None = None) -> None:
        self._plan = plan
        scenario = site.loaded.scenario
        spec = spec_of(plan, site.loaded)
        support.check(scenario, ArgoRollout(spec.name), twin=True)
        self._executor = executor or ThreadPoolExecutor(_QUESTIONS, thread_name_prefix="analysis")
        asking = Asking(scenario, site.recorder, prometheus)
        analyst = Analyst(site.loaded, site.recorder, asking, self._executor, self._notify)
        self._hands = ClusterHands(site.objects, site.recorder, spec, analyst)
        self._stable, self._candidate = (
            self._known(one) for one in (plan.workload["spec"]["template"], plan.release_template)
        )
        self.rollout = Reconciling(site.recorder, spec, self._hands, scenario.controller)
        super().__init__(site, Aim(self._candidate))

    @property
    def status(self) -> RolloutStatus:
        """See ``Aiming.status``."""
        return self.rollout.status

    def stand(self) -> None:
        """See ``Maker.stand``."""
        objects = self._site.objects
        for obj in self._plan.others:
            if not obj["apiVersion"].startswith("argoproj.io/"):
                objects.apply(obj)
        if self._site.loaded.scenario.first_deploy:
            return
        self.rollout.stand(self._stable)
        wanted = self.rollout.spec.desired

        def serves() -> bool:
            view = self._hands.replica_sets().get(self._stable)
            return view is not None and view.available == wanted

        wait_until(serves, "the stable version serves", STAND_S, self._dump)

    def release(self) -> None:
        """The Rollout is given the candidate's template."""
        self._site.recorder.decision("argo-cd", "start", f"revision {self._candidate} applied")
        self.rollout.apply(self._candidate)

    def poll(self) -> None:
        """See ``Maker.poll``."""
        self._hands.analyst.poll()
        self.rollout.poll()
        self._settle(self._site.recorder.t_s)

    def waits_for_person(self) -> object | None:
        """The pause condition that only a person ends."""
        return waits_for_person(self.rollout.spec, self.rollout.status)

    def approve(self) -> None:
        """A person promotes the paused rollout."""
        self.rollout.operate(lambda status: operations.promote(self.rollout.spec, status))

    def abort(self, reason: str) -> None:
        """A person aborts the update."""
        self._aim = replace(self._aim, person=reason)
        self.rollout.operate(operations.abort)

    def undo(self, reason: str) -> None:
        """A person puts the old template back; that is a new update through the same strategy."""
        self.return_to(self._stable, reason)

    def return_to(self, pod_hash: str, reason: str) -> None:
        """A person puts the template of a revision back."""
        self._site.recorder.decision("person", "undo", reason)
        self._aim = aimed_at(self._aim, pod_hash, going_back=pod_hash == self._stable, person=reason)
        self.rollout.apply(pod_hash)

    def change(self, change: Change) -> None:
        """A person changes spec and status."""
        if change.reopens:
            self._aim = aimed_at(self._aim, self._aim.hash, going_back=self.going_back)
        self.rollout.edit(change.spec)
        self.rollout.operate(lambda _: change.status)

    def terminate(self, role: RunRole | None) -> tuple[str, ...]:
        """A person asks the runs of a role (None: all) to end; the names of those that were going on."""
        views = self._hands.analyst.views()
        names = tuple(run.name for run in views if role in {None, run.role} and not run.phase.is_completed)
        for name in names:
            self._hands.analyst.terminate(name)
        return names

    @property
    def standing(self) -> Standing:
        """The Rollout as a person finds it now."""
        rollout = self.rollout
        revisions = tuple((view.revision, view.hash) for view in self._hands.replica_sets().values())
        return Standing(self._site.recorder.t_s, rollout.spec, rollout.status, rollout.template_hash, revisions)

    def close(self) -> None:
        """Lets go of the queries under way."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _notify(self) -> None:
        self.rollout.notify()

    def _known(self, template: Object) -> str:
        """The hash of a pod template, which the hands can make pods of from now on."""
        pod_hash = digest(template)[:10]
        self._hands.templates[pod_hash] = template
        return pod_hash

    def _dump(self) -> str:
        views = "\n".join(map(str, self._hands.replica_sets().values()))
        pods = (f"{one['metadata']['name']}: {one.get('status')}" for one in self._site.objects.list("Pod"))
        return "\n".join([views, *pods])
