"""How a rollout ended, in the twin or on a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from sim.model.data_plane import PlaneUse
from sim.model.records import Record, Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """An end: verdict, reason and when; ``served_all`` is whether the release came to serve everybody.

    ``reported`` is what had been claimed before somebody found otherwise (``the script reported success``).
    """

    verdict: Verdict
    reason: str
    ended_s: float
    served_all: bool = False
    reported: str = ""


@dataclass(frozen=True, slots=True)
class LocalResult:
    """What one region's run came to: its outcome, when it stopped, and its rows (times from its own apply)."""

    outcome: Outcome
    end_s: float
    desired_pods: int
    rows: tuple[Record, ...]
    plane_use: PlaneUse | None = None
    """Which data plane served for how long, where the scenario leaves a choice."""
