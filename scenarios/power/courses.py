"""How a gate ends if the release is so and so: exactly where that is possible, counted where windows share requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

import numpy as np

from scenarios.power import counting
from scenarios.power.cases import Case
from scenarios.power.drawing import codes_of
from scenarios.power.limits import ERROR, FAILED, PHASES, Ends, chain, follow, mean_of
from scenarios.power.models import GateModel, Rollout
from scenarios.power.poisson import split
from scenarios.power.quantiles import quantile_chances
from scenarios.power.readings import Quantile, Reading
from scenarios.power.shares import Verdicts
from scenarios.power.world import Truth, behaviour_of, occupation
from sim.model.analysis import AnalysisPhase

BUSY = 0.5
"""Share of busy servers above which requests wait, and latencies have no closed form here."""


class Method(StrEnum):
    """Where a chance comes from."""

    EXACT = "exact"
    """Binomial: no two measurements rest on the same request."""
    COUNTED = "counted"
    """Monte Carlo over what each scrape counts, because windows share requests or counters are young."""


@dataclass(frozen=True)
class Course:
    """What becomes of one gate."""

    method: Method
    ends: Ends
    failing: tuple[float, ...]
    """P(the i-th measurement, by itself, fails or errs)."""
    requests: tuple[float, ...]
    """Requests that the i-th measurement rests on, in expectation."""
    whole: bool = True
    """Whether all its measurements are in it."""
    paths: int = 0
    """Draws it was counted from; 0 where it is exact."""


def course(rollout: Rollout, gate: GateModel, truth: Truth, paths: int = counting.PATHS) -> Course | None:
    """The gate's course; None where there is no closed form (``gate.reason``, or requests that queue).

    A gate on latency is followed only as long as hardly any request waits for a server: then ``Course.whole`` is false.
    """
    if gate.reading is None:
        return None
    if gate.until_s is None:
        # The rollout goes on when the analysis has ended, however long that takes, and not before.
        rollout = replace(rollout, flow=rollout.flow.held(gate.first_s))
    busy_s = _busy_from(rollout, gate, truth)
    if busy_s is not None and busy_s <= gate.instants[0]:
        return None
    followed = gate if busy_s is None else replace(gate, until_s=busy_s)
    case = Case(rollout, followed, gate.reading, truth)
    found = _counted(case, paths) if case.shares_requests or case.is_young else _exactly(case)
    return found if busy_s is None else replace(found, whole=False)


class Curves:
    """Courses of one rollout's gates, each worked out once."""

    def __init__(self, rollout: Rollout) -> None:
        self.rollout = rollout
        self._known: dict[tuple[int, Truth, int], Course | None] = {}

    def course(self, gate: GateModel, truth: Truth, paths: int) -> Course | None:
        """See ``course``."""
        key = id(gate), truth, paths
        if key not in self._known:
            self._known[key] = course(self.rollout, gate, truth, paths)
        return self._known[key]


def _busy_from(rollout: Rollout, gate: GateModel, truth: Truth) -> float | None:
    """From which measurement on requests wait; None if they never do, or it does not matter."""
    if not gate.is_slowness:
        return None
    behaviour = behaviour_of(rollout.healthy, truth)
    return next((at_s for at_s in gate.instants if occupation(rollout.flow, behaviour, truth, at_s) > BUSY), None)


def _exactly(case: Case) -> Course:
    ends, failing = [], []
    for spans in case.spans:
        columns = np.round(case.counts(spans), 6).T
        measured = [_measured(case.reading, tuple(column)) for column in columns.tolist()]
        ends.append(chain(case.gate.metric, measured))
        failing.append([chances[AnalysisPhase.FAILED] + chances[AnalysisPhase.ERROR] for chances in measured])
    return Course(Method.EXACT, mean_of(ends), tuple(np.mean(failing, axis=0).tolist()), case.sizes)


def _measured(reading: Reading, means: tuple[float, ...]) -> Mapping[AnalysisPhase, float]:
    if isinstance(reading, Quantile):
        return quantile_chances(reading, means)
    bad, good = means
    nothing = reading.verdicts.absent if reading.bucket_s else reading.verdicts.not_a_number
    return share_chances(reading.verdicts, nothing, bad, good)


@lru_cache(maxsize=16384)
def share_chances(verdicts: Verdicts, nothing: AnalysisPhase, bad: float, good: float) -> Mapping[AnalysisPhase, float]:
    """Chances of one measurement that rests on so many bad and good requests, in expectation."""
    found = split(bad, good, verdicts.cuts)
    chances = dict.fromkeys(PHASES, 0.0)
    for phase, chance in zip((*verdicts.between, *verdicts.at), (*found.between, *found.at), strict=True):
        chances[phase] += chance
    chances[nothing] += found.nothing
    return chances


def _counted(case: Case, paths: int) -> Course:
    codes = codes_of(case, paths)
    failing = ((codes == FAILED) | (codes == ERROR)).mean(axis=0)
    ends = follow(case.gate.metric, codes)
    return Course(Method.COUNTED, ends, tuple(failing.tolist()), case.sizes, paths=len(codes))
