# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every request
"""How long requests queue: tables made once for each kind of pod by simulating it, request by request, at a grid of utilisations.

Waits come in clusters: while all servers of a pod are busy, everything that arrives waits. Such a cluster is classed by
its longest wait. Clusters of a class come (nearly) independently of each other, which gives the spread of counts that
independent requests would not have.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from math import exp, log
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.model.behaviour import Shape
from sim.traffic.aggregate.draws import SIZES, normal, uniform
from sim.traffic.jit import kernel
from sim.traffic.words import CONSTANT, EXPONENTIAL, GAMMA, LOGNORMAL, mix

Floats = NDArray[np.float64]

BORDERS: Final = (0.5, 0.8, 0.93, 0.98, 0.995)
"""Classes of clusters by longest wait, at these shares of all waits."""
CLASSES: Final = len(BORDERS) + 1
POINTS: Final = 24
"""Waits that stand for the waits of a class, each for the same share of them."""
GRID: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
"""Utilisations that tables are made for."""
ARRIVALS: Final = 250_000
"""Simulated for a table at no utilisation; more in inverse proportion to idle capacity."""
ARRIVAL: Final = 1
SERVICE: Final = 2
"""Purposes of an arrival's words."""
SHAPES: Final = {Shape.CONSTANT: CONSTANT, Shape.EXPONENTIAL: EXPONENTIAL, Shape.LOGNORMAL: LOGNORMAL}


class Waits(NamedTuple):
    """One kind of pod at one utilisation. Times are in mean service times.

    ``share`` of all arrivals that wait in a cluster of each class, ``spread`` the variance of a class's count over its
    squared mean, times the number of arrivals; ``points`` its waits, ascending.
    """

    share: Floats
    spread: Floats
    points: Floats


class Service(NamedTuple):
    """What matters of a service time to who waits: its shape, log-standard-deviation, and the constant part.

    ``lift`` is the constant part over the mean of the random one, in hundredths.
    """

    shape: Shape
    sigma: float
    lift: int
    servers: int


@kernel
def queue(shape: int, sigma: float, lift: float, gap: float, free: Floats, waits: Floats) -> None:
    """First come, first served (Kiefer and Wolfowitz): fill the waits of arrivals at ``len(free)`` servers.

    ``gap`` is the mean time between arrivals; service times have mean 1, of which ``lift / (1 + lift)`` is constant.
    """
    servers = len(free)
    now = 0.0
    head = 0
    for i in range(len(waits)):
        word = mix(GAMMA * np.uint64(i))
        now -= gap * log(uniform(word, ARRIVAL))
        draw = uniform(word, SERVICE)
        if shape == CONSTANT:
            service = 1.0
        elif shape == EXPONENTIAL:
            service = (lift - log(draw)) / (1.0 + lift)
        else:
            service = (lift + exp(sigma * normal(draw) - sigma * sigma / 2)) / (1.0 + lift)
        wait = max(0.0, free[head] - now)
        waits[i] = wait
        finish = now + wait + service
        place = head + servers
        while place > head + 1 and free[(place - 1) % servers] > finish:
            free[place % servers] = free[(place - 1) % servers]
            place -= 1
        free[place % servers] = finish
        head = (head + 1) % servers


def waits_of(service: Service, utilisation: float) -> Waits:
    """The table at any utilisation up to the grid's last, between those of the grid; shares and spreads geometrically."""
    first = simulated(service, 0)
    if utilisation <= GRID[0]:
        part = max(utilisation, 0.0) / GRID[0]
        return Waits(first.share * part, first.spread / max(part, 1e-9), first.points)
    step = min(bisect_right(GRID, utilisation), len(GRID) - 1) - 1
    part = min((utilisation - GRID[step]) / (GRID[step + 1] - GRID[step]), 1.0)
    below, above = simulated(service, step), simulated(service, step + 1)
    return Waits(
        _between(below.share, above.share, part),
        _between(below.spread, above.spread, part),
        below.points * (1 - part) + above.points * part,
    )


def _between(below: Floats, above: Floats, part: float) -> Floats:
    """Geometric where both are positive, else linear."""
    both = (below > 0) & (above > 0)
    logs = (1 - part) * np.log(np.where(both, below, 1.0)) + part * np.log(np.where(both, above, 1.0))
    return np.where(both, np.exp(logs), (1 - part) * below + part * above)


@lru_cache(maxsize=4096)
def simulated(service: Service, step: int) -> Waits:
    """The table at a place of the grid, by simulation. Always the same: a table is part of the model, not of a run."""
    utilisation = GRID[step]
    waits = np.empty(int(ARRIVALS / (1 - utilisation)))
    gap, free = 1 / (service.servers * utilisation), np.zeros(service.servers)
    with np.errstate(over="ignore"):  # words wrap around; only uncompiled code would warn of it
        queue(SHAPES[service.shape], service.sigma, service.lift / 100, gap, free, waits)
    return _classed(waits)


def _classed(waits: Floats) -> Waits:
    share, spread, points = np.zeros(CLASSES), np.zeros(CLASSES), np.zeros((CLASSES, POINTS))
    waiting = waits > 0
    turns = np.flatnonzero(np.diff(np.concatenate([[False], waiting, [False]]).view(np.int8)))
    first, last = turns[::2], turns[1::2]
    if len(first) == 0:
        return Waits(share, spread, points)
    queued = waits[waiting]
    edges = np.sort(queued)[(np.array(BORDERS) * len(queued)).astype(np.int64)]
    sizes = last - first
    kinds = np.searchsorted(edges, np.maximum.reduceat(waits, first))
    of_wait = np.repeat(kinds, sizes)
    for k in range(CLASSES):
        members, own = sizes[kinds == k], np.sort(queued[of_wait == k])
        if len(own) == 0:
            continue
        share[k] = len(own) / len(waits)
        spread[k] = max(float((members * (members - 1.0)).sum()) / len(own), 0.0) / share[k]
        points[k] = own[((np.arange(POINTS) + 0.5) / POINTS * len(own)).astype(np.int64)]
    return Waits(share, spread, points)


def clusters_of(spread: Floats) -> Floats:
    """Clusters an arrival that give each class this spread; 0 where there is nothing to spread."""
    return np.where(spread > 0, (1 + SIZES) / np.where(spread > 0, spread, 1.0), 0.0)
