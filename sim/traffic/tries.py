# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every request
"""One try of a proxy at a host: which host, when it ends, and what proxy and client make of that."""

from __future__ import annotations

from math import inf
from typing import Final

import numpy as np

from sim.traffic.heap import push_held
from sim.traffic.jit import part
from sim.traffic.serve import (
    LATE,
    UNAVAILABLE,
    answer_slot,
    count_answer,
    is_full,
    note_start,
    occupy,
    remember,
    settle,
)
from sim.traffic.state import AGAIN, EXPIRED, GONE, LEFT, LOCAL, Carried, Client, Mesh, Pods, Row, Tally
from sim.traffic.watching import catch_up, note, settle_row
from sim.traffic.words import high, keyed, low, mix, positive_unit

BACKOFF_S: Final = 0.025
"""Envoy's base interval; a pause is uniform on (0, interval], the interval doubles up to ten times the base."""
TRIES: Final = 1 << 20
"""Place of a proxy's tries within an attempt's number, so that each has words of its own."""
HOST_PICKS: Final = 5
"""How often a proxy draws anew where it drew the host that it tried last."""
BACKOFF: Final = 4


@part
def under_way(mesh: Mesh, seat: int, now_s: float) -> int:
    """Requests under way to a cluster through one proxy."""
    place = mesh.seats[seat]
    total = 0
    for k in range(place["first"], place["first"] + place["hosts"]):
        settle_row(mesh, seat, mesh.members[k], now_s)
        total += mesh.rows[mesh.members[k]]["count"]
    return total


@part
def pick(mesh: Mesh, seat: int, now_s: float, word: np.uint64, avoid: int) -> int:
    """Row of the host that a proxy sends a request to; -1 where there is none, -2 where no more may be under way.

    The low half of the word draws the host, the next word (mixed) a second one or another try. ``avoid`` is the pod of the last try (-1: none): it is drawn again only after ``HOST_PICKS`` more draws.
    """
    place = mesh.seats[seat]
    if place["watched"] == 1:
        catch_up(mesh, seat, now_s)
    healthy, first = place["healthy"], place["first"]
    if healthy == 0:
        return -1
    if place["limit"] >= 0 and under_way(mesh, seat, now_s) >= place["limit"]:
        return -2
    row = -1
    draw = low(word)
    for _ in range(HOST_PICKS + 1):
        if place["balancing"] == 1:
            row = mesh.chosen[first + place["turn"] % healthy]
            place["turn"] += 1
        else:
            row = mesh.chosen[first + np.int64(draw * healthy)]
            if place["balancing"] == 2:
                word = mix(word)
                other = mesh.chosen[first + np.int64(high(word) * healthy)]
                settle_row(mesh, seat, row, now_s)
                settle_row(mesh, seat, other, now_s)
                if mesh.rows[other]["count"] < mesh.rows[row]["count"]:
                    row = other
        if mesh.rows[row]["pod"] != avoid:
            return int(row)
        word = mix(word)
        draw = low(word)
    return int(row)


@part
def settle_proxied(
    client: Client,
    tally: Tally,
    carried: Carried,
    mesh: Mesh,
    group: int,
    slot: int,
    at_s: float,
    pod: int,
    route: np.uint64,
    block: int,
    index: int,
    attempt: int,
    begun: float,
    until: float,
    tries: int,
    policy: int,
    seat: int,
) -> None:
    """A proxy has an answer (or its own): it tries again after a pause, or the client gets it."""
    if tries < mesh.policies[policy]["retries"] and mesh.again[policy, slot]:
        interval = min(BACKOFF_S * 2.0**tries, 10 * BACKOFF_S)
        pause = interval * positive_unit(keyed(client.key, block, index, attempt + TRIES * (tries + 1), BACKOFF))
        at, phase = at_s + pause, AGAIN
        leaves = begun + client.timeout_s
        if min(until, leaves) < at:
            at, phase = (until, EXPIRED) if until < leaves else (leaves, LEFT)
        push_held(carried, at, route, block, index, attempt, phase, begun, until, tries + 1, policy, seat, pod)
        return
    settle(client, tally, carried, group, slot, at_s, route, block, index, attempt)


@part
def give_up(
    client: Client,
    tally: Tally,
    carried: Carried,
    mesh: Mesh,
    group: int,
    at_s: float,
    pod: int,
    route: np.uint64,
    block: int,
    index: int,
    attempt: int,
    begun: float,
    until: float,
    tries: int,
    policy: int,
    seat: int,
) -> None:
    """Nobody waits longer for a try: the client has left, or the proxy tries again or answers 504."""
    if at_s >= begun + client.timeout_s:
        settle(client, tally, carried, group, -1, at_s, route, block, index, attempt)
    elif at_s >= until:
        settle(client, tally, carried, group, LATE, at_s, route, block, index, attempt)
    else:
        settle_proxied(
            client, tally, carried, mesh, group, LATE, at_s, pod, route, block, index, attempt, begun, until, tries,
            policy, seat,
        )  # fmt: skip


