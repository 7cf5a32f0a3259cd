"""Scores and runs for a terminal: fixed width, no colours, nothing that does not survive a pipe."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from reports import summary, words
from reports.kpis import client_counts, kpis_of, lower_bounds
from reports.numbers import clock, length, number
from reports.scorecard import KpiScore, Score, StrategyScore
from reports.story import Line, story
from reports.views import Journal, header_of, reached_everybody
from sim.model.kpis import KPI_MEANINGS, Kpi
from sim.model.records import HeaderRecord, RunResult, Verdict

_WIDTH = 110
_STRATEGIES = {
    "ArgoRollout": "Argo Rollouts",
    "RollingUpdate": "rolling update",
    "SwitchScript": "switch script",
    "SetImage": "set image",
    "Geographic": "region by region",
}
_OF_ONE_RUN = (
    Kpi.LEAD_TIME,
    Kpi.DEPLOYMENT_DURATION,
    Kpi.TIME_TO_DETECT,
    Kpi.RECOVERY_TIME,
    Kpi.UNPLANNED_DOWNTIME,
    Kpi.BAD_FULL_TRAFFIC_MINUTES,
    Kpi.EXTRA_POD_HOURS,
)


def score_text(score: Score) -> str:
    """What to know first and one line a cell; then per cell verdicts, indicators and reasons."""
    first = [words.overall(score) + ".", *(wrapped(text, "- ") for text in summary.headlines(score))]
    intervals = (
        f"Intervals: {100 * score.level:g} %. DORA clusters of {score.dora_year}. Scenario {score.scenario_hash}."
    )
    details = [_strategy(strategy, score) for strategy in score.strategies]
    return "\n\n".join(["\n".join(first), "\n".join(_matrix(score)), *details, intervals])


def _matrix(score: Score) -> list[str]:
    heads = ("", "good releases", "bad releases", "deployed in", "detected in", "failure rate", "targets")
    rows = [(line.strategy.label, line.good, line.bad, *line.estimates, line.targets) for line in summary.lines(score)]
    return columns([heads, *rows])


def run_text(result: RunResult) -> str:
    """One run: how it ended and why, what happened in order, and the figures that a single run has."""
    header = header_of(result.journal)
    kind = "good" if header.release_good else "bad"
    head = [
        ("Scenario", header.title),
        ("Strategy", strategy_text(header)),
        ("Release", f"{header.release or 'release'} ({kind})"),
        ("Verdict", f"{result.verdict.value}: {_meaning(result)}"),
        ("Reason", result.reason or "-"),
        ("Ended", f"{length(result.ended_s)} after it was applied" if result.ended_s else "at once"),
        ("Seed", str(result.seed)),
    ]
    if result.plane_use is not None:
        head.append(("Requests", words.plane_text(result.plane_use.aggregate_share)))
    return "\n\n".join(
        "\n".join(block) for block in (_pairs(head), _told(story(result.journal)), _pairs(_figures(result.journal)))
    )


def strategy_text(header: HeaderRecord) -> str:
    """Strategy and variant by their short names."""
    name = _STRATEGIES.get(header.strategy, header.strategy)
    return f"{name} ({header.variant})" if header.variant else name


def _meaning(result: RunResult) -> str:
    """The verdict beside the truth about the release."""
    if header_of(result.journal).release_good:
        return {
            Verdict.PROMOTED: "a good release got through",
            Verdict.UNDONE: "a release that was good in itself had to be taken back",
            Verdict.DEGRADED: "a release that was good in itself ended short of what was promised",
        }.get(result.verdict, "a good release did not get through")
    return (
        "a bad release came to serve everybody" if reached_everybody(result.journal) else "a bad release was kept out"
    )


def _told(lines: Sequence[Line]) -> list[str]:
    times = [clock(line.t_s) for line in lines]
    width = max((len(time) for time in times), default=0)
    return [wrapped(line.text, f"{time:>{width}}  ") for time, line in zip(times, lines, strict=True)]


def _figures(journal: Journal) -> list[tuple[str, str]]:
    values, bounds = kpis_of(journal), lower_bounds(journal)
    rows = [
        (words.KPI_NAMES[kpi], f"{'at least ' if kpi in bounds else ''}{number(value, KPI_MEANINGS[kpi].unit)}")
        for kpi in _OF_ONE_RUN
        if (value := values[kpi]) is not None
    ]
    return [*rows, *_failures(journal, values, at_least="at least " if Kpi.FAILED_REQUESTS in bounds else "")]


def _failures(journal: Journal, values: dict[Kpi, float | None], at_least: str) -> list[tuple[str, str]]:
    requests, failures = client_counts(journal)
    if not requests:
        return []
    excess, burn = values[Kpi.FAILED_REQUESTS] or 0.0, values[Kpi.ERROR_BUDGET_BURN]
    own = f"{round(excess):,} more than" if round(excess) > 0 else "no more than"
    rows = [
        (
            "Failed requests",
            f"{at_least}{round(failures):,} of {round(requests):,}, {own} the stable version alone",
        )
    ]
    if burn is not None:
        rows.append(("Error budget used", f"{at_least}{_budget(burn)} of 30 days' budget"))
    return rows


def _budget(burn: float) -> str:
    return "less than 0.01 %" if 0 < burn < 1e-4 else number(max(burn, 0.0), "share")


def _strategy(strategy: StrategyScore, score: Score) -> str:
    table = [("", "estimate", "target", "met", f"DORA {score.dora_year}")] + [_row(kpi) for kpi in strategy.kpis]
    reasons = [
        wrapped(f"{r.verdict.value}: {r.text or '-'}", f"  {number(r.share, 'share'):>6}  ") for r in strategy.reasons
    ]
    return "\n".join(
        [
            strategy.label,
            "=" * len(strategy.label),
            wrapped(words.answer(strategy), ""),
            wrapped(f"good {summary.verdicts(strategy, good=True)}; bad {summary.verdicts(strategy, good=False)}",
                     "Releases: "),
            *columns(table),
            "Reasons:",
            *reasons,
        ]
    )  # fmt: skip


def _row(kpi: KpiScore) -> tuple[str, ...]:
    target = kpi.target
    more = words.decides_text(target)
    return (
        f"  {words.KPI_NAMES[kpi.kpi]}",
        words.estimate_text(kpi),
        "" if target is None else words.target_text(target, kpi.kpi),
        "" if target is None else f"{words.met_text(target, kpi)}{f', {more} replications' if more else ''}",
        "" if kpi.dora is None else words.dora_text(kpi),
    )


def _pairs(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(name) for name, _ in rows), default=0)
    return [wrapped(text, f"{name:<{width}}  ") for name, text in rows]


def wrapped(text: str, lead: str) -> str:
    """The text behind its lead, further lines indented below it; long words stay whole."""
    lines = textwrap.wrap(text, _WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead),
                          break_long_words=False, break_on_hyphens=False)  # fmt: skip
    return "\n".join(lines)


def columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The rows with their cells below each other."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
