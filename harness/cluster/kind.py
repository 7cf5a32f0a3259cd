"""Clusters of kind, by pytest-kind's maintained fork: made for a run and deleted with it, or found by their name."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from subprocess import CalledProcessError
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING

from harness import missing
from harness.cluster.base import Reachable
from harness.cluster.cluster import Address
from harness.cluster.commands import CommandError, run
from harness.cluster.connection import ApiError, LostError
from harness.ending import uninterrupted
from harness.waiting import wait_until

if TYPE_CHECKING:
    from pytest_kind import KindCluster as PytestKind

READY_S = 240.0
CONNECT_S = 2.0
_NOTES = "/kind/rolltwin-images"
"""On each node: the references and identities of what was loaded."""


@dataclass(frozen=True, slots=True)
class KindSettings:
    """How clusters are made here. ``name`` of an existing cluster: it is used and left alone; '': a new one is made."""

    name: str = ""
    image: str = ""
    """Of the node; '' leaves it to ``config`` or to kind."""
    config: Path | None = None
    keep: bool = False

    @classmethod
    def of_environment(cls, image: str = "", name: str = "", *, keep: bool = False) -> KindSettings:
        """What KIND_CONFIG, KIND_NODE_IMAGE and ROLLTWIN_KIND_CLUSTER say, where no argument does."""
        config = os.environ.get("KIND_CONFIG")
        return cls(
            name or os.environ.get("ROLLTWIN_KIND_CLUSTER", ""),
            os.environ.get("KIND_NODE_IMAGE") or image,
            Path(config) if config else None,
            keep,
        )


class KindCluster(Reachable):
    """A running cluster of kind."""

    def __init__(self, made: PytestKind) -> None:
        super().__init__(made.name, made.kubeconfig_path)
        self._made = made
        self._loaded: set[str] = set()
        self._loading = Lock()

    def load_image(self, image: str) -> None:
        """Makes a local image known to every node, once."""
        with self._loading:
            if image not in self._loaded:
                self._load(image)
                self._loaded.add(image)

    def _load(self, image: str) -> None:
        """Loads what the nodes do not have: kind itself sends an image again to a node without crictl."""
        identity = run(self._docker, "image", "inspect", "--format", "{{.Id}}", image).strip()
        lacking = [node for node in self._nodes if not self._has(node, image, identity)]
        if lacking:
            self._made.load_docker_image(image)
        for node in lacking:
            run(self._docker, "exec", node, "sh", "-c", f'echo "$0 $1" >> {_NOTES}', image, identity)

    def _has(self, node: str, image: str, identity: str) -> bool:
        listed = "ctr --namespace k8s.io images ls --quiet"  # kubelet clears images away when the disk is full
        look = f'grep -qsxF "$0 $1" {_NOTES} && {listed} | grep -qF "$0"'
        try:
            run(self._docker, "exec", node, "sh", "-c", look, image, identity)
        except CommandError:
            return False
        return True

    @property
    def _docker(self) -> str:
        return str(missing.docker())

    @cached_property
    def _nodes(self) -> list[str]:
        return run(self._made.kind_path, "get", "nodes", "--name", self.name).split()

    @contextmanager
    def reach(self, namespace: str, service: str, port: int) -> Iterator[Address]:
        """The node itself where this machine routes to it and the Service has a node port, else a forwarded port."""
        address = self._on_node(namespace, service, port)
        if address is not None:
            yield _answering(address, f"port {port} of {service}")
            return
        with super().reach(namespace, service, port) as address:
            yield address

    @cached_property
    def node_address(self) -> str:
        """The node container's own IP address; '' if there is none, or none that this machine could route to."""
        if sys.platform != "linux":  # Docker's containers live in a virtual machine there
            return ""
        shape = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        return next(iter(run(self._docker, "inspect", "--format", shape, self._nodes[0]).split()), "")

    def _on_node(self, namespace: str, service: str, port: int) -> Address | None:
        with self.objects(namespace) as objects:
            found = objects.get("Service", service) or {}
        ports = found.get("spec", {}).get("ports", ())
        node_port = next((item.get("nodePort") for item in ports if item["port"] == port), None)
        if not node_port or not self.node_address:
            return None
        return Address(self.node_address, node_port) if self._routed else None

    @cached_property
    def _routed(self) -> bool:
        """Whether a connection to the node gets there: the kubelet always listens."""
        return _answers(Address(self.node_address, 10250))


