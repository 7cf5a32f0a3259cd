"""The yardstick: the same data plane as a SimPy user would first write it, one process for each attempt.

A pod is a ``Resource``; an attempt requests it, waits for its turn *or* the client's patience, holds it for the service
time *or* until the client's patience ends, and releases it. A crash interrupts the processes at the pod.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from math import inf

from simpy import Event, Interrupt, Process, Resource

from bench.books import Draws, SimpyPlane


@dataclass(slots=True, eq=False)
class Attempt:
    """An attempt at a pod, until it is answered."""

    arrived_s: float
    draws: Draws
    process: Process | None = None
    waiting: bool = True


Steps = Generator[Event, object, None]


class NaivePlane(SimpyPlane):
    """One process for each attempt, one ``Resource`` for each pod."""

    servers: list[Resource]
    active: list[dict[Attempt, None]]

    def begin(self) -> None:
        """Set the arrivals going."""
        self.servers, self.active = [], []
        self.env.process(self._arrive())

    def open_pod(self, pod: int) -> None:
        """Set up its servers."""
        self.servers.append(Resource(self.env, self.pods[pod].behaviour.concurrency))
        self.active.append({})

    def crash_pod(self, pod: int) -> None:
        """Interrupt every process at the pod."""
        for attempt in self.active[pod]:
            self._answer(pod, attempt, 502)
            if attempt.process is not None:
                attempt.process.interrupt()
        self.servers[pod] = Resource(self.env, self.pods[pod].behaviour.concurrency)
        self.active[pod] = {}

    def retry(self, pause_s: float, draws: Draws) -> None:
        """Another process."""
        self.env.process(self._attempt(draws, pause_s))

    def _arrive(self) -> Steps:
        for at, draws in self.requests():
            yield self.env.timeout(at - self.env.now)
            if draws is not None:
                self.env.process(self._attempt(draws, 0.0))

    def _attempt(self, draws: Draws, pause_s: float) -> Steps:
        if pause_s > 0:
            yield self.env.timeout(pause_s)
        pod = self.choose(draws)
        if pod < 0:
            self.turned_away(-pod, draws)
            return
        attempt = Attempt(self.env.now, draws, self.env.active_process)
        servers, limit = self.servers[pod], self.pods[pod].behaviour.queue_limit
        if limit is not None and servers.count == servers.capacity and len(servers.queue) >= limit:
            self._answer(pod, attempt, 503)
            return
        self.active[pod][attempt] = None
        try:
            yield from self._serve(pod, attempt)
        except Interrupt:
            return
        del self.active[pod][attempt]

    def _serve(self, pod: int, attempt: Attempt) -> Steps:
        row, draws = self.pods[pod], attempt.draws
        patience = None if self.timeout_s == inf else self.env.timeout(self.timeout_s)
        with self.servers[pod].request() as turn:
            yield from self._wait(pod, attempt, turn, patience)
            status = row.status(draws.error)
            service = self.service_s(row, draws)
            yield from self._wait(pod, attempt, self.env.timeout(service), patience)
        self._answer(pod, attempt, status)

    def _wait(self, pod: int, attempt: Attempt, event: Event, patience: Event | None) -> Steps:
        """Wait for the event; where the client gives up before it, let it, and wait on."""
        if patience is None or not attempt.waiting:
            yield event
            return
        yield event | patience
        if not event.processed:
            attempt.waiting = False
            self.settle(self.pods[pod].group, None, attempt.draws)
            yield event

    def _answer(self, pod: int, attempt: Attempt, status: int) -> None:
        row = self.pods[pod]
        row.count(self.env.now, status, self.env.now - attempt.arrived_s)
        if attempt.waiting:
            attempt.waiting = False
            self.settle(row.group, status, attempt.draws)
