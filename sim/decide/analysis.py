"""One pass of the analysis controller: what to measure now, what the answers mean, when to look again.

Source: behaviour reference 2.1-2.5 (Argo Rollouts ``analysis/analysis.go``). All times are seconds of one clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor

from sim.decide.assessment import assess, effective_count, is_terminating, result_of, with_result
from sim.decide.defaults import JUST_AFTER_S
from sim.decide.metric_rules import dry_run_names, kept_measurements
from sim.model.analysis import AnalysisPhase, AnalysisRunSpec, AnalysisRunStatus, Measurement, Metric, MetricResult
from sim.model.changing import replace
from sim.model.controller import Controller
from sim.model.units import go_duration_s

ERROR_RETRY_S = 10.0
"""After an error the next try comes this much later, whatever the interval (``analysis.go:30``)."""

_COUNTED = {
    AnalysisPhase.SUCCESSFUL: "successful",
    AnalysisPhase.FAILED: "failed",
    AnalysisPhase.INCONCLUSIVE: "inconclusive",
    AnalysisPhase.ERROR: "error",
}


@dataclass(frozen=True, slots=True)
class Task:
    """One metric to measure now. ``resume``: its last measurement is in flight; ``terminate``: stop that one instead."""

    metric: Metric
    resume: bool = False
    terminate: bool = False
    ends_as: AnalysisPhase = AnalysisPhase.INCONCLUSIVE
    """Phase of a Job's measurement that is stopped."""


def due(run: AnalysisRunSpec, status: AnalysisRunStatus, now_s: float) -> tuple[Task, ...]:
    """The metrics to measure at ``now_s``, in spec order; not to be asked of a completed run.

    A terminating run starts nothing new and stops what is in flight: at once since 1.10, before that only what would be
    looked at again by now.
    """
    terminating = is_terminating(status, terminate=run.terminate)
    tasks = (_task(run.controller, metric, status, now_s, terminating=terminating) for metric in run.metrics)
    return tuple(task for task in tasks if task is not None)


def _task(
    controller: Controller, metric: Metric, status: AnalysisRunStatus, now_s: float, *, terminating: bool
) -> Task | None:
    result = result_of(status, metric.name)
    if result is not None and result.phase.is_completed:
        return None
    last = result.measurements[-1] if result is not None and result.measurements else None
    if last is not None and last.finished_s is None:
        since_1_10 = controller.is_since(Controller.ARGO_1_10_RC1)
        waiting = last.resume_at_s is not None and last.resume_at_s > now_s
        if waiting and not (terminating and since_1_10):
            return None
        ends_as = AnalysisPhase.INCONCLUSIVE if since_1_10 else AnalysisPhase.SUCCESSFUL
        return Task(metric, resume=True, terminate=terminating, ends_as=ends_as)
    if terminating:
        return None
    if result is None or last is None:
        return Task(metric) if _delay_over(metric, status, now_s) else None
    return Task(metric) if _overdue(metric, result, last, now_s) else None


def _delay_over(metric: Metric, status: AnalysisRunStatus, now_s: float) -> bool:
    """Whether the first measurement may be taken: ``initialDelay`` counts from the end of the run's first pass."""
    if not metric.initial_delay:
        return True
    delay_s = _duration_s(metric.initial_delay)
    return status.started_s is not None and delay_s is not None and status.started_s + delay_s <= now_s


def _overdue(metric: Metric, result: MetricResult, last: Measurement, now_s: float) -> bool:
    count = effective_count(metric)
    if last.finished_s is None or (count is not None and result.count >= count):
        return False
    if last.phase is not AnalysisPhase.ERROR and not metric.interval:
        return now_s > last.finished_s + ERROR_RETRY_S
    pause_s = gap_after_s(metric, last.phase)
    return pause_s is not None and now_s > last.finished_s + pause_s


def gap_after_s(metric: Metric, phase: AnalysisPhase) -> float | None:
    """Seconds from the end of a measurement of this phase to the next one; None if nothing asks for a next one."""
    if phase is AnalysisPhase.ERROR:
        return ERROR_RETRY_S
    return _duration_s(metric.interval) if metric.interval else None


def _duration_s(text: str) -> float | None:
    """Seconds of a duration; None for one that cannot be read, which the controller skips (validation refuses it)."""
    try:
        return go_duration_s(text)
    except ValueError:
        return None


def record(
    run: AnalysisRunSpec, status: AnalysisRunStatus, measurements: Mapping[str, Measurement], now_s: float
) -> AnalysisRunStatus:
    """The status after one pass that ended at ``now_s`` with these measurements (by metric name; may be none).

    A measurement replaces the metric's last one while that is in flight, else it is appended; counters, phases,
    summaries and kept history follow. Times are kept in whole seconds, as the API server does. A completed run stays
    as it is. Rules that match no metric end the run as Error, without a completion time.
    """
    if status.phase.is_completed:
        return status
    names = [metric.name for metric in run.metrics]
    try:
        dry_run = dry_run_names(run.dry_run, names)
        limits = kept_measurements(run.retention, names)
    except ValueError as error:
        return replace(status, phase=AnalysisPhase.ERROR, message=f"Analysis spec invalid: {error}")
    for name, measurement in measurements.items():
        result = result_of(status, name) or MetricResult(name, AnalysisPhase.RUNNING, dry_run=name in dry_run)
        status = with_result(status, _measured(run, result, measurement, now_s))
    if status.started_s is None:
        status = replace(status, started_s=float(floor(now_s)))
    status = assess(run.metrics, status, dry_run, terminate=run.terminate)
    if status.phase.is_completed and status.completed_s is None:
        status = replace(status, completed_s=float(floor(now_s)))
    return replace(status, metric_results=tuple(_trimmed(r, limits.get(r.name)) for r in status.metric_results))


