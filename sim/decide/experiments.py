"""The experiment step (behaviour reference 5.5, ``rollout/experiment.go:158-227``)."""

from __future__ import annotations

from sim.decide.pauses import condition_for, verdict_text
from sim.decide.steps import current_index, current_step
from sim.decide.turn import Turn, revision_of
from sim.model.actions import StartExperiment, TerminateExperiment
from sim.model.analysis import AnalysisPhase
from sim.model.rollout import Observed, PauseReason, RunStatusRef, RunView


def reconcile_experiment(turn: Turn) -> None:
    """Start the step's experiment, follow it, and end one that is no longer wanted.

    One is current as long as the status refers to it: until it is Successful, or the update starts over.
    """
    status, experiment = turn.seen.status, current_experiment_run(turn.seen)
    if turn.is_aborted or status.promote_full:
        _end(turn, turn.seen.experiment)
        return
    # Upstream has no such guard for experiments: it runs one after the other while it waits for a person.
    if condition_for(status, PauseReason.INCONCLUSIVE_ANALYSIS) or condition_for(
        status, PauseReason.INCONCLUSIVE_EXPERIMENT
    ):
        turn.experiment = status.experiment
        return
    step = current_step(turn.spec, status)
    wanted = step is not None and step.experiment is not None
    if not wanted or experiment is None:
        # Before a new one begins: the action ends all that run.
        _end(turn, turn.seen.experiment)
    if not wanted:
        return
    if experiment is not None:
        _heed(turn, experiment)
    elif turn.seen.stable_rs is not None and status.experiment is None:
        index = current_index(turn.spec, status) or 0
        name = _name(turn, index)
        turn.act(StartExperiment(index, name))
        turn.experiment = RunStatusRef(name, AnalysisPhase.PENDING)
    else:
        turn.experiment = status.experiment


def current_experiment_run(seen: Observed) -> RunView | None:
    """The experiment the status refers to (by no name yet right after its start), or None."""
    ref, experiment = seen.status.experiment, seen.experiment
    if ref is None or experiment is None:
        return None
    return experiment if ref.name in {"", experiment.name} else None


def _name(turn: Turn, index: int) -> str:
    """``<rollout>-<hash>-<revision>-<step>``, with ``-1``, ``-2`` ... where that is taken (``rollout/experiment.go:226``)."""
    pod_hash = turn.seen.new_rs.hash if turn.seen.new_rs else turn.seen.template_hash
    base = f"{turn.spec.name}-{pod_hash}-{revision_of(turn.seen)}-{index}"
    taken = turn.seen.experiment_names
    return next(name for name in (base, *(f"{base}-{n + 1}" for n in range(len(taken)))) if name not in taken)


def _end(turn: Turn, experiment: RunView | None) -> None:
    if experiment is not None and not experiment.phase.is_completed and not experiment.terminating:
        turn.act(TerminateExperiment())


def _heed(turn: Turn, experiment: RunView) -> None:
    if experiment.phase is AnalysisPhase.INCONCLUSIVE:
        turn.pauses.added.append(PauseReason.INCONCLUSIVE_EXPERIMENT)
    elif experiment.phase in {AnalysisPhase.ERROR, AnalysisPhase.FAILED}:
        what = "Experiment analysis phase is error/failed"
        turn.pauses.abort(verdict_text(what, experiment.message, turn.seen.controller))
    elif experiment.phase is not AnalysisPhase.SUCCESSFUL:
        turn.experiment = RunStatusRef(experiment.name, experiment.phase, experiment.message)
