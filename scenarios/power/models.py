"""A rollout's gates as models: when each measures, what it counts, and which chances follow from the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import floor

from scenarios.power.probes import CANARY, Probe
from scenarios.power.queries import reading
from scenarios.power.readings import Quantile, Reading, Share
from scenarios.power.shares import Unread
from scenarios.power.world import Flow
from sim.decide.defaults import JUST_AFTER_S
from sim.decide.standing import with_workload
from sim.model.analysis import Metric
from sim.model.behaviour import Delay, Shape, VersionBehaviour
from sim.model.rollout import RolloutSpec, RunRole
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, Geographic, Strategy
from sim.model.units import go_duration_s
from sim.timetable import Refused, Timetable, plan
from sim.timetable.gates import where
from sim.timetable.pace import query_s
from sim.timetable.runs import MetricPlan, RunKey, own_hash, run_plans
from sim.timetable.values import Gate, Row

MOST_MEASUREMENTS = 400
"""Of one gate that are looked at."""
_NO_TRAFFIC = "the release has no traffic while it measures"
_OWN_PODS = "it judges the experiment's own pods"
_OWN_TRAFFIC = "the experiment's own pods take part of the traffic"


@dataclass(frozen=True)
class GateModel:
    """One metric of one analysis run: when it measures and what it judges. ``reason`` is why there is no closed form."""

    key: RunKey
    where: str
    metric: Metric
    first_s: float
    """First measurement, since the apply, where every delay takes its median."""
    until_s: float | None
    """When its run is ended from outside; None for a run that ends by itself."""
    query_s: float
    rows: tuple[Row, ...] = ()
    reading: Reading | None = None
    reason: str = ""
    dry_run: bool = False

    @property
    def name(self) -> str:
        """``success-rate, step 3``."""
        return f"{self.metric.name}, {self.where}"

    @property
    def interval_s(self) -> float:
        """Between measurements; 0 where there is only one."""
        return go_duration_s(self.metric.interval) if self.metric.interval else 0.0

    @property
    def is_slowness(self) -> bool:
        """Whether it is about latency, by its query's text where it has no closed form."""
        match self.reading:
            case Share():
                return self.reading.is_slowness
            case Quantile():
                return True
        return "duration" in str(self.metric.provider) or "latency" in str(self.metric.provider)

    @cached_property
    def instants(self) -> tuple[float, ...]:
        """When it measures, if no measurement is an error."""
        found: list[float] = []
        at_s, count = self.first_s, self.metric.count or (None if self.interval_s else 1)
        while len(found) < MOST_MEASUREMENTS and (count is None or len(found) < count):
            if self.until_s is not None and at_s >= self.until_s and found:
                break
            found.append(at_s)
            # Stored times are whole seconds, cut: see sim.timetable.measuring.
            at_s = floor(at_s + self.query_s) + self.interval_s + JUST_AFTER_S
        return tuple(found)

    def row_at(self, at_s: float) -> Row | None:
        """The step in which a measurement falls."""
        if self.key.role in {RunRole.STEP, RunRole.EXPERIMENT}:
            return next((row for row in self.rows if row.number == (self.key.step or 0) + 1), None)
        for row in self.rows:
            if row.end.earliest_s is None or at_s < row.end.earliest_s:
                return row
        return self.rows[-1] if self.rows else None


@dataclass(frozen=True)
class Rollout:
    """All gates of one Rollout, and the traffic and behaviours they judge."""

    scenario: Scenario
    subject: str
    flow: Flow
    healthy: VersionBehaviour
    """How a good release behaves."""
    gates: tuple[GateModel, ...]
    timetable: Timetable
    broken: tuple[tuple[str, str], ...] = ()
    """(where, why) of runs that end in Error at once, or cannot exist."""
    region: str = ""
    """Of several regions the first, by whose traffic the gates are judged."""


@dataclass(frozen=True)
class Gateless:
    """Nothing can abort, in words."""

    subject: str
    why: str


def rollout_of(scenario: Scenario) -> Rollout | Gateless:
    """The models of the scenario's Rollout, or why it has no gates."""
    refused = plan(scenario)
    if isinstance(refused, Refused):
        return Gateless(refused.subject, f"{refused.actor} refuses the release: {refused.reason}")
    scenario, region = in_region(scenario)
    found = plan(typical(scenario))
    if isinstance(found, Refused):
        return Gateless(found.subject, f"{found.actor} refuses the release: {found.reason}")
    name = _rollout_name(scenario.strategy)
    if name is None:
        return Gateless(found.subject, "it has no analysis: nothing measures the release, so nothing can abort it")
    spec = with_workload(next(one for one in scenario.manifests.rollouts if one.name == name), scenario.manifests)
    plans = run_plans(scenario, spec)
    if scenario.first_deploy:
        return Gateless(found.subject, "it is the first deployment: analyses are skipped, so nothing can abort it")
    if not plans:
        return Gateless(found.subject, "it has no analysis: nothing measures the release, so nothing can abort it")
    lag_s = scenario.cluster.route_propagation.median_s
    flow = Flow(scenario.load, found.fastest, lag_s)
    return Rollout(
        scenario,
        found.subject,
        flow,
        healthy_behaviour(scenario),
        tuple(_gates(scenario, spec, found, flow)),
        found,
        tuple((_where(key), one.error) for key, one in plans.items() if one.error),
        region,
    )


