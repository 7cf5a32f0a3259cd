# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every request
"""How long requests queue: tables made once for each kind of pod by simulating it, request by request, at a grid of utilisations.

Waits come in clusters: while all servers of a pod are busy, everything that arrives waits. To a cluster belong those who
wait and those who hold the servers when it begins, whose long service made it. It is classed by its longest wait.
Clusters of a class come (nearly) independently of each other, which gives the spread of counts that independent
requests would not have.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from math import exp, log, sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.model.behaviour import Shape
from sim.traffic.aggregate.draws import SIZES, normal, uniform
from sim.traffic.aggregate.kept import kept
from sim.traffic.jit import kernel
from sim.traffic.words import CONSTANT, EXPONENTIAL, GAMMA, LOGNORMAL, mix

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

BORDERS: Final = (0.5, 0.8, 0.93, 0.98, 0.995)
"""Classes of clusters by longest wait, at these shares of all waits."""
CLASSES: Final = len(BORDERS) + 1
POINTS: Final = 24
"""Waits that stand for the waits of a class, each for the same share of them."""
LIKENESS: Final = {Shape.CONSTANT: 0.45, Shape.EXPONENTIAL: 0.9, Shape.LOGNORMAL: 0.8}
"""How many per cent a simulated mean wait is off where that of exponential services is off by one (regressed)."""
LONG: Final = 400
"""Arrivals in a long stretch at low utilisation; more where queues remember more."""
LATENCIES: Final = 128
"""Latencies that stand for those of a class's members."""
GRID: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
"""Utilisations that tables are made for."""
ARRIVALS: Final = 250_000
"""Simulated for a table at no utilisation; more in inverse proportion to idle capacity."""
ARRIVAL: Final = 1
SERVICE: Final = 2
"""Purposes of an arrival's words."""
SHAPES: Final = {Shape.CONSTANT: CONSTANT, Shape.EXPONENTIAL: EXPONENTIAL, Shape.LOGNORMAL: LOGNORMAL}


class Waits(NamedTuple):
    """One kind of pod at one utilisation, by class of cluster. Times are in mean service times.

    ``share`` of all arrivals wait in a cluster of each class, ``points`` are their waits, ascending. ``members`` are the
    shares that belong to one, waiting or not, ``latencies`` theirs; ``spread`` is the variance of a class's
    total over its squared mean, times the number of arrivals.
    """

    share: Floats
    points: Floats
    members: Floats
    latencies: Floats
    spread: Floats


class Service(NamedTuple):
    """What matters of a service time to who waits: its shape, log-standard-deviation, and the constant part.

    ``lift`` is the constant part over the mean of the random one, in hundredths.
    """

    shape: Shape
    sigma: float
    lift: int
    servers: int


@kernel
def draw(shape: int, sigma: float, lift: float, gaps: Floats, services: Floats) -> None:
    """Times between arrivals and service times, both of mean 1; of the latter ``lift / (1 + lift)`` is constant.

    A long service is a long one in every shape.
    """
    for i in range(len(gaps)):
        word = mix(GAMMA * np.uint64(i))
        gaps[i] = -log(uniform(word, ARRIVAL))
        u = uniform(word, SERVICE)
        if shape == CONSTANT:
            services[i] = 1.0
        elif shape == EXPONENTIAL:
            services[i] = (lift - log(1.0 - u)) / (1.0 + lift)
        else:
            services[i] = (lift + exp(sigma * normal(u) - sigma * sigma / 2)) / (1.0 + lift)


