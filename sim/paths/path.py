"""One replication whose gates were only watched: what they could have measured, and what the controller would have made of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import inf
from typing import Final

import numpy as np

from sim.decide import bluegreen, canary
from sim.engine import run
from sim.engine.loop import MINIMUM_LATENCY_S
from sim.engine.observing import Course, Look, Observing
from sim.engine.telemetry import Eyes
from sim.metrics import providers
from sim.metrics.providers import Sources
from sim.metrics.scripts import Origin
from sim.metrics.store import SeriesStore, to_ms
from sim.model.actions import Decision
from sim.model.analysis import AnalysisPhase, PrometheusProvider, Provider, ProviderResult
from sim.model.changing import replace
from sim.model.records import DecisionRecord, RunResult, TrafficRecord
from sim.model.rollout import Observed, RolloutSpec, RolloutStatus, RunRole, RunView
from sim.model.scenario import Scenario

LATENCIES: Final = 3
"""So many controller latencies around news of an analysis nothing else may happen if it is to change nothing."""
_SAME_S: Final = 1e-9
_LOOKS: Final = 4
"""Reconciles in a row in which a bad verdict may still be waiting to be heeded."""

_WAY_BACK_S: Final = 120.0
"""More than routes and Services take to lead everybody back to the stable version."""

Question = tuple[Provider, Origin, float, float | None]


@dataclass(frozen=True, slots=True)
class Abort:
    """What a bad verdict leads to: the decision's instant and the rollout's step then."""

    at_s: float
    step: int | None


class Path:
    """Answers what any setting of the gates would have met with, as long as it takes this path."""

    def __init__(self, scenario: Scenario, seed: int, eyes: Eyes | None = None) -> None:
        self.scenario, self.seed = scenario, seed
        self._seen = Observing(eyes)
        self.result: RunResult = run(scenario, seed, watch=self._seen)
        self.end_s: float = self.result.journal[-1].t_s
        self.exposure = Exposure(self.result)
        self._latency_s = max(scenario.cluster.controller_latency_s, MINIMUM_LATENCY_S)
        self._looks = [look.observed.now_s for look in self._seen.looks]
        self._others = sorted(_others(self._seen))
        self._sources: Sources | None = None
        self._outages = _outages(self._seen.outages)
        self._scraped: frozenset[int] | None = None
        self._answers: dict[Question, ProviderResult] = dict(self._seen.answers)
        self._taken_back_s = _taken_back_s(self.result)
        self._heeded: set[tuple[int, int, AnalysisPhase]] = set()

    @property
    def courses(self) -> list[Course]:
        """The analysis runs, in order of their creation."""
        return self._seen.courses

    @property
    def stalled_s(self) -> float | None:
        """From when on a run could not even be created: until its templates change nothing goes on."""
        return next((look.observed.now_s for look in self._seen.looks if look.decision is None), None)

    def spec_at(self, at_s: float) -> RolloutSpec:
        """The Rollout's spec as the controller last saw it by then."""
        return self._seen.looks[max(0, bisect_right(self._looks, at_s) - 1)].spec

    @property
    def is_real(self) -> bool:
        """Whether the gates that led here would have come the same way without being watched."""
        return not self._seen.forgave

    def answer(
        self, provider: Provider, now_s: float, origin: Origin, begun_s: float | None = None
    ) -> ProviderResult | None:
        """What the provider answers at an instant; None where the path cannot tell and did not ask.

        It cannot tell within the millisecond of a scrape, in which stored times are the same and real ones were not, nor
        for queries that look ahead of their own time.
        """
        question = provider, origin, now_s, begun_s
        known = self._answers.get(question)
        if known is None:
            if isinstance(provider, PrometheusProvider) and self._is_unclear(provider.query, now_s):
                return None
            known = providers.measure(provider, now_s, self._sources_at(now_s), origin, begun_s)
            self._answers[question] = known
        return known

    def is_quiet(self, at_s: float) -> bool:
        """Whether news of an analysis at that instant finds a controller with nothing else to do."""
        margin_s = self.margin_s
        place = bisect_left(self._others, at_s - margin_s)
        return place == len(self._others) or self._others[place] > at_s + margin_s

    @property
    def margin_s(self) -> float:
        """How far news has to be from everything else."""
        return LATENCIES * self._latency_s + 2 * MINIMUM_LATENCY_S

    def abort(self, course: Course, phase: AnalysisPhase, told_s: float, heard_s: float) -> Abort | None:
        """What follows if the controller hears at ``told_s`` that the run ended badly; None where that takes a simulation.

        The controller's own decision is asked for, on what it saw on the path at that moment. ``heard_s`` is when it first
        heard of the run in these milliseconds: that it goes on, just before it ended.
        """
        found = self._next_look(told_s, heard_s)
        if found is None:
            return None
        place, spec, observed = found
        # Between two looks only time differs, and whether a verdict is heeded does not depend on it but for restarts.
        quiet = (-1 if place is None or spec.restart_at_s is not None else place, id(course), phase)
        if quiet in self._heeded:
            return Abort(observed.now_s, observed.status.current_step_index)
        abort = self._decided(spec, _with_verdict(observed, course, phase))
        if abort is not None and abort.at_s == observed.now_s and quiet[0] >= 0:
            self._heeded.add(quiet)
        return abort

    def others_go_on(self, course: Course, at_s: float) -> bool:
        """Whether another analysis run may still come to a verdict after that instant."""
        others = (one for one in self.courses if one is not course and one.run.created_s <= at_s)
        return any(one.run.order.role is RunRole.BACKGROUND or good_s(one) >= at_s for one in others)

    def is_last_word(self, at_s: float) -> bool:
        """Whether an abort at that instant settles the verdict: nobody is to do anything later at a set time.

        Nor was the update taken back before, for then it is the way back that is aborted; and the horizon has to be far
        enough for the stable version to have everything back.
        """
        later = any(one.at_s >= at_s for one in self.scenario.operations)
        return not later and at_s < self._taken_back_s and at_s + _WAY_BACK_S < self.scenario.horizon_s

    def _next_look(self, told_s: float, heard_s: float) -> tuple[int | None, RolloutSpec, Observed] | None:
        """What the controller sees when it next looks: at a reconcile that was due already, or at one for these news.

        The latter comes with the place of the look before.
        """
        due_s = heard_s + self._latency_s
        place = bisect_right(self._looks, told_s)
        if due_s <= told_s or (place and self._looks[place - 1] == told_s):
            return None  # which of the two came first is not known here
        if place < len(self._looks) and self._looks[place] <= due_s + _SAME_S:
            look = self._seen.looks[place]
            for_these = abs(self._looks[place] - due_s) <= _SAME_S
            others = self._others_within(self._looks[place] - self._latency_s - _SAME_S, told_s)
            return (None, look.spec, look.observed) if for_these or others else None
        if not place or self._others_within(heard_s, due_s + _SAME_S):
            return None
        look = self._seen.looks[place - 1]
        if look.decision is None or look.decision.actions:
            return None
        return place - 1, look.spec, replace(look.observed, now_s=due_s, status=look.decision.status)

    def _decided(self, spec: RolloutSpec, observed: Observed) -> Abort | None:
        rules = canary if spec.blue_green is None else bluegreen
        for _ in range(_LOOKS):
            decision = rules.next_actions(spec, observed)
            if decision.status.abort and decision.status.message:
                return Abort(observed.now_s, observed.status.current_step_index)
            next_s = observed.now_s + self._latency_s
            settled = decision.status == observed.status
            if settled or decision.actions or self._others_within(observed.now_s + _SAME_S, next_s + _SAME_S):
                return None
            observed = replace(observed, now_s=next_s, status=decision.status)
        return None

    def _others_within(self, from_s: float, to_s: float) -> bool:
        place = bisect_left(self._others, from_s)
        return place < len(self._others) and self._others[place] <= to_s

    def _sources_at(self, now_s: float) -> Sources:
        if self._sources is None:
            self._sources = self._seen.sources()
        place = bisect_right(self._outages, now_s, key=lambda one: one[0]) - 1
        return replace(self._sources, outages=self._outages[place][1] if place >= 0 else frozenset())

    def _is_unclear(self, query: str, now_s: float) -> bool:
        if "@" in query or "offset" in query:
            return True
        if self._scraped is None:
            self._scraped = _instants(self._seen.sources().prometheus)
        return to_ms(now_s) in self._scraped


