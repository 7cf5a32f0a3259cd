"""The Experiment controller: ReplicaSets, Services and analyses of a canary's experiment steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from sim.decide import experiment_run
from sim.decide.arguments import RunContext, TemplateError, replace_tags, values_for_run
from sim.decide.defaults import progress_deadline_s
from sim.decide.orders import Order
from sim.decide.templates import templates_of
from sim.engine.analyst import Analyst
from sim.engine.destinations import Network
from sim.engine.loop import Loop
from sim.engine.replicasets import Identity, ReplicaSet
from sim.engine.revision import Revision
from sim.engine.routing import Router
from sim.engine.site import PodSite
from sim.metrics.providers import Sources
from sim.model.analysis import AnalysisPhase, Argument
from sim.model.experiment import (
    CreateService,
    CreateTemplate,
    DeleteService,
    EndRun,
    ExperimentAction,
    ExperimentSeen,
    ExperimentSpec,
    ExperimentStatus,
    ScaleTemplate,
    StampTemplate,
    StartRun,
    TemplateView,
)
from sim.model.hashing import digest
from sim.model.pods import Labels
from sim.model.rollout import (
    ExperimentAnalysis,
    ExperimentTemplate,
    ExperimentTemplateView,
    RolloutSpec,
    RunRole,
    RunView,
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What experiments of one rollout share."""

    site: PodSite
    router: Router
    sources: Callable[[], Sources]
    changed: Callable[[], None]
    """Called when an experiment's status changed."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The rollout as it was when it began the experiment."""

    rollout: RolloutSpec
    canary: Revision
    stable: Revision
    step_index: int


class Experiments:
    """Every experiment of one rollout, oldest first; the last is the current one."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._all: list[ExperimentController] = []

    @property
    def replica_sets(self) -> Sequence[ReplicaSet]:
        """Their ReplicaSets, oldest first."""
        return [rs for one in self._all for rs in one.replica_sets]

    def view(self) -> RunView | None:
        """The current experiment as the rollout controller sees it."""
        return self._all[-1].view() if self._all else None

    def template_views(self) -> tuple[ExperimentTemplateView, ...]:
        """Where the current experiment's templates are served."""
        return self._all[-1].template_views() if self._all else ()

    def names(self) -> tuple[str, ...]:
        """Names of all of them, oldest first."""
        return tuple(one.spec.name for one in self._all)

    def start(self, cause: Cause, name: str) -> None:
        """Creates the experiment of a step."""
        experiment = cause.rollout.canary.steps[cause.step_index].experiment if cause.rollout.canary else None
        if experiment is None:
            return
        spec = ExperimentSpec(name, experiment, progress_deadline_s(cause.rollout))
        self._all.append(ExperimentController(self._surroundings, spec, cause))

    def runs(self) -> tuple[RunView, ...]:
        """The analyses of every experiment."""
        return tuple(run for one in self._all for run in one.runs())

    def terminate_run(self, name: str) -> None:
        """Asks one of those analyses to end."""
        for one in self._all:
            one.terminate_run(name)

    def end(self) -> None:
        """Asks every experiment that still runs to end."""
        for one in self._all:
            one.terminate()


