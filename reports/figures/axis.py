"""The axis of time: minutes, hours or days, and long quiet stretches cut short so that what happened can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from reports.figures import style
from reports.numbers import number

_UNITS = (("seconds", 1 / 60, 3.0), ("minutes", 1.0, 240.0), ("hours", 60.0, 96 * 60.0), ("days", 1440.0, float("inf")))
_CUT = 0.07
"""Width of a cut stretch, as a share of everything that is drawn to scale."""
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 360, 720)
_TICKS = 14


class Axis(NamedTuple):
    """What the axis of time shows: from where to where, in minutes, and which stretches are cut short."""

    span_min: tuple[float, float]
    cuts_min: tuple[tuple[float, float], ...] = ()

    @property
    def unit(self) -> tuple[str, float]:
        """The axis' unit and its minutes; with cuts always minutes, because what is left is short."""
        length = self.span_min[1] - self.span_min[0]
        name, minutes, _ = next(unit for unit in _UNITS[bool(self.cuts_min) :] if self.cuts_min or length < unit[2])
        return name, minutes

    def pieces(self) -> list[tuple[float, float]]:
        """What is drawn to scale."""
        edges = [self.span_min[0], *(edge for cut in self.cuts_min for edge in cut), self.span_min[1]]
        return list(zip(edges[::2], edges[1::2], strict=True))


def apply(axes: Axes, axis: Axis, cut: str = "a soak") -> None:
    """Give the axes (and those that share theirs) this axis of time, with its label; ``cut`` says what is cut short."""
    if axis.cuts_min:
        _cut(axes, axis)
        axes.set_xlabel(f"time since the release was applied; between the dotted lines {cut}, not to scale")
    else:
        name, minutes = axis.unit
        axes.xaxis.set_major_locator(_InUnits(minutes))
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{value / minutes:g}".replace("-", "\N{MINUS SIGN}"))
        )
        axes.set_xlabel(f"{name} since the release was applied")
    axes.set_xlim(*axis.span_min)


def shade_cuts(axes: Axes, axis: Axis) -> None:
    """Mark the stretches that are cut short."""
    for start, end in axis.cuts_min:
        axes.axvspan(start, end, color=style.LIGHT, alpha=0.5, linewidth=0)
        for edge in (start, end):
            axes.axvline(edge, color=style.GREY, linestyle=":", linewidth=0.8)


def name_cuts(axes: Axes, axis: Axis, what: str = "soak") -> None:
    """Say in the marked stretches how long they really are."""
    for start, end in axis.cuts_min:
        middle = (position(axis, start) + position(axis, end)) / 2
        axes.text(middle, 0.5, f"{what}\n{number(end - start, 'min')}", transform=axes.transAxes, ha="center", va="center",
                  fontsize=7.5, color=style.GREY)  # fmt: skip


def position(axis: Axis, minute: float) -> float:
    """Where a minute lies, as a share of the axis' width."""
    real, drawn = _scale(axis)
    return float(np.interp(minute, real, drawn))


class _InUnits(MaxNLocator):
    """Round numbers of the unit, on an axis of minutes."""

    def __init__(self, minutes: float) -> None:
        super().__init__(12, steps=[1, 2, 3, 5, 6, 10])
        self._minutes = minutes

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        ticks = super().tick_values(vmin / self._minutes, vmax / self._minutes)
        return [float(tick) * self._minutes for tick in ticks]


def _scale(axis: Axis) -> tuple[list[float], list[float]]:
    """Minutes and where they are drawn (0 to 1), piece by piece."""
    lengths = [end - start for start, end in axis.pieces()]
    gap = _CUT * sum(lengths)
    real, drawn, at = [], [], 0.0
    for (start, end), length in zip(axis.pieces(), lengths, strict=True):
        real += [start, end]
        drawn += [at, at + length]
        at += length + gap
    return real, [value / drawn[-1] for value in drawn]


def _cut(axes: Axes, axis: Axis) -> None:
    real, drawn = _scale(axis)

    def forward(minutes: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(np.interp(np.asarray(minutes, dtype=float), real, drawn))

    def backward(places: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(np.interp(np.asarray(places, dtype=float), drawn, real))

    axes.set_xscale("function", functions=(forward, backward))
    total = sum(end - start for start, end in axis.pieces())
    step = next((step for step in _STEPS if total / step <= _TICKS), _STEPS[-1])
    ticks: dict[float, str] = {}
    for start, end in axis.pieces():
        zero = max(start, 0.0)
        ticks[zero] = _since(zero)
        for index in range(1, int((end - zero) / step) + 1):
            if position(axis, zero + index * step) - position(axis, zero) > _CUT:
                ticks[zero + index * step] = f"+{index * step} min"
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.set_xticks(list(ticks), list(ticks.values()), fontsize=7.5)
    axes.xaxis.set_minor_locator(FixedLocator([]))


def _since(minutes: float) -> str:
    """The start of a piece: hours and minutes, below the day."""
    days, rest = divmod(round(minutes), 1440)
    return f"day {days}\n{rest // 60}:{rest % 60:02d}" if days else f"{rest // 60}:{rest % 60:02d}"
