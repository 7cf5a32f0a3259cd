"""Proxies as a SimPy user would write them: a process for each attempt, one for each sweep, everything known when it happens."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from math import inf

import numpy as np
from simpy import Event

from bench.books import UNIT_32, Draws, SimpyPlane
from sim.model.load import Client, LoadShape
from sim.traffic import NONE_GROUP, Balancing, Cluster, Handling, Pool, Route
from sim.traffic.values import Streams
from sim.traffic.words import keyed, mix, positive_unit

Steps = Generator[Event, object, None]
REFUSED, RESET, LATE = "refused", "reset", "late"
TRIES, COPIES = 1 << 20, 1 << 40


@dataclass(eq=False)
class Job:
    """A try at a pod; ``result`` is (status, cause) once answered, ``lost`` in a crash, ``left`` by who waited for it."""

    done: Event
    draws: Draws
    arrived_s: float
    result: tuple[int, str] = (0, "")
    lost: bool = False
    left: bool = False


@dataclass
class Servers:
    """A pod's idle servers, its line, and what it has not answered."""

    idle: int
    line: deque[Job] = field(default_factory=deque)
    active: dict[Job, None] = field(default_factory=dict)


@dataclass
class Host:
    """What one proxy knows of one host."""

    pod: int
    under_way: int = 0
    row_5xx: int = 0
    row_gateway: int = 0
    row_local: int = 0
    ejected_s: float | None = None
    back_s: float = -inf
    times: int = 0


@dataclass
class View:
    """What one proxy knows of one cluster."""

    cluster: Cluster
    hosts: dict[int, Host] = field(default_factory=dict)
    turn: int = 0

    def healthy(self) -> list[Host]:
        """Those that may be chosen."""
        left = [host for host in self.hosts.values() if host.ejected_s is None]
        least = self.cluster.outlier.min_health_percent if self.cluster.outlier else 0
        return left if 100 * len(left) >= least * len(self.hosts) else list(self.hosts.values())

    def follow(self, pods: tuple[int, ...]) -> None:
        """Other hosts; one that leaves and comes back is a new one."""
        self.hosts = {pod: self.hosts.get(pod, Host(pod)) for pod in pods}

    def judge(self, host: Host, status: int, cause: str, now_s: float) -> None:
        """One end of a request."""
        outlier = self.cluster.outlier
        if outlier is None or self.hosts.get(host.pod) is not host:
            return
        if outlier.split:
            if cause:
                host.row_local += 1
                if host.row_local == outlier.consecutive_local:
                    self._eject(host, now_s, "row_local")
                return
            host.row_local = 0
        if not cause and status < 500:
            host.row_5xx = host.row_gateway = 0
            return
        if cause or status in {502, 503, 504}:
            host.row_gateway += 1
            if host.row_gateway == outlier.consecutive_gateway:
                self._eject(host, now_s, "row_gateway")
        else:
            host.row_gateway = 0
        host.row_5xx += 1
        if host.row_5xx == outlier.consecutive_5xx:
            self._eject(host, now_s, "row_5xx")

    def _eject(self, host: Host, now_s: float, counter: str) -> None:
        outlier = self.cluster.outlier
        if outlier is None or host.ejected_s is not None:
            return
        out = sum(one.ejected_s is not None for one in self.hosts.values())
        percent = min(100, outlier.max_ejection_percent)
        if 100 * (out + 1) / len(self.hosts) <= percent:
            host.ejected_s = now_s
            if host.times * outlier.base_ejection_s < max(300.0, outlier.base_ejection_s) + outlier.base_ejection_s:
                host.times += 1
        setattr(host, counter, 0)

    def sweep(self, now_s: float) -> None:
        """The look at all hosts once an interval."""
        outlier = self.cluster.outlier
        if outlier is None:
            return
        for host in self.hosts.values():
            if host.ejected_s is not None:
                length = min(outlier.base_ejection_s * host.times, max(300.0, outlier.base_ejection_s))
                if length <= now_s - host.ejected_s:
                    host.ejected_s, host.back_s = None, now_s
                    host.row_5xx = host.row_gateway = host.row_local = 0
            elif host.times and now_s - host.back_s >= outlier.interval_s:
                host.times -= 1


