# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every request
"""The loop over requests that go straight to pods."""

from __future__ import annotations

from math import inf

import numpy as np

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
    Batch,
    Carried,
    Client,
    Pods,
    Routing,
    Tally,
)
from sim.traffic.usual import Bounds, Requests, book, choose, choose_all, count_all, serve_all
from sim.traffic.words import high, keyed, low, service_of


@kernel
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


@part
def turn_away(
    client: Client,
    tally: Tally,
    carried: Carried,
    slot: int,
    at_s: float,
    route: np.uint64,
    block: int,
    index: int,
    attempt: int,
) -> None:
    """An attempt that finds no pod is answered all the same."""
    tally.answers[0, slot] += 1
    settle(client, tally, carried, -1, slot, at_s, route, block, index, attempt)


@kernel
def begin(
    requests: Requests,
    client: Client,
    routing: Routing,
    pods: Pods,
    tally: Tally,
    carried: Carried,
    horizon_s: float,
    index: int,
) -> None:
    """The first attempt of a request."""
    at, route, pool_pod = requests.times[index], requests.route_error[index], requests.pool_pod[index]
    pod = choose(routing, high(route), high(pool_pod), low(pool_pod))
    if pod < 0:
        turn_away(client, tally, carried, -1 - pod, at, route, requests.number, index, 0)
        return
    base = requests.service[pods.rows[pod]["kind"], index]
    serve(client, pods, tally, carried, horizon_s, pod, at, base, low(route), route, requests.number, index, 0)


@kernel
def retry(client: Client, routing: Routing, pods: Pods, tally: Tally, carried: Carried, horizon_s: float) -> None:
    """The attempt that is first in the heap, with draws of its own."""
    row = carried.retries[0]
    at, block, index, attempt, route = row["at"], row["block"], row["index"], row["attempt"], row["route"]
    drop_first(carried)
    pool_pod = keyed(client.key, block, index, attempt, 0)
    error = high(keyed(client.key, block, index, attempt, 1))
    pod = choose(routing, high(route), high(pool_pod), low(pool_pod))
    if pod < 0:
        turn_away(client, tally, carried, -1 - pod, at, route, block, index, attempt)
        return
    how = pods.kinds[pods.rows[pod]["kind"]]
    first, second = keyed(client.key, block, index, attempt, 2), keyed(client.key, block, index, attempt, 3)
    base = service_of(first, second, how["shape"], how["scale"], how["sigma"])
    serve(client, pods, tally, carried, horizon_s, pod, at, base, error, route, block, index, attempt)


@kernel
def run(
    requests: Requests,
    client: Client,
    routing: Routing,
    pods: Pods,
    tally: Tally,
    carried: Carried,
    batch: Batch,
    until_s: float,
    horizon_s: float,
) -> bool:
    """Make every attempt of the block before ``until_s``, in order of time; False where room ran out before.

    Nothing changes from outside before ``horizon_s``, so that what ends before it is final.
    """
    sizes = carried.sizes
    stop = np.searchsorted(requests.times, until_s)
    i = sizes[NEXT]
    first, ready = i, i
    in_turn = len(routing.turns) > 0  # who is next depends on retries in between: no choice can be made before its time
    while sizes[FLYING] < len(carried.flights) and sizes[RETRYING] < len(carried.retries):
        next_retry = carried.retries[0]["at"] if sizes[RETRYING] > 0 else inf
        if i < stop and not in_turn:
            if i == ready:
                first, ready = i, min(stop, i + len(batch.pods))
                choose_all(requests, routing, batch, first, ready - first)
            done = i - first
            usual = Bounds(next_retry, horizon_s, client.timeout_s)
            i = first + serve_all(requests, pods, batch, first, done, ready - first, usual)
            count_all(pods, tally, batch, done, i - first)
            if i == ready and i < stop:
                continue
        if i < stop and requests.times[i] <= next_retry:
            begin(requests, client, routing, pods, tally, carried, horizon_s, i)
            i += 1
        elif next_retry < until_s:
            retry(client, routing, pods, tally, carried, horizon_s)
        else:
            break
    book(pods, tally)
    sizes[NEXT] = i
    return bool(i == stop and (sizes[RETRYING] == 0 or carried.retries[0]["at"] >= until_s))
