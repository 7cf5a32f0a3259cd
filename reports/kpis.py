"""The indicators of one run, each a pure function of its journal; None where it does not apply.

Definitions are those of ``sim.model.kpis``; what they leave open is said here, function by function. Indicators that
belong to many releases together (deployment frequency) are computed in ``reports.score``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

from reports.views import (
    CANDIDATE,
    STABLE,
    STOPS,
    Journal,
    after_apply,
    end_of,
    header_of,
    intervals,
    last_s,
    of_kind,
    reached_everybody,
    restored_s,
    served_everybody_s,
    slots,
    worsened_s,
)
from sim.model.kpis import Kpi
from sim.model.records import DecisionRecord, DeliveryRecord, PodRecord, Verdict, WeightRecord

_AGAINST = STOPS | {"alert"}
_OCCUPYING = frozenset({"running", "ready", "unready", "crashed", "terminating"})
_MONTH_S = 30 * 86400.0


def kpis_of(journal: Journal) -> dict[Kpi, float | None]:
    """Every indicator of a run in its own unit; None where it does not apply to this kind of run."""
    return {kpi: (_FUNCTIONS[kpi](journal) if kpi in _FUNCTIONS else None) for kpi in Kpi}


def lead_time_h(journal: Journal) -> float | None:
    """Hours from the commit (start of the first delivery step; the apply, if there is none) to serving everybody."""
    served = served_everybody_s(journal)
    if served is None:
        return None
    commit = min((d.t_s - d.duration_s for d in of_kind(journal, DeliveryRecord) if d.t_s <= 0), default=0.0)
    return (served - commit) / 3600


def deployment_duration_min(journal: Journal) -> float | None:
    """Minutes from apply to serving everybody."""
    served = served_everybody_s(journal)
    return None if served is None else served / 60


def change_failure(journal: Journal) -> float | None:
    """1 if the release served everybody and had to be taken back or repaired, else 0; None if it never started.

    A bad release that nobody has taken back by the end of the run counts: somebody will have to. So does a switch of
    all traffic to where no pod of the release is. A rejected release is no deployment, so a strategy that is always rejected has no failure rate, rather than a perfect one (0/0).
    """
    verdict = end_of(journal).verdict
    if verdict is Verdict.REJECTED:
        return None
    failed = verdict in {Verdict.UNDONE, Verdict.DEGRADED} or not header_of(journal).release_good
    return float(failed and reached_everybody(journal))


def change_failure_with_aborts(journal: Journal) -> float | None:
    """The same, and 1 for an aborted or stuck release, and for one that ended degraded without serving everybody."""
    failed = change_failure(journal)
    taken_back = end_of(journal).verdict in {Verdict.ABORTED, Verdict.STUCK, Verdict.DEGRADED}
    return failed if failed is None else max(failed, float(taken_back))


def recovery_time_min(journal: Journal) -> float | None:
    """Minutes from first harm to the stable version serving all traffic again; a lower bound if it never did.

    Applies to releases that did harm (``harm_s``). Without recovery in the run the value is the time from harm to the
    end of the run and is reported as a lower bound (``lower_bounds``).
    """
    harm = harm_s(journal)
    if harm is None:
        return None
    recovered = _recovered_s(journal, harm)
    return ((last_s(journal) if recovered is None else recovered) - harm) / 60


def time_to_detect_min(journal: Journal) -> float | None:
    """Minutes from a bad release's first request to the first decision against it; a lower bound if there was none.

    An alert is a decision against it. None for a good release, and for a bad one stopped before its first request.
    """
    first = _first_request_s(journal)
    if header_of(journal).release_good or first is None:
        return None
    detected = _detected_s(journal, first)
    return ((last_s(journal) if detected is None else detected) - first) / 60


def failed_requests(journal: Journal) -> float:
    """Client requests that finally failed since the apply, less those the stable version alone would have failed.

    May be slightly negative by chance; cutting at zero would bias the mean over replications.
    """
    requests, failures = client_counts(journal)
    return failures - header_of(journal).base_failure_ratio * requests


def client_counts(journal: Journal) -> tuple[float, float]:
    """(client requests, those that finally failed) since the apply."""
    rows = after_apply(intervals(journal))
    return float(sum(row.requests for row in rows)), float(sum(row.failures for row in rows))


def bad_full_traffic_min(journal: Journal) -> float | None:
    """Minutes x share of the clients' requests that a bad release answered; None for a good one."""
    if header_of(journal).release_good:
        return None
    used = (slot for slot in slots(after_apply(intervals(journal))) if slot.requests)
    return float(sum(slot.width_s * slot.candidate_requests / slot.requests for slot in used)) / 60


