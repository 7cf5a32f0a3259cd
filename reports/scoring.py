"""From a study to its score: per cell the verdict shares, every indicator with its interval, targets and DORA clusters."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from math import hypot

from reports import dora
from reports.assumptions import assumptions
from reports.frequency import releases_per_week, sync_hours
from reports.outcome import Outcome
from reports.scorecard import (
    About,
    Detection,
    Difference,
    KpiScore,
    Reason,
    Score,
    StrategyScore,
    TargetCheck,
    VerdictShare,
)
from reports.statistics import (
    NOTHING,
    Estimate,
    Sample,
    difference,
    mean,
    proportion,
    proportion_difference,
    repeated,
    times_to_decide,
)
from sim.model.hashing import digest
from sim.model.kpis import KPI_MEANINGS, Kpi, KpiTarget
from sim.model.records import Verdict
from sim.study import CellResults, StratumResults, Study

PROPORTIONS = frozenset(
    {Kpi.CHANGE_FAILURE_RATE, Kpi.CHANGE_FAILURE_RATE_WITH_ABORTS, Kpi.FALSE_ABORT_RATE, Kpi.MISS_RATE}
)
_ARRIVAL = frozenset({Kpi.LEAD_TIME, Kpi.DEPLOYMENT_DURATION})
LEVEL = 0.95
MOST_REPLICATIONS = 1024
"""Of each kind: a target that these would not decide is too close to call."""
_ABOVE_NORMAL = frozenset({Kpi.FAILED_REQUESTS, Kpi.ERROR_BUDGET_BURN})
"""Indicators that are a difference from the stable version's own, and may be negative by chance."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_REASONS = 5


def score(
    study: Study[Outcome],
    *,
    dora_year: int = dora.DEFAULT_YEAR,
    level: float = LEVEL,
    command: str = "",
    version: str = "",
) -> Score:
    """The study's score; intervals at ``level``, DORA clusters of ``dora_year`` (one of ``dora.YEARS``).

    ``command`` and ``version`` (of rolltwin) are repeated in reports, so that readers can get the same score again.
    """
    hashes = [cell.scenario_hash for cell in study.cells]
    return Score(
        strategies=tuple(score_cell(cell, level, dora_year) for cell in study.cells),
        scenario_hash=hashes[0] if len(set(hashes)) == 1 else digest(hashes),
        seed=study.seed,
        replications=study.replications,
        level=level,
        dora_year=dora_year,
        differences=_differences(study.cells, level),
        about=About(command, version, assumptions(study.cells[0].cell.scenario) if study.cells else ()),
    )


def score_cell(cell: CellResults[Outcome], level: float, year: int = dora.DEFAULT_YEAR) -> StrategyScore:
    """One cell's score."""
    return StrategyScore(
        name=cell.cell.name,
        variant=cell.cell.variant,
        title=cell.cell.scenario.title,
        scenario_hash=cell.scenario_hash,
        mix=tuple(part.stratum for part in cell.strata),
        verdicts=tuple(_verdict_share(cell, verdict, level) for verdict in Verdict),
        kpis=tuple(_kpi_score(cell, kpi, level, year) for kpi in Kpi),
        reasons=_reasons(cell),
        detections=tuple(_detections(cell)),
    )


def samples(strata: Sequence[StratumResults[Outcome]], of: Callable[[Outcome], float | None]) -> list[Sample]:
    """One sample per kind of release, weighted by its share of the mix."""
    return [Sample(part.stratum.share, tuple(of(outcome) for outcome in part.values)) for part in strata]


def _kpi_samples(cell: CellResults[Outcome], kpi: Kpi) -> list[Sample]:
    return samples(cell.strata, lambda outcome: outcome.value(kpi))


def _kpi_score(cell: CellResults[Outcome], kpi: Kpi, level: float, year: int) -> KpiScore:
    bounds = sum(kpi in outcome.lower_bounds for part in cell.strata for outcome in part.values)
    estimate = _estimate(cell, kpi, level, 1)
    checks = tuple(
        TargetCheck(t.period, t.value, t.strict, met(t, estimate, bounded_below=bounds > 0))
        for t in cell.cell.scenario.targets
        if t.kpi is kpi
    )
    score = KpiScore(
        kpi,
        estimate,
        KPI_MEANINGS[kpi].unit,
        checks,
        None if estimate.mean is None else dora.clusters(kpi, estimate.mean, year),
        bounds,
    )
    now = score.target
    if now is None or now.met is not None:
        return score
    told = replace(now, replications=_replications(cell, now, score, level))
    return replace(score, targets=tuple(told if check is now else check for check in checks))