@part
def settle_any(
    client: Client, pods: Pods, tally: Tally, carried: Carried, mesh: Mesh, flight: Row, until_s: float
) -> None:
    """Tell whoever still waits what there is to know before ``until_s``: the answer, or that their patience is over."""
    at = min(flight["finish"], flight["ends"])
    if flight["waiting"] == 0 or at >= until_s:
        return
    flight["waiting"] = 0
    group, pod = pods.rows[flight["pod"]]["group"], flight["pod"]
    route, block, index, attempt = flight["route"], flight["block"], flight["index"], flight["attempt"]
    if flight["policy"] < 0:
        slot = flight["slot"] if flight["finish"] <= flight["ends"] else -1
        settle(client, tally, carried, group, slot, at, route, block, index, attempt)
    elif flight["finish"] <= flight["ends"]:
        settle_proxied(
            client, tally, carried, mesh, group, flight["slot"], at, pod, route, block, index, attempt,
            flight["begun"], flight["until"], flight["tries"], flight["policy"], flight["seat"],
        )  # fmt: skip
    else:
        give_up(
            client, tally, carried, mesh, group, at, pod, route, block, index, attempt,
            flight["begun"], flight["until"], flight["tries"], flight["policy"], flight["seat"],
        )  # fmt: skip


@part
def outcome_of(mesh: Mesh, slot: int, finish_s: float, ends_s: float, leaves_s: float) -> int:
    """What a detector will make of a try."""
    if finish_s > ends_s:
        return GONE if ends_s >= leaves_s else LOCAL
    return int(mesh.kinds[slot])


@part
def send(
    client: Client,
    pods: Pods,
    tally: Tally,
    carried: Carried,
    mesh: Mesh,
    horizon_s: float,
    row: int,
    at_s: float,
    base_s: float,
    error: float,
    route: np.uint64,
    block: int,
    index: int,
    attempt: int,
    begun: float,
    until: float,
    tries: int,
    policy: int,
    seat: int,
    waits: int,
) -> None:
    """One try at a host: queue, answer, proxy and client, as far as they come to pass before the horizon."""
    pod = mesh.rows[row]["pod"]
    place, group = mesh.seats[seat], pods.rows[pod]["group"]
    limit = pods.rows[pod]["limit"]
    leaves = begun + client.timeout_s
    ends = inf
    if waits == 1:
        ends = min(leaves, until, at_s + mesh.policies[policy]["per_try"])
    pods.rows[pod]["arrived"] += 1
    if limit >= 0 and is_full(pods, pod, at_s):
        count_answer(pods, tally, pod, UNAVAILABLE, 0.0)
        if place["counted"] == 1:
            note(mesh, seat, row, at_s, mesh.kinds[UNAVAILABLE])
        if waits == 1:
            settle_proxied(
                client, tally, carried, mesh, group, UNAVAILABLE, at_s, pod, route, block, index, attempt, begun,
                until, tries, policy, seat,
            )  # fmt: skip
        return
    start, finish = occupy(pods, pod, at_s, base_s)
    if limit >= 0 and start > at_s:
        note_start(pods, pod, start)
    slot = answer_slot(pods, pod, error)
    if place["counted"] == 1:
        note(mesh, seat, row, min(finish, ends), outcome_of(mesh, slot, finish, ends, leaves))
    if finish >= horizon_s:
        times = (at_s, start, finish, base_s)
        flight = remember(carried, pod, slot, error, times, route, block, index, attempt)
        flight["begun"] = begun
        flight["until"] = until
        flight["ends"] = ends
        flight["tries"] = tries
        flight["policy"] = policy
        flight["seat"] = seat
        flight["row"] = row if place["counted"] == 1 else -1
        flight["waiting"] = waits
        settle_any(client, pods, tally, carried, mesh, flight, horizon_s)
        return
    count_answer(pods, tally, pod, slot, finish - at_s)
    if waits == 0:
        return
    if finish <= ends:
        settle_proxied(
            client, tally, carried, mesh, group, slot, finish, pod, route, block, index, attempt, begun, until,
            tries, policy, seat,
        )  # fmt: skip
    else:
        give_up(
            client, tally, carried, mesh, group, ends, pod, route, block, index, attempt, begun, until, tries,
            policy, seat,
        )  # fmt: skip
