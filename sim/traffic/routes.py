"""Routes as the flat arrays the loop walks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

import numpy as np

from sim.traffic.state import Routing
from sim.traffic.values import Balancing, Pool, Route


def flatten(routes: Sequence[Route], balancing: Balancing, slot_of: Callable[[int], int]) -> Routing:
    """The routes as arrays; classes and pools without a share are left out, pod p is row p + 1.

    ``slot_of`` finds the slot of a status that proxies answer by themselves.
    """
    kept = [route for route in routes if route.share > 0] or [Route(1.0, ())]
    pools = [[pool for pool in route.pools if pool.weight > 0] or [Pool(1.0, ())] for route in kept]
    flat = [pool for of_route in pools for pool in of_route]
    weights = [bound for of_route in pools for bound in _below([pool.weight for pool in of_route])]
    return Routing(
        share_below=np.array(_below([route.share for route in kept])),
        pools_from=starts([len(of_route) for of_route in pools]),
        weight_below=np.array(weights, dtype=np.float64),
        pods_from=starts([len(pool.pods) for pool in flat]),
        pods=np.array([pod + 1 for pool in flat for pod in pool.pods], dtype=np.int64),
        empty_slot=np.array([slot_of(pool.status) for pool in flat], dtype=np.int64),
        turns=np.zeros(len(flat) if balancing is Balancing.ROUND_ROBIN else 0, dtype=np.int64),
    )


def pods_of(routes: Sequence[Route]) -> set[int]:
    """Every pod that the routes name."""
    return {pod for route in routes for pool in (*route.pools, *route.mirrors) for pod in pool.pods}


def _below(parts: Sequence[float]) -> list[float]:
    """Cumulative shares, the last exactly 1."""
    total = list(accumulate(parts))
    return [part / total[-1] for part in total]


def starts(lengths: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Where each of several stretches begins, and where the last one ends."""
    return np.array([0, *accumulate(lengths)], dtype=np.int64)
