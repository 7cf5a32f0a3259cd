"""Quantiles of a histogram: P(histogram_quantile is above a limit), from the counts below, inside and above a bucket.

``histogram_quantile`` takes the rank ``q n`` and interpolates inside the bucket it falls into. So the quantile is at most
``v`` exactly if ``A + t B >= q n``: A requests lie below v's bucket, B inside, and v stands at the share t of its width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from math import inf

import numpy as np

from scenarios.power.limits import PHASES
from scenarios.power.poisson import Poisson
from scenarios.power.readings import Quantile
from scenarios.power.world import Floats
from sim.model.analysis import AnalysisPhase

_MOST = 500
"""Counts of one bucket that are gone through one by one."""


def edges(reading: Quantile) -> tuple[float, ...]:
    """Bounds of the buckets in which the cuts lie, rising; between them requests need not be told apart."""
    found = {edge for cut in reading.verdicts.cuts for edge in _bucket(reading, cut)}
    return tuple(sorted(edge for edge in found if 0 < edge < inf))


def _bucket(reading: Quantile, cut: float) -> tuple[float, float]:
    bounds = (0.0, *reading.bounds_s, inf)
    return next(((low, high) for low, high in pairwise(bounds) if low < cut <= high), (bounds[-2], inf))


def bucketed(reading: Quantile, slower: Callable[[float], float]) -> tuple[float, ...]:
    """Shares of the requests between these bounds; ``slower(b)`` is the share above b."""
    above = [1.0, *(slower(edge) for edge in edges(reading)), 0.0]
    return tuple(max(0.0, before - after) for before, after in pairwise(above))


@lru_cache(maxsize=16384)
def quantile_chances(reading: Quantile, means: tuple[float, ...]) -> Mapping[AnalysisPhase, float]:
    """Chances of one measurement that rests on so many requests of each kind, in expectation."""
    verdicts, total = reading.verdicts, sum(means)
    nothing = float(np.exp(-total))
    within = [0.0, *(_within(reading, cut, means) for cut in verdicts.cuts), 1.0]
    chances = dict.fromkeys(PHASES, 0.0)
    for phase, below, above in zip(verdicts.between, within, within[1:], strict=False):
        chances[phase] += max(0.0, above - below) * (1 - nothing)
    chances[verdicts.not_a_number] += nothing
    return chances


def _within(reading: Quantile, cut: float, means: tuple[float, ...]) -> float:
    """P(quantile <= cut)."""
    low, high = _bucket(reading, cut)
    bounds = (0.0, *edges(reading), inf)
    below = sum(mean for mean, upper in zip(means, bounds[1:], strict=True) if upper <= low)
    inside = sum(mean for mean, upper in zip(means, bounds[1:], strict=True) if low < upper <= high)
    above = max(0.0, sum(means) - below - inside)
    if high == inf:  # the highest finite bound is the most that comes out
        return 1.0 if cut >= reading.bounds_s[-1] else _enough(reading.level, 0.0, below, inside, above)
    return _enough(reading.level, (cut - low) / (high - low), below, inside, above)


def _enough(level: float, share: float, below: float, inside: float, above: float) -> float:
    """P(A + share B >= level (A + B + C)) of three independent Poisson counts."""
    first, second, third = Poisson.of(below), _some(inside), _some(above)
    needed = (level * third.values[None, :] - (share - level) * second.values[:, None]) / (1 - level)
    enough = first.above(np.ceil(needed - 1e-9) - 1)
    return float((second.chances[:, None] * third.chances[None, :] * enough).sum())


def _some(mean: float) -> Poisson:
    found = Poisson.of(mean)
    step = -(-len(found.values) // _MOST)
    chances = found.chances[::step]
    return Poisson(found.values[::step], chances / chances.sum())


def quantile_numbers(reading: Quantile, counts: Sequence[Floats]) -> Floats:
    """The quantile of drawn counts, told apart only as far as the cuts ask; NaN without requests."""
    bounds = (0.0, *edges(reading), inf)
    total = np.sum(counts, axis=0)
    running = np.cumsum(np.array(counts), axis=0)
    rank = reading.level * total
    place = np.minimum((running < rank - 1e-9).sum(axis=0), len(counts) - 1)
    before = np.where(place > 0, np.take_along_axis(running, np.maximum(place - 1, 0)[None], axis=0)[0], 0.0)
    inside = np.take_along_axis(np.array(counts), place[None], axis=0)[0]
    lower, upper = np.array(bounds[:-1])[place], np.array([*bounds[1:-1], reading.bounds_s[-1]])[place]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = lower + (np.maximum(upper, lower) - lower) * (rank - before) / inside
    return np.where(total == 0, np.nan, found)
