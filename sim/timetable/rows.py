"""Rows of a timetable: what happens between two instants, taken from the fastest and the slowest walk alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sim.decide.steps import plan_text, steps_of
from sim.model.rollout import CanaryStep, RolloutSpec, RunRole
from sim.model.units import duration_text
from sim.timetable.runs import RunKey, RunPlan
from sim.timetable.values import Instant, Row
from sim.timetable.walk import Frame, Walk


@dataclass(frozen=True, slots=True)
class Pair:
    """The same rollout walked at its fastest and at its slowest."""

    fast: Walk
    slow: Walk

    def instant(self, find: Callable[[Walk], Frame | None]) -> Instant:
        """When the frame that ``find`` looks for comes."""
        return between(find(self.fast), find(self.slow))


def between(fast: Frame | None, slow: Frame | None) -> Instant:
    """The instant of a frame at its fastest and at its slowest."""
    waits = max((frame.waits for frame in (fast, slow) if frame is not None), default=0)
    return Instant(_at(fast), _at(slow), after_wait=waits > 0)


def _at(frame: Frame | None) -> float | None:
    return None if frame is None else round(frame.t_s, 3)


PROMOTE, KEEP = "promote", "keep the old pods"
"""What comes after the steps."""
APPLY = Instant(0.0, 0.0)
"""The instant everything is counted from."""


def row(what: str, start: Instant, end: Instant, frame: Frame | None, number: int | None = None) -> Row:
    """A row that ends with what ``frame`` says."""
    if frame is None:
        return Row(number, what, start, end, 0.0, 0, 0)
    return Row(number, what, start, end, frame.weight, frame.candidate, frame.stable, frame.other)


def canary_rows(spec: RolloutSpec, pair: Pair, plans: Mapping[RunKey, RunPlan]) -> Iterator[Row]:
    """A row for each step, the promotion, and the old pods' last stretch."""
    start, fast, slow = APPLY, step_ends(pair.fast), step_ends(pair.slow)
    for index, step in enumerate(steps_of(spec)):
        end = between(fast.get(index), slow.get(index))
        made = row(step_text(step, index, plans), start, end, fast.get(index), index + 1)
        waits = step.pause is not None and step.pause.duration is None
        yield _waiting(made) if waits else made
        start = end
    yield from _tail(pair, start, PROMOTE if steps_of(spec) else "replace all pods")


def _waiting(made: Row) -> Row:
    return replace(made, waits_for_person=True, note="waits for a person")


def step_ends(walk: Walk) -> dict[int, Frame]:
    """The frame in which each step was over, by the step's index (from 0)."""
    found: dict[int, Frame] = {}
    frames = iter(walk.frames)
    current = next((frame.step for frame in frames if frame.step == 0), None)
    for frame in frames:
        if current is None or frame.step is None or frame.aborted:
            break
        for index in range(current, frame.step):
            found[index] = frame
        current = max(current, frame.step)
    return found


def step_text(step: CanaryStep, index: int, plans: Mapping[RunKey, RunPlan]) -> str:
    """The step as people name it, an analysis with its metrics."""
    text = plan_text(step)
    plan = plans.get(RunKey(RunRole.STEP, index))
    if plan is not None and plan.metrics:
        text = f"analysis {short_list([one.metric.name for one in plan.metrics])}"
    if step.pause is not None and isinstance(step.pause.duration, int):
        text = f"pause {duration_text(step.pause.duration)}"
    if step.experiment is not None and step.experiment.duration:
        text = f"experiment {step.experiment.duration}"
    if step.set_weight is not None and step.set_canary_scale is not None:
        text += " with setCanaryScale"
    return text


def short_list(names: Sequence[str]) -> str:
    """``a, b and 3 more``."""
    return ", ".join(names) if len(names) <= 2 else f"{names[0]}, {names[1]} and {len(names) - 2} more"


def blue_green_rows(spec: RolloutSpec, pair: Pair) -> Iterator[Row]:
    """Preview, analysis before, pause, switch, analysis after, promotion, the old pods' last stretch."""
    start = APPLY
    for what, find in _milestones(spec):
        end = pair.instant(find)
        if end.earliest_s is None and what != "switch traffic":
            continue
        made = row(what, start, end, _held(pair.fast, find(pair.fast), what))
        yield _waiting(made) if what == _HELD else made
        start = end
    yield from _tail(pair, start, PROMOTE)


