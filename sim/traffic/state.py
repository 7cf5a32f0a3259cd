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
        ("begun", np.float64),
        ("until", np.float64),
        ("ends", np.float64),
        ("tries", np.int64),
        ("policy", np.int64),
        ("seat", np.int64),
        ("row", np.int64),
    ],
    align=True,
)
"""An attempt a pod has not answered yet.

``base`` is its service time before effects, ``error`` and ``route`` its draws, ``slot`` the status it will get;
``waiting`` is 1 until its client (or proxy) has the answer or has given up, which it does at ``ends`` at the latest.

With a proxy between them: the client's attempt began at ``begun``, the route allows it until ``until``, this is try
number ``tries`` under handling ``policy`` (-1: no proxy), sent from ``seat`` and remembered in ``row`` (-1: nowhere).
"""

RETRY: Final = np.dtype(
    [
        ("at", np.float64),
        ("route", np.uint64),
        ("block", np.int64),
        ("index", np.int64),
        ("attempt", np.int64),
        ("phase", np.int64),
        ("begun", np.float64),
        ("until", np.float64),
        ("tries", np.int64),
        ("policy", np.int64),
        ("seat", np.int64),
        ("pod", np.int64),
    ],
    align=True,
)
"""An attempt that will be made at ``at``; rows form a binary heap by (at, block, index).

``phase`` says what then: a client's new attempt, or one that a proxy has held up, tries again or answers itself. The
rest is as in a flight; ``pod`` is the one tried last.
"""

NEW: Final = 0
"""A client's attempt begins."""
HELD: Final = 1
"""A proxy lets go of a request that its fault delayed."""
AGAIN: Final = 2
"""A proxy tries again."""
EXPIRED: Final = 3
"""The route's time is over while the proxy pauses: it answers 504."""
LEFT: Final = 4
"""The client's patience is over while the proxy holds the request."""

SEAT: Final = np.dtype(
    [
        ("first", np.int64),
        ("hosts", np.int64),
        ("healthy", np.int64),
        ("ejected", np.int64),
        ("turn", np.int64),
        ("balancing", np.int64),
        ("limit", np.int64),
        ("counted", np.int64),
        ("watched", np.int64),
        ("split", np.int64),
        ("c5", np.int64),
        ("cg", np.int64),
        ("cl", np.int64),
        ("max_percent", np.float64),
        ("min_health", np.float64),
        ("interval", np.float64),
        ("base", np.float64),
        ("born", np.float64),
        ("sweeps", np.int64),
        ("soonest", np.float64),
        ("refused", np.int64),
    ],
    align=True,
)
"""What one proxy knows of one cluster.

Its ``hosts`` rows are ``Mesh.members[first ...]``, the ``healthy`` ones of them ``Mesh.chosen[first ...]``. ``counted``:
requests under way matter; ``watched``: so do errors, the next of which comes at ``soonest``. Ejected hosts are looked at
at ``born`` + k ``interval``; ``sweeps`` of these are done. ``limit`` -1 is none. ``refused`` requests found no host, or too many under way.
"""

ROW: Final = np.dtype(
    [
        ("pod", np.int64),
        ("first", np.int64),
        ("count", np.int64),
        ("c5", np.int64),
        ("cg", np.int64),
        ("cl", np.int64),
        ("ejected", np.int64),
        ("ejected_at", np.float64),
        ("back_at", np.float64),
        ("times", np.int64),
        ("error_at", np.float64),
    ],
    align=True,
)
"""What one proxy knows of one host of a cluster: ``count`` requests under way, whose ends ascend from ``first`` on in
``Mesh.ends`` and ``Mesh.outcomes``; errors in a row; since when it is ejected, since when back (-inf: never was), and
by how many ``base`` times the next ejection is longer; when the next known error comes."""

POLICY: Final = np.dtype(
    [
        ("retries", np.int64),
        ("per_try", np.float64),
        ("timeout", np.float64),
        ("delay", np.float64),
        ("delay_share", np.float64),
        ("abort_slot", np.int64),
        ("abort_share", np.float64),
        ("late", np.int64),
    ],
    align=True,
)
"""A route's handling; ``late`` is 1 where a try that took too long is followed by another."""

GOOD: Final = 0
SERVER: Final = 1
GATEWAY: Final = 2
LOCAL: Final = 3
GONE: Final = 4
"""What an outlier detector makes of an end: below 500; 5xx; 502, 503 or 504; the proxy's own trouble; nothing."""

POD: Final = np.dtype(
    [
        ("factor", np.float64),
        ("add", np.float64),
        ("bad", np.float64),
        ("kind", np.int64),
        ("group", np.int64),
        ("servers", np.int64),
        ("limit", np.int64),
        ("first", np.int64),
        ("queued", np.int64),
        ("arrived", np.int64),
        ("usual", np.int64),
        ("ticks", np.int64),
        ("turn", np.int64),
    ],
    align=True,
)
"""A pod: effects on service times, share of answers that are not 200, row of its service times, group.

``servers`` free at the ascending instants ``free[pod, 0 ...]``, after which comes infinity; with ``limit`` >= 0 the ``queued``
start times ``starts[pod, first ...]`` of those that wait (a ring). ``arrived`` attempts so far, ``usual`` more until these
are booked (``sim.traffic.usual``); ``ticks`` is the sum
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


class Mesh(NamedTuple):
    """Everything about proxies: what they know, and how they treat the current routes.

    Per route ``policy_of`` and mirrors ``mirrors_from`` ...; per pool ``seat_of`` the first proxy's seat (the others'
    follow); ``again[policy, slot]`` says whether an answer is tried again, ``kinds[slot]`` what a detector makes of it.
    ``flags[0]`` is set where a row of ``ends`` is nearly full.
    """

    proxies: int
    policy_of: NDArray[np.int64]
    seat_of: NDArray[np.int64]
    mirrors_from: NDArray[np.int64]
    mirror_share: NDArray[np.float64]
    mirror_seat: NDArray[np.int64]
    policies: Records
    again: NDArray[np.bool_]
    kinds: NDArray[np.int64]
    seats: Records
    members: NDArray[np.int64]
    chosen: NDArray[np.int64]
    rows: Records
    ends: NDArray[np.float64]
    outcomes: NDArray[np.int64]
    flags: NDArray[np.int64]


class Carried(NamedTuple):
    """What outlives a call: attempts in flight (in order of arrival), the retry heap and the sizes of both."""

    flights: Records
    retries: Records
    sizes: NDArray[np.int64]


BATCH: Final = 512
"""Attempts that go through the usual steps together: few enough for the fastest cache."""


class Batch(NamedTuple):
    """First attempts on their way through the usual steps: rows of their pods, and latencies."""

    pods: NDArray[np.int64]
    latencies: NDArray[np.float64]
