"""The data plane as the engine sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Final

import numpy as np

from sim.model.behaviour import VersionBehaviour
from sim.model.load import Client, LoadShape
from sim.model.telemetry import PROMETHEUS_BUCKETS_S
from sim.traffic import state
from sim.traffic.arrivals import Arrivals, Block
from sim.traffic.changes import observe, replan, reset, resume
from sim.traffic.fine import by_bin, by_bucket, layout
from sim.traffic.fleet import Fleet, lengthened
from sim.traffic.interface import Look, Observation
from sim.traffic.kernel import run
from sim.traffic.notes import Notes, WindowNotes
from sim.traffic.proxies import Proxies
from sim.traffic.relay import relay
from sim.traffic.routes import flatten, pods_of
from sim.traffic.state import FLYING, NEXT, RETRYING, Carried
from sim.traffic.usual import Requests
from sim.traffic.values import NONE_GROUP, Balancing, Counts, PodEffects, PodSample, Route, Streams, WindowCount
from sim.traffic.windows import Windows

RETRY_KEY: Final = "traffic:retries"
FIRST_ROOM: Final = 256
SLACK: Final = 32
"""Rows that one attempt with its copies may need at most, twice over."""


class DataPlane:
    """Every request of one replication, simulated exactly and lazily.

    The owner calls ``advance`` to the instant of a change, makes the change, and goes on; whatever is read is as of
    ``now_s``: answers given before it. Where ``advance`` is cut makes no difference to any number. Time may start
    before 0 (warm-up, at the rate of t = 0).
    """

    def __init__(  # noqa: PLR0913 - the engine's interface
        self,
        load: LoadShape,
        client: Client,
        streams: Streams,
        *,
        start_s: float = 0.0,
        share: float = 1.0,
        buckets_s: tuple[float, ...] = PROMETHEUS_BUCKETS_S,
        balancing: Balancing = Balancing.RANDOM,
        proxies: int = 1,
    ) -> None:
        self.now_s = start_s
        self._start_s = start_s
        self.is_silent = load.is_silent
        """Nobody ever calls: time passes and nothing happens."""
        self._balancing = balancing
        self._client = state.Client(
            inf if client.timeout_s is None else client.timeout_s,
            client.retries,
            client.backoff_s,
            streams.word(RETRY_KEY),
        )
        self._fleet = Fleet(layout(buckets_s), client.retry_on)
        self._windows = Windows(start_s)
        self._carried = Carried(
            np.zeros(FIRST_ROOM, dtype=state.FLIGHT),
            np.zeros(FIRST_ROOM, dtype=state.RETRY),
            np.zeros(3, dtype=np.int64),
        )
        self._batch = state.Batch(np.zeros(state.BATCH, dtype=np.int64), np.zeros(state.BATCH))
        self._routes: tuple[Route, ...] = ()
        self._changed: list[int] = []
        self._groups: set[int] = set()
        self._silent_pods = 0
        self._routing = flatten((), balancing, self._fleet.slot_of)
        self._proxies = Proxies(proxies, balancing)
        self._arrivals = Arrivals(load, streams, share)
        self._block = self._load_block(self._arrivals.number_at(start_s))
        self._carried.sizes[NEXT] = np.searchsorted(self._block.times, start_s)

    @property
    def exact_s(self) -> float:
        """For how long every request has been simulated: always."""
        return self.now_s - self._start_s

    def advance(self, to_s: float) -> None:
        """Simulate everything before ``to_s``; nothing where the plane is already there. Time never goes back."""
        if to_s < self.now_s:
            message = f"cannot advance to {to_s} s: the data plane is already at {self.now_s} s"
            raise ValueError(message)
        if to_s == self.now_s or self.is_silent:
            self.now_s = to_s
            return
        self._replan()
        with np.errstate(over="ignore"):  # words wrap around; only uncompiled code would warn of it
            self._reserve()
            if self._carried.sizes[FLYING]:
                mesh = self._proxies.mesh(self._fleet)
                resume(self._client, self._fleet.pods, self._fleet.tally, self._carried, mesh, to_s)
            while self._block.end_s < to_s:
                self._run(self._block.end_s, to_s)
                self._block = self._load_block(self._block.number + 1)
                self._carried.sizes[NEXT] = 0
            self._run(to_s, to_s)
        self.now_s = to_s

    def add_pod(self, behaviour: VersionBehaviour, group: int) -> int:
        """Index of a new idle pod; its requests are accounted to ``group`` (>= 0). Nothing is routed to it yet."""
        self._groups.add(group)
        if self.is_silent:
            self._silent_pods += 1
            return self._silent_pods - 1
        pod = self._fleet.add(behaviour, group, self.now_s)
        if len(self._fleet.kinds) > len(self._block.service):
            self._arrivals.widen(self._block, self._fleet.kinds)
        return pod - 1

    def set_effects(self, pod: int, effects: PodEffects) -> None:
        """Replace a pod's effects, for all requests that start service after now."""
        if self.is_silent:
            return
        self._fleet.set_effects(pod + 1, effects)
        self._changed.append(pod + 1)

    def set_routes(self, routes: tuple[Route, ...]) -> None:
        """Route every attempt from now on this way; the turns of unchanged routes go on."""
        if routes == self._routes or self.is_silent:
            self._routes = routes
            return
        unknown = [pod for pod in pods_of(routes) if not 0 <= pod < len(self._fleet.behaviours) - 1]
        if unknown:
            message = f"routes name pods that were never added: {sorted(unknown)}"
            raise ValueError(message)
        self._routes = routes
        if self._proxies.are_needed(routes):
            observe(self._proxies.mesh(self._fleet), self.now_s)
            self._proxies.arrange(routes, self._fleet, self.now_s)
        self._routing = flatten(routes, self._balancing, self._fleet.slot_of)

    def crash_pod(self, pod: int) -> None:
        """Answer 502 now to everything queued or in service at a pod; what is routed to it later finds it idle."""
        if self.is_silent:
            return
        self._replan()
        with np.errstate(over="ignore"):
            self._reserve()
            fleet, mesh = self._fleet, self._proxies.mesh(self._fleet)
            reset(self._client, fleet.pods, fleet.tally, self._carried, mesh, pod + 1, self.now_s)

    def drain_pod(self, pod: int) -> None:
        """Let a pod finish what it has; it must be out of the routes by now."""
        if pod in pods_of(self._routes):
            message = f"pod {pod} is still in the routes"
            raise ValueError(message)

    def pod_sample(self, pod: int, *, buckets: bool = True, fine: bool = True) -> PodSample:
        """A pod's totals, as its metrics endpoint would give them now; each histogram only if asked for."""
        if self.is_silent:
            return PodSample({}, (0,) * len(self._fleet.layout.bucket_starts) if buckets else (), 0.0, None)
        fleet, row = self._fleet, pod + 1
        latencies = fleet.tally.latencies[row]
        return PodSample(
            statuses=dict(fleet.statuses(fleet.tally.answers[row])),
            bucket_counts=tuple(by_bucket(latencies, fleet.layout).tolist()) if buckets else (),
            latency_sum_s=int(fleet.pods.rows[row]["ticks"]) / state.TICKS_PER_S,
            fine=by_bin(latencies, fleet.layout) if fine else None,
        )

    def take_window(self) -> tuple[WindowCount, ...]:
        """What each group did since the last call (or the start), ascending by group; -1 is no pod at all."""
        if self.is_silent:
            none = (0,) * len(self._fleet.layout.bucket_starts)
            return tuple(WindowCount(group, (), none, 0.0, 0, 0, 0, 0) for group in sorted(self._groups))
        return self._windows.take(self._fleet, self.now_s)

    def observe(self, looks: Sequence[Look], windows_s: tuple[float, ...] = ()) -> Observation:
        """Readings at coming instants, the last of which is ``now_s`` afterwards (see ``interface.Plane``)."""
        fleet = self._fleet
        notes = [Notes(fleet, look, self.is_silent) for look in looks]
        windows = WindowNotes(fleet, windows_s, sorted({NONE_GROUP, *self._groups}), self.is_silent)
        for instant_s in sorted({*windows_s, *(instant_s for look in looks for instant_s in look.instants_s)}):
            self.advance(instant_s)
            for note in notes:
                note.take(instant_s, self._proxies)
            windows.take(instant_s, self._windows)
        return Observation(tuple(note.samples for note in notes), windows.series if windows_s else None)

    def refused(self) -> dict[str, int]:
        """Requests since the start that proxies answered 503 themselves, by cluster."""
        return self._proxies.refused()

    def offered_rps(self, pod: int) -> float:
        """Attempts a second that reached a pod since the last ``take_window``; 0 at that very instant."""
        return 0.0 if self.is_silent else self._windows.offered_rps(self._fleet, pod + 1, self.now_s)

    def arrivals(self) -> Counts:
        """Attempts that have reached each pod since it was added."""
        return self._fleet.pods.rows["arrived"][1 : len(self._fleet.behaviours)].copy()

    def under_way(self) -> tuple[Counts, int]:
        """Attempts that each pod has not answered yet, and how many are about to be made again."""
        flights, _, sizes = self._carried
        pods = len(self._fleet.behaviours)
        return np.bincount(flights["pod"][: sizes[FLYING]], minlength=pods)[1:], int(sizes[RETRYING])

    @property
    def is_ejecting(self) -> bool:
        """Whether proxies leave out a pod that has erred."""
        return self._proxies.is_ejecting

    def begin_anew(self, at_s: float) -> None:
        """Go on from a later instant with idle pods and nothing in flight; what has been counted stays."""
        self.now_s = at_s
        self._changed.clear()
        self._carried.sizes[:] = 0
        pods = self._fleet.pods
        pods.rows["first"] = pods.rows["queued"] = 0
        pods.free[np.isfinite(pods.free)] = at_s  # infinite where there is no server
        self._proxies.begin_anew()
        self._block = self._load_block(self._arrivals.number_at(at_s))
        self._carried.sizes[NEXT] = np.searchsorted(self._block.times, at_s)

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Whatever happens within changes what is in flight, not what has been counted."""
        kept, refused = self._fleet.counted(), self._proxies.counted()
        yield
        self._fleet.recount(kept)
        self._proxies.recount(refused)

    def _replan(self) -> None:
        """Plan anew what waits at pods whose effects changed at this instant, all of them in one pass."""
        if self._changed:
            changed = np.zeros(len(self._fleet.behaviours), dtype=np.bool_)
            changed[self._changed] = True
            mesh = self._proxies.mesh(self._fleet)
            replan(self._client, self._fleet.pods, self._carried, mesh, changed, self.now_s)
            self._changed.clear()

    def _load_block(self, number: int) -> Block:
        return self._arrivals.block(number, self._fleet.kinds)

    def _run(self, until_s: float, horizon_s: float) -> None:
        block = self._block
        requests = Requests(block.number, block.times, block.route_error, block.pool_pod, block.service)
        fleet, client, routing = self._fleet, self._client, self._routing
        if self._proxies.in_use:
            while not relay(
                requests,
                client,
                routing,
                fleet.pods,
                fleet.tally,
                self._carried,
                self._proxies.mesh(fleet),
                until_s,
                horizon_s,
            ):
                self._reserve(2)
                self._proxies.make_room()
            return
        while not run(
            requests, client, routing, fleet.pods, fleet.tally, self._carried, self._batch, until_s, horizon_s
        ):
            self._reserve(2)

    def _reserve(self, factor: int = 1) -> None:
        """Room for another attempt in flight, and for a retry of everything that is."""
        flights, retries, sizes = self._carried
        if sizes[FLYING] * factor + SLACK >= len(flights):
            flights = lengthened(flights, 2 * len(flights))
        if sizes[RETRYING] + sizes[FLYING] * factor + SLACK >= len(retries):
            retries = lengthened(retries, 2 * (int(sizes[RETRYING]) + len(flights)))
        self._carried = Carried(flights, retries, sizes)
