"""Verdicts of an analysis run: of one metric from its counters, of the run from its metrics.

Source: behaviour reference 2.2-2.4 (Argo Rollouts ``analysis/analysis.go:436-687``). The limits' defaults live here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.model.analysis import AnalysisPhase, AnalysisRunStatus, Metric, MetricResult
from sim.model.changing import replace

FAILURE_LIMIT = 0
INCONCLUSIVE_LIMIT = 0
CONSECUTIVE_ERROR_LIMIT = 4
"""Exceeded by the fifth error in a row (``utils/defaults/defaults.go:37``)."""

_SUMMARY_KEYS = ("count", "successful", "failed", "inconclusive", "error")


def effective_count(metric: Metric) -> int | None:
    """Measurements after which the metric is done; None if it runs for ever.

    A count of 0 is no count: with an interval it never ends, without one it is a single shot.
    """
    if metric.count:
        return metric.count
    return None if metric.interval else 1


@dataclass(frozen=True, slots=True)
class Tolerated:
    """How many bad measurements a metric stands before it goes bad itself."""

    failures: int | None
    """None: any number."""
    inconclusive: int
    errors: int
    """In a row."""


def tolerated(metric: Metric) -> Tolerated:
    """The limits of a metric, with their defaults; a negative failureLimit is off."""
    failures = _or(metric.failure_limit, FAILURE_LIMIT)
    return Tolerated(
        None if failures < 0 else failures,
        _or(metric.inconclusive_limit, INCONCLUSIVE_LIMIT),
        _or(metric.consecutive_error_limit, CONSECUTIVE_ERROR_LIMIT),
    )


def worst(left: AnalysisPhase, right: AnalysisPhase) -> AnalysisPhase:
    """The worse of two phases, ``left`` where they are equal."""
    return right if right.worse_than(left) else left


def limit_exceeded(metric: Metric, result: MetricResult) -> tuple[AnalysisPhase | None, str]:
    """The verdict of the limits and its reason, ``(None, "")`` while all hold.

    A later check overwrites an earlier one, so an exceeded error limit hides an exceeded failure limit.
    A negative failureLimit is off.
    """
    verdict: tuple[AnalysisPhase | None, str] = (None, "")
    limits = tolerated(metric)
    if limits.failures is not None and limits.failures < result.failed:
        verdict = AnalysisPhase.FAILED, f"failed ({result.failed}) > failureLimit ({limits.failures})"
    if result.inconclusive > limits.inconclusive:
        reason = f"inconclusive ({result.inconclusive}) > inconclusiveLimit ({limits.inconclusive})"
        verdict = AnalysisPhase.INCONCLUSIVE, reason
    if result.consecutive_error > limits.errors:
        reason = f"consecutiveErrors ({result.consecutive_error}) > consecutiveErrorLimit ({limits.errors})"
        verdict = AnalysisPhase.ERROR, reason
    return verdict


def metric_phase(metric: Metric, result: MetricResult, *, terminating: bool) -> AnalysisPhase:
    """Phase of a metric after its last measurement; a completed phase never changes."""
    if result.phase.is_completed:
        return result.phase
    if not result.measurements:
        return AnalysisPhase.SUCCESSFUL if terminating else AnalysisPhase.PENDING
    if not result.measurements[-1].phase.is_completed:
        return AnalysisPhase.RUNNING
    phase = limit_exceeded(metric, result)[0] or _phase_of_counts(metric, result)
    if phase is not None:
        return phase
    return AnalysisPhase.SUCCESSFUL if terminating else AnalysisPhase.RUNNING


def _phase_of_counts(metric: Metric, result: MetricResult) -> AnalysisPhase | None:
    """The verdict of streak and count, None if neither is reached."""
    streak = metric.consecutive_success_limit or 0
    if 0 < streak <= result.consecutive_success:
        return AnalysisPhase.SUCCESSFUL
    count = effective_count(metric)
    if count is None or result.count < count:
        return None
    if streak <= 0:
        return AnalysisPhase.SUCCESSFUL
    return AnalysisPhase.FAILED if tolerated(metric).failures is None else AnalysisPhase.INCONCLUSIVE


@dataclass(frozen=True, slots=True)
class _Tally:
    """What has been seen of a run's metrics so far."""

    worst: AnalysisPhase | None = None
    message: str = ""
    finished: bool = True


