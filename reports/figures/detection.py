"""How soon bad releases are detected: the share detected within so many minutes, per variant and strategy."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from reports.figures import style
from reports.scorecard import Score, StrategyScore
from sim.model.kpis import Kpi

_LONG_MIN = 30.0
_TICKS_MIN = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10000)


class Curve(NamedTuple):
    """Steps of one cell: at ``minutes[i]`` the share of exposed bad releases detected so far rises to ``percent[i]``."""

    label: str
    minutes: tuple[float, ...]
    percent: tuple[float, ...]
    exposed: bool
    """Whether any bad release reached users at all."""


class DetectionInfo(NamedTuple):
    """Curves by variant, and the target in minutes if one is declared."""

    panels: tuple[tuple[str, tuple[Curve, ...]], ...]
    longest_min: float
    target_min: float | None


def info(score: Score) -> DetectionInfo:
    """The detections of all cells; undetected releases keep their curve below 100 %."""
    panels = tuple(
        (variant, tuple(_curve(strategy) for strategy in score.strategies if strategy.variant == variant))
        for variant in style.distinct([strategy.variant for strategy in score.strategies])
    )
    targets = [check.value for s in score.strategies if (check := s.kpi(Kpi.TIME_TO_DETECT).target) is not None]
    found = [minute for _, curves in panels for curve in curves for minute in curve.minutes]
    return DetectionInfo(panels, max([*found, *targets, 1.0]), targets[0] if targets else None)


@style.styled
def draw(found: DetectionInfo) -> Figure:
    """One panel per variant, all with the same axes."""
    count = max(1, len(found.panels))
    figure = Figure(figsize=(3.4 + 3.0 * count, 3.2), layout="constrained")
    grid = figure.subplots(1, count, sharey=True, squeeze=False)
    names = style.distinct([curve.label for _, curves in found.panels for curve in curves])
    for axes, (variant, curves) in zip(grid.flat, found.panels, strict=False):
        _draw_panel(axes, variant, curves, found, names)
    if not found.panels:
        style.empty(grid[0, 0], "nothing was scored")
    grid[0, 0].set_ylabel("exposed bad releases\ndetected, %")
    handles = {line.get_label(): line for axes in grid.flat for line in axes.get_lines() if line.get_gid() == "curve"}
    if handles:
        figure.legend(handles=list(handles.values()), loc="outside right center", frameon=False, fontsize=8)
    return figure


def _curve(strategy: StrategyScore) -> Curve:
    exposed = [detection for detection in strategy.detections if detection.minutes is not None]
    total = sum(detection.weight for detection in exposed)
    steps: dict[float, float] = {}
    share = 0.0
    for detection in sorted((d for d in exposed if d.found), key=lambda d: d.minutes or 0.0):
        share += detection.weight
        steps[detection.minutes or 0.0] = 100 * share / total
    return Curve(strategy.name, tuple(steps), tuple(steps.values()), bool(exposed))


def _draw_panel(axes: Axes, variant: str, curves: tuple[Curve, ...], found: DetectionInfo, names: list[str]) -> None:
    style.plain_axes(axes)
    axes.set_title(variant or "all variants", loc="left", fontweight="bold")
    axes.set_xlabel("minutes since the first request")
    _scale(axes, found.longest_min * 1.05)
    axes.set_ylim(-3, 103)
    for curve in curves:
        if not curve.exposed:
            continue
        index = names.index(curve.label)
        # The first lines are the widest, so that those hidden below later ones still show on both sides.
        width = 1.4 + 1.3 * (len(names) - 1 - index) / max(1, len(names) - 1) * min(3, len(names) - 1)
        x = (0.0, *curve.minutes, found.longest_min * 1.05)
        y = (0.0, *curve.percent, curve.percent[-1] if curve.percent else 0.0)
        axes.step(x, y, where="post", color=style.colour(index), label=style.shorten(curve.label, 28), gid="curve",
                  linewidth=width, linestyle=("-", "--", ":")[index // len(style.SERIES) % 3])  # fmt: skip
    if not any(curve.exposed for curve in curves):
        style.empty(axes, "no bad release\nreached users")
    if found.target_min is not None:
        axes.axvline(found.target_min, color=style.BLACK, linestyle="--", linewidth=0.9)
        axes.annotate(
            f"target {found.target_min:g} min", (found.target_min, -3), (3, 3), textcoords="offset points", fontsize=7,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )  # fmt: skip


def _scale(axes: Axes, longest: float) -> None:
    """Linear to half an hour; beyond, logarithmic after the first minute, so that the first minutes stay readable."""
    if longest > _LONG_MIN:
        axes.set_xscale("symlog", linthresh=1.0, linscale=0.6)
        axes.set_xticks([tick for tick in _TICKS_MIN if tick <= longest])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(0, longest)
