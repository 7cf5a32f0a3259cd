"""The twin's people: ``sim.people`` on simulated time."""

from __future__ import annotations

from collections.abc import Callable

from sim.engine.clock import Rank
from sim.engine.ground import Ground
from sim.engine.outcome import Driver
from sim.model.behaviour import Delay
from sim.people import People


class SimulatedStage:
    """A region's clock, streams and journal, as people need them."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    @property
    def now_s(self) -> float:
        """See ``sim.people.Stage``."""
        return self._ground.clock.now

    def call_at(self, time_s: float, action: Callable[[], None]) -> None:
        """See ``sim.people.Stage``: people act when controllers do."""
        self._ground.clock.call_at(time_s, Rank.CONTROLLER, action)

    def draw_s(self, what: str, delay: Delay) -> float:
        """See ``sim.people.Stage``."""
        return self._ground.draw_s(what, delay)

    def decision(self, actor: str, decision: str, reason: str) -> None:
        """See ``sim.people.Stage``."""
        self._ground.journal.decision(actor, decision, reason)


def people(ground: Ground, patient: Driver, until_s: float) -> People:
    """The person on call of one region, looking on until ``until_s`` at most."""
    return People(SimulatedStage(ground), patient, ground.scenario, until_s)
