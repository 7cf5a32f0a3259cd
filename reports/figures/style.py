"""One look for all figures: Okabe and Ito's colours, which colour-blind readers can tell apart, and SVG as bytes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from io import BytesIO
from typing import ParamSpec

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.model.records import Verdict

P = ParamSpec("P")

BLACK, GREY, LIGHT = "#000000", "#666666", "#dddddd"
ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE = (
    "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip

DARK_GREEN, DARK_ORANGE, DARK_PURPLE = "#00694d", "#8f5d00", "#8a3d6b"
"""For text: the colours above are too light to read at this size."""

SIDES = {"stable": BLUE, "candidate": VERMILLION, "none": BLACK}
VERDICTS = {
    Verdict.PROMOTED: GREEN,
    Verdict.ABORTED: ORANGE,
    Verdict.REJECTED: PURPLE,
    Verdict.DEGRADED: YELLOW,
    Verdict.STUCK: SKY,
    Verdict.UNDONE: VERMILLION,
}
SERIES = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK)
MARKERS = ("o", "s", "D", "^", "v", "P", "X")

_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "rolltwin",
    "text.parse_math": False,  # a $ in a reason is a dollar
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "figure.dpi": 100.0,
}


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """The drawing function with this look: texts take their size when they are made, not when they are saved."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with _look():
            return draw(*args, **kwargs)

    return drawn


def svg(figure: Figure) -> bytes:
    """The figure as SVG: the same bytes for the same figure, text as text."""
    return _saved(figure, "svg", {"Date": None, "Creator": None})


def png(figure: Figure) -> bytes:
    """The figure as PNG, for looking at it."""
    return _saved(figure, "png", {"Software": None})


def plain_axes(axes: Axes) -> None:
    """No box, a light grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color=LIGHT, linewidth=0.6)
    axes.set_axisbelow(True)


def colour(index: int) -> str:
    """The colour of the index-th series, beginning again after the last."""
    return SERIES[index % len(SERIES)]


def empty(axes: Axes, text: str) -> None:
    """Say that there is nothing to draw, rather than draw nothing."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY)


def shorten(text: str, length: int) -> str:
    """The text, cut with an ellipsis if longer."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def distinct(items: Sequence[str]) -> list[str]:
    """The items without repetitions, in order."""
    return list(dict.fromkeys(items))


@contextmanager
def _look() -> Iterator[None]:
    with rc_context(_STYLE), warnings.catch_warnings():  # type: ignore[arg-type]  # its keys are literals
        # In an SVG text stays text: the reader's fonts have the glyphs that the measuring font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _saved(figure: Figure, kind: str, metadata: dict[str, str | None]) -> bytes:
    buffer = BytesIO()
    with _look():
        figure.savefig(buffer, format=kind, metadata=metadata, bbox_inches="tight", pad_inches=0.1)
    return buffer.getvalue()
