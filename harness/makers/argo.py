"""``--controller argo``: the real Argo Rollouts controller decides; here its objects are applied, patched and read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from harness.cluster.objects import Object
from harness.deploy.plan import Plan
from harness.makers import argo_commands
from harness.makers.aiming import Aiming
from harness.makers.argo_rows import goes_on, role_of, run_rows
from harness.makers.argo_status import status_of
from harness.makers.observe import hash_of, replica_set
from harness.makers.templates import spec_of
from harness.site import Site
from harness.waiting import wait_until
from sim.decide import operations
from sim.decide.commands import Change, Standing
from sim.decide.pauses import waits_for_person
from sim.decide.progress import StatusRows
from sim.decide.settling import Aim, aimed_at
from sim.model.records import DecisionRecord
from sim.model.rollout import RolloutPhase, RolloutSpec, RolloutStatus, RunRole

STAND_S: Final = 300.0
"""Time for the stable version to come up: scheduling and starts on a busy machine, not what is measured."""
ROLLOUT: Final = "argoproj.io/v1alpha1/Rollout"
RUN: Final = "argoproj.io/v1alpha1/AnalysisRun"


class ArgoMaker(Aiming):
    """A Rollout under Argo Rollouts, which has to run already (``harness.controllers``)."""

    def __init__(self, site: Site, plan: Plan) -> None:
        super().__init__(site, Aim(""))
        self._plan = plan
        self._spec = spec_of(plan, site.loaded)
        self._name: str = plan.workload["metadata"]["name"]
        self._rollout: Object = {}
        self._status = RolloutStatus()
        self._runs: dict[str, Object] = {}
        self._told = StatusRows(self._spec)
        self._heard: deque[tuple[Callable[[Object, float], None], Object, float]] = deque()
        self._stable = ""
        self._awaited: int | None = None
        """Generation of the template applied last, while the controller has not given it a hash."""
        self._released_s: float | None = None

    @property
    def status(self) -> RolloutStatus:
        """See ``Aiming.status``."""
        return self._status

    def stand(self) -> None:
        """See ``Maker.stand``."""
        objects = self._site.objects
        for obj in self._plan.others:
            objects.apply(obj)
        self._listen(ROLLOUT, self._look)
        self._listen(RUN, self._note)
        if self._site.loaded.scenario.first_deploy:
            return
        applied = objects.apply(self._plan.workload)

        def serves() -> bool:
            self._drain()
            status, generation = self._status, applied["metadata"].get("generation", 0)
            is_done = status.phase is RolloutPhase.HEALTHY and status.stable_rs == status.current_pod_hash
            return is_done and bool(status.stable_rs) and status.observed_generation >= generation

        wait_until(serves, "the stable version serves", STAND_S, self._dump)
        self._stable = self._status.stable_rs

    def release(self) -> None:
        """The Rollout is given the candidate's template."""
        self._released_s = self._site.recorder.t_s
        self._put(self._plan.release_template)

    def poll(self) -> None:
        """Turns what the watches heard into rows, and looks for the end."""
        self._drain()
        self._settle(self._site.recorder.t_s)

    def waits_for_person(self) -> object | None:
        """The pause condition that only a person ends."""
        return waits_for_person(self._spec, self._status)

    def approve(self) -> None:
        """``kubectl argo rollouts promote``."""
        spec, status = self.standing.spec, self._status
        self._edit(operations.resume(spec), operations.promote(spec, status))

    def abort(self, reason: str) -> None:
        """``kubectl argo rollouts abort``."""
        self._aim = replace(self._aim, person=reason)
        self._site.objects.patch(ROLLOUT, self._name, argo_commands.ABORT, subresource="status")

    def undo(self, reason: str) -> None:
        """``kubectl argo rollouts undo``: the old template is put back; that is a new update through the same strategy."""
        self.return_to(self._stable, reason)

    def return_to(self, pod_hash: str, reason: str) -> None:
        """A person puts the template of a revision back."""
        self._site.recorder.decision("person", "undo", reason)
        self._aim = aimed_at(self._aim, pod_hash, going_back=pod_hash == self._stable, person=reason)
        found = next(one for one in self._replica_sets() if hash_of(one) == pod_hash)
        self._put(argo_commands.template_of(found))

    def change(self, change: Change) -> None:
        """A person changes spec and status."""
        if change.reopens:
            self._aim = aimed_at(self._aim, self._aim.hash, going_back=self.going_back)
        self._edit(change.spec, change.status)

    def terminate(self, role: RunRole | None) -> tuple[str, ...]:
        """A person asks the runs of a role (None: all) to end; the names of those that were going on."""
        going_on = [name for name, run in self._runs.items() if role in {None, role_of(run)} and goes_on(run)]
        for name in going_on:
            self._site.objects.patch(RUN, name, argo_commands.TERMINATE)
        return tuple(going_on)

    @property
    def standing(self) -> Standing:
        """The Rollout as a person finds it now."""
        written = self._rollout["spec"]
        spec = replace(self._spec, paused=written.get("paused", False), replicas=written.get("replicas"))
        applied_at = self._site.recorder.applied_at
        views = [replica_set(one, applied_at) for one in self._replica_sets()]
        revisions = tuple((view.revision, view.hash) for view in views)
        return Standing(self._site.recorder.t_s, spec, self._status, self._status.current_pod_hash, revisions)

    def close(self) -> None:
        """Nothing was started outside of the namespace."""

    def _listen(self, kind: str, hear: Callable[[Object, float], None]) -> None:
        def keep(_name: str, obj: Object | None, heard_unix_s: float) -> None:
            if obj is not None:
                self._heard.append((hear, obj, heard_unix_s))

        self._site.objects.watch(kind).on_change(keep)

    def _drain(self) -> None:
        """On the run's thread; the watches' threads only append."""
        while self._heard:
            hear, obj, heard_unix_s = self._heard.popleft()
            hear(obj, self._site.recorder.at(heard_unix_s))

    def _look(self, rollout: Object, t_s: float) -> None:
        """A Rollout as it was at a time."""
        if rollout["metadata"]["name"] != self._name:
            return
        recorder = self._site.recorder
        before, self._rollout = self._status, rollout
        self._status = after = status_of(rollout, recorder.applied_at)
        if self._released_s is None:
            return
        self._learn(t_s)
        for row in self._told.rows(before, after, t_s, recorder.region):
            recorder.add(row)
        self._settle(t_s)

    def _learn(self, t_s: float) -> None:
        """The hash that the controller gave to the template applied last."""
        if self._awaited is None or self._status.observed_generation < self._awaited:
            return
        self._awaited = None
        if not self._aim.going_back:
            region, applied_s = self._site.recorder.region, self._released_s if self._released_s is not None else t_s
            self._aim = aimed_at(self._aim, self._status.current_pod_hash, going_back=False, person=self._aim.person)
            reason = f"revision {self._aim.hash} applied"
            self._site.recorder.add(DecisionRecord(applied_s, region, "argo-cd", "start", reason))

    def _replica_sets(self) -> list[Object]:
        return [one for one in self._site.objects.list("ReplicaSet") if hash_of(one)]

    def _edit(self, spec: RolloutSpec, status: RolloutStatus) -> None:
        """The status first, as the plugin does it: a Rollout whose pause is over must not find its step still there."""
        objects, standing = self._site.objects, self.standing
        if patch := argo_commands.status_patch(self._status, status):
            objects.patch(ROLLOUT, self._name, patch, subresource="status")
        if patch := argo_commands.spec_patch(standing.spec, spec, self._site.recorder.applied_at):
            objects.patch(ROLLOUT, self._name, patch)

    def _note(self, run: Object, t_s: float) -> None:
        """An analysis run as it was at a time."""
        name = run["metadata"]["name"]
        for row in run_rows(self._runs.get(name), run, t_s, self._site.recorder.region):
            self._site.recorder.add(row)
        self._runs[name] = run

    def _put(self, template: Object) -> None:
        """Patches the template; a Rollout that is not there yet is applied whole."""
        objects = self._site.objects
        there = objects.get(ROLLOUT, self._name)
        if there is None:
            spec = {**self._plan.workload["spec"], "template": template}
            written = objects.apply({**self._plan.workload, "spec": spec})
        else:
            changed = argo_commands.difference(there["spec"]["template"], template)
            written = objects.patch(ROLLOUT, self._name, {"spec": {"template": changed}})
        self._awaited = int(written["metadata"].get("generation", 0))

    def _dump(self) -> str:
        pods = (f"{one['metadata']['name']}: {one.get('status')}" for one in self._site.objects.list("Pod"))
        return "\n".join([f"{self._name}: {self._rollout.get('status')}", *pods])
