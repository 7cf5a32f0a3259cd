"""From manifests and weights to the data plane's routes, as the proxies act on them (after their propagation delay)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from sim.decide.istio.rewriting import HASH_LABEL
from sim.engine.callers import Entry, callers, only_in_mesh
from sim.engine.clock import Rank
from sim.engine.destinations import Network, Reach, Way, way_of
from sim.engine.ground import Ground
from sim.engine.replicasets import ReplicaSet
from sim.model.load import request_classes
from sim.model.pods import Labels
from sim.model.records import WeightRecord
from sim.traffic import Route


class Backend(Protocol):
    """Something that owns ReplicaSets."""

    @property
    def replica_sets(self) -> Sequence[ReplicaSet]:
        """All of them, oldest first."""
        ...


@dataclass(slots=True)
class _Shown:
    routes: tuple[Route, ...] = ()
    weights: tuple[float, float] = (-1.0, -1.0)
    revisions: dict[str, float] = field(default_factory=dict)
    is_open: bool = False
    written_s: float = field(default=0.0)


class Router:
    """Keeps the data plane's routes in step with endpoints and with what the proxies have been told."""

    def __init__(self, ground: Ground, network: Network, entry: Entry) -> None:
        self._ground = ground
        self._network = network
        self._entry = entry
        self._shown = _Shown()
        self._ways: tuple[Way, ...] = ()
        self.backends: list[Backend] = []
        self.on_weights: list[Callable[[], None]] = []
        ground.on_endpoints.append(self.refresh)

    @property
    def network(self) -> Network:
        """What the proxies act on."""
        return self._network

    @property
    def weights(self) -> tuple[float, float]:
        """Percent of the ordinary (header-less) traffic that reaches the candidate's and the stable version's pods."""
        return self._shown.weights

    def weight_of(self, revision_hash: str) -> float:
        """Percent of the ordinary traffic that reaches the pods of one revision of the rollout itself."""
        return self._shown.revisions.get(revision_hash, 0.0)

    @property
    def verifies(self) -> bool:
        """Whether whoever writes asks later what is acted on."""
        return self._ground.scenario.cluster.verify_weights

    @property
    def is_verified(self) -> bool:
        """Whether everything written is acted on."""
        return self._ground.clock.now >= self._shown.written_s

    def open(self) -> None:
        """Traffic begins: everything that stands before the run does."""
        self._shown.is_open = True
        self._place_callers()
        self.refresh()

    def write(self, change: Callable[[Network], None], what: str) -> float:
        """Applies a change once the proxies have it; returns when that is. Changes arrive in the order written."""
        cluster = self._ground.scenario.cluster
        written = dict(cluster.router_propagation).get(self._entry.router, cluster.route_propagation)
        delay = written if what == "route" else cluster.endpoint_propagation
        due_s = self._ground.clock.now + self._ground.draw_s(f"network/{what}", delay)
        self._shown.written_s = max(self._shown.written_s, due_s)

        def act() -> None:
            change(self._network)
            self._ground.stir()
            self._place_callers()
            self.refresh()

        self._ground.clock.call_at(self._shown.written_s, Rank.TRAFFIC, act)
        return self._shown.written_s

    def refresh(self) -> None:
        """Recomputes the routes; the data plane and the journal hear of real changes only."""
        if not self._shown.is_open:
            return
        reach = Reach(self._network, self._entry, tuple(self._replica_sets()))
        routes = tuple(reach.route(way) for way in self._ways)
        if routes != self._shown.routes:
            self._shown.routes = routes
            self._ground.traffic.set_routes(routes)
        plain = [route for way, route in zip(self._ways, routes, strict=True) if way.caller.plain]
        self._note_weights(plain or list(routes))

    def _place_callers(self) -> None:
        """Finds the clients' places in the network anew: what is written may have changed."""
        scenario = self._ground.scenario
        written = tuple(self._network.virtual_services.values())
        classes = request_classes(scenario.load, scenario.client)
        if only_in_mesh(classes, self._entry, written):
            classes = tuple(replace(one, in_mesh=True) for one in classes)
        self._ways = tuple(way_of(one, self._network) for one in callers(classes, self._entry, written))

    def _note_weights(self, ordinary: list[Route]) -> None:
        owners = {pod.routed: pod.revision for rs in self._replica_sets() for pod in rs.pods if pod.routed is not None}
        percent = {"candidate": 0.0, "stable": 0.0}
        revisions: dict[str, float] = {}
        total_share = sum(route.share for route in ordinary)
        for route in ordinary:
            total = sum(pool.weight for pool in route.pools)
            for pool in route.pools:
                for pod in pool.pods:
                    part = 100 * route.share / total_share * pool.weight / total / len(pool.pods)
                    percent[owners[pod].side] += part
                    revisions[owners[pod].hash] = revisions.get(owners[pod].hash, 0.0) + part
        weights = (round(percent["candidate"], 6), round(percent["stable"], 6))
        if (weights, revisions) == (self._shown.weights, self._shown.revisions):
            return
        self._shown.revisions = revisions
        if weights != self._shown.weights:
            self._shown.weights = weights
            journal = self._ground.journal
            journal.add(WeightRecord(journal.t_s, journal.region, *weights))
        for listener in self.on_weights:
            listener()

    def _replica_sets(self) -> list[ReplicaSet]:
        return [rs for backend in self.backends for rs in backend.replica_sets]


def with_hash(selector: Labels, pod_hash: str) -> Labels:
    """A selector that also wants this revision."""
    return tuple(sorted((dict(selector) | {HASH_LABEL: pod_hash}).items()))
