"""The arrays that the compiled loops work on."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.traffic.values import Counts

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DONE: Final = 0
OVER: Final = 1
"""A pod is busier than its kind may be in aggregate."""
LACKING: Final = 2
"""A profile is needed that has not been made yet."""
OUTCOMES: Final = 3


class Clients(NamedTuple):
    """How clients act; by status slot what they try ``again``, what is ``failing``, and what proxies have ``retried`` before."""

    retries: int
    late: int
    key: np.uint64
    again: Flags
    failing: Flags
    retried: Flags


class Pods(NamedTuple):
    """One row a pod.

    What they are: ``group``, ``manner``. How they stand: ``attempts`` expected in the current stretch, the share ``last`` of them
    that no client follows by another, the share ``final`` that no proxy does, ``rate`` a second without bursts, utilisation
    ``load``, attempts ``flying``, ``arrived`` so far.
    """

    group: Counts
    manner: Counts
    attempts: Floats
    last: Floats
    final: Floats
    rate: Floats
    load: Floats
    flying: Floats
    arrived: Floats


class Manners(NamedTuple):
    """One row a way of answering: its ``kind`` and ``servers``, and its answers.

    ``errors`` of them are not 200: ``error_slot``, and ``error_share`` of those that the earlier ones left. Clients try the share
    ``again`` once more, and of ``both`` proxies have before.
    """

    kind: Counts
    servers: Floats
    errors: Counts
    error_share: Floats
    error_slot: Counts
    again: Floats
    both: Floats


class Kinds(NamedTuple):
    """One row a kind of pod: its mean ``service_s``, its ``limit`` of utilisation, and its profiles by node.

    ``low`` to ``high`` are the cells of a profile that are not empty; ``share`` of the arrivals wait in a cluster of each class, ``late`` of
    the answers come after the time-out. ``made`` 1: there; 2: wanted.
    """

    service_s: Floats
    limit: Floats
    made: Counts
    mass: Floats
    share: Floats
    clusters: Floats
    middle_s: Floats
    width_s: Floats
    sojourn_s: Floats
    late: Floats
    low: Counts
    high: Counts


class Ways(NamedTuple):
    """Routes flattened: each route's share, its pools from ``pools_from``; each pool's weight and its pods.

    Of one attempt sent to a pool, ``tries`` reach each of its pods, ``finals`` of them the last that a proxy makes. ``fail`` is the
    share of a route's attempts that is tried again where it may be, ``burst`` attempts to be made at once at a pool.
    """

    share: Floats
    pools_from: Counts
    weight: Floats
    pods_from: Counts
    pods: Counts
    tries: Floats
    finals: Floats
    empty_slot: Counts
    fail: Floats
    burst: Floats


class Totals(NamedTuple):
    """What has happened since the start: by pod, by group + 1, and the ``unrouted`` answers by slot."""

    answers: Counts
    cells: Counts
    sums_s: Floats
    client: Counts
    unrouted: Counts


class Mixture(NamedTuple):
    """What pods of one kind at one utilisation draw from; kept only while it is used.

    ``of`` which kind, node and part above it this is, and the cells (from, to) that are not empty; shares of all
    arrivals and ``clusters`` an arrival by class; ``mass`` as in ``Kinds``. ``factors`` and ``means`` by cell are one pod's in one stretch.
    """

    of: Floats
    share: Floats
    clusters: Floats
    mass: Floats
    factors: Floats
    means: Floats


class Stretches(NamedTuple):
    """Successive stretches of time, each with the requests expected in it."""

    ends_s: Floats
    widths_s: Floats
    requests: Floats


class Reading(NamedTuple):
    """What is to be read at the ends of stretches, and where to.

    ``row[stretch, look]`` is the first row of a look's pods in the results (-1: not read), ``window[stretch]`` the row
    of a window (-1: none); the pods of look l are ``pods[first[l] ... first[l + 1]]``; ``fine[l]`` is what to subtract
    from a row to have it in the fine results (-1: not wanted).
    """

    row: Counts
    window: Counts
    first: Counts
    pods: Counts
    fine: Counts
    bucket: Counts
    bin: Counts


class Results(NamedTuple):
    """What was read: totals by row, and the groups' totals by window."""

    answers: Counts
    buckets: Counts
    sums_s: Floats
    fine: Counts
    group_answers: Counts
    group_buckets: Counts
    group_sums_s: Floats
    group_client: Counts
