"""The leanest SimPy model of the same: no processes, callbacks on timeouts, its own queues, two events a request."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from simpy import Event

from bench.books import Draws, SimpyPlane


@dataclass(slots=True, eq=False)
class Attempt:
    """An attempt at a pod, until it is answered; ``lost`` once a crash has answered it."""

    arrived_s: float
    draws: Draws
    waiting: bool = True
    status: int = 200
    lost: bool = False


@dataclass(slots=True)
class Servers:
    """A pod's idle servers, its queue, and what it has not answered yet, in order of arrival."""

    idle: int
    queue: deque[Attempt]
    active: dict[Attempt, None]


class LeanPlane(SimpyPlane):
    """Callbacks and deques."""

    servers: list[Servers]

    def begin(self) -> None:
        """Set the arrivals going."""
        self.servers = []
        self._coming = self.requests()
        self._after(0.0, lambda _: self._next())

    def open_pod(self, pod: int) -> None:
        """Set up its queue."""
        self.servers.append(Servers(self.pods[pod].behaviour.concurrency, deque(), {}))

    def crash_pod(self, pod: int) -> None:
        """Answer 502 to everything at the pod."""
        lost = self.servers[pod].active
        self.servers[pod] = Servers(self.pods[pod].behaviour.concurrency, deque(), {})
        for attempt in lost:
            attempt.lost = True
            self._answer(pod, attempt, 502)

    def retry(self, pause_s: float, draws: Draws) -> None:
        """Attempt it after the pause."""
        self._after(pause_s, lambda _: self._attempt(draws))

    def _after(self, pause_s: float, then: Callable[[Event], None]) -> None:
        callbacks = self.env.timeout(pause_s).callbacks
        if callbacks is not None:  # None once processed: never here
            callbacks.append(then)

    def _next(self) -> None:
        at, draws = next(self._coming)
        self._after(at - self.env.now, lambda _: self._arrive(draws))

    def _arrive(self, draws: Draws | None) -> None:
        if draws is not None:
            self._attempt(draws)
        self._next()

    def _attempt(self, draws: Draws) -> None:
        pod = self.choose(draws)
        if pod < 0:
            self.turned_away(-pod, draws)
            return
        servers, limit = self.servers[pod], self.pods[pod].behaviour.queue_limit
        attempt = Attempt(self.env.now, draws)
        if servers.idle > 0:
            servers.idle -= 1
            servers.active[attempt] = None
            self._start(pod, attempt)
        elif limit is not None and len(servers.queue) >= limit:
            self._answer(pod, attempt, 503)
        else:
            servers.active[attempt] = None
            servers.queue.append(attempt)
            if self.client.timeout_s is not None:
                self._after(self.timeout_s, lambda _: self._give_up(pod, attempt))

    def _start(self, pod: int, attempt: Attempt) -> None:
        row, draws = self.pods[pod], attempt.draws
        attempt.status = row.status(draws.error)
        service = self.service_s(row, draws)
        # One that had to queue has its time-out already.
        if attempt.arrived_s == self.env.now and service > self.timeout_s:
            self._after(self.timeout_s, lambda _: self._give_up(pod, attempt))
        self._after(service, lambda _: self._finish(pod, attempt))

    def _finish(self, pod: int, attempt: Attempt) -> None:
        if attempt.lost:
            return
        servers = self.servers[pod]
        del servers.active[attempt]
        self._answer(pod, attempt, attempt.status)
        if servers.queue:
            self._start(pod, servers.queue.popleft())
        else:
            servers.idle += 1

    def _give_up(self, pod: int, attempt: Attempt) -> None:
        if attempt.waiting:
            attempt.waiting = False
            self.settle(self.pods[pod].group, None, attempt.draws)

    def _answer(self, pod: int, attempt: Attempt, status: int) -> None:
        row = self.pods[pod]
        row.count(self.env.now, status, self.env.now - attempt.arrived_s)
        if attempt.waiting:
            attempt.waiting = False
            self.settle(row.group, status, attempt.draws)
