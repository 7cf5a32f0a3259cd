"""The Rollout controller: observes, asks the pure rules for one step, applies it, and looks again until nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from sim.decide import bluegreen, canary, operations
from sim.decide.arguments import RunContext
from sim.decide.pauses import needs_person
from sim.decide.steps import steps_of
from sim.decide.templates import TemplateError
from sim.engine.analyst import Analyst, Order
from sim.engine.experiments import Cause, Experiments, Surroundings
from sim.engine.ground import Ground
from sim.engine.loop import Loop
from sim.engine.replicasets import Identity, ReplicaSet
from sim.engine.revision import Avoidance, Revision
from sim.engine.routers import RouterWriter
from sim.engine.routing import Router
from sim.engine.site import PodSite
from sim.engine.steps import StepLog
from sim.metrics.providers import Sources
from sim.model.actions import (
    Action,
    CreateReplicaSet,
    PointService,
    RemoveManagedRoutes,
    Scale,
    SetHeaderRoute,
    SetMirrorRoute,
    SetScaleDownDeadline,
    SetWeight,
    StartAnalysis,
    StartExperiment,
    TerminateAnalysis,
    TerminateExperiment,
)
from sim.model.analysis import AnalysisRef
from sim.model.pods import AntiAffinity
from sim.model.rollout import (
    EphemeralMetadata,
    Observed,
    PauseCondition,
    ReplicaSetView,
    RolloutSpec,
    RolloutStatus,
    RunRole,
)

CREATE_RETRY_S = 10.0
"""Cap of the work queue's error back-off: how often a run that cannot be created is tried again."""


@dataclass(slots=True)
class _Memory:
    """What the controller's objects hold besides the status."""

    revisions: dict[str, Revision] = field(default_factory=dict)
    sets: dict[str, ReplicaSet] = field(default_factory=dict)


