"""What people do to a rollout at set times."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sim.model.rollout import RunRole


class Command(StrEnum):
    """A command of the kubectl plugin, or an edit of the object."""

    PROMOTE = "promote"
    """End the pause, or skip the current step."""
    PROMOTE_FULL = "promote-full"
    """Skip every step, pause and analysis that is left."""
    ABORT = "abort"
    RETRY = "retry"
    """Try an aborted update again from its first step."""
    PAUSE = "pause"
    """Set ``spec.paused``."""
    RESUME = "resume"
    """End every pause without skipping a step."""
    UNDO = "undo"
    """Apply the template of an older revision; the previous one where none is named."""
    RESTART = "restart"
    """Set ``spec.restartAt`` to now: every older pod is replaced."""
    APPLY = "apply"
    """Apply another release on top of what is under way."""
    SCALE = "scale"
    """Set ``spec.replicas``."""
    TERMINATE = "terminate"
    """Ask analysis runs to end."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One command at ``at_s`` after the release was applied. What a command does not need is not written."""

    at_s: float
    do: Command
    revision: int | None = None
    """Of ``undo``."""
    release: str = ""
    """Of ``apply``: a kind of release of the scenario."""
    replicas: int | None = None
    """Of ``scale``."""
    analysis: RunRole | None = None
    """Of ``terminate``; every run where none is named."""
