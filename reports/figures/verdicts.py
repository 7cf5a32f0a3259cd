"""How releases end: stacked shares per cell, good and bad releases apart."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from reports.figures import style
from reports.scorecard import Score, StrategyScore
from sim.model.records import Verdict


class Row(NamedTuple):
    """One cell: (verdict, share) in the order of the verdicts, without zeros; empty if the mix has no such release."""

    label: str
    shares: tuple[tuple[Verdict, float], ...]


class VerdictsInfo(NamedTuple):
    """Rows for good and for bad releases, in the score's order."""

    good: tuple[Row, ...]
    bad: tuple[Row, ...]


def info(score: Score) -> VerdictsInfo:
    """The score's verdict shares."""
    return VerdictsInfo(
        tuple(_row(strategy, good=True) for strategy in score.strategies),
        tuple(_row(strategy, good=False) for strategy in score.strategies),
    )


@style.styled
def draw(found: VerdictsInfo) -> Figure:
    """Two panels of stacked bars with the verdicts that occur in a legend above."""
    figure = Figure(figsize=(10, 1.3 + 0.3 * max(2, len(found.good))), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _draw_panel(left, found.good, "good releases")
    _draw_panel(right, found.bad, "bad releases (promoted = missed)")
    left.set_yticks(range(len(found.good)), [style.shorten(row.label, 38) for row in found.good], fontsize=8)
    left.set_ylim(max(len(found.good), 1) - 0.5, -0.5)
    used = {verdict for row in (*found.good, *found.bad) for verdict, _ in row.shares}
    handles = [Patch(color=style.VERDICTS[verdict], label=verdict.value) for verdict in Verdict if verdict in used]
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=8)
    return figure


def _row(strategy: StrategyScore, *, good: bool) -> Row:
    shares = ((v.verdict, v.of_good if good else v.of_bad) for v in strategy.verdicts)
    return Row(strategy.label, tuple((verdict, share) for verdict, share in shares if share))


def _draw_panel(axes: Axes, rows: tuple[Row, ...], title: str) -> None:
    axes.set_title(title, loc="left", fontweight="bold")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, 100)
    axes.set_xlabel("% of these releases", fontsize=8)
    if not any(row.shares for row in rows):
        style.empty(axes, "the mix has no such release")
    for index, row in enumerate(rows):
        left = 0.0
        for verdict, share in row.shares:
            width = 100 * share
            axes.barh(index, width, 0.75, left, color=style.VERDICTS[verdict], edgecolor="white", linewidth=0.6)
            if width >= 9:
                text = f"{verdict.value} {width:.0f}" if width >= 30 else f"{width:.0f}"
                axes.text(left + width / 2, index, text, ha="center", va="center", fontsize=7.5)
            left += width