def _taken_back_s(result: RunResult) -> float:
    """When a person first put the old version back or aborted the update; infinite if nobody did."""
    rows = (row for row in result.journal if isinstance(row, DecisionRecord) and row.actor == "person")
    return min((row.t_s for row in rows if row.decision in {"undo", "abort"}), default=inf)


def _instants(store: SeriesStore) -> frozenset[int]:
    """Milliseconds at which anything was scraped."""
    columns = (store.samples, store.markers)
    return frozenset(np.unique(np.concatenate([one.times for one in columns])).tolist())


def _outages(rows: Iterable[tuple[float, str, bool]]) -> list[tuple[float, frozenset[str]]]:
    """(from when, which providers are down), in order."""
    down: Counter[str] = Counter()
    found: list[tuple[float, frozenset[str]]] = []
    for at_s, provider, begins in rows:
        down[provider] = max(0, down[provider] + (1 if begins else -1))
        found.append((at_s, frozenset(+down)))
    return found


def _others(seen: Observing) -> Iterable[float]:
    """Instants at which the controller had something to do that was no news of an analysis."""
    told = Counter(
        at_s for course in seen.courses if course.run.order.role is not RunRole.EXPERIMENT for at_s, _ in course.told
    )
    yield from (Counter(seen.notices) - told).elements()
    for look in seen.looks:
        if not _is_idle(look):
            yield look.observed.now_s
    for look, after in pairwise(seen.looks):
        if look.wake_s is not None and look.wake_s <= after.observed.now_s:
            yield look.wake_s


