"""The analysis controller: measures what is due, lets the pure rules judge, and tells the rollout controller."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from simpy.events import Event

from sim.decide import analysis
from sim.decide.analysis import Task
from sim.decide.arguments import RunContext
from sim.decide.defaults import RESYNC_S
from sim.decide.templates import TemplateError, resolve, templates_of
from sim.engine.clock import Rank
from sim.engine.ground import Ground
from sim.engine.measuring import measured
from sim.metrics.providers import Sources
from sim.metrics.scripts import Origin, fitting, turns_s
from sim.model.analysis import (
    AnalysisPhase,
    AnalysisRef,
    AnalysisRunSpec,
    AnalysisRunStatus,
    DatadogProvider,
    Measurement,
    PrometheusProvider,
    Provider,
)
from sim.model.changing import replace
from sim.model.rollout import RolloutSpec, RunRole, RunView


@dataclass(frozen=True, slots=True)
class Order:
    """What the rollout controller asks for."""

    name: str
    role: RunRole
    ref: AnalysisRef
    step_index: int | None = None
    pod_hash: str = ""


class Run:
    """One analysis run and its process."""

    def __init__(self, order: Order, spec: AnalysisRunSpec, status: AnalysisRunStatus, created_s: float) -> None:
        self.order = order
        self.created_s = created_s
        self.spec = spec
        self.status = status
        self.poke: Event | None = None
        self._seen: tuple[AnalysisRunStatus, AnalysisRunSpec, RunView] | None = None
        self.origins: dict[str, str] = {}
        """The template that each metric comes from."""

    def begun_s(self, metric: str) -> float | None:
        """When the metric's measurement in flight began."""
        found = next((one for one in self.status.metric_results if one.name == metric), None)
        return found.measurements[-1].started_s if found is not None and found.measurements else None

    def view(self) -> RunView:
        """The run as the rollout controller sees it."""
        if self._seen is None or self._seen[0] is not self.status or self._seen[1] is not self.spec:
            self._seen = self.status, self.spec, self._view()
        return self._seen[2]

    def _view(self) -> RunView:
        return RunView(
            self.order.name,
            self.order.role,
            self.status.phase,
            self.status.message,
            self.order.step_index,
            terminating=self.spec.terminate,
            pod_hash=self.order.pod_hash,
            created_s=self.created_s,
        )


