"""What a run writes down: append-only rows of one region, by the clock of the twin or of a cluster."""

from __future__ import annotations

from abc import ABC, abstractmethod

from sim.model.records import AnalysisRecord, DecisionRecord, MeasurementRecord, PhaseRecord, Record, StepRecord


class Journal(ABC):
    """Collects rows; its clock's 0 is the instant at which the release is applied."""

    region: str

    @property
    @abstractmethod
    def t_s(self) -> float:
        """Now, as rows write it."""

    @abstractmethod
    def add(self, row: Record) -> None:
        """Appends a row."""

    def decision(self, actor: str, decision: str, reason: str) -> None:
        """Somebody decided something now."""
        self.add(DecisionRecord(self.t_s, self.region, actor, decision, reason))

    def phase(self, phase: str, message: str) -> None:
        """The rollout's phase is now this."""
        self.add(PhaseRecord(self.t_s, self.region, phase, message))

    def step(self, index: int, step: str, state: str) -> None:
        """A step began or ended now."""
        self.add(StepRecord(self.t_s, self.region, index, step, state))

    def analysis(self, run: str, role: str, phase: str, message: str) -> None:
        """The phase of an analysis run (or of an experiment) is now this."""
        self.add(AnalysisRecord(self.t_s, self.region, run, role, phase, message))

    def measurement(self, run: str, metric: str, phase: str, value: str, message: str = "") -> None:
        """A measurement of an analysis run (or a check of a script) ended now."""
        self.add(MeasurementRecord(self.t_s, self.region, run, metric, phase, value, message))
