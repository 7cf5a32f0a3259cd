"""A walk through an Argo Rollout: the controller's own decisions, in a world where only time passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import assert_never

from sim.decide import bluegreen, canary, operations
from sim.decide.defaults import is_routed, max_weight
from sim.decide.pauses import needs_person
from sim.decide.standing import standing_status
from sim.decide.steps import steps_of
from sim.model.actions import (
    Action,
    CreateReplicaSet,
    Decision,
    DeleteAnalysis,
    DeleteReplicaSet,
    PointService,
    RemoveManagedRoutes,
    RestartPods,
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
from sim.model.analysis import AnalysisPhase
from sim.model.controller import Controller
from sim.model.rollout import (
    HeaderRoute,
    MirrorRoute,
    Observed,
    RolloutPhase,
    RolloutSpec,
    RolloutStatus,
    RunRole,
    RunView,
    ServiceView,
)
from sim.timetable.experiments import WalkedExperiment
from sim.timetable.pace import Pace
from sim.timetable.runs import NEW, OLD, RunKey, RunPlan
from sim.timetable.walk import Frame, RunSpan, Walk
from sim.timetable.world import Leaving, WalkedSet

MOST_FRAMES, MOST_PER_STEP, MOST_PER_POD = 2_000, 60, 12
"""A rollout that takes more reconciles than this never settles."""
MOST_STANDING = 100
"""And a stable version none."""


@dataclass(slots=True)
class WalkedRun:
    """One analysis run in the world."""

    view: RunView
    key: RunKey
    start_s: float
    end_s: float | None
    waits: int
    verdict: AnalysisPhase
    message: str


@dataclass(slots=True)
class _Objects:
    """What exists besides the status."""

    sets: dict[str, WalkedSet]
    services: dict[str, ServiceView]
    leaving: Leaving
    runs: list[WalkedRun] = field(default_factory=list)
    deleted: list[WalkedRun] = field(default_factory=list)
    """Runs that the history limit has taken."""
    experiments: list[WalkedExperiment] = field(default_factory=list)
    routes: list[HeaderRoute | MirrorRoute] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Course:
    """What is walked: the Rollout, the controller's release, and its runs."""

    spec: RolloutSpec
    controller: Controller
    plans: dict[RunKey, RunPlan]
    first_deploy: bool = False
    """Whether nothing runs before."""


