"""Indicators side by side: one small panel each, one row per cell, with interval and target."""

from __future__ import annotations

from math import ceil, floor, inf, log10
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports import words
from reports.figures import style
from reports.scorecard import KpiScore, Score, StrategyScore
from reports.scoring import PROPORTIONS
from sim.model.kpis import KPI_MEANINGS, Kpi

_COLUMNS = 3


class Bar(NamedTuple):
    """One cell's estimate; ``lo`` and ``hi`` equal to ``mean`` where the interval is unknown, all None for no data."""

    mean: float | None
    lo: float | None
    hi: float | None
    lower_bound: bool


class Goal(NamedTuple):
    """A target's line; ``now`` for the one that counts."""

    value: float
    text: str
    now: bool


class Panel(NamedTuple):
    """One indicator."""

    title: str
    bars: tuple[Bar, ...]
    goals: tuple[Goal, ...]
    better: str
    most: float
    """The largest value there can be."""


class ComparisonInfo(NamedTuple):
    """All panels; ``labels`` and ``variants`` name the rows, in order."""

    labels: tuple[str, ...]
    variants: tuple[str, ...]
    panels: tuple[Panel, ...]


def info(score: Score, *, only_targets: bool) -> ComparisonInfo:
    """The score's indicators that have a target (or, if not ``only_targets``, the others that have any estimate)."""
    first = score.strategies[0].kpis if score.strategies else ()
    return ComparisonInfo(
        tuple(strategy.label for strategy in score.strategies),
        tuple(strategy.variant for strategy in score.strategies),
        tuple(_panel(score.strategies, kpi.kpi) for kpi in first if _shown(score, kpi.kpi, only_targets=only_targets)),
    )


@style.styled
def draw(found: ComparisonInfo) -> Figure:
    """Small multiples, three in a row, the rows' names on the left."""
    columns = min(_COLUMNS, max(1, len(found.panels)))
    rows = max(1, ceil(len(found.panels) / columns))
    height = 1.05 + 0.24 * max(2, len(found.labels))
    figure = Figure(figsize=(2.0 + 2.9 * columns, rows * height + 0.4), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    panels = [*found.panels, *[None] * (rows * columns - len(found.panels))]
    variants = style.distinct(found.variants)
    for axes, panel in zip(grid.flat, panels, strict=True):
        if panel is None:
            axes.set_visible(False)
        else:
            _draw_panel(axes, panel, [style.colour(variants.index(variant)) for variant in found.variants])
    for axes in grid[:, 0]:
        axes.set_yticks(range(len(found.labels)), [style.shorten(label, 38) for label in found.labels], fontsize=8)
    grid[0, 0].set_ylim(len(found.labels) - 0.5, -0.5)
    if not found.panels:
        grid[0, 0].set_visible(True)
        style.empty(grid[0, 0], "no indicator has a target")
    return figure


def _shown(score: Score, kpi: Kpi, *, only_targets: bool) -> bool:
    cells = [strategy.kpi(kpi) for strategy in score.strategies]
    targeted = any(cell.targets for cell in cells)
    return targeted if only_targets else not targeted and any(cell.estimate.mean is not None for cell in cells)


def _panel(strategies: tuple[StrategyScore, ...], kpi: Kpi) -> Panel:
    meaning, cells = KPI_MEANINGS[kpi], [strategy.kpi(kpi) for strategy in strategies]
    percent = meaning.unit == "share"
    goals = {(check.value, check.period, check == cell.target) for cell in cells for check in cell.targets}
    factor = 100.0 if percent else 1.0
    return Panel(
        words.KPI_NAMES[kpi] + {"requests": ""}.get(meaning.unit, f", {'%' if percent else meaning.unit}"),
        tuple(_bar(cell, factor) for cell in cells),
        tuple(sorted(Goal(value * factor, period, now) for value, period, now in goals)),
        "less is better" if meaning.better < 0 else "more is better",
        100.0 if kpi in PROPORTIONS else inf,
    )


def _bar(cell: KpiScore, factor: float) -> Bar:
    mean, lo, hi = cell.estimate.mean, cell.estimate.lo, cell.estimate.hi
    if mean is None:
        return Bar(None, None, None, lower_bound=False)
    low, high = (mean if lo is None else lo), (mean if hi is None else hi)
    return Bar(mean * factor, low * factor, high * factor, cell.lower_bounds > 0)


def _draw_panel(axes: Axes, panel: Panel, colours: list[str]) -> None:
    style.plain_axes(axes)
    goals = " | ".join(
        f"{'- -' if goal.now else '· ·'} {goal.text}: {goal.value:g}"
        for goal in sorted(panel.goals, key=lambda goal: not goal.now)
    )
    axes.set_title(panel.title + ("\n" if panel.goals else ""), loc="left", fontweight="bold")
    axes.annotate(goals, (0, 1), (0, 4), xycoords="axes fraction", textcoords="offset points", fontsize=7, va="bottom")
    for goal in panel.goals:
        colour, dashes, width = (style.BLACK, "--", 1.1) if goal.now else (style.GREY, ":", 0.9)
        axes.axvline(goal.value, color=colour, linestyle=dashes, linewidth=width)
    _scale(axes, panel)
    for row, (bar, colour) in enumerate(zip(panel.bars, colours, strict=True)):
        if bar.mean is None or bar.lo is None or bar.hi is None:
            axes.text(0.03, row, "n/a", transform=axes.get_yaxis_transform(), va="center", fontsize=7, color=style.GREY,
                      backgroundcolor="white")  # fmt: skip
            continue
        axes.plot([bar.lo, bar.hi], [row, row], color=colour, linewidth=2.2, alpha=0.45, solid_capstyle="butt")
        axes.plot(bar.mean, row, ">" if bar.lower_bound else "o", color=colour, markersize=5, clip_on=False, zorder=3)
    axes.set_xlabel(panel.better, fontsize=7, color=style.GREY, loc="right")
    axes.tick_params(axis="x", labelsize=7.5)


def _scale(axes: Axes, panel: Panel) -> None:
    """From zero to a little above the largest mean or target, which a long interval may leave.

    Linear, unless positive values differ more than fiftyfold: then logarithmic above the smallest of them.
    """
    values = [bar.mean for bar in panel.bars if bar.mean is not None] + [goal.value for goal in panel.goals]
    positive = [value for value in values if value > 0]
    if positive and min(values) >= 0 and max(values) > 50 * min(positive):
        least = 10.0 ** floor(log10(min(positive)))
        axes.set_xscale("symlog", linthresh=least, linscale=0.4)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlim(0 if min(values) == 0 else least, max(values) * 2)
        return
    low, high = min([0.0, *values]), max([0.0, *values])
    axes.set_xlim(low * 1.4, min(high * 1.4, panel.most * 1.03) if high > 0 else 1)
    axes.xaxis.set_major_locator(MaxNLocator(5))
