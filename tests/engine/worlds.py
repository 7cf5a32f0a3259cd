"""Random rollouts with random trouble, small and without traffic, so that one takes milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from sim.decide.rejections import rejection
from sim.engine.local import LocalRun, Place
from sim.model.analysis import AnalysisRef, TemplateRef
from sim.model.behaviour import Crash, Effect, Fault, NodeLoss, PodKill, Release, Side, SlowStart, Target, Trigger
from sim.model.load import LoadShape, Stage
from sim.model.manifests import ManifestSet
from sim.model.operations import Command, Operation
from sim.model.records import Record
from sim.model.rollout import (
    BlueGreenStrategy,
    CanaryScale,
    CanaryStep,
    CanaryStrategy,
    Experiment,
    ExperimentAnalysis,
    ExperimentTemplate,
    HeaderMatch,
    HeaderRoute,
    RolloutSpec,
    Threshold,
)
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, LocalStrategy, RollingUpdate
from sim.model.telemetry import PrometheusTelemetry, Telemetry
from sim.model.units import IntOrPercent
from sim.streams import Streams
from tests.engine import builders

HORIZON_S = 7200.0
"""Longer than any plan below with its progress deadlines."""
JUDGES = {"passes": "true", "fails": "false", "errs": "result[5] > 1"}
TEMPLATES = (
    *(
        builders.prometheus_template(name, "vector(1)", condition, interval="20s", count=2)
        for name, condition in JUDGES.items()
    ),
    builders.prometheus_template("doubts", "vector(1)", "false", failureCondition="false"),
)
ROUTE = HeaderRoute("by-header", (HeaderMatch("x-canary", "exact", "yes"),))
SECOND = Release("second", good=True, share=0.0, behaviour=builders.version("second"))


def analyses(*, doubts: bool = True) -> st.SearchStrategy[AnalysisRef]:
    names = ["passes", "passes", "fails", "errs", *(["doubts"] if doubts else [])]
    return st.sampled_from(names).map(lambda name: AnalysisRef((TemplateRef(name),)))


@st.composite
def experiments(draw: st.DrawFn, *, routed: bool) -> Experiment:
    weights = st.sampled_from([None, 5, 20]) if routed else st.none()
    templates = tuple(
        ExperimentTemplate(name, spec_ref, replicas=draw(st.integers(0, 2)), weight=draw(weights))
        for name, spec_ref in (("base", "stable"), ("try", "canary"))
    )
    required = draw(st.booleans())
    judged = (ExperimentAnalysis("judge", draw(analyses()), required),) if required or draw(st.booleans()) else ()
    return Experiment(templates, draw(st.sampled_from(["30s", "1m"])), judged, draw(st.sampled_from([None, 0, 5])))


@st.composite
def steps(draw: st.DrawFn, *, routed: bool) -> CanaryStep:
    kinds = ["weight", "weight", "pause", "analysis", "experiment", *(["scale", "route"] if routed else [])]
    match draw(st.sampled_from(kinds)):
        case "weight":
            return CanaryStep(set_weight=draw(st.integers(0, 100)))
        case "pause":
            return builders.pause(draw(st.sampled_from([1, 30, "2m", "0s", None])))
        case "analysis":
            return CanaryStep(analysis=draw(analyses()))
        case "experiment":
            return CanaryStep(experiment=draw(experiments(routed=routed)))
        case "route":
            return CanaryStep(set_header_route=draw(st.sampled_from([ROUTE, HeaderRoute("by-header")])))
        case _:
            scale = st.one_of(
                st.integers(0, 8).map(lambda count: CanaryScale(replicas=count)),
                st.integers(0, 100).map(lambda weight: CanaryScale(weight=weight)),
                st.just(CanaryScale(match_traffic_weight=True)),
            )
            return CanaryStep(set_canary_scale=draw(scale))


FENCES = st.sampled_from([None, IntOrPercent(0), IntOrPercent(1), IntOrPercent(3), IntOrPercent(50, percent=True)])
REPLICAS = st.sampled_from([0, 1, 1, 2, 3, 4, 7])


@st.composite
def canaries(draw: st.DrawFn, *, routed: bool) -> CanaryStrategy:
    plan = tuple(draw(st.lists(steps(routed=routed), max_size=5)))
    surge, unavailable = draw(FENCES), draw(FENCES)
    if surge == unavailable == IntOrPercent(0):
        surge = IntOrPercent(1)
    base = CanaryStrategy(plan, "shop-canary", "shop-stable", max_surge=surge, max_unavailable=unavailable)
    base = replace(base, analysis=draw(st.one_of(st.none(), analyses())))
    if not routed:
        return base
    dynamic = draw(st.booleans())
    return replace(
        base,
        traffic_routing=replace(builders.ISTIO, managed_routes=("by-header",)),
        dynamic_stable_scale=dynamic,
        scale_down_delay_s=None if dynamic else draw(st.sampled_from([None, 0, 5])),
        abort_scale_down_delay_s=draw(st.sampled_from([None, 0, 5])),
        min_pods_per_replica_set=draw(st.sampled_from([None, 2])),
        replica_progress_threshold=draw(st.sampled_from([None, Threshold("Percent", 50), Threshold("Pod", 1)])),
    )


@st.composite
def blue_greens(draw: st.DrawFn) -> BlueGreenStrategy:
    return BlueGreenStrategy(
        "shop-stable",
        "shop-canary",
        preview_replica_count=draw(st.sampled_from([None, 1, 2])),
        auto_promotion_enabled=draw(st.sampled_from([None, True, False])),
        auto_promotion_s=draw(st.sampled_from([0, 20])),
        scale_down_delay_s=draw(st.sampled_from([None, 0, 60])),
        abort_scale_down_delay_s=draw(st.sampled_from([None, 0, 5])),
        pre_promotion=draw(st.one_of(st.none(), analyses())),
        post_promotion=draw(st.one_of(st.none(), analyses(doubts=False))),
    )


@st.composite
def rollouts(draw: st.DrawFn) -> RolloutSpec:
    kind = draw(st.sampled_from(["routed", "basic", "blue-green"]))
    strategy: dict[str, Any] = (
        {"blue_green": draw(blue_greens())}
        if kind == "blue-green"
        else {"canary": draw(canaries(routed=kind == "routed"))}
    )
    return RolloutSpec(
        "shop",
        replicas=draw(REPLICAS),
        selector=builders.APP,
        template=builders.template(),
        min_ready_s=draw(st.sampled_from([0, 0, 10])),
        progress_deadline_s=draw(st.sampled_from([None, 60])),
        progress_deadline_abort=draw(st.booleans()),
        rollback_window_revisions=draw(st.sampled_from([None, 1])),
        revision_history_limit=draw(st.sampled_from([None, 0, 1])),
        **strategy,
    )


def operations() -> st.SearchStrategy[Operation]:
    at_s = st.floats(0.0, 400.0).map(lambda value: round(value, 2))
    plain = [one for one in Command if one not in {Command.APPLY, Command.SCALE}]
    return st.one_of(
        st.builds(Operation, at_s, st.sampled_from(plain)),
        st.builds(lambda at, count: Operation(at, Command.SCALE, replicas=count), at_s, REPLICAS),
        st.builds(
            lambda at, name: Operation(at, Command.APPLY, release=name), at_s, st.sampled_from(["second", "good"])
        ),
    )


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    effects: list[Effect] = [Crash(0.0), Crash(40.0), SlowStart(factor=4.0), SlowStart(add_s=1e6), NodeLoss(1)]
    effects += [PodKill(1), PodKill(3)]
    effect = draw(st.sampled_from(effects))
    when = Trigger(draw(st.sampled_from([0.0, 20.0, 75.0])), draw(st.sampled_from([None, 30.0, 400.0])))
    return Fault("fault", effect, when, Target(draw(st.sampled_from(list(Side))), draw(st.sampled_from([0.5, 1.0]))))


def world(manifests: ManifestSet, strategy: LocalStrategy | None = None, **changes: Any) -> Scenario:
    """Without traffic; monitoring hardly ticks."""
    defaults: dict[str, Any] = {
        "load": LoadShape((Stage(60.0, 0.0),)),
        "mix": (builders.release(), SECOND),
        "people": replace(builders.QUIET),
        "telemetry": Telemetry(prometheus=PrometheusTelemetry(scrape_interval_s=3600.0), sample_interval_s=3600.0),
        "warm_up_s": 1.0,
        "tail_s": 600.0,
        "horizon_s": HORIZON_S,
    }
    return builders.scenario(manifests, strategy or ArgoRollout("shop"), **(defaults | changes))


def manifests_of(spec: RolloutSpec) -> ManifestSet:
    base = builders.canary_manifests((), templates=TEMPLATES)
    return replace(base, rollouts=(spec,))


@dataclass(frozen=True)
class Ended:
    """A finished run with the objects that are left."""

    run: LocalRun
    verdict: str
    reason: str
    rows: tuple[Record, ...]


def replayed(scenario: Scenario, seed: int = 1) -> Ended:
    strategy = scenario.strategy
    assert isinstance(strategy, ArgoRollout | RollingUpdate)
    run = LocalRun(scenario, strategy, Place(Streams(seed)))
    result = run.run(rejection(scenario, strategy))
    return Ended(run, result.outcome.verdict, result.outcome.reason, result.rows)
