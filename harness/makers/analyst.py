"""Analysis runs on a cluster: measures what is due of a real Prometheus, lets the twin's rules judge, tells the controller."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from harness.makers.asking import Asking, Reply
from harness.recorder import Recorder
from scenarios.document import Loaded
from sim.decide import analysis
from sim.decide.analysis import Task
from sim.decide.arguments import RunContext
from sim.decide.orders import Order, created, earliest, started_s, unplanned
from sim.metrics.scripts import Origin
from sim.model.analysis import AnalysisRunSpec, AnalysisRunStatus, Measurement
from sim.model.changing import replace
from sim.model.controller import Controller
from sim.model.rollout import RolloutSpec, RunView


@dataclass(frozen=True, slots=True)
class Asked:
    """One question under way."""

    task: Task
    begun_s: float
    reply: Future[Reply]


@dataclass(slots=True)
class Run:
    """One analysis run. ``asked`` is what a pass under way waits for."""

    order: Order
    spec: AnalysisRunSpec
    status: AnalysisRunStatus
    created_s: float
    origins: dict[str, str] = field(default_factory=dict)
    """The template that each metric comes from."""
    due_s: float | None = None
    """When the next pass is; None: not before something else happens."""
    asked: tuple[Asked, ...] = ()

    def origin(self, metric: str) -> Origin:
        """By which scripted answers to a metric are found."""
        return Origin(self.origins.get(metric, ""), metric)

    def view(self) -> RunView:
        """The run as the rollout controller sees it."""
        return self.order.view(self.spec, self.status, self.created_s)


class Analyst:
    """Owns every analysis run of one rollout; ``changed`` is called when a run's phase changes.

    Nobody waits in here: queries run in ``executor``, and a pass ends with the first poll after its last answer.
    """

    def __init__(
        self, loaded: Loaded, recorder: Recorder, asking: Asking, executor: Executor, changed: Callable[[], None]
    ) -> None:
        self._manifests = loaded.scenario.manifests
        self.controller: Controller = loaded.scenario.controller
        self._recorder = recorder
        self._asking = asking
        self._executor = executor
        self._changed = changed
        self.runs: list[Run] = []

    def views(self) -> tuple[RunView, ...]:
        """Every run, oldest first."""
        return tuple(run.view() for run in self.runs)

    def start(self, order: Order, spec: RolloutSpec, context: RunContext) -> None:
        """Creates a run. A run that cannot even be created raises TemplateError; one that cannot be judged is an Error."""
        now_s = self._recorder.t_s
        made = created(order, self._manifests, spec, context)
        run = Run(order, made.spec, made.status, now_s, made.origins)
        self.runs.append(run)
        if made.status.phase.is_completed:
            self._note(run)
            self._changed()
        else:
            run.due_s = now_s

    def terminate(self, name: str) -> None:
        """Asks a run to end."""
        for run in self.runs:
            if run.order.name == name and not run.status.phase.is_completed:
                run.spec = replace(run.spec, terminate=True)
                run.due_s = self._recorder.t_s

    def delete(self, name: str) -> None:
        """Removes a run; one that is still going ends."""
        self.runs = [run for run in self.runs if run.order.name != name]

    def poll(self) -> None:
        """Ends passes whose answers are there and begins those that are due."""
        for run in tuple(self.runs):
            if run.asked and all(one.reply.done() for one in run.asked):
                measurements = {one.task.metric.name: self._measured(one) for one in run.asked}
                run.asked = ()
                self._end_pass(run, measurements)
            if not run.asked and run.due_s is not None and run.due_s <= self._recorder.t_s:
                self._begin_pass(run)

    def _begin_pass(self, run: Run) -> None:
        run.due_s = None
        tasks = analysis.due(run.spec, run.status, self._recorder.t_s)
        if tasks:
            # Samples of one pass are all asked now; the pass lasts as long as the slowest answer.
            run.asked = tuple(self._ask(run, task) for task in tasks)
        else:
            self._end_pass(run, {})

    def _ask(self, run: Run, task: Task) -> Asked:
        name, now_s = task.metric.name, self._recorder.t_s
        begun_s = started_s(run.status, name) if task.resume else now_s
        begun_s = now_s if begun_s is None else begun_s
        question = self._asking.question(task, run.origin(name), begun_s)
        return Asked(task, begun_s, self._executor.submit(question))

    def _measured(self, asked: Asked) -> Measurement:
        return self._asking.measured(asked.task, asked.reply.result(), asked.begun_s)

    def _end_pass(self, run: Run, measurements: dict[str, Measurement]) -> None:
        before, now_s = run.status, self._recorder.t_s
        run.status = analysis.record(run.spec, run.status, measurements, now_s)
        for metric, one in measurements.items():
            if one.phase.is_completed:
                self._recorder.measurement(run.order.name, metric, one.phase.value, one.value, one.message)
        if run.status.phase is not before.phase:
            self._note(run)
            self._changed()
        next_s = analysis.next_time_s(run.spec, run.status, now_s, changed=run.status != before)
        done = run.status.phase.is_completed
        run.due_s = None if done else earliest(next_s, self._jobs_end_s(run, now_s))

    def _jobs_end_s(self, run: Run, now_s: float) -> float | None:
        """When a Job in flight that no look is planned for may end: that wakes the controller."""
        end_s: float | None = None
        for metric, begun in unplanned(run.status, now_s):
            end_s = earliest(end_s, self._asking.turns_s(run.origin(metric), now_s, begun))
        return end_s

    def _note(self, run: Run) -> None:
        order, status = run.order, run.status
        self._recorder.analysis(order.name, order.role.value, status.phase.value, status.message)
