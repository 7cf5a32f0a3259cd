"""One run over time: weights, pods, errors, latency, what was measured, decided and injected."""

from __future__ import annotations

import textwrap
from itertools import pairwise
from math import nan
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports import frames
from reports.figures import axis, style
from reports.figures.axis import Axis
from reports.frames import DataFrame
from reports.views import Journal, end_of, header_of, of_kind, quiet_s
from sim.model.records import AnalysisRecord, DecisionRecord, FaultRecord, MeasurementRecord

_BAD_PHASES = frozenset({"Failed", "Error", "Inconclusive"})
_UNDER_WAY = frozenset({"Pending", "Running", ""})
_MOST_LANES = 8
_MOST_LABELS = 14
_NEAR = 0.1
"""Decisions nearer than this share of what is drawn are named together."""
_FEW = 20.0
"""Requests in a bin below which a ratio or a percentile says nothing."""


class Line(NamedTuple):
    """A labelled line; gaps are left out of ``x`` and ``y``."""

    label: str
    side: str
    x: tuple[float, ...]
    y: tuple[float, ...]


class Mark(NamedTuple):
    """A measurement or a decision at one instant."""

    t_min: float
    lane: str
    text: str
    bad: bool


class Span(NamedTuple):
    """A fault, or an analysis run, over time."""

    start_min: float
    end_min: float
    lane: str
    bad: bool


class TimelineInfo(NamedTuple):
    """Everything the timeline shows."""

    title: str
    subtitle: str
    axis: Axis
    weights: tuple[Line, ...]
    ready: tuple[Line, ...]
    other: tuple[Line, ...]
    errors: tuple[Line, ...]
    latency: tuple[Line, ...]
    lanes: tuple[str, ...]
    measurements: tuple[Mark, ...]
    analyses: tuple[Span, ...]
    decisions: tuple[Mark, ...]
    faults: tuple[Span, ...]


def info(journal: Journal) -> TimelineInfo:
    """What there is to draw of a run, from its journal."""
    header, end = header_of(journal), end_of(journal)
    span = frames.span_min(journal)
    shown = Axis(span, tuple((start / 60, end / 60) for start, end in quiet_s(journal)))
    traffic, weights, pods = frames.traffic(journal), frames.weights(journal), frames.pods(journal)
    measurements = _measurements(journal)
    analyses = _analyses(journal, span[1])
    lanes = style.distinct([run.lane for run in analyses] + [mark.lane for mark in measurements])[:_MOST_LANES]
    kind = "good" if header.release_good else "bad"
    return TimelineInfo(
        title=f"{header.title}: release {header.release or '-'} ({kind}): {end.verdict.value}",
        subtitle=end.reason,
        axis=shown,
        weights=_weight_lines(weights, span[1]),
        ready=_pod_lines(pods, "ready", span[1]),
        other=_pod_lines(pods, "other", span[1]),
        errors=_traffic_lines(traffic, "error_ratio", 100.0, ""),
        latency=_traffic_lines(traffic, "p50_s", 1000.0, " p50") + _traffic_lines(traffic, "p99_s", 1000.0, " p99"),
        lanes=tuple(lanes),
        measurements=tuple(mark for mark in measurements if mark.lane in lanes),
        analyses=tuple(run for run in analyses if run.lane in lanes),
        decisions=tuple(
            Mark(
                d.t_s / 60,
                d.region,
                f"{d.decision} ({d.actor})",
                d.decision in {"abort", "undo", "reject", "switch-back", "alert"},
            )
            for d in of_kind(journal, DecisionRecord)
        ),
        faults=_faults(journal, span[1]),
    )


@style.styled
def draw(found: TimelineInfo) -> Figure:
    """The timeline as a figure of five panels over one axis of minutes."""
    lanes_height = 0.35 + 0.22 * max(1, len(found.lanes))
    heights = [1.3, 1.4, 1.2, 1.4, lanes_height]
    figure = Figure(figsize=(10, sum(heights) + 2.2), layout="constrained")
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    _title(figure, found)
    draw_weights(panels[0], found)
    _draw_pods(panels[1], found)
    draw_lines(panels[2], found.errors, "failed\nrequests, %", least=1.0)
    draw_lines(panels[3], found.latency, "latency, ms")
    draw_lanes(panels[4], found)
    axis.apply(panels[-1], found.axis)
    axis.name_cuts(panels[0], found.axis)
    for axes in panels:
        axis.shade_cuts(axes, found.axis)
        mark_times(axes, found)
    label_top(panels[0], found)
    return figure


def mark_times(axes: Axes, found: TimelineInfo) -> None:
    """Faults as shaded spans, decisions as lines."""
    for fault in found.faults:
        axes.axvspan(fault.start_min, fault.end_min, color=style.PURPLE, alpha=0.15, linewidth=0)
    for decision in found.decisions:
        axes.axvline(decision.t_min, color=style.VERMILLION if decision.bad else style.GREEN, linewidth=0.9)


