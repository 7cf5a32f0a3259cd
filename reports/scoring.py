"""From a study to its score: per cell the verdict shares, every indicator with its interval, targets and DORA clusters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations

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
from reports.statistics import NOTHING, Estimate, Sample, difference, mean, proportion, proportion_difference
from sim.model.hashing import digest
from sim.model.kpis import KPI_MEANINGS, Kpi, KpiTarget
from sim.model.records import Verdict
from sim.study import CellResults, StratumResults, Study

PROPORTIONS = frozenset(
    {Kpi.CHANGE_FAILURE_RATE, Kpi.CHANGE_FAILURE_RATE_WITH_ABORTS, Kpi.FALSE_ABORT_RATE, Kpi.MISS_RATE}
)
_ARRIVAL = frozenset({Kpi.LEAD_TIME, Kpi.DEPLOYMENT_DURATION})
LEVEL = 0.95
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
        strategies=tuple(_strategy(cell, level, dora_year) for cell in study.cells),
        scenario_hash=hashes[0] if len(set(hashes)) == 1 else digest(hashes),
        seed=study.seed,
        replications=study.replications,
        level=level,
        dora_year=dora_year,
        differences=_differences(study.cells, level),
        about=About(command, version, assumptions(study.cells[0].cell.scenario) if study.cells else ()),
    )


def _strategy(cell: CellResults[Outcome], level: float, year: int) -> StrategyScore:
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
    if kpi is Kpi.DEPLOYMENT_FREQUENCY:
        estimate = _frequency(cell, level)
    else:
        estimate = (proportion if kpi in PROPORTIONS else mean)(_kpi_samples(cell, kpi), level)
    bounds = sum(kpi in outcome.lower_bounds for part in cell.strata for outcome in part.values)
    targets = (target for target in cell.cell.scenario.targets if target.kpi is kpi)
    return KpiScore(
        kpi,
        estimate,
        KPI_MEANINGS[kpi].unit,
        tuple(TargetCheck(t.period, t.value, t.strict, met(t, estimate, bounded_below=bounds > 0)) for t in targets),
        None if estimate.mean is None else dora.clusters(kpi, estimate.mean, year),
        bounds,
    )


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


def _frequency(cell: CellResults[Outcome], level: float) -> Estimate:
    """Releases a week that reach everybody: those that fit, times the share that arrives.

    The interval joins the ends of both intervals, which is wider than necessary rather than narrower.
    """
    scenario = cell.cell.scenario
    arrived = proportion(samples(cell.strata, lambda o: float(o.value(Kpi.DEPLOYMENT_DURATION) is not None)), level)
    occupied = mean(samples(cell.strata, lambda o: o.occupancy_s), level)
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


def _verdict_share(cell: CellResults[Outcome], verdict: Verdict, level: float) -> VerdictShare:
    def share(good: bool) -> float | None:
        parts = [part for part in cell.strata if part.stratum.good is good]
        return proportion(samples(parts, lambda o: float(o.verdict is verdict)), level).mean

    everyone = proportion(samples(cell.strata, lambda o: float(o.verdict is verdict)), level)
    return VerdictShare(verdict, everyone, share(good=True), share(good=False))


def _reasons(cell: CellResults[Outcome]) -> tuple[Reason, ...]:
    """The commonest reasons, commonest first."""
    shares: defaultdict[tuple[Verdict, str], float] = defaultdict(float)
    for part in cell.strata:
        for outcome in part.values:
            shares[outcome.verdict, outcome.reason] += part.stratum.share / len(part.values)
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Reason(verdict, text, share) for (verdict, text), share in ranked[:_REASONS])


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
        if (estimate := _difference(b, a, kpi, level)).n
    )


def _difference(ours: CellResults[Outcome], theirs: CellResults[Outcome], kpi: Kpi, level: float) -> Estimate:
    estimator = proportion_difference if kpi in PROPORTIONS else difference
    return estimator(_kpi_samples(ours, kpi), _kpi_samples(theirs, kpi), level)


def _same_mix(a: CellResults[Outcome], b: CellResults[Outcome]) -> bool:
    return [part.stratum for part in a.strata] == [part.stratum for part in b.strata]


def _label(cell: CellResults[Outcome]) -> str:
    return f"{cell.cell.name} ({cell.cell.variant})" if cell.cell.variant else cell.cell.name
