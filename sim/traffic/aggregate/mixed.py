"""One data plane of two: in aggregate while every pod is calm, request by request while one is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from sim.model.behaviour import VersionBehaviour
from sim.model.data_plane import DataPlaneMode
from sim.model.load import Client, LoadShape
from sim.model.telemetry import PROMETHEUS_BUCKETS_S
from sim.traffic.aggregate.catalogue import Limits
from sim.traffic.aggregate.handled import tries_of
from sim.traffic.aggregate.joining import Joined, counted
from sim.traffic.aggregate.plane import Aggregate
from sim.traffic.interface import Look, Observation
from sim.traffic.plane import DataPlane
from sim.traffic.routes import pods_of
from sim.traffic.values import PodEffects, PodSample, Route, Streams, WindowCount

LEAD_S: Final = 10.0
"""How long every request is simulated, uncounted, so that queues are full when it matters."""
LOOK_S: Final = 5.0
"""How often it is asked whether things have calmed down."""
MARGIN: Final = 0.95
"""Of the limits: what is left in aggregate no pod may exceed, what is gone back to must be below."""
LIMITS: Final = {
    DataPlaneMode.AUTO: Limits(0.8, 0.25, 1.5),
    DataPlaneMode.AGGREGATE: Limits(0.9, 1.0, 15.0),
}

Change = Callable[[DataPlane], object]


class MixedPlane:
    """See ``interface.Plane``. Both planes know all pods and routes; totals are the sums of what each has counted."""

    def __init__(  # noqa: PLR0913 - the engine's interface
        self,
        load: LoadShape,
        client: Client,
        streams: Streams,
        *,
        start_s: float = 0.0,
        share: float = 1.0,
        buckets_s: tuple[float, ...] = PROMETHEUS_BUCKETS_S,
        proxies: int = 1,
        mode: DataPlaneMode = DataPlaneMode.AUTO,
    ) -> None:
        self.now_s = start_s
        self.is_silent = load.is_silent
        self.exact_s = 0.0
        """For how long every request was simulated."""
        self._start_s = start_s
        self._make: Callable[[float], DataPlane] = lambda at_s: DataPlane(
            load, client, streams, start_s=at_s, share=share, buckets_s=buckets_s, proxies=proxies
        )
        self._aggregate = Aggregate(
            load,
            client,
            streams,
            start_s=start_s,
            share=share,
            buckets_s=buckets_s,
            limits=LIMITS[mode],
            proxies=proxies,
        )
        self._patience_s = client.timeout_s
        self._exact: DataPlane | None = None
        self._is_exact = False
        self._is_final = False
        self._alone: DataPlane | None = None
        """The exact plane, where it has been there from the start and will be to the end: nothing is to be added up."""
        self._look_s = start_s
        self._past: dict[tuple[str, int], Change] = {}
        self._fresh: list[tuple[tuple[str, int], Change]] = []
        self._routes: tuple[Route, ...] = ()
        self._joined = Joined(self._aggregate, start_s)

    def advance(self, to_s: float) -> None:
        """Simulate everything before ``to_s``; ValueError where the plane is beyond it."""
        if to_s < self.now_s:
            message = f"cannot advance to {to_s} s: the data plane is already at {self.now_s} s"
            raise ValueError(message)
        if self._alone is not None:
            self._alone.advance(to_s)
            self._followed(self._alone)
            return
        while self.now_s < to_s:
            self._on(to_s)

    def observe(self, looks: Sequence[Look], windows_s: tuple[float, ...] = ()) -> Observation:
        """Readings at coming instants, the last of which is ``now_s`` afterwards (see ``interface.Plane``)."""
        if self._alone is not None:
            observed = self._alone.observe(looks, windows_s)
            self._followed(self._alone)
            return observed
        instants = sorted({*windows_s, *(instant for look in looks for instant in look.instants_s)})
        if not instants:
            return Observation(tuple(self._aggregate.readings(looks).samples(k) for k in range(len(looks))))
        if self._is_exact:
            readings, reached = self._aggregate.readings(looks, windows_s), -np.inf
        else:
            readings = self._aggregate.go(instants[-1], looks, windows_s)
            reached = self._passed()
        self._joined.begin(readings, looks, windows_s)
        if reached == instants[-1]:
            self._joined.stay(self._exact)
            return self._joined.end()
        for instant in instants:
            if instant > reached:
                self.advance(instant)
                self._aggregate.note(readings, instant)
            self._joined.take(self._exact, instant)
        return self._joined.end()

    def add_pod(self, behaviour: VersionBehaviour, group: int) -> int:
        """Index of a new idle pod of a group (>= 0); nothing is routed to it yet."""
        if self._alone is not None:
            return self._alone.add_pod(behaviour, group)
        pod = self._aggregate.add_pod(behaviour, group)
        self._joined.groups.add(group)
        if self._exact is not None:
            self._exact.add_pod(behaviour, group)  # it may be asked what the pod has done: nothing
        else:
            self._change("pod", pod, lambda plane: plane.add_pod(behaviour, group))
        if behaviour.queue_limit is not None:
            self._finally_exact()
        return pod

    def set_effects(self, pod: int, effects: PodEffects) -> None:
        """Replace a pod's effects, for all requests that start service after now."""
        if self._alone is not None:
            self._alone.set_effects(pod, effects)
            return
        self._aggregate.set_effects(pod, effects)
        self._change("effects", pod, lambda plane: plane.set_effects(pod, effects))
        if self._aggregate.is_too_varied:
            self._finally_exact()

    def set_routes(self, routes: tuple[Route, ...]) -> None:
        """Route every attempt from now on this way."""
        if routes == self._routes:
            return
        if self._alone is not None:
            self._routes = routes
            self._alone.set_routes(routes)
            return
        if tries_of(routes, self._patience_s) is None:
            self._finally_exact()
        self._routes = routes
        self._aggregate.set_routes(routes)
        self._change("routes", 0, lambda plane: plane.set_routes(routes))

    def crash_pod(self, pod: int) -> None:
        """Answer 502 now to everything queued or in service at a pod."""
        if self._alone is not None:
            self._alone.crash_pod(pod)
            return
        if not self._is_exact and self._aggregate.ends_calm(pod):
            self._switch()
        if self._is_exact and self._exact is not None:
            self._exact.crash_pod(pod)
        else:
            self._aggregate.crash_pod(pod)
            self._fresh.append((("crash", pod), lambda plane: plane.crash_pod(pod)))

    def drain_pod(self, pod: int) -> None:
        """Let a pod that is in no route any more finish what it has."""
        if pod in pods_of(self._routes):
            message = f"pod {pod} is still in the routes"
            raise ValueError(message)

    def pod_sample(self, pod: int, *, buckets: bool = True, fine: bool = True) -> PodSample:
        """A pod's totals now; each histogram only if asked for."""
        if self._alone is not None:
            return self._alone.pod_sample(pod, buckets=buckets, fine=fine)
        look = Look((self.now_s,), (pod,), buckets, fine)
        return counted(self.observe([look]).samples[0], buckets=buckets, fine=fine)

    def take_window(self) -> tuple[WindowCount, ...]:
        """What each group did since the last window, ascending by group; ``NONE_GROUP`` once a request found no pod."""
        if self._alone is not None:
            return self._alone.take_window()
        return self._joined.windows(self.observe([], (self.now_s,)))

    def refused(self) -> dict[str, int]:
        """Requests since the start that proxies answered 503 themselves, by cluster."""
        return {} if self._exact is None else self._exact.refused()

    def offered_rps(self, pod: int) -> float:
        """Attempts a second that reached a pod since the last window; 0 at that very instant."""
        if self._alone is not None:
            return self._alone.offered_rps(pod)
        return self._joined.offered_rps(self._exact, pod, self.now_s)

    def _change(self, what: str, pod: int, change: Change) -> None:
        """Tell the exact plane now, or once it is needed."""
        if self._is_exact and self._exact is not None:
            change(self._exact)
        else:
            self._fresh.append(((what, pod), change))

    def _on(self, to_s: float) -> None:
        """Some way on."""
        if not self._is_exact or self._exact is None:
            self._aggregate.go(to_s)
            self._passed()
            if self.now_s < to_s:
                self._switch()
            return
        until = min(to_s, self._look_s) if self._look_s > self.now_s and not self._is_final else to_s
        self._exact.advance(until)
        self.exact_s += until - self.now_s
        self.now_s = until
        if not self._is_final and until >= self._look_s:
            self._look_s = until + LOOK_S
            self._maybe_back(self._exact)

    def _passed(self) -> float:
        """The aggregate has gone on: changes before that are past. Where it stands."""
        if self._aggregate.now_s > self.now_s:
            self.now_s = self._aggregate.now_s
            for key, change in self._fresh:
                if key[0] != "crash":
                    self._past.pop(key, None)  # the last change of a kind comes last: routes name pods added before
                    self._past[key] = change
            self._fresh.clear()
        return self.now_s

    def _switch(self) -> None:
        """Every request from now on; the queues are filled by simulating some time before, which nobody counts."""
        now_s = self.now_s
        lead_s = max(now_s - LEAD_S, self._start_s)
        if self._exact is None:
            self._exact = self._make(lead_s)
        else:
            lead_s = max(lead_s, self._exact.now_s)
            self._exact.begin_anew(lead_s)
        exact = self._exact
        with exact.uncounted():
            for change in self._past.values():
                change(exact)
            exact.advance(now_s)
            for _, fresh in self._fresh:
                fresh(exact)
        self._past.clear()
        self._fresh.clear()
        self._aggregate.hand_over()
        self._is_exact, self._look_s = True, now_s + LOOK_S

    def _finally_exact(self) -> None:
        """Nothing is drawn in aggregate any more."""
        self._is_final = True
        if not self._is_exact:
            self._switch()
        if self.now_s == self._start_s:
            self._alone = self._exact

    def _followed(self, exact: DataPlane) -> None:
        self.exact_s += exact.now_s - self.now_s
        self.now_s = exact.now_s

    def _maybe_back(self, exact: DataPlane) -> None:
        flying, retrying = exact.under_way()
        self._aggregate.now_s = self.now_s
        if not exact.is_ejecting and self._aggregate.is_calm(flying, LOOK_S, MARGIN):
            self._aggregate.take_over(self.now_s, flying, retrying)
            self._is_exact = False
