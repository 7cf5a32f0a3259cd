"""What a reported success is worth: a promotion under which most requests fail is none, whatever was reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from sim.model.load import ClientView
from sim.model.outcome import Outcome
from sim.model.records import Verdict
from sim.model.units import percent_text

OUTAGE_RATIO: Final = 0.5
"""Failing at least this share of the clients' requests is downtime, whatever a controller reports."""


@dataclass(slots=True)
class Claim:
    """What clients saw since a promotion was reported."""

    interval_s: float
    """Of the windows: one that began before the report says nothing yet."""
    since_s: float | None = None
    requests: int = 0
    failures: int = 0

    @property
    def failing(self) -> float:
        """Share of the requests that failed; 0 without any."""
        return self.failures / self.requests if self.requests else 0.0

    def count(self, now_s: float, window: Iterable[ClientView], outcome: Outcome | None) -> None:
        """Takes in one window that ended at ``now_s``; another promotion starts anew."""
        if outcome is None or outcome.verdict is not Verdict.PROMOTED:
            return
        if outcome.ended_s != self.since_s:
            self.since_s, self.requests, self.failures = outcome.ended_s, 0, 0
        if now_s > outcome.ended_s + self.interval_s:
            for one in window:
                self.requests += one.client_requests
                self.failures += one.client_failures


def judged(outcome: Outcome, failing: float) -> Outcome:
    """The outcome as it was for users; an undo names the report. ``failing`` is the share of failed requests since."""
    reported = outcome.reported
    if failing >= OUTAGE_RATIO:
        reported = f"{reported or 'success was reported'} while {percent_text(failing)} of requests failed"
    if outcome.verdict is Verdict.PROMOTED and failing >= OUTAGE_RATIO:
        return replace(outcome, verdict=Verdict.DEGRADED, reason=reported)
    if outcome.verdict is Verdict.UNDONE and outcome.reported:
        return replace(outcome, reason=f"{reported}; {outcome.reason}")
    return outcome
