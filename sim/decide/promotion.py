"""When the new ReplicaSet becomes stable, and which way back is the short one (behaviour reference 8.2, 8.3)."""

from __future__ import annotations

from sim.decide.replicas import all_rss, threshold_met
from sim.decide.steps import current_index, steps_of
from sim.model.analysis import AnalysisPhase
from sim.model.controller import Controller
from sim.model.rollout import Observed, ReplicaSetView, RolloutSpec, RolloutStatus, RunView, Threshold


def is_undo(seen: Observed) -> bool:
    """Whether the template is the stable one or older than stable. Means nothing once fully promoted."""
    new, stable = seen.new_rs, seen.stable_rs
    if new is None or stable is None:
        return False
    return seen.status.stable_rs == new.hash or new.created_s < stable.created_s


def is_within_window(spec: RolloutSpec, seen: Observed) -> bool:
    """Whether rollbackWindow lets the update back to an older ReplicaSet skip steps, pauses and analysis.

    Fewer than ``revisions`` ReplicaSets (experiments aside) may have been created strictly between target and stable
    (``rollout/sync.go:1216-1245``).
    """
    new, stable, revisions = seen.new_rs, seen.stable_rs, spec.rollback_window_revisions
    if new is None or stable is None or not revisions or new.created_s >= stable.created_s:
        return False
    between = [rs for rs in all_rss(seen) if not rs.experiment and new.created_s < rs.created_s < stable.created_s]
    return len(between) < revisions


def is_fast_undo(spec: RolloutSpec, seen: Observed) -> bool:
    """Whether an undo skips steps: to stable, within the window, or (blue-green) to pods still inside their delay."""
    new = seen.new_rs
    if new is None or not is_undo(seen):
        return False
    deadline_s = new.scale_down_deadline_s
    within_delay = spec.blue_green is not None and deadline_s is not None and deadline_s > seen.now_s
    return within_delay or seen.status.stable_rs == new.hash or is_within_window(spec, seen)


def is_fast_tracked(spec: RolloutSpec, seen: Observed) -> bool:
    """Whether blue-green skips its pause and analysis (canary: only analysis) for where the update comes from.

    Before 1.10 that is any new ReplicaSet that still has a scale-down deadline when the reconcile begins.
    """
    if seen.controller.is_since(Controller.ARGO_1_10_RC1):
        return is_fast_undo(spec, seen)
    return seen.new_rs is not None and seen.new_rs.scale_down_deadline_s is not None


def canary_reason(spec: RolloutSpec, seen: Observed, *, aborted: bool) -> str:
    """Why the canary becomes stable now; '' while it must not (``rollout/sync.go:1249``)."""
    if seen.stable_rs is None:
        return "Initial deploy"
    new, threshold = seen.new_rs, spec.canary.replica_progress_threshold if spec.canary else None
    if aborted or new is None:
        return ""
    if not _has_its_pods(spec, seen, new, threshold):
        return ""
    if shortcut := _shortcut(spec, seen):
        return shortcut
    count = len(steps_of(spec))
    done = count == 0 or current_index(spec, seen.status) == count
    return f"Completed all {count} canary steps" if done else ""


def _has_its_pods(spec: RolloutSpec, seen: Observed, new: ReplicaSetView, threshold: Threshold | None) -> bool:
    """Whether enough new pods are available; before 1.9 more than wanted is not right either."""
    if not seen.controller.is_since(Controller.ARGO_1_9):
        return new.available == spec.desired
    return new.available >= spec.desired or threshold_met(threshold, new, spec.desired)


def _shortcut(spec: RolloutSpec, seen: Observed) -> str:
    if seen.status.promote_full:
        return "Full promotion requested"
    if is_within_window(spec, seen):
        return "Rollback within window"
    return "Fast rollback" if seen.controller.is_since(Controller.ARGO_1_10_RC1) and is_fast_undo(spec, seen) else ""


def blue_green_reason(
    spec: RolloutSpec, seen: Observed, after: RolloutStatus, *, aborted: bool, post_promotion: RunView | None
) -> str:
    """Why the new ReplicaSet becomes stable now; '' while it must not.

    ``after`` has what the active Service selects at the end of this reconcile. Post-promotion analysis must have been
    Successful unless the way is shortened.
    """
    if seen.stable_rs is None or not after.blue_green.active_selector:
        return "Initial deploy"
    if after.blue_green.active_selector != after.current_pod_hash:
        return ""
    if shortcut := _shortcut(spec, seen):
        return shortcut
    if aborted:
        return ""
    needs_run = spec.blue_green is not None and spec.blue_green.post_promotion is not None
    if (
        needs_run
        and seen.new_rs
        and not seen.controller.is_since(Controller.ARGO_1_10_RC1)
        and is_fast_tracked(spec, seen)
    ):
        return f"Rollback to '{seen.new_rs.name}' within scaleDownDelay"
    passed = post_promotion is not None and post_promotion.phase is AnalysisPhase.SUCCESSFUL
    return "Completed blue-green update" if passed or not needs_run else ""