def is_terminating(status: AnalysisRunStatus, *, terminate: bool) -> bool:
    """Whether the run takes no new measurement: it was told to stop, or a metric that counts already went bad."""
    bad = {AnalysisPhase.FAILED, AnalysisPhase.ERROR, AnalysisPhase.INCONCLUSIVE}
    return terminate or any(r.phase in bad and not r.dry_run for r in status.metric_results)


def result_of(status: AnalysisRunStatus, name: str) -> MetricResult | None:
    """The result of the metric of this name, None before its first measurement."""
    return next((r for r in status.metric_results if r.name == name), None)


def with_result(status: AnalysisRunStatus, result: MetricResult) -> AnalysisRunStatus:
    """The status with this result put in place of the one of the same name, or last."""
    names = [r.name for r in status.metric_results]
    if result.name not in names:
        return replace(status, metric_results=(*status.metric_results, result))
    kept = tuple(result if r.name == result.name else r for r in status.metric_results)
    return replace(status, metric_results=kept)


def assess(
    metrics: Sequence[Metric], status: AnalysisRunStatus, dry_run: frozenset[str], *, terminate: bool
) -> AnalysisRunStatus:
    """The status with every metric and the run assessed; times are left alone.

    The phase of a run is that of its worst metric, once all are done or the run is terminating; the first metric (in
    spec order) with the worst phase gives the message. The message changes only together with the phase
    (``analysis.go:112``). Dry-run metrics are summarised apart and never decide, but a run waits for them.
    """
    terminating = is_terminating(status, terminate=terminate)
    tally = _Tally(message="Run Terminated" if terminate else "")
    counted: dict[bool, list[AnalysisPhase | None]] = {False: [], True: []}
    totals = {False: 0, True: 0}
    for metric in metrics:
        dry = metric.name in dry_run
        totals[dry] += 1
        measured = result_of(status, metric.name)
        if measured is None:
            tally = replace(tally, finished=False)
            continue
        result = _assessed(metric, measured, terminating=terminating)
        if result.phase.is_completed:
            verdict, reason = limit_exceeded(metric, result)
            counted[dry].append(verdict)
            tally = _counted(tally, result, reason, dry=dry)
            if dry and reason:
                result = replace(result, message=f"Metric assessed {result.phase} due to {reason}")
        else:
            tally = replace(tally, finished=False)
        if result is not measured:  # most passes leave most metrics as they were
            status = with_result(status, result)
    summaries = {dry: _summary(totals[dry], counted[dry]) for dry in (False, True)}
    status = replace(status, run_summary=summaries[False], dry_run_summary=summaries[True])
    phase, message = _run_verdict(tally, terminating=terminating)
    return status if phase is status.phase else replace(status, phase=phase, message=message)


def _assessed(metric: Metric, result: MetricResult, *, terminating: bool) -> MetricResult:
    """The result in its new phase; the message of the last measurement is kept where the phase changed."""
    phase = metric_phase(metric, result, terminating=terminating)
    if phase is result.phase:
        return result
    message = result.measurements[-1].message if result.measurements else result.message
    return replace(result, phase=phase, message=message)


def _counted(tally: _Tally, result: MetricResult, reason: str, *, dry: bool) -> _Tally:
    """The tally after one completed metric."""
    if dry:
        return replace(tally, worst=tally.worst or AnalysisPhase.SUCCESSFUL)
    if tally.worst is not None and not result.phase.worse_than(tally.worst):
        return tally
    message = tally.message
    if reason:
        message = f'Metric "{result.name}" assessed {result.phase} due to {reason}'
        message += f': "Error Message: {result.message}"' if result.message else ""
    return replace(tally, worst=result.phase, message=message)


def _run_verdict(tally: _Tally, *, terminating: bool) -> tuple[AnalysisPhase, str]:
    """Phase and message of the run."""
    message = tally.message.strip()
    if terminating:
        return tally.worst or AnalysisPhase.SUCCESSFUL, message
    if tally.worst is None or not tally.finished:
        return AnalysisPhase.RUNNING, ""
    return tally.worst, message


def _summary(total: int, verdicts: Sequence[AnalysisPhase | None]) -> tuple[tuple[str, int], ...]:
    """Counts by verdict of the limits; a completed metric within its limits counts as successful, whatever its phase."""
    by_key = dict.fromkeys(_SUMMARY_KEYS, 0) | {"count": total}
    for verdict in verdicts:
        by_key[(verdict or AnalysisPhase.SUCCESSFUL).lower()] += 1
    return tuple(by_key.items())


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
