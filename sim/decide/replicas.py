"""Sizes wanted whatever the strategy, and whether they are reached (behaviour reference 6.4)."""

from __future__ import annotations

from collections.abc import Iterable

from sim.decide.basic import basic_counts
from sim.decide.defaults import is_dynamic, is_routed
from sim.decide.routed import routed_counts
from sim.model.rollout import Observed, ReplicaSetView, RolloutSpec, Threshold, TrafficWeights


def all_rss(seen: Observed) -> tuple[ReplicaSetView, ...]:
    """Every ReplicaSet of the Rollout once: new, stable, others."""
    stable = seen.stable_rs
    if stable is not None and seen.new_rs is not None and stable.name == seen.new_rs.name:
        stable = None
    return tuple(rs for rs in (seen.new_rs, stable) if rs is not None) + seen.other_rss


def available_pods(rss: Iterable[ReplicaSetView]) -> int:
    """Available pods of these ReplicaSets."""
    return sum(rs.available for rs in rss)


def is_available(rs: ReplicaSetView | None) -> bool:
    """Whether it is scaled up and every pod it wants is available."""
    return rs is not None and 0 < rs.desired <= rs.available


def threshold_met(threshold: Threshold | None, rs: ReplicaSetView | None, desired: int) -> bool:
    """Whether enough of ``desired`` pods are available to go on: all of them unless replicaProgressThreshold is set."""
    if threshold is None or rs is None or threshold.value < 0:
        return rs is not None and desired == rs.desired == rs.available
    if threshold.kind != "Percent":
        return rs.available >= threshold.value
    return desired == 0 or rs.available * 100 >= threshold.value * desired


def canary_counts(spec: RolloutSpec, seen: Observed, weights: TrafficWeights | None) -> tuple[int, int]:
    """(canary, stable) sizes the canary strategy wants now."""
    return routed_counts(spec, seen, weights) if is_routed(spec) else basic_counts(spec, seen)


def at_desired(spec: RolloutSpec, seen: Observed, weights: TrafficWeights | None) -> bool:
    """Whether a setWeight or setCanaryScale has its pods.

    The canary at size and available (or past the threshold), stable at size whether available or not (skipped with
    dynamicStableScale); a basic canary also needs every older pod gone (``utils/replicaset/canary.go:59-86``).
    """
    canary, stable = canary_counts(spec, seen, weights)
    threshold = spec.canary.replica_progress_threshold if spec.canary else None
    if not threshold_met(threshold, seen.new_rs, canary):
        return False
    if not (is_routed(spec) and is_dynamic(spec)):
        rs = seen.stable_rs
        if rs is None or not stable == rs.desired == rs.replicas:
            return False
    return is_routed(spec) or available_pods(seen.other_rss) == 0


def new_rs_size(spec: RolloutSpec, seen: Observed, weights: TrafficWeights | None) -> int:
    """Size the new ReplicaSet should have (``utils/replicaset/replicaset.go:251``)."""
    return canary_counts(spec, seen, weights)[0] if spec.canary is not None else _preview_size(spec, seen)


def _preview_size(spec: RolloutSpec, seen: Observed) -> int:
    """Full size, or previewReplicaCount while the new ReplicaSet is only previewed."""
    preview = spec.blue_green.preview_replica_count if spec.blue_green else None
    status = seen.status
    active = find(seen, status.blue_green.active_selector)
    if preview is None or active is None or seen.new_rs is None or active.hash == seen.new_rs.hash:
        return spec.desired
    if status.promote_full:
        return spec.desired
    if seen.new_rs.hash != status.current_pod_hash:
        return preview
    paused = spec.paused or bool(status.pause_conditions)
    return spec.desired if not paused and status.blue_green.scale_up_preview_checkpoint else preview


def find(seen: Observed, pod_hash: str) -> ReplicaSetView | None:
    """The ReplicaSet with this pod-template hash; None if there is none or the hash is ''."""
    return next((rs for rs in all_rss(seen) if pod_hash and rs.hash == pod_hash), None)


def is_saturated(spec: RolloutSpec, rs: ReplicaSetView | None) -> bool:
    """Whether it has and wants exactly ``spec.replicas`` available pods, and was last scaled for that number."""
    if rs is None or rs.desired_annotation not in {None, spec.desired}:
        return False
    return rs.desired == rs.available == spec.desired


def is_ready_for_pause(spec: RolloutSpec, seen: Observed) -> bool:
    """Blue-green: whether the new ReplicaSet has the size it should have now, all available."""
    return seen.new_rs is not None and new_rs_size(spec, seen, None) == seen.new_rs.desired == seen.new_rs.available
