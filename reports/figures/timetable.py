"""A rollout before it is run: weights and pods at its fastest and slowest, gates with their measurements and aborts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from math import ceil
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from reports.figures import axis, style
from reports.figures.axis import Axis
from reports.timetable.times import earliest_text, latest_text
from reports.timetable.words import head
from sim.timetable import Ability, Gate, Point, Row, Timetable

_MOST_LANES = 10
_MOST_TICKS, _MOST_MEASURED = 150, 50_000
_CUT_SHARE = 0.55
"""A stretch in which nothing changes and that takes more of the time than this is cut short."""
_EDGE = 0.06
"""What is left of such a stretch on both sides, as a share of everything else."""


class Stairs(NamedTuple):
    """A line of steps: minutes, and the value from each of them on."""

    x: tuple[float, ...]
    y: tuple[float, ...]


class Bar(NamedTuple):
    """One gate's watch: from when to when, when it measures, and between which instants it aborts a failing version."""

    lane: str
    start_min: float
    end_min: float
    ticks_min: tuple[float, ...]
    abort_min: tuple[float | None, float | None]
    able: bool
    unlimited: bool


class Mark(NamedTuple):
    """An instant with a name above the first panel."""

    t_min: float
    text: str
    colour: str


class TimetableInfo(NamedTuple):
    """Everything the figure shows."""

    title: str
    subtitle: str
    axis: Axis
    weight: tuple[Stairs, Stairs]
    """At its fastest and at its slowest."""
    pods: tuple[Stairs, Stairs, Stairs]
    """Of the release, of the stable version, and all; at its fastest."""
    peak: tuple[float, int, str]
    """Minute, pods, label."""
    lanes: tuple[str, ...]
    bars: tuple[Bar, ...]
    left_out: int
    """Lanes that there is no room for."""
    marks: tuple[Mark, ...]
    waits_min: tuple[float, ...]


def info(found: Timetable) -> TimetableInfo:
    """What there is to draw of a timetable."""
    end_min = _end_min(found)
    span = (0.0, end_min)
    cuts = _cuts(found, end_min)
    bars = tuple(_without(bar, cuts) for bar in _bars(found, end_min))
    lanes = style.distinct([bar.lane for bar in bars])
    return TimetableInfo(
        title=head(found),
        subtitle=_subtitle(found),
        axis=Axis(span, cuts),
        weight=(_stairs(found.fastest, "weight", end_min), _stairs(found.slowest, "weight", end_min)),
        pods=(
            _stairs(found.fastest, "candidate_pods", end_min),
            _stairs(found.fastest, "stable_pods", end_min),
            _stairs(found.fastest, "pods", end_min),
        ),
        peak=_peak(found),
        lanes=tuple(lanes),
        bars=bars,
        left_out=len({_lane(gate, found) for gate in _shown(found)}) - len(lanes),
        # The ends of a tour of regions lie days beyond the one region that is drawn.
        marks=tuple(mark for mark in _marks(found) if mark.t_min <= end_min),
        waits_min=tuple(
            (row.start.earliest_s or 0.0) / 60
            for row in found.rows
            if row.waits_for_person and row.start.earliest_s is not None
        ),
    )


def _subtitle(found: Timetable) -> str:
    if found.ending:
        return f"never serves everybody: {found.ending}"
    return (
        f"serves everybody {earliest_text(found.end.earliest_s)} after the apply at the earliest, "
        f"{latest_text(found.end.latest_s)} at the latest"
        + (" (waits for people left out)" if found.end.after_wait else "")
    )


def _end_min(found: Timetable) -> float:
    """A little beyond whatever is the last: a share of what is drawn to scale."""
    instants = [point.t_s for point in (*found.fastest, *found.slowest)]
    instants += [row.end.latest_s for row in found.rows if row.end.latest_s is not None]
    instants += [gate.bound_s for gate in found.gates if gate.bound_s is not None]
    last = max(*instants, 10.0) / 60
    return last + 0.04 * (last - sum(end - start for start, end in _long_pauses(found, last)))


