"""Which old ReplicaSets and analysis runs are deleted (behaviour reference 6.5 and 2.6)."""

from __future__ import annotations

from collections.abc import Iterable

from sim.decide import defaults
from sim.decide.replicas import all_rss
from sim.decide.turn import Turn
from sim.model.actions import DeleteAnalysis, DeleteReplicaSet
from sim.model.analysis import AnalysisPhase
from sim.model.rollout import RunView

_UNSUCCESSFUL = {AnalysisPhase.FAILED, AnalysisPhase.ERROR, AnalysisPhase.INCONCLUSIVE}


def reconcile_history(turn: Turn) -> None:
    """Delete the oldest ReplicaSets beyond revisionHistoryLimit that are empty, each with its other runs.

    New and stable do not count; one that still has pods is passed over, not replaced (``rollout/sync.go:634-683``).
    """
    others = sorted(turn.seen.other_rss, key=lambda rs: (rs.created_s, rs.name))
    surplus = len(others) - defaults.revision_history_limit(turn.spec)
    for rs in others[: max(0, surplus)]:
        if rs.desired == rs.replicas == 0:
            turn.act(DeleteReplicaSet(rs.hash))
            for run in (run for run in unreferenced(turn) if run.pod_hash == rs.hash):
                turn.act(DeleteAnalysis(run.name))


def unreferenced(turn: Turn) -> tuple[RunView, ...]:
    """The runs that the status does not refer to."""
    status = turn.seen.status
    colours = status.blue_green
    refs = (status.step_run, status.background_run, colours.pre_promotion, colours.post_promotion)
    current = {ref.name for ref in refs if ref is not None}
    return tuple(run for run in turn.seen.runs if run.name not in current)


def delete_runs(turn: Turn, others: Iterable[RunView]) -> None:
    """Delete the oldest of these runs beyond the history limits, and those whose ReplicaSet is gone.

    Successful runs are counted apart from all other completed ones (``utils/analysis/filter.go:129-185``).
    """
    known = {rs.hash for rs in all_rss(turn.seen)}
    limits = defaults.run_history_limits(turn.spec)
    kept = [0, 0]
    doomed: list[RunView] = []
    for run in sorted(others, key=lambda run: run.created_s, reverse=True):
        kind = 0 if run.phase is AnalysisPhase.SUCCESSFUL else 1 if run.phase in _UNSUCCESSFUL else None
        if run.pod_hash not in known or (kind is not None and kept[kind] >= limits[kind]):
            doomed.append(run)
        elif kind is not None:
            kept[kind] += 1
    for run in doomed:
        turn.act(DeleteAnalysis(run.name))


def remaining(turn: Turn) -> tuple[RunView, ...]:
    """The runs that this reconcile has not deleted."""
    gone = {action.run for action in turn.actions if isinstance(action, DeleteAnalysis)}
    return tuple(run for run in turn.seen.runs if run.name not in gone)
