"""What goes into the data plane and what comes out of it, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from sim.model.network import OutlierDetection

Counts = NDArray[np.int64]

NONE_GROUP = -1
"""Group of the requests that found no pod."""


class Streams(Protocol):
    """What the data plane needs of ``sim.streams.Streams``."""

    def fresh(self, name: str, index: int = 0) -> Generator:
        """A generator at the start of block ``index`` of the stream."""
        ...

    def word(self, name: str) -> np.uint64:
        """64 bits of the stream's key."""
        ...


class Balancing(StrEnum):
    """How a request finds its pod within a pool."""

    RANDOM = "random"
    """Uniformly at random, as kube-proxy does."""
    ROUND_ROBIN = "round-robin"
    """In turn, one shared turn for each pool."""
    LEAST_REQUEST = "least-request"
    """Of two drawn at random the one with fewer requests under way at the same proxy."""


@dataclass(frozen=True, slots=True)
class PodEffects:
    """What faults do to one pod, on top of its version's own behaviour.

    ``errors`` are (HTTP status, share of the requests); service times are multiplied by ``latency_factor``, then
    lengthened by ``latency_add_s``. A pod that ``refuses`` gives its errors as refused connections.
    """

    errors: tuple[tuple[int, float], ...] = ()
    latency_factor: float = 1.0
    latency_add_s: float = 0.0
    refuses: bool = False


@dataclass(frozen=True, slots=True)
class Cluster:
    """How proxies treat the pods of one destination. What they remember is kept under the name."""

    name: str
    balancing: Balancing = Balancing.RANDOM
    limit: int | None = None
    """Requests under way, waiting ones included, above which a proxy answers 503 by itself."""
    outlier: OutlierDetection | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """Pods behind one destination; an empty one answers everything it is sent with ``status``."""

    weight: float
    pods: tuple[int, ...]
    status: int = 503
    cluster: Cluster | None = None
    """None: chosen uniformly at random, and nobody watches."""


@dataclass(frozen=True, slots=True)
class Handling:
    """What a proxy does to the requests of a route besides sending them on.

    It tries ``retries`` times again, at another pod if it can, after an answer whose status is in ``retry_on``, a refused
    connection (``retry_refused``), a reset (``retry_reset``) or a try longer than ``per_try_s`` (``retry_late``).
    After ``timeout_s`` it answers 504.
    """

    retries: int = 0
    retry_on: tuple[int, ...] = ()
    retry_refused: bool = False
    retry_reset: bool = False
    retry_late: bool = False
    per_try_s: float | None = None
    timeout_s: float | None = None
    delay_s: float = 0.0
    delay_share: float = 0.0
    abort_status: int = 0
    abort_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """One traffic class: its share of the requests and the pools it is split over. Shares and weights are relative.

    ``mirrors`` are pools whose weight is the share (0..1) of the requests they get a copy of.
    """

    share: float
    pools: tuple[Pool, ...]
    handling: Handling = Handling()
    mirrors: tuple[Pool, ...] = ()


@dataclass(frozen=True, slots=True)
class PodSample:
    """Totals of one pod since it was added, over the answers it gave before the plane's ``now_s``.

    ``bucket_counts`` are answers by latency bucket, *not* cumulated over buckets; the last is above all bounds.
    ``fine`` is the same histogram with 32 buckets an octave (see ``sim.traffic.fine``); a histogram not asked for is empty or None.
    """

    statuses: Mapping[int, int]
    bucket_counts: tuple[int, ...]
    latency_sum_s: float
    fine: Counts | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class WindowCount:
    """One group between two calls of ``take_window``.

    Server side, by completion: ``statuses`` (HTTP status, answers), ``latency_counts`` by bucket (not cumulated, the last
    above all bounds), ``latency_sum_s``. Client side: ``client_requests`` that ended with this group as last destination,
    ``client_failures`` of them finally failed (time-out or 5xx after every retry); ``timeouts`` are attempts given
    up, ``retries`` attempts that were followed by another one.
    """

    group: int
    statuses: tuple[tuple[int, int], ...]
    latency_counts: tuple[int, ...]
    latency_sum_s: float
    client_requests: int
    client_failures: int
    timeouts: int
    retries: int
