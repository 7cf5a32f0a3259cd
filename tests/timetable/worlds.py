"""Rollouts to be planned and to be run: without traffic to speak of, judged by scripted answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from sim.model.analysis import AnalysisRef, AnalysisTemplate
from sim.model.behaviour import Delay
from sim.model.controller import NEWEST, Controller
from sim.model.load import LoadShape, Stage
from sim.model.manifests import ManifestSet
from sim.model.rollout import CanaryScale, CanaryStep, Experiment, ExperimentTemplate, RolloutSpec
from sim.model.scenario import Cluster, Scenario
from sim.model.strategy import ArgoRollout, RollingUpdate
from sim.model.telemetry import Signal, Telemetry
from sim.model.units import IntOrPercent
from tests.engine import builders

QUIET_LOAD = LoadShape((Stage(60.0, 0.001),))
ANY_DELAYS = Cluster(nodes=50, schedule=Delay(0.2), image_pull=Delay(4.0), route_propagation=builders.constant(0.0))
"""Pods take their random time; routers act on weights as they are written, which is what a timetable speaks of."""
_LENGTHS: tuple[int | str | None, ...] = (5, "30s", "2m")


GOOD, BAD = '{"ok": true}', '{"ok": false}'


def gate(name: str, *others: dict[str, Any], **metric: Any) -> AnalysisTemplate:
    """A template whose answers the scenario scripts; ``others`` are more metrics of it."""
    base = {"provider": {"web": {"url": "http://x"}}, "successCondition": "result.ok"}
    metrics = [
        base | {"name": name} | metric,
        *(base | {"name": f"{name}-{n}"} | more for n, more in enumerate(others)),
    ]
    return AnalysisTemplate(name, metrics_json=tuple(json.dumps(one) for one in metrics))


def scenario(
    manifests: ManifestSet,
    *,
    bad_from_s: float | None = None,
    deployment: bool = False,
    controller: Controller = NEWEST,
) -> Scenario:
    """Good answers for ever, or up to an instant."""
    answers = ((-1e6, GOOD),) if bad_from_s is None else ((-1e6, GOOD), (bad_from_s, BAD))
    signals = tuple(Signal(one.name, "", answers) for one in manifests.analysis_templates)
    return builders.scenario(
        manifests,
        RollingUpdate("shop") if deployment else ArgoRollout("shop"),
        load=QUIET_LOAD,
        telemetry=Telemetry(signals=signals),
        cluster=ANY_DELAYS,
        controller=controller,
        warm_up_s=1.0,
        tail_s=90.0,
        horizon_s=20_000.0,
    )


@st.composite
def gates(draw: st.DrawFn, name: str, *, inline: bool) -> AnalysisTemplate:
    """A template of one or two metrics."""
    metrics = [draw(_metrics(inline=inline)) for _ in range(draw(st.sampled_from([1, 1, 2])))]
    return gate(name, *metrics[1:], **metrics[0])


@st.composite
def _metrics(draw: st.DrawFn, *, inline: bool) -> dict[str, Any]:
    interval = draw(st.sampled_from(["1s", "7s", "20s", "1m", "1500ms"]))
    count = draw(st.sampled_from([1, 2, 4] if inline else [None, 2, 5]))
    fields: dict[str, Any] = {"interval": interval, "failureLimit": draw(st.sampled_from([0, 1, 2]))}
    if count is not None:
        fields |= {"count": count, "failureLimit": min(count, fields["failureLimit"])}
    if draw(st.booleans()):
        fields["initialDelay"] = draw(st.sampled_from(["10s", "45s"]))
    return fields


_MOVES = st.one_of(
    st.integers(0, 100).map(builders.set_weight),
    st.sampled_from(_LENGTHS).map(builders.pause),
    st.just(builders.analysis("inline")),
)
_EXPERIMENTS = st.builds(
    lambda replicas, ref, length: CanaryStep(experiment=Experiment((ExperimentTemplate("x", ref, replicas),), length)),
    st.integers(1, 3),
    st.sampled_from(["canary", "stable"]),
    st.sampled_from(["30s", "2m"]),
)
_SCALES = st.one_of(
    st.integers(1, 12).map(lambda count: CanaryStep(set_canary_scale=CanaryScale(replicas=count))),
    st.just(CanaryStep(set_canary_scale=CanaryScale(match_traffic_weight=True))),
)


@st.composite
def canaries(draw: st.DrawFn, *, routed: bool, background: bool | None = None) -> ManifestSet:
    moves = st.one_of(_MOVES, _MOVES, _SCALES, _EXPERIMENTS) if routed else st.one_of(_MOVES, _MOVES, _EXPERIMENTS)
    steps = tuple(draw(st.lists(moves, max_size=6)))
    watched = draw(st.booleans()) if background is None else background
    templates = (draw(gates("inline", inline=True)), draw(gates("watch", inline=False)))
    manifests = builders.canary_manifests(
        steps,
        replicas=draw(st.integers(1, 20)),
        templates=templates,
        background=_watch(draw(st.sampled_from([None, 1, 3]))) if watched else None,
        min_ready_s=draw(st.sampled_from([0, 0, 15])),
    )
    spec = manifests.rollouts[0]
    fields: dict[str, Any] = {}
    if routed:
        fields["dynamic_stable_scale"] = draw(st.booleans())
        # More than there are replicas, older controllers promote only if they happen to look at the right moment.
        fields["min_pods_per_replica_set"] = draw(st.sampled_from([None, 2])) if spec.desired > 1 else None
    else:
        fields |= {
            "traffic_routing": None,
            "max_surge": draw(st.sampled_from([None, IntOrPercent(1), IntOrPercent(50, percent=True)])),
            "max_unavailable": draw(st.sampled_from([None, IntOrPercent(0), IntOrPercent(2)])),
        }
    return _with_canary(manifests, spec, **fields)


@st.composite
def watched(draw: st.DrawFn) -> ManifestSet:
    """A canary that gets traffic and is watched from the start, without end."""
    interval, limit = draw(st.sampled_from(["7s", "20s", "1m"])), draw(st.sampled_from([0, 1, 2]))
    first = builders.set_weight(draw(st.integers(1, 100)))
    steps = (
        first,
        *draw(st.lists(_MOVES.filter(lambda step: step.set_weight != 0), max_size=3)),
        builders.pause("10m"),
    )
    templates = (draw(gates("inline", inline=True)), gate("watch", interval=interval, failureLimit=limit))
    replicas = draw(st.integers(1, 20))
    return builders.canary_manifests(steps, replicas=replicas, templates=templates, background=_watch(None))


def _watch(starting_step: int | None) -> AnalysisRef:
    return replace(builders.refs("watch"), starting_step=starting_step)


def _with_canary(manifests: ManifestSet, spec: RolloutSpec, **fields: Any) -> ManifestSet:
    assert spec.canary is not None
    canary = replace(spec.canary, **fields)
    if canary.max_surge == IntOrPercent(0) and canary.max_unavailable == IntOrPercent(0):
        canary = replace(canary, max_surge=None)
    return replace(manifests, rollouts=(replace(spec, canary=canary),))


@st.composite
def blue_greens(draw: st.DrawFn) -> ManifestSet:
    pre, post = draw(gates("before", inline=True)), draw(gates("after", inline=True))
    return builders.blue_green_manifests(
        replicas=draw(st.integers(1, 6)),
        templates=(pre, post),
        preview_replica_count=draw(st.sampled_from([None, 1, 2])),
        auto_promotion_s=draw(st.sampled_from([0, 40])),
        pre_promotion=draw(st.sampled_from([None, builders.refs("before")])),
        post_promotion=draw(st.sampled_from([None, builders.refs("after")])),
        scale_down_delay_s=draw(st.sampled_from([None, 60])),
    )


@st.composite
def deployments(draw: st.DrawFn) -> ManifestSet:
    surge = draw(st.sampled_from([IntOrPercent(0), IntOrPercent(1), IntOrPercent(25, percent=True)]))
    unavailable = draw(st.sampled_from([IntOrPercent(1), IntOrPercent(25, percent=True)]))
    return builders.deployment_manifests(
        replicas=draw(st.integers(1, 12)),
        max_surge=surge,
        max_unavailable=unavailable,
        recreate=draw(st.booleans()),
        min_ready_s=draw(st.sampled_from([0.0, 10.0])),
    )