class RolloutWalk:
    """Walks once. ``abort_when`` is asked after every reconcile and makes a person abort the first time it holds."""

    def __init__(self, course: Course, pace: Pace, abort_when: Callable[[Frame], bool] | None = None) -> None:
        self._course, self._pace, self._abort_when = course, pace, abort_when
        self._spec = course.spec
        self._status = RolloutStatus() if course.first_deploy else standing_status(self._spec, OLD)
        self._world = _standing(course)
        self._now_s = pace.reconcile_s
        self._waits = 0
        self._template = NEW if course.first_deploy else OLD
        self._frames: list[Frame] = []
        self._stopped = ""

    def run(self) -> Walk:
        """From the new template to the last thing that happens."""
        self._stand()
        budget = MOST_FRAMES + MOST_PER_STEP * len(steps_of(self._spec)) + MOST_PER_POD * self._spec.desired
        while len(self._frames) < budget:
            changed, wake_s = self._reconcile()
            if self._stopped:
                break
            if self._abort_when is not None and self._abort_when(self._frames[-1]):
                self._abort_when, self._status = None, operations.abort(self._status)
                changed = True
            if not changed and not self._pass_time(wake_s) and not self._resume():
                break
            self._now_s += self._pace.reconcile_s
        else:
            self._stopped = f"it does not settle within {budget} reconciles"
        runs = tuple(
            RunSpan(run.key, run.start_s, run.end_s, run.waits) for run in (*self._world.deleted, *self._world.runs)
        )
        inner = tuple(span for one in self._world.experiments for span in one.runs)
        return Walk(tuple(self._frames), (*runs, *inner), self._stopped, self._world.leaving.grace_s)

    def _stand(self) -> None:
        """What the controller makes of the stable version before the release: it may want another number of pods."""
        while self._template == OLD and self._reconcile()[0] and len(self._frames) < MOST_STANDING:
            for rs in self._world.sets.values():
                rs.stand()
        self._template = NEW
        self._frames.clear()

    def _pass_time(self, wake_s: float | None) -> bool:
        """Whether something is still to come; then it is that instant."""
        coming = [wake_s, *(rs.next_s(self._now_s) for rs in self._world.sets.values())]
        coming += [run.end_s for run in self._world.runs if not run.view.phase.is_completed]
        coming += [one.next_s(self._now_s) for one in self._world.experiments]
        instants = [instant for instant in coming if instant is not None and instant > self._now_s]
        if self._must_wait():
            return False
        if not instants:
            return False
        self._now_s = min(instants)
        return True

    def _must_wait(self) -> bool:
        """Whether only a person lets it go on. Whatever else happens meanwhile is looked at as if they came at once."""
        return any(needs_person(self._spec, self._status, one.reason) for one in self._status.pause_conditions)

    def _resume(self) -> bool:
        """Whether a person had something to do."""
        if self._must_wait():
            self._status = operations.promote(self._spec, self._status)
        elif self._spec.paused:
            self._spec = operations.resume(self._spec)
        else:
            return False
        self._waits += 1
        return True

    def _reconcile(self) -> tuple[bool, float | None]:
        self._let_runs_end()
        decision = self._decide()
        for action in decision.actions:
            self._apply(action)
        changed = bool(decision.actions) or decision.status != self._status
        self._status = decision.status
        moved = [one.reconcile(self._now_s) for one in self._world.experiments]
        self._frames.append(self._frame())
        return changed or any(moved), decision.wake_s

    def _decide(self) -> Decision:
        observed = self._observed()
        if self._spec.blue_green is not None:
            return bluegreen.next_actions(self._spec, observed)
        return canary.next_actions(self._spec, observed)

    def _observed(self) -> Observed:
        views = {key: rs.view(self._now_s) for key, rs in self._world.sets.items()}
        new, stable = views.get(self._template), views.get(self._status.stable_rs)
        experiment = self._world.experiments[-1] if self._world.experiments else None
        return Observed(
            now_s=self._now_s,
            status=self._status,
            template_hash=self._template,
            new_rs=new,
            stable_rs=stable,
            other_rss=tuple(view for key, view in views.items() if key not in {self._template, self._status.stable_rs}),
            runs=tuple(run.view for run in self._world.runs),
            experiment=experiment.view() if experiment is not None else None,
            experiment_templates=experiment.template_views() if experiment is not None else (),
            experiment_names=tuple(one.name for one in self._world.experiments),
            services=tuple(self._world.services.values()),
            managed_routes=tuple(self._world.routes),
            controller=self._course.controller,
        )

    def _let_runs_end(self) -> None:
        for run in self._world.runs:
            if run.end_s is not None and run.end_s <= self._now_s and not run.view.phase.is_completed:
                run.view = replace(run.view, phase=run.verdict, message=run.message)

    def _apply(self, action: Action) -> None:
        match action:
            case CreateReplicaSet() | DeleteReplicaSet() | Scale() | SetScaleDownDeadline():
                self._resize(action)
            case PointService() | SetHeaderRoute() | SetMirrorRoute() | RemoveManagedRoutes():
                self._route(action)
            case StartAnalysis() | TerminateAnalysis() | DeleteAnalysis() | StartExperiment() | TerminateExperiment():
                self._judge(action)
            case SetWeight() | RestartPods():
                pass  # the status has the weight; nobody restarts pods here
            case _ as never:
                assert_never(never)

    def _resize(self, action: CreateReplicaSet | DeleteReplicaSet | Scale | SetScaleDownDeadline) -> None:
        sets = self._world.sets
        match action:
            case CreateReplicaSet():
                fresh = WalkedSet(f"{self._spec.name}-{action.hash}", action.hash, self._now_s)
                sets.setdefault(action.hash, fresh).revision = action.revision
            case DeleteReplicaSet():
                sets.pop(action.hash)
            case Scale():
                self._scale(action)
            case SetScaleDownDeadline():
                sets[action.hash].deadline_s = action.deadline_s

    def _route(self, action: PointService | SetHeaderRoute | SetMirrorRoute | RemoveManagedRoutes) -> None:
        world = self._world
        match action:
            case PointService():
                world.services[action.service] = ServiceView(action.service, action.hash, managed=True)
            case SetHeaderRoute() | SetMirrorRoute():
                world.routes = [one for one in world.routes if one.name != action.route.name] + [action.route]
            case RemoveManagedRoutes():
                world.routes = []

    def _scale(self, action: Scale) -> None:
        rs = self._world.sets[action.hash]
        rs.annotation = self._spec.desired
        available_s = None if self._pace.pods_s is None else self._now_s + self._pace.pods_s
        self._world.leaving.add(self._now_s, rs.scale(action.replicas, available_s))

    def _judge(
        self, action: StartAnalysis | TerminateAnalysis | DeleteAnalysis | StartExperiment | TerminateExperiment
    ) -> None:
        world = self._world
        match action:
            case StartAnalysis():
                self._start(action)
            case TerminateAnalysis():
                self._terminate(action.run)
            case DeleteAnalysis():
                world.deleted += [run for run in world.runs if run.view.name == action.run]
                world.runs = [run for run in world.runs if run.view.name != action.run]
            case StartExperiment():
                self._experiment(action)
            case TerminateExperiment():
                for one in world.experiments:
                    one.terminate()

    def _experiment(self, action: StartExperiment) -> None:
        made = WalkedExperiment(self._spec, action, self._course.plans, self._pace, self._waits)
        self._world.experiments.append(made)

    def _terminate(self, name: str) -> None:
        for run in self._world.runs:
            if run.view.name == name:
                run.end_s = self._now_s
                run.view = replace(run.view, phase=AnalysisPhase.SUCCESSFUL, terminating=True)

    def _start(self, action: StartAnalysis) -> None:
        key = RunKey(action.role, action.step_index if action.role is RunRole.STEP else None)
        plan = self._course.plans[key]
        length_s = plan.longest_s if self._pace.slow else plan.shortest_s
        verdict = AnalysisPhase.ERROR if plan.error else AnalysisPhase.SUCCESSFUL
        end_s = self._now_s if plan.error else None if length_s is None else self._now_s + length_s
        view = RunView(action.name, action.role, AnalysisPhase.RUNNING, "", action.step_index)
        self._world.runs.append(WalkedRun(view, key, self._now_s, end_s, self._waits, verdict, plan.error))

    def _frame(self) -> Frame:
        status, sets = self._status, self._world.sets
        new = sets.get(NEW)
        available = new.available(self._now_s) if new is not None else 0
        wanted = new.desired if new is not None else 0
        return Frame(
            self._now_s,
            status.current_step_index,
            self._weight(status, available),
            wanted,
            sum(rs.desired for key, rs in sets.items() if key != NEW),
            sum(one.pods for one in self._world.experiments),
            self._world.leaving.count(self._now_s),
            self._waits,
            ready=0 < wanted <= available or wanted == self._spec.desired == 0,
            paused=bool(status.pause_conditions),
            stable_is_new=status.stable_rs == NEW,
            healthy=status.phase is RolloutPhase.HEALTHY,
            aborted=status.abort,
        )

    def _weight(self, status: RolloutStatus, available: int) -> float:
        """Percent of the traffic that the new pods get."""
        if self._spec.blue_green is not None:
            active = self._world.services.get(self._spec.blue_green.active_service)
            return 100.0 if active is not None and active.hash == NEW else 0.0
        if is_routed(self._spec) and status.weights is not None:
            if status.stable_rs == NEW:
                return 100.0
            return 100.0 * status.weights.canary.weight / max_weight(self._spec)
        serving = sum(rs.available(self._now_s) for rs in self._world.sets.values())
        return 100.0 * available / serving if serving else 0.0


def _standing(course: Course) -> _Objects:
    """What there is before the release."""
    spec, served = course.spec, "" if course.first_deploy else OLD
    names = [name for name in _service_names(spec) if name]
    services = {name: ServiceView(name, served, managed=not course.first_deploy) for name in names}
    stable = WalkedSet(f"{spec.name}-{OLD}", OLD, revision=1, annotation=spec.desired)
    stable.scale(spec.desired, 0.0)
    sets = {} if course.first_deploy else {OLD: stable}
    return _Objects(sets, services, Leaving(spec.template.termination_grace_s))


def _service_names(spec: RolloutSpec) -> tuple[str, ...]:
    if spec.blue_green is not None:
        return spec.blue_green.active_service, spec.blue_green.preview_service
    return (spec.canary.stable_service, spec.canary.canary_service) if spec.canary is not None else ()
