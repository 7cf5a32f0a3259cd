# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every request
"""The loop over requests with proxies between clients and pods: faults, balancing by load, ejections, limits, retries, copies."""

from __future__ import annotations

from math import inf
from typing import Final

import numpy as np

from sim.traffic.heap import drop_first, push_held
from sim.traffic.jit import kernel, part
from sim.traffic.kernel import Requests
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
from sim.traffic.state import (
    AGAIN,
    EXPIRED,
    FLYING,
    GONE,
    HELD,
    LEFT,
    LOCAL,
    NEW,
    NEXT,
    RETRYING,
    Carried,
    Client,
    Mesh,
    Pods,
    Routing,
    Row,
    Tally,
)
from sim.traffic.watching import catch_up, note, settle_row
from sim.traffic.words import high, keyed, low, mix, positive_unit, service_of

BACKOFF_S: Final = 0.025
"""Envoy's base interval; a pause is uniform on (0, interval], the interval doubles up to ten times the base."""
TRIES: Final = 1 << 20
COPIES: Final = 1 << 40
"""Place of a proxy's tries and of copies within an attempt's number, so that each has words of its own."""
HOST_PICKS: Final = 5
"""How often a proxy draws anew where it drew the host that it tried last."""
FAULT: Final = 6
PROXY: Final = 7
BACKOFF: Final = 4


@part
def choose_route(routing: Routing, draw: float) -> int:
    """Index of a class's route."""
    route, last = 0, len(routing.share_below) - 1
    while route < last and draw >= routing.share_below[route]:
        route += 1
    return route


@part
def choose_pool(routing: Routing, route: int, draw: float) -> int:
    """Index of the pool within a route."""
    pool, last = routing.pools_from[route], routing.pools_from[route + 1] - 1
    while pool < last and draw >= routing.weight_below[pool]:
        pool += 1
    return int(pool)


@part
def proxy_of(mesh: Mesh, client: Client, block: int, index: int, attempt: int) -> int:
    """Which proxy an attempt goes through."""
    if mesh.proxies == 1:
        return 0
    return int(high(keyed(client.key, block, index, attempt, PROXY)) * mesh.proxies)


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


@part
def retried_service(client: Client, pods: Pods, kind: int, block: int, index: int, number: int) -> float:
    """Service time of anything but a client's first try, from words of its own."""
    how = pods.kinds[kind]
    first, second = keyed(client.key, block, index, number, 2), keyed(client.key, block, index, number, 3)
    return service_of(first, second, how["shape"], how["scale"], how["sigma"])


@part
def copy_out(
    client: Client,
    pods: Pods,
    tally: Tally,
    carried: Carried,
    mesh: Mesh,
    horizon_s: float,
    at_s: float,
    number: int,
    proxy: int,
    policy: int,
    route: np.uint64,
    block: int,
    index: int,
    attempt: int,
) -> None:
    """The copies that the mirrors of a route get of a request; nobody waits for their answers."""
    first = mesh.mirrors_from[number]
    for k in range(first, mesh.mirrors_from[number + 1]):
        mine = attempt + COPIES * (k - first + 1)
        draws = keyed(client.key, block, index, mine, 0)
        if high(draws) >= mesh.mirror_share[k]:
            continue
        seat = mesh.mirror_seat[k] + proxy
        row = pick(mesh, seat, at_s, draws, -1)
        if row < 0:
            continue
        kind = pods.rows[mesh.rows[row]["pod"]]["kind"]
        base = retried_service(client, pods, kind, block, index, mine)
        error = high(keyed(client.key, block, index, mine, 1))
        send(
            client, pods, tally, carried, mesh, horizon_s, row, at_s, base, error, route, block, index, mine,
            at_s, inf, 0, policy, seat, 0,
        )  # fmt: skip


@part
def is_stopped(
    client: Client,
    tally: Tally,
    carried: Carried,
    mesh: Mesh,
    phase: int,
    policy: int,
    at_s: float,
    route: np.uint64,
    block: int,
    index: int,
    attempt: int,
) -> bool:
    """Whether the route's fault holds a request up, or answers it; the client may leave before it is let go."""
    how = mesh.policies[policy]
    if how["delay_share"] + how["abort_share"] == 0:
        return False
    chance = keyed(client.key, block, index, attempt, FAULT)
    if phase == NEW and high(chance) < how["delay_share"]:
        at, then = at_s + how["delay"], HELD
        if at > at_s + client.timeout_s:
            at, then = at_s + client.timeout_s, LEFT
        push_held(carried, at, route, block, index, attempt, then, at_s, inf, 0, policy, -1, -1)
        return True
    if low(chance) < how["abort_share"]:
        slot = how["abort_slot"]
        tally.answers[0, slot] += 1
        settle(client, tally, carried, -1, slot, at_s, route, block, index, attempt)
        return True
    return False


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
    """A proxy answers by itself."""
    tally.answers[0, slot] += 1
    settle(client, tally, carried, -1, slot, at_s, route, block, index, attempt)


