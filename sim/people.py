"""People: they approve what waits for them, are paged, hear of trouble from users, and then abort or undo.

The twin and a cluster run have the same people; each brings its own clock and its own rollout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

from sim.model.behaviour import Alert, Delay
from sim.model.load import ClientView
from sim.model.outcome import Outcome
from sim.model.records import Verdict
from sim.model.scenario import Scenario
from sim.model.units import duration_text, percent_text


class Stage(Protocol):
    """Time, chance and the journal."""

    @property
    def now_s(self) -> float:
        """Seconds since the release was applied."""

    def call_at(self, time_s: float, action: Callable[[], None]) -> None:
        """Calls ``action`` at ``time_s``."""

    def draw_s(self, what: str, delay: Delay) -> float:
        """A random time from the stream named after what takes it."""

    def decision(self, actor: str, decision: str, reason: str) -> None:
        """Writes a row."""


class Patient(Protocol):
    """The rollout, as people see it and what they do to it."""

    @property
    def outcome(self) -> Outcome | None:
        """Its end; None while it is under way."""

    @property
    def good(self) -> bool:
        """Whether the release is a good one: users report none of those."""

    @property
    def going_back(self) -> bool:
        """Whether people are already taking the release back."""

    @property
    def trouble(self) -> str:
        """What is reported of a rollout that is Degraded without having ended or been stopped; '' otherwise."""

    def waits_for_person(self) -> object | None:
        """Something that stands for the pause only a person ends, or None."""

    def approve(self) -> None:
        """A person ends that pause."""

    def abort(self, reason: str) -> None:
        """A person stops the rollout under way."""

    def undo(self, reason: str) -> None:
        """A person goes back to the version before, after the rollout's end."""

    def arrive_late(self, reason: str) -> None:
        """A person acts on a page after a gate has already stopped the release."""


@dataclass(slots=True)
class _Clocks:
    """Since when each bound has been exceeded without a break; None while it is not."""

    errors_s: float | None = None
    p99_s: float | None = None


