"""From a study of several settings to what they do, and whether that is known as precisely as asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from statistics import fmean, pvariance, variance

from reports.diff.card import Effort
from reports.diff.comparing import ERRS
from reports.diff.effects import effects
from reports.outcome import Outcome
from reports.scorecard import About, StrategyScore
from reports.scoring import PROPORTIONS, score_cell
from reports.statistics import Estimate
from reports.study.card import Compared, Reached, Row, Setting, StudyCard, Wish
from sim.model.kpis import Kpi
from sim.study import CellResults, StratumResults, Study

SHOWN = (
    Kpi.TIME_TO_DETECT,
    Kpi.FAILED_REQUESTS,
    Kpi.FALSE_ABORT_RATE,
    Kpi.MISS_RATE,
    Kpi.DEPLOYMENT_DURATION,
    Kpi.EXTRA_POD_HOURS,
)
"""Indicators that a setting of a policy is usually chosen by."""


_ROUNDING = 1e-12
"""Below this share of the variance, a variance is what rounding leaves of none."""
_EQUAL = 59
"""So many equal values in a row, and fewer than 5 % differ (95 % certain); fewer say nothing of how well a mean is known."""
_COCHRAN = 25
"""A mean of more values than this times their squared skewness is near enough to normal (Cochran 1977, 2.15)."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the study."""

    settings: tuple[Setting, ...]
    baseline: int
    looks: tuple[int, ...]
    """Numbers of replications after which it may be stopped."""
    wishes: tuple[Wish, ...] = ()
    shown: tuple[Kpi, ...] = SHOWN


def compare_settings(study: Study[Outcome], question: Question, about: About) -> StudyCard:
    """Every setting's indicators and paired differences to the baseline, one setting a cell of the study.

    Each interval errs so much less often than 5 % that all looks together err in at most 5 of 100 cases (Bonferroni over
    looks fixed beforehand), whenever the study was stopped and for whatever reason.
    """
    level = 1 - ERRS / len(question.looks)
    scores = [score_cell(cell, level) for cell in study.cells]
    rows = tuple(
        Row(
            setting,
            scores[index],
            () if index == question.baseline else _compared(study, scores, question, index, level),
        )
        for index, setting in enumerate(question.settings)
    )
    return StudyCard(
        rows=rows,
        baseline=question.baseline,
        shown=tuple(dict.fromkeys([*(wish.kpi for wish in question.wishes), *question.shown])),
        reached=tuple(_reached(wish, rows, study, question.baseline) for wish in question.wishes),
        effort=Effort(study.replications, question.looks, study.seed, level),
        about=about,
        aggregate_share=aggregate_share(study),
    )


def aggregate_share(study: Study[Outcome]) -> float | None:
    """The mean share of the time drawn in aggregate, of all replications that might be; None where none might."""
    values = (one.aggregate_share for cell in study.cells for part in cell.strata for one in part.values)
    shares = [share for share in values if share is not None]
    return fmean(shares) if shares else None


def precise(card: StudyCard) -> bool:
    """Whether every interval asked for is as narrow as asked for."""
    return all(item.met for item in card.reached)


def gain(ours: CellResults[Outcome], theirs: CellResults[Outcome], kpi: Kpi) -> float | None:
    """Variance of the difference of independent replications over that of pairs, as ``Compared.gain`` says."""
    alone = together = 0.0
    for a, b in zip(ours.strata, theirs.strata, strict=True):
        pairs = _pairs(a, b, kpi)
        if len(pairs) < 2:
            continue
        weight = a.stratum.share**2 / len(pairs)
        alone += weight * (variance(x for x, _ in pairs) + variance(y for _, y in pairs))
        together += weight * variance(x - y for x, y in pairs)
    if together <= _ROUNDING * alone:
        return inf if alone else None
    return alone / together


def _compared(
    study: Study[Outcome], scores: Sequence[StrategyScore], question: Question, index: int, level: float
) -> tuple[Compared, ...]:
    old, new = study.cells[question.baseline], study.cells[index]
    found = effects(old, new, (scores[question.baseline], scores[index]), level)
    return tuple(Compared(effect, gain(new, old, effect.kpi) if effect.difference.n else None) for effect in found)


def _reached(wish: Wish, rows: Sequence[Row], study: Study[Outcome], baseline: int) -> Reached:
    """About differences where there are any, else about the one setting's own value."""
    widths = []
    for row, cell in zip(rows, study.cells, strict=True):
        item = row.difference(wish.kpi)
        if len(rows) > 1 and item is None:
            continue
        estimate = row.kpi(wish.kpi).estimate if item is None else item.effect.difference
        parts = _parts(cell, None if item is None else study.cells[baseline], wish.kpi)
        if estimate.n:
            known = wish.kpi in PROPORTIONS or all(map(steady, parts))
            widths.append((_half_width(estimate) if known else inf, row.setting.label))
    if not widths:
        return Reached(wish, None, "", met=False)
    widest, label = max(widths)
    return Reached(wish, widest, label, met=widest <= wish.half_width)


def _parts(ours: CellResults[Outcome], theirs: CellResults[Outcome] | None, kpi: Kpi) -> list[list[float]]:
    """The values that an estimate is the mean of, by kind of release."""
    if theirs is None:
        return [[x for one in part.values if (x := one.value(kpi)) is not None] for part in ours.strata]
    return [[x - y for x, y in _pairs(a, b, kpi)] for a, b in zip(ours.strata, theirs.strata, strict=True)]


def _pairs(ours: StratumResults[Outcome], theirs: StratumResults[Outcome], kpi: Kpi) -> list[tuple[float, float]]:
    both = zip(ours.values, theirs.values, strict=True)
    return [(x, y) for a, b in both if (x := a.value(kpi)) is not None and (y := b.value(kpi)) is not None]


def steady(values: Sequence[float]) -> bool:
    """Whether the interval of the mean of these values says how well it is known.

    Where most values are alike and few are far from them, the first dozens may miss all of these, and look precise.
    """
    spread = pvariance(values) if values else 0.0
    if not spread:
        return not values or len(values) >= _EQUAL
    centre = fmean(values)
    skewness = fmean((value - centre) ** 3 for value in values) / spread**1.5
    return bool(len(values) >= _COCHRAN * skewness**2)


def _half_width(estimate: Estimate) -> float:
    return inf if estimate.lo is None or estimate.hi is None else (estimate.hi - estimate.lo) / 2
