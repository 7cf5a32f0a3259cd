"""The path of every claim to its answer: broken replications against replications, between the tests' boundaries.

Both log-likelihood ratios are linear in the two counts, so Wald's boundaries are straight lines in this plane, and the
claim is decided where its path crosses one. Of a mean: its confidence sequence against the bound.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from reports.figures import style
from reports.gate.card import Gate, Result
from reports.gate.means import FIRST, MeanTest
from reports.gate.sprt import Answer, Ratio, Sprt
from reports.gate.words import MARKS, value_text
from scenarios.policy.claims import Indicator

MOST = 24
"""Claims shown; those that did not pass come first."""
_COLOURS = {
    Answer.PASSED: style.GREEN,
    Answer.FAILED: style.VERMILLION,
    Answer.UNDECIDED: style.ORANGE,
    Answer.OPEN: style.GREY,
}
_LEGEND = (
    Patch(color=style.GREEN, alpha=0.4, label="passed"),
    Patch(color=style.VERMILLION, alpha=0.4, label="failed"),
    Patch(color=style.ORANGE, alpha=0.4, label="too close to call"),
    Line2D([], [], color=style.ORANGE, linestyle="--", linewidth=0.9, label="a test gives up"),
)
Line = tuple[tuple[float, float], tuple[float, float]]


class SharePanel(NamedTuple):
    """A claim about a share of the replications."""

    title: str
    answer: Answer
    seen: int
    path: tuple[tuple[int, int], ...]
    """(replications, broken ones) wherever another one broke, from (0, 0) to the end."""
    across: float
    up: float
    passes: Line
    """Below it the claim has passed."""
    fails: Line
    """Above it the claim has failed."""
    hopeless: Line
    """Above it the test that speaks for the claim has given up."""
    harmless: Line
    """Below it the test that speaks against it has."""


class MeanPanel(NamedTuple):
    """A claim about a mean."""

    title: str
    answer: Answer
    seen: int
    points: tuple[tuple[int, float, float, float], ...]
    """(replications, lower limit, mean, upper limit)."""
    bound: float
    label: str
    margin: float


class ClaimsInfo(NamedTuple):
    """All panels, in the order of the policy."""

    title: str
    panels: tuple[SharePanel | MeanPanel, ...]
    left_out: int


def info(gate: Gate) -> ClaimsInfo:
    """A panel for each claim; of more than ``MOST`` those that did not pass first."""
    order = sorted(range(len(gate.results)), key=lambda index: gate.results[index].answer is Answer.PASSED)
    shown = [gate.results[index] for index in sorted(order[:MOST])]
    panels = tuple(_mean(one) if isinstance(one.test, MeanTest) else _share(one, one.test) for one in shown)
    return ClaimsInfo(gate.policy.title, panels, len(gate.results) - len(shown))


def _share(result: Result, test: Sprt) -> SharePanel:
    steps = tuple((at, index + 1) for index, at in enumerate(result.breaks))
    path = ((0, 0), *steps, (result.seen, len(steps)))
    across = 1.08 * max(result.seen, min(test.fewest_to_pass, test.most), 10)
    pro, contra = test.speaks_for, test.speaks_against
    fails = _line(contra, contra.decides, across)
    up = max(1.25 * len(steps), fails[0][1] * 1.3, 4.0)
    return SharePanel(
        result.claim.name,
        result.answer,
        result.seen,
        path,
        across,
        up,
        _line(pro, pro.decides, across),
        fails,
        _line(pro, pro.gives_up, across),
        _line(contra, contra.gives_up, across),
    )


def _line(ratio: Ratio, height: float, across: float) -> Line:
    """Where the ratio's logarithm has this height, as broken ones against replications."""
    at_0, at_end = ((n * ratio.kept - height) / (ratio.kept - ratio.broken) for n in (0.0, across))
    return (0.0, at_0), (across, at_end)


def _mean(result: Result) -> MeanPanel:
    happening = result.claim.happening
    bound, label = 0.0, ""
    if isinstance(happening, Indicator):
        bound, label = happening.value, f"{happening.relation.value} {value_text(happening, happening.value)}"
    return MeanPanel(result.claim.name, result.answer, result.seen, result.means, bound, label, result.claim.margin)


