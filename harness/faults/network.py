"""Slowness on the network instead of in the application: ``tc`` on the node's end of each pod's interface.

The twin has no network of its own: it lengthens service times, and the pods' metrics show it. Here they do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Final

from harness import missing
from harness.cluster.commands import CommandError, run
from harness.cluster.objects import Objects
from harness.faults.pods import Subject
from harness.missing import Missing, MissingError
from sim.model.behaviour import Fault, Slowdown

ADAPTATION: Final = "added time acts between the gateway and the pods, whose own metrics do not show it; the twin's do"
_PROBE: Final = (
    "command -v tc >/dev/null || { echo no tc; exit; };"
    "ip link add rolltwin0 type veth peer name rolltwin1 || { echo no virtual interfaces; exit; };"
    "tc qdisc add dev rolltwin0 root netem delay 1ms 2>/dev/null || echo no netem in its kernel;"
    "ip link del rolltwin0"
)
_INTERFACE: Final = "dev=$(ip -o route get {ip} | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p');"


def is_of_the_network(fault: Fault) -> bool:
    """Whether the network can do what a fault says: it adds time to every request, and nothing else."""
    return isinstance(fault.effect, Slowdown) and fault.effect.factor == 1 and fault.effect.add_s > 0


def need_network(docker: Path | Missing, nodes: Sequence[str]) -> None:
    """MissingError that says why packets cannot be delayed on these nodes; nothing if they can."""
    why, how = "packets to the pods are to be delayed there", "Leave the added time to the application."
    if isinstance(docker, Missing):
        raise docker.error()
    for node in nodes:
        try:
            lacks = run(docker, "exec", node, "sh", "-c", _PROBE).strip()
        except CommandError as error:
            lacks = f"no container that can be entered ({error.code})"
        if lacks:
            what = f"tc with netem on node {node} ({lacks})"
            raise MissingError(what, why, how)


class Network:
    """Delays packets on their way to pods, in the background; ``close`` takes every delay away that is still there."""

    def __init__(self, docker: Path, executor: Executor) -> None:
        self._docker = docker
        self._executor = executor
        self._asked: dict[tuple[str, str], float] = {}
        """Delay by (node, address), seconds: asked for last."""
        self._under_way: list[Future[None]] = []

    @classmethod
    def of(cls, objects: Objects, executor: Executor) -> Network:
        """The network of a kind cluster's nodes; MissingError where packets cannot be delayed."""
        docker = missing.docker()
        need_network(docker, [node["metadata"]["name"] for node in objects.list("Node")])
        return cls(Path(str(docker)), executor)

    def delay(self, pods: Sequence[Subject], delays_s: Mapping[str, float]) -> None:
        """Exactly these delays act on these pods, by name; called as often as one likes."""
        self._under_way = [future for future in self._under_way if not _is_through(future)]
        for pod in pods:
            key, wanted_s = (pod.node, pod.address), delays_s.get(pod.name, 0.0)
            if pod.address and not pod.leaves and self._asked.get(key, 0.0) != wanted_s:
                self._asked[key] = wanted_s
                self._under_way.append(self._executor.submit(self._set, *key, wanted_s))

    def close(self) -> None:
        """Pods that are gone took their interfaces with them."""
        for future in self._under_way:
            future.result()
        for (node, address), delay_s in self._asked.items():
            if delay_s:
                self._set(node, address, 0.0)
        self._asked.clear()

    def _set(self, node: str, address: str, delay_s: float) -> None:
        change = (
            f"tc qdisc replace dev $dev root netem delay {1000 * delay_s:g}ms"
            if delay_s
            else "tc qdisc del dev $dev root"
        )
        # A pod may be gone by now; then there is no interface, and nothing to be done.
        there = 'case "$dev" in veth*) ;; *) exit 0;; esac;'
        run(self._docker, "exec", node, "sh", "-c", f"{_INTERFACE.format(ip=address)} {there} {change}")


def _is_through(future: Future[None]) -> bool:
    """Whether it is done; an error comes out."""
    if not future.done():
        return False
    future.result()
    return True