def in_region(scenario: Scenario) -> tuple[Scenario, str]:
    """The rollout of a regional strategy's first region with its share of the traffic, and which it is; else as it is."""
    strategy = scenario.strategy
    if not isinstance(strategy, Geographic):
        return scenario, ""
    region = next(one for phase in strategy.phases for one in phase.regions if one.deployed)
    stages = tuple(replace(stage, rate_rps=stage.rate_rps * region.share) for stage in scenario.load.stages)
    return replace(scenario, strategy=strategy.inner, load=replace(scenario.load, stages=stages)), region.name


def typical(scenario: Scenario) -> Scenario:
    """The scenario in which every delay takes its median, so that the fastest walk through it is a typical one.

    New pods pull their image; while they start, the release stays at the weight it has, and gates go on measuring.
    """
    pull_s = scenario.cluster.image_pull.median_s
    cluster = replace(scenario.cluster, schedule=_fixed(scenario.cluster.schedule.median_s))
    release = replace(scenario.release, behaviour=_started(scenario.release.behaviour, pull_s))
    return replace(scenario, cluster=cluster, stable=_started(scenario.stable, pull_s), release=release)


def _started(behaviour: VersionBehaviour, pull_s: float) -> VersionBehaviour:
    return replace(behaviour, start_up=_fixed(behaviour.start_up.median_s + pull_s))


def _fixed(median_s: float) -> Delay:
    return Delay(median_s, Shape.CONSTANT)


def _rollout_name(strategy: Strategy) -> str | None:
    return strategy.rollout if isinstance(strategy, ArgoRollout) else None


def healthy_behaviour(scenario: Scenario) -> VersionBehaviour:
    """How a good release behaves: the first of the mix, else as the stable version."""
    good = (release for release in (*scenario.mix, scenario.release) if release.good)
    return next((release.behaviour for release in good), scenario.stable)


@dataclass(frozen=True)
class _Maker:
    """What all gates of a Rollout have in common."""

    scenario: Scenario
    probe: Probe
    flow: Flow
    rows: tuple[Row, ...]

    def model(self, key: RunKey, planned: MetricPlan, timed: Gate) -> GateModel:
        """The model of one metric."""
        metric = planned.metric
        ends_by_itself = key.role not in {RunRole.BACKGROUND, RunRole.EXPERIMENT}
        model = GateModel(
            key,
            _where(key),
            metric,
            timed.first_measurement_s or 0.0,
            None if ends_by_itself else timed.end.earliest_s,
            query_s(metric.provider, self.scenario.telemetry) or 0.0,
            self.rows,
            dry_run=planned.dry_run,
        )
        if timed.first_measurement_s is None:
            return replace(model, reason="its run never starts")
        return self._read(model)

    def _read(self, model: GateModel) -> GateModel:
        beside = _beside(self.probe.spec, model)
        if beside:
            return replace(model, reason=beside)
        try:
            read = reading(model.metric, self.probe, self.scenario.controller)
        except Unread as why:
            return replace(model, reason=str(why))
        if not read.verdicts.can_fail:
            return replace(model, reason="it passes whatever is measured")
        if read.sides == {CANARY} and not any(self.flow.weight(at_s) > 0 for at_s in model.instants):
            return replace(model, reason=_NO_TRAFFIC)
        return replace(model, reading=read)


def _where(key: RunKey) -> str:
    """``step 3``, ``step 3, experiment judge``: a step's experiment may have several analyses."""
    return where(key) + (f", experiment {key.name}" if key.role is RunRole.EXPERIMENT else "")


def _beside(spec: RolloutSpec, model: GateModel) -> str:
    """Why an experiment's analysis is about more than the release and the stable version; '' if it is not."""
    canary, key = spec.canary, model.key
    if key.role is not RunRole.EXPERIMENT or canary is None:
        return ""
    experiment = canary.steps[key.step or 0].experiment
    templates = experiment.templates if experiment is not None else ()
    if any(own_hash(one.name) in str(model.metric.provider) for one in templates):
        return _OWN_PODS
    return _OWN_TRAFFIC if any(one.weight for one in templates) else ""


def _gates(scenario: Scenario, spec: RolloutSpec, found: Timetable, flow: Flow) -> Iterator[GateModel]:
    plans = run_plans(scenario, spec)
    texts = " ".join(str(metric.metric.provider) for one in plans.values() for metric in one.metrics)
    maker = _Maker(scenario, Probe(scenario, spec, texts), flow, found.rows)
    timed = iter(found.gates)
    for key, one in plans.items():
        if one.error:
            next(timed)
        for metric in one.metrics:
            yield maker.model(key, metric, next(timed))
