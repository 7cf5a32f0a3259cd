"""The analysis controller's passes over one run, for all contents that the run could have had, side by side.

When a metric is measured depends on its interval and delay and on whether measurements were errors or the last ones, but
not on thresholds and limits: contents that agree in the former are one branch, whose instants ``sim.decide.analysis`` gives;
what limits make of the measurements is counted for all contents of a branch at once. A branch divides where its contents
part: one measures an error where another does not, or has measured enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from sim.decide import analysis
from sim.decide.analysis import Task
from sim.decide.assessment import effective_count, result_of, tolerated, with_result
from sim.decide.defaults import JUST_AFTER_S
from sim.decide.metric_rules import dry_run_names
from sim.decide.orders import Created, earliest, started_s, unplanned
from sim.metrics import judging, providers
from sim.metrics.judging import OWN_JUDGEMENT
from sim.metrics.scripts import Origin, fitting, turns_s
from sim.model.analysis import (
    AnalysisPhase,
    AnalysisRunStatus,
    DatadogProvider,
    Measurement,
    Metric,
    PrometheusProvider,
    Provider,
    ProviderResult,
)
from sim.model.changing import replace
from sim.model.scenario import Scenario
from sim.paths.holding import ABSENT, BROKEN, NO, YES, Conditions
from sim.paths.path import Path
from sim.paths.values import Booleans, Floats, Integers

Codes = npt.NDArray[np.int8]
PHASES: Final = (
    AnalysisPhase.SUCCESSFUL,
    AnalysisPhase.FAILED,
    AnalysisPhase.INCONCLUSIVE,
    AnalysisPhase.ERROR,
    AnalysisPhase.RUNNING,
)
GOOD, FAILED, INCONCLUSIVE, ERROR, RUNNING = range(5)
"""Phases as numbers."""
_WORSE: Final = np.array([0, 3, 1, 2, 0], dtype=np.int8)
"""Argo's order of badness of these."""
_NEVER: Final = 2**62
_OFF: Final = 10**9


@dataclass(frozen=True, slots=True)
class Span:
    """When a run was created, when it was asked to end (infinity: never), and how long it is of interest."""

    created_s: float
    ended_s: float
    until_s: float


@dataclass(slots=True)
class Trace:
    """What came of each content of one run; seconds, infinite where it did not come to it."""

    bad_s: Floats
    """When the rollout controller heard of a bad end."""
    phase: Codes
    metric: Integers
    """Which metric, by its place in the content, gave the bad verdict."""
    measurements: Integers
    """How many of its measurements it had had by then."""
    running_s: Floats
    """When the rollout controller heard that the run goes on after its first pass."""
    good_s: Floats
    """When it heard of success."""
    lost_s: Floats
    """From when on the path cannot tell."""
    unsure: Booleans
    """Where the bad end's own instant takes a simulation."""

    @classmethod
    def of(cls, count: int) -> Trace:
        """Nothing came of anything yet."""
        bad, running, good, lost = (np.full(count, np.inf) for _ in range(4))
        metric, measurements = (np.zeros(count, dtype=np.int64) for _ in range(2))
        phase, unsure = np.zeros(count, dtype=np.int8), np.zeros(count, dtype=np.bool_)
        return cls(bad, phase, metric, measurements, running, good, lost, unsure)


@dataclass(slots=True)
class Limits:
    """Limits of one metric, one entry a content."""

    failures: Integers
    inconclusive: Integers
    errors: Integers
    streak: Integers
    count: Integers
    negative_failures: Booleans

    @classmethod
    def of(cls, metrics: Sequence[Metric]) -> Limits:
        """The limits with their defaults."""
        limits = [tolerated(metric) for metric in metrics]
        off = [one.failures is None for one in limits]
        return cls(
            _integers(_NEVER if one.failures is None else one.failures for one in limits),
            _integers(one.inconclusive for one in limits),
            _integers(one.errors for one in limits),
            _integers((metric.consecutive_success_limit or 0) for metric in metrics),
            _integers(_count(metric) for metric in metrics),
            np.array(off, dtype=np.bool_),
        )


def _count(metric: Metric) -> int:
    count = effective_count(metric)
    return _NEVER if count is None else count


def _integers(values: Iterator[int]) -> Integers:
    return np.array([max(-_NEVER, min(_NEVER, value)) for value in values], dtype=np.int64)


