"""What proxies may do for routes that are drawn in aggregate: even pods out, and try again what rarely fails."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Final, NamedTuple

from sim.traffic.values import Balancing, Cluster, Handling, Pool, Route

FEW_PODS: Final = 5
MANY_PROXIES: Final = 3
EVENED_FEW: Final = 0.01
EVENED_MANY: Final = 0.03
EVENED_BADLY: Final = 0.003
"""Mean waits, in mean service times, that pods drawn at random may have so that hardly anybody waits at pods that are
evened out: of a pool of fewer than ``FEW_PODS``, of more, and where more than ``MANY_PROXIES`` know only their own requests."""
RETRIED: Final = 0.05
"""The share of a pool's answers that proxies may try again; retries of a request that failed come together, drawn ones do not."""
PATIENCE: Final = 8
PAUSES_S: Final = 0.1
"""Clients must wait for this many mean service times and proxies' pauses, or some leave who would not have without a second try."""
CHANCE: Final = 1e-9
"""How likely so many errors in a row may be that a detector ejects for, at each answer."""
HOST_PICKS: Final = 6
"""Draws of a host after which a proxy tries the same one again (``sim.traffic.tries``)."""
SPARE: Final = 2
"""A limit of requests under way never binds that is above this many times the servers of a pool whose pods are calm."""


class Tries(NamedTuple):
    """How often proxies try again, and after what."""

    most: int = 0
    statuses: tuple[int, ...] = ()
    refused: bool = False
    reset: bool = False


def tries_of(routes: Sequence[Route], timeout_s: float | None) -> Tries | None:
    """What proxies do besides balancing, the same for all routes; None where it is more than to try again now and then."""
    kept = [route for route in routes if route.share > 0]
    if any(pool.weight > 0 and pool.pods for route in kept for pool in route.mirrors):
        return None
    found = {_tries(route.handling, inf if timeout_s is None else timeout_s) for route in kept}
    return found.pop() if len(found) == 1 else (None if found else Tries())


def _tries(handling: Handling, timeout_s: float) -> Tries | None:
    """None where a proxy holds up, answers by itself, or gives up before the client does."""
    limits = [limit for limit in (handling.per_try_s, handling.timeout_s) if limit is not None]
    if handling.delay_share or handling.abort_share or any(limit < timeout_s for limit in limits):
        return None
    causes = (handling.retry_on, handling.retry_refused, handling.retry_reset)
    return Tries(handling.retries, *causes) if handling.retries and any(causes) else Tries()


def pools_of(routes: Sequence[Route]) -> list[Pool]:
    """The pools that get any requests."""
    return [pool for route in routes if route.share > 0 for pool in route.pools if pool.weight > 0]


def is_limited(pool: Pool, servers: int) -> bool:
    """Whether a limit of requests under way may bind before the pool's pods, with so many servers, are too busy."""
    limit = pool.cluster.limit if pool.cluster is not None else None
    return limit is not None and limit <= SPARE * servers


def evened(pool: Pool, proxies: int) -> float:
    """Up to which mean wait of pods drawn at random nobody waits at this pool's pods; 0 where they are drawn at random."""
    if pool.cluster is None or pool.cluster.balancing is Balancing.RANDOM or len(pool.pods) < 2:
        return 0.0
    if proxies > MANY_PROXIES:
        return EVENED_BADLY
    return EVENED_FEW if len(pool.pods) < FEW_PODS else EVENED_MANY


def are_patient(timeout_s: float | None, mean_s: float) -> bool:
    """Whether clients wait for a second try wherever they would have waited for the first."""
    return timeout_s is None or timeout_s >= PATIENCE * mean_s + PAUSES_S


def may_eject(cluster: Cluster | None, hosts: int) -> bool:
    """Whether a detector may take a host out of so many."""
    return cluster is not None and cluster.outlier is not None and cluster.outlier.max_ejection_percent * hosts >= 100.0


def is_watched_calmly(cluster: Cluster, server: float, gateway: float) -> bool:
    """Whether errors in a row that a detector ejects for hardly come: shares of answers from 500 on, and of 502 to 504."""
    one = cluster.outlier
    if one is None:
        return True
    rows = ((server, one.consecutive_5xx), (gateway, one.consecutive_gateway))
    return all(count == 0 or share**count < CHANCE for share, count in rows)


def tries_by_pod(retried: Sequence[float], again: int) -> tuple[list[float], list[float]]:
    """Tries at each pod of a pool for one request sent there, and those that are the proxy's last, whatever the answer.

    ``retried`` is each pod's share of answers that are tried ``again`` so often at most. A proxy draws the pod that it has
    tried last only if it has drawn it several times in a row.
    """
    count = len(retried)
    now = [1.0 / count] * count
    tries = list(now)
    same = float(count) ** -HOST_PICKS
    for _ in range(again):
        failing = [here * share for here, share in zip(now, retried, strict=True)]
        total = sum(failing)
        other = (1 - same) / (count - 1) if count > 1 else 0.0
        now = [(total - mine) * other + mine * same for mine in failing]
        tries = [before + more for before, more in zip(tries, now, strict=True)]
    return tries, now
