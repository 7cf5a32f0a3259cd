# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every request
"""What a pod does with an attempt: first come, first served by its servers; and what its client makes of the answer."""

from __future__ import annotations

import numpy as np

from sim.traffic.fine import cell_of
from sim.traffic.heap import push
from sim.traffic.jit import part
from sim.traffic.state import (
    CLIENT_FAILURES,
    CLIENT_REQUESTS,
    FLYING,
    RETRIES,
    TICKS_PER_S,
    TIMEOUTS,
    Carried,
    Client,
    Pods,
    Row,
    Tally,
)
from sim.traffic.words import keyed, positive_unit

OK: int = 0
"""Slot of 200."""
UNAVAILABLE: int = 1
"""Slot of 503, of full queues and missing pods."""
RESET: int = 2
"""Slot of 502, of crashes."""
REFUSED: int = 3
"""Slot of 503, of pods that take no connection."""
LATE: int = 4
"""Slot of 504, of proxies that waited long enough."""
UNROUTED: int = 5
"""Slot of 404, of proxies without a route for a request: a failure, unlike a version's own 404."""
FEW: int = 64
"""Servers that are looked at all together."""
BACKOFF: int = 4
"""Purpose of the word that jitters a pause."""


@part
def count_answer(pods: Pods, tally: Tally, pod: int, slot: int, latency_s: float) -> None:
    """One answer given by a pod."""
    tally.answers[pod, slot] += 1
    note_latency(pods, tally, pod, latency_s)


@part
def note_latency(pods: Pods, tally: Tally, pod: int, latency_s: float) -> None:
    """The latency of an answer that is counted elsewhere."""
    tally.latencies[pod, cell_of(latency_s, tally.bounds, tally.first_cell)] += 1
    pods.rows[pod]["ticks"] += np.int64(latency_s * TICKS_PER_S + 0.5)


@part
def settle(
    client: Client,
    tally: Tally,
    carried: Carried,
    group: int,
    slot: int,
    at_s: float,
    route: np.uint64,
    block: int,
    index: int,
    attempt: int,
) -> None:
    """A client has the answer ``slot`` at ``at_s``, or (slot -1) gives up waiting for it: it ends or tries again."""
    row = tally.client[group + 1]
    if slot < 0:
        row[TIMEOUTS] += 1
    if attempt < client.retries and (slot < 0 or tally.again[slot]):
        row[RETRIES] += 1
        jitter = 0.5 + positive_unit(keyed(client.key, block, index, attempt, BACKOFF))
        push(carried, at_s + client.backoff_s * jitter, route, block, index, attempt + 1)
        return
    row[CLIENT_REQUESTS] += 1
    if slot < 0 or tally.failing[slot]:
        row[CLIENT_FAILURES] += 1


@part
def settle_flight(client: Client, pods: Pods, tally: Tally, carried: Carried, flight: Row, until_s: float) -> None:
    """Tell a client that still waits what it knows before ``until_s``: the answer, or that its patience is over."""
    at = min(flight["finish"], flight["ends"])
    if flight["waiting"] == 0 or at >= until_s:
        return
    slot = flight["slot"] if flight["finish"] <= flight["ends"] else -1
    group = pods.rows[flight["pod"]]["group"]
    flight["waiting"] = 0
    settle(
        client,
        tally,
        carried,
        group,
        slot,
        at,
        flight["route"],
        flight["block"],
        flight["index"],
        flight["attempt"],
    )


@part
def answer_slot(pods: Pods, pod: int, draw: float) -> int:
    """Status slot of a pod's answer: its errors by cumulative share, and 200 above them."""
    if draw >= pods.rows[pod]["bad"]:
        return OK
    k = 0
    while draw >= pods.error_below[pod, k]:
        k += 1
    return int(pods.error_slot[pod, k])


@part
def is_full(pods: Pods, pod: int, at_s: float) -> bool:
    """Whether a pod turns an attempt away: all servers busy and as many waiting as may wait."""
    row = pods.rows[pod]
    width = pods.starts.shape[1]
    while row["queued"] > 0 and pods.starts[pod, row["first"]] <= at_s:
        row["first"] = (row["first"] + 1) % width
        row["queued"] -= 1
    return bool(pods.free[pod, 0] > at_s and row["queued"] >= row["limit"])


@part
def note_start(pods: Pods, pod: int, start_s: float) -> None:
    """Remember when one that waits will start, for ``is_full``."""
    row = pods.rows[pod]
    pods.starts[pod, (row["first"] + row["queued"]) % pods.starts.shape[1]] = start_s
    row["queued"] += 1


@part
def occupy(pods: Pods, pod: int, at_s: float, base_s: float) -> tuple[float, float]:
    """Start and finish of an attempt at the server that is free first (Kiefer and Wolfowitz); the server is taken."""
    start, finish = turn(pods, pod, at_s, base_s)
    take(pods, pod, at_s, finish)
    return start, finish


@part
def turn(pods: Pods, pod: int, at_s: float, base_s: float) -> tuple[float, float]:
    """When an attempt would start and finish; no server is taken."""
    row = pods.rows[pod]
    start = max(at_s, pods.free[pod, 0])
    return start, start + (base_s * row["factor"] + row["add"])


@part
def take(pods: Pods, pod: int, at_s: float, finish_s: float) -> None:
    """Let a server that is free at ``at_s``, or the first that will be, be free at ``finish_s`` instead.

    Of few servers the first is taken: what is free before the new instant moves down by one, the rest stays, without a
    branch, for where the instant belongs is what a processor would guess wrong. Of many the last that is free already
    is taken, which is as good: only what is busy for less than this attempt moves.
    """
    free = pods.free[pod]
    servers = pods.rows[pod]["servers"]
    if servers <= FEW:
        for k in range(servers):
            free[k] = min(max(free[k], finish_s), free[k + 1])
        return
    k = servers - 1
    while k > 0 and free[k] > finish_s:
        k -= 1
    moving = finish_s
    while k > 0 and moving > at_s:
        free[k], moving = moving, free[k]
        k -= 1
    if moving > at_s:
        free[0] = moving


@part
def remember(
    carried: Carried,
    pod: int,
    slot: int,
    error: float,
    times: tuple[float, float, float, float],
    route: np.uint64,
    block: int,
    index: int,
    attempt: int,
) -> Row:
    """Put an attempt among those in flight; ``times`` are arrival, start, finish and service before effects."""
    flight: Row = carried.flights[carried.sizes[FLYING]]
    carried.sizes[FLYING] += 1
    flight["arrived"], flight["start"], flight["finish"], flight["base"] = times
    flight["error"] = error
    flight["route"] = route
    flight["block"] = block
    flight["index"] = index
    flight["attempt"] = attempt
    flight["pod"] = pod
    flight["slot"] = slot
    flight["waiting"] = 1
    flight["policy"] = -1
    flight["row"] = -1
    return flight
