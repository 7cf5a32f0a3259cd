"""What both SimPy models share: the same requests, the same choices, and the books they keep."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from math import inf

import numpy as np
from simpy import Environment

from bench.reading import samples, series
from sim.model.behaviour import Delay, VersionBehaviour
from sim.model.load import Client, LoadShape
from sim.model.telemetry import PROMETHEUS_BUCKETS_S
from sim.traffic import NONE_GROUP, Look, Observation, PodEffects, PodSample, Pool, Route, WindowCount
from sim.traffic.arrivals import Arrivals, Block, scale_s
from sim.traffic.fleet import SHAPES
from sim.traffic.plane import RETRY_KEY
from sim.traffic.values import Streams
from sim.traffic.words import keyed, positive_unit, service_of

UNIT_32 = 2.0**-32
UNROUTED = 404
"""What a proxy answers where no route takes a request; clients count it as a failure."""


@dataclass(slots=True)
class Draws:
    """One attempt of one request, with the chance it carries."""

    block: int
    index: int
    attempt: int
    route: float
    pool: float
    pod: float
    error: float
    services: list[list[float]]
    """First attempts': service times of the whole block by kind of version; empty for retries."""


@dataclass
class Side:
    """What one group's clients met with."""

    requests: int = 0
    failures: int = 0
    timeouts: int = 0
    retries: int = 0


@dataclass
class Pod:
    """One pod's behaviour and totals; ``log`` has (finished at, status, latency) of every answer when asked for."""

    behaviour: VersionBehaviour
    kind: int
    group: int
    bounds_s: tuple[float, ...]
    effects: PodEffects = PodEffects()
    statuses: Counter[int] = field(default_factory=Counter)
    buckets: list[int] = field(default_factory=list)
    latency_sum_s: float = 0.0
    log: list[tuple[float, int, float]] | None = None
    errors: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.buckets = [0] * (len(self.bounds_s) + 1)
        self.set_effects(self.effects)

    def set_effects(self, effects: PodEffects) -> None:
        """Replace the effects."""
        both = [(code, share) for code, share in (*effects.errors, *self.behaviour.statuses) if share > 0]
        below = accumulate(share for _, share in both)
        self.errors = [(bound, code) for bound, (code, _) in zip(below, both, strict=True)]
        self.effects = effects

    def status(self, draw: float) -> int:
        """The status of an answer."""
        for below, code in self.errors:
            if draw < below:
                return code
        return 200

    def count(self, at_s: float, status: int, latency_s: float) -> None:
        """One answer."""
        self.statuses[status] += 1
        self.buckets[bisect_left(self.bounds_s, latency_s)] += 1
        self.latency_sum_s += latency_s
        if self.log is not None:
            self.log.append((at_s, status, latency_s))


