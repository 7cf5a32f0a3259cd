"""What holds in every rollout, whatever the spec, the faults and the people."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sim.decide.fenceposts import max_surge, max_unavailable, resolve
from sim.engine.argo import ArgoDriver
from sim.model.behaviour import Fault
from sim.model.controller import Controller
from sim.model.operations import Command, Operation
from sim.model.pods import DeploymentSpec
from sim.model.records import PodRecord, ScaleRecord, Verdict, WeightRecord
from sim.model.rollout import CanaryStrategy, RolloutPhase, RolloutSpec
from sim.model.strategy import RollingUpdate
from sim.model.units import IntOrPercent
from tests.engine import builders
from tests.engine.worlds import (
    FENCES,
    REPLICAS,
    Ended,
    canaries,
    faults,
    manifests_of,
    operations,
    replayed,
    rollouts,
    world,
)

many = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
worlds = st.fixed_dictionaries({"controller": st.sampled_from(list(Controller)), "first_deploy": st.booleans()})
moments = st.floats(0.0, 300.0).map(lambda value: round(value, 2))


def driver_of(ended: Ended) -> ArgoDriver:
    driver = ended.run._driver
    assert isinstance(driver, ArgoDriver)
    return driver


def check_pods(ended: Ended) -> None:
    """Every pod ever made is either still there or gone, and takes room on a node exactly as long as it is there."""
    gone = Counter(row.pod for row in ended.rows if isinstance(row, PodRecord) and row.state == "gone")
    sets = ended.run._replica_sets()
    alive = [pod for rs in sets for pod in rs.pods if not pod.gone]
    seen = {row.pod for row in ended.rows if isinstance(row, PodRecord)}
    assert set(gone.values()) <= {1}
    assert seen <= set(gone) | {pod.name for pod in alive}
    assert not set(gone) & {pod.name for pod in alive}
    assert all(len(rs.active) == rs.desired for rs in sets)
    tenants = Counter(id(tenant) for node in ended.run._site.scheduler.nodes for tenant in node.tenants)
    assert tenants == Counter(id(pod) for pod in alive if pod.node is not None)


def check_weights(ended: Ended) -> None:
    """Shares of the traffic are those of a whole; less only where some of it goes where no pod is."""
    for row in ended.rows:
        if isinstance(row, WeightRecord):
            assert 0 <= row.candidate + row.stable <= 100 + 1e-6
    weights = driver_of(ended).controller.status.weights
    if weights is not None:
        parts = (weights.canary, weights.stable, *weights.additional)
        assert sum(part.weight for part in parts) == 100
    for vs in ended.run._router.network.virtual_services.values():
        for route in vs.http:
            assert sum(destination.weight or 0 for destination in route.destinations) == 100


def waits_for_somebody(ended: Ended) -> bool:
    """Whether only a person, or pods that come at last, can move it on, and the rollout says so."""
    driver = driver_of(ended)
    if driver.controller.spec.paused or driver.waits_for_person() is not None:
        return True
    return driver.controller.status.phase is RolloutPhase.DEGRADED and not driver.controller.status.abort


def is_undone_by_upstream(spec: RolloutSpec) -> bool:
    """Whether the real controller itself may never finish an abort: with dynamicStableScale the weight waits for pods to go.

    They never do while a setCanaryScale is kept (abortScaleDownDelaySeconds 0), or where minPodsPerReplicaSet holds more of
    them than the smallest setWeight needs (``utils/replicaset/canary.go:362-425,518-556``).
    """
    canary = spec.canary
    if canary is None or not canary.dynamic_stable_scale:
        return False
    return canary.abort_scale_down_delay_s == 0 or canary.min_pods_per_replica_set is not None


def check_abort(spec: RolloutSpec, ended: Ended) -> None:
    """The stable version serves everything, from all of its pods; none of the aborted one is left, unless kept for ever."""
    driver = driver_of(ended)
    sets = driver.controller._hands.sets
    stable, aborted = sets[driver.controller.status.stable_rs], sets[driver.controller.template_hash]
    assert stable.available == stable.desired == spec.desired
    assert driver._router.weight_of(aborted.revision.hash) == 0
    strategy = spec.canary or spec.blue_green
    if strategy is not None and strategy.abort_scale_down_delay_s != 0:
        assert not aborted.active


@many
@given(rollouts())
def test_without_trouble_a_rollout_ends_or_waits_for_a_person(spec: RolloutSpec) -> None:
    ended = replayed(world(manifests_of(spec)))
    check_pods(ended)
    check_weights(ended)
    if ended.verdict is Verdict.STUCK and not is_undone_by_upstream(spec):
        assert waits_for_somebody(ended), ended.reason


@many
@given(rollouts(), st.lists(operations(), max_size=3), st.lists(faults(), max_size=1), worlds)
def test_pods_and_weights_add_up_in_any_trouble(
    spec: RolloutSpec, deeds: list[Operation], troubles: list[Fault], changes: dict[str, Any]
) -> None:
    """With every release of the controller, and where nothing ran before."""
    ended = replayed(world(manifests_of(spec), operations=tuple(deeds), faults=tuple(troubles), **changes))
    check_pods(ended)
    check_weights(ended)


@many
@given(rollouts(), moments)
def test_an_abort_ends_with_the_stable_version_serving_everything(spec: RolloutSpec, at_s: float) -> None:
    assume(not is_undone_by_upstream(spec))
    ended = replayed(world(manifests_of(spec), operations=(Operation(at_s, Command.ABORT),)))
    if driver_of(ended).controller.status.abort:
        assert ended.verdict is Verdict.ABORTED
        check_abort(spec, ended)


def bounds_kept(ended: Ended, most: int, least: int) -> None:
    latest: dict[str, ScaleRecord] = {}
    for row in ended.rows:
        if isinstance(row, ScaleRecord):
            latest[row.replica_set] = row
            if row.t_s > 0:
                assert sum(one.desired for one in latest.values()) <= most
                assert sum(one.available for one in latest.values()) >= least


@many
@given(rollouts(), canaries(routed=False), moments)
def test_a_basic_canary_keeps_to_surge_and_unavailability(
    spec: RolloutSpec, strategy: CanaryStrategy, at_s: float
) -> None:
    """Aborted at any time, without faults. An experiment's pods are no part of it."""
    plain = replace(strategy, steps=tuple(step for step in strategy.steps if step.experiment is None))
    basic = replace(spec, canary=plain, blue_green=None)
    ended = replayed(world(manifests_of(basic), operations=(Operation(at_s, Command.ABORT),)))
    bounds_kept(ended, basic.desired + max_surge(basic), basic.desired - max_unavailable(basic))


