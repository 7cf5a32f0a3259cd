"""From manifests and weights to the data plane's routes, as the proxies act on them (after their propagation delay)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from sim.engine.clock import Rank
from sim.engine.ground import Ground
from sim.engine.replicasets import ReplicaSet
from sim.model.load import Client
from sim.model.manifests import ManifestSet
from sim.model.network import DestinationRule, HttpMatch, HttpRoute, RouteDestination, StringMatch, VirtualService
from sim.model.pods import Labels, selects
from sim.model.records import WeightRecord
from sim.model.rollout import HeaderRoute
from sim.traffic import Pool, Route

HASH_LABEL = "rollouts-pod-template-hash"
MESH = "mesh"


@dataclass(frozen=True, slots=True)
class TrafficClass:
    """Requests that routing cannot tell apart: where they come from and which of the scenario's headers they carry."""

    share: float
    in_mesh: bool
    header: tuple[str, str] | None = None


def traffic_classes(client: Client) -> tuple[TrafficClass, ...]:
    """The client's requests by origin and header; a request carries at most one of the listed headers."""
    plain = max(0.0, 1.0 - sum(share for _, _, share in client.headers))
    kinds: list[tuple[tuple[str, str] | None, float]] = [
        ((name, value), share) for name, value, share in client.headers
    ]
    kinds.append((None, plain))
    origins = ((False, 1.0 - client.in_mesh_share), (True, client.in_mesh_share))
    made = [TrafficClass(a * b, in_mesh, header) for in_mesh, a in origins for header, b in kinds]
    return tuple(one for one in made if one.share > 0)


