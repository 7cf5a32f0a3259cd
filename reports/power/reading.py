"""What each gate measured in one replication: phases and instants, as the journal has them, small enough to be stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.model.analysis import AnalysisPhase
from sim.model.records import AnalysisRecord, MeasurementRecord, RunResult
from sim.model.rollout import RunRole

_STEP = re.compile(r"-(\d+)(?:\.\d+)?$")
_EXPERIMENT = re.compile(r"-(\d+)$")
_LETTERS = {
    AnalysisPhase.SUCCESSFUL: "S",
    AnalysisPhase.FAILED: "F",
    AnalysisPhase.INCONCLUSIVE: "I",
    AnalysisPhase.ERROR: "E",
}
_PHASES = {letter: phase for phase, letter in _LETTERS.items()}
Key = tuple[str, int | None, str, str]
"""Role of the run, index of its step, name of an experiment's analysis ('' elsewhere), metric."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One gate's measurements in order."""

    key: Key
    phases: str
    """A letter each: successful, failed, inconclusive, error."""
    times_s: tuple[float, ...]

    @property
    def sequence(self) -> tuple[AnalysisPhase, ...]:
        """The phases."""
        return tuple(_PHASES[letter] for letter in self.phases)


@dataclass(frozen=True, slots=True)
class Reading:
    """One replication's gates, in the order of their first measurement."""

    gates: tuple[Measured, ...]

    def of(self, key: Key) -> Measured | None:
        """The measurements of one gate, None if its run never started."""
        return next((gate for gate in self.gates if gate.key == key), None)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Reading:
        """What ``sim.model.hashing.canonical_json`` wrote."""
        return cls(tuple(Measured(_key(*one["key"]), one["phases"], tuple(one["times_s"])) for one in data["gates"]))


def reading_of(result: RunResult) -> Reading:
    """The reduction that a study of gates applies to every run."""
    roles = {row.run: row.role for row in result.journal if isinstance(row, AnalysisRecord)}
    found: dict[Key, list[MeasurementRecord]] = {}
    regions: dict[Key, str] = {}
    for row in result.journal:
        if isinstance(row, MeasurementRecord) and row.run in roles:
            key = (*_place(row.run, roles), row.metric)
            # Of several regions the first one speaks: they all have the same gates.
            if regions.setdefault(key, row.region) == row.region:
                found.setdefault(key, []).append(row)
    return Reading(
        tuple(
            Measured(
                key,
                "".join(_LETTERS[AnalysisPhase(row.phase)] for row in rows),
                tuple(round(row.t_s, 3) for row in rows),
            )
            for key, rows in found.items()
        )
    )


def _key(role: str, step: int | None, name: str, metric: str) -> Key:
    return role, step, name, metric


def _place(run: str, roles: Mapping[str, str]) -> tuple[str, int | None, str]:
    """Role, step and name of a run, from what the controller calls it."""
    role = roles[run]
    if role == RunRole.EXPERIMENT:
        experiment = min((one for one in roles if roles[one] == role and run.startswith(f"{one}-")), key=len)
        return role, _number(_EXPERIMENT, experiment), run.removeprefix(f"{experiment}-")
    return role, _number(_STEP, run) if role == RunRole.STEP else None, ""


def _number(pattern: re.Pattern[str], name: str) -> int | None:
    found = pattern.search(name)
    return int(found[1]) if found else None
