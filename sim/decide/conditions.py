"""Status conditions: what counts as progress, health and a missed deadline (``utils/conditions/conditions.go``)."""

from __future__ import annotations

from sim.decide.defaults import progress_deadline_s
from sim.decide.steps import is_fully_promoted, steps_of
from sim.model.changing import replace
from sim.model.controller import NEWEST, Controller
from sim.model.rollout import Condition, RolloutSpec, RolloutStatus

ABORTED, PAUSED, RESUMED, RETRY = "RolloutAborted", "RolloutPaused", "RolloutResumed", "RolloutRetry"
TIMED_OUT, UPDATED, NOT_AVAILABLE = "ProgressDeadlineExceeded", "ReplicaSetUpdated", "ReplicaSetNotAvailable"
NEW_AVAILABLE, NEW_CREATED = "NewReplicaSetAvailable", "NewReplicaSetCreated"


def find(status: RolloutStatus, kind: str) -> Condition | None:
    """The condition of this type, or None."""
    for condition in status.conditions:
        if condition.type == kind:
            return condition
    return None


def with_condition(status: RolloutStatus, condition: Condition, *, renew: bool = False) -> RolloutStatus:
    """``status`` with the condition set; same status and reason change nothing (not even the time) unless ``renew``."""
    known = find(status, condition.type)
    if known is not None and not renew and (known.status, known.reason) == (condition.status, condition.reason):
        return status
    others = tuple(c for c in status.conditions if c.type != condition.type)
    return replace(status, conditions=(*others, condition))


def made_progress(spec: RolloutSpec, before: RolloutStatus, after: RolloutStatus) -> bool:
    """Whether the step from ``before`` to ``after`` restarts the progress deadline.

    More updated, ready or available pods, fewer old ones, or another step, step list, stable or selector
    (behaviour reference 1, progress deadline).
    """
    if spec.blue_green is not None:
        old, new = before.blue_green, after.blue_green
        moved = (old.active_selector, old.preview_selector) != (new.active_selector, new.preview_selector)
    else:
        indexes = (before.current_step_index, after.current_step_index)
        moved = None not in indexes and indexes[0] != indexes[1]
        moved = moved or before.stable_rs != after.stable_rs or before.current_step_hash != after.current_step_hash
    return (
        moved
        or after.updated != before.updated
        or after.replicas - after.updated < before.replicas - before.updated
        or after.ready > before.ready
        or after.available > before.available
    )


def is_healthy(spec: RolloutSpec, status: RolloutStatus, *, is_observed: bool = True) -> bool:
    """Whether every wanted pod is updated, available and served, and (canary) no old one is left.

    ``is_observed`` is whether the status belongs to the current generation of the spec.
    """
    done = True
    if spec.blue_green is not None:
        done = status.blue_green.active_selector == status.current_pod_hash
        if spec.blue_green.preview_service:
            done = done and status.blue_green.preview_selector == status.current_pod_hash
    if spec.canary is not None:
        steps = len(steps_of(spec))
        at_end = not steps or status.current_step_index in {None, steps}
        done = at_end and is_completed(status) and status.replicas == spec.desired
    return is_observed and done and status.updated == spec.desired == status.available


def is_completed(status: RolloutStatus) -> bool:
    """Whether the current template is stable."""
    return bool(status.stable_rs) and is_fully_promoted(status)


def has_timed_out(spec: RolloutSpec, status: RolloutStatus, now_s: float, controller: Controller = NEWEST) -> bool:
    """Whether the Progressing condition is strictly older than the deadline; never while aborted or (since 1.8) paused."""
    condition = find(status, "Progressing")
    exempt = {ABORTED, PAUSED} if controller.is_since(Controller.ARGO_1_8) else {ABORTED}
    if condition is None or condition.reason in exempt:
        return False
    return condition.reason == TIMED_OUT or condition.last_update_s + progress_deadline_s(spec) < now_s
