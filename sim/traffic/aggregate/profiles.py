# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every request
"""Where the latencies of one kind of pod lie at one utilisation: service times, and waits from the tables before them."""

from __future__ import annotations

from functools import lru_cache
from math import erfc, exp, log, sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.model.behaviour import Delay, Shape
from sim.traffic.aggregate.waits import (
    CLASSES,
    LATENCIES,
    NOBODY,
    SHAPES,
    Service,
    Waits,
    clusters_of,
    waiting,
    waits_of,
)
from sim.traffic.fine import BINS, lower_edges_s
from sim.traffic.jit import kernel, part
from sim.traffic.values import Counts
from sim.traffic.words import CONSTANT, EXPONENTIAL, LOGNORMAL

Floats = NDArray[np.float64]

WIDTH: Final = 0.02
"""Utilisation between two profiles; those between are mixed of their neighbours."""
MOST: Final = 0.9
NODES: Final = round(MOST / WIDTH) + 1
NEGLIGIBLE: Final = 1e-12
HALVINGS: Final = 20
STEADY: Final = 0.1
STEADY_WAITING: Final = 0.02
"""Service times that vary less than this (squared coefficient of variation) make clusters that are less independent: spreads
came out a third too narrow where a quarter waits."""
SQRT_2: Final = sqrt(2.0)


class Kind(NamedTuple):
    """A way of serving: a version's service time under effects, by so many servers.

    ``evened``: nobody waits, because proxies even pods out, up to this mean wait (in mean service times) of pods drawn
    at random; 0 where they are.
    """

    time: Delay
    factor: float
    add_s: float
    servers: int
    evened: float = 0.0

    @property
    def random_s(self) -> float:
        """Mean of the random part of the service time, seconds."""
        return self.time.mean_s * self.factor

    @property
    def mean_s(self) -> float:
        """Mean service time, seconds."""
        return self.random_s + self.add_s

    @property
    def variability(self) -> float:
        """Squared coefficient of variation of the service time."""
        own = {Shape.CONSTANT: 0.0, Shape.EXPONENTIAL: 1.0}.get(self.time.shape, exp(self.time.sigma**2) - 1)
        return own * (self.random_s / self.mean_s) ** 2 if self.mean_s > 0 else 0.0

    @property
    def service(self) -> Service:
        """What the waits depend on."""
        sigma = self.time.sigma if self.time.shape is Shape.LOGNORMAL else 0.0
        if self.random_s == 0 or self.time.shape is Shape.CONSTANT:
            return Service(Shape.CONSTANT, 0.0, 0, self.servers)
        return Service(self.time.shape, sigma, lift_of(self.add_s / self.random_s), self.servers)


LIFTS: Final = (0, 5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 500, 1000, 2000)
"""Constant parts of service times that tables are made for, in hundredths of the random part; the nearest serves."""


def lift_of(ratio: float) -> int:
    """The nearest of ``LIFTS``: who waits how long, in service times, hardly depends on it."""
    return min(LIFTS, key=lambda lift: abs(lift - 100 * ratio))


class Profile(NamedTuple):
    """Latencies of one kind at one utilisation.

    ``mass[0]`` are the shares of answers that belong to no cluster by cell, ``mass[1 + k]`` those in a cluster of
    class k; they sum to 1. ``clusters`` of each class an arrival. ``middle_s`` and ``width_s`` are mean and standard
    deviation of the latencies within a cell; ``sojourn_s`` is the mean latency.
    """

    mass: Floats
    clusters: Floats
    middle_s: Floats
    width_s: Floats
    sojourn_s: float


class Cells(NamedTuple):
    """What latencies are sorted into: the exposed buckets cut at the client's time-out, or fine ones besides.

    ``upper_s`` are the cells' upper bounds, the last one infinite; ``bucket`` and ``bin`` say where a cell belongs in
    the exposed and in the fine histogram; cells from ``late`` on are above the time-out.
    """

    upper_s: Floats
    bucket: Counts
    bin: Counts
    late: int


@lru_cache(maxsize=64)
def cells_of(buckets_s: tuple[float, ...], timeout_s: float, fine: bool) -> Cells:
    """The cells for these bounds."""
    own = [*buckets_s, *([timeout_s] if timeout_s < np.inf else [])]
    bounds = np.unique(np.array([*own, *(lower_edges_s()[1:-1].tolist() if fine else [])]))
    upper = np.append(bounds, np.inf)
    lower = np.concatenate([[0.0], bounds])
    late = int(np.searchsorted(lower, timeout_s)) if timeout_s < np.inf else len(upper)
    return Cells(
        upper,
        np.searchsorted(np.array(buckets_s), lower, side="right").astype(np.int64),
        np.clip(np.searchsorted(lower_edges_s(), lower, side="right") - 1, 0, BINS - 1).astype(np.int64),
        late,
    )


_REMEMBERED: Final = 512
"""Profiles kept, about 75 kB each on the fine grid. A version that leaks has another kind in every window and comes back to none."""


