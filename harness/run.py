"""One region's release under load: warm-up, apply, and on until the rollout's end and the tail after it are over."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from harness.makers.maker import Maker
from harness.recorder import Recorder
from sim.decide.rejections import Rejection
from sim.model.outcome import Outcome
from sim.model.records import Verdict
from sim.model.rollout import RolloutPhase
from sim.model.scenario import Scenario

POLL_S: Final = 0.2
"""Between two looks: a fifth of a second is lost in a decision that takes tens of seconds."""


class Polled(Protocol):
    """Somebody who acts while the run goes on: faults, people, operations."""

    def poll(self) -> None:
        """Does what is due."""
        ...

    @property
    def busy(self) -> bool:
        """Whether the run must not end yet because of them."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """The run's clock; tests bring their own."""

    now: Callable[[], float] = time.time
    """UNIX time."""
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part once everything stands and the load is on its way."""

    scenario: Scenario
    recorder: Recorder
    maker: Maker
    others: Sequence[Polled] = ()
    refused: Rejection | None = None
    """Who refuses the release before any controller sees it."""
    progress: Callable[[float, Outcome | None], None] = field(default=lambda _t_s, _outcome: None)
    """Hears of the time after the apply at every look."""
    watch_s: float = 0.0
    """How long beyond the horizon a promoted release is still watched."""
    hearing_s: float = 0.0
    """How late it is heard what clients saw: the run goes on so much longer, or nobody would hear of its last moments."""


@dataclass(frozen=True, slots=True)
class End:
    """How it came out, and when the run stopped looking, seconds after the apply."""

    outcome: Outcome
    end_s: float


def play(cast: Cast, applied_at: float, pace: Pace) -> End:
    """Waits for the warm-up's end at ``applied_at``, applies the release and looks on until the run is over."""
    performance = _Performance(cast, applied_at, pace)
    while not performance.is_over():
        performance.look()
        pace.sleep(POLL_S)
    return performance.end()


class _Performance:
    def __init__(self, cast: Cast, applied_at: float, pace: Pace) -> None:
        self._cast, self._applied_at, self._pace = cast, applied_at, pace
        self._applied = False

    @property
    def _t_s(self) -> float:
        return self._pace.now() - self._applied_at

    def look(self) -> None:
        """One look of everybody; the release is applied with the first look at or after its time."""
        maker = self._cast.maker
        if not self._applied and self._t_s >= 0:
            self._applied = True
            self._apply()
        maker.poll()
        if self._applied:
            for other in self._cast.others:
                other.poll()
        self._cast.progress(self._t_s, maker.outcome)

    def _apply(self) -> None:
        maker, recorder, refused = self._cast.maker, self._cast.recorder, self._cast.refused
        if refused is None:
            maker.release()
            return
        recorder.decision(refused.actor, "reject", refused.reason)
        if refused.phase_message:
            recorder.phase(RolloutPhase.DEGRADED.value, refused.phase_message)
        maker.outcome = Outcome(Verdict.REJECTED, refused.reason, 0.0)

    def is_over(self) -> bool:
        """The twin's own rule (``sim.engine.local``): the tail after the end, or the horizon without one."""
        scenario, outcome = self._cast.scenario, self._cast.maker.outcome
        until_s = scenario.horizon_s + self._cast.watch_s
        if outcome is None:
            limit_s = until_s if self._cast.maker.going_back else scenario.horizon_s
        elif any(other.busy for other in self._cast.others):
            limit_s = until_s
        else:
            limit_s = min(until_s, outcome.ended_s + scenario.tail_s)
        return self._t_s >= limit_s + self._cast.hearing_s

    def end(self) -> End:
        """Called once it is over."""
        return End(self._cast.maker.outcome or self._cast.maker.stuck(), self._t_s)
