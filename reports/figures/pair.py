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
    shown = _axis(runs[0].axis, runs[1].axis)
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
    panels[0].set_title(
        f"{half.title}\n{style.shorten(run.subtitle, 150)}", loc="left", fontsize=8.5, fontweight="bold", pad=30
    )
    timeline.draw_weights(panels[0], run)
    timeline.draw_lines(panels[1], run.errors, "failed\nrequests, %", least=1.0)
    timeline.draw_lanes(panels[2], run)
    for axes in panels:
        axis.shade_cuts(axes, run.axis)
        timeline.mark_times(axes, run)
    timeline.label_top(panels[0], run)


def _axis(old: Axis, new: Axis) -> Axis:
    """From the earlier start to the later end; soaks are cut short only where both have the same."""
    span = min(old.span_min[0], new.span_min[0]), max(old.span_min[1], new.span_min[1])
    return Axis(span, old.cuts_min if old.cuts_min == new.cuts_min else ())
