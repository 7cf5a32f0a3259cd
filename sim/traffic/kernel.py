# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every request
"""The loop over requests that go straight to pods."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.traffic.heap import drop_first
from sim.traffic.jit import kernel, part
from sim.traffic.serve import (
    OK,
    UNAVAILABLE,
    answer_slot,
    count_answer,
    is_full,
    note_start,
    occupy,
    remember,
    settle,
    settle_flight,
)
from sim.traffic.state import (
    CLIENT_REQUESTS,
    FLYING,
    NEXT,
    RETRYING,
    Carried,
    Client,
    Pods,
    Routing,
    Tally,
)
from sim.traffic.words import high, keyed, low, service_of


class Requests(NamedTuple):
    """What the loop needs of a block."""

    number: int
    times: NDArray[np.float64]
    route_error: NDArray[np.uint64]
    pool_pod: NDArray[np.uint64]
    service: NDArray[np.float64]


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


@part
def serve(
    client: Client,
    pods: Pods,
    tally: Tally,
    carried: Carried,
    horizon_s: float,
    pod: int,
    at_s: float,
    base_s: float,
    error: float,
    route: np.uint64,
    block: int,
    index: int,
    attempt: int,
) -> None:
    """One attempt at a pod: queue, answer and client, as far as they come to pass before the horizon."""
    row = pods.rows[pod]
    group = row["group"]
    row["arrived"] += 1
    if row["limit"] >= 0 and is_full(pods, pod, at_s):
        count_answer(pods, tally, pod, UNAVAILABLE, 0.0)
        settle(client, tally, carried, group, UNAVAILABLE, at_s, route, block, index, attempt)
        return
    start, finish = occupy(pods, pod, at_s, base_s)
    if row["limit"] >= 0 and start > at_s:
        note_start(pods, pod, start)
    slot = answer_slot(pods, pod, error)
    if finish >= horizon_s:
        times = (at_s, start, finish, base_s)
        flight = remember(carried, pod, slot, error, times, route, block, index, attempt)
        flight["ends"] = at_s + client.timeout_s
        settle_flight(client, pods, tally, carried, flight, horizon_s)
        return
    count_answer(pods, tally, pod, slot, finish - at_s)
    deadline = at_s + client.timeout_s
    if slot == OK and finish <= deadline:
        tally.client[group + 1, CLIENT_REQUESTS] += 1
    elif finish <= deadline:
        settle(client, tally, carried, group, slot, finish, route, block, index, attempt)
    else:
        settle(client, tally, carried, group, -1, deadline, route, block, index, attempt)


@kernel
def run(
    requests: Requests,
    client: Client,
    routing: Routing,
    pods: Pods,
    tally: Tally,
    carried: Carried,
    until_s: float,
    horizon_s: float,
) -> bool:
    """Make every attempt of the block before ``until_s``, in order of time; False where room ran out before.

    Nothing changes from outside before ``horizon_s``, so that what ends before it is final.
    """
    times = requests.times
    sizes = carried.sizes
    count = len(times)
    i = sizes[NEXT]
    while True:
        if sizes[FLYING] == len(carried.flights) or sizes[RETRYING] == len(carried.retries):
            sizes[NEXT] = i
            return False
        at = times[i] if i < count else inf
        retried = sizes[RETRYING] > 0 and carried.retries[0]["at"] < at
        if retried:
            at = carried.retries[0]["at"]
        if at >= until_s:
            sizes[NEXT] = i
            return True
        if retried:
            row = carried.retries[0]
            block, index, attempt, route = row["block"], row["index"], row["attempt"], row["route"]
            drop_first(carried)
            pool_pod = keyed(client.key, block, index, attempt, 0)
            error = high(keyed(client.key, block, index, attempt, 1))
        else:
            block, index, attempt, route = requests.number, i, 0, requests.route_error[i]
            pool_pod = requests.pool_pod[i]
            error = low(route)
            i += 1
        pod = choose(routing, high(route), high(pool_pod), low(pool_pod))
        if pod < 0:
            slot = -1 - pod
            tally.answers[0, slot] += 1
            settle(client, tally, carried, -1, slot, at, route, block, index, attempt)
            continue
        kind = pods.rows[pod]["kind"]
        if retried:
            how = pods.kinds[kind]
            first = keyed(client.key, block, index, attempt, 2)
            second = keyed(client.key, block, index, attempt, 3)
            base = service_of(first, second, how["shape"], how["scale"], how["sigma"])
        else:
            base = requests.service[kind, index]
        serve(client, pods, tally, carried, horizon_s, pod, at, base, error, route, block, index, attempt)
