"""The least time a canary takes, and when each of its gates can speak first; from the steps as written.

Pods, provider latency and people are left out: every instant here is a lower bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scenarios.findings import Path
from scenarios.manifests import Document
from scenarios.rules.context import Context
from scenarios.rules.tree import dig, entries, mapping, seconds, text, whole
from scenarios.rules.uses import MetricUse, Role, Use, metrics_of, rollout_uses

MOST_MEASUREMENTS = 1_000
"""Of one gate that are looked at."""
STEPS: Path = ("spec", "strategy", "canary", "steps")


@dataclass(frozen=True)
class Step:
    """One step: when it starts and ends at the earliest, and the weight that holds while it lasts."""

    index: int
    path: Path
    start_s: float
    end_s: float
    weight: float
    open_ended: bool = False


@dataclass(frozen=True)
class Gate:
    """One metric at one place of a rollout: when it starts, when it can fail first, the weights it sees."""

    metric: MetricUse
    use: Use
    start_s: float
    end_s: float
    earliest_abort_s: float | None
    weight: float
    """Smallest traffic share (percent) of the canary among the measurements."""
    steps: tuple[Step, ...] = ()
    """The steps it measures in."""

    def measurements(self) -> Iterator[tuple[float, float]]:
        """(instant, weight) of each measurement, if none is an error: until its count, or until the gate's end."""
        interval, count = self.metric.interval_s or 0.0, self.metric.count
        at, taken = self.start_s + self.metric.delay_s, 0
        while taken < MOST_MEASUREMENTS and (count is None or taken < count) and (count is not None or at < self.end_s):
            yield at, self._weight_at(at)
            at, taken = at + interval, taken + 1
            if interval <= 0:
                return

    def _weight_at(self, instant_s: float) -> float:
        return next((step.weight for step in self.steps if step.end_s > instant_s), self.weight)


@dataclass(frozen=True)
class Timeline:
    """All of it, for one Rollout with canary steps."""

    rollout: Document
    steps: tuple[Step, ...]
    gates: tuple[Gate, ...]

    @property
    def length_s(self) -> float:
        """From apply to the end of the last step."""
        return self.steps[-1].end_s if self.steps else 0.0

    @property
    def pauses_s(self) -> float:
        """Sum of the timed pauses."""
        return sum(seconds(dig(self.rollout.data, *step.path, "pause", "duration")) or 0.0 for step in self.steps)

    @property
    def first_traffic_s(self) -> float:
        """When the canary gets its first request."""
        return next((step.start_s for step in self.steps if step.weight > 0), 0.0)

    @property
    def earliest_abort_s(self) -> float | None:
        """Earliest automatic verdict against the release, counted from its first request; None without a gate."""
        instants = [gate.earliest_abort_s for gate in self.gates if gate.earliest_abort_s is not None]
        return max(0.0, min(instants) - self.first_traffic_s) if instants else None

    def gates_at(self, step: Step) -> tuple[Gate, ...]:
        """Gates that are measuring while this step lasts."""
        return tuple(g for g in self.gates if g.start_s < step.end_s and g.end_s > step.start_s)


def timelines(context: Context) -> Iterator[Timeline]:
    """One for each Rollout with canary steps."""
    for rollout in context.of_kind("Rollout"):
        if dig(rollout.data, *STEPS):
            yield timeline(context, rollout)


def timeline(context: Context, rollout: Document) -> Timeline:
    """The timeline of one Rollout."""
    by_step = {use.step: use for use in rollout_uses(rollout) if use.role is Role.STEP}
    steps: list[Step] = []
    gates: list[Gate] = []
    now, weight = 0.0, 0.0
    for path, step in entries(rollout.data, *STEPS):
        index = int(path[-1])
        weight = float(whole(step.get("setWeight")) or 0) if "setWeight" in step else weight
        metrics = metrics_of(context, by_step[index]) if index in by_step else ()
        length = _length(metrics)
        pause = step.get("pause")
        waits = 0.0 if pause is None else seconds(mapping(step, "pause").get("duration")) or 0.0
        open_ended = "pause" in step and mapping(step, "pause").get("duration") is None
        end = now + max(waits, length, seconds(text(step, "experiment", "duration")) or 0.0)
        steps.append(Step(index, path, now, end, weight, open_ended))
        gates += [Gate(m, by_step[index], now, end, _abort(now, m), weight, (steps[-1],)) for m in metrics]
        now = end
    return Timeline(rollout, tuple(steps), (*_background(context, rollout, steps), *gates))


def _length(metrics: tuple[MetricUse, ...]) -> float:
    """Least length of a step's analysis: until each metric succeeds, or can first fail if it never succeeds."""
    shortest = (
        metric.shortest_pass_s if metric.shortest_pass_s is not None else metric.earliest_failure_s or 0.0
        for metric in metrics
    )
    return max(shortest, default=0.0)


def _abort(start_s: float, metric: MetricUse) -> float | None:
    first = metric.earliest_failure_s
    return None if first is None else start_s + first


def _background(context: Context, rollout: Document, steps: list[Step]) -> Iterator[Gate]:
    end = steps[-1].end_s if steps else 0.0
    for use in rollout_uses(rollout):
        if use.role is not Role.BACKGROUND:
            continue
        starting = whole(use.block.get("startingStep")) or 0
        start = next((step.start_s for step in steps if step.index >= starting), end)
        for metric in metrics_of(context, use):
            seen = [
                s.weight for s in steps if s.end_s > start + metric.delay_s and s.end_s > s.start_s and s.weight > 0
            ]
            during = tuple(step for step in steps if step.end_s > start)
            yield Gate(metric, use, start, end, _abort(start, metric), min(seen, default=0.0), during)
