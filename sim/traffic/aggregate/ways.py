"""Routes as the loops in aggregate read them, and whether what proxies do on them is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.traffic.aggregate.crew import Crew
from sim.traffic.aggregate.handled import RETRIED, are_patient, is_limited, is_watched_calmly, may_eject, tries_by_pod
from sim.traffic.aggregate.state import Ways
from sim.traffic.routes import starts
from sim.traffic.values import Balancing, Pool, Route


def flattened(routes: Sequence[Route], crew: Crew) -> Ways:
    """The routes as arrays; classes and pools without a share are left out."""
    kept = [route for route in routes if route.share > 0] or [Route(1.0, ())]
    pools = [[pool for pool in route.pools if pool.weight > 0] or [Pool(1.0, ())] for route in kept]
    flat = [pool for of_route in pools for pool in of_route]
    total = sum(route.share for route in kept)
    sums = [sum(pool.weight for pool in of_route) for of_route in pools]
    weights = [pool.weight / whole for of_route, whole in zip(pools, sums, strict=True) for pool in of_route]
    sizes = np.array([len(pool.pods) for pool in flat])
    tries = np.repeat(1.0 / np.maximum(sizes, 1), sizes)
    finals = np.zeros(len(tries)) if crew.tries.most else tries
    pods_from = starts(sizes.tolist())
    if crew.tries.most:
        for k, pool in enumerate(flat):
            retried = [crew.manner(pod).retried for pod in pool.pods]
            if any(retried):
                here = slice(pods_from[k], pods_from[k + 1])
                tries[here], finals[here] = tries_by_pod(retried, crew.tries.most)
    return Ways(
        np.array([route.share / total for route in kept]),
        starts([len(of_route) for of_route in pools]),
        np.array(weights),
        pods_from,
        np.concatenate([np.array(pool.pods, dtype=np.int64) for pool in flat]),
        tries,
        finals,
        np.array([crew.slot_of(pool.status) for pool in flat], dtype=np.int64),
        np.zeros(len(kept)),
        np.zeros(len(flat)),
    )


def is_drawn(pool: Pool, crew: Crew, patience_s: float | None) -> bool:
    """Whether what proxies do to a pool is known in aggregate."""
    cluster = pool.cluster
    if cluster is None:
        return True
    manners = {crew.pods.manner[pod]: crew.manner(pod) for pod in pool.pods}.values()
    again = [one for one in manners if one.retried and not one.refuses]
    if not manners or any(one.retried > RETRIED or not are_patient(patience_s, crew.mean_s(one)) for one in again):
        return False
    if is_limited(pool, sum(crew.behaviours[pod].concurrency for pod in pool.pods)):
        return False
    if cluster.balancing is Balancing.LEAST_REQUEST and len({one.kind for one in manners}) > 1:
        return False
    return not may_eject(cluster, len(pool.pods)) or all(
        not one.refuses and is_watched_calmly(cluster, one.server, one.gateway) for one in manners
    )
