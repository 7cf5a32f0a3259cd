# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every pod
"""What a pod answers in a stretch of time: counts by latency and status, and what its clients make of them."""

from __future__ import annotations

from math import exp, sqrt
from typing import Final

import numpy as np

from sim.traffic.aggregate.draws import binomial, clusters, normal, poisson, uniform
from sim.traffic.aggregate.flow import node_of
from sim.traffic.aggregate.state import Clients, Kinds, Manners, Mixture, Pods, Totals, Ways
from sim.traffic.aggregate.waits import CLASSES
from sim.traffic.jit import part
from sim.traffic.state import CLIENT_FAILURES, CLIENT_REQUESTS, RETRIES, TIMEOUTS
from sim.traffic.words import GAMMA, mix

SUM: Final = 1
LAST_LATE: Final = 2
CRASH: Final = 3
CLUSTERS: Final = 16
STATUSES: Final = 64
CELLS: Final = 1 << 20
"""Purposes of a pod's words; of clusters, statuses and cells one each from there on."""
NOTHING: Final = 1e-9
LINEAR: Final = 0.5


@part
def word_of(key: np.uint64, pod: int, at_s: float) -> np.uint64:
    """The word from which everything is drawn that a pod does up to an instant."""
    instant = np.uint64(np.float64(at_s).view(np.int64))
    return mix(mix(key + GAMMA * np.uint64(pod)) + instant)


@part
def pass_time(kinds: Kinds, pods: Pods, pod: int, kind: int, node: int, above: float, width_s: float) -> float:
    """Expected answers of a pod in a stretch: what it is sent less by how much more is in flight at the end of it."""
    sojourn = kinds.sojourn_s[kind, node] * (1 - above) + kinds.sojourn_s[kind, node + 1] * above
    before = pods.flying[pod]
    settled = pods.rate[pod] * sojourn
    after = settled + (before - settled) * exp(-width_s / sojourn) if sojourn > 0.0 else 0.0
    pods.flying[pod] = after
    return float(max(0.0, pods.attempts[pod] - (after - before)))


@part
def blend(kinds: Kinds, mixture: Mixture, kind: int, node: int, above: float) -> None:
    """The profile of one kind at one utilisation; pods of a pool come after each other and share it."""
    of = mixture.of
    if of[0] == kind and of[1] == node and of[2] == above:
        return
    of[0], of[1], of[2] = kind, node, above
    of[3] = min(kinds.low[kind, node], kinds.low[kind, node + 1])
    of[4] = max(kinds.high[kind, node], kinds.high[kind, node + 1])
    for k in range(CLASSES):
        mixture.share[k] = kinds.share[kind, node, k] * (1 - above) + kinds.share[kind, node + 1, k] * above
        mixture.clusters[k] = kinds.clusters[kind, node, k] * (1 - above) + kinds.clusters[kind, node + 1, k] * above
    for k in range(CLASSES + 1):
        lower, upper, row = kinds.mass[kind, node, k], kinds.mass[kind, node + 1, k], mixture.mass[k]
        for cell in range(len(row)):
            row[cell] = lower[cell] * (1 - above) + upper[cell] * above


@part
def draw_factors(mixture: Mixture, expected: float, word: np.uint64) -> None:
    """Factors of the usual shares of each class of clusters, and (the last) of what belongs to none.

    They leave the sum of all shares as it is: where more waits, less does not. Up to ``LINEAR`` that is taken off all
    factors, which leaves their means alone; beyond, as in so short a stretch that one cluster fills it, all are divided.
    """
    factors, excess = mixture.factors, 0.0
    for k in range(CLASSES):
        usual, expected_clusters = mixture.share[k], expected * mixture.clusters[k]
        factors[k] = 1.0
        if usual > 0.0 and expected_clusters > 0.0:
            u = uniform(word, CLUSTERS + 2 * k)
            factors[k] = clusters(u, uniform(word, CLUSTERS + 2 * k + 1), expected_clusters)
            excess += usual * (factors[k] - 1.0)
    factors[CLASSES] = 1.0
    for k in range(CLASSES + 1):
        if excess <= LINEAR:
            factors[k] = max(0.0, factors[k] - excess)
        else:
            factors[k] /= 1.0 + excess