class SimpyPlane(ABC):
    """A data plane with the interface of ``sim.traffic.DataPlane``, in SimPy events."""

    def __init__(  # noqa: PLR0913 - the engine's interface
        self,
        load: LoadShape,
        client: Client,
        streams: Streams,
        *,
        start_s: float = 0.0,
        share: float = 1.0,
        buckets_s: tuple[float, ...] = PROMETHEUS_BUCKETS_S,
        log: bool = False,
    ) -> None:
        self.env = Environment(initial_time=start_s)
        self.client = client
        self.timeout_s = inf if client.timeout_s is None else client.timeout_s
        self.pods: list[Pod] = []
        self.sides: dict[int, Side] = {NONE_GROUP: Side()}
        self._arrivals = Arrivals(load, streams, share)
        self._key = streams.word(RETRY_KEY)
        self._kinds: list[Delay] = []
        self._buckets_s = buckets_s
        self._routes: list[tuple[list[float], list[Pool]]] = []
        self._route_below: list[float] = []
        self._unrouted: Counter[int] = Counter()
        self._log = log
        self._block: Block | None = None
        self._services: list[list[float]] = []
        self._before: dict[int, tuple[Counter[int], list[int], float, tuple[int, ...]]] = {}
        self._start_s = start_s
        self.begin()

    @property
    def now_s(self) -> float:
        """Where the model is."""
        return float(self.env.now)

    def advance(self, to_s: float) -> None:
        """Simulate everything before ``to_s``."""
        if to_s > self.env.now:
            self.env.run(until=to_s)

    def add_pod(self, behaviour: VersionBehaviour, group: int) -> int:
        """Index of a new pod."""
        if behaviour.service_time not in self._kinds:
            self._kinds.append(behaviour.service_time)
            if self._block is not None:
                self._arrivals.widen(self._block, self._kinds)
                self._services.extend(self._block.service[len(self._services) :].tolist())
        kind = self._kinds.index(behaviour.service_time)
        self.pods.append(Pod(behaviour, kind, group, self._buckets_s, log=[] if self._log else None))
        self.sides.setdefault(group, Side())
        self.open_pod(len(self.pods) - 1)
        return len(self.pods) - 1

    def set_effects(self, pod: int, effects: PodEffects) -> None:
        """Replace a pod's effects."""
        self.pods[pod].set_effects(effects)

    def set_routes(self, routes: tuple[Route, ...]) -> None:
        """Route this way from now on."""
        kept = [route for route in routes if route.share > 0]
        self._route_below = below([route.share for route in kept])
        pools = [[pool for pool in route.pools if pool.weight > 0] or [Pool(1.0, ())] for route in kept]
        self._routes = [(below([pool.weight for pool in some]), some) for some in pools]

    def pod_sample(self, pod: int, *, fine: bool = False) -> PodSample:  # noqa: ARG002 - the planes' interface
        """A pod's totals; there is no fine histogram here."""
        row = self.pods[pod]
        return PodSample(dict(row.statuses), tuple(row.buckets), row.latency_sum_s, None)

    def take_window(self) -> tuple[WindowCount, ...]:
        """What each group did since the last call."""
        return tuple(self._window(group) for group in sorted(self.sides) if group >= 0 or self._unrouted)

    def observe(self, looks: Sequence[Look], windows_s: tuple[float, ...] = ()) -> Observation:
        """Readings at coming instants, the last of which is then ``now_s``."""
        taken: list[list[list[PodSample]]] = [[] for _ in looks]
        windows = []
        for instant_s in sorted({*windows_s, *(instant_s for look in looks for instant_s in look.instants_s)}):
            self.advance(instant_s)
            for look, rows in zip(looks, taken, strict=True):
                if instant_s in look.instants_s:
                    rows.append([self.pod_sample(pod) for pod in look.pods])
            if instant_s in windows_s:
                windows.append(self.take_window())
        return Observation(
            tuple(samples(look, rows) for look, rows in zip(looks, taken, strict=True)),
            series(windows_s, windows) if windows else None,
        )

    @abstractmethod
    def begin(self) -> None:
        """Set the arrivals going."""

    @abstractmethod
    def open_pod(self, pod: int) -> None:
        """Set up the queue of a new pod."""

    @abstractmethod
    def crash_pod(self, pod: int) -> None:
        """Answer 502 to everything at a pod."""

    @abstractmethod
    def retry(self, pause_s: float, draws: Draws) -> None:
        """Make this attempt after a pause."""

    def requests(self) -> Iterator[tuple[float, Draws | None]]:
        """All requests in order of arrival, with their instants; None at the end of a block without any."""
        number = self._arrivals.number_at(self._start_s)
        while True:
            block = self._block = self._arrivals.block(number, self._kinds)
            self._services = block.service.tolist()
            route, error = halves(block.route_error)
            pool, pod = halves(block.pool_pod)
            for i, at in enumerate(block.times.tolist()):
                if at >= self._start_s:
                    yield at, Draws(number, i, 0, route[i], pool[i], pod[i], error[i], self._services)
            if not len(block.times):
                yield block.end_s, None
            number += 1

    def choose(self, draws: Draws) -> int:
        """Pod of an attempt; where there is none, the status of the answer, negative."""
        if not self._routes:
            return -503
        weights, pools = self._routes[bisect_right(self._route_below, draws.route)]
        pool = pools[bisect_right(weights, draws.pool)]
        return pool.pods[int(draws.pod * len(pool.pods))] if pool.pods else -pool.status

    def turned_away(self, status: int, draws: Draws) -> None:
        """An attempt found no pod."""
        self._unrouted[status] += 1
        self.settle(NONE_GROUP, status, draws)

    def settle(self, group: int, status: int | None, draws: Draws) -> None:
        """The client has an answer, or (None) gives up waiting: it ends or tries again."""
        side = self.sides[group]
        side.timeouts += status is None
        if draws.attempt < self.client.retries and (status is None or status in self.client.retry_on):
            side.retries += 1
            jitter = 0.5 + positive_unit(self._word(draws, 4))
            self.retry(self.client.backoff_s * jitter, self._again(draws))
            return
        side.requests += 1
        side.failures += status is None or status >= 500 or (group == NONE_GROUP and status == UNROUTED)

    def _word(self, draws: Draws, purpose: int) -> np.uint64:
        return np.uint64(keyed(self._key, draws.block, draws.index, draws.attempt, purpose))

    def service_s(self, pod: Pod, draws: Draws) -> float:
        """How long an attempt that starts now is served."""
        if draws.services:
            base = draws.services[pod.kind][draws.index]
        else:
            kind = self._kinds[pod.kind]
            first, second = (self._word(draws, purpose) for purpose in (2, 3))
            base = service_of(first, second, SHAPES[kind.shape], scale_s(kind), kind.sigma)
        return base * pod.effects.latency_factor + pod.effects.latency_add_s

    def _again(self, draws: Draws) -> Draws:
        """The next attempt of the same request."""
        again = replace(draws, attempt=draws.attempt + 1, services=[])
        pool_pod, error = (int(self._word(again, purpose)) for purpose in (0, 1))
        again.pool = (pool_pod >> 32) * UNIT_32
        again.pod = (pool_pod & 0xFFFFFFFF) * UNIT_32
        again.error = (error >> 32) * UNIT_32
        return again

    def _window(self, group: int) -> WindowCount:
        members = [pod for pod in self.pods if pod.group == group]
        statuses: Counter[int] = Counter()
        for pod in members:
            statuses.update(pod.statuses)
        if group == NONE_GROUP:
            statuses = Counter(self._unrouted)
        buckets = [
            sum(column)
            for column in zip([0] * (len(self._buckets_s) + 1), *(pod.buckets for pod in members), strict=True)
        ]
        total_s = sum(pod.latency_sum_s for pod in members)
        side = self.sides[group]
        client = (side.requests, side.failures, side.timeouts, side.retries)
        was = self._before.get(group, (Counter(), [0] * len(buckets), 0.0, (0, 0, 0, 0)))
        self._before[group] = (statuses, buckets, total_s, client)
        requests, failures, timeouts, retries = (now - then for now, then in zip(client, was[3], strict=True))
        return WindowCount(
            group,
            tuple(sorted((code, count - was[0][code]) for code, count in statuses.items() if count > was[0][code])),
            tuple(now - then for now, then in zip(buckets, was[1], strict=True)),
            total_s - was[2],
            requests,
            failures,
            timeouts,
            retries,
        )


def below(parts: list[float]) -> list[float]:
    """Cumulative shares."""
    total = list(accumulate(parts))
    return [part / total[-1] for part in total]


def halves(words: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> tuple[list[float], list[float]]:
    """The upper and the lower halves of words as numbers in [0, 1)."""
    return ((words >> np.uint64(32)) * UNIT_32).tolist(), ((words & np.uint64(0xFFFFFFFF)) * UNIT_32).tolist()
