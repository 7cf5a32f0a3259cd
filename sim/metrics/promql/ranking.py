"""topk, bottomk and the sorting functions, with the server's order of equal values.

The server keeps the best in a binary heap (Go's container/heap), whose order among ties shows in the answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cmp_to_key
from typing import Final

from sim.metrics.rows import Labels

_Less = Callable[[float, float], bool]


def _smaller(left: float, right: float) -> bool:
    return left < right or math.isnan(left)


def _larger(left: float, right: float) -> bool:
    return left > right or math.isnan(left)


def ranked(values: Sequence[float], count: int, *, largest: bool, pops: bool = False) -> list[int]:
    """Indices of the largest (or smallest) values, best first; NaN only when there is nothing else.

    ``pops`` is the Dialect's way with a full heap.
    """
    less = _smaller if largest else _larger
    heap: list[int] = []
    for index, value in enumerate(values):
        if len(heap) < count:
            _push(heap, index, values, less)
        elif pops and (less(values[heap[0]], value) or math.isnan(values[heap[0]])):
            _pop(heap, values, less)
            _push(heap, index, values, less)
        elif not pops and _worse(values[heap[0]], value, less):
            heap[0] = index
            _down(heap, values, less)
    return _sorted(heap, values, less)


def pushed(values: Sequence[float], indices: Iterable[int]) -> list[int]:
    """These indices as the server's heap holds them when they were all put on it."""
    heap: list[int] = []
    for index in indices:
        _push(heap, index, values, _smaller)
    return heap


def _worse(kept: float, value: float, less: _Less) -> bool:
    if math.isnan(kept):
        return not math.isnan(value)
    return less(kept, value)


def _push(heap: list[int], index: int, values: Sequence[float], less: _Less) -> None:
    heap.append(index)
    at = len(heap) - 1
    while at:
        parent = (at - 1) // 2
        if not less(values[heap[at]], values[heap[parent]]):
            return
        heap[at], heap[parent] = heap[parent], heap[at]
        at = parent


def _pop(heap: list[int], values: Sequence[float], less: _Less) -> None:
    last = heap.pop()
    if heap:
        heap[0] = last
        _down(heap, values, less)


def _down(heap: list[int], values: Sequence[float], less: _Less) -> None:
    at = 0
    while (child := 2 * at + 1) < len(heap):
        if child + 1 < len(heap) and less(values[heap[child + 1]], values[heap[child]]):
            child += 1
        if not less(values[heap[child]], values[heap[at]]):
            return
        heap[at], heap[child] = heap[child], heap[at]
        at = child


def _sorted(heap: list[int], values: Sequence[float], less: _Less) -> list[int]:
    """Best first and NaN last, equal ones in the heap's order (Go sorts up to 12 by insertion, which is stable)."""
    sign = -1.0 if less is _smaller else 1.0
    return sorted(heap, key=lambda index: (math.isnan(values[index]), sign * values[index]))


def by_value(values: Sequence[float], *, descending: bool) -> list[int]:
    """Indices in order of their values, NaN last."""
    return _sorted(list(range(len(values))), values, _smaller if descending else _larger)


def by_labels(rows: Sequence[Labels], names: Sequence[str], *, descending: bool) -> list[int]:
    """Indices in natural order of these labels, then of all labels."""

    def compare(left: int, right: int) -> int:
        for name in names:
            one, other = rows[left].get(name, ""), rows[right].get(name, "")
            if one != other:
                return -1 if natural_less(one, other) else 1
        all_left, all_right = sorted(rows[left].items()), sorted(rows[right].items())
        return (all_left > all_right) - (all_left < all_right)

    def backwards(left: int, right: int) -> int:
        return compare(right, left)

    return sorted(range(len(rows)), key=cmp_to_key(backwards if descending else compare))


_CHUNK: Final = re.compile(r"[0-9]+|[^0-9]+")


def natural_less(left: str, right: str) -> bool:
    """Whether one text comes before another, runs of digits compared as numbers (facette/natsort)."""
    for one, other in zip(map(_natural, _CHUNK.findall(left)), map(_natural, _CHUNK.findall(right)), strict=False):
        if one != other:
            return one < other
    return len(left) < len(right)


def _natural(chunk: str) -> tuple[str, int, str]:
    """A run of digits by its value (and before letters, as in ASCII), any other run by its characters."""
    if not chunk.isdigit():
        return chunk, 0, ""
    digits = chunk.lstrip("0")
    return "0", len(digits), digits
