"""Journals and scores as pandas DataFrames, and DataFrames as tables: the only module that imports pandas.

Column names carry their units; rows are in a stable order.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from pandas import DataFrame as DataFrame  # noqa: PLC0414 - exported: figures name the type, pandas stays here

from reports import summary, words
from reports.numbers import interval_text, number
from reports.scorecard import KpiScore, Score, StrategyScore
from reports.views import Journal, header_of, last_s, of_kind
from sim.model.kpis import KPI_MEANINGS, Kpi
from sim.model.records import PodRecord, TrafficRecord, WeightRecord

_POINTS = 240
"""Bins of a timeline, soaks left out: finer than a reader can see, coarse enough for a small file."""


def traffic(journal: Journal) -> pd.DataFrame:
    """Per bin of time and side: ``t_min`` (its middle), requests, failures, error_ratio, p50_s, p99_s; regions added up."""
    bounds, rows = header_of(journal).buckets_s, list(of_kind(journal, TrafficRecord))
    columns = ["t_min", "side", "requests", "failures", "error_ratio", "p50_s", "p99_s"]
    if not rows:
        return pd.DataFrame(columns=columns)
    covered = sum({row.t_s: row.width_s for row in rows}.values())
    width = max(*(row.width_s for row in rows), covered / _POINTS)
    raw = pd.DataFrame(
        {
            "bin": [int((row.t_s - row.width_s / 2) // width) for row in rows],
            "side": [row.side for row in rows],
            "requests": [row.client_requests for row in rows],
            "failures": [row.client_failures for row in rows],
        }
    )
    counts = pd.DataFrame([row.latency_counts for row in rows]).fillna(0)
    found = pd.concat([raw, counts], axis=1).groupby(["bin", "side"], sort=True).sum().reset_index()
    found["t_min"] = (found["bin"] + 0.5) * width / 60
    found["error_ratio"] = (found["failures"] / found["requests"]).where(found["requests"] > 0)
    for name, share in (("p50_s", 0.5), ("p99_s", 0.99)):
        found[name] = [quantile(row, bounds, share) for row in found[list(counts.columns)].to_numpy().tolist()]
    return found[columns]


def quantile(counts: Sequence[float], bounds: Sequence[float], share: float) -> float | None:
    """Quantile of a histogram, linear within its bucket; the largest bound for the last bucket, None for no counts."""
    wanted, below, lower = share * sum(counts), 0.0, 0.0
    if not sum(counts):
        return None
    for count, upper in zip(counts, bounds, strict=False):
        if count and below + count >= wanted:
            return lower + (upper - lower) * (wanted - below) / count
        below, lower = below + count, upper
    return bounds[-1] if bounds else None


def weights(journal: Journal) -> pd.DataFrame:
    """Candidate weight over time: ``t_min``, region, candidate_percent; a step holds until the next row of its region."""
    rows = list(of_kind(journal, WeightRecord))
    return pd.DataFrame(
        {
            "t_min": [row.t_s / 60 for row in rows],
            "region": [row.region for row in rows],
            "candidate_percent": [row.candidate for row in rows],
        }
    )


def pods(journal: Journal) -> pd.DataFrame:
    """Pods after every change: ``t_min``, side, ready, other (starting, unready, crashed or terminating)."""
    states: dict[tuple[str, str], tuple[str, str]] = {}
    rows: list[dict[str, object]] = []
    for record in of_kind(journal, PodRecord):
        states[record.region, record.pod] = (record.side, record.state)
        here = [state for side, state in states.values() if side == record.side and state != "gone"]
        ready = here.count("ready")
        rows.append({"t_min": record.t_s / 60, "side": record.side, "ready": ready, "other": len(here) - ready})
    found = pd.DataFrame(rows, columns=["t_min", "side", "ready", "other"])
    return found.drop_duplicates(["t_min", "side"], keep="last").reset_index(drop=True)


def span_min(journal: Journal) -> tuple[float, float]:
    """First and last minute the journal tells of: from the start of its warm-up."""
    return -header_of(journal).warm_up_s / 60, last_s(journal) / 60


def kpi_table(strategy: StrategyScore, dora_year: int) -> pd.DataFrame:
    """All indicators of one cell, as text."""
    rows = [
        {
            "Indicator": words.KPI_NAMES[kpi.kpi],
            "Estimate (interval)": words.estimate_text(kpi),
            "n": kpi.estimate.n,
            "Target": "" if kpi.target is None else words.target_text(kpi.target, kpi.kpi),
            "Met?": "" if kpi.target is None else words.met_text(kpi.target, kpi),
            f"DORA {dora_year}": "" if kpi.dora is None else words.dora_text(kpi),
            "Meaning": KPI_MEANINGS[kpi.kpi].meaning,
        }
        for kpi in strategy.kpis
    ]
    return pd.DataFrame(rows)


def targeted(score: Score) -> list[Kpi]:
    """The indicators for which some cell has a target, in their usual order."""
    return [kpi for kpi in Kpi if any(strategy.kpi(kpi).targets for strategy in score.strategies)]


def target_matrix(score: Score) -> pd.DataFrame:
    """One row per cell: how its good and bad releases end, and per indicator with a target the answer and the estimate."""
    rows = [
        {
            "Strategy": line.strategy.name,
            "Variant": line.strategy.variant,
            "Good releases": line.good,
            "Bad releases": line.bad,
        }
        | {words.KPI_NAMES[kpi]: _answer(line.strategy.kpi(kpi)) for kpi in targeted(score)}
        | {"Targets": line.targets}
        for line in summary.lines(score)
    ]
    return pd.DataFrame(rows)


def _answer(kpi: KpiScore) -> str:
    more = words.decides_text(kpi.target)
    return f"**{words.met_text(kpi.target, kpi)}** {words.estimate_text(kpi)}{f', {more}' if more else ''}"


def verdict_table(strategy: StrategyScore) -> pd.DataFrame:
    """How often releases ended which way."""
    rows = [
        {
            "Verdict": share.verdict.value,
            "All releases": words.proportion_text(share.share),
            "Good ones": number(share.of_good, "share"),
            "Bad ones": number(share.of_bad, "share"),
        }
        for share in strategy.verdicts
        if share.share.mean
    ]
    return pd.DataFrame(rows, columns=["Verdict", "All releases", "Good ones", "Bad ones"])


def reason_table(strategy: StrategyScore) -> pd.DataFrame:
    """The commonest reasons."""
    rows = [
        {"Share": number(reason.share, "share"), "Verdict": reason.verdict.value, "Reason": reason.text or "-"}
        for reason in strategy.reasons
    ]
    return pd.DataFrame(rows, columns=["Share", "Verdict", "Reason"])


def target_table(strategy: StrategyScore) -> pd.DataFrame:
    """Every declared target of every period."""
    rows = [
        {
            "Indicator": words.KPI_NAMES[kpi.kpi],
            "Period": check.period,
            "Target": words.target_text(check, kpi.kpi),
            "Estimate": words.estimate_text(kpi),
            "Met?": words.met_text(check, kpi),
        }
        for kpi in strategy.kpis
        for check in kpi.targets
    ]
    return pd.DataFrame(rows, columns=["Indicator", "Period", "Target", "Estimate", "Met?"])


def difference_table(score: Score) -> pd.DataFrame:
    """Differences whose interval excludes zero: what can be told apart at this number of replications."""
    rows = [
        {
            "Indicator": words.KPI_NAMES[d.kpi],
            "Of": d.ours,
            "Compared with": d.theirs,
            "Difference (interval)": interval_text(d.estimate, KPI_MEANINGS[d.kpi].unit),
        }
        for d in score.differences
        if d.estimate.lo is not None and d.estimate.hi is not None and (d.estimate.lo > 0 or d.estimate.hi < 0)
    ]
    return pd.DataFrame(rows, columns=["Indicator", "Of", "Compared with", "Difference (interval)"])


def rows_table(rows: Sequence[tuple[str, ...]], names: tuple[str, ...]) -> pd.DataFrame:
    """Columns of text."""
    return pd.DataFrame(rows, columns=list(names))


def html_table(frame: pd.DataFrame) -> str:
    """The frame as an HTML table, everything escaped."""
    return frame.to_html(index=False, border=0, escape=True, na_rep="", justify="left")


def markdown_table(frame: pd.DataFrame) -> str:
    """The frame as a Markdown table, its columns aligned for readers of the source."""
    rows = [
        list(map(str, frame.columns)),
        *([markdown_cell(value) for value in row] for row in frame.to_numpy().tolist()),
    ]
    widths = [max(3, *(len(row[index]) for row in rows)) for index in range(len(frame.columns))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def markdown_cell(value: object) -> str:
    """Text that stays within its cell of a Markdown table."""
    return str(value).replace("|", "\\|").replace("\n", " ")
