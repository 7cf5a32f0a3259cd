"""The analysis controller's passes over one run, for all contents that the run could have had, side by side.

When a metric is measured depends on its interval and delay and on whether measurements were errors or the last ones, but
not on thresholds and limits: contents that agree in the former are one branch, whose instants an ``Agenda`` gives; what
limits make of the measurements is counted for all contents of a branch at once. A branch divides where its contents part:
one measures an error where another does not, or has measured enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sim.decide.defaults import JUST_AFTER_S
from sim.decide.metric_rules import dry_run_names
from sim.decide.orders import Created, earliest
from sim.metrics import judging
from sim.metrics.judging import OWN_JUDGEMENT
from sim.metrics.scripts import fitting, turns_s
from sim.model.analysis import DatadogProvider, Measurement, PrometheusProvider, Provider
from sim.model.scenario import Scenario
from sim.paths.agenda import Agenda, Times
from sim.paths.path import Path
from sim.paths.tallies import ERROR, PHASES, RUNNING, WORSE, Codes, Gate, Tally
from sim.paths.values import Booleans, Floats, Integers


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
class Branch:
    """Contents that are measured at the same instants so far."""

    members: Integers
    """By their place in the family."""
    agenda: Agenda
    tallies: list[Tally]
    now_s: float

    def part(self, mask: Booleans) -> Branch:
        """Some of the members, on their own."""
        tallies = [tally.copy() for tally in self.tallies]
        return Branch(self.members[mask], self.agenda.copy(), tallies, self.now_s)


@dataclass(frozen=True, slots=True)
class Sample:
    """One metric measured: phase by setting, or, of providers that judge by themselves, the measurement."""

    place: int
    codes: Codes
    whole: Measurement | None = None


class Family:
    """Contents of one run that agree in what is asked, and in when it is first asked."""

    def __init__(self, scenario: Scenario, contents: Mapping[int, Created]) -> None:
        self._scenario = scenario
        self.places = np.array(list(contents), dtype=np.int64)
        specs = [one.spec for one in contents.values()]
        first, origins = specs[0], next(iter(contents.values())).origins
        dry = dry_run_names(first.dry_run, [metric.name for metric in first.metrics])
        self._gates = [
            Gate(
                [spec.metrics[place] for spec in specs],
                origins.get(metric.name, ""),
                dry=metric.name in dry,
                controller=scenario.controller,
            )
            for place, metric in enumerate(first.metrics)
        ]
        self._times = [Times.of(metric) for metric in first.metrics]
        self._latencies_s = [_latency_s(scenario, metric.provider) for metric in first.metrics]

    def trace(self, path: Path, span: Span, wanted: Booleans, into: Trace) -> None:
        """Follows the contents that are wanted (by their place in the run) until their end, or until the span's."""
        members = np.flatnonzero(wanted[self.places])
        start_s = span.created_s + self._scenario.cluster.controller_latency_s
        first = Branch(members, Agenda(self._times), [Tally(gate) for gate in self._gates], start_s)
        branches = [first] if len(members) else []
        while branches:
            branch = branches.pop()
            if branch.now_s >= span.ended_s:
                self._stopped(branch, span.ended_s, into)
            elif branch.now_s <= span.until_s:
                branches += self._passed(branch, path, span, into)

    def _stopped(self, branch: Branch, at_s: float, into: Trace) -> None:
        """The run was asked to end: it does so at once, and well, unless something is in flight."""
        rows = self.places[branch.members]
        (into.lost_s if branch.agenda.in_flight else into.good_s)[rows] = at_s

    def _passed(self, branch: Branch, path: Path, span: Span, into: Trace) -> list[Branch]:
        """The branches that one pass leaves."""
        due = branch.agenda.due(branch.now_s)
        samples = [self._sample(place, branch, path) for place in due]
        taken = [sample for sample in samples if sample is not None]
        if len(taken) < len(samples):
            into.lost_s[self.places[branch.members]] = branch.now_s
            return []
        end_s = branch.now_s + max((self._latencies_s[place] for place in due), default=0.0)
        if end_s >= span.ended_s:
            self._stopped(branch, end_s, into)
            return []
        left: list[Branch] = []
        for part in self._by_errors(branch, taken):
            left += self._counted(part, taken, end_s, into)
        return left

    def _sample(self, place: int, branch: Branch, path: Path) -> Sample | None:
        """What a look at a metric shows; None where the path cannot tell."""
        gate, now_s = self._gates[place], branch.now_s
        waits_s = branch.agenda.entries[place].begun_s
        begun_s = now_s if waits_s is None else waits_s
        result = path.answer(gate.provider, now_s, gate.origin, begun_s)
        if result is None:
            return None
        if gate.kind not in OWN_JUDGEMENT:
            return Sample(place, gate.codes(result))
        whole = judging.judged(gate.metric, result, now_s, self._scenario.controller, waits_s)
        return Sample(place, np.full(len(gate), PHASES.index(whole.phase), dtype=np.int8), whole)

    def _by_errors(self, branch: Branch, taken: list[Sample]) -> list[Branch]:
        """The branch, in parts where some members measured an error and others did not."""
        mixed = [sample for sample in taken if 0 < np.count_nonzero(sample.codes == ERROR) < len(sample.codes)]
        if not mixed:
            return [branch]
        pattern = np.zeros(len(branch.members), dtype=np.int64)
        for bit, sample in enumerate(mixed):
            erring = sample.codes == ERROR
            pattern |= erring[self._gates[sample.place].of[branch.members]].astype(np.int64) << bit
        if (pattern == pattern[0]).all():
            return [branch]
        kinds = np.unique(pattern).tolist()
        return [branch.part(np.asarray(pattern == kind)) for kind in kinds]

    def _counted(self, branch: Branch, taken: list[Sample], end_s: float, into: Trace) -> list[Branch]:
        """The pass noted for members whose measurements are alike but for what limits make of them."""
        agenda, new = branch.agenda, branch.agenda.is_new
        verdicts: dict[int, Codes] = {}
        for sample in taken:
            verdict = self._noted(branch, sample)
            if verdict is not None:
                verdicts[sample.place] = verdict[self._gates[sample.place].of[branch.members]]
        agenda.pass_over(end_s)
        bad = self._ended_badly(branch, verdicts, end_s, into, new=new)
        left: list[Branch] = []
        for part in self._by_ends(branch, verdicts, bad):
            rows = self.places[part.members]
            if part.agenda.is_over:
                into.good_s[rows] = end_s
                continue
            if new:
                into.running_s[rows] = end_s
            next_s = earliest(part.agenda.next_s(end_s), self._jobs_end_s(part.agenda, end_s))
            if next_s is not None:
                part.now_s = max(next_s, end_s)
                left.append(part)
        return left

    def _noted(self, branch: Branch, sample: Sample) -> Codes | None:
        """One sample noted; the metric's phase by setting, None if it goes on under every one."""
        place, agenda = sample.place, branch.agenda
        entry = agenda.entries[place]
        if sample.whole is not None and not sample.whole.phase.is_completed:
            begun_s = branch.now_s if entry.begun_s is None else entry.begun_s
            agenda.wait(place, begun_s, sample.whole.resume_at_s)
            return None
        # The settings of other branches do not count.
        own = sample.codes[self._gates[place].of[branch.members[0]]]
        agenda.finish(place, branch.now_s + self._latencies_s[place], erred=bool(own == ERROR))
        return branch.tallies[place].add(sample.codes, entry)

    def _ended_badly(
        self, branch: Branch, verdicts: Mapping[int, Codes], end_s: float, into: Trace, *, new: bool
    ) -> Booleans:
        """Which members end badly with this pass, or just after it where other metrics are still to end."""
        if not verdicts:
            return np.zeros(len(branch.members), dtype=np.bool_)
        worst = np.zeros(len(branch.members), dtype=np.int8)
        culprit = np.full(len(branch.members), -1, dtype=np.int64)
        for place, verdict in verdicts.items():
            if not self._gates[place].dry:
                worse = WORSE[verdict] > WORSE[worst]
                worst[worse], culprit[worse] = verdict[worse], place
        bad = np.asarray(culprit >= 0)
        if bad.any():
            rows, entries = self.places[branch.members[bad]], branch.agenda.entries
            others = np.ones(len(bad), dtype=np.bool_)
            for place, entry in enumerate(entries):
                others &= (verdicts[place] != RUNNING) if place in verdicts else entry.done
            into.bad_s[rows] = np.where(others, end_s, end_s + JUST_AFTER_S)[bad]
            into.phase[rows], into.metric[rows] = worst[bad], culprit[bad]
            taken = np.array([entry.count + entry.errors for entry in entries], dtype=np.int64)
            into.measurements[rows] = taken[culprit[bad]]
            into.unsure[rows] = branch.agenda.in_flight
            if new:
                into.running_s[rows] = np.where(others, np.inf, end_s)[bad]
        return bad

    def _by_ends(self, branch: Branch, verdicts: Mapping[int, Codes], bad: Booleans) -> list[Branch]:
        """The members that did not end badly, in parts by which of their metrics have ended."""
        if not verdicts:
            return [branch]
        done = np.zeros(len(branch.members), dtype=np.int64)
        for place, verdict in verdicts.items():
            done |= (verdict != RUNNING).astype(np.int64) << place
        kinds = np.unique(done[~bad]).tolist()
        found = []
        for kind in kinds:
            mask = np.asarray(~bad & (done == kind))
            part = branch if mask.all() else branch.part(mask)
            for place in verdicts:
                part.agenda.entries[place].done |= bool(kind >> place & 1)
            found.append(part)
        return found

    def _jobs_end_s(self, agenda: Agenda, now_s: float) -> float | None:
        """As in the engine: when a Job in flight that no look is planned for may end."""
        scenario, end_s = self._scenario, None
        for place, begun_s in agenda.unplanned():
            signals = fitting(scenario.telemetry.signals, self._gates[place].origin, scenario.release.name)
            end_s = earliest(end_s, turns_s(signals, now_s, begun_s))
        return end_s


def _latency_s(scenario: Scenario, provider: Provider) -> float:
    telemetry = scenario.telemetry
    match provider:
        case PrometheusProvider():
            return telemetry.prometheus.query_latency_s
        case DatadogProvider():
            return telemetry.datadog.query_latency_s
    return 0.0


def timing(created: Created) -> tuple[object, ...]:
    """What contents of one family agree in."""
    spec = created.spec
    metrics = tuple(
        (one.name, one.providers, one.interval, one.initial_delay, None if one.interval else one.count)
        for one in spec.metrics
    )
    return metrics, spec.dry_run, tuple(sorted(created.origins.items()))
