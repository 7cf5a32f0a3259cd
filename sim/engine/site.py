"""Where pods live, and what their surroundings do to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sim.engine.cluster import Scheduler
from sim.engine.ground import Ground
from sim.traffic import PodEffects

if TYPE_CHECKING:
    from sim.engine.pods import Pod


class Hooks:
    """What surroundings do to pods. Faults override these; without faults nothing happens."""

    def start_up_s(self, pod: Pod, drawn_s: float) -> float:
        """How long this start takes, given what was drawn."""
        del pod
        return drawn_s

    def effects(self, pod: Pod) -> PodEffects:
        """What befalls the pod's requests now."""
        del pod
        return PodEffects()

    def started(self, pod: Pod) -> None:
        """A container of the pod started."""

    def became_ready(self, pod: Pod) -> None:
        """The pod became ready."""


@dataclass(slots=True)
class PodSite:
    """Where pods live: the region's ground, its scheduler and the hooks of its faults."""

    ground: Ground
    scheduler: Scheduler
    hooks: Hooks = field(default_factory=Hooks)
