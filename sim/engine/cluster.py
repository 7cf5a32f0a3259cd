"""Nodes and the scheduler: where pods go, and who waits for room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sim.engine.revision import Avoidance
from sim.model.pods import AntiAffinity
from sim.model.scenario import Cluster


class Tenant(Protocol):
    """What the scheduler needs to know of a pod."""

    @property
    def revision_hash(self) -> str:
        """Hash of the pod's revision."""
        ...

    @property
    def requests(self) -> tuple[float, float]:
        """(cores, bytes) requested."""
        ...

    @property
    def avoids(self) -> Avoidance:
        """Injected anti-affinity."""
        ...


@dataclass(slots=True)
class Node:
    """One machine."""

    name: str
    cpu: float
    memory: float
    alive: bool = True
    tenants: list[Tenant] = field(default_factory=list)
    images: list[str] = field(default_factory=list)

    def used(self) -> tuple[float, float]:
        """(cores, bytes) requested by the pods here."""
        return sum(t.requests[0] for t in self.tenants), sum(t.requests[1] for t in self.tenants)

    def fits(self, tenant: Tenant) -> bool:
        """Whether the requests fit and no required anti-affinity, of either party, forbids it."""
        cpu, memory = self.used()
        room = cpu + tenant.requests[0] <= self.cpu + 1e-9 and memory + tenant.requests[1] <= self.memory + 1e-3
        return self.alive and room and not any(_repel(tenant, other) for other in self.tenants)

    def load(self, tenant: Tenant) -> tuple[int, float, int]:
        """Smaller is the better place: no avoided pods, then least allocated, then fewest pods."""
        disliked = sum(tenant.avoids.hash == other.revision_hash for other in self.tenants)
        preferred = disliked if tenant.avoids.rule is AntiAffinity.PREFERRED else 0
        cpu, memory = self.used()
        share = (cpu + tenant.requests[0]) / self.cpu + (memory + tenant.requests[1]) / self.memory
        return min(preferred, 1), round(share, 9), len(self.tenants)


def _repel(one: Tenant, other: Tenant) -> bool:
    """Required anti-affinity holds both ways: a newcomer may not join a pod that keeps its revision away."""
    pairs = ((one.avoids, other.revision_hash), (other.avoids, one.revision_hash))
    return any(avoids.rule is AntiAffinity.REQUIRED and avoids.hash == found for avoids, found in pairs)


class Scheduler:
    """Places pods on the least allocated node that fits; those without one wait, first come first served."""

    def __init__(self, cluster: Cluster) -> None:
        self.nodes = [Node(f"node-{i}", cluster.node_cpu, cluster.node_memory) for i in range(cluster.nodes)]
        self._waiting: list[tuple[Tenant, Callable[[Node], None]]] = []

    def place(self, tenant: Tenant) -> Node | None:
        """The node the pod is bound to, or None when nothing fits."""
        fitting = [node for node in self.nodes if node.fits(tenant)]
        if not fitting:
            return None
        node = min(fitting, key=lambda candidate: candidate.load(tenant))
        node.tenants.append(tenant)
        return node

    def wait(self, tenant: Tenant, bind: Callable[[Node], None]) -> None:
        """Calls ``bind`` with a node once room comes free."""
        self._waiting.append((tenant, bind))

    def forget(self, tenant: Tenant) -> None:
        """The pod no longer waits."""
        self._waiting = [entry for entry in self._waiting if entry[0] is not tenant]

    def release(self, tenant: Tenant, node: Node) -> None:
        """Frees the pod's room and lets waiting pods have it."""
        node.tenants = [other for other in node.tenants if other is not tenant]
        self.retry()

    def retry(self) -> None:
        """Tries to place everybody who waits, in order."""
        for entry in list(self._waiting):
            node = self.place(entry[0])
            if node is not None:
                self._waiting.remove(entry)
                entry[1](node)
