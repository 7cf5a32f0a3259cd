"""Which of many policies nobody can better in everything at once, and the one among them to take."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, ...]
"""One value per objective; less is better."""


def dominates(a: Point, b: Point) -> bool:
    """Whether a is at least as good in everything and better in something."""
    return all(x <= y for x, y in zip(a, b, strict=True)) and a != b


def front(points: Sequence[Point]) -> tuple[int, ...]:
    """Indices of the points that none dominates, by their first objective; of equal ones the first."""
    best = [
        index
        for index, point in enumerate(points)
        if not any(dominates(other, point) for other in points) and point not in points[:index]
    ]
    return tuple(sorted(best, key=lambda index: points[index]))


def knee(points: Sequence[Point]) -> int | None:
    """Index of the point of the front nearest to the best of everything, each objective as a share of the front's range.

    That is where giving up a little of one objective no longer buys much of another. None without points.
    """
    if not points:
        return None
    best = [min(column) for column in zip(*points, strict=True)]
    span = [max(column) - low for column, low in zip(zip(*points, strict=True), best, strict=True)]

    def distance(index: int) -> tuple[float, Point]:
        shares = [(x - low) / width if width else 0.0 for x, low, width in zip(points[index], best, span, strict=True)]
        return sum(share**2 for share in shares), points[index]

    return min(range(len(points)), key=distance)