class ExperimentController:
    """Drives one Experiment until its pods are gone."""

    def __init__(self, surroundings: Surroundings, spec: ExperimentSpec, cause: Cause) -> None:
        self._surroundings, self._cause = surroundings, cause
        self._ground = surroundings.site.ground
        self.spec = spec
        self.status = ExperimentStatus()
        self._sets: dict[str, ReplicaSet] = {}
        self._services: dict[str, str] = {}
        latency_s = self._ground.scenario.cluster.controller_latency_s
        self._loop = Loop(self._ground.clock, latency_s, self._reconcile, spec.name)
        self._analyst = Analyst(self._ground, surroundings.sources, self._loop.notify)
        self._missing = tuple(self._missing_templates())
        self._ground.on_pods.append(self._loop.notify)
        self._loop.notify()

    @property
    def replica_sets(self) -> Sequence[ReplicaSet]:
        """One for each template."""
        return tuple(self._sets.values())

    def view(self) -> RunView:
        """The experiment as the rollout controller sees it."""
        phase = self.status.phase or AnalysisPhase.PENDING
        return RunView(
            self.spec.name,
            RunRole.EXPERIMENT,
            phase,
            self.status.message,
            self._cause.step_index,
            terminating=self.spec.terminate,
        )

    def template_views(self) -> tuple[ExperimentTemplateView, ...]:
        """Where each template is served."""
        return tuple(ExperimentTemplateView(one.name, one.service, one.hash) for one in self.status.templates)

    def runs(self) -> tuple[RunView, ...]:
        """Its analyses."""
        return self._analyst.views()

    def terminate_run(self, name: str) -> None:
        """Asks one analysis to end; a name that is none of its own changes nothing."""
        self._analyst.terminate(name)

    def terminate(self) -> None:
        """Asks the experiment to end."""
        if not self.spec.terminate and not self.status.is_completed:
            self.spec = replace(self.spec, terminate=True)
            self._loop.notify()

    def _reconcile(self) -> tuple[bool, float | None]:
        decision = experiment_run.reconcile(self.spec, self.status, self._seen())
        before, self.status = self.status, decision.status
        for action in decision.actions:
            self._apply(action)
        changed = bool(decision.actions) or self.status != before
        if not changed and self.status.is_completed and all(rs.is_empty for rs in self._sets.values()):
            self._retire()
        if self.status != before:
            if (self.status.phase, self.status.message) != (before.phase, before.message):
                self._note()
            self._surroundings.changed()
        return changed, decision.wake_s

    def _retire(self) -> None:
        """Nothing is left to be done: no pod of it will ever change again."""
        self._loop.halted = True
        self._ground.on_pods.remove(self._loop.notify)
        for rs in self._sets.values():
            rs.retire()
        self._sets.clear()

    def _seen(self) -> ExperimentSeen:
        views = tuple(TemplateView(name, rs.view(), self._services.get(name, "")) for name, rs in self._sets.items())
        names = {one.run: one.name for one in self.status.runs if one.run}
        runs = tuple((names[run.name], run.phase, run.message) for run in self._analyst.views() if run.name in names)
        return ExperimentSeen(self._ground.clock.now, views, runs, self._missing)

    def _apply(self, action: ExperimentAction) -> None:
        match action:
            case CreateTemplate():
                self._sets[action.name] = self._made(self._template(action.name))
            case ScaleTemplate():
                self._sets[action.name].scale(action.replicas)
            case StampTemplate():
                self._sets[action.name].deadline_s = action.deadline_s
            case CreateService() | DeleteService():
                self._serve(action)
            case StartRun():
                self._start(next(one for one in self.spec.body.analyses if one.name == action.name))
            case EndRun():
                self._analyst.terminate(f"{self.spec.name}-{action.name}")
            case _ as never:
                assert_never(never)

    def _template(self, name: str) -> ExperimentTemplate:
        return next(one for one in self.spec.body.templates if one.name == name)

    def _made(self, template: ExperimentTemplate) -> ReplicaSet:
        """A ReplicaSet of the canary's or stable's pods under a hash of its own, which keeps Services apart from it."""
        origin = self._cause.stable if template.spec_ref == "stable" else self._cause.canary
        pods = replace(
            origin.template,
            labels=_merged(origin.template.labels, template.labels),
            annotations=_merged(origin.template.annotations, template.annotations),
        )
        own = Revision(digest(("experiment", origin.hash, pods))[:10], pods, origin.behaviour, origin.side)
        identity = Identity(f"{self.spec.name}-{template.name}", 0, float(self._cause.rollout.min_ready_s))
        return ReplicaSet(self._surroundings.site, identity, own)

    def _serve(self, action: CreateService | DeleteService) -> None:
        rs = self._sets[action.name]
        creates = isinstance(action, CreateService)
        name = self._template(action.name).service or rs.name
        selector = rs.labels()

        def change(network: Network) -> None:
            if creates:
                network.services[name] = selector
            else:
                network.services.pop(name, None)

        if creates:
            self._services[action.name] = name
        else:
            self._services.pop(action.name)
        self._surroundings.router.write(change, "service")

    def _start(self, analysis: ExperimentAnalysis) -> None:
        rollout, name = self._cause.rollout, f"{self.spec.name}-{analysis.name}"
        context = RunContext(
            self._cause.canary.hash,
            self._cause.stable.hash,
            rollout.namespace,
            controller=self._ground.scenario.controller,
        )
        try:
            given = values_for_run(analysis.ref.args, rollout, context)
            args = tuple(Argument(one.name, self._filled(one.value or "")) for one in given)
            ref = replace(analysis.ref, args=args, dry_run=self.spec.body.dry_run)
            self._analyst.start(Order(name, RunRole.EXPERIMENT, ref), rollout, context)
        except TemplateError as error:
            self._fail(analysis, f"Failed to create AnalysisRun for analysis '{analysis.name}': {error}")

    def _filled(self, text: str) -> str:
        """An argument's text with what the experiment knows of its templates (``utils/template/template.go:27``)."""
        known = {f"templates.{name}.podTemplateHash": rs.revision.hash for name, rs in self._sets.items()}
        known |= {f"templates.{name}.replicaset.name": rs.name for name, rs in self._sets.items()}
        return replace_tags(text, known.get)

    def _fail(self, analysis: ExperimentAnalysis, message: str) -> None:
        runs = tuple(
            replace(one, run="", phase=AnalysisPhase.ERROR, message=message) if one.name == analysis.name else one
            for one in self.status.runs
        )
        self.status = replace(self.status, runs=runs)

    def _missing_templates(self) -> Sequence[tuple[str, str]]:
        """Analyses that name no template, in the controller's words."""
        found = []
        for analysis in self.spec.body.analyses:
            try:
                templates_of(analysis.ref.templates, self._ground.scenario.manifests, self._cause.rollout.namespace)
            except TemplateError as error:
                kind = "ClusterAnalysisTemplate" if analysis.ref.templates[0].cluster_scope else "AnalysisTemplate"
                found.append((analysis.name, f"{kind} verification failed for analysis '{analysis.name}': {error}"))
        return found

    def _note(self) -> None:
        phase, role = self.status.phase or AnalysisPhase.PENDING, RunRole.EXPERIMENT
        self._ground.journal.analysis(self.spec.name, role.value, phase.value, self.status.message)


def _merged(one: Labels, other: Labels) -> Labels:
    return tuple(sorted((dict(one) | dict(other)).items()))
