"""What holds for every rollout: weights add up, decisions settle, an abort ends with stable serving everybody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sim.decide import operations
from sim.decide.defaults import max_weight
from sim.decide.fenceposts import max_surge, max_unavailable
from sim.decide.releases import known_to
from sim.model.actions import SetWeight
from sim.model.analysis import AnalysisPhase
from sim.model.controller import Controller
from sim.model.rollout import CanaryScale, CanaryStep, RolloutPhase, RolloutSpec, TrafficRouting
from sim.model.units import IntOrPercent
from tests.decide.builders import ANALYSIS, analysis, basic, blue_green, pause, routed, running, weight
from tests.decide.driver import World

steps = st.one_of(
    st.integers(0, 100).map(weight),
    st.sampled_from(["30s", 5, "2m", None]).map(pause),
    st.just(analysis()),
    st.integers(1, 12).map(lambda count: CanaryStep(set_canary_scale=CanaryScale(replicas=count))),
    st.just(CanaryStep(set_canary_scale=CanaryScale(match_traffic_weight=True))),
)


@st.composite
def canaries(draw: st.DrawFn) -> RolloutSpec:
    plan = draw(st.lists(steps, max_size=6))
    fields: dict[str, Any] = {
        "dynamic_stable_scale": draw(st.booleans()),
        "abort_scale_down_delay_s": draw(st.sampled_from([None, 0, 10])),
        "min_pods_per_replica_set": draw(st.sampled_from([None, 2])),
        "analysis": draw(st.sampled_from([None, ANALYSIS])),
    }
    spec = routed(*plan, replicas=draw(st.integers(1, 20)), **fields)
    routing = TrafficRouting(("plugins",), max_weight=draw(st.sampled_from([None, None, 200, 1000])))
    return replace(spec, canary=replace(spec.canary, traffic_routing=routing)) if spec.canary else spec


@st.composite
def others(draw: st.DrawFn) -> RolloutSpec:
    if draw(st.booleans()):
        return basic(*draw(st.lists(steps.filter(lambda s: s.set_canary_scale is None), max_size=5)))
    return blue_green(
        auto_promotion_enabled=draw(st.sampled_from([None, True, False])),
        auto_promotion_s=draw(st.sampled_from([0, 20])),
        preview_replica_count=draw(st.sampled_from([None, 1, 2])),
        pre_promotion=draw(st.sampled_from([None, ANALYSIS])),
        post_promotion=draw(st.sampled_from([None, ANALYSIS])),
    )


class Deed:
    """What people and analysis may do between two reconciles."""

    APPROVE, PASS, FAIL, DOUBT, ABORT, RETRY, FULL, UNDO, NEXT, BREAK, MEND, WAIT = range(12)


def play(world: World, deed: int) -> None:
    running_runs = [run for run in world.runs if not run.phase.is_completed]
    verdicts = {
        Deed.PASS: AnalysisPhase.SUCCESSFUL,
        Deed.FAIL: AnalysisPhase.FAILED,
        Deed.DOUBT: AnalysisPhase.INCONCLUSIVE,
    }
    if deed in verdicts and running_runs:
        index = world.runs.index(running_runs[-1])
        world.runs[index] = replace(world.runs[index], phase=verdicts[deed])
    operation = {Deed.ABORT: operations.abort, Deed.RETRY: operations.retry, Deed.FULL: operations.promote_full}
    if deed in operation:
        world.status = operation[deed](world.status)
    if deed == Deed.APPROVE:
        world.status = operations.promote(world.spec, world.status)
    world.template = {Deed.UNDO: "v1", Deed.NEXT: "v3"}.get(deed, world.template)
    if deed == Deed.BREAK:
        world.broken.add(world.template)
    if deed == Deed.MEND:
        world.broken.clear()
    world.grow()
    world.settle(world.now_s + 45 if deed == Deed.WAIT else None)


deeds = st.lists(st.integers(0, 11), max_size=10)


def waits_for(world: World) -> str:
    """What a settled rollout without a timer waits for; '' if nothing would ever move it on."""
    spec, status = world.spec, world.status
    waiting = {
        "nothing: promoted": status.phase is RolloutPhase.HEALTHY,
        "a person: aborted": status.abort,
        "a person: paused": bool(status.pause_conditions) or spec.paused,
        "pods": any(rs.available < rs.desired for rs in world.rss.values()),
        "an analysis": any(not run.phase.is_completed for run in world.runs),
        "an experiment": world.experiment is not None and not world.experiment.phase.is_completed,
    }
    return next((what for what, holds in waiting.items() if holds), "")


@settings(max_examples=200, deadline=None)
@given(spec=canaries() | others(), plan=deeds, controller=st.sampled_from(Controller))
def test_decisions_settle_whatever_happens(spec: RolloutSpec, plan: list[int], controller: Controller) -> None:
    world = running(known_to(controller, spec), controller)
    world.template = "v2"
    world.settle()
    for deed in plan:
        play(world, deed)
        decision = world.decide()
        assert (decision.actions, decision.status) == ((), world.status), "a settled rollout stays as it is"
        assert decision.wake_s is None or decision.wake_s > world.now_s
        assert decision.wake_s is not None or waits_for(world)
    total = max_weight(world.spec)
    for _, entry in world.journal:
        if isinstance(entry, SetWeight):
            assert entry.weights.canary.weight + entry.weights.stable.weight == total
            assert entry.weights.canary.weight >= 0


@settings(deadline=None)
@given(
    spec=others().filter(lambda spec: spec.canary is not None),
    surge=st.sampled_from([None, IntOrPercent(0), IntOrPercent(1), IntOrPercent(3), IntOrPercent(50, percent=True)]),
    unavailable=st.sampled_from([None, IntOrPercent(1), IntOrPercent(2), IntOrPercent(30, percent=True)]),
    plan=deeds,
)
def test_a_basic_canary_keeps_within_its_fenceposts(
    spec: RolloutSpec, surge: IntOrPercent | None, unavailable: IntOrPercent | None, plan: list[int]
) -> None:
    assert spec.canary is not None
    spec = replace(spec, canary=replace(spec.canary, max_surge=surge, max_unavailable=unavailable))
    world = running(spec)
    most, least = spec.desired + max_surge(spec), spec.desired - max_unavailable(spec)
    seen: list[tuple[int, int]] = []
    world.watch = lambda now: seen.append((sum(now.sizes().values()), sum(rs.available for rs in now.rss.values())))
    world.template = "v2"
    world.settle()
    for deed in plan:
        if deed not in {Deed.BREAK, Deed.NEXT}:
            play(world, deed)
    assert all(size <= most for size, _ in seen)
    assert all(available >= least for _, available in seen)


@settings(deadline=None)
@given(spec=canaries(), plan=st.lists(st.sampled_from([Deed.APPROVE, Deed.PASS, Deed.WAIT]), max_size=6))
def test_abort_ends_with_stable_serving_everybody(spec: RolloutSpec, plan: list[int]) -> None:
    assume(spec.canary is not None and not (spec.canary.dynamic_stable_scale and spec.canary.min_pods_per_replica_set))
    world = running(spec)
    world.template = "v2"
    world.settle()
    for deed in plan:
        play(world, deed)
    world.status = operations.abort(world.status)
    world.settle(world.now_s + 3600)
    weights = world.status.weights
    assert weights is not None
    assert (weights.canary.weight, weights.stable.weight) == (0, max_weight(spec))
    assert world.sizes()[world.status.stable_rs] == spec.desired
    if world.status.stable_rs == "v1":
        assert world.status.phase is RolloutPhase.DEGRADED


@settings(deadline=None)
@given(spec=canaries())
def test_everything_approved_is_promoted(spec: RolloutSpec) -> None:
    world = running(spec)
    world.template = "v2"
    world.settle()
    for _ in range(3 * len(spec.canary.steps if spec.canary else ()) + 3):
        play(world, Deed.PASS)
        play(world, Deed.WAIT)
        if world.status.pause_conditions:
            play(world, Deed.APPROVE)
    world.settle(world.now_s + 3600)
    assert world.status.stable_rs == "v2"
    assert world.sizes() == {"v1": 0, "v2": spec.desired}
