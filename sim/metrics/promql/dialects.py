"""In what the releases of Prometheus differ when they evaluate the same query on the same samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Dialect:
    """The rules of a line of releases (evaluators reference 1.2, rules 1, 2 and 6)."""

    closed: bool
    """Ranges and the lookback include their left edge (until 3.0)."""
    by_labels: bool = False
    """Selectors answer in order of labels, not of creation (2.42 does, 2.53 does not)."""
    clamps_first: bool = False
    """Extrapolation to a counter's zero is limited before the half-interval rule, not after (changed in 2.51)."""
    pops_heap: bool = False
    """topk takes the worst off its heap before it adds a better one, and NaN gives way to NaN (changed by 2.45)."""
    filters_first: bool = True
    """Pairs that a comparison filters out do not count as matches, so none is one too many (changed in 3.9)."""
    lone_spread: bool = False
    """The stddev of a single value is 0 even when that is NaN or infinite (changed in 3.0)."""
    delays_names: bool = False
    """Names are dropped at the end of the query, not by each function (feature ``promql-delayed-name-removal``)."""


DIALECTS: Final = {
    "2": Dialect(closed=True, lone_spread=True),
    "2.42": Dialect(closed=True, by_labels=True, clamps_first=True, pops_heap=True, lone_spread=True),
    "3": Dialect(closed=False, filters_first=False, delays_names=True),
    "3.5": Dialect(closed=False),
}
"""The newest release of each line with its experimental features on; ``2.42`` and ``3.5`` are the older ones."""


def dialect_of(version: str) -> str:
    """The dialect of a Prometheus release (``2.53.3 -> 2``); unknown ones count as the newest."""
    major, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    if major == "2":
        return "2.42" if minor.isdigit() and int(minor) < 51 else "2"
    return "3.5" if major == "3" and minor.isdigit() and int(minor) < 9 else "3"