def _title(figure: Figure, found: TimelineInfo) -> None:
    """What happened in bold, why below it, in as many lines as it needs."""
    why = "\n".join(textwrap.wrap(found.subtitle, 135)[:4])
    figure.suptitle(
        found.title + "\n" * (1 + why.count("\n") if why else 0), x=0.01, ha="left", fontsize=11, fontweight="bold"
    )
    if why:
        top = figure.get_size_inches()[1] * 72
        figure.text(0.01, 1 - 22 / top, why, ha="left", va="top", fontsize=8.5, color=style.GREY)


def _weight_lines(weights: DataFrame, end_min: float) -> tuple[Line, ...]:
    lines = []
    for region, rows in weights.groupby("region", sort=True):
        x, y = [*rows["t_min"], end_min], [*rows["candidate_percent"], rows["candidate_percent"].iloc[-1]]
        lines.append(Line(str(region), "candidate", tuple(x), tuple(y)))
    return tuple(lines)


def _pod_lines(pods: DataFrame, column: str, end_min: float) -> tuple[Line, ...]:
    lines = []
    for side, rows in pods.groupby("side", sort=True):
        x, y = [*rows["t_min"], end_min], [*rows[column], rows[column].iloc[-1]]
        if any(y):
            lines.append(Line(f"{side} {'ready' if column == 'ready' else 'not ready'}", str(side), tuple(x), tuple(y)))
    return tuple(lines)


def _traffic_lines(traffic: DataFrame, column: str, factor: float, suffix: str) -> tuple[Line, ...]:
    """A line per side; broken where nothing is known, and where fewer requests than usual would make it jump."""
    lines = []
    for side, rows in traffic.groupby("side", sort=True):
        few = min(_FEW, float(rows["requests"].median()) / 2)
        known = rows[rows[column].notna() & (rows["requests"] >= few)]
        if len(known):
            label = "no pod" if side == "none" else str(side)
            x = tuple(map(float, known["t_min"]))
            y = tuple(float(value) * factor for value in known[column])
            lines.append(Line(label + suffix, str(side), *_broken(x, y)))
    return tuple(lines)


