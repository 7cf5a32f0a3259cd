"""How many old revisions are kept (Argo Rollouts ``rollout/sync.go:642``)."""

from __future__ import annotations

from typing import Final

from sim.decide.turn import Turn
from sim.model.actions import DeleteReplicaSet

REVISIONS: Final = 10
"""Default of ``revisionHistoryLimit``."""


def reconcile_history(turn: Turn) -> None:
    """Delete the oldest ReplicaSets beyond ``revisionHistoryLimit``; those with pods stay, and count."""
    limit = turn.spec.revision_history_limit
    surplus = len(turn.seen.other_rss) - (REVISIONS if limit is None else limit)
    if surplus <= 0:
        return
    oldest = sorted(turn.seen.other_rss, key=lambda rs: (rs.created_s, rs.name))[:surplus]
    for rs in oldest:
        if rs.replicas == 0 and rs.desired == 0:
            turn.act(DeleteReplicaSet(rs.hash))
