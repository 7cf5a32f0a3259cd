"""An experiment step in a walk: the Experiment controller's own decisions."""

from __future__ import annotations

from dataclasses import replace

from sim.decide import experiment_run
from sim.decide.defaults import progress_deadline_s
from sim.model.actions import StartExperiment
from sim.model.analysis import AnalysisPhase
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
from sim.model.rollout import Experiment, ExperimentTemplateView, RolloutSpec, RunRole, RunView
from sim.timetable.pace import Pace
from sim.timetable.runs import RunKey, RunPlan
from sim.timetable.walk import RunSpan
from sim.timetable.world import WalkedSet


class WalkedExperiment:
    """One experiment; ``waits`` is how often a person was waited for before it."""

    def __init__(
        self, rollout: RolloutSpec, action: StartExperiment, plans: dict[RunKey, RunPlan], pace: Pace, waits: int
    ) -> None:
        step = action.step_index
        body = (rollout.canary.steps[step].experiment if rollout.canary else None) or Experiment()
        self._spec = ExperimentSpec(action.name, body, progress_deadline_s(rollout))
        self._step, self._plans, self._pace = step, plans, pace
        self._status = ExperimentStatus()
        self._sets: dict[str, WalkedSet] = {}
        self._services: dict[str, str] = {}
        self._now_s = self._wake_s = 0.0
        self._live: dict[str, RunSpan] = {}
        self._waits = waits

    @property
    def runs(self) -> tuple[RunSpan, ...]:
        """Its analysis runs."""
        return tuple(self._live.values())

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self._spec.name

    @property
    def pods(self) -> int:
        """Pods wanted."""
        return sum(rs.desired for rs in self._sets.values())

    def view(self) -> RunView:
        """The experiment as the rollout controller sees it."""
        phase = self._status.phase or AnalysisPhase.PENDING
        name, ends = self._spec.name, self._spec.terminate
        return RunView(name, RunRole.EXPERIMENT, phase, self._status.message, self._step, terminating=ends)

    def template_views(self) -> tuple[ExperimentTemplateView, ...]:
        """Where each template is served."""
        return tuple(ExperimentTemplateView(one.name, one.service, one.hash) for one in self._status.templates)

    def terminate(self) -> None:
        """Asks it to end."""
        self._spec = replace(self._spec, terminate=True)

    def next_s(self, now_s: float) -> float | None:
        """When something is to come."""
        coming = [self._wake_s, *(rs.next_s(now_s) for rs in self._sets.values())]
        coming += [run.end_s for run in self._live.values()]
        return min((instant for instant in coming if instant is not None and instant > now_s), default=None)

    def reconcile(self, now_s: float) -> bool:
        """Whether anything changed."""
        self._now_s = now_s
        decision = experiment_run.reconcile(self._spec, self._status, self._seen())
        changed = bool(decision.actions) or decision.status != self._status
        self._status, self._wake_s = decision.status, decision.wake_s or 0.0
        for action in decision.actions:
            self._apply(action)
        return changed

    def _seen(self) -> ExperimentSeen:
        views = tuple(
            TemplateView(name, rs.view(self._now_s), self._services.get(name, "")) for name, rs in self._sets.items()
        )
        runs = tuple((name, self._phase(name), self._plan(name).error) for name in self._live)
        plans = [(one.name, self._plan(one.name)) for one in self._spec.body.analyses]
        missing = tuple((name, plan.error) for name, plan in plans if not plan.exists)
        return ExperimentSeen(self._now_s, views, runs, missing)

    def _plan(self, name: str) -> RunPlan:
        key = RunKey(RunRole.EXPERIMENT, self._step, name)
        return self._plans.get(key, RunPlan(key))

    def _phase(self, name: str) -> AnalysisPhase:
        end_s = self._live[name].end_s
        if end_s is None or end_s > self._now_s:
            return AnalysisPhase.RUNNING
        return AnalysisPhase.ERROR if self._plan(name).error else AnalysisPhase.SUCCESSFUL

    def _apply(self, action: ExperimentAction) -> None:
        match action:
            case CreateTemplate():
                self._sets[action.name] = WalkedSet(f"{self._spec.name}-{action.name}", action.name, self._now_s)
            case ScaleTemplate():
                self._sets[action.name].scale(action.replicas, self._available_s())
            case StampTemplate():
                self._sets[action.name].deadline_s = action.deadline_s
            case CreateService():
                self._services[action.name] = self._sets[action.name].name
            case DeleteService():
                self._services.pop(action.name, None)
            case StartRun():
                self._start(action.name)
            case EndRun():
                self._live[action.name] = replace(self._live[action.name], end_s=self._now_s)

    def _available_s(self) -> float | None:
        """When pods wanted now are available; an experiment's deadline counts from a whole second, cut."""
        if self._pace.pods_s is None:
            return None
        return self._now_s + (max(0.0, self._pace.pods_s - 1.0) if self._pace.slow else self._pace.pods_s)

    def _start(self, name: str) -> None:
        plan = self._plan(name)
        length_s = plan.longest_s if self._pace.slow else plan.shortest_s
        end_s = self._now_s if plan.error else None if length_s is None else self._now_s + length_s
        self._live[name] = RunSpan(plan.key, self._now_s, end_s, self._waits)