@lru_cache(maxsize=_REMEMBERED)
def profile(kind: Kind, node: int, cells: tuple[float, ...], timeout_s: float, fine: bool) -> Profile:
    """The profile at ``node`` times ``WIDTH``. Made on the fine grid, so that the cells' own mean latencies come out too.

    What all answers come to is worked out from the service time's law and the waits; only how it splits into clusters is
    as it was in the simulation.
    """
    waits = NOBODY if kind.evened else waits_of(kind.service, node * WIDTH)
    places = cells_of(cells, timeout_s, True)
    total = _everybody(kind, waits, places)
    mass = np.zeros((1 + CLASSES, len(total)))
    for k in range(CLASSES):
        if waits.members[k] > 0 and kind.mean_s > 0:
            upper = np.append(places.upper_s[:-1] / kind.mean_s, np.inf)
            reached = np.interp(upper, waits.latencies[k], _RANKS, left=0.0, right=1.0)
            mass[1 + k] = waits.members[k] * np.diff(reached, prepend=0.0)
    clustered = mass.sum(axis=0)
    mass *= np.minimum(total / np.where(clustered > 0, clustered, 1.0), 1.0)
    mass[0] = np.maximum(total - mass.sum(axis=0), 0.0)
    sojourn = kind.mean_s * (1 + float((waits.points.mean(axis=1) * waits.share).sum()))
    return _gathered(mass, places, cells_of(cells, timeout_s, fine), waits.spread, sojourn)


_RANKS: Final = (np.arange(LATENCIES) + 0.5) / LATENCIES


def _everybody(kind: Kind, waits: Waits, places: Cells) -> Floats:
    """Shares of all latencies by cell."""
    shape = SHAPES[kind.time.shape] if kind.random_s > 0 else CONSTANT
    scale = kind.random_s if shape != LOGNORMAL else kind.time.median_s * kind.factor
    total = np.zeros(len(places.upper_s))
    points = [np.zeros(1), *(waits.points * kind.mean_s)]
    shares = [1 - waits.share.sum(), *waits.share]
    for share, waits_s in zip(shares, points, strict=True):
        if share > 0:
            part_of = np.zeros(len(total))
            fill(part_of, places.upper_s, waits_s, shape, scale, kind.time.sigma, kind.add_s)
            total += share * part_of
    return total


def _gathered(mass: Floats, places: Cells, wanted: Cells, spread: Floats, sojourn_s: float) -> Profile:
    """The cells wanted out of fine ones, with the mean and the spread of latencies within each."""
    lower = np.concatenate([[0.0], places.upper_s[:-1]])
    upper = np.where(np.isfinite(places.upper_s), places.upper_s, 2 * lower)
    total, middle = mass.sum(axis=0), (lower + upper) / 2
    mean = float((total * middle).sum())
    middle = middle * (sojourn_s / mean) if mean > 0 else middle
    owner = np.searchsorted(wanted.upper_s, places.upper_s)
    starts = np.searchsorted(owner, np.arange(len(wanted.upper_s)))
    weight, first, second = (
        np.add.reduceat(values, starts) for values in (total, total * middle, total * middle * middle)
    )
    means = first / np.where(weight > 0, weight, 1.0)
    within = np.sqrt(np.maximum(second / np.where(weight > 0, weight, 1.0) - means**2, 0.0))
    return Profile(np.add.reduceat(mass, starts, axis=1), clusters_of(spread), means, within, sojourn_s)


@part
def served_by(x_s: float, shape: int, scale: float, sigma: float, add_s: float) -> float:
    """The share of service times up to ``x_s``; ``scale`` is the median, of an exponential the mean."""
    own = x_s - add_s
    if shape == CONSTANT:
        return 1.0 if own >= scale else 0.0
    if own <= 0.0:
        return 0.0
    if shape == EXPONENTIAL:
        return 1.0 - exp(-own / scale)
    if sigma == 0.0:
        return 1.0 if own >= scale else 0.0
    return 0.5 * erfc(-log(own / scale) / sigma / SQRT_2)


@kernel
def fill(mass: Floats, upper_s: Floats, waits_s: Floats, shape: int, scale: float, sigma: float, add_s: float) -> None:
    """The shares of latencies by cell, after each of these waits equally often."""
    part_of = 1.0 / len(waits_s)
    for wait in waits_s:
        before = 0.0
        for k in range(len(upper_s)):
            if before >= 1.0 - NEGLIGIBLE:
                break
            if upper_s[k] <= wait + add_s and shape != CONSTANT:
                continue
            here = served_by(upper_s[k] - wait, shape, scale, sigma, add_s) if upper_s[k] < np.inf else 1.0
            mass[k] += part_of * (here - before)
            before = here


def limit_of(kind: Kind, most: float, most_waiting: float, relaxation_s: float) -> float:
    """The highest utilisation, up to ``most``, at which no more than so many wait and a queue forgets within ``relaxation_s``.

    Who waits is counted as of exponential services, of pods drawn at random; how long, by what services vary. In heavy traffic a queue forgets within (1 + cv^2) / 2 mean service
    times over servers x (1 - sqrt(utilisation))^2.
    """
    if kind.variability < STEADY:
        most_waiting = min(most_waiting, STEADY_WAITING)
    slack = sqrt(kind.mean_s * (1 + kind.variability) / (2 * kind.servers * relaxation_s))

    def is_calm(utilisation: float) -> bool:
        waits = waiting(kind.servers, utilisation)
        mean_wait = waits / (kind.servers * (1 - utilisation)) * (1 + kind.variability) / 2
        return waits <= most_waiting and (not kind.evened or mean_wait <= kind.evened)

    low, high = 0.0, min(most, max(0.0, 1 - slack) ** 2)
    if is_calm(high):
        return high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_calm(middle) else (low, middle)
    return low
