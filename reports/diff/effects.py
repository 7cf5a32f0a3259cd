"""What the new policy does to every indicator, replication by replication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.diff.card import Effect, Mark, TargetEffect
from reports.outcome import Outcome
from reports.scorecard import KpiScore, StrategyScore
from reports.scoring import PROPORTIONS, frequency_difference, paired_difference
from reports.statistics import Estimate
from sim.model.kpis import KPI_MEANINGS, Kpi, KpiTarget
from sim.study import CellResults

MARGIN = 0.01
"""A change within one percent of the old value (of shares: one percentage point) is too small to matter."""
_LEAST = {Kpi.FAILED_REQUESTS: 1.0}
"""Indicators that are near zero by construction: what is too small to matter in their own unit."""


def effects(
    old: CellResults[Outcome], new: CellResults[Outcome], scores: tuple[StrategyScore, StrategyScore], level: float
) -> tuple[Effect, ...]:
    """Every indicator in its usual order."""
    return tuple(_effect(old, new, (scores[0].kpi(kpi), scores[1].kpi(kpi)), level) for kpi in Kpi)


def target_effects(old: StrategyScore, new: StrategyScore) -> tuple[TargetEffect, ...]:
    """Targets that are newly met or missed, or no longer certain; each judged by the side that declares it."""
    before = {(score.kpi, check.period): check.met for score in old.kpis for check in score.targets}
    return tuple(
        TargetEffect(
            KpiTarget(score.kpi, check.period, check.value, check.strict),
            before.get((score.kpi, check.period)),
            check.met,
        )
        for score in new.kpis
        for check in score.targets
        if before.get((score.kpi, check.period)) is not check.met
    )


def _effect(
    old: CellResults[Outcome], new: CellResults[Outcome], scores: tuple[KpiScore, KpiScore], level: float
) -> Effect:
    kpi = scores[0].kpi
    pairs: list[tuple[float | None, float | None]]
    if kpi is Kpi.DEPLOYMENT_FREQUENCY:
        pairs = [(_occupied(a), _occupied(b)) for a, b in _pairs(old, new)]
        difference = frequency_difference(new, old, level)
    else:
        pairs = [(a.value(kpi), b.value(kpi)) for a, b in _pairs(old, new)]
        difference = paired_difference(new, old, kpi, level)
    known = [(a, b) for a, b in pairs if a is not None or b is not None]
    equal = sum(a == b for a, b in known)
    censored = _censored(old, new, kpi)
    # One equal pair is no evidence of more.
    unchanged = known and equal == len(known) > 1
    mark = Mark.EQUAL if unchanged else _mark(kpi, scores[0].estimate, difference, censored)
    return Effect(kpi, *scores, difference, mark, equal, _bound(censored))


def _pairs(old: CellResults[Outcome], new: CellResults[Outcome]) -> list[tuple[Outcome, Outcome]]:
    strata = zip(old.strata, new.strata, strict=True)
    return [pair for a, b in strata for pair in zip(a.values, b.values, strict=True)]


def _occupied(outcome: Outcome) -> float:
    """How long a release occupies the way to production, negative for one that does not arrive."""
    return outcome.occupancy_s if outcome.value(Kpi.DEPLOYMENT_DURATION) is not None else -1.0 - outcome.occupancy_s


def _censored(old: CellResults[Outcome], new: CellResults[Outcome], kpi: Kpi) -> tuple[bool, bool]:
    """Whether values of the old and of the new side are lower bounds in pairs that differ."""
    unequal = [(a, b) for a, b in _pairs(old, new) if a.value(kpi) != b.value(kpi)]
    return any(kpi in a.lower_bounds for a, _ in unequal), any(kpi in b.lower_bounds for _, b in unequal)


def _bound(censored: tuple[bool, bool]) -> str:
    """A new value that is larger than seen makes the difference larger, an old one smaller."""
    return {(False, True): "at least", (True, False): "at most"}.get(censored, "")


def _mark(kpi: Kpi, old: Estimate, difference: Estimate, censored: tuple[bool, bool]) -> Mark:
    if difference.mean is None:
        return Mark.NO_DATA
    if difference.lo is None or difference.hi is None:
        return Mark.UNDECIDED
    margin = _margin(kpi, old)
    if -margin <= difference.lo and difference.hi <= margin:
        return Mark.UNDECIDED if any(censored) else Mark.LITTLE
    # A bound says nothing about the direction in which it is open.
    if difference.lo > 0 and not censored[0]:
        return Mark.BETTER if KPI_MEANINGS[kpi].better > 0 else Mark.WORSE
    if difference.hi < 0 and not censored[1]:
        return Mark.WORSE if KPI_MEANINGS[kpi].better > 0 else Mark.BETTER
    return Mark.UNDECIDED


def _margin(kpi: Kpi, old: Estimate) -> float:
    if kpi in PROPORTIONS or KPI_MEANINGS[kpi].unit == "share":
        return MARGIN
    return max(MARGIN * abs(old.mean or 0.0), _LEAST.get(kpi, 0.0))


def cut(cell: CellResults[Outcome], names: Sequence[str]) -> CellResults[Outcome]:
    """The cell with these kinds of release only, in this order, their shares scaled to sum to 1."""
    found = {part.stratum.name: part for part in cell.strata}
    total = sum(found[name].stratum.share for name in names)
    strata = (
        replace(found[name], stratum=replace(found[name].stratum, share=found[name].stratum.share / total))
        for name in names
    )
    return replace(cell, strata=tuple(strata))
