"""The person on call at a cluster run: the twin's own people, in real time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from itertools import count

from harness.makers.maker import Maker
from harness.recorder import Recorder
from harness.site import Site
from sim.decide.claims import Claim
from sim.model.behaviour import Delay
from sim.model.outcome import Outcome
from sim.model.records import TrafficRecord
from sim.people import People
from sim.streams import Streams

Windows = Callable[[], Iterable[tuple[float, Sequence[TrafficRecord]]]]
"""(end, rows) of every traffic window that closed since the last call; times in seconds after the apply."""


class OnCall:
    """Looks at the rollout and the clients' view whenever it is polled, and acts when its delays are over.

    ``until_s`` is the latest end of the run: the horizon, and for a region the soak after it.
    """

    def __init__(self, site: Site, maker: Maker, windows: Windows, until_s: float) -> None:
        scenario = site.loaded.scenario
        self._maker = maker
        self._windows = windows
        self._stage = RealStage(site.recorder, site.streams)
        self._people = People(self._stage, _Patient(maker, good=scenario.release.good), scenario, until_s)
        self._claim = Claim(scenario.telemetry.sample_interval_s)

    @property
    def busy(self) -> bool:
        """Whether somebody is about to act, or users are about to report, while the run still looks."""
        return self._people.busy

    @property
    def failing(self) -> float:
        """Share of the clients' requests that failed since a promotion was reported (see ``sim.decide.claims``)."""
        return self._claim.failing

    def poll(self) -> None:
        """Takes in what clients saw, lets due people act, and looks at the rollout."""
        for end_s, rows in self._windows():
            self._people.watch(end_s, rows or _SILENCE)
            self._claim.count(end_s, rows, self._maker.outcome)
        self._stage.act()
        self._people.look()


class RealStage:
    """Real time and the twin's streams. See ``sim.people.Stage``."""

    def __init__(self, recorder: Recorder, streams: Streams) -> None:
        self._recorder = recorder
        self._streams = streams
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._acting_s: float | None = None

    @property
    def now_s(self) -> float:
        """Seconds after the apply; while somebody acts, when that was due: delays must not add up with polls between them."""
        return self._recorder.t_s if self._acting_s is None else self._acting_s

    def call_at(self, time_s: float, action: Callable[[], None]) -> None:
        """Calls ``action`` with the first ``act`` at or after ``time_s``."""
        heappush(self._due, (time_s, next(self._numbers), action))

    def draw_s(self, what: str, delay: Delay) -> float:
        """The same number as in the twin."""
        return self._streams.delay_s(what, delay)

    def decision(self, actor: str, decision: str, reason: str) -> None:
        """Writes a row."""
        self._recorder.decision(actor, decision, reason)

    def act(self) -> None:
        """Everything that is due, in order of time."""
        while self._due and self._due[0][0] <= self._recorder.t_s:
            self._acting_s, _, action = heappop(self._due)
            try:
                action()
            finally:
                self._acting_s = None


class _Patient:
    """A maker as people see it. A pause that has been approved is none any more, though the cluster takes a moment to say so."""

    def __init__(self, maker: Maker, *, good: bool) -> None:
        self._maker = maker
        self._approved: object | None = None
        self.good = good
        self.abort = maker.abort
        self.undo = maker.undo
        self.arrive_late = maker.arrive_late

    @property
    def outcome(self) -> Outcome | None:
        return self._maker.outcome

    @property
    def going_back(self) -> bool:
        return self._maker.going_back

    @property
    def trouble(self) -> str:
        return self._maker.trouble

    def waits_for_person(self) -> object | None:
        waiting = self._maker.waits_for_person()
        return None if waiting == self._approved else waiting

    def approve(self) -> None:
        self._approved = self._maker.waits_for_person()
        self._maker.approve()


_SILENCE = (TrafficRecord(0.0, "", 0.0, "none", (), (), 0.0, 0, 0, 0, 0),)
"""A window in which nobody asked: its ratios are 0, as in the twin."""