def _replications(cell: CellResults[Outcome], check: TargetCheck, score: KpiScore, level: float) -> int | None:
    """How many replications of each kind of release would decide the target, if they go on as they have."""
    done = min((len(part.values) for part in cell.strata), default=0)
    if not done or score.estimate.lo is None:
        return None
    target = KpiTarget(score.kpi, check.period, check.value, check.strict)

    def decided(times: int) -> bool:
        return met(target, _estimate(cell, score.kpi, level, times), bounded_below=score.lower_bounds > 0) is not None

    times = times_to_decide(decided, max(1, MOST_REPLICATIONS // done))
    return None if times is None else times * done


def _estimate(cell: CellResults[Outcome], kpi: Kpi, level: float, times: int) -> Estimate:
    """The indicator's estimate if the cell's results had come so many times over."""
    if kpi is Kpi.DEPLOYMENT_FREQUENCY:
        return _frequency(cell, level, times)
    found = (proportion if kpi in PROPORTIONS else mean)(repeated(_kpi_samples(cell, kpi), times), level)
    return found if kpi in _ABOVE_NORMAL else _not_negative(found)


def _not_negative(estimate: Estimate) -> Estimate:
    """The part of the interval that can be: a t interval of few replications reaches below nothing at all."""
    return estimate if estimate.lo is None else replace(estimate, lo=max(0.0, estimate.lo))


def met(target: KpiTarget, estimate: Estimate, *, bounded_below: bool = False) -> bool | None:
    """True if the whole interval is on the target's good side, False if it is on the bad side, else None (undecided).

    A lead time or duration of releases that never arrive meets no target. A mean that is only a lower bound can miss a
    target that asks for little, but never meet it.
    """
    if estimate.lo is None or estimate.hi is None:
        return False if estimate.mean is None and target.kpi in _ARRIVAL else None
    better = KPI_MEANINGS[target.kpi].better
    # Mirrored so that less is better, whatever the indicator.
    near, far = (estimate.lo, estimate.hi) if better < 0 else (-estimate.hi, -estimate.lo)
    limit = target.value if better < 0 else -target.value
    if far < limit or (far == limit and not target.strict):
        return None if bounded_below else True
    return False if near > limit or (near == limit and target.strict) else None


def _frequency(cell: CellResults[Outcome], level: float, times: int) -> Estimate:
    """Releases a week that reach everybody: those that fit, times the share that arrives.

    The interval joins the ends of both intervals, which is wider than necessary rather than narrower.
    """
    scenario = cell.cell.scenario
    arrivals = samples(cell.strata, _arrives)
    arrived = proportion(repeated(arrivals, times), level)
    occupied = mean(repeated(samples(cell.strata, _occupies), times), level)
    if arrived.mean is None or occupied.mean is None:
        return NOTHING
    if not arrived.mean and not occupied.mean:
        return Estimate(0.0, 0.0, 0.0, arrived.n)
    hours, year = sync_hours(scenario), scenario.delivery.year
    value = releases_per_week(occupied.mean, hours, year) * arrived.mean
    if arrived.lo is None or arrived.hi is None or occupied.lo is None or occupied.hi is None:
        return Estimate(value, None, None, arrived.n)
    fewest = releases_per_week(occupied.hi, hours, year) * arrived.lo
    most = releases_per_week(occupied.lo, hours, year) * arrived.hi
    return Estimate(value, min(fewest, value), max(most, value), arrived.n)


def frequency_difference(ours: CellResults[Outcome], theirs: CellResults[Outcome], level: float) -> Estimate:
    """How many more releases a week, over pairs: more of them arrive, or each takes less time.

    Both parts have a paired interval: the arrivals' is Newcombe's, at our rate; the time's is that of the mean
    difference in occupancy, relative to our occupancy (so many percent longer, so many percent fewer), at their share of
    arrivals. They are joined by MOVER.
    """
    arrived, arrived_before = samples(ours.strata, _arrives), samples(theirs.strata, _arrives)
    occupied, occupied_before = samples(ours.strata, _occupies), samples(theirs.strata, _occupies)
    share, longer = (
        proportion_difference(arrived, arrived_before, level),
        difference(occupied, occupied_before, level),
    )
    now, before = mean(occupied, level).mean, mean(occupied_before, level).mean
    share_before = proportion(arrived_before, level).mean
    if share.mean is None or now is None or before is None or share_before is None:
        return NOTHING
    rate = _rate(ours, now)
    centre = (share_before + share.mean) * rate - share_before * _rate(theirs, before)
    if share.lo is None or share.hi is None or longer.lo is None or longer.hi is None or not now:
        return Estimate(centre, None, None, share.n)
    slower = share_before * rate * (longer.hi - longer.lo) / 2 / now
    below, above = hypot((share.mean - share.lo) * rate, slower), hypot((share.hi - share.mean) * rate, slower)
    return Estimate(centre, centre - below, centre + above, share.n)


def _arrives(outcome: Outcome) -> float:
    return float(outcome.value(Kpi.DEPLOYMENT_DURATION) is not None)


def _occupies(outcome: Outcome) -> float:
    return outcome.occupancy_s


def _rate(cell: CellResults[Outcome], occupancy_s: float) -> float:
    """Releases of this length that fit into a week of this cell's sync windows."""
    scenario = cell.cell.scenario
    return releases_per_week(occupancy_s, sync_hours(scenario), scenario.delivery.year)


def _verdict_share(cell: CellResults[Outcome], verdict: Verdict, level: float) -> VerdictShare:
    def share(good: bool) -> float | None:
        parts = [part for part in cell.strata if part.stratum.good is good]
        return proportion(samples(parts, lambda o: float(o.verdict is verdict)), level).mean

    everyone = proportion(samples(cell.strata, lambda o: float(o.verdict is verdict)), level)
    return VerdictShare(verdict, everyone, share(good=True), share(good=False))


def _reasons(cell: CellResults[Outcome]) -> tuple[Reason, ...]:
    """The commonest reasons, commonest first. Those that differ only in numbers (times, measured values) are one."""
    shares: defaultdict[tuple[Verdict, str], float] = defaultdict(float)
    texts: defaultdict[tuple[Verdict, str], list[str]] = defaultdict(list)
    for part in cell.strata:
        for outcome in part.values:
            kind = outcome.verdict, _NUMBER.sub("#", outcome.reason)
            shares[kind] += part.stratum.share / len(part.values)
            texts[kind].append(outcome.reason)
    merged = [(-share, kind[0], without_differing_numbers(texts[kind])) for kind, share in shares.items()]
    return tuple(Reason(verdict, text, -share) for share, verdict, text in sorted(merged)[:_REASONS])


def without_differing_numbers(texts: Sequence[str]) -> str:
    """Texts that differ only in their numbers as one: the first, with an ellipsis for each number that is not the same in all.

    ``['check 1: 7 %', 'check 1: 8 %'] -> 'check 1: … %'``
    """
    columns = zip(*(_NUMBER.findall(text) for text in texts), strict=True)
    told = iter([column[0] if len(set(column)) == 1 else "…" for column in columns])
    return _NUMBER.sub(lambda _: next(told), texts[0])


def _detections(cell: CellResults[Outcome]) -> list[Detection]:
    bad = [part for part in cell.strata if not part.stratum.good]
    total = sum(part.stratum.share for part in bad)
    return [
        Detection(
            part.stratum.name,
            outcome.value(Kpi.TIME_TO_DETECT),
            outcome.value(Kpi.FAILED_REQUESTS) or 0.0,
            outcome.value(Kpi.BAD_FULL_TRAFFIC_MINUTES) or 0.0,
            Kpi.TIME_TO_DETECT not in outcome.lower_bounds,
            part.stratum.share / total / len(part.values),
        )
        for part in bad
        for outcome in part.values
    ]


def _differences(cells: Sequence[CellResults[Outcome]], level: float) -> tuple[Difference, ...]:
    """Later cell minus earlier cell, for cells that share a strategy or a variant and have the same mix of releases."""
    return tuple(
        Difference(_label(b), _label(a), kpi, estimate)
        for a, b in combinations(cells, 2)
        if (a.cell.name == b.cell.name or a.cell.variant == b.cell.variant) and _same_mix(a, b)
        for kpi in Kpi
        if (estimate := paired_difference(b, a, kpi, level)).n
    )


def paired_difference(ours: CellResults[Outcome], theirs: CellResults[Outcome], kpi: Kpi, level: float) -> Estimate:
    """How much larger the indicator is in ``ours``, replication by replication; both cells must have the same mix."""
    estimator = proportion_difference if kpi in PROPORTIONS else difference
    return estimator(_kpi_samples(ours, kpi), _kpi_samples(theirs, kpi), level)


def _same_mix(a: CellResults[Outcome], b: CellResults[Outcome]) -> bool:
    return [part.stratum for part in a.strata] == [part.stratum for part in b.strata]


def _label(cell: CellResults[Outcome]) -> str:
    return f"{cell.cell.name} ({cell.cell.variant})" if cell.cell.variant else cell.cell.name
