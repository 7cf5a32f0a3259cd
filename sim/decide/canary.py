"""One reconcile of a canary Rollout (behaviour reference 5.1, ``rollout/canary.go:20-106``)."""

from __future__ import annotations

from sim.decide import closing
from sim.decide.basic import has_separate_stable
from sim.decide.defaults import JUST_AFTER_S, max_weight
from sim.decide.experiments import current_experiment_run, reconcile_experiment
from sim.decide.history import reconcile_history
from sim.decide.pauses import canary_pause_done, condition_for, halt_reason, pause_seconds
from sim.decide.promotion import canary_reason, is_within_window
from sim.decide.replicas import at_desired, canary_counts
from sim.decide.restart import reconcile_restart
from sim.decide.routes import reconcile_traffic
from sim.decide.runs import reconcile_runs
from sim.decide.scaledown import reconcile_new, reconcile_old_canaries, remove_deadlines
from sim.decide.services import PING, PONG, reconcile_ping_pong, reconcile_services
from sim.decide.steps import current_index, current_step, plan_text, step_hash, steps_of, template_or_steps_changed
from sim.decide.turn import Turn, base_status, reset_status, revision_of
from sim.model.actions import Decision
from sim.model.analysis import AnalysisPhase
from sim.model.changing import replace
from sim.model.controller import Controller
from sim.model.rollout import CanaryStep, Observed, PauseReason, RolloutSpec, RolloutStatus, RunRole

__all__ = ["next_actions", "plan_text"]


def next_actions(spec: RolloutSpec, observed: Observed) -> Decision:
    """What the controller does in one reconcile, and the status it leaves.

    Call it again after every decision that acted or changed the status, at ``wake_s``, and whenever pods, runs or
    Services change; it ends in a decision without actions that leaves the status as it is.
    """
    return closing.reconcile(Turn(spec, observed), _reconcile)


def _reconcile(turn: Turn) -> Decision:
    if closing.is_scaling_event(turn):
        return _replicas_only(turn)
    closing.renew_revision(turn)
    if template_or_steps_changed(turn.spec, turn.seen):
        return _start_over(turn)
    closing.create_new(turn, Controller.ARGO_1_6)
    if reconcile_restart(turn) and turn.seen.controller.is_since(Controller.ARGO_1_8):
        # Counts of pods cannot be trusted any more: the next reconcile goes on (rollout/canary.go:39).
        return closing.unchanged(turn)
    reconcile_history(turn)
    reconcile_ping_pong(turn)
    reconcile_services(turn)
    if not reconcile_traffic(turn):
        return closing.unchanged(turn)
    if _waits_for_full_weight(turn):
        # Nothing of the old version may go before the router has it (rollout/trafficrouting.go:334). Upstream stores
        # nothing and tries again; storing the weight spares a write each time.
        return closing.held(turn, replace(turn.seen.status, weights=turn.weights))
    reconcile_experiment(turn)
    reconcile_runs(turn)
    if not turn.pauses.added and not _reconcile_replica_sets(turn):
        reconcile_pause(turn)
    return _close(turn)


def _waits_for_full_weight(turn: Turn) -> bool:
    weights = turn.weights
    return weights is not None and not turn.is_verified and weights.canary.weight == max_weight(turn.spec)


def _replicas_only(turn: Turn) -> Decision:
    """Only sizes follow a changed ``spec.replicas``; steps, weights and analysis wait for the next reconcile."""
    _reconcile_replica_sets(turn)
    return closing.finish_resizing(turn, replace(turn.seen.status, available=base_status(turn).available))


def _start_over(turn: Turn) -> Decision:
    """The reconcile that notices another template or step list: only the status is reset.

    Back to the stable template, or to one within the rollback window that is scaled up, the steps are skipped
    (``rollout/canary.go:360-376``).
    """
    spec, seen = turn.spec, turn.seen
    status = reset_status(turn, base_status(turn))
    status = replace(status, current_step_hash=step_hash(spec))
    steps = len(steps_of(spec))
    if seen.new_rs is not None and steps:
        back_to_stable = seen.status.stable_rs == seen.new_rs.hash
        if back_to_stable or (is_within_window(spec, seen) and seen.new_rs.desired > 0):
            turn.notes.append(f"Rollback to {'stable' if back_to_stable else 'active'} ReplicaSets")
            status = replace(status, current_step_index=steps)
    return closing.finish(turn, status)


