"""All settings tried by their first two objectives: the front, the knee, the policy as written, and both on fresh releases."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures import style
from reports.numbers import scale
from reports.statistics import Estimate
from reports.tune import words
from reports.tune.card import Fate, Tried, Tuning
from reports.tune.measures import Objective

_WIDE = 20
"""Largest over smallest value from which on an axis is logarithmic."""


class Spot(NamedTuple):
    """A setting: both objectives as shown."""

    x: float
    y: float


class Cross(NamedTuple):
    """An estimate of both objectives with its intervals, on held-out releases."""

    x: float
    y: float
    x_ends: tuple[float, float]
    y_ends: tuple[float, float]


class Scatter(NamedTuple):
    """Everything that is drawn; units are in the labels."""

    title: str
    x_label: str
    y_label: str
    infeasible: tuple[Spot, ...]
    stopped: tuple[Spot, ...]
    """Feasible so far, and stopped because another is better."""
    feasible: tuple[Spot, ...]
    front: tuple[Spot, ...]
    knee: Spot | None
    written: Spot | None
    held_written: Cross | None
    held_knee: Cross | None
    x_limit: float | None
    """The constraint on what the axis shows, if there is one."""
    y_limit: float | None
    x_log: bool
    y_log: bool


def info(tuning: Tuning) -> Scatter:
    """By the first two objectives; by the first alone, in the order of trying, where there is one."""
    axes = _Axes(tuning)
    front = {one.index for one in tuning.front}
    others = [one for one in tuning.tried if one.index not in front]
    feasible = [one for one in others if one.feasible]
    return Scatter(
        title=tuning.asked.title,
        x_label=axes.label(0),
        y_label=axes.label(1),
        infeasible=axes.spots([one for one in others if not one.feasible]),
        stopped=axes.spots([one for one in feasible if one.fate is Fate.DOMINATED]),
        feasible=axes.spots([one for one in feasible if one.fate is Fate.COMPLETE]),
        front=axes.spots(list(tuning.front)),
        knee=axes.spot(tuning.knee),
        written=axes.spot(tuning.written),
        held_written=axes.cross("before"),
        held_knee=axes.cross("after"),
        x_limit=axes.limit(0),
        y_limit=axes.limit(1),
        x_log=axes.is_wide(0),
        y_log=axes.is_wide(1),
    )


class _Axes:
    """Two objectives and the units they are shown in."""

    def __init__(self, tuning: Tuning) -> None:
        self.tuning = tuning
        self.objectives: list[Objective] = list(tuning.asked.objectives[:2])
        self.scales = [self._scale(place) for place in range(len(self.objectives))]

    def _scale(self, place: int) -> tuple[float, str]:
        every = [*self.tuning.tried, self.tuning.written]
        means = [e.mean for one in every for e in one.objectives[place : place + 1] if e.mean is not None]
        middle = sorted(abs(mean) for mean in means)[len(means) // 2] if means else 0.0
        found = scale(middle, self.objectives[place].measure.unit)
        return found.factor, found.unit

    def label(self, place: int) -> str:
        if place >= len(self.objectives):
            return "setting"
        unit = self.scales[place][1]
        better = "more" if self.objectives[place].maximise else "less"
        return f"{words.name_of(self.objectives[place])}{f', {unit}' if unit else ''} ({better} is better)"

    def spot(self, one: Tried | None) -> Spot | None:
        if one is None or not one.objectives:
            return None
        values = [estimate.mean for estimate in one.objectives[:2]]
        shown = [None if v is None else v * factor for v, (factor, _) in zip(values, self.scales, strict=True)]
        x, y = shown[0], shown[1] if len(shown) > 1 else float(one.index)
        return None if x is None or y is None else Spot(x, y)

    def spots(self, several: list[Tried]) -> tuple[Spot, ...]:
        return tuple(spot for one in several if (spot := self.spot(one)) is not None)

    def cross(self, side: str) -> Cross | None:
        held = self.tuning.held_out
        if held is None or len(self.objectives) < 2:
            return None
        rows = {row.measure: row for row in held.rows}
        ends = [self._ends(getattr(rows[item.measure], side), place) for place, item in enumerate(self.objectives)]
        first, second = ends
        if first is None or second is None:
            return None
        return Cross(first[0], second[0], first[1], second[1])

    def _ends(self, estimate: Estimate, place: int) -> tuple[float, tuple[float, float]] | None:
        if estimate.mean is None:
            return None
        factor = self.scales[place][0]
        low = estimate.mean if estimate.lo is None else estimate.lo
        high = estimate.mean if estimate.hi is None else estimate.hi
        return estimate.mean * factor, (low * factor, high * factor)

    def is_wide(self, place: int) -> bool:
        """Whether the values need a logarithmic axis to be told apart, and can have one."""
        every = [*self.tuning.tried, self.tuning.written]
        means = [e.mean for one in every for e in one.objectives[place : place + 1] if e.mean is not None]
        return place < len(self.objectives) and bool(means) and 0 < _WIDE * min(means) < max(means)

    def limit(self, place: int) -> float | None:
        if place >= len(self.objectives):
            return None
        found = [c.limit for c in self.tuning.asked.constraints if c.measure == self.objectives[place].measure]
        return found[0] * self.scales[place][0] if found else None


@style.styled
def draw(found: Scatter) -> Figure:
    """Dots for settings, a stepped line through the front, a star for the knee, crosses for held-out releases."""
    figure = Figure(figsize=(8.5, 5.2), layout="constrained")
    axes = figure.subplots()
    style.plain_axes(axes)
    axes.set_title(style.shorten(found.title, 110), loc="left", fontweight="bold")
    axes.set_xscale("log" if found.x_log else "linear")
    axes.set_yscale("log" if found.y_log else "linear")
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_formatter(lambda value, _: f"{value:g}")
            axis.set_minor_formatter(lambda *_: "")
    axes.set_xlabel(found.x_label)
    axes.set_ylabel(found.y_label)
    _settings(axes, found)
    _limits(axes, found)
    _held_out(axes, found)
    if not axes.has_data():
        style.empty(axes, "no setting came to an end")
    elif axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=8, framealpha=0.9, loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False)
    return figure


def _settings(axes: Axes, found: Scatter) -> None:
    kinds = (
        ("breaks a constraint", found.infeasible, "x", style.GREY, 22),
        ("bettered early", found.stopped, "o", style.LIGHT, 22),
        ("feasible", found.feasible, "o", style.SKY, 26),
        ("front", found.front, "o", style.BLUE, 34),
    )
    for label, spots, marker, colour, size in kinds:
        if spots:
            xs, ys = zip(*spots, strict=True)
            axes.scatter(xs, ys, s=size, marker=marker, color=colour, label=label, zorder=2.5, linewidths=0.9)
    if len(found.front) > 1:
        xs, ys = zip(*sorted(found.front), strict=True)
        axes.step(xs, ys, where="post", color=style.BLUE, linewidth=1.0, alpha=0.6, zorder=2.2)
    if found.written is not None:
        axes.scatter(*found.written, s=70, marker="s", color=style.VERMILLION, label="as written", zorder=3)
    if found.knee is not None:
        axes.scatter(*found.knee, s=150, marker="*", color=style.GREEN, label="chosen", zorder=3.2)


def _limits(axes: Axes, found: Scatter) -> None:
    if found.x_limit is not None:
        axes.axvline(found.x_limit, color=style.BLACK, linewidth=0.9, linestyle="--", label="constraint")
    if found.y_limit is not None:
        label = None if found.x_limit is not None else "constraint"
        axes.axhline(found.y_limit, color=style.BLACK, linewidth=0.9, linestyle="--", label=label)


def _held_out(axes: Axes, found: Scatter) -> None:
    sides = (("as written", found.held_written, style.VERMILLION), ("chosen", found.held_knee, style.GREEN))
    for name, cross, colour in sides:
        if cross is not None:
            axes.plot(cross.x_ends, (cross.y, cross.y), color=colour, linewidth=1.6, zorder=3.5,
                      label=f"{name}, held-out interval")  # fmt: skip
            axes.plot((cross.x, cross.x), cross.y_ends, color=colour, linewidth=1.6, zorder=3.5)