def _broken(x: tuple[float, ...], y: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The points with a gap (an x whose y is not a number) wherever some are missing."""
    steps = [b - a for a, b in pairwise(x)]
    if not steps:
        return x, y
    usual = min(steps)
    found = [(x[0], y[0])]
    for step, here, value in zip(steps, x[1:], y[1:], strict=True):
        found += [(here - step / 2, nan)] if step > 2.5 * usual else []
        found.append((here, value))
    return tuple(at for at, _ in found), tuple(value for _, value in found)


def _measurements(journal: Journal) -> tuple[Mark, ...]:
    return tuple(
        Mark(m.t_s / 60, m.metric, m.value or m.message, m.phase in _BAD_PHASES)
        for m in of_kind(journal, MeasurementRecord)
    )


def _analyses(journal: Journal, end_min: float) -> tuple[Span, ...]:
    """One span per analysis run, from its first record to the one that ended it, in a lane per role."""
    first: dict[tuple[str, str, str], float] = {}
    last: dict[tuple[str, str, str], tuple[float, str]] = {}
    for record in of_kind(journal, AnalysisRecord):
        key = (record.region, record.run, record.role)
        first.setdefault(key, record.t_s / 60)
        last[key] = (record.t_s / 60, record.phase)
    spans = []
    for key, start in first.items():
        ended, phase = last[key]
        lane = f"{key[2]} run" if key[2] else "analysis run"
        spans.append(Span(start, end_min if phase in _UNDER_WAY else ended, lane, phase in _BAD_PHASES))
    return tuple(spans)


def _faults(journal: Journal, end_min: float) -> tuple[Span, ...]:
    began: dict[tuple[str, str, str], float] = {}
    spans = []
    for record in of_kind(journal, FaultRecord):
        key = (record.region, record.fault, record.target)
        if record.state == "began":
            began[key] = record.t_s / 60
        elif key in began:
            spans.append(Span(began.pop(key), record.t_s / 60, f"{record.fault} ({record.target})", bad=True))
    spans += [Span(start, end_min, f"{key[1]} ({key[2]})", bad=True) for key, start in began.items()]
    return tuple(sorted(spans))


def draw_weights(axes: Axes, found: TimelineInfo) -> None:
    """The candidate's weight, a line a region."""
    style.plain_axes(axes)
    axes.set_ylabel("candidate\nweight, %")
    axes.set_ylim(-4, 104)
    if not found.weights:
        style.empty(axes, "no weights were set")
    for index, line in enumerate(found.weights):
        alone = len(found.weights) == 1
        axes.step(
            line.x,
            line.y,
            where="post",
            color=style.SIDES["candidate"] if alone else style.colour(index),
            label=line.label,
        )
    if len(found.weights) > 1:
        _legend(axes)


def _draw_pods(axes: Axes, found: TimelineInfo) -> None:
    style.plain_axes(axes)
    axes.set_ylabel("pods")
    if not found.ready and not found.other:
        style.empty(axes, "no pods are known")
        return
    for lines, dashes in ((found.ready, "-"), (found.other, ":")):
        for line in lines:
            axes.step(line.x, line.y, dashes, where="post", color=style.SIDES[line.side], label=line.label)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    _legend(axes)


def draw_lines(axes: Axes, lines: tuple[Line, ...], label: str, least: float = 0.0) -> None:
    """A line per side, on an axis that reaches ``least`` at least."""
    style.plain_axes(axes)
    axes.set_ylabel(label)
    if not lines:
        style.empty(axes, "no traffic was recorded")
        return
    for line in lines:
        dashes = "--" if line.label.endswith("p50") else "-"
        lone = "." if len(line.x) == 1 else None
        axes.plot(line.x, line.y, dashes, marker=lone, color=style.SIDES[line.side], linewidth=1.2, label=line.label)
    axes.set_ylim(0, max(least, axes.get_ylim()[1]))
    _legend(axes)


def _legend(axes: Axes) -> None:
    """Beside the panel, where it hides no data."""
    axes.legend(loc="center left", bbox_to_anchor=(1.005, 0.5), fontsize=8, frameon=False, handlelength=1.6)


def draw_lanes(axes: Axes, found: TimelineInfo) -> None:
    """Analysis runs and measurements, a lane each."""
    style.plain_axes(axes)
    if not found.lanes:
        style.empty(axes, "nothing was measured")
        axes.set_yticks([])
        return
    rows = {lane: len(found.lanes) - 1 - index for index, lane in enumerate(found.lanes)}
    axes.set_yticks(list(rows.values()), [style.shorten(lane, 24) for lane in rows], fontsize=7)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    for span in found.analyses:
        colour = style.VERMILLION if span.bad else style.GREEN
        axes.plot(
            [span.start_min, span.end_min],
            [rows[span.lane]] * 2,
            color=colour,
            linewidth=4,
            alpha=0.45,
            solid_capstyle="butt",
        )
    for bad, marker, colour, label in ((False, "o", style.GREEN, "passed"), (True, "X", style.VERMILLION, "failed")):
        marks = [mark for mark in found.measurements if mark.bad is bad]
        if marks:
            x, y = [mark.t_min for mark in marks], [rows[mark.lane] for mark in marks]
            axes.scatter(x, y, marker=marker, s=16, color=colour, label=label, zorder=3)
    if found.measurements:
        _legend(axes)


def label_top(axes: Axes, found: TimelineInfo) -> int:
    """Decisions and faults named above the first panel, each in the lowest row that is free there; how many rows."""
    free: list[float] = []
    for at, text, colour in _names(found)[:_MOST_LABELS]:
        short = style.shorten(text, 60)
        # Some 130 characters of this size fit into the panel's width.
        place, width = axis.position(found.axis, at), (len(short) + 2) / 130
        right = place + width > 1.1
        start = place - width if right else place
        row = next((index for index, end in enumerate(free) if end <= start), len(free))
        free[row : row + 1] = [start + width]
        axes.annotate(
            short, (at, 1), (0, 3 + 10 * row), xycoords=("data", "axes fraction"), textcoords="offset points",
            fontsize=7.5, color=colour, ha="right" if right else "left", va="bottom", annotation_clip=False,
        )  # fmt: skip
    return len(free)


def _names(found: TimelineInfo) -> list[tuple[float, str, str]]:
    """(minute, text, colour); the same decision in several regions at about the same time once, with their names."""
    groups: list[tuple[Mark, list[str]]] = []
    for mark in sorted(found.decisions):
        near = (g for g in groups if g[0].text == mark.text and mark.t_min - g[0].t_min < _NEAR * _drawn_min(found))
        group = next(near, None)
        if group is None:
            groups.append((mark, [mark.lane]))
        else:
            group[1].append(mark.lane)
    names = [
        (
            mark.t_min,
            f"{mark.text} {', '.join(style.distinct(regions))}".rstrip(),
            style.VERMILLION if mark.bad else style.DARK_GREEN,
        )
        for mark, regions in groups
    ]
    names += [(max(f.start_min, found.axis.span_min[0]), f"fault: {f.lane}", style.DARK_PURPLE) for f in found.faults]
    return sorted(names)


def _drawn_min(found: TimelineInfo) -> float:
    return sum(end - start for start, end in found.axis.pieces())