@kernel
def queue(
    gaps: Floats, gap: float, services: Floats, free: Floats, holders: Counts, waits: Floats, clusters: Counts
) -> int:
    """First come, first served (Kiefer and Wolfowitz): fill the waits of arrivals at ``len(free)`` servers.

    ``clusters`` gets the number of the cluster that each belongs to, -1 where it belongs to none; returned is how many
    there are. Rings of instants at which servers are free, and of who holds them until then.
    """
    servers = len(free)
    now = 0.0
    head, count = 0, 0
    for i in range(len(waits)):
        now += gap * gaps[i]
        wait = max(0.0, free[head] - now)
        waits[i] = wait
        clusters[i] = -1
        if wait > 0.0:
            if waits[i - 1] == 0.0:
                count += 1
                for server in range(servers):
                    if clusters[holders[server]] < 0:
                        clusters[holders[server]] = count - 1
            clusters[i] = count - 1
        finish = now + wait + services[i]
        place = head + servers
        while place > head + 1 and free[(place - 1) % servers] > finish:
            free[place % servers] = free[(place - 1) % servers]
            holders[place % servers] = holders[(place - 1) % servers]
            place -= 1
        free[place % servers] = finish
        holders[place % servers] = i
        head = (head + 1) % servers
    return count


def waits_of(service: Service, utilisation: float) -> Waits:
    """The table at any utilisation up to the grid's last, between those of the grid; shares and spreads geometrically."""
    if utilisation <= GRID[0]:
        first, part = simulated(service, 0), max(utilisation, 0.0) / GRID[0]
        share, members = first.share * part, first.members * part
        return first._replace(share=share, members=members, spread=first.spread / max(part, 1e-9))
    step = min(bisect_right(GRID, utilisation), len(GRID) - 1) - 1
    part = min((utilisation - GRID[step]) / (GRID[step + 1] - GRID[step]), 1.0)
    below, above = simulated(service, step), simulated(service, step + 1)
    return Waits(
        _between(below.share, above.share, part),
        below.points * (1 - part) + above.points * part,
        _between(below.members, above.members, part),
        below.latencies * (1 - part) + above.latencies * part,
        _between(below.spread, above.spread, part),
    )


def _between(below: Floats, above: Floats, part: float) -> Floats:
    """Geometric where both are positive, else linear."""
    both = (below > 0) & (above > 0)
    logs = (1 - part) * np.log(np.where(both, below, 1.0)) + part * np.log(np.where(both, above, 1.0))
    return np.where(both, np.exp(logs), (1 - part) * below + part * above)


@lru_cache(maxsize=4096)
def simulated(service: Service, step: int) -> Waits:
    """The table at a place of the grid, by simulation. Always the same: a table is part of the model, not of a run."""
    sizes = [one.size for one in NOBODY]
    numbers = kept(
        __name__,
        (service, step),
        sum(sizes),
        lambda: np.concatenate([one.ravel() for one in _simulated(service, step)]),
    )
    parts = np.split(numbers, np.cumsum(sizes)[:-1])
    return Waits(*(part.reshape(one.shape) for part, one in zip(parts, NOBODY, strict=True)))


def _simulated(service: Service, step: int) -> Waits:
    utilisation = GRID[step]
    count = int(ARRIVALS / (1 - utilisation))
    waits, services, clusters, found = _queued(service, utilisation, count)
    waits *= _true_over_simulated(service, utilisation, services, float(waits.mean()))
    latencies = waits + services
    made = _classed(waits, latencies, clusters, found)
    return made._replace(spread=made.spread * _correction(made, latencies, utilisation))


def _queued(service: Service, utilisation: float, count: int) -> tuple[Floats, Floats, Counts, int]:
    """Waits, services, and to which cluster each arrival belongs; how many clusters there are."""
    gaps, services, waits = (np.empty(count) for _ in range(3))
    with np.errstate(over="ignore"):  # words wrap around; only uncompiled code would warn of it
        draw(SHAPES[service.shape], service.sigma, service.lift / 100, gaps, services)
    # The utilisation of this very sample, not only of its law: a good part of the error of a mean wait comes from that.
    gap = float(services.sum()) / (service.servers * utilisation * float(gaps.sum()))
    clusters, holders = np.empty(count, dtype=np.int64), np.zeros(service.servers, dtype=np.int64)
    found = queue(gaps, gap, services, np.zeros(service.servers), holders, waits, clusters)
    return waits, services, clusters, found


