"""One reconcile of a blue-green Rollout (behaviour reference 9, ``rollout/bluegreen.go:19-72``)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sim.decide import closing
from sim.decide.defaults import JUST_AFTER_S
from sim.decide.history import reconcile_history
from sim.decide.pauses import blue_green_pause_done, condition_for, halt_reason, was_resumed
from sim.decide.promotion import blue_green_reason, is_within_window
from sim.decide.promotion import is_fast_tracked as comes_back_fast
from sim.decide.replicas import all_rss, find, is_ready_for_pause, is_saturated
from sim.decide.restart import reconcile_restart
from sim.decide.runs import current_run, reconcile_runs, skips_post_promotion
from sim.decide.scaledown import is_referenced, latest_first, reconcile_new, remove_deadlines, size_under_delay
from sim.decide.steps import template_changed
from sim.decide.turn import Turn, base_status, reset_status, revision_of
from sim.model.actions import Decision
from sim.model.analysis import AnalysisPhase
from sim.model.controller import Controller
from sim.model.rollout import (
    BlueGreenStrategy,
    Observed,
    PauseReason,
    ReplicaSetView,
    RolloutSpec,
    RolloutStatus,
    RunRole,
    ServiceView,
)


def next_actions(spec: RolloutSpec, observed: Observed) -> Decision:
    """What the controller does in one reconcile, and the status it leaves; to be called as ``canary.next_actions``."""
    strategy = spec.blue_green
    if strategy is None:
        msg = f"rollout {spec.name} has no blueGreen strategy"
        raise ValueError(msg)
    return closing.reconcile(Turn(spec, observed), partial(_reconcile, strategy=strategy))


def _reconcile(turn: Turn, strategy: BlueGreenStrategy) -> Decision:
    if closing.is_scaling_event(turn):
        return _replicas_only(turn, strategy)
    closing.renew_revision(turn)
    closing.create_new(turn, Controller.ARGO_1_6)
    _point_preview(turn, strategy)
    if template_changed(turn.seen):
        return _close(turn, strategy)
    reconcile_restart(turn)
    _reconcile_replica_sets(turn, strategy)
    _reconcile_pause(turn, strategy)
    _point_active(turn, strategy)
    reconcile_runs(turn)
    return _close(turn, strategy)


def _replicas_only(turn: Turn, strategy: BlueGreenStrategy) -> Decision:
    _reconcile_replica_sets(turn, strategy)
    status = _with_counts(turn, turn.seen.status)
    return closing.finish_resizing(turn, replace(status, ready=turn.seen.status.ready))


def _point_preview(turn: Turn, strategy: BlueGreenStrategy) -> None:
    """Preview follows the new ReplicaSet at once, before it has any pod."""
    service, new = turn.service(strategy.preview_service), turn.seen.new_rs
    if service is not None and new is not None and not halt_reason(turn.spec, turn.seen.status):
        turn.point(service, new.hash)


def _reconcile_replica_sets(turn: Turn, strategy: BlueGreenStrategy) -> None:
    """Stable at full size, the new one at its own, old ones away after their delay; unlike a canary all at once."""
    remove_deadlines(turn)
    full, new = _served(turn, strategy), turn.seen.new_rs
    if full is not None:
        turn.scale(full, turn.spec.desired)
    if new is not None and (full is None or full.hash != new.hash):
        reconcile_new(turn)
    _reconcile_old(turn, strategy)
    reconcile_history(turn)


def _served(turn: Turn, strategy: BlueGreenStrategy) -> ReplicaSetView | None:
    """The ReplicaSet kept at full size: stable, in 1.6 the one that the active Service selects."""
    if turn.seen.controller.is_since(Controller.ARGO_1_7):
        return turn.seen.stable_rs
    return find(turn.seen, _active(turn, strategy).hash)


def _reconcile_old(turn: Turn, strategy: BlueGreenStrategy) -> None:
    seen = turn.seen
    if condition_for(seen.status, PauseReason.INCONCLUSIVE_ANALYSIS) is not None:
        return
    post = current_run(seen, RunRole.POST_PROMOTION)
    waits = strategy.post_promotion is not None and strategy.scale_down_delay_s is None
    passed = post is not None and post.phase is AnalysisPhase.SUCCESSFUL
    if waits and not passed and not skips_post_promotion(turn.spec, seen, post):
        return
    waiting = 0
    for rs in latest_first(rs for rs in seen.other_rss if rs.desired > 0):
        if not is_referenced(turn, rs):
            waiting, size = size_under_delay(turn, rs, waiting, (rs.desired, turn.spec.desired))
            if size != rs.desired:
                turn.scale(rs, size)


def _active(turn: Turn, strategy: BlueGreenStrategy) -> ServiceView:
    """The active Service; one that was never pointed anywhere if the caller knows none."""
    return turn.service(strategy.active_service) or ServiceView(strategy.active_service)


def is_fast_tracked(spec: RolloutSpec, seen: Observed, active_hash: str) -> bool:
    """Whether pause and analysis are skipped: short undo, promoteFull, first deployment, or switched already."""
    if comes_back_fast(spec, seen) or seen.status.promote_full:
        return True
    return not active_hash or (seen.new_rs is not None and active_hash == seen.new_rs.hash)


def _reconcile_pause(turn: Turn, strategy: BlueGreenStrategy) -> None:
    """Pause before the switch once the new pods are ready and pre-promotion analysis is Successful."""
    spec, seen = turn.spec, turn.seen
    if seen.status.abort or not is_ready_for_pause(spec, seen) or halt_reason(spec, seen.status):
        return
    held = strategy.auto_promotion_enabled is False or strategy.auto_promotion_s > 0
    past = seen.status.blue_green.scale_up_preview_checkpoint
    if past or not held or is_fast_tracked(spec, seen, _active(turn, strategy).hash):
        turn.pauses.removed.add(PauseReason.BLUE_GREEN)
        return
    if not _pre_promotion_passed(turn, strategy):
        return
    condition = condition_for(seen.status, PauseReason.BLUE_GREEN)
    if condition is None:
        if not was_resumed(seen.status, PauseReason.BLUE_GREEN):
            turn.pauses.added.append(PauseReason.BLUE_GREEN)
    elif blue_green_pause_done(spec, seen.status, seen.now_s):
        turn.pauses.removed.add(PauseReason.BLUE_GREEN)
    elif strategy.auto_promotion_s > 0:
        turn.wake_at(condition.start_s + strategy.auto_promotion_s + JUST_AFTER_S)


def _pre_promotion_passed(turn: Turn, strategy: BlueGreenStrategy) -> bool:
    run = turn.runs.get(RunRole.PRE_PROMOTION) or current_run(turn.seen, RunRole.PRE_PROMOTION)
    return strategy.pre_promotion is None or (run is not None and run.phase is AnalysisPhase.SUCCESSFUL)


def _pause_done(turn: Turn) -> bool:
    just_paused = bool(turn.pauses.added)
    return blue_green_pause_done(turn.spec, turn.seen.status, turn.seen.now_s, just_paused=just_paused)


def _point_active(turn: Turn, strategy: BlueGreenStrategy) -> None:
    """Switch the active Service, or switch it back on an abort; neither unless every new pod is available.

    That an abort waits for the *new* pods too is the controller's own behaviour (``rollout/service.go:99-116``).
    """
    spec, seen, new = turn.spec, turn.seen, turn.seen.new_rs
    service = turn.service(strategy.active_service)
    if service is None or new is None or halt_reason(spec, seen.status):
        return
    if not is_ready_for_pause(spec, seen) or not is_saturated(spec, new):
        return
    target = service.hash
    if is_fast_tracked(spec, seen, service.hash) or (_pause_done(turn) and _pre_promotion_passed(turn, strategy)):
        target = new.hash
    if seen.status.abort:
        target = seen.status.stable_rs
    turn.point(service, target)


def _close(turn: Turn, strategy: BlueGreenStrategy) -> Decision:
    """Promotion to stable once the active Service has switched, or the preview checkpoint."""
    spec, before = turn.spec, turn.seen.status
    status = base_status(turn)
    if template_changed(turn.seen):
        status = reset_status(turn, status)
    if before.promote_full or is_within_window(spec, turn.seen):
        turn.pauses.start_over()
    preview = turn.service(strategy.preview_service)
    active_hash = _active(turn, strategy).hash
    marks = replace(status.blue_green, active_selector=active_hash, preview_selector=preview.hash if preview else "")
    status = replace(status, blue_green=marks)
    post = turn.runs.get(RunRole.POST_PROMOTION)
    reason = blue_green_reason(spec, turn.seen, status, aborted=turn.is_aborted, post_promotion=post)
    if reason:
        status = _promoted(turn, status, reason)
    else:
        checkpoint = _checkpoint(turn, strategy)
        status = replace(status, blue_green=replace(marks, scale_up_preview_checkpoint=checkpoint))
    return closing.finish(turn, _with_counts(turn, status))


def _promoted(turn: Turn, status: RolloutStatus, reason: str) -> RolloutStatus:
    turn.pauses.start_over()
    if status.stable_rs != status.current_pod_hash:
        pod_hash = status.current_pod_hash
        turn.notes.append(f"Rollout completed update to revision {revision_of(turn.seen)} ({pod_hash}): {reason}")
    return replace(status, stable_rs=status.current_pod_hash, promote_full=False)


def _checkpoint(turn: Turn, strategy: BlueGreenStrategy) -> bool:
    """Whether previewReplicaCount pods have passed pre-analysis and pause, so that the full size may follow."""
    if strategy.preview_replica_count is None:
        return False
    if turn.seen.status.blue_green.scale_up_preview_checkpoint and not template_changed(turn.seen):
        return True
    if not _pre_promotion_passed(turn, strategy) or not _pause_done(turn) or turn.seen.new_rs is None:
        return False
    return turn.seen.new_rs.available == strategy.preview_replica_count


def _with_counts(turn: Turn, status: RolloutStatus) -> RolloutStatus:
    """``status`` with the counts of the active ReplicaSet, or of all of them while there is none."""
    active = find(turn.seen, status.blue_green.active_selector)
    rss = all_rss(turn.seen) if active is None else (active,)
    return replace(status, available=sum(rs.available for rs in rss), ready=sum(rs.ready for rs in rss))
