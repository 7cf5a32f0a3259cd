"""Replacing pods that are older than ``spec.restartAt`` (Argo Rollouts ``rollout/restart.go``)."""

from __future__ import annotations

from math import floor
from typing import Final

from sim.decide.defaults import JUST_AFTER_S
from sim.decide.fenceposts import max_unavailable
from sim.decide.replicas import all_rss
from sim.decide.turn import Turn
from sim.model.actions import RestartPods
from sim.model.rollout import Observed, PodView, RolloutSpec, RolloutStatus

RECHECK_S: Final = 30.0
"""How soon the controller looks again while old pods are left (``rollout/restart.go:31``)."""


def is_restarting(spec: RolloutSpec, status: RolloutStatus) -> bool:
    """Whether a restart was asked for that is not yet carried out."""
    return spec.restart_at_s is not None and spec.restart_at_s != status.restarted_at_s


def reconcile_restart(turn: Turn) -> bool:
    """Whether pods were evicted: stable's first, then the new ones, then older, as many as may be unavailable at once.

    At least one may always go. The number available must stay at the larger of ``spec.replicas`` and all pods wanted,
    less that many.
    """
    spec, seen = turn.spec, turn.seen
    if spec.restart_at_s is None or not is_restarting(spec, seen.status):
        return False
    if seen.now_s <= spec.restart_at_s:
        turn.wake_at(spec.restart_at_s + JUST_AFTER_S)
        return False
    old = [pod for pod in _in_order(seen) if floor(pod.created_s) < spec.restart_at_s]
    chosen = tuple(pod.name for pod in old if not pod.deleted)[: _room(spec, seen)]
    if chosen:
        turn.act(RestartPods(chosen))
        turn.notes.append(f"restarted {len(chosen)} of {len(old)} pods")
    if len(old) > len(chosen):
        turn.wake_at(seen.now_s + RECHECK_S)
    else:
        turn.restarted_at_s = spec.restart_at_s
    return bool(chosen)


def _room(spec: RolloutSpec, seen: Observed) -> int:
    wanted = max(spec.desired, sum(rs.desired for rs in all_rss(seen)))
    available = sum(pod.available and not pod.deleted for pod in seen.pods)
    return max(0, available - (wanted - max(1, max_unavailable(spec))))


def _in_order(seen: Observed) -> list[PodView]:
    stable, new = seen.status.stable_rs, seen.new_rs.hash if seen.new_rs else ""
    ranks = {new: 1, stable: 0}
    return sorted(seen.pods, key=lambda pod: ranks.get(pod.hash, 2))