class RolloutController:
    """Drives one Rollout. ``on_status`` listeners hear of every stored status."""

    def __init__(self, site: PodSite, spec: RolloutSpec, sources: Callable[[], Sources], router: Router) -> None:
        self._site = site
        self._ground: Ground = site.ground
        self.spec = spec
        self.status = RolloutStatus()
        self.template_hash = ""
        self._analyst = Analyst(self._ground, sources, self.notify)
        self._writer = RouterWriter(spec, router)
        self._experiments = Experiments(Surroundings(site, router, sources, self.notify))
        self._memory = _Memory()
        self._steps = StepLog(self._ground.journal, spec)
        self.on_status: list[Callable[[], None]] = []
        self._loop = Loop(
            self._ground.clock,
            self._ground.scenario.cluster.controller_latency_s,
            self._reconcile,
            spec.name,
            len(steps_of(spec)),
        )
        self._ground.on_pods.append(self.notify)

    @property
    def replica_sets(self) -> Sequence[ReplicaSet]:
        """Every ReplicaSet, oldest first, those of experiments last."""
        return (*self._memory.sets.values(), *self._experiments.replica_sets)

    def notify(self) -> None:
        """Something the controller watches changed."""
        self._loop.notify()

    def stand(self, revision: Revision, status: RolloutStatus) -> None:
        """Starts the run fully promoted on this revision."""
        self._writer.adopt(revision.hash)
        self._memory.revisions[revision.hash] = revision
        self.template_hash, self.status = revision.hash, status
        rs = self._create(revision.hash, 1)
        rs.stand(self.spec.desired)
        self._relabel()

    def apply(self, revision: Revision) -> None:
        """The Rollout's template becomes this revision's (a release, or an undo)."""
        self._memory.revisions[revision.hash] = revision
        self.template_hash = revision.hash
        self.spec = replace(self.spec, template=revision.template)
        self.notify()

    def operate(self, operation: Callable[[RolloutStatus], RolloutStatus]) -> None:
        """A person changes the status (abort, promote, retry)."""
        self._store(operation(self.status))
        self.notify()

    def promote(self) -> None:
        """``kubectl argo rollouts promote``."""
        self.operate(lambda status: operations.promote(self.spec, status))

    def abort(self) -> None:
        """``kubectl argo rollouts abort``."""
        self.operate(operations.abort)

    def halt(self) -> None:
        """Stops reconciling for good, as for an invalid spec."""
        self._loop.halted = True

    def _reconcile(self) -> tuple[bool, float | None]:
        observed = self._observe()
        rules = bluegreen if self.spec.blue_green is not None else canary
        decision = rules.next_actions(self.spec, observed)
        try:
            for action in decision.actions:
                self._apply(action)
        except TemplateError as error:
            # The controller fails here on every try: nothing of this reconcile is stored.
            self._ground.journal.phase(self.status.phase.value, str(error))
            return False, self._ground.clock.now + CREATE_RETRY_S
        changed = bool(decision.actions) or decision.status != self.status
        self._store(decision.status)
        return changed, decision.wake_s

    def _store(self, status: RolloutStatus) -> None:
        before, self.status = self.status, status
        if status == before:
            return
        if (status.phase, status.message) != (before.phase, before.message):
            self._ground.journal.phase(status.phase.value, status.message)
        self._steps.changed(before, status)
        if status.stable_rs != before.stable_rs or status.current_pod_hash != before.current_pod_hash:
            self._relabel()
        for listener in self.on_status:
            listener()

    def _observe(self) -> Observed:
        views = {rs.revision.hash: rs.view() for rs in self._memory.sets.values()}
        new, stable = views.get(self.template_hash), views.get(self.status.stable_rs)
        others = [view for key, view in views.items() if key not in {self.template_hash, self.status.stable_rs}]
        return Observed(
            now_s=self._ground.clock.now,
            status=self.status,
            template_hash=self.template_hash,
            new_rs=new,
            stable_rs=stable,
            other_rss=tuple(sorted(others, key=_by_creation)),
            runs=self._analyst.views(),
            experiment=self._experiments.view(),
            experiment_templates=self._experiments.template_views(),
            services=self._writer.services(),
            managed_routes=self._writer.managed_routes,
            controller=self._ground.scenario.controller,
        )

    def _apply(self, action: Action) -> None:
        match action:
            case CreateReplicaSet() | Scale() | SetScaleDownDeadline():
                self._resize(action)
            case SetWeight() | SetHeaderRoute() | SetMirrorRoute() | RemoveManagedRoutes() | PointService():
                self._route(action)
            case StartAnalysis() | TerminateAnalysis() | StartExperiment() | TerminateExperiment():
                self._judge(action)
            case _ as never:
                assert_never(never)

    def _resize(self, action: CreateReplicaSet | Scale | SetScaleDownDeadline) -> None:
        match action:
            case CreateReplicaSet():
                self._create(action.hash, action.revision)
            case Scale():
                self._scale(action)
            case SetScaleDownDeadline():
                self._memory.sets[action.hash].deadline_s = action.deadline_s

    def _route(self, action: SetWeight | SetHeaderRoute | SetMirrorRoute | RemoveManagedRoutes | PointService) -> None:
        match action:
            case SetWeight():
                self._writer.set_weights(action.weights, self.template_hash, self.status.stable_rs)
            case SetHeaderRoute() | SetMirrorRoute():
                self._writer.add_route(action.route)
            case RemoveManagedRoutes():
                self._writer.remove_routes()
            case PointService():
                self._writer.point(action.service, action.hash)

    def _judge(self, action: StartAnalysis | TerminateAnalysis | StartExperiment | TerminateExperiment) -> None:
        match action:
            case StartAnalysis():
                self._start_analysis(action)
            case TerminateAnalysis():
                self._analyst.terminate(action.run)
            case StartExperiment():
                self._start_experiment(action.step_index)
            case TerminateExperiment():
                self._experiments.end()

    def _create(self, pod_hash: str, number: int) -> ReplicaSet:
        known = self._memory.sets.get(pod_hash)
        if known is not None:
            known.number = number
            return known
        identity = Identity(
            f"{self.spec.name}-{pod_hash}", number, float(self.spec.min_ready_s), self._avoidance(pod_hash)
        )
        made = self._memory.sets[pod_hash] = ReplicaSet(self._site, identity, self._memory.revisions[pod_hash])
        return made

    def _avoidance(self, pod_hash: str) -> Avoidance:
        strategy = self.spec.canary or self.spec.blue_green
        rule = strategy.anti_affinity[0] if strategy is not None and strategy.anti_affinity else AntiAffinity.NONE
        other = self.status.stable_rs
        return Avoidance(rule, other) if other and other != pod_hash else Avoidance()

    def _scale(self, action: Scale) -> None:
        rs = self._memory.sets[action.hash]
        rs.desired_annotation = self.spec.desired
        rs.scale(action.replicas)

    def _relabel(self) -> None:
        """Puts the metadata of its role on each revision's pods; a revision without a role loses it."""
        stable, new = _role_metadata(self.spec)
        for pod_hash, rs in self._memory.sets.items():
            role = stable if pod_hash == self.status.stable_rs else new if pod_hash == self.template_hash else None
            rs.put_role(role.labels if role else (), role.annotations if role else ())

    def _start_analysis(self, action: StartAnalysis) -> None:
        ref = self._reference(action)
        name = action.name or f"{self.spec.name}-{self.template_hash}-{action.role.value}"
        context = RunContext(
            self.template_hash,
            self.status.stable_rs,
            self.spec.namespace,
            controller=self._ground.scenario.controller,
        )
        self._analyst.start(Order(name, action.role, ref, action.step_index), self.spec, context)

    def _reference(self, action: StartAnalysis) -> AnalysisRef:
        canary_spec, blue_green = self.spec.canary, self.spec.blue_green
        found: AnalysisRef | None = None
        match action.role:
            case RunRole.STEP:
                found = canary_spec.steps[action.step_index or 0].analysis if canary_spec else None
            case RunRole.BACKGROUND:
                found = canary_spec.analysis if canary_spec else None
            case RunRole.PRE_PROMOTION:
                found = blue_green.pre_promotion if blue_green else None
            case RunRole.POST_PROMOTION:
                found = blue_green.post_promotion if blue_green else None
        return found or AnalysisRef()

    def _start_experiment(self, index: int) -> None:
        revisions = self._memory.revisions
        cause = Cause(self.spec, revisions[self.template_hash], revisions[self.status.stable_rs], index)
        self._experiments.start(cause, self._memory.sets[self.template_hash].number)


def _by_creation(view: ReplicaSetView) -> tuple[float, str]:
    return view.created_s, view.name


def _role_metadata(spec: RolloutSpec) -> tuple[EphemeralMetadata | None, EphemeralMetadata | None]:
    """Metadata of (stable or active, canary or preview) pods."""
    if spec.blue_green is not None:
        return spec.blue_green.active_metadata, spec.blue_green.preview_metadata
    return (spec.canary.stable_metadata, spec.canary.canary_metadata) if spec.canary else (None, None)


def waits_for_person(spec: RolloutSpec, status: RolloutStatus) -> PauseCondition | None:
    """The pause that only a person ends, if the rollout is in one."""
    return next((c for c in status.pause_conditions if needs_person(spec, status, c.reason)), None)
