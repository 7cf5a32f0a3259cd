"""Beginning and end every strategy's reconcile shares: paused conditions, deadline, conditions, phase, timers."""

from __future__ import annotations

from collections.abc import Callable

from sim.decide import conditions as cond
from sim.decide.defaults import progress_deadline_s
from sim.decide.phase import phase_of
from sim.decide.replicas import all_rss, available_pods, find, is_saturated
from sim.decide.steps import is_indefinite
from sim.decide.turn import Turn, revision_of
from sim.model.actions import CreateReplicaSet, Decision
from sim.model.changing import replace
from sim.model.controller import Controller
from sim.model.rollout import Condition, ReplicaSetView, RolloutStatus


def reconcile(turn: Turn, go_on: Callable[[Turn], Decision]) -> Decision:
    """What every strategy does before its own part: the ReplicaSet of a new template, and having been paused or resumed.

    Either ends the reconcile since 1.10. Before, the rest still runs, on the status as it was, and its changes are
    written over those of the paused conditions.
    """
    created = create_new(turn, Controller.ARGO_1_8)
    recorded = paused_conditions(turn) if created is None else created
    if recorded is None:
        return go_on(turn)
    if turn.seen.controller.is_since(Controller.ARGO_1_10_RC1):
        return recorded
    before = turn.seen.status
    later = go_on(turn)
    return replace(later, status=_overwritten(before, recorded.status, later.status))


def _overwritten(before: RolloutStatus, first: RolloutStatus, second: RolloutStatus) -> RolloutStatus:
    """The status after two patches that were both made from ``before``; the first has only conditions and phase."""
    return replace(
        second,
        conditions=first.conditions if second.conditions == before.conditions else second.conditions,
        phase=first.phase if second.phase == before.phase else second.phase,
        message=first.message if second.message == before.message else second.message,
        observed_generation=first.observed_generation,
    )


def create_new(turn: Turn, since: Controller) -> Decision | None:
    """Create the ReplicaSet of a template that has none, in releases from ``since`` on; the decision, where that is all.

    It is all since 1.10; 1.8 and 1.9 go on with the new ReplicaSet at once, and earlier releases make it only once the
    status has started over. The phase stays as it was.
    """
    if turn.seen.new_rs is not None or not turn.seen.controller.is_since(since):
        return None
    _create(turn)
    return unchanged(turn) if turn.seen.controller.is_since(Controller.ARGO_1_10_RC1) else None


def _create(turn: Turn) -> None:
    seen, name = turn.seen, f"{turn.spec.name}-{turn.seen.template_hash}"
    revision = revision_of(seen)
    turn.act(CreateReplicaSet(seen.template_hash, revision))
    turn.notes.append(f"Rollout updated to revision {revision}")
    message = f'Created new replica set "{name}"'
    condition = Condition(
        "Progressing", status=True, reason=cond.NEW_CREATED, message=message, last_update_s=seen.now_s
    )
    made = ReplicaSetView(
        name, seen.template_hash, 0, created_s=seen.now_s, revision=revision, desired_annotation=turn.spec.desired
    )
    turn.seen = replace(seen, new_rs=made, status=cond.with_condition(seen.status, condition))


def renew_revision(turn: Turn) -> None:
    """Give an older ReplicaSet that is used again the newest revision (``rollout/sync.go:60-116``)."""
    new, revision = turn.seen.new_rs, revision_of(turn.seen)
    if new is not None and new.revision != revision:
        turn.act(CreateReplicaSet(new.hash, revision))
        turn.notes.append(f"Rollout updated to revision {revision}")


def paused_conditions(turn: Turn) -> Decision | None:
    """The decision that only records having been paused, resumed or retried; None when there is nothing to record.

    Without it a rollout paused for longer than its deadline would time out when resumed (``rollout/sync.go:698-756``).
    """
    before, now_s = turn.seen.status, turn.seen.now_s
    progressing, paused = cond.find(before, "Progressing"), cond.find(before, "Paused")
    reason = progressing.reason if progressing else ""
    is_paused = bool(before.pause_conditions) or turn.spec.paused
    controller = turn.seen.controller
    if controller.is_since(Controller.ARGO_1_10) and not turn.seen.is_observed:
        return None
    status = before
    promoted = controller.is_since(Controller.ARGO_1_8) and cond.is_completed(before)
    if is_paused != (reason == cond.PAUSED) and reason != cond.ABORTED and not promoted:
        new = (cond.PAUSED, "Rollout is paused") if is_paused else (cond.RESUMED, "Rollout is resumed")
        status = cond.with_condition(status, Condition("Progressing", False, *new, now_s))
    if not before.abort and reason == cond.ABORTED:
        retry = Condition("Progressing", status=False, reason=cond.RETRY, message="Retrying Rollout after abort")
        status = cond.with_condition(status, replace(retry, last_update_s=now_s))
    if is_paused != (paused is not None and paused.status) and reason != cond.ABORTED:
        changed = Condition("Paused", status=is_paused, reason=cond.PAUSED, message="Rollout is paused")
        status = cond.with_condition(status, replace(changed, last_update_s=now_s))
    if status == before:
        return None
    phase, message = phase_of(turn.spec, status)
    return _decision(turn, replace(status, phase=phase, message=message, observed_generation=turn.seen.generation))


