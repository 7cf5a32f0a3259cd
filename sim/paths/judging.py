"""Judges variants of a scenario that differ in their gates, sharing every path that can be shared."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.decide.defaults import JUST_AFTER_S
from sim.engine import run
from sim.engine.observing import Course
from sim.engine.telemetry import Eyes
from sim.model.hashing import digest
from sim.model.records import DecisionRecord, RunResult, StepRecord, Verdict
from sim.model.rollout import RunRole
from sim.model.scenario import Scenario
from sim.paths.contents import Book, Contents
from sim.paths.path import Abort, Exposure, Path
from sim.paths.replay import Trace
from sim.paths.shapes import Group, grouped
from sim.paths.tallies import INCONCLUSIVE, PHASES
from sim.paths.values import Booleans, Floats, Integers, Judgements

_METRIC: Final = re.compile(r'Metric "(.*?)" assessed ')
_ROLES: Final = {
    "Step-based analysis": "step",
    "Background analysis": "background",
    "Blue/green pre-promotion analysis": "pre-promotion",
    "Blue/green post-promotion analysis": "post-promotion",
}
Observe = Callable[[Scenario, int, Eyes], Path]
"""Records the path of a variant in the replication with a seed, for gates that read so much."""

_DIGITS: Final = 6
"""Of the seconds in journals."""


class Gates:
    """Variants of one scenario, made ready once and judged in any number of replications.

    Variants may differ in anything; those that differ only in their gates (thresholds, limits, intervals, counts, delays,
    queries) share paths, and those that differ in more (weights, pauses, traffic) get paths of their own. So do variants
    whose gates shape the path: an inline analysis takes as long as its interval and count make it.
    """

    def __init__(self, variants: Sequence[Scenario]) -> None:
        self.variants = tuple(variants)
        self._groups = [(group, Book([self.variants[k] for k in group.places])) for group in grouped(self.variants)]

    def judge(self, seed: int, observe: Observe = Path) -> Judgements:
        """Every variant in the replication with this seed: verdict and abort as ``run_once(variant, seed)`` gives them.

        ``observe`` records the path of one variant, for those who want to measure or to keep paths.
        """
        rows = _Rows(len(self.variants), seed, observe)
        for group, book in self._groups:
            left = np.array(group.places, dtype=np.int64)
            while len(left):
                left = self._judged(group, book, left, rows)
        return rows.judgements()

    def _judged(self, group: Group, book: Book, left: Integers, rows: _Rows) -> Integers:
        """The variants that are left after one more path, or one more run."""
        lead = int(left[0])
        if not group.shared:
            rows.simulate(lead, self.variants[lead])
            return left[1:]
        path = rows.path(self.variants[lead], group)
        ends = _Ends(path, book, np.searchsorted(np.array(group.places), left))
        decided = ends.into(rows, left)
        for alike in ends.alike:
            first, *others = left[alike].tolist()
            rows.simulate(first, self.variants[first])
            rows.copy(first, others)
            decided |= alike
        if not decided[0]:
            # Its own path did not decide it: nothing else will.
            rows.simulate(lead, self.variants[lead])
            decided[0] = True
        return left[~decided]


def judge_many(variants: Sequence[Scenario], seed: int) -> Judgements:
    """``Gates(variants).judge(seed)``; keep the ``Gates`` where several seeds are asked for."""
    return Gates(variants).judge(seed)


class _Ends:
    """How each variant's course of events on one path ends: aborted by a gate, with the path, or elsewhere."""

    def __init__(self, path: Path, book: Book, members: Integers) -> None:
        self._path = path
        self._parts = [_Part(path, course, book.contents(course, path), members) for course in path.courses]
        count = len(members)
        self._bad_s = np.array([part.bad_s for part in self._parts]).reshape(len(self._parts), count)
        self._lost_s = np.full(count, np.inf)
        for part in self._parts:
            self._lost_s = np.minimum(self._lost_s, part.lost_s)
        if path.stalled_s is not None:
            self._lost_s[1:] = np.minimum(self._lost_s[1:], path.stalled_s)
        self.alike: list[Booleans] = []
        """Variants that one run tells of: each came to the same verdict at the same instant, and nothing of its gates matters
        from there on."""

    def into(self, rows: _Rows, places: Integers) -> Booleans:
        """Writes down what is decided; which variants that is."""
        if not len(self._parts):
            first_s, which = np.full(len(places), np.inf), np.zeros(len(places), dtype=np.int64)
        else:
            which = np.argmin(self._bad_s, axis=0)
            first_s = self._bad_s[which, np.arange(len(places))]
        whole = np.isinf(first_s) & (self._lost_s > self._path.end_s)
        whole[0] |= self._path.is_real
        rows.whole(places[whole], self._path.result)
        aborted = np.zeros(len(places), dtype=np.bool_)
        bad = np.isfinite(first_s) & ~whole
        for number in np.unique(which[bad]).tolist():
            aborted |= self._aborted(number, bad & (which == number), first_s, rows, places)
        return np.asarray(whole | aborted, dtype=np.bool_)

    def _aborted(self, number: int, mine: Booleans, first_s: Floats, rows: _Rows, places: Integers) -> Booleans:
        part, decided = self._parts[number], np.zeros(len(places), dtype=np.bool_)
        for phase in np.unique(part.phase[mine]).tolist():
            these = mine & (part.phase == phase)
            for told_s, heard_s in sorted(set(zip(first_s[these].tolist(), part.heard_s[these].tolist(), strict=True))):
                alike = these & (first_s == told_s) & (part.heard_s == heard_s)
                decided |= self._heard(_News(part, int(phase), told_s, heard_s), alike, rows, places)
        return decided

    def _heard(self, news: _News, these: Booleans, rows: _Rows, places: Integers) -> Booleans:
        """Variants with the same bad verdict at the same instant: the abort, or who has to be simulated."""
        path, part = self._path, news.part
        pauses = news.phase == INCONCLUSIVE
        abort = None if pauses else path.abort(part.course, PHASES[news.phase], news.told_s, news.heard_s)
        until_s = (news.told_s if abort is None else abort.at_s) + path.margin_s
        here = these & (self._lost_s > until_s)
        # Another run's bad end before the decision would be heeded with it.
        alone = ((self._bad_s <= until_s).sum(axis=0) == 1) & ~part.unsure
        last = path.is_last_word(until_s)
        sure = here & alone & last & (abort is not None)
        if sure.any() and abort is not None:
            rows.aborted(places[sure], path, abort, part, sure)
        rest = here & ~sure
        # Once nothing that is left depends on gates, one run tells of all.
        settled = last and part.course.run.order.role is not RunRole.EXPERIMENT
        if pauses:
            settled &= path.scenario.people.approve is None and not path.others_go_on(part.course, news.told_s)
        together = rest & alone & settled
        self.alike += [together] if together.any() else []
        self.alike += [_only(place, len(places)) for place in np.flatnonzero(rest & ~together).tolist()]
        return np.asarray(sure, dtype=np.bool_)