def _stairs(points: Sequence[Point], what: str, end_min: float) -> Stairs:
    x = [point.t_s / 60 for point in points]
    y = [float(getattr(point, what)) for point in points]
    return Stairs((*x, end_min), (*y, y[-1]))


def _peak(found: Timetable) -> tuple[float, int, str]:
    at_min = next((point.t_s / 60 for point in found.fastest if point.pods == found.peak.pods), found.peak.at_s / 60)
    more = found.peak.pods - found.replicas
    return at_min, found.peak.pods, f"peak {found.peak.pods}" + (f" (+{more})" if more > 0 else "")


def _cuts(found: Timetable, end_min: float) -> tuple[tuple[float, float], ...]:
    """What is left out of the long pauses: all but their edges."""
    pauses = _long_pauses(found, end_min)
    margin = max(_EDGE * (end_min - sum(end - start for start, end in pauses)), 1.0)
    return tuple((start + margin, end - margin) for start, end in pauses if end - start > 4 * margin)


def _long_pauses(found: Timetable, end_min: float) -> list[tuple[float, float]]:
    """Minutes in which neither at its fastest nor at its slowest anything changes, where that is most of the time."""
    quiet = [pair for pair in (_common(row) for row in found.rows) if pair is not None]
    return [(start, end) for start, end in quiet if end - start > _CUT_SHARE * end_min]


def _common(row: Row) -> tuple[float, float] | None:
    """Minutes in which a row lasts at any pace."""
    start, end = row.start.latest_s, row.end.earliest_s
    return None if start is None or end is None or end <= start else (start / 60, end / 60)


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


def _marks(found: Timetable) -> Iterator[Mark]:
    if found.earliest_abort_s is not None:
        text = f"earliest abort {earliest_text(found.earliest_abort_s)}"
        yield Mark(found.earliest_abort_s / 60, text, style.DARK_ORANGE)
    if found.bound_s is not None:
        text = f"failing version aborted by {latest_text(found.bound_s)}"
        yield Mark(found.bound_s / 60, text, style.VERMILLION)
    if found.end.earliest_s is not None:
        yield Mark(found.end.earliest_s / 60, f"earliest end {earliest_text(found.end.earliest_s)}", style.DARK_GREEN)
    if found.end.latest_s is not None:
        yield Mark(found.end.latest_s / 60, f"latest end {latest_text(found.end.latest_s)}", style.DARK_GREEN)


@style.styled
def draw(found: TimetableInfo) -> Figure:
    """The timetable as a figure of three panels over one axis of time."""
    lanes_height = 0.45 + 0.3 * max(1, len(found.lanes))
    heights = [2.0, 1.5, lanes_height]
    figure = Figure(figsize=(10, sum(heights) + 2.1), layout="constrained")
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    _title(figure, found)
    _draw_weights(panels[0], found)
    _draw_pods(panels[1], found)
    _draw_lanes(panels[2], found)
    axis.apply(panels[-1], found.axis, "a long pause")
    axis.name_cuts(panels[0], found.axis, "pause")
    for axes in panels:
        axis.shade_cuts(axes, found.axis)
        for wait_min in found.waits_min:
            axes.axvline(wait_min, color=style.PURPLE, linewidth=3, alpha=0.35)
        for mark in found.marks:
            axes.axvline(mark.t_min, color=mark.colour, linewidth=0.9, linestyle="--")
    _name_marks(panels[0], found)
    return figure


def _title(figure: Figure, found: TimetableInfo) -> None:
    lines = textwrap.wrap(found.subtitle, 135)[:3]
    figure.suptitle(found.title + "\n" * (1 + len(lines)), x=0.01, ha="left", fontsize=11, fontweight="bold")
    top = figure.get_size_inches()[1] * 72
    figure.text(0.01, 1 - 22 / top, "\n".join(lines), ha="left", va="top", fontsize=8.5, color=style.GREY)