def error_budget_burn(journal: Journal) -> float | None:
    """Failed requests as a share of what the objective allows in 30 days at the mean rate since the apply."""
    rows = slots(after_apply(intervals(journal)))
    covered = sum(slot.width_s for slot in rows)
    requests = sum(slot.requests for slot in rows)
    allowed = (1 - header_of(journal).slo) * requests * _MONTH_S / covered if covered else 0.0
    return failed_requests(journal) / allowed if allowed > 0 else None


def extra_pod_hours(journal: Journal) -> float | None:
    """Hours x pods above the desired count from the apply to the end of the run; None without pod rows.

    A pod counts from its start on a node until it is gone; while pending it occupies nothing. Every region is judged
    by itself: its desired count is the part of the whole that its pods were of all regions' when each was first seen.
    """
    pods: dict[str, list[PodRecord]] = {}
    for pod in of_kind(journal, PodRecord):
        pods.setdefault(pod.region, []).append(pod)
    if not pods:
        return None
    first = {region: sum(pod.t_s == rows[0].t_s for pod in rows) for region, rows in pods.items()}
    desired, known = header_of(journal).desired_pods, sum(first.values())
    return (
        sum(_extra_pod_s(rows, desired * first[region] / known, last_s(journal)) for region, rows in pods.items())
        / 3600
    )


def _extra_pod_s(changes: Sequence[PodRecord], desired: float, last: float) -> float:
    """Seconds x pods of one region above its desired count since the apply."""
    occupied, now, total = set[str](), 0.0, 0.0
    for pod in sorted(changes, key=lambda pod: pod.t_s):
        total += max(0.0, len(occupied) - desired) * (max(pod.t_s, now) - now)
        now = max(pod.t_s, now)
        (occupied.add if pod.state in _OCCUPYING else occupied.discard)(pod.pod)
    return total + max(0.0, len(occupied) - desired) * max(0.0, last - now)


def unplanned_downtime_min(journal: Journal) -> float:
    """Minutes since the apply in whose intervals at least half of the clients' requests failed."""
    rows = slots(after_apply(intervals(journal)))
    return float(sum(slot.width_s for slot in rows if slot.requests and slot.failures >= slot.requests / 2)) / 60


def false_abort(journal: Journal) -> float | None:
    """1 if a good release was aborted, rejected or left stuck, else 0; None for a bad one."""
    if not header_of(journal).release_good:
        return None
    return float(end_of(journal).verdict in {Verdict.ABORTED, Verdict.REJECTED, Verdict.STUCK})


def miss(journal: Journal) -> float | None:
    """1 if a bad release came to serve everybody, else 0; None for a good one."""
    if header_of(journal).release_good:
        return None
    return float(reached_everybody(journal))


_FUNCTIONS: dict[Kpi, Callable[[Journal], float | None]] = {
    Kpi.LEAD_TIME: lead_time_h,
    Kpi.CHANGE_FAILURE_RATE: change_failure,
    Kpi.CHANGE_FAILURE_RATE_WITH_ABORTS: change_failure_with_aborts,
    Kpi.RECOVERY_TIME: recovery_time_min,
    Kpi.DEPLOYMENT_DURATION: deployment_duration_min,
    Kpi.TIME_TO_DETECT: time_to_detect_min,
    Kpi.FAILED_REQUESTS: failed_requests,
    Kpi.BAD_FULL_TRAFFIC_MINUTES: bad_full_traffic_min,
    Kpi.ERROR_BUDGET_BURN: error_budget_burn,
    Kpi.EXTRA_POD_HOURS: extra_pod_hours,
    Kpi.UNPLANNED_DOWNTIME: unplanned_downtime_min,
    Kpi.FALSE_ABORT_RATE: false_abort,
    Kpi.MISS_RATE: miss,
}


