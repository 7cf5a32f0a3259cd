"""What routers know of one pod: they hear of its readiness some time after it changed."""

from __future__ import annotations

from sim.engine.clock import Instant, Rank
from sim.engine.ground import Ground


class Endpoint:
    """``routed`` is the pod's data-plane index while routers send it traffic, else None."""

    def __init__(self, ground: Ground, side: str) -> None:
        self._ground = ground
        self._stream = f"pods/{side}/endpoint_propagation"
        self._change: Instant | None = None
        self.routed: int | None = None

    def announce(self, index: int | None) -> float:
        """Routers learn of the index after a while, which is returned; a later change overtakes an earlier."""
        delay_s = self._ground.draw_s(self._stream, self._ground.scenario.cluster.endpoint_propagation)
        if self._change is not None:
            self._change.cancel()
        self._change = self._ground.clock.call_after(delay_s, Rank.TRAFFIC, lambda: self.put(index))
        return delay_s

    def put(self, index: int | None) -> None:
        """Routers know it now; the container they leave finishes what it has."""
        if self.routed == index:
            return
        left, self.routed = self.routed, index
        self._ground.endpoints_changed()
        if left is not None:
            self._ground.traffic.drain_pod(left)
