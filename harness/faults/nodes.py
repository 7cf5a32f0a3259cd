"""Losing nodes: kind's workers are paused; where there are none, as many pods as a node would have had are killed."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Final, Protocol

from harness import missing
from harness.cluster.commands import run
from harness.cluster.objects import Object, Objects
from harness.faults.pods import Subject
from harness.missing import Missing, MissingError
from harness.watching import side_of
from sim.streams import Streams

_CONTROL: Final = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


class Nodes(Protocol):
    """The cluster's nodes, as something to lose."""

    adaptation: str
    """How it is done here where that differs from a machine that vanishes; '' where it does not."""

    def lose(self, fault: str, count: int, pods: Sequence[Subject]) -> None:
        """So many nodes vanish with the pods on them; ``fault`` names the stream that chooses."""
        ...

    def restore(self) -> None:
        """Every lost node is back."""
        ...


class PausedNodes:
    """Workers of kind: their containers are frozen, with everything in them. Nodes that carry the harness are spared."""

    adaptation = ""

    def __init__(self, objects: Objects, streams: Streams, docker: Path) -> None:
        self._objects = objects
        self._streams = streams
        self._docker = docker
        self._paused: list[str] = []

    def lose(self, fault: str, count: int, pods: Sequence[Subject]) -> None:
        """See ``Nodes.lose``; MissingError where every worker carries the harness."""
        del pods
        bare = [pod["spec"].get("nodeName") for pod in self._objects.list("Pod") if not side_of(pod)]
        alive = [name for name in workers(self._objects) if name not in {*bare, *self._paused}]
        if len(alive) < count:
            what, why = f"{count} kind workers without the harness's own pods", f"fault {fault} takes them down"
            raise MissingError(what, why, "Make the kind cluster with more workers.")
        order = self._streams.generator(f"fault/{fault}").permutation(len(alive))
        for position in order[:count]:
            run(self._docker, "pause", alive[int(position)])
            self._paused.append(alive[int(position)])

    def restore(self) -> None:
        """See ``Nodes.restore``."""
        while self._paused:
            run(self._docker, "unpause", self._paused.pop(), detached=True)


class KilledPods:
    """A node's share of the pods is killed: ``of`` are the scenario's nodes."""

    adaptation = (
        "the cluster has no worker node that can be paused: losing a node kills its share of the pods,"
        " which are noticed and replaced at once instead of after 40 s and 340 s"
    )

    def __init__(self, objects: Objects, of: int) -> None:
        self._objects = objects
        self._of = of

    def lose(self, fault: str, count: int, pods: Sequence[Subject]) -> None:
        """See ``Nodes.lose``."""
        del fault
        live = [pod for pod in pods if not pod.leaves]
        for pod in live[: ceil(len(live) * min(1.0, count / self._of))]:
            self._objects.delete("Pod", pod.name, grace_s=0)

    def restore(self) -> None:
        """Nothing was taken away."""


def nodes_of(objects: Objects, streams: Streams, nodes: int) -> Nodes:
    """The way that this cluster allows. ``nodes`` are the scenario's."""
    docker = missing.docker()
    if isinstance(docker, Missing) or not any(_is_container(docker, name) for name in workers(objects)):
        return KilledPods(objects, nodes)
    return PausedNodes(objects, streams, docker)


def workers(objects: Objects) -> list[str]:
    """Names of the nodes that run no control plane."""
    return [node["metadata"]["name"] for node in objects.list("Node") if not _controls(node)]


def _controls(node: Object) -> bool:
    return any(label in node["metadata"].get("labels", {}) for label in _CONTROL)


def _is_container(docker: Path, name: str) -> bool:
    return bool(run(docker, "ps", "--quiet", "--filter", f"name=^{name}$").strip())
