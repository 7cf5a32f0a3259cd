"""The timetable of an Argo Rollout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sim.decide.defaults import has_router, is_dynamic, is_routed, progress_deadline_s
from sim.decide.fenceposts import max_surge
from sim.decide.standing import with_workload
from sim.decide.steps import steps_of
from sim.model.rollout import RolloutSpec
from sim.model.scenario import Scenario
from sim.model.units import duration_text
from sim.timetable.gates import deadline_gate, metric_gates, where
from sim.timetable.measuring import may_be_inconclusive
from sim.timetable.pace import Pace, fastest, slowest
from sim.timetable.rollouts import Course, RolloutWalk
from sim.timetable.rows import KEEP, PROMOTE, Pair, blue_green_rows, canary_rows, first_rows, short_list
from sim.timetable.runs import RunKey, RunPlan, run_plans
from sim.timetable.sums import extra_pod_hours, peak_of, points, relief_of
from sim.timetable.values import Ability, Gate, Relief, Row, Timetable
from sim.timetable.walk import Frame, Walk

_MOMENT_S = 0.1
"""Reconciles that follow each other are one moment."""


@dataclass(frozen=True, slots=True)
class _Walker:
    """Walks of one Rollout at both paces."""

    course: Course
    fast: Pace
    slow: Pace

    def good(self) -> Pair:
        """A release that nothing is wrong with."""
        return Pair(self._walk(self.fast), self._walk(self.slow))

    def never_ready(self) -> Pair:
        """A release whose pods never become available."""
        return Pair(self._walk(replace(self.fast, pods_s=None)), self._walk(replace(self.slow, pods_s=None)))

    def aborted(self, good: Pair) -> Pair:
        """A release that is aborted the first time it has the most traffic it gets before its promotion."""
        return Pair(self._aborted(self.fast, good.fast), self._aborted(self.slow, good.slow))

    def _aborted(self, pace: Pace, good: Walk) -> Walk:
        highest = good.highest

        def there(frame: Frame) -> bool:
            return frame.weight >= highest and not frame.stable_is_new

        return RolloutWalk(self.course, pace, there).run()

    def _walk(self, pace: Pace) -> Walk:
        return RolloutWalk(self.course, pace).run()


def rollout_timetable(scenario: Scenario, rollout: RolloutSpec) -> Timetable:
    """Of an update of a Rollout that runs its stable version; the spec must be valid."""
    spec = with_workload(rollout, scenario.manifests)
    plans = run_plans(scenario, spec)
    walker = _Walker(
        Course(spec, scenario.controller, plans, scenario.first_deploy),
        fastest(scenario, spec.template, float(spec.min_ready_s)),
        slowest(scenario, spec.template, progress_deadline_s(spec)),
    )
    pair = walker.good()
    made = _rows(scenario, spec, pair, plans)
    gates = (*metric_gates(spec, pair, plans, walker.slow.reconcile_s), _deadline(spec, walker))
    rows = _watched(tuple(made), gates)
    relief = _relief(walker, pair)
    return Timetable(
        subject=f"Rollout {spec.name}",
        strategy=strategy_text(spec),
        replicas=spec.desired,
        rows=rows,
        end=pair.instant(lambda walk: walk.end),
        ending=_ending(pair, rows),
        gates=gates,
        unwatched=_unwatched(rows),
        earliest_abort_s=min((g.earliest_abort_s for g in gates if g.earliest_abort_s is not None), default=None),
        bound_s=min((g.bound_s for g in gates if _binds(g) and g.bound_s is not None), default=None),
        peak=peak_of(rows, pair, _most_pods(spec, pair)),
        extra_pod_hours=extra_pod_hours(pair.slow, spec.desired),
        relief=relief,
        fastest=points(pair.fast),
        slowest=points(pair.slow),
        assumptions=tuple(_assumptions(spec, walker, plans)),
        notes=(*_notes(scenario, spec, gates), *_doubts(plans)),
    )


def _rows(scenario: Scenario, spec: RolloutSpec, pair: Pair, plans: dict[RunKey, RunPlan]) -> Iterator[Row]:
    if scenario.first_deploy:
        return first_rows(pair)
    return blue_green_rows(spec, pair) if spec.blue_green is not None else canary_rows(spec, pair, plans)


def _binds(gate: Gate) -> bool:
    """Whether a version that fails every gate is stopped by it: the progress deadline needs another fault."""
    return gate.ability is Ability.ALWAYS and not gate.is_for_pods and not gate.start.after_wait


def _deadline(spec: RolloutSpec, walker: _Walker) -> Gate:
    nothing = Walk((), ())
    return deadline_gate(spec, walker.never_ready() if spec.progress_deadline_abort else Pair(nothing, nothing))


def strategy_text(spec: RolloutSpec) -> str:
    """``canary, weights by istio``."""
    if spec.blue_green is not None:
        return "blue-green"
    routing = spec.canary.traffic_routing if spec.canary is not None else None
    if routing is None:
        return "canary by pods"
    if not routing.kinds:
        return "canary, trafficRouting without a router"
    return f"canary, weights by {' and '.join(routing.kinds)}"


def _ending(pair: Pair, rows: Sequence[Row]) -> str:
    """Why the release never comes to serve everybody; '' if it does."""
    if pair.fast.end is not None:
        return ""
    if pair.fast.aborted is not None:
        return "every release is aborted"
    if pair.fast.stopped:
        return pair.fast.stopped
    stuck = next((row for row in rows if row.end.earliest_s is None), None)
    place = f"step {stuck.number} ({stuck.what})" if stuck is not None and stuck.number else "it"
    return f"{place} never completes by itself"


def _watched(rows: tuple[Row, ...], gates: Sequence[Gate]) -> tuple[Row, ...]:
    able = [gate for gate in gates if gate.ability is not Ability.NEVER and not gate.is_for_pods]
    return tuple(replace(row, gates=tuple(dict.fromkeys(g.name for g in able if _overlap(row, g)))) for row in rows)


def _overlap(row: Row, gate: Gate) -> bool:
    """Whether the gate measures while the row lasts, at its fastest; inline gates only in their own step."""
    if row.number is not None and gate.where.startswith("step"):
        return gate.where == f"step {row.number}"
    starts, ends = row.start.earliest_s, row.end.earliest_s
    begins, over = gate.start.earliest_s, gate.end.earliest_s
    if starts is None or begins is None:
        return False
    return (ends is None or begins < ends or begins == starts) and (over is None or over > starts + _MOMENT_S)


def _unwatched(rows: Sequence[Row]) -> tuple[int, ...]:
    """Rows up to the promotion in which the release has traffic for a while, or gets more, with no gate that measures."""
    found: list[int] = []
    before = 0.0
    for index, row in enumerate(rows):
        if row.what in {PROMOTE, KEEP}:
            break
        raises = row.weight > before and not (index + 1 < len(rows) and rows[index + 1].gates)
        if not row.gates and (raises or (before > 0 and row.weight > 0 and _lasts(row))):
            found.append(index)
        before = row.weight
    return tuple(found)


def _lasts(row: Row) -> bool:
    if row.waits_for_person or row.start.latest_s is None or row.end.latest_s is None:
        return True
    return row.end.latest_s - row.start.latest_s >= 1.0


def _relief(walker: _Walker, pair: Pair) -> Relief | None:
    """After an abort at the highest weight before the promotion; None where there never is any."""
    highest = pair.fast.highest
    return relief_of(highest, walker.aborted(pair)) if highest > 0 else None


def _most_pods(spec: RolloutSpec, pair: Pair) -> int:
    """Wherever it is aborted: a full stable beside the canary where stable shrinks, or as far as the surge goes."""
    if is_dynamic(spec):
        return spec.desired + max(frame.candidate + frame.other for frame in pair.fast.frames)
    return 0 if is_routed(spec) else spec.desired + max_surge(spec)


def _assumptions(spec: RolloutSpec, walker: _Walker, plans: dict[RunKey, RunPlan]) -> Iterator[str]:
    deadline = duration_text(progress_deadline_s(spec))
    soonest = duration_text(round(walker.fast.pods_s or 0.0, 3))
    what = "the first version there is" if walker.course.first_deploy else "an update of a stable version that runs"
    yield f"{what}; no pod dies, nobody interferes"
    yield f"earliest: pods are available {soonest} after they are wanted, every measurement succeeds"
    yield f"latest: every wait for pods just keeps within progressDeadlineSeconds ({deadline})"
    if any(plan.metrics for plan in plans.values()):
        yield "latest: every analysis succeeds, with as many errors on the way as it tolerates"
    if any(metric.query_s for plan in plans.values() for metric in plan.metrics):
        longest = max(metric.query_s or 0.0 for plan in plans.values() for metric in plan.metrics)
        yield f"queries take at most {duration_text(longest)}"


def _notes(scenario: Scenario, spec: RolloutSpec, gates: Sequence[Gate]) -> Iterator[str]:
    if scenario.first_deploy:
        yield "it is the first deployment: steps, pauses and analyses are skipped"
    if scenario.operations:
        yield "what people do at set times (operations) is left out"
    if spec.paused:
        yield "spec.paused is true: nothing moves until a person resumes it"
    canary = spec.canary
    steps = steps_of(spec)
    if any(step.set_header_route for step in steps):
        yield "requests that match a header route go to the canary, whatever the weight"
    if any(step.plugin for step in steps):
        yield "plugin steps are not modelled: they never complete"
    if canary is not None and canary.analysis is not None and not any(g.where == "background" for g in gates):
        yield "the background analysis names no template"
    if canary is not None and not has_router(spec):
        yield "no router: the share of the traffic is the share of the pods"


def _doubts(plans: dict[RunKey, RunPlan]) -> Iterator[str]:
    """Analyses after which a person may have to decide."""
    for key, plan in plans.items():
        names = [one.metric.name for one in plan.metrics if not one.dry_run and may_be_inconclusive(one.metric)]
        if names:
            yield f"{short_list(names)} ({where(key)}) may be inconclusive: then a person has to decide"