@dataclass(slots=True)
class Asked:
    """One metric of a branch: what differs between its contents."""

    metric: Metric
    """Its provider, and its times; conditions and limits are one content's."""
    origin: Origin
    dry: bool
    limits: Limits
    success: Conditions
    failure: Conditions
    pick: tuple[Integers, Integers]
    """Of each content its success and its failure condition."""
    variants: Sequence[Metric]

    def codes(self, result: ProviderResult, scenario: Scenario) -> Codes:
        """Phase of the measurement for each content, for providers that the conditions judge."""
        if result.error:
            return np.full(len(self.variants), ERROR, dtype=np.int8)
        if providers.kind_of(self.metric.provider) == "plugin":
            phases = [judging.judged(one, result, 0.0, scenario.controller).phase for one in self.variants]
            return np.array([PHASES.index(phase) for phase in phases], dtype=np.int8)
        success = self.success.marks(result)[self.pick[0]]
        failure = self.failure.marks(result)[self.pick[1]]
        return _PHASE_OF[success, failure]


def _phase_table() -> Codes:
    """As ``sim.metrics.conditions`` judges: rows by what the success condition says, columns by the failure condition."""
    table = np.full((4, 4), INCONCLUSIVE, dtype=np.int8)
    table[[YES, ABSENT], :] = GOOD
    table[NO, ABSENT] = FAILED
    table[:, YES] = FAILED
    table[:, BROKEN] = ERROR
    table[BROKEN, :] = ERROR
    return table


_PHASE_OF: Final = _phase_table()


@dataclass(slots=True)
class Branch:
    """Contents that are measured at the same instants so far."""

    members: Integers
    """By their place in the family."""
    status: AnalysisRunStatus
    now_s: float
    failed: list[Integers] = field(default_factory=list)
    inconclusive: list[Integers] = field(default_factory=list)
    streak: list[Integers] = field(default_factory=list)

    def part(self, mask: Booleans, status: AnalysisRunStatus) -> Branch:
        """Some of the members, on their own."""
        tallies = ([one[mask] for one in tally] for tally in (self.failed, self.inconclusive, self.streak))
        return Branch(self.members[mask], status, self.now_s, *tallies)