_HELD = "pause until promoted"


def _held(walk: Walk, frame: Frame | None, what: str) -> Frame | None:
    """What holds at the end of a stretch: of a pause what held in it, since its end and the switch are one reconcile."""
    return _before(walk, frame) if frame is not None and what.startswith("pause") else frame


def _milestones(spec: RolloutSpec) -> Iterator[tuple[str, Callable[[Walk], Frame | None]]]:
    strategy = spec.blue_green
    if strategy is None:
        return
    size = strategy.preview_replica_count
    yield f"start {spec.desired if size is None else size} preview pods", _ready
    if strategy.pre_promotion is not None:
        yield "analysis before promotion", lambda walk: _after_run(walk, RunKey(RunRole.PRE_PROMOTION))
    if strategy.auto_promotion_enabled is False:
        yield _HELD, _after_pause
    elif strategy.auto_promotion_s > 0:
        yield f"pause {duration_text(strategy.auto_promotion_s)}", _after_pause
    yield "switch traffic", lambda walk: next((one for one in walk.frames if one.weight > 0), None)
    if strategy.post_promotion is not None:
        yield "analysis after promotion", lambda walk: _after_run(walk, RunKey(RunRole.POST_PROMOTION))


def _ready(walk: Walk) -> Frame | None:
    return next((one for one in walk.frames if one.ready), None)


def _after_run(walk: Walk, key: RunKey) -> Frame | None:
    run = walk.run(key)
    if run is None or run.end_s is None:
        return None
    return next((one for one in walk.frames if one.t_s >= run.end_s and one.t_s > run.start_s), None)


def _after_pause(walk: Walk) -> Frame | None:
    frames = iter(walk.frames)
    if next((one for one in frames if one.paused), None) is None:
        return None
    return next((one for one in frames if not one.paused), None)


def first_rows(pair: Pair) -> Iterator[Row]:
    """Of a first deployment: all pods at once."""
    end = pair.instant(lambda walk: walk.end)
    yield row("start all pods", APPLY, end, pair.fast.end)


def _tail(pair: Pair, start: Instant, promotes: str) -> Iterator[Row]:
    end = pair.instant(lambda walk: walk.end)
    yield row(promotes, start, end, pair.fast.end)
    gone = pair.instant(_old_gone)
    if gone.earliest_s is not None and end.earliest_s is not None and gone.earliest_s > end.earliest_s:
        yield row(KEEP, end, gone, _old_gone(pair.fast))


def _old_gone(walk: Walk) -> Frame | None:
    end = walk.end
    return next((one for one in walk.frames if end and one.t_s >= end.t_s and one.stable == 0), None)


def deployment_rows(pair: Pair) -> Iterator[Row]:
    """A row for each batch of new pods, as they come at its fastest."""
    batches, end = _batches(pair.fast), pair.instant(lambda walk: walk.end)
    starts = [Instant(_at(one), _at(_reached(pair.slow, one.candidate))) for one in batches]
    if starts and (starts[0].latest_s or 0.0) > 1.0:
        yield Row(None, "stop the old pods", APPLY, starts[0], 0.0, 0, 0)
    size = 0
    for index, one in enumerate(batches):
        last = index + 1 == len(batches)
        frame = pair.fast.end if last else _before(pair.fast, batches[index + 1])
        yield row(f"new pods {size} to {one.candidate}", starts[index], end if last else starts[index + 1], frame)
        size = one.candidate
    if not batches:
        yield row("replace no pods", APPLY, end, pair.fast.end)


def _reached(walk: Walk, size: int) -> Frame | None:
    """When this many new pods were asked for first."""
    return next((frame for frame in walk.frames if frame.candidate >= size), None)


def _batches(walk: Walk) -> list[Frame]:
    """Frames in which more new pods were asked for."""
    found: list[Frame] = []
    size = 0
    for frame in walk.frames:
        if frame.candidate > size:
            found.append(frame)
        size = frame.candidate
    return found


def _before(walk: Walk, frame: Frame) -> Frame:
    index = walk.frames.index(frame)
    return walk.frames[max(0, index - 1)]
