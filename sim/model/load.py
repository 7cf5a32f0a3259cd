"""Offered traffic and the clients that send it: an open workload, its rate a pure function of time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import cos, pi
from typing import Protocol

from sim.model.pods import Labels


@dataclass(frozen=True, slots=True)
class Stage:
    """``duration_s`` at ``rate_rps``; with ``ramp`` the rate moves linearly from the previous stage's rate."""

    duration_s: float
    rate_rps: float
    ramp: bool = False


@dataclass(frozen=True, slots=True)
class Diurnal:
    """A day curve: the rate is multiplied by ``1 + amplitude * cos(2 pi (hour - peak_hour) / 24)``."""

    amplitude: float = 0.3
    peak_hour: float = 20.0
    start_hour: float = 10.0
    """Local hour at the start of the run."""
    pace: float = 1.0
    """Hours of the day that pass in one hour of the run; more than 1 where the run's time is compressed."""


@dataclass(frozen=True, slots=True)
class Burst:
    """The rate is multiplied by ``factor`` from ``start_s`` for ``duration_s``."""

    start_s: float
    duration_s: float
    factor: float


@dataclass(frozen=True, slots=True)
class RequestClass:
    """Requests that routing cannot tell apart: what they are and where they come from."""

    share: float
    """Of all requests; what the classes leave is plain ``GET /`` from where ``client.in_mesh`` says."""
    name: str = ""
    path: str = "/"
    """With its query string."""
    method: str = "GET"
    headers: Labels = ()
    in_mesh: bool = False
    """Through a sidecar, not through a gateway."""
    host: str = ""
    """Called host; empty: the one the release is routed by."""
    gateway: str = ""
    """Which gateway they enter by; empty: the one the called host is bound to."""
    port: int = 0
    """Port addressed; 0: every ``port`` condition holds."""
    labels: Labels = ()
    """Of the calling pods."""
    namespace: str = ""
    """Of the calling pods; empty: the release's own, or for a gateway ``istio-system``."""


@dataclass(frozen=True, slots=True)
class LoadShape:
    """Requests per second over time, and their kinds. The last stage lasts for ever."""

    stages: tuple[Stage, ...] = (Stage(60.0, 100.0),)
    diurnal: Diurnal | None = None
    bursts: tuple[Burst, ...] = ()
    classes: tuple[RequestClass, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Whether nobody ever calls."""
        return all(stage.rate_rps == 0 for stage in self.stages)

    def rate_rps(self, t_s: float) -> float:
        """Offered rate at ``t_s`` (>= 0), requests/s."""
        return self._modulated(self._stage_rate(t_s), t_s)

    def curve(self) -> Callable[[float], float]:
        """``rate_rps`` for who asks often: where each stage begins is looked up, not added up."""
        starts = tuple(accumulate((stage.duration_s for stage in self.stages), initial=0.0))
        before = (self.stages[0].rate_rps, *(stage.rate_rps for stage in self.stages))

        def rate_rps(t_s: float) -> float:
            k = bisect_right(starts, t_s) - 1
            if k >= len(self.stages):
                return self._modulated(before[-1], t_s)
            return self._modulated(_within(self.stages[k], before[k], t_s - starts[k]), t_s)

        return rate_rps

    def _modulated(self, rate: float, t_s: float) -> float:
        if self.diurnal is not None:
            hour = self.diurnal.start_hour + self.diurnal.pace * t_s / 3600
            rate *= 1 + self.diurnal.amplitude * cos(2 * pi * (hour - self.diurnal.peak_hour) / 24)
        for burst in self.bursts:
            if burst.start_s <= t_s < burst.start_s + burst.duration_s:
                rate *= burst.factor
        return rate

    def _stage_rate(self, t_s: float) -> float:
        start, previous = 0.0, self.stages[0].rate_rps
        for stage in self.stages:
            if t_s < start + stage.duration_s:
                return _within(stage, previous, t_s - start)
            start, previous = start + stage.duration_s, stage.rate_rps
        return previous


def _within(stage: Stage, before_rps: float, since_s: float) -> float:
    """Rate so long after a stage began; ``before_rps`` is the rate of the stage before it."""
    done = since_s / stage.duration_s
    return before_rps + (stage.rate_rps - before_rps) * done if stage.ramp else stage.rate_rps


@dataclass(frozen=True, slots=True)
class Client:
    """How clients wait: give up after ``timeout_s`` (None: never), try again ``retries`` times after a jittered pause.

    The pause is uniform on [0.5, 1.5] x ``backoff_s``. A retry follows a time-out or a status in ``retry_on``.
    """

    timeout_s: float | None = 1.0
    retries: int = 1
    backoff_s: float = 0.1
    retry_on: tuple[int, ...] = (502, 503, 504)
    headers: tuple[tuple[str, str, float], ...] = ()
    """(header, value, share of the requests that carry it)."""
    in_mesh_share: float = 0.0
    """Share of the requests that come from inside the mesh rather than through the ingress gateway."""


def request_classes(load: LoadShape, client: Client) -> tuple[RequestClass, ...]:
    """The scenario's classes and, for what they leave, the client's by origin and header; shares sum to 1.

    A request carries at most one of ``client.headers``.
    """
    left = max(0.0, 1.0 - sum(one.share for one in load.classes))
    bare = max(0.0, 1.0 - sum(share for _, _, share in client.headers))
    carried: list[tuple[Labels, float]] = [(((name, value),), share) for name, value, share in client.headers]
    carried.append(((), bare))
    origins = ((False, 1.0 - client.in_mesh_share), (True, client.in_mesh_share))
    rest = [
        RequestClass(left * a * b, headers=headers, in_mesh=inside) for inside, a in origins for headers, b in carried
    ]
    return tuple(one for one in (*load.classes, *rest) if one.share > 0)


class ClientView(Protocol):
    """What clients saw of one side over one stretch: a ``WindowCount`` of the twin, a ``TrafficRecord`` of a cluster."""

    @property
    def client_requests(self) -> int:
        """Requests that came to their end."""

    @property
    def client_failures(self) -> int:
        """How many of them finally failed."""

    @property
    def latency_counts(self) -> Sequence[int]:
        """Answers by latency bucket, the last above all bounds."""
