"""A Rollout in a world without delays: plays decisions against pods that are available as soon as they are wanted.

A test changes ``World`` between calls of ``settle`` and reads ``journal``: every action and note with its instant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sim.decide import bluegreen, canary
from sim.model.actions import (
    CreateReplicaSet,
    Decision,
    DeleteAnalysis,
    DeleteReplicaSet,
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
)
from sim.model.analysis import AnalysisPhase
from sim.model.controller import NEWEST, Controller
from sim.model.rollout import (
    HeaderRoute,
    MirrorRoute,
    Observed,
    ReplicaSetView,
    RolloutSpec,
    RolloutStatus,
    RunRole,
    RunView,
    ServiceView,
)

MOST_RECONCILES = 2000


@dataclass
class World:
    spec: RolloutSpec
    template: str = "v1"
    now_s: float = 0.0
    controller: Controller = NEWEST
    status: RolloutStatus = field(default_factory=RolloutStatus)
    rss: dict[str, ReplicaSetView] = field(default_factory=dict)
    services: dict[str, ServiceView] = field(default_factory=dict)
    runs: list[RunView] = field(default_factory=list)
    experiment: RunView | None = None
    managed_routes: list[HeaderRoute | MirrorRoute] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """Hashes whose pods never become available."""
    journal: list[tuple[float, object]] = field(default_factory=list)
    statuses: list[RolloutStatus] = field(default_factory=list)
    watch: Callable[[World], None] | None = None
    """Called after every reconcile."""

    def __post_init__(self) -> None:
        names: list[str] = []
        if self.spec.canary:
            names = [self.spec.canary.stable_service, self.spec.canary.canary_service]
        if self.spec.blue_green:
            names = [self.spec.blue_green.active_service, self.spec.blue_green.preview_service]
        self.services = {name: ServiceView(name) for name in names if name}

    def observed(self) -> Observed:
        new, stable = self.rss.get(self.template), self.rss.get(self.status.stable_rs)
        return Observed(
            now_s=self.now_s,
            status=self.status,
            template_hash=self.template,
            new_rs=new,
            stable_rs=stable,
            other_rss=tuple(rs for rs in self.rss.values() if rs not in (new, stable)),
            runs=tuple(self.runs),
            experiment=self.experiment,
            experiment_names=(self.experiment.name,) if self.experiment else (),
            services=tuple(self.services.values()),
            managed_routes=tuple(self.managed_routes),
            controller=self.controller,
        )

    def decide(self) -> Decision:
        rules = bluegreen.next_actions if self.spec.blue_green else canary.next_actions
        return rules(self.spec, self.observed())

    def reconcile(self) -> tuple[bool, float | None]:
        """Whether anything changed, and when to look again."""
        decision = self.decide()
        changed = bool(decision.actions) or decision.status != self.status
        for action in decision.actions:
            self.journal.append((self.now_s, action))
            self._apply(action)
        self.journal.extend((self.now_s, note) for note in decision.notes)
        self.status = decision.status
        self.statuses.append(decision.status)
        self.grow()
        if self.watch:
            self.watch(self)
        return changed, decision.wake_s

    def settle(self, until_s: float | None = None) -> None:
        """Reconcile to the fixpoint; with ``until_s`` also past every timer up to then."""
        for _ in range(MOST_RECONCILES):
            changed, wake_s = self.reconcile()
            if changed:
                continue
            if until_s is None:
                return
            if wake_s is None or wake_s > until_s:
                self.now_s = until_s
                return
            assert wake_s > self.now_s, "a timer that has passed already"
            self.now_s = wake_s
        msg = f"no fixpoint at {self.now_s} s: {self.journal[-6:]}"
        raise AssertionError(msg)

    def grow(self) -> None:
        """Let every pod that is wanted exist and (unless broken) be available."""
        for key, rs in self.rss.items():
            available = 0 if key in self.broken else rs.desired
            self.rss[key] = replace(rs, replicas=rs.desired, ready=available, available=available)

    def finish_run(self, phase: AnalysisPhase, message: str = "", role: RunRole | None = None) -> None:
        """Give the last run (of this role) a verdict."""
        index = max(i for i, run in enumerate(self.runs) if role in {None, run.role})
        self.runs[index] = replace(self.runs[index], phase=phase, message=message)

    @property
    def shown(self) -> tuple[str, str]:
        """Phase and message."""
        return str(self.status.phase), self.status.message

    def said(self, part: str) -> list[float]:
        """When notes containing this text were written."""
        return [at for at, entry in self.journal if isinstance(entry, str) and part in entry]

    def did(self, kind: type) -> list[object]:
        """Actions of this kind, in order."""
        return [entry for _, entry in self.journal if isinstance(entry, kind)]

    def weights(self) -> list[tuple[float, int]]:
        """(instant, canary weight) of every write to the router."""
        return [(at, entry.weights.canary.weight) for at, entry in self.journal if isinstance(entry, SetWeight)]

    def sizes(self) -> dict[str, int]:
        return {key: rs.desired for key, rs in self.rss.items()}

    def _apply(self, action: object) -> None:
        match action:
            case CreateReplicaSet() | DeleteReplicaSet() | Scale() | SetScaleDownDeadline():
                self._resize(action)
            case StartAnalysis() | TerminateAnalysis() | DeleteAnalysis():
                self._judge(action)
            case PointService(name, pod_hash):
                self.services[name] = ServiceView(name, pod_hash, managed=True)
            case StartExperiment(_, name):
                self.experiment = RunView(name, RunRole.STEP, AnalysisPhase.RUNNING)
            case SetHeaderRoute(route) | SetMirrorRoute(route):
                self.managed_routes = [r for r in self.managed_routes if r.name != route.name] + [route]
            case RemoveManagedRoutes():
                self.managed_routes = []
            case _:
                pass

    def _resize(self, action: CreateReplicaSet | DeleteReplicaSet | Scale | SetScaleDownDeadline) -> None:
        match action:
            case CreateReplicaSet(pod_hash, revision):
                name, wanted = f"{self.spec.name}-{pod_hash}", self.spec.desired
                fresh = ReplicaSetView(name, pod_hash, 0, created_s=self.now_s, desired_annotation=wanted)
                self.rss[pod_hash] = replace(self.rss.get(pod_hash, fresh), revision=revision)
            case DeleteReplicaSet(pod_hash):
                del self.rss[pod_hash]
            case Scale(pod_hash, replicas):
                rs = self.rss[pod_hash]
                self.rss[pod_hash] = replace(rs, desired=replicas, desired_annotation=self.spec.desired)
            case SetScaleDownDeadline(pod_hash, deadline_s):
                self.rss[pod_hash] = replace(self.rss[pod_hash], scale_down_deadline_s=deadline_s)

    def _judge(self, action: StartAnalysis | TerminateAnalysis | DeleteAnalysis) -> None:
        match action:
            case StartAnalysis(role, step_index, name):
                assert name not in {run.name for run in self.runs}
                running = RunView(name, role, AnalysisPhase.RUNNING, "", step_index)
                self.runs.append(replace(running, pod_hash=self.template, created_s=self.now_s))
            case TerminateAnalysis(name):
                self.runs = [
                    replace(run, phase=AnalysisPhase.SUCCESSFUL, terminating=True) if run.name == name else run
                    for run in self.runs
                ]
            case DeleteAnalysis(name):
                self.runs = [run for run in self.runs if run.name != name]
