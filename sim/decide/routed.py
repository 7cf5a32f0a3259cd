"""Sizes of a canary with traffic routing (behaviour reference 6.3, ``utils/replicaset/canary.go:357-612``)."""

from __future__ import annotations

from sim.decide import defaults
from sim.decide.steps import current_weight, steps_of, steps_so_far
from sim.model.controller import Controller
from sim.model.rollout import CanaryScale, Observed, RolloutSpec, RolloutStatus, TrafficWeights


def weight_to_replicas(replicas: int, weight: int, max_weight: int) -> int:
    """Pods that carry ``weight`` of ``max_weight``, rounded up."""
    return -(-weight * replicas // max_weight)


def at_least_min_pods(spec: RolloutSpec, count: int, controller: Controller) -> int:
    """``count`` raised to minPodsPerReplicaSet, itself (since 1.10) at most ``spec.replicas``; 0 stays 0."""
    wanted = spec.canary.min_pods_per_replica_set if spec.canary and defaults.is_routed(spec) else None
    if count == 0 or wanted is None:
        return count
    return max(count, min(wanted, spec.desired) if controller.is_since(Controller.ARGO_1_10_RC1) else wanted)


def canary_scale(spec: RolloutSpec, status: RolloutStatus) -> CanaryScale | None:
    """The setCanaryScale in force: it sticks across later steps until ``matchTrafficWeight`` or the end.

    None without traffic routing, and when aborted unless ``abortScaleDownDelaySeconds`` is 0.
    """
    if not defaults.is_routed(spec):
        return None
    if status.abort and defaults.abort_scale_down_delay_s(spec) is not None:
        return None
    scale = next((s.set_canary_scale for s in steps_so_far(spec, status) if s.set_canary_scale is not None), None)
    return None if scale is None or scale.match_traffic_weight else scale


def desired_weight(spec: RolloutSpec, seen: Observed) -> int:
    """Weight the canary is sized for.

    The current setWeight, except on an abort with dynamicStableScale: then (since 1.9) the first setWeight, searching the
    list backwards, that needs fewer pods than the canary still has to keep (behaviour reference 8.1).
    """
    new, stable = seen.new_rs, seen.stable_rs
    if not seen.controller.is_since(Controller.ARGO_1_9):
        return current_weight(spec, seen.status)
    if not (seen.status.abort and defaults.is_dynamic(spec) and new is not None and stable is not None):
        return current_weight(spec, seen.status)
    keep = spec.desired - stable.available
    # Before the final 1.10 the canary's own pods held the weight up for ever where a delay is written.
    if not (defaults.has_explicit_abort_delay(spec) and seen.controller.is_since(Controller.ARGO_1_10)):
        keep = max(keep, new.available)
    max_weight = defaults.max_weight(spec)
    weights = (s.set_weight for s in steps_of(spec)[::-1] if s.set_weight is not None)
    return next((w for w in weights if weight_to_replicas(spec.desired, w, max_weight) < keep), 0)


def replicas_or_weight(spec: RolloutSpec, seen: Observed) -> tuple[int | None, int]:
    """(explicit canary count or None, weight to size it for)."""
    status = seen.status
    if status.promote_full or not status.stable_rs or status.current_pod_hash == status.stable_rs:
        return None, defaults.max_weight(spec)
    scale = canary_scale(spec, status)
    if scale is not None and scale.replicas is not None:
        return scale.replicas, 0
    if scale is not None and scale.weight is not None:
        return None, scale.weight
    return None, desired_weight(spec, seen)


def routed_counts(spec: RolloutSpec, seen: Observed, weights: TrafficWeights | None) -> tuple[int, int]:
    """(canary, stable) sizes wanted.

    Stable is always full unless dynamicStableScale, which keeps the larger of what the wanted and what the recorded
    ``weights`` need; on abort that also holds for the canary.
    """
    explicit, weight = replicas_or_weight(spec, seen)
    max_weight = defaults.max_weight(spec)
    canary = explicit
    if canary is None:
        canary = at_least_min_pods(spec, weight_to_replicas(spec.desired, weight, max_weight), seen.controller)
    if not defaults.is_dynamic(spec):
        return canary, spec.desired
    stable = weight_to_replicas(spec.desired, max_weight - weight, max_weight)
    if weights is not None:
        stable = max(stable, weight_to_replicas(spec.desired, weights.stable.weight, max_weight))
        if seen.status.abort:
            canary = max(canary, weight_to_replicas(spec.desired, weights.canary.weight, max_weight))
    return at_least_min_pods(spec, canary, seen.controller), at_least_min_pods(spec, stable, seen.controller)