def _draw_weights(axes: Axes, found: TimetableInfo) -> None:
    """Between the two lines lies every weight that is possible at an instant."""
    style.plain_axes(axes)
    fast, slow = found.weight
    x = sorted({*fast.x, *slow.x})
    high, low = [_at(fast, minute) for minute in x], [_at(slow, minute) for minute in x]
    axes.fill_between(x, low, high, step="post", color=style.SIDES["candidate"], alpha=0.12, linewidth=0)
    axes.step(fast.x, fast.y, where="post", color=style.SIDES["candidate"], label="fastest")
    axes.step(slow.x, slow.y, where="post", color=style.SIDES["candidate"], linestyle=":", label="slowest")
    axes.set_ylabel("traffic of\nthe release, %")
    axes.set_ylim(-4, 104)
    axes.legend(loc="center left", bbox_to_anchor=(1.005, 0.5), fontsize=8, frameon=False, handlelength=1.6)


def _at(stairs: Stairs, minute: float) -> float:
    return next((y for x, y in zip(reversed(stairs.x), reversed(stairs.y), strict=True) if x <= minute), 0.0)


def _draw_pods(axes: Axes, found: TimetableInfo) -> None:
    style.plain_axes(axes)
    candidate, stable, every = found.pods
    axes.step(every.x, every.y, where="post", color=style.GREY, linewidth=1.0, label="all")
    axes.step(stable.x, stable.y, where="post", color=style.SIDES["stable"], label="stable")
    axes.step(candidate.x, candidate.y, where="post", color=style.SIDES["candidate"], label="release")
    at_min, pods, label = found.peak
    axes.plot([at_min], [pods], "o", color=style.BLACK, markersize=4)
    right = axis.position(found.axis, at_min) > 0.8
    axes.annotate(label, (at_min, pods), (-6 if right else 6, 3), textcoords="offset points", fontsize=8,
                  ha="right" if right else "left", va="bottom",
                  bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5})  # fmt: skip
    axes.set_ylabel("pods wanted\n(fastest)")
    axes.set_ylim(0, max(1.0, 1.25 * pods))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.legend(loc="center left", bbox_to_anchor=(1.005, 0.5), fontsize=8, frameon=False, handlelength=1.6)


def _draw_lanes(axes: Axes, found: TimetableInfo) -> None:
    style.plain_axes(axes)
    if not found.bars:
        style.empty(axes, "no gate: nothing measures")
        axes.set_yticks([])
        return
    rows = {lane: len(found.lanes) - 1 - index for index, lane in enumerate(found.lanes)}
    axes.set_yticks(list(rows.values()), [style.shorten(lane, 24) for lane in rows], fontsize=7)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    for bar in found.bars:
        _draw_bar(axes, bar, rows[bar.lane])
    if found.left_out:
        axes.set_xlabel(f"{found.left_out} more gates are not drawn")
    axes.legend(handles=_keys(), loc="center left", bbox_to_anchor=(1.005, 0.5), fontsize=8, frameon=False,
                handlelength=1.6)  # fmt: skip


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


def _name_marks(axes: Axes, found: TimetableInfo) -> None:
    """Names above the panel, each in the lowest row that is free there; waits in the panel."""
    free: list[float] = []
    for mark in sorted(found.marks):
        place, width = axis.position(found.axis, mark.t_min), (len(mark.text) + 2) / 130
        right = place + width > 1.05
        start = place - width if right else place
        row = next((index for index, end in enumerate(free) if end <= start), len(free))
        free[row : row + 1] = [start + width]
        axes.annotate(
            mark.text, (mark.t_min, 1), (0, 3 + 10 * row), xycoords=("data", "axes fraction"),
            textcoords="offset points", fontsize=7.5, color=mark.colour, ha="right" if right else "left", va="bottom",
            annotation_clip=False,
        )  # fmt: skip
    for wait_min in found.waits_min:
        axes.annotate("waits for a person", (wait_min, 0.5), (4, 0), xycoords=("data", "axes fraction"),
                      textcoords="offset points", fontsize=7.5, color=style.DARK_PURPLE, rotation=90, va="center",
                      bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5})  # fmt: skip