class Family:
    """Contents of one run that agree in what is asked, and in when it is first asked."""

    def __init__(self, scenario: Scenario, contents: Mapping[int, Created]) -> None:
        self._scenario = scenario
        self.places = np.array(list(contents), dtype=np.int64)
        specs = [one.spec for one in contents.values()]
        first, origins = specs[0], next(iter(contents.values())).origins
        self._dry = dry_run_names(first.dry_run, [metric.name for metric in first.metrics])
        self.asked = [
            _asked([spec.metrics[k] for spec in specs], origins, dry=metric.name in self._dry, scenario=scenario)
            for k, metric in enumerate(first.metrics)
        ]
        self._names = [metric.name for metric in first.metrics]
        self._spec = replace(first, metrics=tuple(_timed(metric) for metric in first.metrics))

    def trace(self, path: Path, span: Span, wanted: Booleans, into: Trace) -> None:
        """Follows the contents that are wanted (by their place in the run) until their end, or until the span's."""
        members = np.flatnonzero(wanted[self.places])
        size = len(members)
        tallies = [[np.zeros(size, dtype=np.int64) for _ in self.asked] for _ in range(3)]
        start_s = span.created_s + self._scenario.cluster.controller_latency_s
        branches = [Branch(members, AnalysisRunStatus(), start_s, *tallies)] if size else []
        while branches:
            branch = branches.pop()
            if branch.now_s >= span.ended_s:
                self._stopped(branch, span.ended_s, into)
            elif branch.now_s <= span.until_s:
                branches += self._passed(branch, path, span, into)

    def _stopped(self, branch: Branch, at_s: float, into: Trace) -> None:
        """The run was asked to end: it does so at once, and well, unless something is in flight."""
        rows = self.places[branch.members]
        (into.lost_s if _in_flight(branch.status) else into.good_s)[rows] = at_s

    def _passed(self, branch: Branch, path: Path, span: Span, into: Trace) -> list[Branch]:
        """The branches that one pass leaves."""
        now_s = branch.now_s
        tasks = analysis.due(self._spec, branch.status, now_s)
        taken: list[tuple[Task, int, Measurement | None, Codes]] = []
        for task in tasks:
            place = self._names.index(task.metric.name)
            found = self._measured(task, place, branch, path)
            if found is None:
                into.lost_s[self.places[branch.members]] = now_s
                return []
            taken.append((task, place, *found))
        latency_s = max((self._latency_s(task.metric.provider) for task in tasks), default=0.0)
        end_s = now_s + latency_s if tasks else now_s
        if end_s >= span.ended_s:
            self._stopped(branch, end_s, into)
            return []
        erring = np.zeros(len(branch.members), dtype=np.int64)
        for bit, (_, _, whole, codes) in enumerate(taken):
            if whole is None:
                erring |= (codes == ERROR).astype(np.int64) << bit
        left: list[Branch] = []
        for pattern in np.unique(erring).tolist():
            mask = np.asarray(erring == pattern, dtype=np.bool_)
            measurements = {
                task.metric.name: whole
                or _measurement(pattern >> bit & 1, now_s, now_s + self._latency_s(task.metric.provider))
                for bit, (task, _, whole, _) in enumerate(taken)
            }
            part = branch if mask.all() else branch.part(mask, branch.status)
            codes_of = {place: codes[mask] for _, place, _, codes in taken}
            left += self._counted(part, measurements, codes_of, end_s, into)
        return left

    def _measured(self, task: Task, place: int, branch: Branch, path: Path) -> tuple[Measurement | None, Codes] | None:
        """(the measurement, if it is the same for all members, their codes); None where the path cannot tell."""
        asked, now_s, name = self.asked[place], branch.now_s, task.metric.name
        begun_s = started_s(branch.status, name) if task.resume else now_s
        result = path.answer(task.metric.provider, now_s, asked.origin, begun_s)
        if result is None:
            return None
        if providers.kind_of(task.metric.provider) not in OWN_JUDGEMENT:
            return None, asked.codes(result, self._scenario)[branch.members]
        since_s = (now_s if begun_s is None else begun_s) if task.resume else None
        one = judging.judged(task.metric, result, now_s, self._scenario.controller, since_s)
        code = PHASES.index(one.phase)
        ended_s = now_s + self._latency_s(task.metric.provider) if one.phase.is_completed else None
        phase = one.phase if code in {ERROR, RUNNING} else AnalysisPhase.SUCCESSFUL
        whole = replace(one, phase=phase, started_s=begun_s, finished_s=ended_s)
        return whole, np.full(len(branch.members), code, dtype=np.int8)

    def _counted(  # one pass is all of these
        self,
        branch: Branch,
        measurements: Mapping[str, Measurement],
        codes: Mapping[int, Codes],
        end_s: float,
        into: Trace,
    ) -> list[Branch]:
        """The pass recorded for members whose measurements are alike but for what limits make of them."""
        first = branch.status.phase is AnalysisPhase.PENDING
        status = analysis.record(self._spec, branch.status, measurements, end_s)
        verdicts = {place: self._verdict(branch, status, place, one) for place, one in codes.items()}
        bad = self._ended_badly(branch, status, verdicts, end_s, into)
        done = np.zeros(len(branch.members), dtype=np.int64)
        for place, verdict in verdicts.items():
            done |= (verdict != RUNNING).astype(np.int64) << place
        left: list[Branch] = []
        for pattern in np.unique(done[~bad]).tolist():
            mask = ~bad & (done == pattern)
            reached = _completed(status, [self._names[k] for k in range(len(self._names)) if pattern >> k & 1])
            if self._is_over(reached):
                into.good_s[self.places[branch.members[mask]]] = end_s
                continue
            if first:
                into.running_s[self.places[branch.members[mask]]] = end_s
            next_s = self._next_s(branch, reached, end_s)
            if next_s is not None:
                part = branch.part(mask, reached)
                part.now_s = next_s
                left.append(part)
        return left

    def _verdict(self, branch: Branch, status: AnalysisRunStatus, place: int, codes: Codes) -> Codes:
        """Phase of a metric for each member after a measurement (``sim.decide.assessment``)."""
        asked = self.asked[place]
        limits, members = asked.limits, branch.members
        branch.failed[place] = branch.failed[place] + (codes == FAILED)
        branch.inconclusive[place] = branch.inconclusive[place] + (codes == INCONCLUSIVE)
        reset = np.where(codes == RUNNING, branch.streak[place], 0)
        branch.streak[place] = np.where(codes == GOOD, branch.streak[place] + 1, reset)
        result = result_of(status, self._names[place])
        if result is None or not result.measurements[-1].phase.is_completed:
            return np.full(len(members), RUNNING, dtype=np.int8)
        verdict = np.full(len(members), RUNNING, dtype=np.int8)
        wanted = limits.streak[members]
        counted = result.count >= limits.count[members]
        short = np.where(limits.negative_failures[members], FAILED, INCONCLUSIVE)
        verdict[counted] = np.where(wanted > 0, short, GOOD)[counted]
        verdict[(wanted > 0) & (wanted <= branch.streak[place])] = GOOD
        verdict[branch.failed[place] > limits.failures[members]] = FAILED
        verdict[branch.inconclusive[place] > limits.inconclusive[members]] = INCONCLUSIVE
        verdict[result.consecutive_error > limits.errors[members]] = ERROR
        return verdict

    def _ended_badly(
        self, branch: Branch, status: AnalysisRunStatus, verdicts: Mapping[int, Codes], end_s: float, into: Trace
    ) -> Booleans:
        """Which members end badly with this pass, or just after it where other metrics are still to end."""
        worst = np.zeros(len(branch.members), dtype=np.int8)
        culprit = np.full(len(branch.members), -1, dtype=np.int64)
        for place in sorted(verdicts):
            if not self.asked[place].dry:
                worse = _WORSE[verdicts[place]] > _WORSE[worst]
                worst[worse], culprit[worse] = verdicts[place][worse], place
        bad = culprit >= 0
        if bad.any():
            rows, whose = self.places[branch.members[bad]], culprit[bad]
            others = self._others_done(status, verdicts, len(branch.members))[bad]
            into.bad_s[rows] = np.where(others, end_s, end_s + JUST_AFTER_S)
            into.phase[rows], into.metric[rows] = worst[bad], whose
            results = [result_of(status, name) for name in self._names]
            taken = [result.count + result.error if result else 0 for result in results]
            into.measurements[rows] = np.array(taken, dtype=np.int64)[whose]
            into.unsure[rows] = _in_flight(status)
            if branch.status.phase is AnalysisPhase.PENDING:
                into.running_s[rows] = np.where(others, np.inf, end_s)
        return bad

    def _others_done(self, status: AnalysisRunStatus, verdicts: Mapping[int, Codes], count: int) -> Booleans:
        """Of which members every metric has ended."""
        done = np.ones(count, dtype=np.bool_)
        for place, name in enumerate(self._names):
            result = result_of(status, name)
            if place in verdicts:
                done &= verdicts[place] != RUNNING
            elif result is None or not result.phase.is_completed:
                done[:] = False
        return done

    def _is_over(self, status: AnalysisRunStatus) -> bool:
        results = [result_of(status, name) for name in self._names]
        return all(result is not None and result.phase.is_completed for result in results)

    def _next_s(self, branch: Branch, status: AnalysisRunStatus, end_s: float) -> float | None:
        changed = status != branch.status
        next_s = analysis.next_time_s(self._spec, status, end_s, changed=changed)
        due_s = earliest(next_s, self._jobs_end_s(status, end_s))
        return None if due_s is None else max(due_s, end_s)

    def _jobs_end_s(self, status: AnalysisRunStatus, now_s: float) -> float | None:
        """As in the engine: when a Job in flight that no look is planned for may end."""
        scenario, end_s = self._scenario, None
        for name, begun_s in unplanned(status, now_s):
            origin = self.asked[self._names.index(name)].origin
            signals = fitting(scenario.telemetry.signals, origin, scenario.release.name)
            end_s = earliest(end_s, turns_s(signals, now_s, begun_s))
        return end_s

    def _latency_s(self, provider: Provider) -> float:
        telemetry = self._scenario.telemetry
        match provider:
            case PrometheusProvider():
                return telemetry.prometheus.query_latency_s
            case DatadogProvider():
                return telemetry.datadog.query_latency_s
        return 0.0


