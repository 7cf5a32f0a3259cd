"""Which analysis runs exist for a rollout, and what their verdicts do to it (behaviour reference 5.4, 9)."""

from __future__ import annotations

from sim.decide.history import delete_runs, remaining
from sim.decide.pauses import condition_for, verdict_text
from sim.decide.promotion import is_fast_tracked, is_fast_undo, is_within_window
from sim.decide.replicas import is_saturated
from sim.decide.steps import before_starting_step, current_index, current_step, is_fully_promoted
from sim.decide.turn import Turn, revision_of
from sim.model.actions import StartAnalysis, TerminateAnalysis
from sim.model.analysis import AnalysisPhase, AnalysisRef
from sim.model.controller import NEWEST, Controller
from sim.model.rollout import Observed, PauseReason, RolloutSpec, RolloutStatus, RunRole, RunStatusRef, RunView

_INFIX = {RunRole.PRE_PROMOTION: "-pre", RunRole.POST_PROMOTION: "-post"}
_TEMPLATES_NEEDED = dict.fromkeys(RunRole, Controller.ARGO_1_9) | {RunRole.BACKGROUND: Controller.ARGO_1_7}
"""Since when an analysis without templates is no analysis; before, its run could not be created."""
_VERDICT = {
    RunRole.STEP: "Step-based analysis phase error/failed",
    RunRole.BACKGROUND: "Background analysis phase error/failed",
    RunRole.PRE_PROMOTION: "Blue/green pre-promotion analysis phase error/failed",
    RunRole.POST_PROMOTION: "Blue/green post-promotion analysis phase error/failed",
}


def current_run(seen: Observed, role: RunRole) -> RunView | None:
    """The run the status refers to for this role, or None.

    A run that the caller named otherwise than asked is recognised as the latest of its role; one that is not visible
    yet counts as it was last known.
    """
    ref = _ref(seen.status, role)
    if ref is None:
        return None
    named = next((run for run in seen.runs if run.name == ref.name), None)
    if named is not None:
        return named
    of_role = [run for run in seen.runs if run.role is role]
    return of_role[-1] if of_role else RunView(ref.name, role, ref.phase, ref.message, seen.status.current_step_index)


def _ref(status: RolloutStatus, role: RunRole) -> RunStatusRef | None:
    return {
        RunRole.STEP: status.step_run,
        RunRole.BACKGROUND: status.background_run,
        RunRole.PRE_PROMOTION: status.blue_green.pre_promotion,
        RunRole.POST_PROMOTION: status.blue_green.post_promotion,
    }[role]


def needs_new(run: RunView | None, status: RolloutStatus, controller: Controller = NEWEST) -> bool:
    """Whether a run must be created although there may be one: resumed after an inconclusive one, or just retried.

    Before 1.8 a canary's pause step counts as resumed (``rollout/analysis.go:173-196``).
    """
    if run is None:
        return True
    paused = {c.reason for c in status.pause_conditions}
    steps = {PauseReason.CANARY_STEP} if controller.is_since(Controller.ARGO_1_8) else set()
    # Upstream does not know the pause of an inconclusive experiment here, and creates runs without end meanwhile.
    known = {*steps, PauseReason.BLUE_GREEN, PauseReason.INCONCLUSIVE_EXPERIMENT}
    if status.controller_pause and not paused & known:
        return run.phase is AnalysisPhase.INCONCLUSIVE
    return status.aborted_at_s is not None


def reconcile_runs(turn: Turn) -> None:
    """Start, follow and end the runs; a bad verdict aborts, an inconclusive one pauses.

    Everything is ended and skipped when promoted, aborted, fully promoted by hand, on a short undo and on the first
    deployment.
    """
    spec, seen = turn.spec, turn.seen
    roles = _roles(spec)
    current = {role: run for role in roles if (run := current_run(seen, role)) is not None}
    if not seen.controller.is_since(Controller.ARGO_1_10_RC1) and _was_skipped(turn):
        turn.runs = current
        for run in remaining(turn):
            end(turn, run)
        return
    if seen.controller.is_since(Controller.ARGO_1_10_RC1) and _is_skipped(turn):
        for run in current.values():
            end(turn, run)
        if spec.blue_green is not None:
            turn.runs = current
    else:
        for role in roles:
            _reconcile_role(turn, role, current.get(role))
    kept = {run.name for run in (*turn.runs.values(), *current.values())}
    others = [run for run in remaining(turn) if run.name not in kept]
    for run in others:
        end(turn, run)
    delete_runs(turn, others)