@many
@given(REPLICAS, FENCES, FENCES, st.sampled_from([0.0, 10.0]))
def test_a_rolling_update_keeps_to_surge_and_unavailability(
    replicas: int, surge: IntOrPercent | None, unavailable: IntOrPercent | None, min_ready_s: float
) -> None:
    quarter = IntOrPercent(25, percent=True)
    surge, unavailable = surge or quarter, unavailable or quarter
    deployment = DeploymentSpec(
        "shop",
        replicas=replicas,
        selector=builders.APP,
        template=builders.template(),
        min_ready_s=min_ready_s,
        max_surge=surge,
        max_unavailable=unavailable,
    )
    manifests = replace(builders.deployment_manifests(), deployments=(deployment,))
    ended = replayed(world(manifests, RollingUpdate("shop")))
    up, down = resolve(surge, unavailable, replicas)
    bounds_kept(ended, replicas + up, replicas - down)
    assert ended.verdict is Verdict.PROMOTED


@settings(many, max_examples=40)
@given(rollouts(), st.lists(operations(), max_size=2), st.lists(faults(), max_size=1))
def test_reconciles_that_are_left_out_would_have_changed_nothing(
    spec: RolloutSpec, deeds: list[Operation], troubles: list[Fault]
) -> None:
    scenario = world(manifests_of(spec), operations=tuple(deeds), faults=tuple(troubles))
    short = replayed(scenario)
    with patch("sim.decide.progress._counts", lambda _status: ()):
        assert replayed(scenario).rows == short.rows
