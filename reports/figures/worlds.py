"""One scenario in both worlds: weights, pods and failed requests over time, latency by bucket, and who decided when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.figures import axis, style
from reports.figures.axis import Axis
from reports.verify import words
from reports.verify.card import PairingComparison
from reports.verify.facts import Facts, Steps
from reports.verify.series import Array, band
from reports.views import CANDIDATE, STABLE

TWIN, CLUSTER = style.BLUE, style.VERMILLION
_DASHES = {CANDIDATE: "-", STABLE: (0, (4, 2)), "none": ":"}
_MOST_RUNS = 12
_SHORTEST_MIN = 0.5
_STEP_S = 0.25


class Ribbon(NamedTuple):
    """The twin's median and 90 % band over minutes."""

    side: str
    x: tuple[float, ...]
    median: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class Line(NamedTuple):
    """One cluster run over minutes."""

    side: str
    x: tuple[float, ...]
    y: tuple[float, ...]


class Panel(NamedTuple):
    """Both worlds over time."""

    twin: tuple[Ribbon, ...]
    cluster: tuple[Line, ...]


class Curve(NamedTuple):
    """Percent of the answers that took no longer than each bound (ms)."""

    x: tuple[float, ...]
    twin: tuple[float, ...]
    cluster: tuple[tuple[float, ...], ...]
    side: str
    caption: str


class WorldsInfo(NamedTuple):
    """Everything the figure shows."""

    title: str
    subtitle: str
    axis: Axis
    weights: Panel
    pods: Panel
    failures: Panel
    latency: tuple[Curve, ...]
    decided_min: tuple[float, ...]
    """Of the cluster's runs."""
    expected_min: tuple[float, float, float] | None
    """Of the twin's replications: 5th percentile, median, 95th percentile."""


def info(found: PairingComparison) -> WorldsInfo:
    """What there is to draw of a scenario in both worlds; at most so many of the cluster's runs as can be told apart."""
    runs = [run.run.facts for run in found.runs[:_MOST_RUNS]]
    twin = found.pairing.twin
    every = [*twin, *runs]
    end_s = max(median(facts.last_s for facts in twin), *(facts.last_s for facts in runs), 60 * _SHORTEST_MIN)
    answers = style.distinct([run.answer.value for run in found.runs])
    near = f" ({words.near_text(found.pairing)})" if found.pairing.near else ""
    return WorldsInfo(
        title=f"{words.name_text(found.pairing)}{near}: {', '.join(answers)}",
        subtitle=f"cluster: {'; '.join(style.distinct([words.run_text(run) for run in found.runs]))}\n"
        f"twin: {words.twin_text(found)}",
        axis=Axis((0.0, end_s / 60)),
        weights=_panel([("", [f.weights for f in twin], [f.weights for f in runs])], end_s),
        pods=_panel(list(_pods(twin, runs)), end_s),
        failures=_failures(twin, runs, end_s),
        latency=tuple(_latency(side, twin, runs, found) for side in _sides(every, "latency")),
        decided_min=tuple(f.decided_s / 60 for f in runs if f.decided_s is not None),
        expected_min=_expected(twin),
    )


def _sides(facts: Sequence[Facts], name: str) -> list[str]:
    known = {side for one in facts for side, _ in getattr(one, name)}
    return [side for side in (CANDIDATE, STABLE) if side in known]


def _pods(twin: Sequence[Facts], runs: Sequence[Facts]) -> Iterator[tuple[str, list[Steps], list[Steps]]]:
    for side in _sides([*twin, *runs], "ready"):
        yield side, [dict(f.ready).get(side, ()) for f in twin], [dict(f.ready).get(side, ()) for f in runs]


def _panel(series: Sequence[tuple[str, list[Steps], list[Steps]]], end_s: float) -> Panel:
    at_s = np.arange(0.0, end_s + _STEP_S, _STEP_S)
    minutes = _tuple(at_s / 60)
    ribbons, lines = [], []
    for side, twin, runs in series:
        found = band(twin, at_s)
        ribbons.append(_stairs(Ribbon(side, minutes, _tuple(found.median), _tuple(found.low), _tuple(found.high))))
        lines += [_line(side, steps, end_s) for steps in runs if steps]
    return Panel(tuple(ribbons), tuple(lines))