@part
def end_of_hold(client: Client, pods: Pods, tally: Tally, carried: Carried, row: Row, at_s: float) -> None:
    """A proxy's pause outlives the route's time, or the client's patience."""
    group = pods.rows[row["pod"]]["group"] if row["pod"] >= 0 else -1
    slot = LATE if row["phase"] == EXPIRED else -1
    route, block, index, attempt = row["route"], row["block"], row["index"], row["attempt"]
    drop_first(carried)
    settle(client, tally, carried, group, slot, at_s, route, block, index, attempt)


@kernel
def relay(  # noqa: C901, PLR0912, PLR0915 - one loop over one state machine; its parts are above
    requests: Requests,
    client: Client,
    routing: Routing,
    pods: Pods,
    tally: Tally,
    carried: Carried,
    mesh: Mesh,
    until_s: float,
    horizon_s: float,
) -> bool:
    """As ``kernel.run``, with proxies."""
    times = requests.times
    sizes = carried.sizes
    count = len(times)
    i = sizes[NEXT]
    room = 8 + len(mesh.mirror_share)
    while True:
        full = sizes[FLYING] + room > len(carried.flights) or sizes[RETRYING] + room > len(carried.retries)
        if full or mesh.flags[0] == 1:
            sizes[NEXT] = i
            return False
        at = times[i] if i < count else inf
        held = sizes[RETRYING] > 0 and carried.retries[0]["at"] < at
        if held:
            at = carried.retries[0]["at"]
        if at >= until_s:
            sizes[NEXT] = i
            return True
        begun, until, tries, seat, avoid, phase, policy = at, inf, 0, -1, -1, NEW, 0
        if held:
            row = carried.retries[0]
            phase = row["phase"]
            if phase in (EXPIRED, LEFT):
                end_of_hold(client, pods, tally, carried, row, at)
                continue
            block, index, attempt, route = row["block"], row["index"], row["attempt"], row["route"]
            if phase != NEW:
                begun, until, tries, seat, avoid = row["begun"], row["until"], row["tries"], row["seat"], row["pod"]
                policy = row["policy"]
            drop_first(carried)
        else:
            block, index, attempt, route = requests.number, i, 0, requests.route_error[i]
            i += 1
        number = attempt + TRIES * tries
        pool_pod = keyed(client.key, block, index, number, 0) if held else requests.pool_pod[index]
        if phase != AGAIN:
            way = choose_route(routing, high(route))
            policy = mesh.policy_of[way]
            if is_stopped(client, tally, carried, mesh, phase, policy, at, route, block, index, attempt):
                continue
            until = at + mesh.policies[policy]["timeout"]
            proxy = proxy_of(mesh, client, block, index, attempt)
            if mesh.mirrors_from[way + 1] > mesh.mirrors_from[way]:
                copy_out(
                    client, pods, tally, carried, mesh, horizon_s, at, way, proxy, policy, route, block, index, attempt
                )
            pool = choose_pool(routing, way, high(pool_pod))
            if mesh.seat_of[pool] < 0:
                turn_away(client, tally, carried, routing.empty_slot[pool], at, route, block, index, attempt)
                continue
            seat = mesh.seat_of[pool] + proxy
        chosen = pick(mesh, seat, at, pool_pod, avoid)
        if chosen < 0:
            mesh.seats[seat]["refused"] += 1
            turn_away(client, tally, carried, UNAVAILABLE, at, route, block, index, attempt)
            continue
        kind = pods.rows[mesh.rows[chosen]["pod"]]["kind"]
        if held:
            base = retried_service(client, pods, kind, block, index, number)
            error = high(keyed(client.key, block, index, number, 1))
        else:
            base, error = requests.service[kind, index], low(route)
        send(
            client, pods, tally, carried, mesh, horizon_s, chosen, at, base, error, route, block, index, attempt,
            begun, until, tries, policy, seat, 1,
        )  # fmt: skip
