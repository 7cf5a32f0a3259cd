"""The pods that monitoring sees, and what it knows of them besides their counters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sim.engine.ground import Ground
from sim.engine.pods import Pod
from sim.engine.replicasets import ReplicaSet
from sim.metrics.pods import PodView
from sim.model.pods import Labels


class Addresses(Protocol):
    """By which names clients reach pods."""

    def service_of(self, labels: Labels) -> str:
        """The Service that leads clients to pods with these labels, '' if none does."""

    def ingress_of(self, service: str) -> str:
        """The Ingress that sends to a Service, '' if none does."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Pods that answer, and their indices on the data plane; the same object for as long as they stay the same."""

    pods: tuple[tuple[ReplicaSet, Pod], ...]
    indices: tuple[int, ...]
    views: tuple[PodView, ...]
    """Who they are, without what they did; what only kube-state-metrics and proxies ask for is not kept up to date."""

    @property
    def any_past(self) -> bool:
        """Whether a container of any of them ended before."""
        return any(pod.past for _, pod in self.pods)


class Audience:
    """Pods of all owners, as they are between two things that happen."""

    def __init__(
        self, ground: Ground, owners: Callable[[], list[ReplicaSet]], namespace: str, address: Addresses
    ) -> None:
        self._ground, self._owners, self._address = ground, owners, address
        self.namespace = namespace
        self._stirs = -1
        self._up: list[tuple[float, ReplicaSet, Pod, int]] = []
        self._known: dict[str, tuple[object, PodView]] = {}
        self._seen: Seen | None = None

    def seen(self, instants_s: Sequence[float]) -> Iterator[tuple[tuple[float, ...], Seen]]:
        """The pods that answer at these instants, which follow each other without anything happening in between.

        A container begins to answer by itself, so there may be several stages.
        """
        if self._stirs != self._ground.stirs:
            self._stirs, self._seen, self._up = self._ground.stirs, None, list(self._containers())
        turns_s = sorted({up_s for up_s, *_ in self._up if instants_s and instants_s[0] < up_s <= instants_s[-1]})
        for turn_s in turns_s:
            stage = tuple(instant_s for instant_s in instants_s if instant_s < turn_s)
            instants_s = instants_s[len(stage) :]
            if stage:  # several containers may come up between two instants
                yield stage, self._at(stage[-1])
        if instants_s:
            yield tuple(instants_s), self._at(instants_s[-1])

    def idle(self, seen: Seen) -> list[PodView]:
        """Pods that answer nothing, though they exist."""
        answering = {id(pod) for _, pod in seen.pods}
        return [
            replace(self.view(rs, pod), ready=False)
            for rs in self._owners()
            for pod in rs.pods
            if id(pod) not in answering and not pod.gone
        ]

    def view(self, rs: ReplicaSet, pod: Pod) -> PodView:
        """Who the pod is now, without what it did."""
        service = self._address.service_of(rs.labels())
        return replace(
            self._bare(rs, pod),
            service=service,
            ingress=self._address.ingress_of(service),
            restarts=len(pod.past),
            ready=pod.ready_s is not None,
        )

    def _containers(self) -> Iterator[tuple[float, ReplicaSet, Pod, int]]:
        """Those that answer from some instant on."""
        for rs in self._owners():
            for pod in rs.pods:
                if pod.started_s is not None and not pod.refusing and pod.index is not None:
                    yield pod.up_s, rs, pod, pod.index

    def _at(self, now_s: float) -> Seen:
        up = [(rs, pod, index) for up_s, rs, pod, index in self._up if up_s <= now_s]
        if self._seen is None or len(self._seen.pods) != len(up):
            pods, indices = tuple((rs, pod) for rs, pod, _ in up), tuple(index for *_, index in up)
            self._seen = Seen(pods, indices, tuple(self._lasting(rs, pod) for rs, pod in pods))
        return self._seen

    def _lasting(self, rs: ReplicaSet, pod: Pod) -> PodView:
        known = self._known.get(pod.name)
        if known is None or known[0] is not rs.role:
            known = self._known[pod.name] = rs.role, self._bare(rs, pod)
        return known[1]

    def _bare(self, rs: ReplicaSet, pod: Pod) -> PodView:
        return PodView(
            pod=pod.name,
            namespace=self.namespace,
            labels=rs.label_map(),
            annotations=rs.annotation_map(),
            env=rs.env_map,
            version=pod.revision.behaviour.name,
            hash=pod.revision.hash,
            workload=rs.name.removesuffix(f"-{pod.revision.hash}"),
            owner=rs.name,
            container=pod.revision.template.container,
        )
