"""Operating characteristic curves: how likely each gate aborts, against how bad the release truly is."""

from __future__ import annotations

import textwrap
from math import ceil
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from reports.figures import style
from reports.power import words
from reports.power.card import Dot, GatePower, Power, Whole
from scenarios.power.asking import Axis, AxisKind
from scenarios.power.courses import Method


class Spot(NamedTuple):
    """One simulated point: percent, with the ends of its interval."""

    x: float
    y: float
    lo: float
    hi: float
    apart: bool
    """Whether the closed form lies outside the interval."""


class Panel(NamedTuple):
    """One gate's curve; x as people write it (percent, times, ms), y in percent."""

    title: str
    subtitle: str
    xlabel: str
    logarithmic: bool
    line: tuple[tuple[float, float], ...]
    dashed: bool
    """Whether the line is counted rather than exact."""
    spots: tuple[Spot, ...]
    healthy: float
    bad: float
    limit: float | None
    ends: tuple[float, float] | None
    """Of the x axis; None where nothing says how far it goes."""
    empty: str


class PowerInfo(NamedTuple):
    """Everything the figure shows."""

    title: str
    subtitle: str
    power: float
    """Wanted, percent."""
    false_abort: float
    panels: tuple[Panel, ...]


def info(found: Power) -> PowerInfo:
    """One panel a gate, and one for all of them together on each axis."""
    counted = any(gate.healthy is not None and gate.healthy.method is Method.COUNTED for gate in found.gates)
    wholes = tuple(_whole(whole, dashed=counted) for whole in found.wholes if whole.line or whole.dots)
    return PowerInfo(
        f"{found.subject}: chance that a release is aborted",
        f"{found.rate}; line: closed form (dashed: counted), dots: simulated, with 99 % intervals",
        100 * found.wanted.power,
        100 * found.wanted.false_abort,
        (*wholes, *(_gate(gate) for gate in found.gates)),
    )


def _gate(gate: GatePower) -> Panel:
    requests = f"{words.spread([line.requests for line in gate.steps])} requests a measurement" if gate.steps else ""
    curve = _Curve(gate.axis, gate.line, gate.dots, gate.limit)
    return curve.panel(
        gate.model.name,
        requests or ("closed form only where hardly any request waits" if gate.line else "no closed form"),
        dashed=gate.healthy is not None and gate.healthy.method is Method.COUNTED,
        empty="" if gate.line or gate.dots else (gate.model.reason or "nothing to show"),
    )


def _whole(whole: Whole, *, dashed: bool) -> Panel:
    dots = tuple(Dot(dot.x, dot.aborted, dot.paused.hits, None) for dot in whole.dots)
    curve = _Curve(whole.axis, whole.line, dots, None)
    title = "all gates together, with errors" if whole.axis.kind is AxisKind.ERRORS else "all gates together, slower"
    return curve.panel(title, f"line: {whole.closed} of {whole.of} gates, as if independent", dashed=dashed, empty="")


class _Curve(NamedTuple):
    """A curve on its axis."""

    axis: Axis
    line: tuple[tuple[float, float], ...]
    dots: tuple[Dot, ...]
    limit: float | None

    def panel(self, title: str, subtitle: str, *, dashed: bool, empty: str) -> Panel:
        """The panel, its numbers as people write them."""
        axis, factor = self.axis, 100.0 if self.axis.kind is AxisKind.ERRORS else 1.0
        return Panel(
            title,
            subtitle,
            _xlabel(axis),
            not axis.added,
            tuple((factor * x, 100 * chance) for x, chance in self.line if x > 0 or axis.added),
            dashed,
            tuple(_spot(dot, factor) for dot in self.dots if dot.x > 0 or axis.added),
            factor * axis.healthy,
            factor * axis.bad,
            None if self.limit is None else factor * self.limit,
            self._ends(factor),
            empty,
        )

    def _ends(self, factor: float) -> tuple[float, float] | None:
        xs = [x for x in self.axis.line if x > 0 or self.axis.added]
        return (factor * min(xs), factor * max(xs)) if len(xs) > 1 else None