@style.styled
def draw(found: ClaimsInfo) -> Figure:
    """Small multiples, two in a row."""
    rows = max(1, ceil(len(found.panels) / 2))
    figure = Figure(figsize=(11, 0.5 + 2.7 * rows), layout="constrained")
    grid = figure.subplots(rows, 2, squeeze=False)
    for axes, panel in zip(grid.flat, found.panels, strict=False):
        _draw_share(axes, panel) if isinstance(panel, SharePanel) else _draw_mean(axes, panel)
    for axes in grid.flat[len(found.panels) :]:
        axes.set_visible(False)
    more = f"  ({found.left_out} more claims passed)" if found.left_out else ""
    figure.suptitle(style.shorten(found.title, 100) + more, x=0.01, ha="left", fontweight="bold")
    if any(isinstance(panel, SharePanel) for panel in found.panels):
        figure.legend(handles=_LEGEND, loc="upper right", ncols=len(_LEGEND), fontsize=7.5, frameon=False)
    return figure


def _begin(axes: Axes, panel: SharePanel | MeanPanel) -> None:
    style.plain_axes(axes)
    axes.set_title(style.shorten(panel.title, 84), loc="left", fontsize=8)
    axes.set_xlabel("replications", fontsize=8)
    axes.tick_params(labelsize=7.5)
    text = f"{MARKS[panel.answer]} after {panel.seen:,}"
    axes.annotate(text, (1, 1), (-4, -4), xycoords="axes fraction", textcoords="offset points", ha="right", va="top",
                  fontsize=8.5, fontweight="bold", color=style.BLACK,
                  bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": _COLOURS[panel.answer]})  # fmt: skip


def _draw_share(axes: Axes, panel: SharePanel) -> None:
    _begin(axes, panel)
    axes.set_xlim(0, panel.across)
    axes.set_ylim(-0.03 * panel.up, panel.up)
    axes.set_ylabel("of them break the claim", fontsize=8)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    x = [point[0] for point in panel.fails]
    heights = {
        name: [point[1] for point in getattr(panel, name)] for name in ("passes", "fails", "hopeless", "harmless")
    }
    axes.fill_between(x, heights["fails"], [10 * panel.up] * 2, color=style.VERMILLION, alpha=0.16, linewidth=0)
    axes.fill_between(x, [-panel.up] * 2, heights["passes"], color=style.GREEN, alpha=0.18, linewidth=0)
    axes.fill_between(x, heights["hopeless"], heights["harmless"], color=style.ORANGE, alpha=0.22, linewidth=0,
                      where=[low <= high for low, high in zip(heights["hopeless"], heights["harmless"], strict=True)],
                      interpolate=True)  # fmt: skip
    for name, colour in (("fails", style.VERMILLION), ("passes", style.GREEN)):
        axes.plot(x, heights[name], color=colour, linewidth=1.2)
    for name in ("hopeless", "harmless") if panel.hopeless != panel.fails else ():  # with a tolerance they are the same
        axes.plot(x, heights[name], color=style.ORANGE, linewidth=0.9, linestyle="--")
    axes.step([n for n, _ in panel.path], [b for _, b in panel.path], where="post", color=style.BLACK, linewidth=1.5)
    axes.plot(
        *panel.path[-1], "o", color=_COLOURS[panel.answer], markeredgecolor=style.BLACK, markersize=6, clip_on=False
    )


def _draw_mean(axes: Axes, panel: MeanPanel) -> None:
    _begin(axes, panel)
    if not panel.points:
        style.empty(axes, f"fewer than {FIRST} values")
        return
    seen, low, mean, high = ([point[i] for point in panel.points] for i in range(4))
    axes.fill_between(seen, low, high, color=style.BLUE, alpha=0.2, linewidth=0)
    axes.plot(seen, mean, color=style.BLACK, linewidth=1.5)
    axes.set_xlim(0, 1.08 * seen[-1])
    axes.errorbar(seen[-1], mean[-1], [[mean[-1] - low[-1]], [high[-1] - mean[-1]]], color=style.BLUE, capsize=4)
    axes.axhline(panel.bound, color=style.VERMILLION, linewidth=1.2)
    axes.annotate(panel.label, (0, panel.bound), (4, 3), xycoords=("axes fraction", "data"),
                  textcoords="offset points", fontsize=8, color=style.BLACK)  # fmt: skip
    axes.plot(seen[-1], mean[-1], "o", color=_COLOURS[panel.answer], markeredgecolor=style.BLACK, markersize=6)
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top + 0.3 * (top - bottom))  # room for the answer
    axes.set_ylabel("mean and its limits", fontsize=8)
