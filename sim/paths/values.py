"""What is said of gate settings: verdicts and first aborts, one setting a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.model.records import RunResult, Verdict

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one replication under one setting of the gates."""

    verdict: Verdict
    reason: str
    abort_s: float | None
    """When the abort was decided, as the journal's row says; None for a replication that nothing aborted."""
    metric: str = ""
    """The metric whose verdict aborted; '' if it was something else, or nothing."""
    role: str = ""
    """``background``, ``step`` ... : which kind of analysis run it belonged to."""
    step: int | None = None
    """Index of the rollout's step at the abort."""
    measurements: int = 0
    """Taken of that metric by then."""
    requests: int = 0
    """Clients' requests in the journal's traffic rows from the apply to the abort, or to the run's end without one."""
    failures: int = 0
    """Those of them that finally failed."""
    simulated: bool = False
    """Whether it took a run of its own."""


@dataclass(frozen=True, slots=True)
class Judgements:
    """Judgements of many settings in one replication: arrays, one entry a setting, in the order they were given."""

    verdicts: tuple[Verdict, ...]
    aborted: Booleans
    """Whether a gate (or anything else) aborted."""
    abort_s: Floats
    """When the abort was decided; NaN without one."""
    metrics: tuple[str, ...]
    """Name of the metric that aborted, '' without one."""
    steps: Integers
    """Index of the rollout's step at the abort; -1 without one."""
    measurements: Integers
    """Of the aborting metric, up to the abort."""
    requests: Integers
    failures: Integers
    """Clients' requests, and those that finally failed, up to the abort or the run's end."""
    simulated: Booleans
    """Which settings took a run of their own."""
    results: Sequence[RunResult | None]
    """The whole run where one says everything about the setting; None for a setting that was aborted on a path: what comes
    after an abort needs a run of that setting (``run_once``)."""

    def __len__(self) -> int:
        return len(self.verdicts)