class People:
    """One on-call person per region. ``busy`` while somebody is on the way to act."""

    def __init__(self, stage: Stage, patient: Patient, scenario: Scenario, until_s: float) -> None:
        self._stage = stage
        self._patient = patient
        self._people = scenario.people
        self._buckets_s = scenario.telemetry.prometheus.buckets_s
        self._clocks = _Clocks()
        self._until_s = until_s
        self._last_s = stage.now_s
        self._acting = False
        self._approving: object | None = None
        self._report_due_s: float | None = None
        self._seen_degraded = False
        """Paged about the rollout being Degraded, which it still is."""
        self._paged = False
        """Paged about the trouble that still lasts: one page for one stretch of it."""

    @property
    def busy(self) -> bool:
        """Whether somebody is about to act, or users are about to report, while the run still looks."""
        due = self._report_due_s is not None and self._report_due_s <= self._until_s
        return self._acting or due

    @property
    def is_acting(self) -> bool:
        """Whether somebody was paged or told, and is on the way to act."""
        return self._acting

    def look(self) -> None:
        """Called at every change of the rollout: approvals and reports are put on the way."""
        waiting = self._patient.waits_for_person()
        if waiting is not None and waiting != self._approving and self._people.approve is not None:
            self._approving = waiting
            due_s = self._stage.now_s + self._stage.draw_s("people/approve", self._people.approve)
            self._stage.call_at(due_s, lambda: self._approve(waiting))
        self._look_for_trouble()
        outcome = self._patient.outcome
        bad = outcome is not None and outcome.verdict is Verdict.PROMOTED and not self._patient.good
        if bad and self._report_due_s is None and not self._acting and self._people.report is not None:
            delay_s = self._stage.draw_s("people/report", self._people.report)
            self._report_due_s = self._stage.now_s + delay_s
            self._stage.call_at(self._report_due_s, self._reported)

    @property
    def idle_until_s(self) -> float:
        """Before then no window that ends makes anybody page: bounds have to be exceeded for their time first."""
        alert, clocks, last_s = self._people.alert, self._clocks, self._last_s
        if alert is None:
            return inf
        bounds = (
            (alert.error_ratio, clocks.errors_s, alert.error_for_s),
            (alert.p99_s, clocks.p99_s, alert.p99_for_s),
        )
        due = [
            (last_s if since_s is None else since_s) + for_s - 2e-6
            for bound, since_s, for_s in bounds
            if bound is not None
        ]
        return min(due, default=inf)

    def watch(self, now_s: float, window: Sequence[ClientView]) -> None:
        """One window of the clients' view: bounds exceeded for long enough page the person."""
        since_s, self._last_s = self._last_s, now_s
        alert = self._people.alert
        if alert is None or now_s <= 0:
            return
        clocks = self._clocks
        clocks.errors_s = _since(clocks.errors_s, since_s, _above(error_ratio(window), alert.error_ratio))
        clocks.p99_s = _since(clocks.p99_s, since_s, alert.p99_s is not None and self._p99_s(window) > alert.p99_s)
        reason = _reason(alert, clocks, now_s)
        if not reason:
            self._paged = False
        elif not self._paged and not self._acting:
            self._paged = True
            self._call(reason, paged=True)

    def _p99_s(self, window: Sequence[ClientView]) -> float:
        counts = [sum(column) for column in zip(*(one.latency_counts for one in window), strict=True)]
        return quantile_s(counts, self._buckets_s, 0.99)

    def _approve(self, waiting: object) -> None:
        self._approving = None
        if self._patient.outcome is None and self._patient.waits_for_person() == waiting:
            self._stage.decision("person", "resume", "approved")
            self._patient.approve()

    def _reported(self) -> None:
        self._report_due_s = None
        outcome = self._patient.outcome
        if outcome is not None and outcome.verdict is Verdict.PROMOTED and not self._acting:
            self._call("reported by users", paged=False)

    def _look_for_trouble(self) -> None:
        """A rollout that becomes Degraded pages once for as long as it stays so; taking it back needs no page."""
        trouble = self._patient.trouble if self._people.watch_degraded else ""
        if not trouble or self._patient.going_back:
            self._seen_degraded = False
        elif not self._seen_degraded and not self._acting:
            self._seen_degraded = True
            self._call(trouble, paged=True, unless=lambda: not self._patient.trouble)

    def _call(self, reason: str, *, paged: bool, unless: Callable[[], bool] = lambda: False) -> None:
        """Somebody is on the way to act from now on, and does ``unless`` it has become needless by then."""
        self._acting = True
        self._stage.decision("person", "alert", reason)
        steps = [("notice", self._people.notice)] if paged else []
        self._respond([*steps, ("decide", self._people.decide), ("act", self._people.act)], reason, unless)

    def _respond(self, steps: Sequence[tuple[str, Delay]], reason: str, unless: Callable[[], bool]) -> None:
        """Notice (a page only), decide, act: one after the other."""
        if steps:
            (name, delay), *rest = steps
            due_s = self._stage.now_s + self._stage.draw_s(f"people/{name}", delay)
            self._stage.call_at(due_s, lambda: self._respond(rest, reason, unless))
            return
        self._acting = False
        if not unless():
            self._act(reason)
        self.look()

    def _act(self, reason: str) -> None:
        """Abort what is under way, undo what has served everybody."""
        outcome = self._patient.outcome
        if outcome is None:
            if not self._patient.going_back:
                self._patient.abort(reason)
        elif outcome.verdict is Verdict.PROMOTED:
            self._report_due_s = None
            self._patient.undo(reason)
        else:
            self._patient.arrive_late(reason)


def error_ratio(window: Sequence[ClientView]) -> float:
    """Share of the clients' requests that finally failed; 0 without requests."""
    total = sum(one.client_requests for one in window)
    return sum(one.client_failures for one in window) / total if total else 0.0


def quantile_s(counts: Sequence[int], bounds_s: tuple[float, ...], q: float) -> float:
    """Quantile of bucketed latencies, interpolated within its bucket; the last bound where it lies above all; 0 if empty."""
    rank, below, lower_s = q * sum(counts), 0, 0.0
    for count, upper_s in zip(counts, bounds_s, strict=False):
        if count and below + count >= rank:
            return lower_s + (upper_s - lower_s) * (rank - below) / count
        below, lower_s = below + count, upper_s
    return bounds_s[-1] if sum(counts) else 0.0


def _above(value: float, bound: float | None) -> bool:
    return bound is not None and value > bound


def _since(before_s: float | None, window_began_s: float, exceeded: bool) -> float | None:
    if not exceeded:
        return None
    return window_began_s if before_s is None else before_s


def _reason(alert: Alert, clocks: _Clocks, now_s: float) -> str:
    if (
        alert.error_ratio is not None
        and clocks.errors_s is not None
        and now_s - clocks.errors_s >= alert.error_for_s - 1e-6
    ):
        return f"clients' error ratio above {percent_text(alert.error_ratio)} for {duration_text(alert.error_for_s)}"
    if alert.p99_s is not None and clocks.p99_s is not None and now_s - clocks.p99_s >= alert.p99_for_s - 1e-6:
        return f"p99 above {duration_text(alert.p99_s)} for {duration_text(alert.p99_for_s)}"
    return ""