def is_scaling_event(turn: Turn) -> bool:
    """Whether ``spec.replicas`` changed since the new or stable ReplicaSet (before 1.8: any) was last scaled."""
    seen = turn.seen
    since_1_8 = seen.controller.is_since(Controller.ARGO_1_8)
    rss = (seen.new_rs, seen.stable_rs) if since_1_8 else all_rss(seen)
    return any(rs and rs.desired > 0 and rs.desired_annotation not in {None, turn.spec.desired} for rs in rss)


def finish(turn: Turn, status: RolloutStatus) -> Decision:
    """The decision of a whole reconcile: abort and pauses, conditions, phase and timers worked into ``status``."""
    status = replace(status, observed_generation=turn.seen.generation)
    if turn.seen.controller.is_since(Controller.ARGO_1_10_RC1):
        _abort_past_deadline(turn, status)
        status = turn.pauses.apply(turn.seen.status, status, turn.seen.now_s)
        status = _with_conditions(turn, status, is_paused=bool(status.pause_conditions) or turn.spec.paused)
    else:
        # The conditions see the pauses of the reconcile before, and an abort for lack of progress one reconcile late.
        status = _with_conditions(turn, status, is_paused=bool(turn.seen.status.pause_conditions) or turn.spec.paused)
        status = turn.pauses.apply(turn.seen.status, status, turn.seen.now_s)
    phase, message = phase_of(turn.spec, status)
    return _decision(turn, replace(status, phase=phase, message=message))


def finish_resizing(turn: Turn, status: RolloutStatus) -> Decision:
    """The decision of a reconcile that only follows ``spec.replicas``; before 1.10 it leaves the conditions alone."""
    if turn.seen.controller.is_since(Controller.ARGO_1_10_RC1):
        return finish(turn, status)
    status = turn.pauses.apply(turn.seen.status, status, turn.seen.now_s)
    phase, message = phase_of(turn.spec, status)
    generation = turn.seen.generation
    return _decision(turn, replace(status, phase=phase, message=message, observed_generation=generation))


def held(turn: Turn, status: RolloutStatus) -> Decision:
    """The decision of a reconcile that ends early and stores just this."""
    return _decision(turn, status)


def unchanged(turn: Turn) -> Decision:
    """The decision of a reconcile that ends early and stores nothing but weights that it has written.

    Upstream does not store these either, but looks at the router the next time, which the twin's decisions cannot.
    """
    return _decision(turn, replace(turn.seen.status, weights=turn.weights))


def _decision(turn: Turn, status: RolloutStatus) -> Decision:
    _wake_for_deadline(turn, status)
    wake_s = min(turn.wakes_s, default=None)
    return Decision(status, tuple(turn.actions), wake_s, tuple(turn.notes))


def _is_healthy(turn: Turn, status: RolloutStatus) -> bool:
    return cond.is_healthy(turn.spec, status, is_observed=turn.seen.is_observed)


def _wake_for_deadline(turn: Turn, status: RolloutStatus) -> None:
    """One second past the deadline, where one is running (``rollout/sync.go:1083-1126``)."""
    progressing = cond.find(status, "Progressing")
    if progressing is None or progressing.reason == cond.TIMED_OUT or status.abort:
        return
    if turn.spec.paused or status.pause_conditions or is_indefinite(turn.spec, status, turn.seen.controller):
        return
    if not _is_healthy(turn, status):
        turn.wake_at(progressing.last_update_s + progress_deadline_s(turn.spec) + 1)


def _deadline_runs(turn: Turn) -> bool:
    """Whether lack of progress counts now: not at an indefinite step, nor (since 1.7) while an old ReplicaSet waits to go."""
    if is_indefinite(turn.spec, turn.seen.status, turn.seen.controller):
        return False
    if not turn.seen.controller.is_since(Controller.ARGO_1_7):
        return True
    return all(rs.scale_down_deadline_s is None for rs in turn.seen.other_rss)


