"""The analysis controller: measures what is due, lets the pure rules judge, and tells the rollout controller."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from simpy.events import Event

from sim.decide import analysis
from sim.decide.analysis import Task
from sim.decide.arguments import RunContext
from sim.decide.defaults import RESYNC_S
from sim.decide.orders import Created, Order, created, earliest, started_s, unplanned
from sim.engine.clock import Poke, Rank
from sim.engine.ground import Ground
from sim.engine.measuring import measured
from sim.metrics.providers import Sources
from sim.metrics.scripts import Origin, fitting, turns_s
from sim.model.analysis import (
    AnalysisRunSpec,
    AnalysisRunStatus,
    DatadogProvider,
    Measurement,
    PrometheusProvider,
    Provider,
)
from sim.model.changing import replace
from sim.model.rollout import RolloutSpec, RunView


class Run:
    """One analysis run and its process."""

    def __init__(self, order: Order, made: Created, created_s: float) -> None:
        self.order = order
        self.created_s = created_s
        self.spec = made.spec
        self.status = made.status
        self.origins = made.origins
        self.poke: Event | None = None
        self._seen: tuple[AnalysisRunStatus, AnalysisRunSpec, RunView] | None = None

    def view(self) -> RunView:
        """The run as the rollout controller sees it."""
        if self._seen is None or self._seen[0] is not self.status or self._seen[1] is not self.spec:
            self._seen = self.status, self.spec, self.order.view(self.spec, self.status, self.created_s)
        return self._seen[2]


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
        made = created(order, self._ground.scenario.manifests, spec, context)
        run = Run(order, made, self._ground.clock.now)
        self.runs.append(run)
        self._ground.watch.began(run, context)
        if made.status.phase.is_completed:
            self._tell(run)
        else:
            self._ground.clock.process(self._judge(run))

    def terminate(self, name: str) -> None:
        """Asks a run to end."""
        for run in self.runs:
            if run.order.name == name and not run.status.phase.is_completed:
                run.spec = replace(run.spec, terminate=True)
                self._ground.watch.told_to_end(run, self._ground.clock.now)
                if run.poke is not None and not run.poke.triggered:
                    run.poke.succeed()

    def delete(self, name: str) -> None:
        """Removes a run; one that is still going ends."""
        self.terminate(name)
        self.runs = [run for run in self.runs if run.order.name != name]

    def _judge(self, run: Run) -> Generator[Event, Any, None]:
        clock = self._ground.clock
        # Whoever only measures changes nothing that can be seen; the rollout controller, if told, looks later.
        yield clock.after(self._ground.scenario.cluster.controller_latency_s, Rank.CONTROLLER, disturbs=False)
        while not run.status.phase.is_completed:
            tasks = analysis.due(run.spec, run.status, clock.now)
            measurements: dict[str, Measurement] = {}
            if tasks:
                measurements = yield from self._measure(run, tasks)
            before = run.status
            self._record(run, measurements)
            next_s = analysis.next_time_s(run.spec, run.status, clock.now, changed=run.status != before)
            if not run.status.phase.is_completed:
                yield self._moment(run, earliest(next_s, self._jobs_end_s(run)))
        yield from self._outlive(run)

    def _jobs_end_s(self, run: Run) -> float | None:
        """When a Job in flight that no look is planned for may end: that wakes the controller."""
        now_s, sources = self._ground.clock.now, self._sources()
        end_s: float | None = None
        for metric, begun in unplanned(run.status, now_s):
            signals = fitting(sources.telemetry.signals, self._origin(run, metric), sources.release)
            end_s = earliest(end_s, turns_s(signals, now_s, begun))
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
        run.poke = poke = Poke(self._ground.clock)
        if next_s is not None:

            def wake() -> None:
                if not poke.triggered:
                    poke.succeed()

            self._ground.clock.call_at(next_s, Rank.CONTROLLER, wake, disturbs=False)
        return poke

    def _record(self, run: Run, measurements: dict[str, Measurement]) -> None:
        before = run.status.phase
        run.status = self._ground.watch.recorded(run, measurements, self._ground.clock.now)
        finished = ((metric, one) for metric, one in measurements.items() if one.phase.is_completed)
        for metric, one in finished:
            self._ground.journal.measurement(run.order.name, metric, one.phase.value, one.value, one.message)
        if run.status.phase is not before:
            self._tell(run)

    def _measure(self, run: Run, tasks: Sequence[Task]) -> Generator[Event, Any, dict[str, Measurement]]:
        """Samples of one pass, all asked now; the pass lasts as long as the slowest answer."""
        clock, sources, watch = self._ground.clock, self._sources(), self._ground.watch
        taken: dict[str, Measurement] = {}
        for task in tasks:
            name = task.metric.name
            origin = self._origin(run, name)
            begun_s = started_s(run.status, name) if task.resume else clock.now
            one = watch.presumed(task, clock.now, sources, origin)
            if one is None:
                clock.catch_up()
                one = measured(task, clock.now, sources, origin, begun_s, watch=watch)
            ended_s = clock.now + self._latency_s(task.metric.provider)
            taken[name] = replace(one, started_s=begun_s, finished_s=ended_s if one.phase.is_completed else None)
        latency_s = max(self._latency_s(task.metric.provider) for task in tasks)
        yield clock.after(latency_s, Rank.CONTROLLER, disturbs=False)
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

    def _tell(self, run: Run) -> None:
        order, status = run.order, run.status
        self._ground.journal.analysis(order.name, order.role.value, status.phase.value, status.message)
        self._ground.watch.told(run, self._ground.clock.now)
        self._changed()
