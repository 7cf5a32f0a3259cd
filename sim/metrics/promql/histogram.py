"""histogram_quantile and histogram_fraction over classic buckets, all histograms with the same bounds at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.metrics import gotext
from sim.metrics.columns import Floats, Integers
from sim.metrics.promql.values import Context, Vector
from sim.metrics.rows import NAME, Labels, Rows

BUCKET: Final = "le"
_TOLERANCE: Final = 1e-12
"""Relative size of a difference between buckets that is float noise (promql/quantile.go)."""
_NUMBER: Final = re.compile(
    r"[+-]?(?:\d+(?:_\d+)*\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Histograms with the same upper bounds: their places in the answer, and where their counts are in the vector."""

    places: list[int]
    bounds: Floats
    members: list[Integers]
    starts: Integers
    """Where each bound begins among the members: buckets with equal bounds are added up."""

    def counts(self, values: Floats) -> Floats:
        """Counts by histogram and bucket."""
        rows = [values[members] for members in self.members]
        if len(self.starts) == len(self.members[0]):
            return np.array(rows)
        return np.array([np.add.reduceat(row, self.starts) for row in rows])


@dataclass(frozen=True, slots=True)
class _Histograms:
    rows: Rows
    shapes: list[_Shape]


def histogram_quantile(q: float, vector: Vector, context: Context) -> Vector:
    """The quantile of each histogram in the vector: one per label set apart from ``le`` (and the name, see Dialect)."""
    return _over_histograms(vector, context, lambda bounds, counts: quantiles(q, bounds, counts))


def histogram_quantiles(vector: Vector, label: str, shares: Sequence[float], context: Context) -> Vector:
    """Several quantiles of each histogram, told apart by a label that holds the share."""
    parts = [histogram_quantile(q, vector, context) for q in shares]
    rows = parts[0].rows
    key = ("quantiles", label, tuple(shares))
    return Vector(
        rows.once(key, lambda: _labelled(rows, label, shares)), np.concatenate([part.values for part in parts])
    )


def _labelled(rows: Rows, label: str, shares: Sequence[float]) -> Rows:
    texts = [gotext.open_metrics(q) for q in shares]
    labels = [dict(sorted({**one, label: text}.items())) for text in texts for one in rows.labels]
    return Rows(labels, [rows.loses_name(at) for _ in shares for at in range(len(rows))])


def histogram_fraction(lower: float, upper: float, vector: Vector, context: Context) -> Vector:
    """The share of each histogram's observations between two values."""
    return _over_histograms(vector, context, lambda bounds, counts: fractions(lower, upper, bounds, counts))


def _over_histograms(vector: Vector, context: Context, function: Callable[[Floats, Floats], Floats]) -> Vector:
    named = context.dialect.delays_names
    found = vector.rows.once(("histograms", named), lambda: _grouped(vector.rows, named=named))
    values = np.full(len(found.rows), np.nan)
    for shape in found.shapes:
        values[shape.places] = function(shape.bounds, shape.counts(vector.values))
    return Vector(found.rows.due() if named else found.rows, values)


def _grouped(rows: Rows, *, named: bool) -> _Histograms:
    groups: dict[frozenset[tuple[str, str]], tuple[Labels, list[tuple[float, int]]]] = {}
    for index, labels in enumerate(rows.labels):
        bound = _bound(labels.get(BUCKET, ""))
        if bound is not None:
            rest = {name: text for name, text in labels.items() if name != BUCKET and (named or name != NAME)}
            groups.setdefault(frozenset(rest.items()), (rest, []))[1].append((bound, index))
    shapes: dict[tuple[float, ...], list[tuple[int, list[int]]]] = {}
    for place, (_, buckets) in enumerate(groups.values()):
        buckets.sort()
        key = tuple(bound for bound, _ in buckets)
        shapes.setdefault(key, []).append((place, [index for _, index in buckets]))
    return _Histograms(Rows([labels for labels, _ in groups.values()]), [_shape(*pair) for pair in shapes.items()])


