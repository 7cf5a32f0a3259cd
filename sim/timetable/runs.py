"""The analysis runs that a rollout starts: what they measure, and how long they last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sim.decide.arguments import RunContext, TemplateError, replace_tags
from sim.decide.metric_rules import dry_run_names
from sim.decide.templates import resolve
from sim.model.analysis import AnalysisRef, Argument, Metric
from sim.model.rollout import Experiment, RolloutSpec, RunRole
from sim.model.scenario import Scenario
from sim.model.units import go_duration_s
from sim.timetable import measuring
from sim.timetable.measuring import Reach
from sim.timetable.pace import query_s

NEW, OLD = "new", "old"
"""Pod-template hashes of the two revisions in a walk."""


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """One metric of a run. ``query_s`` is the most its pass takes, other metrics' queries included; None: no bound."""

    metric: Metric
    dry_run: bool
    query_s: float | None
    start_s: float
    """From the run's creation to its first pass, at most."""

    @property
    def delay_s(self) -> float:
        """``initialDelay``."""
        return go_duration_s(self.metric.initial_delay) if self.metric.initial_delay else 0.0

    def earliest_s(self, reach: Reach) -> float:
        """From the run's creation to this verdict at the earliest."""
        return measuring.earliest_s(self.metric, reach)

    def latest_s(self, reach: Reach) -> float | None:
        """And at the latest."""
        return measuring.latest_s(self.metric, reach, self.query_s, self.start_s)


@dataclass(frozen=True, slots=True)
class RunKey:
    """Which run of a rollout: its role and, for steps and experiments, its step (from 0) and name."""

    role: RunRole
    step: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One analysis run as it would be started; ``error`` is why it would end as Error at once, or not even exist."""

    key: RunKey
    metrics: tuple[MetricPlan, ...] = ()
    error: str = ""
    exists: bool = True

    @property
    def shortest_s(self) -> float | None:
        """Until it is Successful at the earliest; None if it never is by itself."""
        return self._longest_of(lambda plan: _applied(measuring.shortest_pass(plan.metric), plan.earliest_s))

    @property
    def longest_s(self) -> float | None:
        """Until it is Successful at the latest; None if there is no bound."""
        return self._longest_of(lambda plan: _applied(measuring.longest_pass(plan.metric), plan.latest_s))

    def _longest_of(self, length: Callable[[MetricPlan], float | None]) -> float | None:
        """The run is done when every metric is, dry runs too."""
        lengths = [length(plan) for plan in self.metrics]
        known = [one for one in lengths if one is not None]
        return max(known, default=0.0) if len(known) == len(lengths) else None


def _applied(reach: Reach | None, length: Callable[[Reach], float | None]) -> float | None:
    return None if reach is None else length(reach)


def run_plans(scenario: Scenario, spec: RolloutSpec) -> dict[RunKey, RunPlan]:
    """Every run that the Rollout can start, in the order of the spec."""
    return {key: _plan(scenario, spec, key, ref) for key, ref in _uses(spec)}


def _uses(spec: RolloutSpec) -> Iterator[tuple[RunKey, AnalysisRef]]:
    canary, blue_green = spec.canary, spec.blue_green
    if canary is not None and canary.analysis is not None and canary.analysis.templates:
        yield RunKey(RunRole.BACKGROUND), canary.analysis
    for index, step in enumerate(canary.steps if canary is not None else ()):
        if step.analysis is not None and step.analysis.templates:
            yield RunKey(RunRole.STEP, index), step.analysis
        for one in step.experiment.analyses if step.experiment is not None else ():
            yield RunKey(RunRole.EXPERIMENT, index, one.name), _filled(one.ref, step.experiment)
    if blue_green is not None and blue_green.pre_promotion is not None:
        yield RunKey(RunRole.PRE_PROMOTION), blue_green.pre_promotion
    if blue_green is not None and blue_green.post_promotion is not None:
        yield RunKey(RunRole.POST_PROMOTION), blue_green.post_promotion


def _filled(ref: AnalysisRef, experiment: Experiment | None) -> AnalysisRef:
    """The reference with what only the experiment knows of its templates, as the engine fills it in."""
    names = [one.name for one in experiment.templates] if experiment is not None else []
    known = {f"templates.{name}.podTemplateHash": own_hash(name) for name in names}
    known |= {f"templates.{name}.replicaset.name": own_hash(name) for name in names}

    def filled(one: Argument) -> Argument:
        try:
            return one if one.value is None else replace(one, value=replace_tags(one.value, known.get))
        except TemplateError:
            return one  # said of the run, once it is resolved

    return replace(ref, args=tuple(map(filled, ref.args)))


def own_hash(template: str) -> str:
    """What stands for the hash of an experiment's own pods."""
    return f"pods-of-{template}"


def _plan(scenario: Scenario, spec: RolloutSpec, key: RunKey, ref: AnalysisRef) -> RunPlan:
    context = RunContext(NEW, OLD, spec.namespace, controller=scenario.controller)
    try:
        run = resolve(ref, scenario.manifests, spec, context, spec.name)
    except TemplateError as error:
        return RunPlan(key, error=error.message, exists=error.in_run)
    dry_run = dry_run_names(run.dry_run, [metric.name for metric in run.metrics])
    taken = [query_s(metric.provider, scenario.telemetry) for metric in run.metrics]
    others_s = max((one for one in taken if one is not None), default=0.0)
    # A metric that is due while another one's query runs is measured after it.
    waits_s = others_s if len(run.metrics) > 1 else 0.0
    start_s = scenario.cluster.controller_latency_s
    return RunPlan(
        key,
        tuple(
            MetricPlan(metric, metric.name in dry_run, None if own is None else own + waits_s, start_s)
            for metric, own in zip(run.metrics, taken, strict=True)
        ),
    )