def _subject(turn: Turn) -> str:
    new = turn.seen.new_rs
    return f'ReplicaSet "{new.name}"' if new else f'Rollout "{turn.spec.name}"'


def _timeout_text(turn: Turn) -> str:
    return f"{_subject(turn)} has timed out progressing."


def _abort_past_deadline(turn: Turn, status: RolloutStatus) -> None:
    """progressDeadlineAbort: abort an update in flight that made no progress in time; never one already promoted."""
    before = turn.seen.status
    if not turn.spec.progress_deadline_abort or turn.is_aborted or cond.is_completed(status):
        return
    if cond.made_progress(turn.spec, before, status) or not _deadline_runs(turn):
        return
    if cond.has_timed_out(turn.spec, before, turn.seen.now_s, turn.seen.controller):
        turn.pauses.abort(_timeout_text(turn))


def _with_conditions(turn: Turn, status: RolloutStatus, *, is_paused: bool) -> RolloutStatus:
    """``status`` with Healthy, Progressing, Available and Completed brought up to date (``rollout/sync.go:859-1000``)."""
    now_s = turn.seen.now_s
    was_healthy = cond.find(turn.seen.status, "Healthy")
    healthy = _is_healthy(turn, status)
    became_unhealthy = False
    if healthy and not is_paused:
        status = _set(status, "Healthy", "RolloutHealthy", "Rollout is healthy", now_s)
    elif was_healthy is not None:
        became_unhealthy = was_healthy.status
        status = _set(status, "Healthy", "RolloutHealthy", "Rollout is not healthy", now_s, holds=False)
    status = _with_progressing(turn, status, became_unhealthy=became_unhealthy, is_paused=is_paused)
    if _is_available(turn, status):
        status = _set(status, "Available", "AvailableReason", "Rollout has minimum availability", now_s)
    else:
        text = "Rollout does not have minimum availability"
        status = _set(status, "Available", "AvailableReason", text, now_s, holds=False)
    completed = cond.is_completed(status)
    return _set(status, "Completed", "RolloutCompleted", "RolloutCompleted", now_s, holds=completed)


def _set(  # noqa: PLR0913 - a condition has these parts
    status: RolloutStatus,
    kind: str,
    reason: str,
    message: str,
    now_s: float,
    *,
    holds: bool = True,
    renew: bool = False,
) -> RolloutStatus:
    known = cond.find(status, kind)
    if known is not None and not renew and known.status == holds and known.reason == reason:
        return status
    condition = Condition(kind, status=holds, reason=reason, message=message, last_update_s=now_s)
    return cond.with_condition(status, condition, renew=renew)


def _with_progressing(turn: Turn, status: RolloutStatus, *, became_unhealthy: bool, is_paused: bool) -> RolloutStatus:
    spec, before, now_s = turn.spec, turn.seen.status, turn.seen.now_s
    name = turn.seen.new_rs.name if turn.seen.new_rs else ""
    if turn.is_aborted:
        message = f"Rollout aborted update to revision {revision_of(turn.seen)}"
        if turn.pauses.abort_message:
            message = f"{message}: {turn.pauses.abort_message}"
        changed = _set(status, "Progressing", cond.ABORTED, message, now_s, holds=False)
        if changed is not status:
            turn.notes.append(message)
        return changed
    # Upstream has no such guard: it writes "available" and "paused" in turn, for ever, while post-promotion analysis of a
    # blue-green is inconclusive.
    if _is_healthy(turn, status) and not (is_paused and not cond.is_completed(status)):
        text = f'ReplicaSet "{name}" has successfully progressed.'
        return _set(status, "Progressing", cond.NEW_AVAILABLE, text, now_s)
    if cond.made_progress(spec, before, status) or became_unhealthy:
        reason, text = cond.UPDATED, f"{_subject(turn)} is progressing."
        if became_unhealthy and cond.is_completed(status):
            reason, text = cond.NOT_AVAILABLE, "Rollout does not have minimum availability"
        return _set(status, "Progressing", reason, text, now_s, renew=True)
    if _deadline_runs(turn) and cond.has_timed_out(spec, status, now_s, turn.seen.controller):
        if spec.progress_deadline_abort and not turn.seen.controller.is_since(Controller.ARGO_1_10_RC1):
            turn.pauses.abort(_timeout_text(turn))
        return _set(status, "Progressing", cond.TIMED_OUT, _timeout_text(turn), now_s, holds=False)
    return status


def _is_available(turn: Turn, status: RolloutStatus) -> bool:
    if turn.spec.blue_green is not None:
        return is_saturated(turn.spec, find(turn.seen, status.blue_green.active_selector))
    return available_pods(all_rss(turn.seen)) >= turn.spec.desired
