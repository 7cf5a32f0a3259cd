"""A study as JSON and as CSV: what programs read."""

from __future__ import annotations

import csv
from io import StringIO
from math import isfinite
from typing import Any

from reports.json_ import FORMAT, indented, interval
from reports.statistics import Estimate
from reports.study.card import Compared, Reached, Row, StudyCard
from sim.model.kpis import KPI_MEANINGS, Kpi

_COLUMNS = (
    "kpi",
    "unit",
    "mean",
    "lo",
    "hi",
    "n",
    "difference",
    "difference_lo",
    "difference_hi",
    "pairs",
    "change",
    "pairing",
)


def study_json(card: StudyCard) -> str:
    """The study as an indented JSON object; equal studies give equal text."""
    return indented(study_data(card))


def study_data(card: StudyCard) -> dict[str, Any]:
    """The study as plain JSON data; differences are the setting minus the baseline, in the indicator's own unit."""
    effort = card.effort
    return {
        "format": FORMAT,
        "version": card.about.version,
        "command": card.about.command,
        "seed": effort.seed,
        "replications": effort.replications,
        "aggregate_share": card.aggregate_share,
        "looks": list(effort.looks),
        "level": effort.level,
        "baseline": card.rows[card.baseline].setting.label,
        "precision": [_wish(item) for item in card.reached],
        "settings": [_row(row) for row in card.rows],
    }


def study_csv(card: StudyCard) -> str:
    """One line for each setting and indicator; parameters have columns of their own."""
    parameters = list(dict.fromkeys(name for row in card.rows for name, _ in row.setting.values))
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["setting", *parameters, *_COLUMNS])
    for row in card.rows:
        values = dict(row.setting.values)
        for kpi in Kpi:
            writer.writerow([row.setting.label, *(values.get(name, "") for name in parameters), *_csv(row, kpi)])
    return out.getvalue().rstrip("\n")


def _csv(row: Row, kpi: Kpi) -> list[object]:
    estimate, item = row.kpi(kpi).estimate, row.difference(kpi)
    own = [kpi.value, KPI_MEANINGS[kpi].unit, *_numbers(estimate)]
    return [*own, *_numbers(item.effect.difference), item.effect.mark.value, _gain(item)] if item else own + [""] * 6


def _numbers(estimate: Estimate) -> list[object]:
    values = (estimate.mean, estimate.lo, estimate.hi)
    return [*("" if value is None else value for value in values), estimate.n]


def _row(row: Row) -> dict[str, Any]:
    return {
        "label": row.setting.label,
        "values": dict(row.setting.values),
        "title": row.score.title,
        "scenario_hash": row.score.scenario_hash,
        "verdicts": {share.verdict.value: share.share.mean for share in row.score.verdicts},
        "kpis": {kpi.value: _kpi(row, kpi) for kpi in Kpi},
    }


def _kpi(row: Row, kpi: Kpi) -> dict[str, Any]:
    score, item = row.kpi(kpi), row.difference(kpi)
    return interval(score.estimate) | {
        "unit": score.unit,
        "lower_bounds": score.lower_bounds,
        "difference": None
        if item is None
        else interval(item.effect.difference)
        | {
            "change": item.effect.mark.value,
            "bound": item.effect.bound,
            "equal": item.effect.equal,
            "pairing": _gain(item),
        },
    }


def _gain(item: Compared) -> float | str | None:
    """``all`` where every pair differs by the same: JSON has no infinity."""
    return item.gain if item.gain is None or isfinite(item.gain) else "all"


def _wish(item: Reached) -> dict[str, Any]:
    known = item.half_width is not None and isfinite(item.half_width)
    return {
        "kpi": item.wish.kpi.value,
        "half_width": item.wish.half_width,
        "reached": item.half_width if known else None,
        "setting": item.label,
        "met": item.met,
    }
