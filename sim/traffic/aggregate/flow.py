# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every pod
"""How many attempts each pod gets: requests by route, pool and pod, and the attempts that follow failed ones."""

from __future__ import annotations

from typing import Final

from sim.traffic.aggregate.profiles import NODES, WIDTH
from sim.traffic.aggregate.state import DONE, LACKING, OVER, Clients, Kinds, Manners, Pods, Ways
from sim.traffic.jit import part

ROUNDS: Final = 20
SETTLED: Final = 1e-6
"""More attempts make more failures, which make more attempts: how close to the end of that is close enough."""


@part
def share_out(ways: Ways, pods: Pods, clients: Clients, requests: float) -> None:
    """Expected attempts at each pod, if as many fail as is thought, and how many of them are the last."""
    for pod in range(len(pods.attempts)):
        pods.attempts[pod] = 0.0
        pods.last[pod] = 0.0
        pods.final[pod] = 0.0
    for route in range(len(ways.share)):
        total, next_one = 1.0, 1.0
        for _ in range(clients.retries):
            next_one *= ways.fail[route]
            total += next_one
        sent, last = requests * ways.share[route] * total, next_one / total
        for pool in range(ways.pools_from[route], ways.pools_from[route + 1]):
            here = sent * ways.weight[pool]
            for k in range(ways.pods_from[pool], ways.pods_from[pool + 1]):
                pod, each = ways.pods[k], here * ways.tries[k]
                pods.attempts[pod] += each
                pods.last[pod] += each * last
                pods.final[pod] += here * ways.finals[k]


@part
def failing_share(kinds: Kinds, manners: Manners, pods: Pods, pod: int) -> float:
    """The share of a pod's answers that reach clients, who try again."""
    node, part_above = node_of(pods.load[pod])
    manner = pods.manner[pod]
    kind = manners.kind[manner]
    late = kinds.late[kind, node] * (1 - part_above) + kinds.late[kind, node + 1] * part_above
    return float(late + (1 - late) * (manners.again[manner] - manners.both[manner] * (1 - pods.final[pod])))


@part
def node_of(load: float) -> tuple[int, float]:
    """The profile below a utilisation, and how far it is towards the next."""
    place = load / WIDTH
    node = min(int(place), NODES - 2)
    return node, min(place - node, 1.0)


@part
def busy(kinds: Kinds, manners: Manners, pods: Pods, width_s: float) -> int:
    """Note the pods' rates and utilisations; what stands in the way of drawing, if anything does."""
    outcome = DONE
    for pod in range(len(pods.attempts)):
        rate = pods.attempts[pod] / width_s
        pods.rate[pod] = rate
        if rate == 0.0:
            continue
        pods.last[pod] /= pods.attempts[pod]
        pods.final[pod] /= pods.attempts[pod]
        kind = manners.kind[pods.manner[pod]]
        load = rate * kinds.service_s[kind] / manners.servers[pods.manner[pod]]
        if load > kinds.limit[kind]:
            return OVER
        pods.load[pod] = load
        node, _ = node_of(load)
        for one in range(node, node + 2):
            if kinds.made[kind, one] != 1:
                kinds.made[kind, one] = 2
                outcome = LACKING
    return outcome


@part
def learn(ways: Ways, kinds: Kinds, manners: Manners, pods: Pods, clients: Clients) -> float:
    """Find each route's failing share anew; how much the greatest change of one is."""
    most = 0.0
    for route in range(len(ways.share)):
        failing = 0.0
        for pool in range(ways.pools_from[route], ways.pools_from[route + 1]):
            first, end = ways.pods_from[pool], ways.pods_from[pool + 1]
            if end == first:
                failing += ways.weight[pool] * clients.again[ways.empty_slot[pool]]
                continue
            inside = 0.0
            for k in range(first, end):
                inside += ways.tries[k] * failing_share(kinds, manners, pods, ways.pods[k])
            failing += ways.weight[pool] * inside
        most = max(most, abs(failing - ways.fail[route]))
        ways.fail[route] = failing
    return most


@part
def flow(
    ways: Ways, kinds: Kinds, manners: Manners, pods: Pods, clients: Clients, requests: float, width_s: float
) -> int:
    """Settle what every pod is sent in a stretch; ``DONE``, or why nothing may be drawn."""
    for _ in range(ROUNDS):
        share_out(ways, pods, clients, requests)
        outcome = busy(kinds, manners, pods, width_s)
        if outcome != DONE:
            return outcome
        if clients.retries == 0 or learn(ways, kinds, manners, pods, clients) < SETTLED:
            break
    return DONE


@part
def add_bursts(ways: Ways, pods: Pods, clients: Clients) -> None:
    """Let the attempts that follow a crash be made now; they are the last ones unless there may be more than two."""
    last = 1.0 if clients.retries <= 1 else 0.0
    for pool in range(len(ways.burst)):
        burst = ways.burst[pool]
        ways.burst[pool] = 0.0
        if burst == 0.0:
            continue
        first, end = ways.pods_from[pool], ways.pods_from[pool + 1]
        for k in range(first, end):
            pod = ways.pods[k]
            more = burst / (end - first)
            before = pods.attempts[pod]
            pods.attempts[pod] = before + more
            pods.last[pod] = (pods.last[pod] * before + more * last) / (before + more)
