"""histogram_quantile over classic buckets."""

from __future__ import annotations

import math
from bisect import bisect_left

from sim.metrics.promql.selectors import Vector
from sim.metrics.store import NAME, Labels

BUCKET = "le"
_TOLERANCE = 1e-12
"""Relative size of a decrease between buckets that is float noise, not a broken histogram (promql/quantile.go)."""

Buckets = list[tuple[float, float]]


def histogram_quantile(q: float, vector: Vector) -> Vector:
    """The quantile of each histogram in the vector: one per label set apart from ``le`` and the name."""
    groups: dict[frozenset[tuple[str, str]], tuple[Labels, Buckets]] = {}
    for labels, value in vector:
        bound = _bound(labels.get(BUCKET, ""))
        if bound is not None:
            rest = {name: text for name, text in labels.items() if name not in {BUCKET, NAME}}
            groups.setdefault(frozenset(rest.items()), (rest, []))[1].append((bound, value))
    return [(labels, bucket_quantile(q, buckets)) for labels, buckets in groups.values()]


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def bucket_quantile(q: float, buckets: Buckets) -> float:
    """Quantile of (upper bound, cumulative count) pairs, interpolated inside its bucket; NaN without observations.

    Below the lowest bound it interpolates from 0, in the +Inf bucket it gives the highest finite bound.
    """
    if math.isnan(q):
        return math.nan
    if not 0 <= q <= 1:
        return math.copysign(math.inf, q)
    bounds, counts = _repaired(buckets)
    if len(bounds) < 2 or bounds[-1] != math.inf or counts[-1] == 0 or math.isnan(counts[-1]):
        return math.nan
    rank = q * counts[-1]
    index = bisect_left(counts, rank, 0, len(counts) - 1)
    if index == len(bounds) - 1:
        return bounds[-2]
    if index == 0 and bounds[0] <= 0:
        return bounds[0]
    start, below = (bounds[index - 1], counts[index - 1]) if index else (0.0, 0.0)
    inside = counts[index] - below
    share = (rank - below) / inside if inside else math.nan
    return start + (bounds[index] - start) * share


def _repaired(buckets: Buckets) -> tuple[list[float], list[float]]:
    """Bounds in order with counts that never decrease; equal bounds are added up."""
    merged: dict[float, float] = {}
    for bound, count in sorted(buckets):
        merged[bound] = merged.get(bound, 0.0) + count
    counts = list(merged.values())
    for index in range(1, len(counts)):
        before, here = counts[index - 1], counts[index]
        if here < before or abs(here - before) <= _TOLERANCE * abs(here + before) / 2:
            counts[index] = before
    return list(merged), counts