class ProxiedPlane(SimpyPlane):
    """Clients, proxies, pods."""

    servers: list[Servers]

    def __init__(self, load: LoadShape, client: Client, streams: Streams, *, start_s: float, proxies: int) -> None:
        self.proxies = proxies
        self.views: dict[tuple[str, int], View] = {}
        self.table: list[Route] = []
        super().__init__(load, client, streams, start_s=start_s)

    def begin(self) -> None:
        """Set the arrivals going."""
        self.servers = []
        self.env.process(self._arrive())

    def open_pod(self, pod: int) -> None:
        """Set up its line."""
        self.servers.append(Servers(self.pods[pod].behaviour.concurrency))

    def set_routes(self, routes: tuple[Route, ...]) -> None:
        """Route this way from now on."""
        super().set_routes(routes)
        self.table = [route for route in routes if route.share > 0]
        pools = [
            pool for route in self.table for pool in route.pools if pool.weight > 0 and (pool.pods or pool.cluster)
        ]
        pools += [pool for route in self.table for pool in route.mirrors if pool.pods]
        named = {name_of(pool): pool for pool in pools}
        for name in {name for name, _ in self.views} | set(named):
            for proxy in range(self.proxies):
                self._follow(name, proxy, named.get(name))

    def _follow(self, name: str, proxy: int, pool: Pool | None) -> None:
        if (name, proxy) not in self.views:
            view = self.views[name, proxy] = View(pool.cluster if pool and pool.cluster else Cluster(name))
            self.env.process(self._sweeps(view))
        view = self.views[name, proxy]
        if pool is not None and pool.cluster is not None:
            view.cluster = pool.cluster
        view.follow(pool.pods if pool is not None else ())

    def crash_pod(self, pod: int) -> None:
        """Answer 502 to everything at the pod."""
        lost = self.servers[pod].active
        self.servers[pod] = Servers(self.pods[pod].behaviour.concurrency)
        for job in lost:
            job.lost = True
            self._answer(pod, job, 502, RESET)

    def retry(self, pause_s: float, draws: Draws) -> None:
        """Another process."""
        self.env.process(self._attempt(draws, pause_s))

    def _sweeps(self, view: View) -> Steps:
        born, count = self.env.now, 0
        while view.cluster.outlier is not None:
            count += 1
            yield self.env.timeout(born + count * view.cluster.outlier.interval_s - self.env.now)
            view.sweep(self.env.now)

    def _arrive(self) -> Steps:
        for at, draws in self.requests():
            yield self.env.timeout(at - self.env.now)
            if draws is not None:
                self.env.process(self._attempt(draws, 0.0))

    def _words(self, draws: Draws, number: int, purpose: int) -> np.uint64:
        return np.uint64(keyed(self._key, draws.block, draws.index, number, purpose))

    def _route(self, draws: Draws) -> Route:
        return self.table[next(i for i, bound in enumerate(self._route_below) if draws.route < bound)]

    def _attempt(self, draws: Draws, pause_s: float) -> Steps:
        if pause_s > 0:
            yield self.env.timeout(pause_s)
        leaves, how = self.env.now + self.timeout_s, self._route(draws).handling
        chance, held = halves_of(self._words(draws, draws.attempt, 6)), False
        if chance[0] < how.delay_share:
            yield self.env.timeout(min(how.delay_s, self.timeout_s))
            if how.delay_s > self.timeout_s:
                self.settle(NONE_GROUP, None, draws)
                return
            held = True
        route = self._route(draws)
        how = route.handling
        if chance[1] < how.abort_share:
            self.turned_away(how.abort_status, draws)
            return
        if draws.attempt or held:
            draws.pool, draws.pod = halves_of(self._words(draws, draws.attempt, 0))
            draws.services = []
            draws.error = halves_of(self._words(draws, draws.attempt, 1))[0]
        proxy = int(halves_of(self._words(draws, draws.attempt, 7))[0] * self.proxies)
        self._copy(draws, route, proxy)
        pools = [pool for pool in route.pools if pool.weight > 0]
        total, reached = sum(pool.weight for pool in pools), 0.0
        for pool in pools:
            reached += pool.weight
            if draws.pool < reached / total:
                break
        if not pool.pods:
            self.turned_away(pool.status, draws)
            return
        until = self.env.now + (inf if how.timeout_s is None else how.timeout_s)
        yield from self._tries(draws, how, self.views[name_of(pool), proxy], leaves, until)

    def _tries(self, mine: Draws, how: Handling, view: View, leaves: float, until: float) -> Steps:
        tries, last = 0, -1
        while True:
            number = mine.attempt + TRIES * tries
            word = self._words(mine, number, 0) if tries else word_of(mine.pool, mine.pod)
            host = self._pick(view, word, last)
            if host is None:
                self.turned_away(503, mine)
                return
            ends = min(leaves, until, self.env.now + (inf if how.per_try_s is None else how.per_try_s))
            job = self._send(host.pod, self._numbered(mine, number))
            self._watch(view, host, job)
            yield (job.done | self.env.timeout(ends - self.env.now)) if ends < inf else job.done
            group, (status, cause) = self.pods[host.pod].group, job.result if job.done.processed else (504, LATE)
            if not job.done.processed:
                job.left = True
                host.under_way -= 1
                if ends >= leaves:
                    self.settle(group, None, mine)
                    return
                view.judge(host, 504, LATE, self.env.now)
            again = {REFUSED: how.retry_refused, RESET: how.retry_reset, LATE: how.retry_late}
            over = tries >= how.retries or (not job.done.processed and ends >= until)
            if over or not again.get(cause, status in how.retry_on):
                self.settle(group, status, mine)
                return
            tries, last = tries + 1, host.pod
            pause = min(0.025 * 2 ** (tries - 1), 0.25)
            pause *= positive_unit(self._words(mine, mine.attempt + TRIES * tries, 4))
            at = min(self.env.now + pause, until, leaves)
            early = at < self.env.now + pause
            yield self.env.timeout(at - self.env.now)
            if early:
                self.settle(group, 504 if until < leaves else None, mine)
                return

    def _watch(self, view: View, host: Host, job: Job) -> None:
        """A request is under way until it is answered or nobody waits for it."""
        host.under_way += 1

        def ended(_: Event) -> None:
            if not job.left:
                host.under_way -= 1
                view.judge(host, *job.result, self.env.now)

        if job.done.callbacks is not None:
            job.done.callbacks.append(ended)

    def _numbered(self, draws: Draws, number: int) -> Draws:
        """The same attempt under another number: a try or a copy has words of its own."""
        if number == draws.attempt:
            return draws
        error = halves_of(self._words(draws, number, 1))[0]
        return Draws(draws.block, draws.index, number, draws.route, draws.pool, draws.pod, error, [])

    def _copy(self, draws: Draws, route: Route, proxy: int) -> None:
        for k, pool in enumerate([one for one in route.mirrors if one.pods]):
            number = draws.attempt + COPIES * (k + 1)
            word = self._words(draws, number, 0)
            if halves_of(word)[0] >= pool.weight:
                continue
            view = self.views[name_of(pool), proxy]
            host = self._pick(view, word, -1)
            if host is not None:
                self._watch(view, host, self._send(host.pod, self._numbered(draws, number)))

    def _pick(self, view: View, word: np.uint64, avoid: int) -> Host | None:
        healthy, cluster = view.healthy(), view.cluster
        busy = sum(host.under_way for host in view.hosts.values())
        if not healthy or (cluster.limit is not None and busy >= cluster.limit):
            return None
        host, draw = healthy[0], halves_of(word)[1]
        with np.errstate(over="ignore"):
            for _ in range(6):
                if cluster.balancing is Balancing.ROUND_ROBIN:
                    host = healthy[view.turn % len(healthy)]
                    view.turn += 1
                else:
                    host = healthy[int(draw * len(healthy))]
                    if cluster.balancing is Balancing.LEAST_REQUEST:
                        word = np.uint64(mix(word))
                        other = healthy[int(halves_of(word)[0] * len(healthy))]
                        host = other if other.under_way < host.under_way else host
                if host.pod != avoid:
                    break
                word = np.uint64(mix(word))
                draw = halves_of(word)[1]
        return host

    def _send(self, pod: int, draws: Draws) -> Job:
        servers, limit = self.servers[pod], self.pods[pod].behaviour.queue_limit
        job = Job(self.env.event(), draws, self.env.now)
        servers.active[job] = None
        if servers.idle:
            servers.idle -= 1
            self.env.process(self._serve(pod, job))
        elif limit is not None and len(servers.line) >= limit:
            del servers.active[job]
            self._answer(pod, job, 503, "")
        else:
            servers.line.append(job)
        return job

    def _serve(self, pod: int, job: Job) -> Steps:
        row, servers = self.pods[pod], self.servers[pod]
        status = row.status(job.draws.error)
        refuses = row.effects.refuses and status == 503
        yield self.env.timeout(self.service_s(row, job.draws))
        if job.lost:
            return
        del servers.active[job]
        self._answer(pod, job, status, REFUSED if refuses else "")
        if servers.line:
            self.env.process(self._serve(pod, servers.line.popleft()))
        else:
            servers.idle += 1

    def _answer(self, pod: int, job: Job, status: int, cause: str) -> None:
        self.pods[pod].count(self.env.now, status, self.env.now - job.arrived_s)
        job.result = (status, cause)
        job.done.succeed()


def name_of(pool: Pool) -> str:
    """Under what proxies remember a pool."""
    return pool.cluster.name if pool.cluster is not None else f"#{pool.pods}"


def halves_of(word: np.uint64) -> tuple[float, float]:
    """The upper and the lower half of a word as numbers in [0, 1)."""
    return (int(word) >> 32) * UNIT_32, (int(word) & 0xFFFFFFFF) * UNIT_32


def word_of(upper: float, lower: float) -> np.uint64:
    """The word whose halves these are."""
    return np.uint64((int(upper / UNIT_32) << 32) | int(lower / UNIT_32))
