"""How many measurements a metric takes to a verdict, and how long those take at least and at most.

The limits are those of ``sim.decide.assessment``, the gaps those of ``sim.decide.analysis``; a test plays them through.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, inf

from sim.decide.analysis import gap_after_s
from sim.decide.assessment import effective_count, metric_phase, tolerated
from sim.decide.defaults import JUST_AFTER_S
from sim.model.analysis import AnalysisPhase, Measurement, Metric, MetricResult, OtherProvider
from sim.model.units import go_duration_s
from sim.timetable.pace import LASTING


@dataclass(frozen=True, slots=True)
class Reach:
    """Measurements up to a verdict: ``counted`` ones (the last of them gives it, if there are any) and errors between."""

    counted: int
    errors: int = 0


def shortest_pass(metric: Metric) -> Reach | None:
    """Nothing but successes; None for a metric that never succeeds by itself."""
    count = effective_count(metric)
    needed = metric.consecutive_success_limit or count
    return None if needed is None or (count is not None and needed > count) else Reach(needed)


def longest_pass(metric: Metric) -> Reach | None:
    """As many bad measurements as are tolerated, and it succeeds all the same; None if there is no bound.

    Errors are tolerated before every counted measurement. Where a streak decides, whatever is not a success breaks it, so
    errors may also stand between successes, but not within the last streak.
    """
    count, errors = effective_count(metric), tolerated(metric).errors
    streak = metric.consecutive_success_limit or 0
    if streak == 0:
        return None if count is None else Reach(count, count * errors)
    room = inf if count is None else count - streak
    before = _before_streak(metric, streak, room)
    return None if before == inf or room < 0 else Reach(int(before) + streak, (int(before) + 1) * errors)


def _before_streak(metric: Metric, streak: int, room: float) -> float:
    """Counted measurements that can come before the streak that decides, at most ``room``."""
    limits = tolerated(metric)
    if limits.failures is None or (limits.errors and streak > 1):
        return room
    return min(room, (limits.failures + limits.inconclusive) * streak)


def failure(metric: Metric) -> Reach | None:
    """Nothing but failures; None where that never ends in Failed, or where nothing can fail."""
    if not judges(metric):
        return None
    failures = tolerated(metric).failures
    count = effective_count(metric)
    needed = count if failures is None else failures + 1
    if needed is None or (count is not None and needed > count):
        return None
    bad = Measurement(AnalysisPhase.FAILED, finished_s=0.0)
    result = MetricResult(metric.name, AnalysisPhase.RUNNING, (bad,), count=needed, failed=needed)
    return Reach(needed) if metric_phase(metric, result, terminating=False) is AnalysisPhase.FAILED else None


def judges(metric: Metric) -> bool:
    """Whether a measurement can fail: there is a condition, or the provider judges by itself."""
    return _judges_itself(metric) or bool(metric.success_condition or metric.failure_condition)


def _judges_itself(metric: Metric) -> bool:
    return isinstance(metric.provider, OtherProvider) and metric.provider.kind in LASTING


def may_be_inconclusive(metric: Metric) -> bool:
    """Whether it can end in Inconclusive: between its two conditions, by its provider, or out of streak."""
    count, limits = effective_count(metric), tolerated(metric)
    between = bool(metric.success_condition and metric.failure_condition) or _judges_itself(metric)
    often = count is None or count > limits.inconclusive
    return (between and often) or bool(metric.consecutive_success_limit and count and limits.failures is not None)


def erring(metric: Metric) -> Reach:
    """Nothing but errors."""
    return Reach(0, tolerated(metric).errors + 1)


def with_errors(metric: Metric, reach: Reach) -> Reach:
    """The same with every error that is tolerated before each counted measurement."""
    return Reach(reach.counted, reach.counted * tolerated(metric).errors)


def earliest_s(metric: Metric, reach: Reach) -> float:
    """From the run's creation to the verdict at the earliest.

    Stored times are whole seconds, cut: gaps are counted from there, so a chain of them can be a second short.
    """
    delay_s, gaps = _delay_s(metric), _gaps(metric, reach)
    if not gaps:
        return max(0.0, delay_s - 1.0) if delay_s else 0.0
    # Interval by interval only whole seconds add up: a finish at 1.5 s is stored as 1 s.
    chain_s = sum(count * floor(gap_s) for gap_s, count in gaps) + gaps[-1][0] - floor(gaps[-1][0])
    return max(0.0, floor(delay_s) + chain_s - 1.0)


def latest_s(metric: Metric, reach: Reach, query_s: float | None, start_s: float) -> float | None:
    """From the run's creation to the verdict at the latest, if each query takes ``query_s``; None: nobody knows.

    ``start_s`` is from the creation to the run's first pass.
    """
    if query_s is None:
        return None
    delay_s = _delay_s(metric)
    first_s = start_s + query_s + (delay_s + JUST_AFTER_S + query_s if delay_s else 0.0)
    gaps = _gaps(metric, reach)
    if not gaps:
        return first_s
    took_s = JUST_AFTER_S + query_s
    chain_s = sum(count * _advance_s(gap_s, took_s) for gap_s, count in gaps)
    last_s = gaps[-1][0]
    return first_s + chain_s - _advance_s(last_s, took_s) + last_s + took_s


def _advance_s(gap_s: float, took_s: float) -> float:
    """How far stored times move in one gap: whole seconds, unless the gap itself is shorter."""
    return float(floor(gap_s + took_s)) if gap_s >= 1 else gap_s + took_s


def _gaps(metric: Metric, reach: Reach) -> list[tuple[float, int]]:
    """(gap, how many of them) between the measurements; the order does not matter but for the last."""
    after_error_s = gap_after_s(metric, AnalysisPhase.ERROR) or 0.0
    after_other_s = gap_after_s(metric, AnalysisPhase.SUCCESSFUL) or 0.0
    if not reach.counted:
        return [(after_error_s, reach.errors - 1)] if reach.errors > 1 else []
    found = [(after_error_s, reach.errors), (after_other_s, reach.counted - 1)]
    return [(gap_s, count) for gap_s, count in found if count > 0]


def _delay_s(metric: Metric) -> float:
    return go_duration_s(metric.initial_delay) if metric.initial_delay else 0.0