def _spot(dot: Dot, factor: float) -> Spot:
    found = dot.aborted
    apart = dot.closed is not None and not found.covers(dot.closed)
    return Spot(factor * dot.x, 100 * found.share, 100 * found.bounds.lo, 100 * found.bounds.hi, apart)


def _xlabel(axis: Axis) -> str:
    if axis.kind is AxisKind.ERRORS:
        return "true share of requests with errors, %"
    return "service time, ms longer" if axis.added else "service time, times the healthy one"


@style.styled
def draw(found: PowerInfo) -> Figure:
    """Panels in rows of three."""
    wide = min(3, max(1, len(found.panels)))
    rows = max(1, ceil(len(found.panels) / wide))
    figure = Figure(figsize=(3.9 * wide + 0.4, 0.7 + 2.75 * rows), layout="constrained")
    figure.suptitle(f"{style.shorten(found.title, 110)}\n{found.subtitle}", x=0.01, ha="left", fontsize=9)
    grid = figure.subplots(rows, wide, squeeze=False)
    for index, axes in enumerate(grid.flat):
        if index < len(found.panels):
            _draw(axes, found.panels[index], found)
        else:
            axes.set_axis_off()
    return figure


def _draw(axes: Axes, panel: Panel, found: PowerInfo) -> None:
    style.plain_axes(axes)
    axes.set_title(f"{style.shorten(panel.title, 52)}\n{panel.subtitle}", loc="left", fontsize=8)
    axes.set_ylim(-4, 104)
    axes.set_xlabel(panel.xlabel, fontsize=7.5)
    axes.set_ylabel("aborted, %", fontsize=7.5)
    axes.tick_params(labelsize=7.5)
    if panel.empty:
        axes.set_xticks([])
        style.empty(axes, "\n".join(textwrap.wrap(panel.empty, 34)))
        return
    if panel.logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    _wanted(axes, panel, found)
    if panel.line:
        axes.plot(
            *zip(*panel.line, strict=True), color=style.BLUE, linewidth=1.4, linestyle="--" if panel.dashed else "-"
        )
    for spot in panel.spots:
        colour = style.VERMILLION if spot.apart else style.BLACK
        axes.plot([spot.x, spot.x], [spot.lo, spot.hi], color=colour, linewidth=1.2)
        axes.plot(spot.x, spot.y, "o", color=colour, markersize=3.6)
    if panel.ends is not None:
        axes.set_xlim(*_wider(panel.ends, logarithmic=panel.logarithmic))


def _wider(ends: tuple[float, float], *, logarithmic: bool) -> tuple[float, float]:
    low, high = ends
    share = (high / low) ** 0.04 if logarithmic else 0.04 * (high - low)
    return (low / share, high * share) if logarithmic else (low - share, high + share)


def _wanted(axes: Axes, panel: Panel, found: PowerInfo) -> None:
    """The two releases with what is wanted of them, and the condition's own limit."""
    for x, y, up in ((panel.healthy, found.false_abort, False), (panel.bad, found.power, True)):
        if x > 0 or not panel.logarithmic:
            axes.plot(x, y, "^" if up else "v", color=style.GREEN, markersize=6.5, zorder=4, clip_on=False)
            axes.plot([x, x], [y, 104 if up else -4], color=style.GREEN, linewidth=4, alpha=0.25, solid_capstyle="butt")
            axes.axvline(x, color=style.GREEN, linewidth=0.8, alpha=0.5)
            axes.annotate("bad" if up else "healthy", (x, 4 if up else 96), (-2 if up else 2, 0),
                          textcoords="offset points", rotation=90, fontsize=6.5, color=style.DARK_GREEN,
                          ha="right" if up else "left", va="bottom" if up else "top")  # fmt: skip
    if panel.limit is not None and panel.limit > 0:
        axes.axvline(panel.limit, color=style.ORANGE, linewidth=1.0, linestyle=":")
        axes.annotate("limit", (panel.limit, 4), (-2, 0), textcoords="offset points", rotation=90, fontsize=6.5,
                      color=style.DARK_ORANGE, ha="right", va="bottom")  # fmt: skip
