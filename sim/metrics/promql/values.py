"""What expressions evaluate to, and the circumstances of an evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sim.metrics.columns import Booleans, Columns, Floats, Integers
from sim.metrics.promql.dialects import Dialect
from sim.metrics.promql.nodes import PromqlError, When
from sim.metrics.rows import Rows
from sim.metrics.store import SeriesStore

EMPTY = Rows([])
NAMELESS = Rows([{}])
"""The one row of what has no labels."""


@dataclass(frozen=True, slots=True)
class Vector:
    """An instant vector: a value for each row."""

    rows: Rows
    values: Floats

    def mapped(self, values: Floats, context: Context) -> Vector:
        """Other values for the same rows, whose names they lose."""
        return Vector(context.dropped(self.rows), values)

    def where(self, mask: Booleans) -> Vector:
        """The samples where the mask is true."""
        return self if mask.all() else Vector(self.rows.take(mask), self.values[mask])

    def numbers(self) -> list[float]:
        """The values as Python's floats."""
        found: list[float] = self.values.tolist()
        return found


@dataclass(frozen=True, slots=True)
class Ranges:
    """A range vector: for each row the positions of its samples in ``columns``, at least one; edges in milliseconds."""

    rows: Rows
    columns: Columns
    series: Integers
    low: Integers
    high: Integers
    start_ms: int
    end_ms: int

    def where(self, mask: Booleans) -> Ranges:
        """The windows where the mask is true."""
        if mask.all():
            return self
        rows, series = self.rows.take(mask), self.series[mask]
        return Ranges(rows, self.columns, series, self.low[mask], self.high[mask], self.start_ms, self.end_ms)

    def samples(self) -> list[list[float]]:
        """The values of each window."""
        values = self.columns.values
        pairs = zip(self.low.tolist(), self.high.tolist(), strict=True)
        return [values[low:high].tolist() for low, high in pairs]

    def times(self) -> list[list[int]]:
        """The milliseconds of each window's samples."""
        times = self.columns.times
        pairs = zip(self.low.tolist(), self.high.tolist(), strict=True)
        return [times[low:high].tolist() for low, high in pairs]

    def block(self, fill: float) -> Floats:
        """The values as a rectangle, a window a row; shorter ones are filled up."""
        width = int((self.high - self.low).max(initial=0))
        positions = self.low[:, None] + np.arange(width)
        inside = positions < self.high[:, None]
        return np.where(inside, self.columns.values[np.where(inside, positions, 0)], fill)


Value = float | str | Vector | Ranges


@dataclass(frozen=True, slots=True)
class Context:
    """What an evaluation needs to know; ``start_ms``, ``end_ms`` and ``step_ms`` are those of the whole query."""

    store: SeriesStore
    dialect: Dialect
    at_ms: int
    start_ms: int
    end_ms: int
    step_ms: int
    lookback_ms: int

    def moved_to(self, at_ms: int) -> Context:
        """The same at another instant."""
        return replace(self, at_ms=at_ms)

    def instant(self, when: When) -> int:
        """Evaluation instant after ``@`` and ``offset``, milliseconds."""
        match when.at:
            case None:
                base = self.at_ms
            case "start":
                base = self.start_ms
            case "end":
                base = self.end_ms
            case fixed:
                base = int(fixed)
        return base - when.offset_ms

    def left_edge(self, until_ms: int, width_ms: int) -> int:
        """The last instant that is *not* part of a window of this width."""
        return until_ms - width_ms - (1 if self.dialect.closed else 0)

    def dropped(self, rows: Rows) -> Rows:
        """Rows without their names, at once or at the end; PromqlError when two of them would be alike at once."""
        if self.dialect.delays_names:
            return rows.due()
        return unique(rows.bare())


def unique(rows: Rows) -> Rows:
    """The rows; PromqlError when two have the same labels."""
    if not rows.distinct:
        msg = "vector cannot contain metrics with the same labelset"
        raise PromqlError(msg)
    return rows


def each(vector: Vector, function: Callable[[float], float], context: Context) -> Vector:
    """The function of every value, names dropped."""
    return vector.mapped(np.array([function(value) for value in vector.numbers()], dtype=np.float64), context)


def sample(value: float) -> Vector:
    """A vector of one sample without labels."""
    return Vector(NAMELESS, np.array([value], dtype=np.float64))