def _shape(bounds: tuple[float, ...], histograms: list[tuple[int, list[int]]]) -> _Shape:
    starts = [at for at, bound in enumerate(bounds) if at == 0 or bound != bounds[at - 1]]
    return _Shape(
        [place for place, _ in histograms],
        np.array([bounds[at] for at in starts]),
        [np.array(members) for _, members in histograms],
        np.array(starts),
    )


def _bound(text: str) -> float | None:
    """Go's ParseFloat of a bucket's bound."""
    return float(text) if _NUMBER.fullmatch(text) else None


def quantiles(q: float, bounds: Floats, counts: Floats) -> Floats:
    """Quantile of each row of cumulative counts, interpolated inside its bucket; NaN without observations.

    Below the lowest bound it interpolates from 0, in the +Inf bucket it gives the highest finite bound.
    """
    if not 0 <= q <= 1:
        return np.full(len(counts), q if np.isnan(q) else np.copysign(np.inf, q))
    if len(bounds) < 2 or bounds[-1] != np.inf:
        return np.full(len(counts), np.nan)
    counts = _repaired(counts)
    observed = counts[:, -1]
    rank = q * observed
    bucket = (~(counts[:, :-1] >= rank[:, None])).sum(axis=1)
    everyone = np.arange(len(counts))
    below = np.where(bucket > 0, counts[everyone, bucket - 1], 0.0)
    start = np.where(bucket > 0, bounds[bucket - 1], 0.0)
    found = start + (bounds[bucket] - start) * ((rank - below) / (counts[everyone, bucket] - below))
    if bounds[0] <= 0:
        found = np.where(bucket == 0, bounds[0], found)
    found = np.where(bucket == len(bounds) - 1, bounds[-2], found)
    return np.where(observed == 0, np.nan, found)


def _repaired(counts: Floats) -> Floats:
    """Counts that never decrease from bucket to bucket, nor increase by mere float noise."""
    step = counts[:, 1:] - counts[:, :-1]
    if ((step == 0) | (step > _TOLERANCE * (counts[:, 1:] + counts[:, :-1]))).all():
        return counts
    fixed = counts.copy()
    kept = fixed[:, 0]
    for index in range(1, counts.shape[1]):
        here = fixed[:, index]
        noise = np.abs(here - kept) < _TOLERANCE * (np.abs(here) + np.abs(kept))
        kept = np.where(noise | (here < kept) | (np.isnan(here) & np.isnan(kept)), kept, here)
        fixed[:, index] = kept
    return fixed


def fractions(lower: float, upper: float, bounds: Floats, counts: Floats) -> Floats:
    """Share of each row's observations between two values, by interpolation (promql/quantile.go ``BucketFraction``)."""
    observed = counts[:, -1]
    if bounds[-1] != np.inf or np.isnan(lower) or np.isnan(upper):
        return np.full(len(counts), np.nan)
    if lower >= upper:
        return np.where(observed == 0, np.nan, 0.0)
    found: Floats = (_rank(upper, bounds, counts) - _rank(lower, bounds, counts)) / observed
    return np.where(observed == 0, np.nan, found)


def _rank(value: float, bounds: Floats, counts: Floats) -> Floats:
    """How many observations of each row lie below a value; in a bucket without end, all before or all of it."""
    observed = counts[:, -1]
    bucket = int(np.searchsorted(bounds, value, side="right"))
    below = counts[:, bucket - 1] if bucket else np.zeros(len(counts))
    if bucket == len(bounds):
        return observed
    start = bounds[bucket - 1] if bucket else (0.0 if bounds[0] > 0 else -np.inf)
    if value <= start:
        return np.minimum(below, observed)
    inside = counts[:, bucket] - below
    share = 0.0 if bounds[bucket] == np.inf else 1.0 if start == -np.inf else (value - start) / (bounds[bucket] - start)
    return np.minimum(below + inside * share, observed)
