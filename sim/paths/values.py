"""What is said of gate settings: verdicts and first aborts, one setting a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.model.records import RunResult, Verdict

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Objects = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one replication under one setting of the gates."""

    verdict: Verdict
    abort_s: float | None
    """When the abort was decided, as the journal's row says; None for a replication that nothing aborted."""
    metric: str
    """The metric whose verdict aborted; '' if it was something else, or nothing."""
    role: str
    """``background``, ``step`` ...: which kind of analysis run it belonged to; '' as before."""
    step: int | None
    """Index of the rollout's step at the abort; None without one."""
    measurements: int | None
    """Taken of that metric by then; None where that was not counted (``simulated``)."""
    requests: int
    failures: int
    """Clients' requests, and those that finally failed, from the apply to the abort, or to the run's end without one."""
    simulated: bool
    """Whether it took a run of its own."""
    result: RunResult | None
    """The whole run, but for an abort that was read off a path."""


@dataclass(frozen=True, slots=True)
class Judgements:
    """Judgements of many settings in one replication: arrays, one entry a setting, in the order they were given."""

    verdicts: Objects
    """``Verdict`` of each setting."""
    abort_s: Floats
    """When the abort was decided, as the journal's row says; NaN without one."""
    metrics: Objects
    """Name of the metric that aborted; '' if it was something else (a person, a deadline), or nothing."""
    roles: Objects
    """Kind of the analysis run it belonged to (``background``, ``step`` ...); '' as before."""
    steps: Integers
    """Index of the rollout's step at the abort; -1 without one."""
    measurements: Integers
    """Of the aborting metric, up to the abort; -1 where a run of its own was needed, 0 without an abort."""
    requests: Integers
    failures: Integers
    """Clients' requests, and those that finally failed: in the traffic rows from the apply to the abort, or to the run's end."""
    simulated: Booleans
    """Which settings took a run of their own (an inconclusive verdict that pauses, a verdict amid other events ...)."""
    results: Objects
    """``RunResult | None``: the whole run, where it says everything about the setting but the measurements of its gates.

    None for a setting that was aborted on a path: what comes after an abort needs a run of that setting (``run_once``).
    """
    paths: int
    """How many paths were simulated; runs of single settings come on top."""

    def __len__(self) -> int:
        return len(self.verdicts)

    @property
    def aborted(self) -> Booleans:
        """Whether the update was aborted, by a gate or by anything else."""
        return ~np.isnan(self.abort_s)

    def of(self, place: int) -> Judgement:
        """One setting's."""
        aborted = not np.isnan(self.abort_s[place])
        counted = int(self.measurements[place])
        return Judgement(
            verdict=self.verdicts[place],
            abort_s=float(self.abort_s[place]) if aborted else None,
            metric=self.metrics[place],
            role=self.roles[place],
            step=int(self.steps[place]) if self.steps[place] >= 0 else None,
            measurements=counted if counted >= 0 else None,
            requests=int(self.requests[place]),
            failures=int(self.failures[place]),
            simulated=bool(self.simulated[place]),
            result=self.results[place],
        )
