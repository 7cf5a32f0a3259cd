"""Gates of a timetable: which metric can stop the rollout, when at the earliest, and by when it does at the latest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sim.decide.assessment import effective_count, tolerated
from sim.decide.defaults import JUST_AFTER_S, progress_deadline_s
from sim.model.analysis import Metric
from sim.model.rollout import RolloutSpec, RunRole
from sim.model.units import duration_text, go_duration_s
from sim.timetable import measuring
from sim.timetable.aborts import Watch, ability_of, exposure_of, with_traffic
from sim.timetable.rows import Pair
from sim.timetable.runs import MetricPlan, RunKey, RunPlan
from sim.timetable.values import PODS, Ability, Exposure, Gate, Instant
from sim.timetable.walk import RunSpan, weight_times

DEADLINE = "progress deadline"


@dataclass(frozen=True, slots=True)
class Context:
    """What gates are judged by. ``tail_s`` is from a run's verdict to the rollout's abort, at most."""

    spec: RolloutSpec
    pair: Pair
    tail_s: float


def metric_gates(spec: RolloutSpec, pair: Pair, plans: Mapping[RunKey, RunPlan], reconcile_s: float) -> Iterator[Gate]:
    """One for each metric of each run, in the order of the spec."""
    context = Context(spec, pair, 2 * reconcile_s + JUST_AFTER_S)
    for plan in plans.values():
        if plan.error:
            yield _broken(context, plan)
        for metric in plan.metrics:
            yield _gate(context, plan.key, metric)


def where(key: RunKey) -> str:
    """Where a run belongs, as people say it."""
    match key.role:
        case RunRole.BACKGROUND:
            return "background"
        case RunRole.PRE_PROMOTION:
            return "before promotion"
        case RunRole.POST_PROMOTION:
            return "after promotion"
        case RunRole.STEP | RunRole.EXPERIMENT:
            return f"step {(key.step or 0) + 1}"


def _broken(context: Context, plan: RunPlan) -> Gate:
    fast, slow = context.pair.fast.run(plan.key), context.pair.slow.run(plan.key)
    start = _instant(fast, slow)
    ends_s = None if start.earliest_s is None else start.earliest_s
    bound_s = None if start.latest_s is None else round(start.latest_s + context.tail_s, 3)
    ability = Ability.NEVER if fast is None else Ability.ALWAYS
    return Gate(
        "analysis",
        where(plan.key),
        "ends in Error at once",
        start,
        start,
        ability,
        plan.error,
        ends_s,
        bound_s,
        bound_s,
    )


def _instant(fast: RunSpan | None, slow: RunSpan | None) -> Instant:
    waits = max((span.waits for span in (fast, slow) if span is not None), default=0)
    earliest_s = None if fast is None else round(fast.start_s, 3)
    latest_s = None if slow is None else round(slow.start_s, 3)
    return Instant(earliest_s, latest_s, after_wait=waits > 0)


def _gate(context: Context, key: RunKey, plan: MetricPlan) -> Gate:
    fast, slow = context.pair.fast.run(key), context.pair.slow.run(key)
    start, metric = _instant(fast, slow), plan.metric
    gate = Gate(
        metric.name,
        where(key),
        rule_text(metric),
        start,
        Instant(None if fast is None else fast.end_s, None if slow is None else slow.end_s, start.after_wait),
        Ability.NEVER,
        first_measurement_s=None if fast is None else round(fast.start_s + plan.delay_s, 3),
        interval_s=go_duration_s(metric.interval) if metric.interval else None,
        measurements=effective_count(metric),
    )
    if fast is None:
        return replace(gate, reason="its run never starts")
    if plan.dry_run:
        return replace(gate, reason="a dry run aborts nothing")
    errs_s = fast.start_s + plan.earliest_s(measuring.erring(metric))
    failure = measuring.failure(metric)
    if failure is None:
        return replace(gate, reason=_unable(metric), earliest_abort_s=round(errs_s, 3))
    return _able(gate, Watch(context.spec, context.pair, fast, slow, plan, failure, context.tail_s), errs_s)


def _unable(metric: Metric) -> str:
    if not measuring.judges(metric):
        return "it has no condition: only errors abort"
    count, failures = effective_count(metric), tolerated(metric).failures
    if failures is None:
        return "failureLimit is off and it has no count: only errors abort"
    return f"all {count} measurements may fail (failureLimit {failures}): only errors abort"


def _able(gate: Gate, watch: Watch, errs_s: float) -> Gate:
    ability, reason = ability_of(watch)
    gate = replace(gate, ability=ability, reason=reason)
    if ability is Ability.NEVER:
        return gate
    gate = replace(gate, earliest_abort_s=round(min(watch.fast.start_s + watch.least_s, errs_s), 3))
    bound_s = _from_start(watch, watch.most_s)
    if ability is Ability.MAYBE or bound_s is None:
        return gate
    with_errors_s = watch.until_abort_s(measuring.with_errors(watch.plan.metric, watch.failure))
    later_s, exposure = with_traffic(watch)
    return replace(
        gate,
        bound_s=bound_s,
        bound_with_errors_s=_from_start(watch, with_errors_s),
        bound_with_traffic_s=later_s,
        exposure=exposure_of(watch),
        exposure_with_traffic=exposure,
    )


def _from_start(watch: Watch, seconds: float | None) -> float | None:
    return None if seconds is None or watch.slow is None else round(watch.slow.start_s + seconds, 3)


def rule_text(metric: Metric) -> str:
    """Interval, count and limits in words: ``5 times every 1m, 1 failure tolerated``."""
    count, limits = effective_count(metric), tolerated(metric)
    every = f" every {metric.interval}" if metric.interval and count != 1 else ""
    times = "without end" if count is None else "once" if count == 1 else f"{count} times"
    delay = f", first after {metric.initial_delay}" if metric.initial_delay else ""
    streak = metric.consecutive_success_limit or 0
    until = f", until {streak} successes in a row" if streak else ""
    failures = "any number of" if limits.failures is None else limits.failures or "no"
    noun = "failure" if failures == 1 else "failures"
    return f"measured {times}{every}{delay}{until}; {failures} {noun} and {limits.errors} errors in a row tolerated"


def deadline_gate(spec: RolloutSpec, never: Pair) -> Gate:
    """The progress deadline, for pods that never become available."""
    after = duration_text(progress_deadline_s(spec))
    start, end = Instant(0.0, 0.0), Instant(None, None)
    rule = f"pods must become available within {after}"
    if not spec.progress_deadline_abort:
        reason = f"pods that never become available mark the rollout Degraded after {after}, but abort nothing"
        return Gate(DEADLINE, PODS, rule, start, end, Ability.NEVER, reason)
    fast, slow = never.fast.aborted, never.slow.aborted
    if fast is None or slow is None:
        reason = "no step waits for new pods before the promotion"
        return Gate(DEADLINE, PODS, rule, start, end, Ability.NEVER, reason)
    exposure = weight_times(never.slow, 0.0, slow.t_s)
    return Gate(
        DEADLINE, PODS, rule, Instant(0.0, 0.0, after_wait=slow.waits > 0), end, Ability.ALWAYS, "",
        round(fast.t_s, 3), round(slow.t_s, 3), round(slow.t_s, 3), exposure=Exposure(tuple(sorted(exposure.items()))),
    )  # fmt: skip
