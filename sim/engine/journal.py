"""The append-only rows of one run."""

from __future__ import annotations

from sim.engine.clock import Clock
from sim.model.records import DecisionRecord, PhaseRecord, Record, StepRecord

_DIGITS = 6
"""Times are kept to the microsecond: finer digits are noise of adding floats."""


class Journal:
    """Collects rows of one region; the clock's 0 is the instant at which the release is applied."""

    def __init__(self, clock: Clock, region: str = "") -> None:
        self._clock = clock
        self.region = region
        self.rows: list[Record] = []

    @property
    def t_s(self) -> float:
        """Now, as rows write it."""
        return round(self._clock.now, _DIGITS) + 0.0

    def add(self, row: Record) -> None:
        """Appends a row."""
        self.rows.append(row)

    def decision(self, actor: str, decision: str, reason: str) -> None:
        """Somebody decided something now."""
        self.add(DecisionRecord(self.t_s, self.region, actor, decision, reason))

    def phase(self, phase: str, message: str) -> None:
        """The rollout's phase is now this."""
        self.add(PhaseRecord(self.t_s, self.region, phase, message))

    def step(self, index: int, step: str, state: str) -> None:
        """A step began or ended now."""
        self.add(StepRecord(self.t_s, self.region, index, step, state))
