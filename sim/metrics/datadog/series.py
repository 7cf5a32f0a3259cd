"""Result series, and what is done to one of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Scope = tuple[tuple[str, str], ...]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One result series: the group's tags and its points (bucket start in seconds, value), oldest first."""

    scope: Scope
    points: tuple[Point, ...]


AGGREGATES: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "avg": lambda values: math.fsum(values) / len(values),
    "sum": math.fsum,
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
    "last": lambda values: values[-1],
}
"""Reductions of points, of one series over time and of one instant over series."""


def kept(points: Iterable[tuple[float, float | None]]) -> tuple[Point, ...]:
    """The points that have a value."""
    return tuple((t_s, value) for t_s, value in points if value is not None)


def mapped(vector: list[Series], function: Callable[[float], float | None]) -> list[Series]:
    """The function of every value; a point it gives None for is none, a series without points is dropped."""
    made = [Series(one.scope, kept((t_s, function(value)) for t_s, value in one.points)) for one in vector]
    return [series for series in made if series.points]
