"""People at a cluster run: the twin's rules on a clock that is set by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from harness.people import OnCall
from sim.decide.claims import judged
from sim.model.behaviour import Alert, People
from sim.model.outcome import Outcome
from sim.model.records import TrafficRecord, Verdict
from tests.engine import builders
from tests.harness.stage import Stage

PEOPLE = People(
    approve=builders.constant(60),
    alert=Alert(error_ratio=0.05, error_for_s=20.0, p99_s=None),
    notice=builders.constant(30),
    decide=builders.constant(20),
    act=builders.constant(10),
    report=builders.constant(300),
)


@dataclass
class Patient:
    """A maker that does what it is told and writes it down."""

    outcome: Outcome | None = None
    waiting: object | None = None
    going_back: bool = False
    trouble: str = ""
    told: list[str] = field(default_factory=list)

    def waits_for_person(self) -> object | None:
        return self.waiting

    def approve(self) -> None:
        self.told.append("approve")

    def abort(self, reason: str) -> None:
        self.told.append(f"abort: {reason}")

    def undo(self, reason: str) -> None:
        self.told.append(f"undo: {reason}")

    def arrive_late(self, reason: str) -> None:
        self.told.append(f"late: {reason}")

    def stand(self) -> None: ...

    def release(self) -> None: ...

    def poll(self) -> None: ...

    def close(self) -> None: ...

    def stuck(self) -> Outcome:
        raise NotImplementedError


class Watch:
    """One person, one patient, and windows of ten seconds with a given share of failures."""

    def __init__(self, *, good: bool = True) -> None:
        release = builders.release(good=good)
        scenario = builders.scenario(builders.deployment_manifests(), people=PEOPLE, release=release)
        self.stage, self.patient = Stage(scenario), Patient()
        self.failing = 0.0
        self.taken_s = 0.0
        self.person = OnCall(self.stage.site, self.patient, self.windows, until_s=1000.0)

    def windows(self) -> list[tuple[float, list[TrafficRecord]]]:
        closed = []
        while self.taken_s + 10.0 <= self.stage.recorder.now_s:
            self.taken_s += 10.0
            counts = (0, 100, *(0,) * 10)
            row = TrafficRecord(self.taken_s, "", 10.0, "stable", (), counts, 1.0, 100, int(100 * self.failing), 0, 0)
            closed.append((self.taken_s, [row]))
        return closed

    def until(self, end_s: float) -> None:
        """Polls once a second."""
        while self.stage.recorder.now_s < end_s:
            self.stage.recorder.now_s += 1.0
            self.person.poll()


def test_failing_clients_page_a_person_who_aborts_after_the_delays() -> None:
    watch = Watch()
    watch.failing = 0.1
    watch.until(79.0)
    assert watch.stage.decisions == [("person", "alert")]
    assert watch.person.busy
    assert watch.patient.told == []
    watch.until(80.0)
    assert watch.patient.told == ["abort: clients' error ratio above 5 % for 20s"]
    assert not watch.person.busy


def test_a_pause_is_approved_once_even_if_the_cluster_is_slow_to_show_it() -> None:
    watch = Watch()
    watch.patient.waiting = "pause 2"
    watch.until(200.0)
    assert watch.patient.told == ["approve"]
    assert watch.stage.decisions == [("person", "resume")]


def test_users_report_a_bad_release_that_was_promoted() -> None:
    watch = Watch(good=False)
    watch.until(10.0)
    watch.patient.outcome = Outcome(Verdict.PROMOTED, "through", 10.0, served_all=True)
    watch.until(300.0)
    assert watch.patient.told == []
    assert watch.person.busy
    watch.until(345.0)
    assert watch.patient.told == ["undo: reported by users"]


def test_a_gate_may_be_quicker_than_the_person() -> None:
    watch = Watch()
    watch.failing = 0.1
    watch.until(30.0)
    watch.patient.outcome = Outcome(Verdict.ABORTED, "by the gate", 25.0)
    watch.until(85.0)
    assert watch.patient.told == ["late: clients' error ratio above 5 % for 20s"]


def test_degraded_by_itself_is_trouble() -> None:
    watch = Watch()
    watch.patient.trouble = "Degraded: ProgressDeadlineExceeded"
    watch.until(70.0)
    assert watch.patient.told == ["abort: Degraded: ProgressDeadlineExceeded"]


def test_a_success_under_which_requests_fail_is_none() -> None:
    watch = Watch()
    watch.patient.outcome = Outcome(Verdict.PROMOTED, "through", 0.5, served_all=True)
    watch.failing = 0.6
    watch.until(40.0)
    assert watch.person.failing == pytest.approx(0.6)
    outcome = judged(watch.patient.outcome, watch.person.failing)
    assert (outcome.verdict, outcome.reason) == (
        Verdict.DEGRADED,
        "success was reported while 60 % of requests failed",
    )
