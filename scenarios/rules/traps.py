"""RT91x: steps and background analyses of a canary that do other than they seem to say."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.findings import Path, Severity
from scenarios.rules.aborts import CANARY, pods_of, written_rollouts
from scenarios.rules.context import Context
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.timeline import STEPS, Gate, Timeline, timelines
from scenarios.rules.tree import dig, entries, mapping, seconds, sequence, whole
from scenarios.rules.uses import Role
from sim.decide import defaults
from sim.decide.routed import weight_to_replicas
from sim.model.units import duration_text

_BACKGROUND: Path = (*CANARY, "analysis")
_OWN_CLOCK = frozenset({"job", "kayenta", "plugin"})
"""Providers whose measurement takes as long as it takes."""


def scale_sticks(context: Context) -> Iterator[Hit]:
    """Weights that more pods should carry than a setCanaryScale before them leaves (``utils/replicaset/canary.go:583-612``)."""
    for document, spec in written_rollouts(context):
        scale, at = None, 0
        for index, step in enumerate(spec.canary.steps if spec.canary and defaults.is_routed(spec) else ()):
            if step.set_canary_scale is not None:
                scale, at = step.set_canary_scale, index
            if step.set_weight is None or scale is None or scale.match_traffic_weight:
                continue
            full = defaults.max_weight(spec)
            pods, needed = pods_of(spec, scale), weight_to_replicas(spec.desired, step.set_weight, full)
            if pods < needed and index > at:
                message = (
                    f"setWeight {step.set_weight} of Rollout {document.name!r} is carried by {pods} pods where {needed} are "
                    f"meant: the setCanaryScale of step {at + 1} holds until a step says matchTrafficWeight"
                )
                yield Hit(document, (*STEPS, index, "setWeight"), message)
                break


def pause_of_nothing(context: Context) -> Iterator[Hit]:
    """Pauses that are cut to whole seconds (``pkg/apis/rollouts/v1alpha1/types.go:863``)."""
    for document in context.of_kind("Rollout"):
        for path, step in entries(document.data, *STEPS):
            written = mapping(step, "pause").get("duration")
            length = seconds(written)
            if length is not None and length > 0 and length != int(length):
                message = (
                    f"the pause of {written} in Rollout {document.name!r} lasts {int(length)} s: durations of pauses are cut "
                    f"to whole seconds"
                )
                yield Hit(document, (*path, "pause", "duration"), message)


def background_ends_early(context: Context) -> Iterator[Hit]:
    """Background metrics whose last measurement comes before the last steps; a run that has ended is not begun again."""
    for line in timelines(context):
        for gate in line.gates:
            last = _last_measurement_s(gate)
            if last is None or gate.metric.use is None or gate.use.role is not Role.BACKGROUND:
                continue
            unwatched = _unwatched(line, last, gate.metric.interval_s or 0.0)
            if unwatched:
                message = (
                    f"{gate.metric.words} measures for the last time {duration_text(last)} after the start of Rollout "
                    f"{line.rollout.name!r} at the earliest and is not begun again: {unwatched}"
                )
                yield Hit(gate.metric.template, (*gate.metric.path, _ending(gate)), message)


def _last_measurement_s(gate: Gate) -> float | None:
    """When a background metric that ends by itself measures last; None where it goes on or takes unknown time."""
    passes = gate.metric.shortest_pass_s
    if passes is None or _OWN_CLOCK & set(mapping(gate.metric.metric, "provider")):
        return None
    return gate.start_s + passes


def _ending(gate: Gate) -> str:
    return "count" if "count" in gate.metric.metric else "name"


def _unwatched(line: Timeline, last: float, interval: float) -> str:
    """What of the steps comes after the last measurement and its interval; nothing is an empty text."""
    later = [step for step in line.steps if step.weight > 0 and step.end_s > last + interval]
    waits = [step for step in line.steps if step.weight > 0 and step.open_ended and step.end_s >= last]
    if later:
        return f"step {later[0].index + 1} and what follows go on until {duration_text(line.length_s)} without it"
    return f"step {waits[0].index + 1} waits for a person without it" if waits else ""


def background_starts_late(context: Context) -> Iterator[Hit]:
    """A ``startingStep`` that no step has (``utils/replicaset/canary.go:435-443``)."""
    for document in context.of_kind("Rollout"):
        start, steps = whole(dig(document.data, *_BACKGROUND, "startingStep")), sequence(document.data, *STEPS)
        if start is not None and steps and start >= len(steps):
            message = (
                f"startingStep {start} of Rollout {document.name!r} lies beyond its last step ({len(steps) - 1}, counted from "
                f"0): the analysis guards none of them"
            )
            yield Hit(document, (*_BACKGROUND, "startingStep"), message)


def deadline_suspended(context: Context) -> Iterator[Hit]:
    """A deadline that aborts, above steps at which it does not count and nothing else looks (``rollout/sync.go:799-820``)."""
    for line in timelines(context):
        if mapping(line.rollout.data, "spec").get("progressDeadlineAbort") is not True:
            continue
        blind = [s for s in line.steps if (s.end_s > s.start_s or s.open_ended) and not line.gates_at(s)]
        if blind:
            message = (
                f"progressDeadlineAbort of Rollout {line.rollout.name!r} does not count during pauses: pods that crash in "
                f"step {blind[0].index + 1} abort nothing before it ends, and no analysis runs there"
            )
            yield Hit(line.rollout, ("spec", "progressDeadlineAbort"), message)


RULES = (
    Rule("RT911", "canary-scale-sticks", Severity.WARNING,
         "setCanaryScale holds across later setWeight steps, so that few pods get the traffic of many.",
         "setCanaryScale: {matchTrafficWeight: true} before the next setWeight", scale_sticks),
    Rule("RT912", "pause-cut-to-seconds", Severity.WARNING,
         "The controller keeps whole seconds of a pause; 500ms is none.",
         "write whole seconds", pause_of_nothing),
    Rule("RT913", "background-ends-early", Severity.WARNING,
         "A metric with a count, or without an interval, ends by itself; a background run that has ended Successful is not "
         "begun again, and the steps after it go unjudged.",
         "give it an interval and no count: a background run ends with the rollout", background_ends_early),
    Rule("RT914", "background-starts-late", Severity.WARNING,
         "The background run begins when the step index reaches startingStep, which counts from 0.",
         "a startingStep below the number of steps", background_starts_late),
    Rule("RT915", "deadline-suspended", Severity.INFO,
         "The progress deadline does not count during pauses, analyses and experiments.",
         "let a background analysis watch the pods of the canary", deadline_suspended),
)  # fmt: skip