@part
def draw_cells(
    kinds: Kinds,
    mixture: Mixture,
    totals: Totals,
    clients: Clients,
    pod: int,
    kind: int,
    node: int,
    expected: float,
    word: np.uint64,
) -> tuple[int, int]:
    """Answers by latency: how many, and how many of them too late for their clients."""
    count, late, total_s, var = 0, 0, 0.0, 0.0
    means, first, mass = mixture.means, mixture.mass[0], expected * mixture.factors[CLASSES]
    for cell in range(len(means)):
        means[cell] = mass * first[cell]
    for k in range(CLASSES):
        if mixture.share[k] > 0.0:
            row, mass = mixture.mass[1 + k], expected * mixture.factors[k]
            for cell in range(len(means)):
                means[cell] += mass * row[cell]
    for cell in range(int(mixture.of[3]), int(mixture.of[4])):
        here = means[cell]
        if here <= 0.0:
            continue
        found = poisson(uniform(word, CELLS + cell), here)
        if found > 0:
            count += found
            totals.cells[pod, cell] += found
            total_s += found * kinds.middle_s[kind, node, cell]
            var += found * kinds.width_s[kind, node, cell] ** 2
            if cell >= clients.late:
                late += found
    if var > 0.0:
        total_s = max(0.0, total_s + sqrt(var) * normal(uniform(word, SUM)))
    totals.sums_s[pod] += total_s
    return count, late


@part
def settle_status(totals: Totals, clients: Clients, group: int, slot: int, count: int, last: float, u: float) -> None:
    """So many answers that are not 200 reach their clients in time; ``last`` of them are not tried again."""
    client = totals.client[group + 1]
    final = count
    if clients.again[slot] and last < 1.0:
        final = binomial(u, count, last)
        client[RETRIES] += count - final
        client[CLIENT_REQUESTS] -= count - final
    if clients.failing[slot]:
        client[CLIENT_FAILURES] += final


@part
def draw_statuses(
    totals: Totals, manners: Manners, pods: Pods, clients: Clients, pod: int, count: int, late: int, word: np.uint64
) -> None:
    """Statuses of so many answers, ``late`` of which nobody waits for any more, and what proxies and clients do then."""
    group, last, manner = pods.group[pod], pods.last[pod], pods.manner[pod]
    client = totals.client[group + 1]
    client[CLIENT_REQUESTS] += count - late
    left = count
    for k in range(manners.errors[manner]):
        purpose = STATUSES + 4 * k
        found = binomial(uniform(word, purpose), left, manners.error_share[manner, k])
        left -= found
        slot = manners.error_slot[manner, k]
        totals.answers[pod, slot] += found
        heard = found
        if late > 0:
            heard -= binomial(uniform(word, purpose + 1), found, late / count)
        if clients.retried[slot] and heard > 0:
            final = binomial(uniform(word, purpose + 3), heard, pods.final[pod])
            client[CLIENT_REQUESTS] -= heard - final
            heard = final
        if heard > 0:
            settle_status(totals, clients, group, slot, heard, last, uniform(word, purpose + 2))
    totals.answers[pod, 0] += left
    if late > 0:
        final = binomial(uniform(word, LAST_LATE), late, last)
        client[TIMEOUTS] += late
        client[RETRIES] += late - final
        client[CLIENT_REQUESTS] += final
        client[CLIENT_FAILURES] += final


@part
def draw_pod(
    kinds: Kinds,
    mixture: Mixture,
    manners: Manners,
    pods: Pods,
    totals: Totals,
    clients: Clients,
    pod: int,
    end_s: float,
    width_s: float,
) -> None:
    """Everything a pod does in a stretch."""
    if pods.attempts[pod] == 0.0 and pods.flying[pod] < NOTHING:
        return
    node, above = node_of(pods.load[pod])
    kind = manners.kind[pods.manner[pod]]
    expected = pass_time(kinds, pods, pod, kind, node, above, width_s)
    if expected < NOTHING:
        return
    word = word_of(clients.key, pod, end_s)
    blend(kinds, mixture, kind, node, above)
    draw_factors(mixture, expected, word)
    count, late = draw_cells(kinds, mixture, totals, clients, pod, kind, node, expected, word)
    pods.arrived[pod] += count + pods.attempts[pod] - expected
    if count > 0:
        draw_statuses(totals, manners, pods, clients, pod, count, late, word)


@part
def draw_unrouted(ways: Ways, totals: Totals, clients: Clients, requests: float, end_s: float) -> None:
    """The answers that proxies give in place of pods that are not there."""
    for route in range(len(ways.share)):
        total, next_one = 1.0, 1.0
        for _ in range(clients.retries):
            next_one *= ways.fail[route]
            total += next_one
        for pool in range(ways.pools_from[route], ways.pools_from[route + 1]):
            if ways.pods_from[pool + 1] > ways.pods_from[pool]:
                continue
            word = word_of(clients.key, -1 - pool, end_s)
            mean = (requests * ways.share[route] * total) * ways.weight[pool]
            count, slot = poisson(uniform(word, SUM), mean), ways.empty_slot[pool]
            totals.unrouted[slot] += count
            totals.client[0, CLIENT_REQUESTS] += count
            settle_status(totals, clients, -1, slot, count, next_one / total, uniform(word, STATUSES))
