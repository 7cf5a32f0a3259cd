"""Gates of a timetable: which metric can stop the rollout, when at the earliest, and by when it does at the latest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

from sim.decide.assessment import effective_count, tolerated
from sim.decide.defaults import JUST_AFTER_S, progress_deadline_s
from sim.decide.steps import steps_of
from sim.model.analysis import Metric
from sim.model.rollout import RolloutSpec, RunRole
from sim.model.units import duration_text, go_duration_s
from sim.timetable import measuring
from sim.timetable.measuring import Reach
from sim.timetable.rows import Pair, step_ends
from sim.timetable.runs import MetricPlan, RunKey, RunPlan
from sim.timetable.values import Ability, Exposure, Gate, Instant
from sim.timetable.walk import RunSpan, Walk, weight_times

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
    start = _instant(fast, slow)
    metric, failure = plan.metric, measuring.failure(plan.metric)
    interval_s = go_duration_s(metric.interval) if metric.interval else None
    gate = Gate(
        metric.name,
        where(key),
        rule_text(metric),
        start,
        Instant(None if fast is None else fast.end_s, None if slow is None else slow.end_s, start.after_wait),
        Ability.NEVER,
        first_measurement_s=None if fast is None else fast.start_s + _delay_s(metric),
        interval_s=interval_s,
        measurements=effective_count(metric),
    )
    if fast is None:
        return _with(gate, reason="its run never starts")
    if plan.dry_run:
        return _with(gate, reason="a dry run aborts nothing")
    errs_s = fast.start_s + plan.earliest_s(measuring.erring(metric))
    if failure is None:
        return _with(gate, reason=_unable(metric), earliest_abort_s=round(errs_s, 3))
    return _able(context, gate, (fast, slow), plan, failure)


def _with(gate: Gate, *, reason: str, earliest_abort_s: float | None = None) -> Gate:
    return Gate(
        gate.name, gate.where, gate.rule, gate.start, gate.end, gate.ability, reason, earliest_abort_s,
        first_measurement_s=gate.first_measurement_s, interval_s=gate.interval_s, measurements=gate.measurements,
    )  # fmt: skip


def _unable(metric: Metric) -> str:
    if not measuring.judges(metric):
        return "it has no condition: only errors abort"
    count, failures = effective_count(metric), tolerated(metric).failures
    if failures is None:
        return "failureLimit is off and it has no count: only errors abort"
    return f"all {count} measurements may fail (failureLimit {failures}): only errors abort"


def _able(
    context: Context, gate: Gate, spans: tuple[RunSpan, RunSpan | None], plan: MetricPlan, failure: Reach
) -> Gate:
    fast, slow = spans
    least_s = plan.earliest_s(failure)
    errs_s = plan.earliest_s(measuring.erring(plan.metric))
    most_s = plan.latest_s(failure)
    most_s = None if most_s is None else most_s + context.tail_s
    ability, reason = _ability(context, fast, slow, least_s, most_s)
    if ability is Ability.NEVER:
        return _with(gate, reason=reason)
    bounds = (most_s, _plus(plan.latest_s(measuring.with_errors(plan.metric, failure)), context.tail_s))
    bound_s, with_errors_s = (
        _plus(one, None if slow is None or ability is not Ability.ALWAYS else slow.start_s) for one in bounds
    )
    return Gate(
        gate.name, gate.where, gate.rule, gate.start, gate.end, ability, reason,
        round(fast.start_s + min(least_s, errs_s), 3), bound_s, with_errors_s,
        gate.first_measurement_s, gate.interval_s, gate.measurements,
        Exposure() if bound_s is None or most_s is None else _exposure(context, fast, slow, most_s),
    )  # fmt: skip


def _plus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else round(one + other, 3)


def _ability(
    context: Context, fast: RunSpan, slow: RunSpan | None, least_s: float, most_s: float | None
) -> tuple[Ability, str]:
    """Whether the verdict comes before the run is ended from outside."""
    soonest_s = _cut_s(context, context.pair.fast, fast)
    latest_s = inf if slow is None else _cut_s(context, context.pair.slow, slow)
    if most_s is None:
        return Ability.MAYBE, "nobody knows how long its measurements take"
    if most_s < soonest_s:
        return Ability.ALWAYS, ""
    what = "the experiment can end" if fast.key.role is RunRole.EXPERIMENT else "the rollout can be promoted"
    if least_s >= latest_s:
        return Ability.NEVER, f"{what.replace('can be', 'is').replace('can end', 'ends')} first"
    return Ability.MAYBE, f"{what} first, {duration_text(max(1.0, round(soonest_s)))} after its start"


def _cut_s(context: Context, walk: Walk, run: RunSpan) -> float:
    """From a run's start until it is ended although it has not come to a verdict; inf if it is waited for."""
    if run.key.role is RunRole.BACKGROUND:
        end = walk.end
        if end is None or end.waits > run.waits:
            # What stops the rollout, or the person it waits for, leaves the gate its time. At its fastest a person comes
            # at once.
            return inf if walk is context.pair.slow or end is None else end.t_s - run.start_s
        return end.t_s - run.start_s
    if run.key.role is RunRole.EXPERIMENT:
        experiment = steps_of(context.spec)[run.key.step or 0].experiment
        required = any(one.required for one in experiment.analyses if one.name == run.key.name) if experiment else False
        over = step_ends(walk).get(run.key.step or 0)
        return inf if required or over is None or not (experiment and experiment.duration) else over.t_s - run.start_s
    return inf


def _exposure(context: Context, fast: RunSpan, slow: RunSpan | None, most_s: float) -> Exposure:
    """Slow up to the run's start, then at full speed: so the most traffic comes before the verdict."""
    times = {} if slow is None else weight_times(context.pair.slow, 0.0, slow.start_s)
    walk = context.pair.fast
    if fast.key.role is RunRole.BACKGROUND:
        then = weight_times(walk, fast.start_s, fast.start_s + most_s)
    else:
        held = [frame.weight for frame in walk.frames if frame.t_s <= fast.start_s]
        then = {held[-1]: most_s} if held and held[-1] > 0 else {}
    for weight, seconds in then.items():
        times[weight] = times.get(weight, 0.0) + seconds
    return Exposure(tuple((weight, round(times[weight], 3)) for weight in sorted(times)))


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


def _delay_s(metric: Metric) -> float:
    return go_duration_s(metric.initial_delay) if metric.initial_delay else 0.0


def deadline_gate(spec: RolloutSpec, never: Pair) -> Gate:
    """The progress deadline, for pods that never become available."""
    after = duration_text(progress_deadline_s(spec))
    start, end = Instant(0.0, 0.0), Instant(None, None)
    rule = f"pods must become available within {after}"
    if not spec.progress_deadline_abort:
        reason = f"pods that never become available mark the rollout Degraded after {after}, but abort nothing"
        return Gate(DEADLINE, "pods", rule, start, end, Ability.NEVER, reason)
    fast, slow = never.fast.aborted, never.slow.aborted
    if fast is None or slow is None:
        reason = "no step waits for new pods before the promotion"
        return Gate(DEADLINE, "pods", rule, start, end, Ability.NEVER, reason)
    exposure = weight_times(never.slow, 0.0, slow.t_s)
    return Gate(
        DEADLINE, "pods", rule, Instant(0.0, 0.0, after_wait=slow.waits > 0), end, Ability.ALWAYS, "",
        round(fast.t_s, 3), round(slow.t_s, 3), round(slow.t_s, 3), exposure=Exposure(tuple(sorted(exposure.items()))),
    )  # fmt: skip