def requirements() -> tuple[object, ...]:
    """All that a cluster of kind takes; what is not there as ``missing.need`` takes it."""
    package = missing.package("pytest_kind", "it drives kind")
    return missing.docker(), missing.kind(), missing.kubectl(), package, missing.client()


@contextmanager
def kind_cluster(settings: KindSettings) -> Iterator[KindCluster]:
    """A cluster while the context lasts; a new one is deleted with it, also after Ctrl-C, unless it is to be kept."""
    missing.need(*requirements())
    kind, kubectl = missing.kind(), missing.kubectl()
    with TemporaryDirectory(prefix="rolltwin-") as folder:
        made = _pytest_kind(settings, Path(folder), Path(str(kind)), Path(str(kubectl)))
        existing = made.name in run(made.kind_path, "get", "clusters").split()
        try:
            with _connected(made, settings, existing) as cluster:
                yield cluster
        finally:
            if not existing and not settings.keep:
                with uninterrupted():
                    made.delete()


def _answers(address: Address) -> bool:
    with suppress(OSError), socket.create_connection((address.host, address.port), CONNECT_S):
        return True
    return False


def _answering(address: Address, name: str) -> Address:
    """The address, once it answers: kube-proxy opens a node port a moment after the first pod is ready."""
    wait_until(lambda: _answers(address), name, READY_S, lambda: f"{address} does not answer")
    return address


def fresh_name() -> str:
    """A name that no other run on this machine has."""
    return f"rolltwin-{secrets.token_hex(4)}"


def _pytest_kind(settings: KindSettings, folder: Path, kind: Path, kubectl: Path) -> PytestKind:
    from pytest_kind import KindCluster as PytestKind  # noqa: PLC0415 an optional package

    class Tidy(PytestKind):
        """Keeps its files in the run's folder: the original makes one in the working directory."""

        def __init__(self) -> None:
            self.name = settings.name or fresh_name()
            self.image = settings.image or None
            self.path = folder
            self.kubeconfig_path = folder / "kubeconfig"
            self.kind_path = kind
            self.kubectl_path = kubectl
            self.platform = sys.platform

    return Tidy()


@contextmanager
def _connected(made: PytestKind, settings: KindSettings, existing: bool) -> Iterator[KindCluster]:
    if existing:
        made.kubeconfig_path.touch(0o600)
        made.kubeconfig_path.write_text(run(made.kind_path, "get", "kubeconfig", "--name", made.name), encoding="utf-8")
    try:
        made.create(settings.config)
    except CalledProcessError as error:
        raise CommandError(error.cmd, error.returncode, "see above for what kind said") from error
    made.api.session.close()  # it opens one that nobody asked for
    cluster = KindCluster(made)
    try:
        wait_until(
            lambda: _ready(cluster), f"nodes of {made.name}", READY_S, lambda: cluster.kubectl("describe", "nodes")
        )
        yield cluster
    finally:
        cluster.close()


def _ready(cluster: KindCluster) -> bool:
    """Whether every node is ready and pods can be made: the default service account comes last."""
    with suppress(ApiError, LostError), cluster.objects("default") as objects:
        nodes = objects.list("Node")
        conditions = [
            any(item["type"] == "Ready" and item["status"] == "True" for item in node["status"]["conditions"])
            for node in nodes
        ]
        return bool(nodes) and all(conditions) and objects.get("ServiceAccount", "default") is not None
    return False
