"""How a rollout stands: what drivers of strategies report and the world waits for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sim.engine.replicasets import ReplicaSet
from sim.model.outcome import Outcome


class Driver(Protocol):
    """One strategy at work on one release."""

    outcome: Outcome | None
    """Set once the rollout has come to an end; None while it is under way (an undo is under way again)."""

    on_change: list[Callable[[], None]]
    """Called whenever something changed that people or the world may act on."""

    @property
    def replica_sets(self) -> Sequence[ReplicaSet]:
        """Every ReplicaSet it owns."""
        ...

    def stand(self) -> None:
        """Sets up the stable version as fully deployed."""
        ...

    def release(self) -> None:
        """Applies the release."""
        ...

    def refuse(self, message: str) -> None:
        """The controller refuses to work on what it was given."""
        ...

    def waits_for_person(self) -> object | None:
        """Something that stands for the pause only a person ends, or None."""
        ...

    def approve(self) -> None:
        """A person ends that pause."""
        ...

    def abort(self, reason: str) -> None:
        """A person stops the rollout under way."""
        ...

    def undo(self, reason: str) -> None:
        """A person goes back to the version before, after the rollout's end."""
        ...

    @property
    def desired_pods(self) -> int:
        """Pods wanted outside of releases."""
        ...

    @property
    def good(self) -> bool:
        """Whether the release at work is a good one."""
        ...

    @property
    def going_back(self) -> bool:
        """Whether people are already taking the release back."""
        ...

    @property
    def trouble(self) -> str:
        """What is reported of a rollout that is Degraded without having ended or been stopped; '' otherwise."""
        ...

    def arrive_late(self, reason: str) -> None:
        """A person acts on a page after a gate has already stopped the release."""
        ...

    def stuck(self) -> Outcome:
        """What to say at the horizon while there is no outcome."""
        ...
