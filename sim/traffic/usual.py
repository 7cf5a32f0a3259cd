# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every request
"""The usual way of a first attempt, for many at a time: a pod is drawn, a server found, and in time comes a 200.

A processor is fast where it need not guess: each step is a loop of its own, few branches of which depend on the data.
What is not usual is left to ``sim.traffic.kernel``, in the order of time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.traffic.jit import kernel, part
from sim.traffic.serve import OK, note_latency, take, turn
from sim.traffic.state import CLIENT_REQUESTS, Batch, Pods, Routing, Tally
from sim.traffic.words import high, low


class Requests(NamedTuple):
    """What the loops need of a block."""

    number: int
    times: NDArray[np.float64]
    route_error: NDArray[np.uint64]
    pool_pod: NDArray[np.uint64]
    service: NDArray[np.float64]


class Bounds(NamedTuple):
    """What is usual: arrives by ``last_s``, is answered before ``horizon_s`` and within the client's patience."""

    last_s: float
    horizon_s: float
    patience_s: float


@part
def choose(routing: Routing, route_draw: float, pool_draw: float, pod_draw: float) -> int:
    """Row of the pod for three draws in [0, 1); where the pool has no pod, -1 less the slot of its answer."""
    route, last = 0, len(routing.share_below) - 1
    while route < last and route_draw >= routing.share_below[route]:
        route += 1
    pool, last = routing.pools_from[route], routing.pools_from[route + 1] - 1
    while pool < last and pool_draw >= routing.weight_below[pool]:
        pool += 1
    first = routing.pods_from[pool]
    count = routing.pods_from[pool + 1] - first
    if count == 0:
        return -1 - int(routing.empty_slot[pool])
    if len(routing.turns) == 0:
        return int(routing.pods[first + np.int64(pod_draw * count)])
    turn = routing.turns[pool]
    routing.turns[pool] = turn + 1
    return int(routing.pods[first + turn % count])


@kernel
def choose_all(requests: Requests, routing: Routing, batch: Batch, first: int, count: int) -> None:
    """Rows of the pods of ``count`` first attempts, from request ``first`` on; below 0 where there is none."""
    chosen, classes, draws = batch.pods[:count], requests.route_error[first:], requests.pool_pod[first:]
    if len(routing.share_below) > 1:
        for k in range(count):
            chosen[k] = choose(routing, high(classes[k]), high(draws[k]), low(draws[k]))
        return
    # One class of traffic, as nearly always: all bounds are compared with, so that no branch depends on a draw.
    below, pods_from = routing.weight_below[:-1], routing.pods_from
    for k in range(count):
        draw, pool = high(draws[k]), 0
        for bound in below:
            pool += draw >= bound
        start = pods_from[pool]
        size = pods_from[pool + 1] - start
        chosen[k] = routing.pods[start + np.int64(low(draws[k]) * size)] if size > 0 else -1


@kernel
def serve_all(requests: Requests, pods: Pods, batch: Batch, first: int, k: int, count: int, usual: Bounds) -> int:
    """Serve a batch that begins with request ``first`` from its attempt ``k`` on, up to the first that is not usual."""
    times, errors, service = requests.times[first:], requests.route_error[first:], requests.service[:, first:]
    while k < count:
        pod, at = batch.pods[k], times[k]
        if pod < 0 or at > usual.last_s:
            return k
        row = pods.rows[pod]
        _, finish = turn(pods, pod, at, service[row["kind"], k])
        late = finish >= usual.horizon_s or finish > at + usual.patience_s
        if late or low(errors[k]) < row["bad"] or row["limit"] >= 0:
            return k
        take(pods, pod, at, finish)
        batch.latencies[k] = finish - at
        k += 1
    return k


@kernel
def count_all(pods: Pods, tally: Tally, batch: Batch, start: int, end: int) -> None:
    """Note the latencies of attempts ``start`` to ``end`` of a batch; whatever else counts them is left to ``book``."""
    for k in range(start, end):
        pod = batch.pods[k]
        if pod >= 0:  # always; the compiler may now spare what negative indices need
            note_latency(pods, tally, pod, batch.latencies[k])
            pods.rows[pod]["usual"] += 1


@part
def book(pods: Pods, tally: Tally) -> None:
    """Count what came from pods the usual way, once for many."""
    for pod in range(len(pods.rows)):
        row = pods.rows[pod]
        count = row["usual"]
        if count > 0:
            row["usual"] = 0
            row["arrived"] += count
            tally.answers[pod, OK] += count
            tally.client[row["group"] + 1, CLIENT_REQUESTS] += count
