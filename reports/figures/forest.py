"""Paired differences of all indicators: a row each, better on the left, worse on the right."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.diff import words
from reports.diff.card import Diff, Effect, Mark
from reports.figures import style
from reports.scoring import PROPORTIONS
from sim.model.kpis import KPI_MEANINGS

_COLOURS = {
    Mark.WORSE: style.VERMILLION,
    Mark.BETTER: style.GREEN,
    Mark.EQUAL: style.BLACK,
    Mark.LITTLE: style.BLACK,
    Mark.UNDECIDED: style.ORANGE,
    Mark.NO_DATA: style.GREY,
}


class Row(NamedTuple):
    """One indicator: its change as a share (worse is positive), what it was and is, and what can be said of it.

    ``mean``, ``lo`` and ``hi`` are None for no data, ``lo`` and ``hi`` equal to ``mean`` where the interval is unknown.
    """

    name: str
    mean: float | None
    lo: float | None
    hi: float | None
    values: str
    mark: Mark


class ForestInfo(NamedTuple):
    """All rows, from top to bottom."""

    title: str
    rows: tuple[Row, ...]


def info(diff: Diff) -> ForestInfo:
    """Every indicator's difference relative to the larger of both means; that of a share in points."""
    old, new = diff.policies.labels
    return ForestInfo(f"{old} {words.ARROW} {new}", tuple(_row(effect) for effect in diff.effects))


@style.styled
def draw(found: ForestInfo) -> Figure:
    """Dots with intervals around a line at no change, figures beside them."""
    figure = Figure(figsize=(10, 0.9 + 0.3 * max(2, len(found.rows))), layout="constrained")
    axes = figure.subplots()
    style.plain_axes(axes)
    axes.set_title(style.shorten(found.title, 120), loc="left", fontweight="bold")
    axes.axvline(0.0, color=style.BLACK, linewidth=0.9)
    axes.set_yticks(range(len(found.rows)), [row.name for row in found.rows], fontsize=8)
    axes.set_ylim(max(len(found.rows), 1) - 0.5, -0.5)
    for index, row in enumerate(found.rows):
        _draw_row(axes, index, row)
    _scale(axes, found)
    return figure


def _draw_row(axes: Axes, index: int, row: Row) -> None:
    colour = _COLOURS[row.mark]
    if row.mean is not None and row.lo is not None and row.hi is not None:
        axes.plot([row.lo, row.hi], [index, index], color=colour, linewidth=2.2, alpha=0.5, solid_capstyle="butt")
        axes.plot(row.mean, index, "o", color=colour, markersize=5, zorder=3)
    weight = "bold" if row.mark in {Mark.WORSE, Mark.BETTER} else "normal"
    axes.annotate(row.mark.value, (1, index), (8, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                  va="center", fontsize=8, fontweight=weight, annotation_clip=False)  # fmt: skip
    axes.annotate(row.values, (1, index), (95, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                  va="center", fontsize=8, annotation_clip=False)  # fmt: skip


def _scale(axes: Axes, found: ForestInfo) -> None:
    ends = [abs(end) for row in found.rows for end in (row.lo, row.hi) if end is not None]
    reach = min(1.05, 1.15 * max([*ends, 0.05]))
    axes.set_xlim(-reach, reach)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:+.0f} %" if round(100 * value) else "0")
    axes.set_xlabel(
        "better  \N{LEFTWARDS ARROW}  change, as a share of the larger of both means (shares: in points)  "
        "\N{RIGHTWARDS ARROW}  worse",
        fontsize=8,
    )


def _row(effect: Effect) -> Row:
    name, old, new, difference, _ = words.effect_cells(effect)
    values = f"{old} {words.ARROW} {new}"
    if effect.mark not in {Mark.EQUAL, Mark.NO_DATA}:
        values += f",  {difference}"
    mean, lo, hi = effect.difference.mean, effect.difference.lo, effect.difference.hi
    if mean is None:
        return Row(name, None, None, None, values, effect.mark)
    factor = -KPI_MEANINGS[effect.kpi].better / _unit(effect)
    low, high = sorted((factor * (mean if lo is None else lo), factor * (mean if hi is None else hi)))
    return Row(name, factor * mean, low, high, values, effect.mark)


def _unit(effect: Effect) -> float:
    if effect.kpi in PROPORTIONS or KPI_MEANINGS[effect.kpi].unit == "share":
        return 1.0
    estimates = (effect.old.estimate, effect.new.estimate)
    values = [abs(value) for estimate in estimates for value in (estimate.mean,) if value is not None]
    return max(values, default=0.0) or abs(effect.difference.mean or 0.0) or 1.0
