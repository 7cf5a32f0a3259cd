"""How a rollout ended, in the twin or on a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from sim.model.records import Verdict


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
