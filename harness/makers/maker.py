"""What the run asks of whoever decides about the release; the twin's drivers answer to the same names."""

from __future__ import annotations

from typing import Protocol

from sim.model.outcome import Outcome


class Maker(Protocol):
    """One strategy at work on one release, in one namespace. Called from the run's thread only."""

    outcome: Outcome | None
    """Set once the rollout has come to an end; None while it is under way (an undo is under way again)."""

    def stand(self) -> None:
        """Deploys the stable version and returns when it serves with all of its pods; WaitError with a dump otherwise."""
        ...

    def release(self) -> None:
        """Applies the release and returns at once."""
        ...

    def poll(self) -> None:
        """Looks at the cluster and does what is due; called several times a second until the run's end."""
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

    def arrive_late(self, reason: str) -> None:
        """A person acts on a page after a gate has already stopped the release; most makers have nothing left to do."""
        ...

    @property
    def going_back(self) -> bool:
        """Whether people are already taking the release back."""
        ...

    @property
    def trouble(self) -> str:
        """What is reported of a rollout that is Degraded without having ended or been stopped; '' otherwise."""
        ...

    def stuck(self) -> Outcome:
        """What to say at the horizon while there is no outcome."""
        ...

    def close(self) -> None:
        """Stops whatever it started outside of the namespace (threads, processes); the namespace goes by itself."""
        ...