def _stairs(ribbon: Ribbon) -> Ribbon:
    """The same stairs without the points at which nothing changes."""
    points = list(zip(ribbon.x, ribbon.median, ribbon.low, ribbon.high, strict=True))
    kept = [b for a, b in pairwise(points) if a[1:] != b[1:]]
    x, middle, low, high = zip(points[0], *kept, points[-1], strict=True)
    return Ribbon(ribbon.side, x, middle, low, high)


def _line(side: str, steps: Steps, end_s: float) -> Line:
    """From the apply on, with the value that held then, to the end of the axis."""
    before = [value for at, value in steps if at <= 0]
    shown = [(0.0, before[-1] if before else 0.0), *((at, value) for at, value in steps if 0 < at < end_s)]
    shown.append((end_s, shown[-1][1]))
    return Line(side, tuple(at / 60 for at, _ in shown), tuple(value for _, value in shown))


def _failures(twin: Sequence[Facts], runs: Sequence[Facts], end_s: float) -> Panel:
    width = _width_s([*twin, *runs])
    bins = np.arange(0.0, end_s + width, width)
    middles = _tuple((bins[:-1] + width / 2) / 60)
    rows = np.stack([_ratios(facts, bins) for facts in twin])
    # Where most replications have ended, the rest are no picture of them.
    known = np.isfinite(rows).mean(axis=0) >= 0.5
    with np.errstate(invalid="ignore"):
        low, middle, high = (
            np.array([np.nanpercentile(rows[:, i], q) if known[i] else np.nan for i in range(len(known))])
            for q in (5, 50, 95)
        )
    lines = [Line("", middles, _tuple(_ratios(facts, bins))) for facts in runs]
    return Panel((Ribbon("", middles, _tuple(middle), _tuple(low), _tuple(high)),), tuple(lines))


def _ratios(facts: Facts, bins: Array) -> Array:
    """Percent of the requests that failed in each bin; not a number without requests."""
    rows = np.array([row for row in facts.failures if row[0] > 0] or [(0.0, 0.0, 0.0)])
    # A row belongs where its end lies; ends on a bound belong to the bin before it.
    requests, _ = np.histogram(rows[:, 0] - 1e-6, bins, weights=rows[:, 1])
    failures, _ = np.histogram(rows[:, 0] - 1e-6, bins, weights=rows[:, 2])
    return np.where(requests > 0, 100 * failures / np.maximum(requests, 1), np.nan)


def _width_s(facts: Sequence[Facts]) -> float:
    """The usual distance of two traffic rows."""
    steps = [b[0] - a[0] for one in facts for a, b in zip(one.failures, one.failures[1:], strict=False)]
    return max(1.0, float(np.median(steps))) if steps else 10.0


def _latency(side: str, twin: Sequence[Facts], runs: Sequence[Facts], found: PairingComparison) -> Curve:
    known = [dict(f.latency)[side] for f in twin if side in dict(f.latency)]
    distances = [ks.distance for run in found.runs for name, ks in run.latency if name == side]
    caption = f"{side}: distance {', '.join(f'{distance:.2f}' for distance in distances[:4])}" if distances else side
    buckets = twin[0].buckets_s
    return Curve(
        tuple(1000 * bound for bound in buckets),
        _cumulative(np.sum(known, axis=0)) if known else (),
        tuple(_cumulative(np.asarray(dict(f.latency)[side])) for f in runs if side in dict(f.latency)),
        side,
        caption,
    )


def _cumulative(counts: Array) -> tuple[float, ...]:
    return _tuple(100 * np.cumsum(counts)[:-1] / max(1, counts.sum()))


def _expected(twin: Sequence[Facts]) -> tuple[float, float, float] | None:
    times = [f.decided_s / 60 for f in twin if f.decided_s is not None]
    if not times:
        return None
    low, middle, high = (float(value) for value in np.percentile(times, (5, 50, 95)))
    return low, middle, high