def lower_bounds(journal: Journal) -> frozenset[Kpi]:
    """Indicators whose true value is larger, because the run ended first.

    Detection: a bad release that nobody decided against. Recovery and damage: a harmful release still in service.
    """
    found = set[Kpi]()
    first, harm = _first_request_s(journal), harm_s(journal)
    if not header_of(journal).release_good and first is not None and _detected_s(journal, first) is None:
        found.add(Kpi.TIME_TO_DETECT)
    if harm is not None and _recovered_s(journal, harm) is None:
        found |= {Kpi.RECOVERY_TIME, Kpi.FAILED_REQUESTS, Kpi.ERROR_BUDGET_BURN}
        if not header_of(journal).release_good:
            found.add(Kpi.BAD_FULL_TRAFFIC_MINUTES)
    return frozenset(found)


def harm_s(journal: Journal) -> float | None:
    """When a release first did harm; None if it did none.

    The start of the first interval (or what in that interval made things worse: more traffic, a fault) in which more client requests failed, with the candidate or for want of any pod, than the
    stable version's ratio explains (expectation + 3 standard deviations + 1, so that one stray failure is no harm).
    A bad release whose harm does not show as failures (it is slow) harms from its first request. A good release does
    harm only if it was stopped, undone or degraded for it.
    """
    header, verdict = header_of(journal), end_of(journal).verdict
    if header.release_good and verdict not in {Verdict.ABORTED, Verdict.UNDONE, Verdict.DEGRADED, Verdict.STUCK}:
        return None
    for row in after_apply(intervals(journal)):
        expected = header.base_failure_ratio * row.requests
        if row.side != STABLE and row.failures > expected + 3 * sqrt(expected) + 1:
            return max(worsened_s(journal, row.start_s, row.end_s), 0.0)
    return None if header.release_good else _first_request_s(journal)


def occupancy_s(journal: Journal) -> float:
    """How long a release keeps the next one waiting: from apply to the end of its rollout and of the steps after it."""
    after = max((d.t_s for d in of_kind(journal, DeliveryRecord)), default=0.0)
    return max(end_of(journal).ended_s, after, 0.0)


def _first_request_s(journal: Journal) -> float | None:
    """Start of the first interval in which the candidate answered, or its first weight within that interval."""
    row = next((r for r in after_apply(intervals(journal)) if r.side == CANDIDATE and r.requests > 0), None)
    if row is None:
        return None
    routed = (w.t_s for w in of_kind(journal, WeightRecord) if w.candidate > 0 and row.start_s <= w.t_s < row.end_s)
    return max(next(routed, row.start_s), 0.0)


def _detected_s(journal: Journal, first_s: float) -> float | None:
    decisions = of_kind(journal, DecisionRecord)
    return next((d.t_s for d in decisions if d.decision in _AGAINST and d.t_s >= first_s), None)


def _recovered_s(journal: Journal, harm_at_s: float) -> float | None:
    """Since when the stable version has served all traffic again after the harm; None if it does not at the end.

    Regions are judged together. A journal without weights is judged by its traffic.
    """
    if next(of_kind(journal, WeightRecord), None) is not None:
        restored = restored_s(journal)
        return None if restored is None else max(restored, harm_at_s)
    served = [slot for slot in slots(after_apply(intervals(journal))) if slot.requests]
    if not served or served[-1].candidate_requests:
        return None
    return max((slot.end_s for slot in served if slot.candidate_requests), default=harm_at_s)
