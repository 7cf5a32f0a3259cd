"""What makers of Rollouts have in common, whoever decides: what they wait for, and how they tell that it has come about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from harness.site import Site
from sim.decide import settling
from sim.decide.settling import Aim, Carried, Seen, settled
from sim.model.outcome import Outcome
from sim.model.records import WeightRecord
from sim.model.rollout import RolloutStatus


class Aiming(ABC):
    """A Rollout on its way to a revision."""

    def __init__(self, site: Site, aim: Aim) -> None:
        self._site = site
        self._aim = aim

    @property
    @abstractmethod
    def status(self) -> RolloutStatus:
        """The Rollout's status as it is known now."""

    @property
    def outcome(self) -> Outcome | None:
        """See ``Maker.outcome``."""
        return self._aim.outcome

    @outcome.setter
    def outcome(self, outcome: Outcome | None) -> None:
        self._aim = replace(self._aim, outcome=outcome)

    def arrive_late(self, reason: str) -> None:  # noqa: B027 - part of the protocol, and nothing to be done
        """Nothing is left to do: the stable version serves."""

    @property
    def going_back(self) -> bool:
        """Whether the old template has been put back."""
        return self._aim.going_back

    @property
    def trouble(self) -> str:
        """The controller's message while it is Degraded by itself."""
        return settling.trouble(self._aim, self.status)

    def stuck(self) -> Outcome:
        """Degraded if the controller says so, else stuck where it is."""
        return settling.stuck(self._aim, self.status, self._site.recorder.t_s)

    def _settle(self, t_s: float) -> None:
        """Looks for the end in the status as it was at a time."""
        recorder = self._site.recorder
        seen = Seen(t_s, t_s, recorder.region, self.status, self._carried())
        self._aim, row = settled(self._aim, seen)
        if row is not None:
            recorder.add(row)

    def _carried(self) -> Carried:
        """What the gateway acts on; the weight that was written where no gateway says anything."""
        acted = self._site.recorder.latest(WeightRecord)
        if acted is not None:
            return Carried(acted.candidate, acted.stable if self.going_back else acted.candidate)
        weights = self.status.weights
        written = float(weights.canary.weight) if weights is not None else 0.0
        return Carried(written, written)
