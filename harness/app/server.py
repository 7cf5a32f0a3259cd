"""The pod's life: it starts up, listens, serves, is told of faults, and ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from harness.app.behaviour import Fault
from harness.app.database import Database
from harness.app.exposition import CONTENT_TYPE, Metrics
from harness.app.http import Answer, Connection, Request, header_lines
from harness.app.pod import UNAVAILABLE, Clock, Pod
from harness.app.settings import Settings
from harness.app.stress import Stress, shares

FAULTS_PATH = "/rolltwin/faults"
STATE_PATH = "/rolltwin/state"
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - a pod's address is not known beforehand
_LOOK_S = 1.0
_LINGER_S = 1.0
"""A terminating pod turns requests away for at least this long, as routers may still send some."""

Say = Callable[[Answer], None]


class Site:
    """What the pod answers on its ports: clients, probes, scrapes, and whoever injects faults."""

    def __init__(self, settings: Settings, pod: Pod, clock: Clock) -> None:
        self._settings = settings
        self.pod = pod
        self._clock = clock
        self._stress = Stress()
        self.is_up = False

    def serve(self, request: Request, say: Say) -> None:
        """A request on one of the application's ports."""
        if request.path == "/metrics":
            say(self._metrics())
        elif request.is_probe or request.path in self._settings.probes:
            say(self._probe())
        elif self.pod.terminating:
            # As from a closed port: not an answer of the version's, so not counted.
            say(Answer(UNAVAILABLE, closes=True))
        else:
            arrived = self._clock.time()
            self.pod.arrive(lambda status: say(self._reply(status, self._clock.time() - arrived)))

    def administer(self, request: Request, say: Say) -> None:
        """A request on the admin port."""
        if request.path == "/metrics":
            say(self._metrics())
        elif request.path == STATE_PATH:
            say(_json(self.state()))
        elif request.path != FAULTS_PATH:
            say(Answer(404))
        elif request.method == "POST":
            say(self._told(request.body))
        else:
            say(_json([dict(fault.effect) for fault in self.pod.faults.all()]))

    def up(self) -> None:
        """The application can answer from now on."""
        self.is_up = True
        if not self._settings.is_probed:
            self.pod.faults.ready_at = self._clock.time()

    def state(self) -> dict[str, Any]:
        """What tests and people look at."""
        pod, settings = self.pod, self._settings
        return {
            "version": pod.behaviour.name,
            "side": settings.side,
            "pod": settings.pod,
            "up": self.is_up,
            "terminating": pod.terminating,
            "age_s": pod.age_s,
            "in_flight": pod.in_flight,
            "arrived": pod.arrived,
            "answers": {str(status): count for status, count in pod.metrics.statuses.items()},
            "acting": [fault.name for fault in pod.faults.acting(self._clock.time())],
        }

    def look(self) -> None:
        """Looks at what acts now: on the container's end, and on what burns beside it."""
        self.pod.look()
        self._stress.set(shares(self.pod.faults.acting(self._clock.time())))

    def close(self) -> None:
        """Ends what runs beside the server."""
        self._stress.stop()

    def _reply(self, status: int, took_s: float) -> Answer:
        body = f"{self.pod.behaviour.name}\n".encode()
        return Answer(status, body, closes=self.pod.terminating, took_s=took_s)

    def _metrics(self) -> Answer:
        """Nothing is scraped of a pod that cannot answer its clients, whatever port is asked."""
        if not self.is_up or self.pod.terminating:
            return Answer(UNAVAILABLE)
        return Answer(200, self.pod.metrics.text().encode(), CONTENT_TYPE)

    def _probe(self) -> Answer:
        if not self.is_up:
            return Answer(UNAVAILABLE)
        if self.pod.faults.ready_at is None:
            self.pod.faults.ready_at = self._clock.time()
        return Answer(200)

    def _told(self, body: bytes) -> Answer:
        try:
            faults = tuple(Fault.of(one) for one in json.loads(body or b"[]"))
        except (ValueError, KeyError, TypeError) as error:
            return Answer(400, f"not a list of effects or faults: {error!r}\n".encode())
        self.pod.faults.tell(faults)
        self.look()
        return _json({"faults": len(faults)})


class Server:
    """The listening side of a pod, on a running event loop."""

    def __init__(self, settings: Settings, random: Random, end: Callable[[int], None], born_s_ago: float = 0.0) -> None:
        self._loop = asyncio.get_running_loop()
        self._settings = settings
        metrics = Metrics(settings.telemetry, settings.behaviour.name, settings.env)
        pod = Pod(settings.behaviour, metrics, self._loop, random, end)
        pod.born(self._loop.time() - born_s_ago)
        self._database = Database(settings.database, random) if settings.database else None
        if self._database is not None:
            pod.work = self._database.work
        self.site = Site(settings, pod, self._loop)
        self._headers = header_lines({"x-rolltwin-side": settings.side, "x-rolltwin-pod": settings.pod})
        self._listening: list[asyncio.Server] = []
        self._admin: asyncio.Server | None = None

    @property
    def ports(self) -> tuple[int, ...]:
        """Ports that are open, the admin one last."""
        servers = [*self._listening, *([self._admin] if self._admin is not None else [])]
        return tuple(server.sockets[0].getsockname()[1] for server in servers)

    async def start(self) -> None:
        """Opens the admin port, starts up for as long as the version does, then opens the others."""
        self.site.pod.look()
        self._admin = await self._listen(self._settings.admin_port, self.site.administer)
        self._loop.call_later(_LOOK_S, self._look)
        self._loop.call_later(self._settings.sample_s, self._sample, self.site.pod.arrived)
        while (left_s := self.site.pod.start_up_s() - self.site.pod.age_s) > 0:  # noqa: ASYNC110
            # In short naps: a slow start may be injected meanwhile.
            await asyncio.sleep(min(left_s, 0.25))
        self._listening = [await self._listen(port, self.site.serve) for port in self._settings.ports]
        self.site.up()

    async def terminate(self) -> None:
        """Turns new requests away, returns when those in flight are answered."""
        self.site.pod.terminating = True
        for server in self._listening:
            server.close()
        await asyncio.sleep(_LINGER_S)
        while self.site.pod.in_flight:  # noqa: ASYNC110 - once in a pod's life
            await asyncio.sleep(0.02)
        # What was written last still has to leave.
        await asyncio.sleep(0.02)
        self.close()

    def close(self) -> None:
        """Closes every port."""
        for server in (*self._listening, *([self._admin] if self._admin is not None else [])):
            server.close()
        self.site.close()
        if self._database is not None:
            self._database.close()

    async def _listen(self, port: int, handler: Callable[[Request, Say], None]) -> asyncio.Server:
        make = partial(Connection, handler, self._headers)
        return await self._loop.create_server(make, _EVERYWHERE, port, reuse_address=True, backlog=1024)

    def _look(self) -> None:
        self.site.look()
        self._loop.call_later(_LOOK_S, self._look)

    def _sample(self, before: int) -> None:
        pod = self.site.pod
        pod.faults.rate_rps = (pod.arrived - before) / self._settings.sample_s
        pod.look()
        self._loop.call_later(self._settings.sample_s, self._sample, pod.arrived)


def _json(data: Any) -> Answer:
    return Answer(200, json.dumps(data).encode(), "application/json")