def _reconcile_replica_sets(turn: Turn) -> bool:
    """Whether something was scaled: stable first, then new, then old, and no more than one of them per reconcile."""
    if halt_reason(turn.spec, turn.seen.status):
        return False
    remove_deadlines(turn)
    stable = turn.seen.stable_rs
    if stable is not None and has_separate_stable(turn.seen):
        # The weights of the previous reconcile: stable lags one step behind the traffic (rollout/canary.go:118).
        _, size = canary_counts(turn.spec, turn.seen, turn.seen.status.weights)
        if turn.scale(stable, size):
            return True
    return reconcile_new(turn) or reconcile_old_canaries(turn)


def reconcile_pause(turn: Turn) -> bool:
    """Whether the current step is a pause to be kept: starts it, or sees to it that its end is not missed."""
    status = turn.seen.status
    step = current_step(turn.spec, status)
    if turn.spec.paused or status.promote_full or step is None or step.pause is None:
        return False
    condition = condition_for(status, PauseReason.CANARY_STEP)
    if condition is not None:
        if step.pause.duration is not None:
            turn.wake_at(condition.start_s + pause_seconds(step.pause) + JUST_AFTER_S)
    elif not status.controller_pause:
        turn.pauses.added.append(PauseReason.CANARY_STEP)
    return True


def completed_step(turn: Turn) -> CanaryStep | None:
    """The current step if it is complete now, else None (behaviour reference 5.2)."""
    step = current_step(turn.spec, turn.seen.status)
    return step if step is not None and not turn.spec.paused and _is_complete(turn, step) else None


def _is_complete(turn: Turn, step: CanaryStep) -> bool:
    if step.pause is not None:
        return canary_pause_done(turn.seen.status, step.pause, turn.seen.now_s)
    if step.set_canary_scale is not None:
        return at_desired(turn.spec, turn.seen, turn.weights)
    if step.set_weight is not None:
        return at_desired(turn.spec, turn.seen, turn.weights) and turn.is_verified
    if step.experiment is not None:
        experiment = current_experiment_run(turn.seen)
        return experiment is not None and experiment.phase is AnalysisPhase.SUCCESSFUL
    if step.analysis is not None:
        run = turn.runs.get(RunRole.STEP)
        return run is not None and run.phase is AnalysisPhase.SUCCESSFUL
    return step.set_header_route is not None or step.set_mirror_route is not None


def _close(turn: Turn) -> Decision:
    """The end of a reconcile: full promotion, promotion to stable, abort, or at most one step ahead."""
    spec, before = turn.spec, turn.seen.status
    status = replace(base_status(turn), current_step_hash=step_hash(spec))
    index, steps = current_index(spec, before), len(steps_of(spec))
    if before.promote_full or is_within_window(spec, turn.seen):
        turn.pauses.start_over()
        index = steps or index
    reason = canary_reason(spec, turn.seen, aborted=turn.is_aborted)
    if reason:
        return closing.finish(turn, _promoted(turn, status, reason))
    if turn.is_aborted:
        back = steps if status.stable_rs == status.current_pod_hash else 0
        return closing.finish(turn, replace(status, current_step_index=back if steps else None))
    step = completed_step(turn)
    if step is not None and index is not None and index < steps:
        index += 1
        status = replace(status, step_run=None)
        turn.pauses.removed.add(PauseReason.CANARY_STEP)
        turn.notes.append(f"Rollout step {index}/{steps} completed ({plan_text(step)})")
    return closing.finish(turn, replace(status, current_step_index=index))


def _promoted(turn: Turn, status: RolloutStatus, reason: str) -> RolloutStatus:
    turn.pauses.start_over()
    if status.stable_rs != status.current_pod_hash:
        pod_hash = status.current_pod_hash
        turn.notes.append(f"Rollout completed update to revision {revision_of(turn.seen)} ({pod_hash}): {reason}")
        if turn.spec.canary is not None and turn.spec.canary.ping_pong is not None:
            status = replace(status, stable_ping_pong=PONG if status.stable_ping_pong == PING else PING)
    steps = len(steps_of(turn.spec))
    return replace(status, stable_rs=status.current_pod_hash, promote_full=False, current_step_index=steps or None)
