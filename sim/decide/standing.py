"""What stands before a release: a Rollout's status once it has long been promoted, its real template, and who owns it."""

from __future__ import annotations

from dataclasses import replace

from sim.decide.defaults import has_router, max_weight
from sim.decide.services import PING
from sim.decide.steps import step_hash, steps_of
from sim.model.manifests import ManifestSet
from sim.model.pods import PodTemplate
from sim.model.rollout import (
    BlueGreenStatus,
    EphemeralMetadata,
    RolloutPhase,
    RolloutSpec,
    RolloutStatus,
    TrafficWeights,
    WeightDestination,
)
from sim.model.strategy import ArgoRollout, LocalStrategy, RollingUpdate, SetImage, SwitchScript


def standing_status(spec: RolloutSpec, pod_hash: str) -> RolloutStatus:
    """Status of a Rollout that has long been promoted to this revision."""
    canary, count = spec.canary, spec.desired
    weights = TrafficWeights(
        WeightDestination(0, pod_hash, canary.canary_service if canary else ""),
        WeightDestination(max_weight(spec), pod_hash, canary.stable_service if canary else ""),
    )
    return RolloutStatus(
        phase=RolloutPhase.HEALTHY,
        current_pod_hash=pod_hash,
        stable_rs=pod_hash,
        current_step_index=len(steps_of(spec)) if steps_of(spec) else None,
        current_step_hash=step_hash(spec),
        stable_ping_pong=PING if canary is not None and canary.ping_pong is not None else "",
        weights=weights if has_router(spec) else None,
        blue_green=BlueGreenStatus(pod_hash, pod_hash) if spec.blue_green else BlueGreenStatus(),
        replicas=count,
        updated=count,
        ready=count,
        available=count,
    )


def workload_template(spec: RolloutSpec, manifests: ManifestSet) -> PodTemplate:
    """The template of a Rollout's pods: its own, or that of its ``workloadRef``, whatever replicas stand there."""
    return next((one.template for one in manifests.deployments if one.name == spec.workload_ref), spec.template)


def with_workload(spec: RolloutSpec, manifests: ManifestSet) -> RolloutSpec:
    """The spec with the template of its ``workloadRef``, where there is one."""
    return replace(spec, template=workload_template(spec, manifests))


def role_metadata(spec: RolloutSpec) -> tuple[EphemeralMetadata | None, EphemeralMetadata | None]:
    """Metadata of (stable or active, canary or preview) pods."""
    if spec.blue_green is not None:
        return spec.blue_green.active_metadata, spec.blue_green.preview_metadata
    return (spec.canary.stable_metadata, spec.canary.canary_metadata) if spec.canary else (None, None)


def standing_strategy(manifests: ManifestSet, strategy: LocalStrategy) -> LocalStrategy | None:
    """The strategy itself, or, where its object does not exist, one that owns what serves meanwhile; None if nothing does."""
    match strategy:
        case ArgoRollout(name) if any(one.name == name for one in manifests.rollouts):
            return strategy
        case RollingUpdate(name) | SetImage(name) if any(one.name == name for one in manifests.deployments):
            return strategy
        case SwitchScript():
            return strategy
    if manifests.rollouts:
        return ArgoRollout(manifests.rollouts[0].name)
    return RollingUpdate(manifests.deployments[0].name) if manifests.deployments else None
