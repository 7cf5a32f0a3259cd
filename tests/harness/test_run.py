"""The run's own rule: when the release is applied, and when the run is over."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from harness.recorder import Recorder
from harness.run import POLL_S, Cast, Pace, play
from scenarios.document import load
from scenarios.library import playbook
from sim.decide.rejections import Rejection
from sim.model.outcome import Outcome
from sim.model.records import DecisionRecord, PhaseRecord, Verdict

SCENARIO = replace(load(playbook("rolling-update", "corrected")).scenario, horizon_s=100.0, tail_s=10.0)


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class FakeMaker:
    """Ends ``after_s`` seconds after the apply; None: never."""

    clock: Clock
    after_s: float | None
    outcome: Outcome | None = None
    going_back: bool = False
    applied: list[float] = field(default_factory=list)
    polled: list[float] = field(default_factory=list)

    def stand(self) -> None: ...

    def release(self) -> None:
        self.applied.append(self.clock.now)

    def poll(self) -> None:
        self.polled.append(self.clock.now)
        if self.applied and self.after_s is not None and self.clock.now >= self.applied[0] + self.after_s:
            self.outcome = self.outcome or Outcome(Verdict.PROMOTED, "done", self.after_s, served_all=True)

    def waits_for_person(self) -> None: ...

    def approve(self) -> None: ...

    def abort(self, reason: str) -> None: ...

    def undo(self, reason: str) -> None: ...

    def arrive_late(self, reason: str) -> None: ...

    @property
    def trouble(self) -> str:
        return ""

    def stuck(self) -> Outcome:
        return Outcome(Verdict.STUCK, "still there", self.clock.now)

    def close(self) -> None: ...


@dataclass
class Busy:
    """Somebody who is on the way to act until ``until``."""

    clock: Clock
    until: float
    polled: list[float] = field(default_factory=list)

    def poll(self) -> None:
        self.polled.append(self.clock.now)

    @property
    def busy(self) -> bool:
        return self.clock.now < self.until


def cast(maker: FakeMaker, *others: Busy, refused: Rejection | None = None) -> Cast:
    return Cast(SCENARIO, Recorder(1020.0), maker, others, refused)


def test_the_release_is_applied_once_at_the_end_of_the_warm_up() -> None:
    clock = Clock()
    maker = FakeMaker(clock, 5.0)
    play(cast(maker), 1020.0, Pace(lambda: clock.now, clock.sleep))
    assert maker.applied == [pytest.approx(1020.0, abs=POLL_S)]
    assert maker.polled[0] == 1000.0


@pytest.mark.parametrize(
    ("after_s", "ends_s", "verdict"),
    [
        pytest.param(5.0, 15.0, Verdict.PROMOTED, id="the tail after the end"),
        pytest.param(95.0, 100.0, Verdict.PROMOTED, id="a tail cut by the horizon"),
        pytest.param(None, 100.0, Verdict.STUCK, id="the horizon without an end"),
    ],
)
def test_the_run_is_over_after(after_s: float | None, ends_s: float, verdict: Verdict) -> None:
    clock = Clock()
    end = play(cast(FakeMaker(clock, after_s)), 1020.0, Pace(lambda: clock.now, clock.sleep))
    assert end.outcome.verdict is verdict
    assert end.end_s == pytest.approx(ends_s, abs=2 * POLL_S)


def test_nobody_leaves_while_somebody_is_on_the_way_to_act() -> None:
    clock = Clock()
    person = Busy(clock, 1020.0 + 40.0)
    end = play(cast(FakeMaker(clock, 5.0), person), 1020.0, Pace(lambda: clock.now, clock.sleep))
    assert end.end_s == pytest.approx(40.0, abs=2 * POLL_S)
    assert min(person.polled) >= 1020.0


def test_the_run_goes_on_until_its_last_moments_have_been_heard_of() -> None:
    clock = Clock()
    deaf = replace(cast(FakeMaker(clock, 5.0)), hearing_s=2.0)
    end = play(deaf, 1020.0, Pace(lambda: clock.now, clock.sleep))
    assert end.end_s == pytest.approx(5.0 + 10.0 + 2.0, abs=2 * POLL_S)


def test_a_refused_release_is_never_applied() -> None:
    clock = Clock()
    maker, refused = FakeMaker(clock, 5.0), Rejection("api-server", "strict decoding error", "InvalidSpec")
    people = cast(maker, refused=refused)
    end = play(people, 1020.0, Pace(lambda: clock.now, clock.sleep))
    assert maker.applied == []
    assert end.outcome == Outcome(Verdict.REJECTED, "strict decoding error", 0.0)
    kinds = [type(row) for row in people.recorder.rows()]
    assert kinds == [DecisionRecord, PhaseRecord]
