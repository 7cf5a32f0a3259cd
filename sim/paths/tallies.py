"""What limits make of a metric's measurements, counted for all its settings at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sim.decide.assessment import effective_count, tolerated
from sim.metrics import judging, providers
from sim.metrics.scripts import Origin
from sim.model.analysis import AnalysisPhase, Metric, ProviderResult
from sim.model.controller import Controller
from sim.paths.agenda import Entry
from sim.paths.holding import ABSENT, BROKEN, NO, YES, Conditions
from sim.paths.values import Booleans, Integers

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
WORSE: Final = np.array([0, 3, 1, 2, 0], dtype=np.int8)
"""Argo's order of badness of these."""
_NEVER: Final = 2**62


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


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one metric, one entry a setting."""

    failures: Integers
    inconclusive: Integers
    errors: Integers
    streak: Integers
    count: Integers
    short: Codes
    """What it comes to if it is measured often enough without the successes in a row that it needs."""
    least_count: int
    least_errors: int
    any_streak: bool

    @classmethod
    def of(cls, metrics: Sequence[Metric]) -> Limits:
        """The limits with their defaults."""
        limits = [tolerated(metric) for metric in metrics]
        counts = [effective_count(metric) for metric in metrics]
        short = [FAILED if one.failures is None else INCONCLUSIVE for one in limits]
        errors = _integers(one.errors for one in limits)
        streak = _integers((metric.consecutive_success_limit or 0) for metric in metrics)
        count = _integers(_NEVER if one is None else one for one in counts)
        return cls(
            _integers(_NEVER if one.failures is None else one.failures for one in limits),
            _integers(one.inconclusive for one in limits),
            errors,
            streak,
            count,
            np.array(short, dtype=np.int8),
            least_count=int(count.min()),
            least_errors=int(errors.min()),
            any_streak=bool((streak > 0).any()),
        )


def _integers(values: Iterable[int]) -> Integers:
    return np.array([max(-_NEVER, min(_NEVER, value)) for value in values], dtype=np.int64)


class Gate:
    """One metric of contents that are measured alike: its settings, each once, and which content has which."""

    def __init__(self, metrics: Sequence[Metric], template: str, *, dry: bool, controller: Controller) -> None:
        known: dict[object, int] = {}
        self.of = np.array([known.setdefault(_setting(one), len(known)) for one in metrics], dtype=np.int64)
        first = {place: metric for metric, place in zip(reversed(metrics), self.of[::-1].tolist(), strict=True)}
        self._settings = [first[place] for place in range(len(known))]
        self.metric = metrics[0]
        self.provider = self.metric.provider
        self.kind = providers.kind_of(self.provider)
        self.origin = Origin(template, self.metric.name)
        self.dry = dry
        self.limits = Limits.of(self._settings)
        self._controller = controller
        success, self._success_of = _distinct([one.success_condition for one in self._settings])
        failure, self._failure_of = _distinct([one.failure_condition for one in self._settings])
        self._success, self._failure = Conditions(success, controller.expr), Conditions(failure, controller.expr)

    def __len__(self) -> int:
        return len(self._settings)

    def codes(self, result: ProviderResult) -> Codes:
        """Phase of the measurement under each setting, for providers that the conditions judge."""
        if result.error:
            return np.full(len(self), ERROR, dtype=np.int8)
        if self.kind == "plugin":
            phases = [judging.judged(one, result, 0.0, self._controller).phase for one in self._settings]
            return np.array([PHASES.index(phase) for phase in phases], dtype=np.int8)
        success, failure = self._success.marks(result), self._failure.marks(result)
        return _PHASE_OF[success[self._success_of], failure[self._failure_of]]


def _setting(metric: Metric) -> object:
    """What of a metric its measurements' meaning depends on."""
    return (
        metric.success_condition,
        metric.failure_condition,
        metric.failure_limit,
        metric.inconclusive_limit,
        metric.consecutive_error_limit,
        metric.consecutive_success_limit,
        metric.count,
    )


def _distinct(texts: Sequence[str]) -> tuple[list[str], Integers]:
    known = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return list(known), np.array([known[text] for text in texts], dtype=np.int64)


class Tally:
    """Measurements of one gate so far, by setting."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._failed, self._inconclusive, self._streak = (np.zeros(len(gate), dtype=np.int64) for _ in range(3))
        self._ended: Booleans = np.zeros(len(gate), dtype=np.bool_)

    def copy(self) -> Tally:
        """Another one, from here on independent."""
        made = Tally(self._gate)
        made._failed, made._inconclusive = self._failed.copy(), self._inconclusive.copy()
        made._streak, made._ended = self._streak.copy(), self._ended.copy()
        return made

    def add(self, codes: Codes, entry: Entry) -> Codes | None:
        """Phase of the metric after one more measurement; None if it goes on whatever the setting.

        ``entry`` says how often it was measured by now. See ``sim.decide.assessment``: limits go before streak and count,
        and the error limit before the others. What cannot come to anything is left out.
        """
        limits = self._gate.limits
        verdict = np.full(len(codes), RUNNING, dtype=np.int8)
        if entry.count >= limits.least_count:
            counted = limits.count <= entry.count
            verdict[counted] = np.where(limits.streak > 0, limits.short, GOOD)[counted]
        if limits.any_streak:
            self._streak = np.where(codes == GOOD, self._streak + 1, 0)
            verdict[(limits.streak > 0) & (limits.streak <= self._streak)] = GOOD
        self._exceeded(codes, FAILED, verdict)
        self._exceeded(codes, INCONCLUSIVE, verdict)
        if entry.errors_in_row > limits.least_errors:
            verdict[limits.errors < entry.errors_in_row] = ERROR
        news = verdict != RUNNING
        if news.any():
            news &= ~self._ended
            self._ended |= news
        return verdict if news.any() else None

    def _exceeded(self, codes: Codes, phase: int, verdict: Codes) -> None:
        """Counts measurements of a phase, and says so where they exceed their limit."""
        failed = phase == FAILED
        counts, limit = (
            (self._failed, self._gate.limits.failures)
            if failed
            else (self._inconclusive, self._gate.limits.inconclusive)
        )
        found = codes == phase
        if found.any():
            counts += found
        verdict[counts > limit] = phase
