# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every request
"""The loop over requests with proxies between clients and pods: routes, faults, copies, and tries one after the other."""

from __future__ import annotations

from math import inf
from typing import Final

import numpy as np

from sim.traffic.heap import drop_first, push_held
from sim.traffic.jit import kernel, part
from sim.traffic.serve import LATE, UNAVAILABLE, settle
from sim.traffic.state import (
    AGAIN,
    EXPIRED,
    FLYING,
    HELD,
    LEFT,
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
from sim.traffic.tries import TRIES, pick, send
from sim.traffic.usual import Requests
from sim.traffic.words import high, keyed, low, service_of

COPIES: Final = 1 << 40
"""Place of copies within an attempt's number, so that each has words of its own."""
FAULT: Final = 6
PROXY: Final = 7


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
        turn_away(client, tally, carried, how["abort_slot"], at_s, route, block, index, attempt)
        return True
    return False


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
