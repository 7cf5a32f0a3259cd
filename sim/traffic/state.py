"""The arrays the compiled loops work on: what is in flight, what will be tried again, and each pod's servers."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.traffic.values import Counts

Records = NDArray[Any]
"""Structured rows; their fields are below."""
Row = Any
"""One of them; NumPy has no type for a row that is written through."""

FLIGHT: Final = np.dtype(
    [
        ("arrived", np.float64),
        ("start", np.float64),
        ("finish", np.float64),
        ("base", np.float64),
        ("error", np.float64),
        ("route", np.uint64),
        ("block", np.int64),
        ("index", np.int64),
        ("attempt", np.int64),
        ("pod", np.int64),
        ("slot", np.int64),
        ("waiting", np.int64),
    ],
    align=True,
)
"""An attempt a pod has not answered yet.

``base`` is its service time before effects, ``error`` and ``route`` its draws, ``slot`` the status it will get;
``waiting`` is 1 until its client has the answer or has given up.
"""

RETRY: Final = np.dtype(
    [
        ("at", np.float64),
        ("route", np.uint64),
        ("block", np.int64),
        ("index", np.int64),
        ("attempt", np.int64),
    ],
    align=True,
)
"""An attempt that will be made at ``at``; rows form a binary heap by (at, block, index)."""

POD: Final = np.dtype(
    [
        ("factor", np.float64),
        ("add", np.float64),
        ("bad", np.float64),
        ("kind", np.int64),
        ("group", np.int64),
        ("servers", np.int64),
        ("head", np.int64),
        ("limit", np.int64),
        ("first", np.int64),
        ("queued", np.int64),
        ("arrived", np.int64),
        ("ticks", np.int64),
        ("turn", np.int64),
    ],
    align=True,
)
"""A pod: effects on service times, share of answers that are not 200, row of its service times, group.

``servers`` free at the ascending instants ``free[pod, head ...]`` (a ring); with ``limit`` >= 0 the ``queued``
start times ``starts[pod, first ...]`` of those that wait (a ring). ``arrived`` attempts so far; ``ticks`` is the sum
of all latencies in units of 2**-30 s, whole so that it does not depend on the order of summation.
"""

KIND: Final = np.dtype([("shape", np.int64), ("scale", np.float64), ("sigma", np.float64)], align=True)
"""How a kind of version draws the service times of retries."""

TICKS_PER_S: Final = float(2**30)

FLYING: Final = 0
RETRYING: Final = 1
NEXT: Final = 2
"""Places in ``sizes``: rows in flight, rows in the retry heap, next request of the current block."""

CLIENT_REQUESTS: Final = 0
CLIENT_FAILURES: Final = 1
TIMEOUTS: Final = 2
RETRIES: Final = 3


class Client(NamedTuple):
    """How clients wait, and the key of the retries' words."""

    timeout_s: float
    retries: int
    backoff_s: float
    key: np.uint64


class Pods(NamedTuple):
    """Everything about pods; row 0 is the pod that is not there, which answers 503 for the pools without one."""

    rows: Records
    free: NDArray[np.float64]
    starts: NDArray[np.float64]
    error_below: NDArray[np.float64]
    error_slot: NDArray[np.int64]
    kinds: Records


class Tally(NamedTuple):
    """What has happened: answers by pod and status slot, by pod and latency cell; client side by group + 1."""

    answers: Counts
    latencies: Counts
    client: Counts
    bounds: NDArray[np.float64]
    first_cell: NDArray[np.int64]
    again: NDArray[np.bool_]
    failing: NDArray[np.bool_]


class Routing(NamedTuple):
    """Routes flattened: cumulative shares; each route's pools from ``pools_from``; each pool's pods from ``pods_from``.

    ``empty_slot`` is the answer of a pool without pods.
    """

    share_below: NDArray[np.float64]
    pools_from: NDArray[np.int64]
    weight_below: NDArray[np.float64]
    pods_from: NDArray[np.int64]
    pods: NDArray[np.int64]
    empty_slot: NDArray[np.int64]
    turns: NDArray[np.int64]


class Carried(NamedTuple):
    """What outlives a call: attempts in flight (in order of arrival), the retry heap and the sizes of both."""

    flights: Records
    retries: Records
    sizes: NDArray[np.int64]
