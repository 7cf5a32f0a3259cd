"""The latency histogram: 32 buckets an octave, cut once more at the exposed bounds, so that both views are exact.

A latency's place comes from the bits of its float: exponent and the five leading bits of the mantissa. Fine buckets
reach from 2**-20 s (0.95 us) to 2**12 s (68 minutes); what lies outside is counted in the first or last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.traffic.jit import part
from sim.traffic.values import Counts

PER_OCTAVE: Final = 32
LOWEST: Final = -20
"""Exponent of the first bucket's lower edge."""
OCTAVES: Final = 32
BINS: Final = PER_OCTAVE * OCTAVES
SHIFT: Final = 52 - 5
"""Mantissa bits below the five that count."""
OFFSET: Final = (1023 + LOWEST) * PER_OCTAVE


class Layout(NamedTuple):
    """The cells: fine buckets cut at the exposed bounds.

    ``first_cell`` has each fine bucket's first cell (also where the bucket starts), so that ``first_cell[bin] - bin``
    bounds lie in earlier buckets; ``bucket_starts`` the first cell of each exposed bucket.
    """

    bounds: NDArray[np.float64]
    first_cell: NDArray[np.int64]
    bucket_starts: NDArray[np.int64]


@part
def bin_of(latency_s: float) -> int:
    """Index of the fine bucket of a latency."""
    place = int(np.float64(latency_s).view(np.int64) >> SHIFT) - OFFSET
    return min(max(place, 0), BINS - 1)


@part
def cell_of(latency_s: float, bounds: NDArray[np.float64], first_cell: NDArray[np.int64]) -> int:
    """Index of the cell of a latency: after every bound below it (a bound itself belongs to the lower bucket)."""
    place = bin_of(latency_s)
    cell = first_cell[place]
    bound = cell - place
    while bound < len(bounds) and bounds[bound] < latency_s:
        bound += 1
    return int(place + bound)


@lru_cache(maxsize=16)
def layout(bounds_s: tuple[float, ...]) -> Layout:
    """The cells for these upper bounds (ascending, positive, seconds; without +Inf)."""
    bounds = np.array(bounds_s, dtype=np.float64)
    # A bound that is itself the lower edge of a bin cuts off that single value, so that `le` holds exactly.
    owners = np.array([bin_of(float(bound)) for bound in bounds_s], dtype=np.int64)
    bins = np.arange(BINS)
    below = np.searchsorted(owners, bins, side="left")
    bucket_starts = np.concatenate([[0], owners + np.arange(len(bounds)) + 1])
    return Layout(bounds, bins + below, bucket_starts)


def cells(plan: Layout) -> int:
    """How many cells a histogram has."""
    return BINS + len(plan.bounds)


def by_bucket(counts: Counts, plan: Layout) -> Counts:
    """The exposed histogram of cell counts: one count per bound and one above them all."""
    return np.add.reduceat(counts, plan.bucket_starts)


def by_bin(counts: Counts, plan: Layout) -> Counts:
    """The fine histogram of cell counts."""
    return np.add.reduceat(counts, plan.first_cell)


@cache
def lower_edges_s() -> NDArray[np.float64]:
    """Lower edges of the fine buckets, and the upper edge of the last, seconds; made once, read-only."""
    octave, part = np.divmod(np.arange(BINS + 1), PER_OCTAVE)
    edges: NDArray[np.float64] = np.ldexp(1.0 + part / PER_OCTAVE, octave + LOWEST)
    edges.setflags(write=False)
    return edges


def quantile(counts: Counts, q: float) -> float:
    """The latency below which a share ``q`` of a fine histogram's answers lie, seconds; NaN where there are none."""
    return float(quantiles(counts[np.newaxis], (q,))[0, 0])


def quantiles(counts: Counts, shares: Sequence[float]) -> NDArray[np.float64]:
    """The latency below which each share of each row's answers lies: (rows, shares), seconds; NaN for empty rows.

    Linear within a bucket, so the relative error is below 1/32. Rows may be differences of two samples.
    """
    reached = np.cumsum(counts, axis=1)
    rows, totals = np.arange(len(counts)), reached[:, -1]
    first = np.argmax(counts > 0, axis=1)
    edges = lower_edges_s()
    found = np.full((len(counts), len(shares)), np.nan)
    for column, share in enumerate(shares):
        rank = share * totals
        place = np.minimum(np.count_nonzero(reached < rank[:, np.newaxis], axis=1), BINS - 1)
        place = np.maximum(place, first)  # a share of 0 starts at the first bucket that has an answer
        here = counts[rows, place]
        inside = (rank - (reached[rows, place] - here)) / np.maximum(here, 1)
        found[:, column] = edges[place] + (edges[place + 1] - edges[place]) * inside
    found[totals == 0] = np.nan
    return found
