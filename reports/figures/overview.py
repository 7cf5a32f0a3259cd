"""Every scenario of a comparison: when both worlds decided, how far apart that is allowed to be, and what they decided."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reports.figures import style
from reports.verify import words
from reports.verify.card import Answer, Verification
from reports.verify.thresholds import TimeLimit
from sim.model.records import Verdict

_ANSWERS = {
    Answer.PASS: style.DARK_GREEN,
    Answer.FAIL: style.VERMILLION,
    Answer.UNDECIDED: style.DARK_ORANGE,
    Answer.NOT_ASKED: style.GREY,
}


class Row(NamedTuple):
    """One cluster run beside the twin's replications that decided alike; None where either has no time."""

    label: str
    near: bool
    verdict: Verdict
    same: bool
    """Whether most of the twin's replications have this verdict."""
    answer: Answer
    cluster_s: float | None
    twin_s: float | None
    low_s: float | None
    high_s: float | None


class OverviewInfo(NamedTuple):
    """All rows in the comparison's order, and what was allowed."""

    title: str
    rows: tuple[Row, ...]
    limit: TimeLimit
    longest_s: float


def info(found: Verification) -> OverviewInfo:
    """Every cluster run of a comparison."""
    rows = tuple(
        Row(
            words.name_text(pairing.pairing),
            pairing.pairing.near,
            run.run.facts.decision.verdict,
            run.same_verdict,
            run.answer,
            run.run.facts.decided_s,
            None if run.time is None else run.time.twin_s,
            None if run.time is None else run.time.low_s,
            None if run.time is None else run.time.high_s,
        )
        for pairing, run in found.runs
    )
    times = [time for row in rows for time in (row.cluster_s, row.high_s) if time is not None]
    title = f"Verdict {words.agreement_text(found.verdicts)}"
    return OverviewInfo(title, rows, found.thresholds.time, max([30.0, *times]))


@style.styled
def draw(found: OverviewInfo) -> Figure:
    """Left: a row a run. Right: the twin's times against the cluster's, with the line of identity and what is allowed."""
    figure = Figure(figsize=(11, max(4.2, 1.4 + 0.23 * len(found.rows))), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
    figure.suptitle(found.title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    _draw_rows(left, found)
    _draw_times(right, found)
    verdicts = [verdict for verdict in Verdict if any(row.verdict is verdict for row in found.rows)]
    handles = [_handle(style.VERDICTS[verdict], "o", f"cluster: {verdict.value}") for verdict in verdicts]
    handles += [
        Line2D([], [], color=style.BLUE, linewidth=2.4, alpha=0.5, marker="|", markersize=8, label="twin: median, 90 %")
    ]
    handles += [
        _handle(style.GREY, "X", "other verdict than the twin's commonest"),
        _handle(style.GREY, "D", "near a threshold"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return figure


def _handle(colour: str, marker: str, label: str) -> Line2D:
    return Line2D([], [], color=colour, marker=marker, linestyle="", markersize=6, markeredgecolor=style.BLACK,
                  markeredgewidth=0.4, label=label)  # fmt: skip


def _marker(row: Row) -> str:
    return "X" if not row.same else "D" if row.near else "o"


def _draw_rows(axes: Axes, found: OverviewInfo) -> None:
    style.plain_axes(axes)
    axes.set_title("time to decision, seconds", loc="left")
    for at, row in enumerate(found.rows):
        if row.low_s is not None and row.high_s is not None and row.twin_s is not None:
            allowed = found.limit.of(row.twin_s)
            axes.barh(at, 2 * allowed, 0.78, row.twin_s - allowed, color=style.LIGHT, alpha=0.6, zorder=0)
            axes.plot([row.low_s, row.high_s], [at, at], color=style.BLUE, linewidth=2.4, alpha=0.5)
            axes.plot([row.twin_s], [at], "|", color=style.BLUE, markersize=9)
        if row.cluster_s is not None:
            axes.plot([row.cluster_s], [at], _marker(row), color=style.VERDICTS[row.verdict], markersize=6,
                      markeredgecolor=style.BLACK, markeredgewidth=0.4, zorder=3)  # fmt: skip
        else:
            axes.text(0.02, at, "not decided within the run", transform=axes.get_yaxis_transform(), va="center",
                      fontsize=7.5, color=style.GREY)  # fmt: skip
        axes.text(1.01, at, row.answer.value, transform=axes.get_yaxis_transform(), va="center", fontsize=7.5,
                  color=_ANSWERS[row.answer])  # fmt: skip
    axes.set_yticks(range(len(found.rows)), [style.shorten(row.label, 36) for row in found.rows], fontsize=7.5)
    axes.set_ylim(len(found.rows) - 0.5, -0.5)
    axes.set_xlim(0, 1.06 * found.longest_s)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("grey: what is allowed around the twin's median")


def _draw_times(axes: Axes, found: OverviewInfo) -> None:
    style.plain_axes(axes)
    axes.set_title("the same, twin against cluster", loc="left")
    most = 1.06 * found.longest_s
    twin = np.linspace(0, most, 200)
    allowed = np.array([found.limit.of(value) for value in twin])
    axes.fill_betweenx(twin, twin - allowed, twin + allowed, color=style.LIGHT, alpha=0.6, linewidth=0)
    axes.plot([0, most], [0, most], color=style.GREY, linewidth=0.9)
    for row in found.rows:
        if row.cluster_s is None or row.twin_s is None or row.low_s is None or row.high_s is None:
            continue
        axes.plot([row.cluster_s] * 2, [row.low_s, row.high_s], color=style.BLUE, linewidth=1.4, alpha=0.5)
        axes.plot([row.cluster_s], [row.twin_s], _marker(row), color=style.VERDICTS[row.verdict], markersize=6,
                  markeredgecolor=style.BLACK, markeredgewidth=0.4, zorder=3)  # fmt: skip
    axes.set_xlim(0, most)
    axes.set_ylim(0, most)
    axes.set_box_aspect(1)
    axes.set_anchor("N")
    axes.set_xlabel("cluster, seconds")
    axes.set_ylabel("twin's median, seconds")