def _only(place: int, count: int) -> Booleans:
    return np.asarray(np.arange(count) == place, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class _News:
    """A bad end: of which run, which phase, and when the controller heard of it."""

    part: _Part
    phase: int
    told_s: float
    heard_s: float
    """When it heard of the run just before: that it goes on; else the same."""


class _Part:
    """One run of the path, by variant."""

    def __init__(self, path: Path, course: Course, contents: Contents, members: Integers) -> None:
        of = contents.of[members]
        wanted = np.zeros(len(contents.distinct), dtype=np.bool_)
        wanted[of] = True
        trace: Trace = contents.trace(path, course, wanted)
        self.course = course
        self.role = course.run.order.role.value
        self.bad_s, self.lost_s, self.phase = trace.bad_s[of], trace.lost_s[of], trace.phase[of]
        just_before = trace.running_s + JUST_AFTER_S == trace.bad_s
        self.heard_s = np.where(just_before, trace.running_s, trace.bad_s)[of]
        self.unsure, self.measurements = trace.unsure[of], trace.measurements[of]
        self._of, self._metric, self._names = of, trace.metric[of], contents.names

    def metrics(self, mask: Booleans) -> list[str]:
        """The metrics that gave the bad verdicts."""
        return [
            self._names[content][metric] if metric >= 0 else ""
            for content, metric in zip(self._of[mask].tolist(), self._metric[mask].tolist(), strict=True)
        ]


class _Rows:
    """Judgements in the making."""

    def __init__(self, count: int, seed: int, observe: Observe) -> None:
        self._seed, self._observe, self._paths = seed, observe, 0
        self._verdicts, self._results = np.full(count, None, dtype=object), np.full(count, None, dtype=object)
        self._metrics, self._roles = np.full(count, "", dtype=object), np.full(count, "", dtype=object)
        self._abort_s = np.full(count, np.nan)
        self._steps, self._measurements = np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.int64)
        self._requests, self._failures = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        self._simulated = np.zeros(count, dtype=np.bool_)

    def path(self, lead: Scenario, group: Group) -> Path:
        """One more path."""
        self._paths += 1
        return self._observe(lead, self._seed, group.eyes)

    def aborted(self, places: Integers, path: Path, abort: Abort, part: _Part, mask: Booleans) -> None:
        """Variants that one verdict of one run aborts."""
        self._verdicts[places] = Verdict.ABORTED
        self._abort_s[places] = round(abort.at_s, _DIGITS)
        self._steps[places] = -1 if abort.step is None else abort.step
        self._metrics[places], self._roles[places] = part.metrics(mask), part.role
        self._measurements[places] = part.measurements[mask]
        self._requests[places], self._failures[places] = path.exposure.until(abort.at_s)

    def whole(self, places: Integers, result: RunResult) -> None:
        """Variants of which a whole run tells."""
        abort = next(
            (row for row in result.journal if isinstance(row, DecisionRecord) and row.decision == "abort"), None
        )
        self._verdicts[places], self._results[places] = result.verdict, result
        until_s = result.journal[-1].t_s
        if abort is not None and len(places):
            until_s = abort.t_s
            self._abort_s[places], self._steps[places] = abort.t_s, _step(result, abort.t_s)
            found = _METRIC.search(abort.reason) if abort.actor != "person" else None
            self._metrics[places] = found.group(1) if found else ""
            self._roles[places] = next((role for text, role in _ROLES.items() if abort.reason.startswith(text)), "")
        self._requests[places], self._failures[places] = Exposure(result).until(until_s)

    def simulate(self, place: int, variant: Scenario) -> None:
        """A variant gets a run of its own."""
        self.whole(np.array([place]), run(variant, self._seed, digest(variant)))
        self._simulated[place] = True
        if not np.isnan(self._abort_s[place]):
            self._measurements[place] = -1

    def copy(self, place: int, others: Sequence[int]) -> None:
        """Other variants of which the run of one tells everything."""
        to = list(others)
        for column in (
            self._verdicts, self._results, self._metrics, self._roles, self._abort_s, self._steps, self._measurements,
            self._requests, self._failures, self._simulated,
        ):  # fmt: skip
            column[to] = column[place]

    def judgements(self) -> Judgements:
        """All of them."""
        return Judgements(
            self._verdicts, self._abort_s, self._metrics, self._roles, self._steps, self._measurements,
            self._requests, self._failures, self._simulated, self._results, self._paths,
        )  # fmt: skip


def _step(result: RunResult, at_s: float) -> int:
    """Index of the step under way at an instant."""
    begun = [
        row.index
        for row in result.journal
        if isinstance(row, StepRecord) and row.state == "started" and row.t_s <= at_s
    ]
    return begun[-1] if begun else -1
