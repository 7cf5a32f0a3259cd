"""A rollout before it is run: weights and pods at its fastest and slowest, gates with their measurements and aborts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.figures import axis, lanes, style
from reports.figures.axis import Axis
from reports.figures.lanes import Lanes
from reports.numbers import number
from reports.timetable.times import earliest_text, latest_text
from reports.timetable.words import head
from sim.timetable import Phase, Point, Row, Timetable

_CUT_SHARE = 0.55
"""A stretch in which nothing changes and that takes more of the time than this is cut short."""
_EDGE = 0.06
"""What is left of such a stretch on both sides, as a share of everything else."""


class Stairs(NamedTuple):
    """A line of steps: minutes, and the value from each of them on."""

    x: tuple[float, ...]
    y: tuple[float, ...]


class Mark(NamedTuple):
    """An instant with a name above the first panel."""

    t_min: float
    text: str
    colour: str


class Stretch(NamedTuple):
    """A phase: its regions get the release, then it soaks."""

    name: str
    start_min: float
    released_min: float
    end_min: float


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
    lanes: Lanes
    marks: tuple[Mark, ...]
    waits_min: tuple[float, ...]
    tour: tuple[Stretch, ...] = ()
    """Phases of a regional rollout, on a time axis of their own."""


def info(found: Timetable) -> TimetableInfo:
    """What there is to draw of a timetable."""
    end_min = _end_min(found)
    span = (0.0, end_min)
    cuts = _cuts(found, end_min)
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
        lanes=lanes.info(found, end_min, cuts),
        # The ends of a tour of regions lie days beyond the one region that is drawn.
        marks=tuple(mark for mark in _marks(found) if mark.t_min <= end_min),
        waits_min=tuple(
            (row.start.earliest_s or 0.0) / 60
            for row in found.rows
            if row.waits_for_person and row.start.earliest_s is not None
        ),
        tour=tuple(_stretch(phase) for phase in found.phases),
    )


def _stretch(phase: Phase) -> Stretch:
    released_s = phase.released.latest_s or phase.released.earliest_s or 0.0
    end_s = phase.end.latest_s or phase.end.earliest_s or 0.0
    name = f"{phase.name}: {', '.join(phase.regions)}"
    return Stretch(name, (phase.start.earliest_s or 0.0) / 60, released_s / 60, end_s / 60)


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
    """The timetable as a figure of three panels over one axis of time, and one for the phases of a tour of regions."""
    heights = [2.0, 1.5, 0.45 + 0.3 * max(1, len(found.lanes.names))]
    heights += [0.55 + 0.3 * len(found.tour)] if found.tour else []
    figure = Figure(figsize=(10, sum(heights) + 2.1), layout="constrained")
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    first = figure.add_subplot(grid[0])
    panels = (first, *(figure.add_subplot(grid[row], sharex=first) for row in (1, 2)))
    _title(figure, found)
    _draw_weights(panels[0], found)
    _draw_pods(panels[1], found)
    lanes.draw(panels[2], found.lanes)
    axis.apply(panels[2], found.axis, "a long pause")
    axis.name_cuts(panels[0], found.axis, "pause")
    for axes in panels:
        axes.tick_params(labelbottom=axes is panels[2])
        axis.shade_cuts(axes, found.axis)
        for wait_min in found.waits_min:
            axes.axvline(wait_min, color=style.PURPLE, linewidth=3, alpha=0.35)
        for mark in found.marks:
            axes.axvline(mark.t_min, color=mark.colour, linewidth=0.9, linestyle="--")
    _name_marks(panels[0], found)
    if found.tour:
        _draw_tour(figure.add_subplot(grid[3]), found.tour)
    return figure


def _draw_tour(axes: Axes, tour: Sequence[Stretch]) -> None:
    style.plain_axes(axes)
    for row, stretch in enumerate(reversed(tour)):
        axes.barh(row, stretch.end_min - stretch.released_min, left=stretch.released_min, height=0.5, color=style.LIGHT)
        # A release of minutes between soaks of days is drawn as wide as can be seen.
        wide = max(stretch.released_min - stretch.start_min, 0.006 * tour[-1].end_min)
        axes.barh(row, wide, left=stretch.start_min, height=0.5, color=style.SIDES["candidate"])
        if stretch.end_min > stretch.released_min:
            middle = (stretch.released_min + stretch.end_min) / 2
            axes.text(middle, row, f"soak {number(stretch.end_min - stretch.released_min, 'min')}", ha="center",
                      va="center", fontsize=7.5, color=style.GREY)  # fmt: skip
    names = [style.shorten(stretch.name, 24) for stretch in reversed(tour)]
    axes.set_yticks(range(len(tour)), names, fontsize=7)
    axis.apply(axes, Axis((0.0, 1.03 * max(tour[-1].end_min, 1.0))))


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
