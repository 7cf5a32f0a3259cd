"""Whether and by when a gate aborts a version that fails it, and how much traffic that version can have had."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from sim.decide.assessment import effective_count
from sim.decide.steps import steps_of
from sim.model.rollout import RolloutSpec, RunRole
from sim.model.units import duration_text
from sim.timetable.measuring import Reach
from sim.timetable.rows import Pair, step_ends
from sim.timetable.runs import MetricPlan
from sim.timetable.values import Ability, Exposure
from sim.timetable.walk import Frame, RunSpan, Walk, weight_times


@dataclass(frozen=True, slots=True)
class Watch:
    """One metric's run at its fastest and its slowest. ``tail_s`` is from its verdict to the rollout's abort, at most."""

    spec: RolloutSpec
    pair: Pair
    fast: RunSpan
    slow: RunSpan | None
    plan: MetricPlan
    failure: Reach
    tail_s: float

    @property
    def least_s(self) -> float:
        """From the run's start until it fails a version that fails every measurement, at least."""
        return self.plan.earliest_s(self.failure)

    @property
    def most_s(self) -> float | None:
        """Until the rollout is aborted for it, at most."""
        return self.until_abort_s(self.failure)

    def until_abort_s(self, reach: Reach) -> float | None:
        """From the run's start until the rollout is aborted for this verdict, at most."""
        verdict_s = self.plan.latest_s(reach)
        return None if verdict_s is None else verdict_s + self.tail_s

    @property
    def is_background(self) -> bool:
        """Whether it runs through the steps."""
        return self.fast.key.role is RunRole.BACKGROUND


def ability_of(watch: Watch) -> tuple[Ability, str]:
    """Whether the verdict comes before the run is ended from outside, and why not."""
    soonest_s = _cut_s(watch, watch.pair.fast, watch.fast)
    latest_s = inf if watch.slow is None else _cut_s(watch, watch.pair.slow, watch.slow)
    if watch.most_s is None:
        return Ability.MAYBE, "nobody knows how long its measurements take"
    if watch.most_s < soonest_s:
        return Ability.ALWAYS, ""
    ends = watch.fast.key.role is RunRole.EXPERIMENT
    if watch.least_s >= latest_s:
        return Ability.NEVER, f"the {'experiment ends' if ends else 'rollout is promoted'} first"
    after = duration_text(max(1.0, round(soonest_s)))
    return Ability.MAYBE, f"the {'experiment can end' if ends else 'rollout can be promoted'} {after} after its start"


def _cut_s(watch: Watch, walk: Walk, run: RunSpan) -> float:
    """From a run's start until it is ended although it has not come to a verdict; inf if it is waited for."""
    if watch.is_background:
        return _until_promotion_s(watch, walk, run)
    if run.key.role is RunRole.EXPERIMENT:
        experiment = steps_of(watch.spec)[run.key.step or 0].experiment
        required = any(one.required for one in experiment.analyses if one.name == run.key.name) if experiment else False
        over = step_ends(walk).get(run.key.step or 0)
        return inf if required or over is None or not (experiment and experiment.duration) else over.t_s - run.start_s
    return inf


def _until_promotion_s(watch: Watch, walk: Walk, run: RunSpan) -> float:
    """A person who is waited for comes at once at its fastest, and never at its slowest."""
    end = walk.end
    if end is None or (walk is watch.pair.slow and end.waits > run.waits):
        return inf
    return end.t_s - run.start_s


def exposure_of(watch: Watch) -> Exposure:
    """Slow up to the run's start, then at full speed: so the most traffic comes before the verdict."""
    most_s = watch.most_s
    if most_s is None or watch.slow is None:
        return Exposure()
    times = weight_times(watch.pair.slow, 0.0, watch.slow.start_s)
    walk, start_s = watch.pair.fast, watch.fast.start_s
    if watch.is_background:
        then = weight_times(walk, start_s, start_s + most_s)
    else:
        held = [frame.weight for frame in walk.frames if frame.t_s <= start_s]
        then = {held[-1]: most_s} if held and held[-1] > 0 else {}
    for weight, seconds in then.items():
        times[weight] = times.get(weight, 0.0) + seconds
    return _exposure(times)


def with_traffic(watch: Watch) -> tuple[float | None, Exposure]:
    """Bound and exposure if measurements fail only once the release has traffic; (None, none) where that says no more.

    Only a background metric without end is sure to be measured then: it starts with the first step, before any pod of
    the release is there.
    """
    first, last = _first_traffic(watch.pair.fast), _first_traffic(watch.pair.slow)
    endless = effective_count(watch.plan.metric) is None
    if first is None or last is None or not (watch.is_background and endless) or watch.slow is None:
        return None, Exposure()
    if watch.slow.start_s + watch.plan.delay_s >= last.t_s:
        return None, Exposure()
    # The measurement before the first request is good; the failing ones come an interval later.
    then_s = watch.until_abort_s(Reach(watch.failure.counted + 1))
    end = watch.pair.fast.end
    if then_s is None or (end is not None and then_s >= end.t_s - first.t_s):
        return None, Exposure()
    then_s -= watch.plan.delay_s
    times = weight_times(watch.pair.fast, first.t_s, first.t_s + then_s)
    return round(last.t_s + then_s, 3), _exposure(times)


def _first_traffic(walk: Walk) -> Frame | None:
    return next((frame for frame in walk.frames if frame.weight > 0), None)


def _exposure(times: dict[float, float]) -> Exposure:
    return Exposure(tuple((weight, round(times[weight], 3)) for weight in sorted(times)))