def _tuple(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


@style.styled
def draw(found: WorldsInfo) -> Figure:
    """Three panels over one axis of time, and the latencies of both versions below."""
    figure = Figure(figsize=(10, 8.2), layout="constrained")
    top, bottom = figure.subfigures(2, 1, squeeze=False, height_ratios=[5.2, 2.4]).flat
    panels = list(top.subplots(3, 1, sharex=True))
    figure.suptitle(found.title + "\n\n", x=0.01, ha="left", fontsize=11, fontweight="bold")
    height = figure.get_size_inches()[1] * 72
    lines = "\n".join(style.shorten(line, 150) for line in found.subtitle.splitlines())
    figure.text(0.01, 1 - 22 / height, lines, ha="left", va="top", fontsize=8.5, color=style.GREY)
    _draw_panel(panels[0], found.weights, "weight of\nthe release, %")
    panels[0].set_ylim(-4, 104)
    _draw_panel(panels[1], found.pods, "ready pods")
    panels[1].set_ylim(bottom=0)
    panels[1].yaxis.set_major_locator(MaxNLocator(5, integer=True))
    _draw_panel(panels[2], found.failures, "failed\nrequests, %", steps=False)
    panels[2].set_ylim(0, max(1.0, panels[2].get_ylim()[1]))
    for axes in panels:
        _mark(axes, found)
    _name_marks(panels[0], found)
    axis.apply(panels[2], found.axis)
    below = list(bottom.subplots(1, 2, sharey=True))
    for axes, curve in zip(below, [*found.latency, None, None][:2], strict=True):
        _draw_latency(axes, curve)
    return figure


def _draw_panel(axes: Axes, panel: Panel, label: str, *, steps: bool = True) -> None:
    style.plain_axes(axes)
    axes.set_ylabel(label)
    where: Literal["post"] | None = "post" if steps else None
    for ribbon in panel.twin:
        suffix = f", {ribbon.side}" if ribbon.side else ""
        axes.fill_between(ribbon.x, ribbon.low, ribbon.high, step=where, color=TWIN, alpha=0.18, linewidth=0)
        axes.plot(
            ribbon.x, ribbon.median, linestyle=_DASHES.get(ribbon.side, "-"), color=TWIN, linewidth=1.3,
            drawstyle="steps-post" if steps else "default", label=f"twin{suffix}",
        )  # fmt: skip
    named = set[str]()
    for line in panel.cluster:
        suffix = f", {line.side}" if line.side else ""
        axes.plot(
            line.x, line.y, linestyle=_DASHES.get(line.side, "-"), color=CLUSTER, linewidth=1.1, alpha=0.9,
            drawstyle="steps-post" if steps else "default", marker="" if steps else ".", markersize=3,
            label="" if line.side in named else f"cluster{suffix}",
        )  # fmt: skip
        named.add(line.side)
    if panel.twin or panel.cluster:
        axes.legend(loc="center left", bbox_to_anchor=(1.005, 0.5), fontsize=8, frameon=False, handlelength=2.2)


def _mark(axes: Axes, found: WorldsInfo) -> None:
    if found.expected_min is not None:
        low, middle, high = found.expected_min
        axes.axvspan(low, high, color=TWIN, alpha=0.08, linewidth=0)
        axes.axvline(middle, color=TWIN, linewidth=0.9, linestyle="--")
    for minute in found.decided_min:
        axes.axvline(minute, color=CLUSTER, linewidth=0.9, linestyle="--")


def _name_marks(axes: Axes, found: WorldsInfo) -> None:
    """The decisions named above the panel, each world in a row of its own."""
    marks = (
        [(found.expected_min[1], "twin decides (median; shaded: 90 % interval)", TWIN)] if found.expected_min else []
    )
    marks += [(found.decided_min[0], "cluster decides", CLUSTER)] if found.decided_min else []
    for row, (minute, text, colour) in enumerate(marks):
        right = axis.position(found.axis, minute) > 0.65
        axes.annotate(
            text, (minute, 1), (-2 if right else 2, 3 + 10 * row), xycoords=("data", "axes fraction"),
            textcoords="offset points", fontsize=7.5, color=colour, ha="right" if right else "left", va="bottom",
            annotation_clip=False,
        )  # fmt: skip


def _draw_latency(axes: Axes, curve: Curve | None) -> None:
    if curve is None:
        axes.set_visible(False)
        return
    style.plain_axes(axes)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    if curve.twin:
        axes.plot(curve.x, curve.twin, marker="o", markersize=3, color=TWIN, linewidth=1.3, label="twin")
    for index, values in enumerate(curve.cluster):
        axes.plot(curve.x, values, marker=".", color=CLUSTER, linewidth=1.1, label="" if index else "cluster")
    axes.set_ylim(0, 103)
    axes.set_title(curve.caption, loc="left", fontsize=8.5)
    axes.set_xlabel("latency up to, ms")
    axes.set_ylabel("answers, %")
    axes.legend(loc="lower right", fontsize=8, frameon=False)
