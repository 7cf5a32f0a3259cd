# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every pod
"""The loops: through successive stretches, reading at their ends; and the end of a container."""

from __future__ import annotations

from math import exp, log

import numpy as np

from sim.traffic.aggregate.drawing import CELLS, CRASH, STATUSES, draw_pod, draw_unrouted, settle_status, word_of
from sim.traffic.aggregate.draws import binomial, normal, poisson, uniform
from sim.traffic.aggregate.flow import add_bursts, flow
from sim.traffic.aggregate.state import (
    DONE,
    OUTCOMES,
    Clients,
    Kinds,
    Manners,
    Mixture,
    Pods,
    Reading,
    Results,
    Stretches,
    Totals,
    Ways,
)
from sim.traffic.jit import kernel, part
from sim.traffic.serve import RESET
from sim.traffic.state import CLIENT_REQUESTS
from sim.traffic.words import CONSTANT, EXPONENTIAL


@kernel
def walk(
    first: int,
    stretches: Stretches,
    ways: Ways,
    kinds: Kinds,
    mixture: Mixture,
    manners: Manners,
    pods: Pods,
    totals: Totals,
    clients: Clients,
    reading: Reading,
    results: Results,
) -> int:
    """Draw stretch by stretch from the ``first``; ``OUTCOMES`` x the stretch not drawn + why, or the number of them all."""
    for k in range(first, len(stretches.ends_s)):
        requests, width_s, end_s = stretches.requests[k], stretches.widths_s[k], stretches.ends_s[k]
        if width_s > 0.0:
            outcome = flow(ways, kinds, manners, pods, clients, requests, width_s)
            if outcome != DONE:
                return OUTCOMES * k + outcome
            add_bursts(ways, pods, clients)
            for pod in range(len(pods.group)):
                draw_pod(kinds, mixture, manners, pods, totals, clients, pod, end_s, width_s)
            draw_unrouted(ways, totals, clients, requests, end_s)
        read(totals, pods, reading, results, k)
    return OUTCOMES * len(stretches.ends_s)


@kernel
def probe(
    ways: Ways, kinds: Kinds, manners: Manners, pods: Pods, clients: Clients, requests: float, width_s: float
) -> int:
    """What would stand in the way of drawing a stretch like this."""
    return flow(ways, kinds, manners, pods, clients, requests, width_s)


@kernel
def note(totals: Totals, pods: Pods, reading: Reading, results: Results, stretch: int) -> None:
    """Read as at the end of a stretch."""
    read(totals, pods, reading, results, stretch)


@part
def read(totals: Totals, pods: Pods, reading: Reading, results: Results, stretch: int) -> None:
    """Copy what is asked for at the end of a stretch."""
    for look in range(len(reading.first) - 1):
        row = reading.row[stretch, look]
        if row < 0:
            continue
        for k in range(reading.first[look], reading.first[look + 1]):
            read_pod(totals, reading, results, reading.pods[k], row, reading.fine[look])
            row += 1
    window = reading.window[stretch]
    if window >= 0:
        read_groups(totals, pods, reading, results, window)


@part
def read_pod(totals: Totals, reading: Reading, results: Results, pod: int, row: int, fine: int) -> None:
    """A pod's totals."""
    for slot in range(totals.answers.shape[1]):
        results.answers[row, slot] = totals.answers[pod, slot]
    results.sums_s[row] = totals.sums_s[pod]
    for cell in range(totals.cells.shape[1]):
        count = totals.cells[pod, cell]
        if count > 0:
            results.buckets[row, reading.bucket[cell]] += count
            if fine >= 0:
                results.fine[row - fine, reading.bin[cell]] += count


@part
def read_groups(totals: Totals, pods: Pods, reading: Reading, results: Results, window: int) -> None:
    """All groups' totals."""
    for pod in range(len(pods.group)):
        group = pods.group[pod] + 1
        for slot in range(totals.answers.shape[1]):
            results.group_answers[window, group, slot] += totals.answers[pod, slot]
        for cell in range(totals.cells.shape[1]):
            results.group_buckets[window, group, reading.bucket[cell]] += totals.cells[pod, cell]
        results.group_sums_s[window, group] += totals.sums_s[pod]
    for slot in range(totals.answers.shape[1]):
        results.group_answers[window, 0, slot] += totals.unrouted[slot]
    for group in range(len(totals.client)):
        for item in range(totals.client.shape[1]):
            results.group_client[window, group, item] = totals.client[group, item]


@part
def age_s(word: np.uint64, k: int, shape: int, scale: float, sigma: float, factor: float, add_s: float) -> float:
    """How long ago an attempt in flight came, if it did not wait: a share of a service time, long ones more often in progress."""
    share = uniform(word, CELLS + 4 * k)
    if shape == EXPONENTIAL:
        own = -scale * (log(uniform(word, CELLS + 4 * k + 1)) + log(uniform(word, CELLS + 4 * k + 2)))
    elif shape == CONSTANT:
        own = scale
    else:
        own = scale * exp(sigma * (sigma + normal(uniform(word, CELLS + 4 * k + 1))))
    return share * (own * factor + add_s)


@kernel
def crash(
    pods: Pods,
    totals: Totals,
    clients: Clients,
    upper_s: np.ndarray[tuple[int], np.dtype[np.float64]],
    pod: int,
    at_s: float,
    shape: int,
    scale: float,
    sigma: float,
    factor: float,
    add_s: float,
) -> tuple[int, int]:
    """Answer 502 to what a pod has in flight; how many of these attempts clients, and how many proxies, follow by another."""
    word = word_of(clients.key, pod, at_s)
    count = poisson(uniform(word, CRASH), pods.flying[pod])
    pods.flying[pod] = 0.0
    for k in range(count):
        age = age_s(word, k, shape, scale, sigma, factor, add_s)
        totals.sums_s[pod] += age
        cell = 0
        while upper_s[cell] < age:
            cell += 1
        totals.cells[pod, cell] += 1
    totals.answers[pod, RESET] += count
    group = pods.group[pod]
    heard = count
    if clients.retried[RESET]:
        heard = binomial(uniform(word, STATUSES + 3), count, pods.final[pod])
    totals.client[group + 1, CLIENT_REQUESTS] += heard
    before = totals.client[group + 1, CLIENT_REQUESTS]
    settle_status(totals, clients, group, RESET, heard, pods.last[pod], uniform(word, STATUSES))
    return int(before - totals.client[group + 1, CLIENT_REQUESTS]), count - heard
