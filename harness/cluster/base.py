"""What every cluster can do once it has a kubeconfig."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from harness import missing
from harness.cluster.api import ClusterObjects
from harness.cluster.cluster import Address
from harness.cluster.commands import run
from harness.cluster.connection import Connection
from harness.cluster.forward import forwarded


class Reachable:
    """A cluster with a kubeconfig of its own; the parts that kind and a context have in common."""

    def __init__(self, name: str, kubeconfig: Path, socket: Path | None = None) -> None:
        found = missing.kubectl()
        missing.need(missing.client(), found)
        self.name = name
        self.kubeconfig = kubeconfig
        self._socket = socket
        self._kubectl = [str(found), "--kubeconfig", str(kubeconfig)]
        self._connection: Connection | None = None
        self._lock = Lock()

    def objects(self, namespace: str) -> ClusterObjects:
        """The API, bound to a namespace. Whoever asks closes it."""
        with self._lock:
            self._connection = self._connection or Connection(self.kubeconfig, self._socket)
            return ClusterObjects(self._connection, namespace)

    def kubectl(self, *args: str, stdin: str | None = None, timeout_s: float = 60.0) -> str:
        """What kubectl prints; CommandError with its error text otherwise."""
        return run(*self._kubectl, *args, stdin=stdin, timeout_s=timeout_s)

    def load_image(self, image: str) -> None:
        """Nothing: these nodes pull by themselves."""

    @contextmanager
    def reach(self, namespace: str, service: str, port: int) -> Iterator[Address]:
        """Where this machine reaches a Service's port while the context lasts."""
        with forwarded(self._kubectl, namespace, f"svc/{service}", port) as address:
            yield address

    def close(self) -> None:
        """Closes the connection to the API server."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