def _asked(metrics: Sequence[Metric], origins: Mapping[str, str], *, dry: bool, scenario: Scenario) -> Asked:
    first = metrics[0]
    success, by_success = _distinct([metric.success_condition for metric in metrics])
    failure, by_failure = _distinct([metric.failure_condition for metric in metrics])
    expr = scenario.controller.expr
    conditions = Conditions(success, expr), Conditions(failure, expr)
    origin = Origin(origins.get(first.name, ""), first.name)
    return Asked(first, origin, dry, Limits.of(metrics), *conditions, (by_success, by_failure), metrics)


def _distinct(texts: Sequence[str]) -> tuple[list[str], Integers]:
    known = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return list(known), np.array([known[text] for text in texts], dtype=np.int64)


def _timed(metric: Metric) -> Metric:
    """The metric with its times only: nothing ends it but, without an interval, its count."""
    return replace(
        metric,
        count=None if metric.interval else metric.count,
        failure_limit=-1,
        inconclusive_limit=_OFF,
        consecutive_error_limit=_OFF,
        consecutive_success_limit=None,
    )


def timing(created: Created) -> tuple[object, ...]:
    """What contents of one family agree in."""
    spec = created.spec
    metrics = tuple(
        (one.name, one.providers, one.interval, one.initial_delay, None if one.interval else one.count)
        for one in spec.metrics
    )
    return metrics, spec.dry_run, spec.retention, tuple(sorted(created.origins.items()))


def _measurement(is_error: int, started_s: float, finished_s: float) -> Measurement:
    phase = AnalysisPhase.ERROR if is_error else AnalysisPhase.SUCCESSFUL
    return Measurement(phase, started_s=started_s, finished_s=finished_s)


def _in_flight(status: AnalysisRunStatus) -> bool:
    return any(one.measurements and one.measurements[-1].finished_s is None for one in status.metric_results)


def _completed(status: AnalysisRunStatus, names: Sequence[str]) -> AnalysisRunStatus:
    """The status with these metrics at their end."""
    for name in names:
        result = result_of(status, name)
        if result is not None and not result.phase.is_completed:
            status = with_result(status, replace(result, phase=AnalysisPhase.SUCCESSFUL))
    return status