def _true_over_simulated(service: Service, utilisation: float, services: Floats, mean_wait: float) -> float:
    """What waits are to be multiplied by: known for one server; else much of it is the same error as with exponential services.

    For these the mean wait is known (Erlang), and the same arrivals with exponential services tell how far off they are.
    """
    if mean_wait == 0.0:
        return 1.0
    if service.servers == 1:  # Pollaczek and Khinchine
        return utilisation * float((services**2).mean()) / (2 * (1 - utilisation)) / mean_wait
    exponential = Service(Shape.EXPONENTIAL, 0.0, 0, service.servers)
    known = waiting(service.servers, utilisation) / (service.servers * (1 - utilisation))
    if service == exponential:
        return known / mean_wait
    alike = float(_queued(exponential, utilisation, len(services))[0].mean())
    return (known / alike) ** LIKENESS[service.shape] if alike > 0 else 1.0


def waiting(servers: int, utilisation: float) -> float:
    """The share that waits, of exponential services (Erlang's C)."""
    load = utilisation * servers
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = load * blocked / (k + load * blocked)
    return blocked / (1 - utilisation * (1 - blocked))


def _correction(made: Waits, latencies: Floats, utilisation: float) -> float:
    """What spreads are to be multiplied by to give the sums of latencies over long stretches the variance that they have.

    Clusters are not quite independent of each other, nor are the sizes within a class all the same.
    """
    mean = float(latencies.mean())
    modelled = float((made.spread * (made.members * (made.latencies.mean(axis=1) - mean)) ** 2).sum())
    length = int(max(LONG, LONG * utilisation / (10 * (1 - sqrt(utilisation)) ** 2)))
    sums = latencies[: len(latencies) // length * length].reshape(-1, length).sum(axis=1)
    seen = float(sums.var(ddof=1)) / length - float(latencies.var())
    return min(max(seen / modelled, 0.5), 3.0) if modelled > 0 else 1.0


def _none() -> Waits:
    return Waits(*(np.zeros((CLASSES, *shape)) for shape in ((), (POINTS,), (), (LATENCIES,), ())))


NOBODY: Final = _none()
"""Nobody waits."""


def _classed(waits: Floats, latencies: Floats, clusters: Counts, count: int) -> Waits:
    """The clusters by class."""
    made = _none()
    if count == 0:
        return made
    belongs = clusters >= 0
    owner, waited, latency = clusters[belongs], waits[belongs], latencies[belongs]
    longest = np.zeros(count)
    np.maximum.at(longest, owner, waited)
    queued = np.sort(waited[waited > 0])
    kinds = np.searchsorted(queued[(np.array(BORDERS) * len(queued)).astype(np.int64)], longest)
    totals, squares = np.bincount(owner, latency, count), np.bincount(owner, latency**2, count)
    of_member = kinds[owner]
    for k in range(CLASSES):
        own, members = of_member == k, kinds == k
        here = waited[own & (waited > 0)]
        if len(here) < POINTS or np.count_nonzero(own) < LATENCIES:
            continue
        made.share[k], made.members[k] = len(here) / len(waits), np.count_nonzero(own) / len(waits)
        made.points[k], made.latencies[k] = _means(here, POINTS), _means(latency[own], LATENCIES)
        pairs = float((totals[members] ** 2 - squares[members]).sum())
        made.spread[k] = max(pairs, 0.0) / float(totals[members].sum()) ** 2 * len(waits)
    return made


def _means(values: Floats, count: int) -> Floats:
    """Means of so many equal parts of the values, ascending; together they have the values' own mean."""
    ordered = np.sort(values)
    bounds = np.linspace(0, len(ordered), count + 1).astype(np.int64)
    return np.add.reduceat(ordered, bounds[:-1]) / np.diff(bounds)


def clusters_of(spread: Floats) -> Floats:
    """Clusters an arrival that give each class this spread; 0 where there is nothing to spread."""
    return np.where(spread > 0, (1 + SIZES) / np.where(spread > 0, spread, 1.0), 0.0)