def _is_idle(look: Look) -> bool:
    """Whether a reconcile did nothing but take note of how analyses stand."""
    return look.decision is not None and not look.decision.actions and _unchanged(look.decision, look.observed.status)


def _unchanged(decision: Decision, before: RolloutStatus) -> bool:
    return decision.status == before or _bare(decision.status) == _bare(before)


def _bare(status: RolloutStatus) -> RolloutStatus:
    marks = replace(status.blue_green, pre_promotion=None, post_promotion=None)
    return replace(status, step_run=None, background_run=None, blue_green=marks)


def _with_verdict(observed: Observed, course: Course, phase: AnalysisPhase) -> Observed:
    """What the controller sees, with this run ended badly."""

    def judged(view: RunView) -> RunView:
        return replace(view, phase=phase, message="judged") if view.name == course.run.order.name else view

    return replace(observed, runs=tuple(judged(view) for view in observed.runs))


def good_s(course: Course) -> float:
    """When the controller heard of the run's success; infinite if it did not."""
    return next((at_s for at_s, phase in course.told if phase is AnalysisPhase.SUCCESSFUL), inf)


class Exposure:
    """What clients met with from the apply on, by the traffic rows of one run."""

    def __init__(self, result: RunResult) -> None:
        rows = [row for row in result.journal if isinstance(row, TrafficRecord) and row.t_s > 0]
        self._ends_s = [row.t_s for row in rows]
        self._requests = [0, *accumulate(row.client_requests for row in rows)]
        self._failures = [0, *accumulate(row.client_failures for row in rows)]

    def until(self, at_s: float) -> tuple[int, int]:
        """(requests, failures) in the rows that ended by then."""
        place = bisect_right(self._ends_s, at_s)
        return self._requests[place], self._failures[place]
