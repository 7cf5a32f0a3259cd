"""What people do to a Rollout (behaviour reference 8.4, 11.3): each returns the status their command leaves."""

from __future__ import annotations

from dataclasses import replace

from sim.decide.pauses import condition_for
from sim.decide.steps import current_index, current_step, steps_of
from sim.model.rollout import PauseReason, RolloutSpec, RolloutStatus


def promote(spec: RolloutSpec, status: RolloutStatus) -> RolloutStatus:
    """Resume, or skip the current canary step (``kubectl argo rollouts promote``; ``spec.paused`` is the caller's).

    Paused: the pause conditions go, and the controller completes the step. An inconclusive inline analysis: its step is
    skipped too. Not paused: a canary skips the running step, a blue-green does nothing.
    """
    step = current_step(spec, status)
    inconclusive = condition_for(status, PauseReason.INCONCLUSIVE_ANALYSIS) is not None
    if inconclusive and step is not None and step.analysis is not None:
        return replace(_skipped(spec, status), pause_conditions=(), controller_pause=False)
    if status.pause_conditions:
        return replace(status, pause_conditions=())
    return status if spec.paused or step is None else _skipped(spec, status)


def _skipped(spec: RolloutSpec, status: RolloutStatus) -> RolloutStatus:
    index = current_index(spec, status)
    return status if index is None or index >= len(steps_of(spec)) else replace(status, current_step_index=index + 1)


def promote_full(status: RolloutStatus) -> RolloutStatus:
    """Skip everything that is left (``promote --full``); on an aborted rollout this ships the aborted version."""
    return status if status.current_pod_hash == status.stable_rs else replace(status, promote_full=True)


def abort(status: RolloutStatus) -> RolloutStatus:
    """Back to stable (``abort``)."""
    return replace(status, abort=True)


def retry(status: RolloutStatus) -> RolloutStatus:
    """Try the aborted update again from its first step (``retry rollout``)."""
    return replace(status, abort=False)


def pause(spec: RolloutSpec) -> RolloutSpec:
    """Freeze steps and ReplicaSets, but not traffic, Services or running analysis (``pause``)."""
    return replace(spec, paused=True)


def resume(spec: RolloutSpec) -> RolloutSpec:
    """The spec half of ``promote``: ``spec.paused`` false."""
    return replace(spec, paused=False)