def _roles(spec: RolloutSpec) -> tuple[RunRole, ...]:
    if spec.blue_green is not None:
        return (RunRole.PRE_PROMOTION, RunRole.POST_PROMOTION)
    return (RunRole.STEP, RunRole.BACKGROUND)


def _is_skipped(turn: Turn) -> bool:
    status = turn.seen.status
    if is_fully_promoted(status) or turn.is_aborted or status.promote_full or not status.stable_rs:
        return True
    return is_fast_undo(turn.spec, turn.seen)


def _was_skipped(turn: Turn) -> bool:
    """As ``_is_skipped`` before 1.10: not for being promoted, but for any scale-down deadline of the new ReplicaSet."""
    status, controller = turn.seen.status, turn.seen.controller
    if turn.is_aborted or status.promote_full or not status.stable_rs or is_fast_tracked(turn.spec, turn.seen):
        return True
    return controller.is_since(Controller.ARGO_1_7) and is_within_window(turn.spec, turn.seen)


def end(turn: Turn, run: RunView | None) -> None:
    """Ask a run that is still going to end, once."""
    if run is not None and not run.phase.is_completed and not run.terminating:
        turn.act(TerminateAnalysis(run.name))


def _reconcile_role(turn: Turn, role: RunRole, run: RunView | None) -> None:
    status = turn.seen.status
    if role is RunRole.STEP and (status.pause_conditions or status.abort):
        _keep(turn, role, run)
        return
    if not _is_wanted(turn, role, run):
        if role is not RunRole.BACKGROUND or not _analysis(turn, role):
            end(turn, run)
        if role in _INFIX and _analysis(turn, role):
            _keep(turn, role, run)
        return
    if role is not RunRole.STEP and condition_for(status, PauseReason.INCONCLUSIVE_ANALYSIS) is not None:
        _keep(turn, role, run)
        return
    if needs_new(run, status, turn.seen.controller):
        _start(turn, role)
        return
    _keep(turn, role, run)
    if run is not None:
        _heed(turn, role, run)


def _keep(turn: Turn, role: RunRole, run: RunView | None) -> None:
    if run is None:
        return
    turn.runs[role] = run
    if role in _INFIX:
        _heed(turn, role, run)


def _analysis(turn: Turn, role: RunRole) -> bool:
    """Whether the spec has templates for this role (at this step)."""
    canary, blue_green = turn.spec.canary, turn.spec.blue_green
    ref: AnalysisRef | None = None
    if role is RunRole.STEP:
        step = current_step(turn.spec, turn.seen.status)
        ref = step.analysis if step else None
    elif role is RunRole.BACKGROUND:
        ref = canary.analysis if canary else None
    elif blue_green is not None:
        ref = blue_green.pre_promotion if role is RunRole.PRE_PROMOTION else blue_green.post_promotion
    may_be_empty = not turn.seen.controller.is_since(_TEMPLATES_NEEDED[role])
    return ref is not None and (bool(ref.templates) or may_be_empty)


def _is_wanted(turn: Turn, role: RunRole, run: RunView | None) -> bool:
    spec, seen = turn.spec, turn.seen
    if not _analysis(turn, role):
        return False
    if role is RunRole.STEP:
        if not seen.controller.is_since(Controller.ARGO_1_7):
            return True
        return run is None or run.step_index in {None, current_index(spec, seen.status)}
    if role is RunRole.BACKGROUND:
        started = bool(seen.status.current_pod_hash) and not is_fully_promoted(seen.status)
        return started and not before_starting_step(spec, seen.status)
    skip = skips_pre_promotion if role is RunRole.PRE_PROMOTION else skips_post_promotion
    return not skip(spec, seen, run)


