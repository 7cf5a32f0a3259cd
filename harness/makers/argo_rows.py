"""Journal rows from what Argo Rollouts writes into its analysis runs: (before, after) -> rows.

A row's time is when the change was heard of, a few milliseconds after it was written. The times inside the objects
(``finishedAt`` ...) are whole seconds, which in a time-compressed run is too coarse to order anything by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from harness.cluster.objects import Object
from sim.model.analysis import AnalysisPhase
from sim.model.records import AnalysisRecord, MeasurementRecord, Record
from sim.model.rollout import RunRole

_ROLES: Final = {
    "Step": RunRole.STEP,
    "Background": RunRole.BACKGROUND,
    "PrePromotion": RunRole.PRE_PROMOTION,
    "PostPromotion": RunRole.POST_PROMOTION,
}
"""Values of the label ``rollout-type``."""
_OUTCOMES: Final = ("successful", "failed", "inconclusive", "error")


def run_rows(before: Object | None, after: Object, t_s: float, region: str) -> tuple[Record, ...]:
    """Measurements that an analysis run finished, then its phase if that is another one."""
    rows: list[Record] = [
        MeasurementRecord(
            t_s, region, name_of(after), metric, one["phase"], one.get("value", ""), one.get("message", "")
        )
        for metric, one in finished(before, after)
    ]
    phase, message = _phase(after)
    if phase and phase != (_phase(before)[0] if before is not None else AnalysisPhase.PENDING.value):
        rows.append(AnalysisRecord(t_s, region, name_of(after), role_of(after).value, phase, message))
    return tuple(rows)


def name_of(obj: Object) -> str:
    """The object's name."""
    return str(obj["metadata"]["name"])


def role_of(run: Object) -> RunRole:
    """Why the run exists; one without the label is an experiment's."""
    return _ROLES.get((run["metadata"].get("labels") or {}).get("rollout-type", ""), RunRole.EXPERIMENT)


def goes_on(run: Object) -> bool:
    """Whether the run has still to come to an end."""
    return not AnalysisPhase(_phase(run)[0] or AnalysisPhase.PENDING).is_completed


def finished(before: Object | None, after: Object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(metric, measurement) of those that came to an end between the two, in the order of the metrics.

    Only the last ones of a metric are kept in the object, so the metric's counts tell how many are new.
    """
    earlier = _results(before) if before is not None else {}
    for metric, result in _results(after).items():
        new = _count(result) - _count(earlier.get(metric, {}))
        ended = [one for one in result.get("measurements") or () if AnalysisPhase(one["phase"]).is_completed]
        for one in ended[len(ended) - new :] if new > 0 else ():
            yield metric, one


def _results(run: Object) -> dict[str, Mapping[str, Any]]:
    return {one["name"]: one for one in (run.get("status") or {}).get("metricResults") or ()}


def _count(result: Mapping[str, Any]) -> int:
    return sum(int(result.get(outcome, 0)) for outcome in _OUTCOMES)


def _phase(run: Object) -> tuple[str, str]:
    status = run.get("status") or {}
    return status.get("phase", ""), status.get("message", "")
