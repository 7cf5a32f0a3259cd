"""Paired differences to the baseline: one small panel an indicator, one row a setting."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports import words
from reports.diff.card import Mark
from reports.figures import style
from reports.statistics import Estimate
from reports.study.card import Row, StudyCard
from sim.model.kpis import KPI_MEANINGS, Kpi

_COLUMNS = 3
COLOURS = {
    Mark.WORSE: style.VERMILLION,
    Mark.BETTER: style.GREEN,
    Mark.EQUAL: style.BLACK,
    Mark.LITTLE: style.BLACK,
    Mark.UNDECIDED: style.ORANGE,
    Mark.NO_DATA: style.GREY,
}


class Bar(NamedTuple):
    """One setting; ``lo`` and ``hi`` equal to ``mean`` where the interval is unknown, all None for no data."""

    mean: float | None
    lo: float | None
    hi: float | None
    mark: Mark | None
    """None for a value rather than a difference."""


class Panel(NamedTuple):
    """One indicator, in the unit that its title names."""

    title: str
    bars: tuple[Bar, ...]
    better: str


class DifferencesInfo(NamedTuple):
    """All panels; ``labels`` name the rows. ``zero`` is drawn where differences are shown."""

    title: str
    labels: tuple[str, ...]
    panels: tuple[Panel, ...]
    zero: bool


def info(card: StudyCard) -> DifferencesInfo:
    """Every setting's difference to the baseline; of a single setting its values."""
    zero = len(card.rows) > 1
    rows = [row for index, row in enumerate(card.rows) if index != card.baseline or not zero]
    panels = tuple(_panel(rows, kpi, zero=zero) for kpi in card.shown if card.measured(kpi))
    title = f"Difference to {card.rows[card.baseline].setting.label}" if zero else card.title
    return DifferencesInfo(title, tuple(row.setting.label for row in rows), panels, zero)


@style.styled
def draw(found: DifferencesInfo) -> Figure:
    """Dots with intervals around a line at no difference, three panels in a row."""
    columns = min(_COLUMNS, max(1, len(found.panels)))
    rows = max(1, ceil(len(found.panels) / columns))
    height = 1.0 + 0.26 * max(2, len(found.labels))
    figure = Figure(figsize=(2.4 + 2.9 * columns, rows * height + 0.5), layout="constrained")
    figure.suptitle(style.shorten(found.title, 110), x=0.01, ha="left", fontweight="bold")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    panels = [*found.panels, *[None] * (rows * columns - len(found.panels))]
    for axes, panel in zip(grid.flat, panels, strict=True):
        if panel is None:
            axes.set_visible(False)
        else:
            _draw_panel(axes, panel, zero=found.zero)
    for axes in grid[:, 0]:
        axes.set_yticks(range(len(found.labels)), [style.shorten(label, 44) for label in found.labels], fontsize=8)
    grid[0, 0].set_ylim(len(found.labels) - 0.5, -0.5)
    if not found.panels:
        grid[0, 0].set_visible(True)
        style.empty(grid[0, 0], "no replication has any of the indicators")
    return figure


def _draw_panel(axes: Axes, panel: Panel, *, zero: bool) -> None:
    style.plain_axes(axes)
    axes.set_title(panel.title, loc="left", fontsize=9)
    if zero:
        axes.axvline(0.0, color=style.BLACK, linewidth=0.9)
    for index, bar in enumerate(panel.bars):
        colour = style.BLACK if bar.mark is None else COLOURS[bar.mark]
        if bar.mean is None or bar.lo is None or bar.hi is None:
            axes.text(0.03, index, "n/a", transform=axes.get_yaxis_transform(), va="center", fontsize=7, color=style.GREY,
                      backgroundcolor="white")  # fmt: skip
            continue
        axes.plot([bar.lo, bar.hi], [index, index], color=colour, linewidth=2.2, alpha=0.5, solid_capstyle="butt")
        axes.plot(bar.mean, index, "o", color=colour, markersize=5, zorder=3)
    ends = [end for bar in panel.bars for end in (bar.lo, bar.hi) if end is not None] or [0.0]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    margin = 0.08 * (high - low) or 1.0
    axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel(panel.better, fontsize=7, color=style.GREY, loc="right")
    axes.tick_params(axis="x", labelsize=7.5)


def _panel(rows: list[Row], kpi: Kpi, *, zero: bool) -> Panel:
    meaning = KPI_MEANINGS[kpi]
    share = meaning.unit == "share"
    unit = {"requests": "", "share": "points" if zero else "%"}.get(meaning.unit, meaning.unit)
    less, more = ("better", "worse") if meaning.better < 0 else ("worse", "better")
    arrows = f"{less} \N{LEFTWARDS ARROW}   \N{RIGHTWARDS ARROW} {more}"
    return Panel(
        words.KPI_NAMES[kpi] + (f", {unit}" if unit else ""),
        tuple(_bar(row, kpi, 100.0 if share else 1.0) for row in rows),
        arrows if zero else f"{'less' if meaning.better < 0 else 'more'} is better",
    )


def _bar(row: Row, kpi: Kpi, factor: float) -> Bar:
    item = row.difference(kpi)
    estimate: Estimate = row.kpi(kpi).estimate if item is None else item.effect.difference
    mark = None if item is None else item.effect.mark
    if estimate.mean is None:
        return Bar(None, None, None, mark)
    lo, hi = (estimate.mean if end is None else end for end in (estimate.lo, estimate.hi))
    return Bar(estimate.mean * factor, lo * factor, hi * factor, mark)
