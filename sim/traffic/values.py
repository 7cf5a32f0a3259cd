"""What goes into the data plane and what comes out of it, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

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


@dataclass(frozen=True, slots=True)
class PodEffects:
    """What faults do to one pod, on top of its version's own behaviour.

    ``errors`` are (HTTP status, share of the requests); service times are multiplied by ``latency_factor``, then
    lengthened by ``latency_add_s``.
    """

    errors: tuple[tuple[int, float], ...] = ()
    latency_factor: float = 1.0
    latency_add_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Pool:
    """Pods behind one destination; an empty one answers 503 to everything it is sent."""

    weight: float
    pods: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One traffic class: its share of the requests and the pools it is split over. Shares and weights are relative."""

    share: float
    pools: tuple[Pool, ...]


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
