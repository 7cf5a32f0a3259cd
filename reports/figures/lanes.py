"""Gates in lanes: when each watches, when it measures, between which instants it aborts a failing version."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reports.figures import style
from sim.timetable import Ability, Gate, Timetable

_MOST_LANES = 10
_MOST_TICKS, _MOST_MEASURED = 150, 50_000


class Bar(NamedTuple):
    """One gate's watch: from when to when, when it measures, and between which instants it aborts a failing version."""

    lane: str
    start_min: float
    end_min: float
    ticks_min: tuple[float, ...]
    abort_min: tuple[float | None, float | None]
    able: bool
    unlimited: bool


class Lanes(NamedTuple):
    """The lanes from top to bottom, their bars, and how many lanes there is no room for."""

    names: tuple[str, ...]
    bars: tuple[Bar, ...]
    left_out: int


def info(found: Timetable, end_min: float, cuts: Sequence[tuple[float, float]]) -> Lanes:
    """What there is to draw of a timetable's gates, up to ``end_min``, without what is cut out of the axis."""
    bars = tuple(_without(bar, cuts) for bar in _bars(found, end_min))
    names = style.distinct([bar.lane for bar in bars])
    return Lanes(tuple(names), bars, len({_lane(gate, found) for gate in _shown(found)}) - len(names))


def draw(axes: Axes, found: Lanes) -> None:
    """A bar for each watch, ticks for its measurements, an arrow and a cross for its aborts."""
    style.plain_axes(axes)
    if not found.bars:
        style.empty(axes, "no gate: nothing measures")
        axes.set_yticks([])
        return
    rows = {lane: len(found.names) - 1 - index for index, lane in enumerate(found.names)}
    axes.set_yticks(list(rows.values()), [style.shorten(lane, 24) for lane in rows], fontsize=7)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    for bar in found.bars:
        _draw_bar(axes, bar, rows[bar.lane])
    if found.left_out:
        axes.set_title(f"{found.left_out} more are not drawn", fontsize=7.5, color=style.GREY, loc="right")
    axes.legend(handles=_keys(), loc="center left", bbox_to_anchor=(1.005, 0.5), fontsize=8, frameon=False,
                handlelength=1.6)  # fmt: skip


def _without(bar: Bar, cuts: Sequence[tuple[float, float]]) -> Bar:
    """The bar without the measurements that nobody could tell apart."""
    kept = tuple(tick for tick in bar.ticks_min if not any(start < tick < end for start, end in cuts))
    return bar._replace(ticks_min=kept[:: max(1, ceil(len(kept) / _MOST_TICKS))])


def _shown(found: Timetable) -> list[Gate]:
    return [gate for gate in found.gates if gate.start.earliest_s is not None]


def _bars(found: Timetable, end_min: float) -> tuple[Bar, ...]:
    """A lane for each metric that runs through the steps, and one for each step whose metrics run within it."""
    lanes: dict[str, list[Gate]] = {}
    for gate in _shown(found):
        lanes.setdefault(_lane(gate, found), []).append(gate)
    return tuple(bar for lane in list(lanes)[:_MOST_LANES] for bar in _lane_bars(lane, lanes[lane], end_min))


def _lane(gate: Gate, found: Timetable) -> str:
    if not gate.where.startswith("step"):
        return gate.name
    metrics = [other.name for other in _shown(found) if other.where == gate.where]
    return f"{gate.where}: {gate.name if len(metrics) == 1 else f'{len(metrics)} metrics'}"


def _lane_bars(lane: str, gates: Sequence[Gate], end_min: float) -> list[Bar]:
    """The gates' common bar, with the first abort that one of them can cause; one a gate where they differ in place."""
    bars = [_bar(gate, end_min)._replace(lane=lane) for gate in gates]
    if len({gate.where for gate in gates}) > 1:
        return bars
    lows = [low for bar in bars if (low := bar.abort_min[0]) is not None]
    highs = [high for bar in bars if (high := bar.abort_min[1]) is not None]
    ticks = tuple(sorted({tick for bar in bars for tick in bar.ticks_min}))
    return [
        Bar(
            lane,
            min(bar.start_min for bar in bars),
            max(bar.end_min for bar in bars),
            ticks,
            (min(lows, default=None), min(highs, default=None)),
            any(bar.able for bar in bars),
            any(bar.unlimited for bar in bars),
        )
    ]


def _bar(gate: Gate, end_min: float) -> Bar:
    last_s = gate.end.latest_s if gate.end.latest_s is not None else gate.end.earliest_s
    over_min = end_min if last_s is None else last_s / 60
    lowest = None if gate.earliest_abort_s is None else gate.earliest_abort_s / 60
    highest = None if gate.bound_s is None else gate.bound_s / 60
    return Bar(
        gate.name,
        (gate.start.earliest_s or 0.0) / 60,
        over_min,
        _ticks(gate, over_min),
        (lowest, highest),
        able=gate.ability is not Ability.NEVER,
        unlimited=gate.measurements is None and gate.interval_s is not None,
    )


def _ticks(gate: Gate, over_min: float) -> tuple[float, ...]:
    """When it measures at its fastest."""
    if gate.first_measurement_s is None:
        return ()
    first, every = gate.first_measurement_s / 60, (gate.interval_s or 0.0) / 60
    if not every:
        return (first,)
    room = max(0, ceil((over_min - first) / every))
    count = min(room, _MOST_MEASURED if gate.measurements is None else gate.measurements)
    return tuple(first + index * every for index in range(max(count, 1)))


def _draw_bar(axes: Axes, bar: Bar, y: float) -> None:
    colour = style.GREEN if bar.able else style.GREY
    hatch = "////" if bar.unlimited else None
    axes.barh(y, bar.end_min - bar.start_min, left=bar.start_min, height=0.5, color=colour, alpha=0.22,
              hatch=hatch, edgecolor=colour, linewidth=0)  # fmt: skip
    axes.plot(bar.ticks_min, [y] * len(bar.ticks_min), "|", color=colour, markersize=6, markeredgewidth=0.8)
    low, high = bar.abort_min
    if low is not None and high is not None and high > low:
        axes.plot([low, high], [y, y], color=style.VERMILLION, linewidth=2.2, solid_capstyle="butt")
    if low is not None:
        axes.plot([low], [y], ">", color=style.ORANGE, markersize=6, zorder=4)
    if high is not None:
        axes.plot([high], [y], "X", color=style.VERMILLION, markersize=6, zorder=4)


def _keys() -> list[Line2D | Patch]:
    return [
        Patch(color=style.GREEN, alpha=0.22, label="watches"),
        Patch(facecolor=style.LIGHT, hatch="////", edgecolor=style.GREEN, linewidth=0, label="without end"),
        Line2D([], [], color=style.GREEN, marker="|", linestyle="", label="measures"),
        Line2D([], [], color=style.ORANGE, marker=">", linestyle="", label="earliest abort"),
        Line2D([], [], color=style.VERMILLION, marker="X", linestyle="", label="failing: aborted by"),
        Patch(color=style.GREY, alpha=0.22, label="cannot abort"),
    ]
