"""What every process of one region stands on: clock, streams, journal, data plane, and who listens to pods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sim.engine.clock import Clock
from sim.engine.journal import SimulatedJournal
from sim.engine.observing import Watch
from sim.model.behaviour import Delay
from sim.model.scenario import Scenario
from sim.streams import Streams
from sim.traffic import Plane


@dataclass(slots=True)
class Ground:
    """One region's shared surroundings.

    ``on_pods`` hear of any pod's state, ``on_endpoints`` of what routers know, ``on_stir`` of more than both.
    """

    scenario: Scenario
    clock: Clock
    streams: Streams
    journal: SimulatedJournal
    plane: Plane
    region: str = ""
    watch: Watch = field(default_factory=Watch)
    """What becomes of the gates' verdicts."""
    on_pods: list[Callable[[], None]] = field(default_factory=list)
    on_endpoints: list[Callable[[], None]] = field(default_factory=list)
    on_stir: list[Callable[[], None]] = field(default_factory=list)
    stirs: int = 0
    """How often anything changed that faults or monitoring see of pods: while it stays, so do they."""

    @property
    def traffic(self) -> Plane:
        """The data plane, brought to this instant: changes to it act from now on."""
        self.clock.catch_up()
        self.plane.advance(self.clock.now)
        return self.plane

    def draw_s(self, what: str, delay: Delay) -> float:
        """A random time from the stream named after what takes it."""
        return self.streams.delay_s(what, delay)

    def stir(self) -> None:
        """Pods came, went or changed, or their metadata or the Services that select them did."""
        self.stirs += 1
        for listener in self.on_stir:
            listener()

    def pods_changed(self) -> None:
        """Tells everybody who watches pods."""
        self.stir()
        for listener in self.on_pods:
            listener()

    def endpoints_changed(self) -> None:
        """Tells everybody who watches endpoints."""
        for listener in self.on_endpoints:
            listener()
