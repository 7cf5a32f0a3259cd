"""Scores and runs for a terminal: fixed width, no colours, nothing that does not survive a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from reports import words
from reports.kpis import kpis_of, lower_bounds
from reports.scorecard import KpiScore, Score, StrategyScore
from reports.views import header_of
from sim.model.kpis import KPI_MEANINGS
from sim.model.records import RunResult
from sim.model.units import duration_text


def score_text(score: Score) -> str:
    """Per cell: the answer, the verdicts, the indicators with interval, target and DORA cluster, and the reasons."""
    blocks = [words.overall(score) + "."] + [_strategy(strategy, score) for strategy in score.strategies]
    intervals = (
        f"Intervals: {100 * score.level:g} %. DORA clusters of {score.dora_year}. Scenario {score.scenario_hash}."
    )
    return "\n\n".join([*blocks, intervals])


def run_text(result: RunResult) -> str:
    """One run: verdict, reason, key times and indicators."""
    header, bounds = header_of(result.journal), lower_bounds(result.journal)
    release = f"{header.release or 'release'} ({'good' if header.release_good else 'bad'})"
    head = [
        ("Scenario", header.title),
        ("Strategy", f"{header.strategy}{f' ({header.variant})' if header.variant else ''}"),
        ("Release", release),
        ("Verdict", result.verdict.value),
        ("Reason", result.reason or "-"),
        ("Ended after", duration_text(result.ended_s)),
        ("Seed", str(result.seed)),
    ]
    rows = [
        (words.KPI_NAMES[kpi], f"{'at least ' if kpi in bounds else ''}{words.number(value, KPI_MEANINGS[kpi].unit)}")
        for kpi, value in kpis_of(result.journal).items()
        if value is not None
    ]
    return "\n".join([*_columns(head), "", *_columns(rows)])


def _strategy(strategy: StrategyScore, score: Score) -> str:
    verdicts = ", ".join(
        f"{share.verdict.value} {words.number(share.share.mean, 'share')}"
        for share in strategy.verdicts
        if share.share.mean
    )
    table = [("", "estimate", "target", "met", f"DORA {score.dora_year}")] + [_row(kpi) for kpi in strategy.kpis]
    reasons = [f"  {words.number(r.share, 'share'):>6} {r.verdict.value}: {r.text or '-'}" for r in strategy.reasons]
    return "\n".join(
        [strategy.label, words.answer(strategy), f"Verdicts: {verdicts}", *_columns(table), "Reasons:", *reasons]
    )


def _row(kpi: KpiScore) -> tuple[str, ...]:
    target = kpi.target
    return (
        f"  {words.KPI_NAMES[kpi.kpi]}",
        words.estimate_text(kpi),
        "" if target is None else words.target_text(target, kpi.kpi),
        "" if target is None else words.met_text(target, kpi),
        "" if kpi.dora is None else words.dora_text(kpi),
    )


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
