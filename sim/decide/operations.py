"""What people do to a Rollout (behaviour reference 8.4, 11.3): each returns the status their command leaves."""

from __future__ import annotations

from dataclasses import replace
from math import floor

from sim.decide.steps import current_index, steps_of
from sim.model.analysis import AnalysisPhase
from sim.model.rollout import RolloutSpec, RolloutStatus


def promote(spec: RolloutSpec, status: RolloutStatus) -> RolloutStatus:
    """Resume, or skip the current canary step: the status half of ``promote``, whose spec half is ``resume``.

    Paused by the controller: the pause conditions go, and the controller completes the step. An inconclusive inline
    analysis: its step is skipped too. Otherwise a canary skips the step it is at, even if only ``spec.paused`` held it,
    and a blue-green does nothing (``pkg/kubectl-argo-rollouts/cmd/promote/promote.go:168-204``).
    """
    run = status.step_run
    inconclusive = run is not None and run.phase is AnalysisPhase.INCONCLUSIVE
    if inconclusive and status.pause_conditions and status.controller_pause:
        return replace(_skipped(spec, status), pause_conditions=(), controller_pause=False)
    if status.pause_conditions:
        return replace(status, pause_conditions=())
    return _skipped(spec, status)


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


def end_pauses(status: RolloutStatus) -> RolloutStatus:
    """Only end pauses: what ``promote`` does to a paused rollout, and never more."""
    return replace(status, pause_conditions=())


def pause(spec: RolloutSpec) -> RolloutSpec:
    """Freeze steps and ReplicaSets, but not traffic, Services or running analysis (``pause``)."""
    return replace(spec, paused=True)


def restart(spec: RolloutSpec, now_s: float) -> RolloutSpec:
    """Ask for every pod created before this second to be replaced (``restart``)."""
    return replace(spec, restart_at_s=float(floor(now_s)))


def resume(spec: RolloutSpec) -> RolloutSpec:
    """The spec half of ``promote``: ``spec.paused`` false."""
    return replace(spec, paused=False)