class Analyst:
    """Owns every analysis run of one rollout; ``changed`` is called when a run's phase changes."""

    def __init__(self, ground: Ground, sources: Callable[[], Sources], changed: Callable[[], None]) -> None:
        self._ground = ground
        self._sources = sources
        self._changed = changed
        self.runs: list[Run] = []

    def views(self) -> tuple[RunView, ...]:
        """Every run, oldest first."""
        return tuple(run.view() for run in self.runs)

    def start(self, order: Order, spec: RolloutSpec, context: RunContext) -> None:
        """Creates a run. A run that cannot even be created raises TemplateError; one that cannot be judged is an Error."""
        try:
            resolved = resolve(order.ref, self._ground.scenario.manifests, spec, context, order.name)
        except TemplateError as error:
            if not error.in_run:
                raise
            broken = AnalysisRunStatus(AnalysisPhase.ERROR, str(error))
            self.runs.append(Run(order, AnalysisRunSpec(order.name), broken, self._ground.clock.now))
            self._note(self.runs[-1])
            self._changed()
            return
        run = Run(order, resolved, AnalysisRunStatus(), self._ground.clock.now)
        manifests = self._ground.scenario.manifests
        templates = templates_of(order.ref.templates, manifests, context.namespace, context.controller)
        sources = [template.name for template in templates for _ in template.metrics_json]
        run.origins = {metric.name: source for metric, source in zip(resolved.metrics, sources, strict=True)}
        self.runs.append(run)
        self._ground.clock.process(self._judge(run))

    def terminate(self, name: str) -> None:
        """Asks a run to end."""
        for run in self.runs:
            if run.order.name == name and not run.status.phase.is_completed:
                run.spec = replace(run.spec, terminate=True)
                if run.poke is not None and not run.poke.triggered:
                    run.poke.succeed()

    def delete(self, name: str) -> None:
        """Removes a run; one that is still going ends."""
        self.terminate(name)
        self.runs = [run for run in self.runs if run.order.name != name]

    def _judge(self, run: Run) -> Generator[Event, Any, None]:
        clock = self._ground.clock
        yield clock.after(self._ground.scenario.cluster.controller_latency_s, Rank.CONTROLLER)
        while not run.status.phase.is_completed:
            tasks = analysis.due(run.spec, run.status, clock.now)
            measurements: dict[str, Measurement] = {}
            if tasks:
                measurements = yield from self._measure(run, tasks)
            before = run.status
            self._record(run, measurements)
            next_s = analysis.next_time_s(run.spec, run.status, clock.now, changed=run.status != before)
            if not run.status.phase.is_completed:
                yield self._moment(run, _earlier(next_s, self._jobs_end_s(run)))
        yield from self._outlive(run)

    def _jobs_end_s(self, run: Run) -> float | None:
        """When a Job in flight that no look is planned for may end: that wakes the controller."""
        now_s, sources = self._ground.clock.now, self._sources()
        end_s: float | None = None
        for result in run.status.metric_results:
            last = result.measurements[-1] if result.measurements else None
            if last is not None and last.finished_s is None and last.resume_at_s is None:
                signals = fitting(sources.telemetry.signals, self._origin(run, result.name), sources.release)
                end_s = _earlier(end_s, turns_s(signals, now_s, now_s if last.started_s is None else last.started_s))
        return end_s

    @staticmethod
    def _origin(run: Run, metric: str) -> Origin:
        return Origin(run.origins.get(metric, ""), metric)

    def _outlive(self, run: Run) -> Generator[Event, Any, None]:
        """Deletes a run past its ``ttlStrategy``, looked at with every resync; one that a Rollout starts has none."""
        while run in self.runs and any(limit is not None for limit in run.spec.ttl_s):
            if analysis.expired(run.spec, run.status, self._ground.clock.now):
                self.delete(run.order.name)
                return
            yield self._ground.clock.after(RESYNC_S, Rank.CONTROLLER)

    def _moment(self, run: Run, next_s: float | None) -> Event:
        """The next pass: when something is due, or when the run is asked to end."""
        run.poke = poke = self._ground.clock.event()
        if next_s is not None:

            def wake() -> None:
                if not poke.triggered:
                    poke.succeed()

            self._ground.clock.call_at(next_s, Rank.CONTROLLER, wake)
        return poke

    def _record(self, run: Run, measurements: dict[str, Measurement]) -> None:
        before = run.status.phase
        run.status = analysis.record(run.spec, run.status, measurements, self._ground.clock.now)
        finished = ((metric, one) for metric, one in measurements.items() if one.phase.is_completed)
        for metric, one in finished:
            self._ground.journal.measurement(run.order.name, metric, one.phase.value, one.value, one.message)
        if run.status.phase is not before:
            self._note(run)
            self._changed()

    def _measure(self, run: Run, tasks: Sequence[Task]) -> Generator[Event, Any, dict[str, Measurement]]:
        """Samples of one pass, all asked now; the pass lasts as long as the slowest answer."""
        clock, sources = self._ground.clock, self._sources()
        taken: dict[str, Measurement] = {}
        for task in tasks:
            name = task.metric.name
            origin = self._origin(run, name)
            begun_s = run.begun_s(name) if task.resume else clock.now
            one = measured(task, clock.now, sources, origin, begun_s)
            ended_s = clock.now + self._latency_s(task.metric.provider)
            taken[name] = replace(one, started_s=begun_s, finished_s=ended_s if one.phase.is_completed else None)
        yield clock.after(max(self._latency_s(task.metric.provider) for task in tasks), Rank.CONTROLLER)
        return taken

    def _latency_s(self, provider: Provider) -> float:
        telemetry = self._ground.scenario.telemetry
        match provider:
            case PrometheusProvider():
                return telemetry.prometheus.query_latency_s
            case DatadogProvider():
                return telemetry.datadog.query_latency_s
            case _:
                return 0.0

    def _note(self, run: Run) -> None:
        order, status = run.order, run.status
        self._ground.journal.analysis(order.name, order.role.value, status.phase.value, status.message)


def _earlier(one: float | None, other: float | None) -> float | None:
    return min((instant for instant in (one, other) if instant is not None), default=None)