def skips_pre_promotion(spec: RolloutSpec, seen: Observed, run: RunView | None) -> bool:
    """Whether pre-promotion analysis is not (yet) due: promoted, first deployment, or the new pods are not all there.

    A run that exists goes on even if pods flap (``rollout/analysis.go:277-299``).
    """
    new, active = seen.new_rs, seen.status.blue_green.active_selector
    if new is None or not new.hash or seen.status.stable_rs == new.hash or active in {"", new.hash}:
        return True
    if run is not None and seen.controller.is_since(Controller.ARGO_1_8):
        return False
    preview = spec.blue_green.preview_replica_count if spec.blue_green else None
    if preview is not None:
        return not new.desired == new.available == preview
    return not is_saturated(spec, new)


def skips_post_promotion(spec: RolloutSpec, seen: Observed, run: RunView | None) -> bool:
    """Whether post-promotion analysis is not (yet) due: not switched, promoted, or the new pods are not all there."""
    new = seen.new_rs
    if new is None or not new.hash or seen.status.stable_rs == new.hash:
        return True
    if seen.status.blue_green.active_selector != new.hash:
        return True
    goes_on = run is not None and seen.controller.is_since(Controller.ARGO_1_8)
    return not goes_on and not is_saturated(spec, new)


def _start(turn: Turn, role: RunRole) -> None:
    index = current_index(turn.spec, turn.seen.status) if role is RunRole.STEP else None
    name = run_name(turn.spec, turn.seen, role, index)
    same = next((run for run in remaining(turn) if run.name == name), None)
    if same is not None:
        turn.runs[role] = same
        _heed(turn, role, same)
        return
    turn.act(StartAnalysis(role, index, name))
    turn.notes.append(f"Created AnalysisRun '{name}'")
    new = turn.seen.new_rs
    turn.runs[role] = RunView(name, role, AnalysisPhase.PENDING, "", index, pod_hash=new.hash if new else "")


def run_name(spec: RolloutSpec, seen: Observed, role: RunRole, index: int | None) -> str:
    """``<rollout>-<hash>-<revision>[-<step>|-pre|-post]``, with ``.1``, ``.2`` ... where a completed run has that name.

    One that still runs under it is taken for the run wanted: the controller compares their metrics and arguments too,
    which the twin does not see here (``utils/analysis/helpers.go:257-290``).
    """
    pod_hash = seen.new_rs.hash if seen.new_rs else seen.template_hash
    infix = f"-{index}" if role is RunRole.STEP else _INFIX.get(role, "")
    base = f"{spec.name}-{pod_hash}-{revision_of(seen)}{infix}"
    taken = {run.name for run in seen.runs if run.phase.is_completed}
    if base not in taken:
        return base
    return next(name for n in range(1, len(taken) + 2) if (name := f"{base}.{n}") not in taken)


def _heed(turn: Turn, role: RunRole, run: RunView) -> None:
    if run.phase is AnalysisPhase.INCONCLUSIVE:
        turn.pauses.added.append(PauseReason.INCONCLUSIVE_ANALYSIS)
    elif run.phase in {AnalysisPhase.ERROR, AnalysisPhase.FAILED}:
        turn.pauses.abort(verdict_text(_VERDICT[role], run.message, turn.seen.controller))


def reference_of(spec: RolloutSpec, action: StartAnalysis) -> AnalysisRef:
    """The ``analysis`` block that a run is started from."""
    canary, blue_green = spec.canary, spec.blue_green
    found: AnalysisRef | None = None
    match action.role:
        case RunRole.STEP:
            found = canary.steps[action.step_index or 0].analysis if canary else None
        case RunRole.BACKGROUND:
            found = canary.analysis if canary else None
        case RunRole.PRE_PROMOTION:
            found = blue_green.pre_promotion if blue_green else None
        case RunRole.POST_PROMOTION:
            found = blue_green.post_promotion if blue_green else None
        case RunRole.EXPERIMENT:
            found = None
    return found or AnalysisRef()