@dataclass(slots=True)
class Network:
    """Services, VirtualServices and DestinationRules as they are written now."""

    services: dict[str, Labels]
    virtual_services: dict[str, VirtualService]
    destination_rules: dict[str, DestinationRule]
    managed: tuple[HttpRoute, ...] = ()
    """Header routes a controller put on top of its VirtualServices."""

    @classmethod
    def of(cls, manifests: ManifestSet) -> Network:
        """The network as the manifests say, in their order (Istio merges by creation)."""
        return cls(
            {service.name: service.selector for service in manifests.services},
            {one.name: one for one in manifests.virtual_services},
            {one.name: one for one in manifests.destination_rules},
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """What clients call: the hosts of VirtualServices, or one plain Service."""

    hosts: tuple[str, ...] = ()
    service: str = ""


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
        client = ground.scenario.client
        self._classes = traffic_classes(replace(client, in_mesh_share=1.0) if self._only_in_mesh() else client)
        self._shown = _Shown()
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

    def open(self) -> None:
        """Traffic begins: everything that stands before the run does."""
        self._shown.is_open = True
        self.refresh()

    def write(self, change: Callable[[Network], None], what: str) -> float:
        """Applies a change once the proxies have it; returns when that is. Changes arrive in the order written."""
        cluster = self._ground.scenario.cluster
        delay = cluster.route_propagation if what == "route" else cluster.endpoint_propagation
        due_s = self._ground.clock.now + self._ground.draw_s(f"network/{what}", delay)
        self._shown.written_s = max(self._shown.written_s, due_s)

        def act() -> None:
            change(self._network)
            self.refresh()

        self._ground.clock.call_at(self._shown.written_s, Rank.TRAFFIC, act)
        return self._shown.written_s

    def refresh(self) -> None:
        """Recomputes the routes; the data plane and the journal hear of real changes only."""
        if not self._shown.is_open:
            return
        resolved = [(one, self._destinations(one)) for one in self._classes]
        routes = tuple(
            Route(one.share, tuple(Pool(weight, pods) for weight, pods in found) or (Pool(1.0, ()),))
            for one, found in resolved
        )
        if routes != self._shown.routes:
            self._shown.routes = routes
            self._ground.traffic.set_routes(routes)
        self._note_weights([(one.share, found) for one, found in resolved if one.header is None])

    def _note_weights(self, ordinary: list[tuple[float, list[tuple[float, tuple[int, ...]]]]]) -> None:
        owners = {pod.routed: pod.revision for rs in self._replica_sets() for pod in rs.pods if pod.routed is not None}
        percent = {"candidate": 0.0, "stable": 0.0}
        revisions: dict[str, float] = {}
        total_share = sum(share for share, _ in ordinary)
        for share, found in ordinary:
            total = sum(weight for weight, _ in found)
            for weight, pods in found:
                for pod in pods:
                    part, owner = 100 * share / total_share * weight / total / len(pods), owners[pod]
                    percent[owner.side] += part
                    revisions[owner.hash] = revisions.get(owner.hash, 0.0) + part
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

    def _destinations(self, one: TrafficClass) -> list[tuple[float, tuple[int, ...]]]:
        """(weight, data-plane pods) for each destination with weight; an empty list is a 404 for everybody."""
        candidates = self._virtual_services(in_mesh=one.in_mesh)
        if not candidates:
            host = self._entry.service or self._plain_service()
            return [(1.0, self._pods(RouteDestination(host)))] if host else []
        routes = [route for vs in candidates for route in vs.http]
        gateways = tuple(
            dict.fromkeys(name for vs in candidates for name in vs.gateways if (name == MESH) is one.in_mesh)
        )
        for route in (*self._network.managed, *routes):
            if not route.matches or any(_holds(match, one, gateways) for match in route.matches):
                return self._weighted(route)
        return []

    def _weighted(self, route: HttpRoute) -> list[tuple[float, tuple[int, ...]]]:
        single = len(route.destinations) == 1
        weights = [100 if single and d.weight is None else d.weight or 0 for d in route.destinations]
        return [(float(w), self._pods(d)) for w, d in zip(weights, route.destinations, strict=True) if w > 0]

    def _virtual_services(self, *, in_mesh: bool) -> list[VirtualService]:
        """Those that share a host with the entry and are bound to this side, in order of creation."""
        return [
            vs
            for vs in self._network.virtual_services.values()
            if set(vs.hosts) & set(self._entry.hosts) and any((gateway == MESH) is in_mesh for gateway in vs.gateways)
        ]

    def _only_in_mesh(self) -> bool:
        """Whether only the mesh routes the entry's hosts. Then clients of whom nothing else is said must be in it."""
        said = self._ground.scenario.client.in_mesh_share > 0
        return not said and bool(self._virtual_services(in_mesh=True)) and not self._virtual_services(in_mesh=False)

    def _plain_service(self) -> str:
        """The Service that the entry's hosts name when no VirtualService takes the call."""
        names = (host.partition(".")[0] for host in self._entry.hosts)
        return next((name for name in names if name in self._network.services), "")

    def _pods(self, destination: RouteDestination) -> tuple[int, ...]:
        """Pods in the endpoints of a host (compared up to its first dot) and in the subset, if one is named."""
        host = destination.host.partition(".")[0]
        wanted = [self._network.services.get(host, ())]
        if destination.subset:
            wanted.append(self._subset(host, destination.subset))
        found: list[int] = []
        for rs in self._replica_sets():
            labels = rs.labels()
            if all(selects(selector, labels) for selector in wanted):
                found.extend(pod.routed for pod in rs.pods if pod.routed is not None)
        return tuple(found)

    def _subset(self, host: str, name: str) -> Labels:
        rules = [rule for rule in self._network.destination_rules.values() if rule.host.partition(".")[0] == host]
        return next((subset.labels for rule in rules for subset in rule.subsets if subset.name == name), ())


def _holds(match: HttpMatch, one: TrafficClass, gateways: tuple[str, ...]) -> bool:
    """Whether a match holds for a class. The twin's requests have no path or method: such conditions count as met."""
    if match.gateways and not set(match.gateways) & set(gateways):
        return False
    if match.source_labels and not one.in_mesh:
        return False
    carried = dict([one.header]) if one.header else {}
    with_all = all(name in carried and text_matches(how, carried[name]) for name, how in match.headers)
    without = any(name in carried and text_matches(how, carried[name]) for name, how in match.without_headers)
    return with_all and not without


def text_matches(how: StringMatch, text: str) -> bool:
    """Istio's StringMatch; its regular expressions match the whole value."""
    match how.how:
        case "exact":
            return text == how.value
        case "prefix":
            return text.startswith(how.value)
        case "regex":
            return re.fullmatch(how.value, text) is not None
        case _:
            return True


def with_hash(selector: Labels, pod_hash: str) -> Labels:
    """A selector that also wants this revision."""
    return tuple(sorted((dict(selector) | {HASH_LABEL: pod_hash}).items()))


def header_route(route: HeaderRoute, canary_service: str) -> HttpRoute:
    """The HTTP route that a managed header route becomes: every match goes to the canary."""
    headers = tuple((one.header, StringMatch(one.how, one.value)) for one in route.match)
    return HttpRoute(route.name, (HttpMatch(headers=headers),), (RouteDestination(canary_service, weight=100),))