def _measured(run: AnalysisRunSpec, result: MetricResult, measurement: Measurement, now_s: float) -> MetricResult:
    """The result with one measurement stored and counted."""
    stored = _stored(run, measurement, now_s)
    in_flight = bool(result.measurements) and result.measurements[-1].finished_s is None
    kept = result.measurements[:-1] if in_flight else result.measurements
    result = replace(result, measurements=(*kept, stored))
    if stored.phase not in _COUNTED:
        return result
    error, success = stored.phase is AnalysisPhase.ERROR, stored.phase is AnalysisPhase.SUCCESSFUL
    counter = _COUNTED[stored.phase]
    bumped = {counter: getattr(result, counter) + 1}
    return replace(
        result,
        **bumped,
        count=result.count + (not error),
        consecutive_error=result.consecutive_error + 1 if error else 0,
        consecutive_success=result.consecutive_success + 1 if success else 0,
    )


def _stored(run: AnalysisRunSpec, measurement: Measurement, now_s: float) -> Measurement:
    """The measurement as the API server keeps it: finished if it is completed, whole seconds, no secrets."""
    finished_s = measurement.finished_s
    if finished_s is None and measurement.phase.is_completed:
        finished_s = now_s
    message = measurement.message
    for secret in (a.value for a in run.args if a.secret is not None and a.value):
        message = message.replace(secret, "*****")
    return replace(
        measurement,
        started_s=_whole(now_s if measurement.started_s is None else measurement.started_s),
        finished_s=_whole(finished_s),
        resume_at_s=_whole(measurement.resume_at_s),
        message=message,
    )


def _trimmed(result: MetricResult, limit: int | None) -> MetricResult:
    """The result with its last ``limit`` measurements; itself where it has no more than these."""
    if limit is None or len(result.measurements) <= limit:
        return result
    return replace(result, measurements=result.measurements[-limit:])


def _whole(time_s: float | None) -> float | None:
    return None if time_s is None else float(floor(time_s))


def next_time_s(run: AnalysisRunSpec, status: AnalysisRunStatus, now_s: float, *, changed: bool) -> float | None:
    """When the controller passes over the run again; None if nothing is to come (or the run is completed).

    Its own status write wakes the controller up: so at once if the run has not begun or is ending, or if the pass that
    ends ``changed`` the status and a measurement is in flight that may be looked at any time. Else at the earliest
    scheduled measurement, a millisecond late. Never before ``now_s``.
    """
    if status.phase.is_completed:
        return None
    if status.started_s is None:
        return now_s
    if is_terminating(status, terminate=run.terminate) or (changed and _is_watched(status)):
        return now_s + JUST_AFTER_S
    scheduled_s = wake_s(run, status, now_s)
    return None if scheduled_s is None else max(now_s, scheduled_s + JUST_AFTER_S)


def _is_watched(status: AnalysisRunStatus) -> bool:
    """Whether a measurement is in flight without an instant to look at it again."""
    last = (r.measurements[-1] for r in status.metric_results if r.measurements and not r.phase.is_completed)
    return any(one.finished_s is None and one.resume_at_s is None for one in last)


def wake_s(run: AnalysisRunSpec, status: AnalysisRunStatus, now_s: float) -> float | None:
    """The instant of the next scheduled measurement (possibly past), None if nothing is scheduled."""
    instants = [_metric_wake_s(metric, status, now_s) for metric in run.metrics]
    return min((instant for instant in instants if instant is not None), default=None)


def _metric_wake_s(metric: Metric, status: AnalysisRunStatus, now_s: float) -> float | None:
    result = result_of(status, metric.name)
    if result is not None and result.phase.is_completed:
        return None
    if result is None or not result.measurements:
        if not metric.initial_delay:
            return None
        delay_s = _duration_s(metric.initial_delay)
        begun_s = now_s if status.started_s is None else status.started_s
        return None if delay_s is None else begun_s + delay_s
    last = result.measurements[-1]
    if last.finished_s is None:
        return last.resume_at_s
    count = effective_count(metric)
    pause_s = gap_after_s(metric, last.phase)
    if pause_s is None or (count is not None and result.count >= count):
        return None
    return last.finished_s + pause_s


def expired(run: AnalysisRunSpec, status: AnalysisRunStatus, now_s: float) -> bool:
    """Whether a completed run outlived its ``ttlStrategy``: more whole seconds since completion than it allows.

    The success and failure limits go before the general one; the failure limit is for Failed only. A run without a
    completion time (ended as Error before its first measurement) never expires.
    """
    if not status.phase.is_completed or status.completed_s is None:
        return False
    completion, success, failure = run.ttl_s
    limits = {AnalysisPhase.SUCCESSFUL: success, AnalysisPhase.FAILED: failure}
    own = limits.get(status.phase)
    limit = completion if own is None else own
    return limit is not None and int(now_s - status.completed_s) > limit
