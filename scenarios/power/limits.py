"""How a metric's measurements come to a verdict, for chances instead of facts; the limits are the controller's own code.

``chain`` follows independent measurements exactly, ``follow`` many drawn ones at once, ``ended`` one that was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sim.decide.assessment import effective_count, metric_phase, tolerated
from sim.model.analysis import AnalysisPhase, Measurement, Metric, MetricResult

Chances = Mapping[AnalysisPhase, float]
"""Of one measurement."""
Codes = npt.NDArray[np.int8]

PHASES = (AnalysisPhase.SUCCESSFUL, AnalysisPhase.FAILED, AnalysisPhase.INCONCLUSIVE, AnalysisPhase.ERROR)
SUCCESSFUL, FAILED, INCONCLUSIVE, ERROR = range(4)
"""Codes: places in ``PHASES``."""

_State = tuple[int, int, int, int, int]
"""Counted, failed, inconclusive; errors and successes in a row."""


@dataclass(frozen=True, slots=True)
class Ends:
    """P(the metric ends so at the i-th measurement); what is left goes on for ever (or until the run is ended)."""

    failed: tuple[float, ...]
    inconclusive: tuple[float, ...]
    error: tuple[float, ...]

    @property
    def aborts(self) -> tuple[float, ...]:
        """P(it aborts the rollout at the i-th measurement)."""
        return tuple(a + b for a, b in zip(self.failed, self.error, strict=True))

    @property
    def abort(self) -> float:
        """P(it aborts the rollout)."""
        return min(1.0, sum(self.failed) + sum(self.error))

    @property
    def pause(self) -> float:
        """P(it ends without a verdict, so that a person has to decide)."""
        return min(1.0, sum(self.inconclusive))


def mean_of(ends: Sequence[Ends]) -> Ends:
    """The average of several, equally likely."""
    columns = ([one.failed for one in ends], [one.inconclusive for one in ends], [one.error for one in ends])
    return Ends(*(tuple(np.mean(rows, axis=0).tolist()) for rows in columns))


def chain(metric: Metric, measured: Sequence[Chances]) -> Ends:
    """The exact chances of each ending, if no measurement has to do with another."""
    alive: dict[_State, float] = {(0, 0, 0, 0, 0): 1.0}
    ends: dict[AnalysisPhase, list[float]] = {phase: [] for phase in PHASES}
    for chances in measured:
        after: dict[_State, float] = {}
        over = dict.fromkeys(PHASES, 0.0)
        for state, weight in alive.items():
            for phase, chance in chances.items():
                if chance > 0:
                    moved = _moved(state, phase)
                    verdict = _verdict(metric, moved)
                    if verdict is None:
                        kept = _bounded(metric, moved)
                        after[kept] = after.get(kept, 0.0) + weight * chance
                    else:
                        over[verdict] += weight * chance
        alive = after
        for phase in PHASES:
            ends[phase].append(over[phase])
    found = (tuple(ends[phase]) for phase in (AnalysisPhase.FAILED, AnalysisPhase.INCONCLUSIVE, AnalysisPhase.ERROR))
    return Ends(*found)


def ended(metric: Metric, phases: Sequence[AnalysisPhase]) -> tuple[int, AnalysisPhase] | None:
    """(index of the measurement that decided, verdict) of measurements in order; None if they decide nothing."""
    state: _State = (0, 0, 0, 0, 0)
    for index, phase in enumerate(phases):
        state = _moved(state, phase)
        verdict = _verdict(metric, state)
        if verdict is not None:
            return index, verdict
    return None


def _moved(state: _State, phase: AnalysisPhase) -> _State:
    counted, failed, inconclusive, errors, successes = state
    error = phase is AnalysisPhase.ERROR
    return (
        counted + (not error),
        failed + (phase is AnalysisPhase.FAILED),
        inconclusive + (phase is AnalysisPhase.INCONCLUSIVE),
        errors + 1 if error else 0,
        successes + 1 if phase is AnalysisPhase.SUCCESSFUL else 0,
    )


def _bounded(metric: Metric, state: _State) -> _State:
    """The state without what cannot matter any more, so that a metric without end has few of them."""
    counted, failed, inconclusive, errors, successes = state
    return (
        0 if effective_count(metric) is None else counted,
        0 if tolerated(metric).failures is None else failed,
        inconclusive,
        errors,
        successes if metric.consecutive_success_limit else 0,
    )


@lru_cache(maxsize=65536)
def _verdict(metric: Metric, state: _State) -> AnalysisPhase | None:
    """The phase the controller gives a metric with these counters; None while it goes on."""
    counted, failed, inconclusive, errors, successes = state
    last = AnalysisPhase.ERROR if errors else AnalysisPhase.SUCCESSFUL
    result = MetricResult(
        metric.name, AnalysisPhase.RUNNING, (Measurement(last, finished_s=0.0),), count=counted, failed=failed,
        inconclusive=inconclusive, consecutive_error=errors, consecutive_success=successes,
    )  # fmt: skip
    phase = metric_phase(metric, result, terminating=False)
    return phase if phase.is_completed else None


def follow(metric: Metric, codes: Codes) -> Ends:
    """How often each ending came at each measurement, among many rows of drawn ones."""
    rows, measurements = codes.shape
    counts = np.zeros((rows, 5), dtype=np.int64)
    going = np.ones(rows, dtype=bool)
    shares: dict[int, list[float]] = {FAILED: [], INCONCLUSIVE: [], ERROR: []}
    for column in range(measurements):
        _advance(counts, codes[:, column])
        verdicts = _verdicts(metric, counts)
        over = going & (verdicts >= 0)
        for code, found in shares.items():
            found.append(float((over & (verdicts == code)).sum()) / rows)
        going &= ~over
    return Ends(*(tuple(found) for found in shares.values()))


def _advance(counts: npt.NDArray[np.int64], codes: Codes) -> None:
    error = codes == ERROR
    counts[:, 0] += ~error
    counts[:, 1] += codes == FAILED
    counts[:, 2] += codes == INCONCLUSIVE
    counts[:, 3] = np.where(error, counts[:, 3] + 1, 0)
    counts[:, 4] = np.where(codes == SUCCESSFUL, counts[:, 4] + 1, 0)


def _verdicts(metric: Metric, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Code of each row's verdict, -1 while it goes on: the few different rows are judged by the controller's code."""
    keys = counts @ _PLACES
    _, firsts, places = np.unique(keys, return_index=True, return_inverse=True)
    found = [_verdict(metric, tuple(row)) for row in counts[firsts].tolist()]
    codes = np.array([-1 if phase is None else PHASES.index(phase) for phase in found])
    of_rows: npt.NDArray[np.int64] = codes[places.reshape(-1)]
    return of_rows


_PLACES = np.array([1 << (12 * place) for place in range(5)], dtype=np.int64)
"""Counters, none of which reaches 4,096, as one number."""
