"""One release under both policies: the old one above, the new one below, over the same axis of time."""

from __future__ import annotations

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures import axis, style, timeline
from reports.figures.axis import Axis
from reports.figures.timeline import TimelineInfo
from reports.views import Journal, end_of, header_of

_ROWS = 3
_ROW_PT = 10
"""Height of a row of names above a panel."""
_SHORTEST_CUT_MIN = 60.0


class Half(NamedTuple):
    """One policy's run."""

    title: str
    run: TimelineInfo


class PairInfo(NamedTuple):
    """Both runs of one release."""

    title: str
    halves: tuple[Half, Half]


def info(old: Journal, new: Journal, labels: tuple[str, str]) -> PairInfo:
    """What there is to draw of both runs, on one axis that covers both."""
    runs = timeline.info(old), timeline.info(new)
    header = header_of(old)
    shown = common_axis(runs[0].axis, runs[1].axis)
    halves = tuple(
        Half(f"{name} ({label}): {end_of(journal).verdict.value}", run._replace(axis=shown))
        for name, label, journal, run in zip(("OLD", "NEW"), labels, (old, new), runs, strict=True)
    )
    kind = "good" if header.release_good else "bad"
    return PairInfo(f"release {header.release or '-'} ({kind}), seed {header.seed}", (halves[0], halves[1]))


@style.styled
def draw(found: PairInfo) -> Figure:
    """Three panels a side: weights with decisions, failed requests, what was measured."""
    lanes = [0.35 + 0.22 * max(1, len(half.run.lanes)) for half in found.halves]
    heights = [1.2, 1.1, lanes[0], 1.2, 1.1, lanes[1]]
    figure = Figure(figsize=(10, sum(heights) + 3.0), layout="constrained")
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    figure.suptitle(found.title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    for index, half in enumerate(found.halves):
        _draw_half(panels[_ROWS * index : _ROWS * (index + 1)], half)
    axis.apply(panels[-1], found.halves[0].run.axis)
    return figure


def _draw_half(panels: list[Axes], half: Half) -> None:
    run = half.run
    timeline.draw_weights(panels[0], run)
    timeline.draw_lines(panels[1], run.errors, "failed\nrequests, %", least=1.0)
    timeline.draw_lanes(panels[2], run)
    for axes in panels:
        axis.shade_cuts(axes, run.axis)
        timeline.mark_times(axes, run)
    rows = timeline.label_top(panels[0], run)
    title = f"{style.shorten(half.title, 120)}\n{style.shorten(run.subtitle, 150)}"
    panels[0].set_title(title, loc="left", fontsize=8.5, fontweight="bold", pad=8 + _ROW_PT * rows)


def common_axis(old: Axis, new: Axis) -> Axis:
    """From the earlier start to the later end; cut short is what is quiet, or over, on both sides."""
    span = min(old.span_min[0], new.span_min[0]), max(old.span_min[1], new.span_min[1])
    if not old.cuts_min and not new.cuts_min:
        return Axis(span)
    both = ((max(a[0], b[0]), min(a[1], b[1])) for a in _quiet(old, span[1]) for b in _quiet(new, span[1]))
    return Axis(span, tuple(sorted((start, end) for start, end in both if end - start >= _SHORTEST_CUT_MIN)))


def _quiet(run: Axis, end_min: float) -> tuple[tuple[float, float], ...]:
    """The run's own quiet stretches, and what comes after it."""
    return (*run.cuts_min, (run.span_min[1], end_min))
