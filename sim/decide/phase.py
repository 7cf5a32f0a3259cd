"""Phase and message of a Rollout (behaviour reference 1, ``utils/rollout/rolloututil.go:133-200``)."""

from __future__ import annotations

from sim.decide.defaults import is_routed
from sim.decide.restart import is_restarting
from sim.decide.steps import is_fully_promoted
from sim.model.rollout import RolloutPhase, RolloutSpec, RolloutStatus

_DEGRADING = {"RolloutAborted", "ProgressDeadlineExceeded"}


def phase_of(spec: RolloutSpec, status: RolloutStatus) -> tuple[RolloutPhase, str]:
    """(phase, message); the first rule that holds decides."""
    for condition in status.conditions:
        if condition.type == "InvalidSpec":
            return RolloutPhase.DEGRADED, f"InvalidSpec: {condition.message}"
        if condition.reason in _DEGRADING:
            return RolloutPhase.DEGRADED, f"{condition.reason}: {condition.message}"
    if spec.paused:
        return RolloutPhase.PAUSED, "manually paused"
    if status.pause_conditions:
        return RolloutPhase.PAUSED, str(status.pause_conditions[0].reason)
    waiting_for = "rollout is restarting" if is_restarting(spec, status) else _waiting_for(spec, status)
    return (RolloutPhase.PROGRESSING, waiting_for) if waiting_for else (RolloutPhase.HEALTHY, "")


def _waiting_for(spec: RolloutSpec, status: RolloutStatus) -> str:
    if status.updated < spec.desired:
        return "more replicas need to be updated"
    if status.available < status.updated:
        return "updated replicas are still becoming available"
    if spec.blue_green is not None:
        return _blue_green_waiting_for(spec, status)
    if spec.canary is None:
        return ""
    if not is_routed(spec) and status.replicas > status.updated:
        return "old replicas are pending termination"
    return "" if _is_promoted(status) else "waiting for all steps to complete"


def _blue_green_waiting_for(spec: RolloutSpec, status: RolloutStatus) -> str:
    active = status.blue_green.active_selector
    if not active or active != status.current_pod_hash:
        return "active service cutover pending"
    if _is_promoted(status):
        return ""
    run = status.blue_green.post_promotion
    has_analysis = spec.blue_green is not None and spec.blue_green.post_promotion is not None
    if has_analysis and (run is None or not run.phase.is_completed):
        return "waiting for analysis to complete"
    return "waiting for post-promotion verification to complete"


def _is_promoted(status: RolloutStatus) -> bool:
    return bool(status.stable_rs) and is_fully_promoted(status)
