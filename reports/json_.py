"""Scores and runs as JSON: what scripts read."""

from __future__ import annotations

import json
from typing import Any

from reports.kpis import kpis_of, lower_bounds
from reports.scorecard import Difference, KpiScore, Score, StrategyScore, TargetCheck
from reports.statistics import Estimate
from reports.views import header_of
from sim.model.kpis import KPI_MEANINGS
from sim.model.records import RunResult

FORMAT = 1


def score_json(score: Score) -> str:
    """The score as an indented JSON object; equal scores give equal text."""
    return indented(score_data(score))


def run_json(result: RunResult) -> str:
    """One run's verdict, reason and indicators as an indented JSON object."""
    header, bounds = header_of(result.journal), lower_bounds(result.journal)
    return indented(
        {
            "format": FORMAT,
            "title": header.title,
            "strategy": header.strategy,
            "variant": header.variant,
            "release": header.release,
            "release_good": header.release_good,
            "backend": header.backend,
            "verdict": result.verdict,
            "reason": result.reason,
            "ended_s": result.ended_s,
            "kpis": {
                kpi: {"value": value, "unit": KPI_MEANINGS[kpi].unit, "lower_bound": kpi in bounds}
                for kpi, value in kpis_of(result.journal).items()
            },
            "scenario_hash": result.scenario_hash,
            "seed": result.seed,
        }
    )


def score_data(score: Score) -> dict[str, Any]:
    """The score as plain JSON data.

    An indicator's ``target`` and ``met`` are those of the period that counts now (``KpiScore.target``): ``objective``,
    else the first that is not ``current``. ``targets`` has all periods in their declared order.
    """
    return {
        "format": FORMAT,
        "version": score.about.version,
        "strategies": [_strategy(strategy) for strategy in score.strategies],
        "differences": [_difference(difference) for difference in score.differences],
        "assumptions": dict(score.about.assumptions),
        "level": score.level,
        "dora_year": score.dora_year,
        "scenario_hash": score.scenario_hash,
        "seed": score.seed,
        "replications": score.replications,
        "command": score.about.command,
    }


def _strategy(strategy: StrategyScore) -> dict[str, Any]:
    return {
        "name": strategy.name,
        "variant": strategy.variant,
        "title": strategy.title,
        "scenario_hash": strategy.scenario_hash,
        "mix": [{"name": s.name, "good": s.good, "share": s.share} for s in strategy.mix],
        "verdicts": {share.verdict: share.share.mean for share in strategy.verdicts},
        "verdict_details": {
            share.verdict: interval(share.share) | {"of_good": share.of_good, "of_bad": share.of_bad}
            for share in strategy.verdicts
        },
        "kpis": {kpi.kpi: _kpi(kpi) for kpi in strategy.kpis},
        "reasons": [{"verdict": r.verdict, "reason": r.text, "share": r.share} for r in strategy.reasons],
    }


def _kpi(kpi: KpiScore) -> dict[str, Any]:
    target = kpi.target
    return interval(kpi.estimate) | {
        "unit": kpi.unit,
        "target": None if target is None else target.value,
        "target_period": None if target is None else target.period,
        "met": None if target is None else target.met,
        "targets": [_target(check) for check in kpi.targets],
        "dora": None if kpi.dora is None else list(kpi.dora),
        "lower_bounds": kpi.lower_bounds,
    }


def _target(check: TargetCheck) -> dict[str, Any]:
    return {
        "period": check.period,
        "value": check.value,
        "strict": check.strict,
        "met": check.met,
        "replications_to_decide": check.replications,
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {"ours": difference.ours, "theirs": difference.theirs, "kpi": difference.kpi} | interval(difference.estimate)


def interval(estimate: Estimate) -> dict[str, Any]:
    """An estimate as JSON data."""
    return {"mean": estimate.mean, "lo": estimate.lo, "hi": estimate.hi, "n": estimate.n}


def indented(data: dict[str, Any]) -> str:
    """The data as text: equal data give equal text."""
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
