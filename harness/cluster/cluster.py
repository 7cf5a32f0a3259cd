"""A cluster that a run may use, wherever it comes from."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.cluster.objects import Objects


@dataclass(frozen=True, slots=True)
class Address:
    """Where this machine reaches something."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Cluster(Protocol):
    """Kind (``harness.cluster.kind``) or a context of an existing kubeconfig (``harness.cluster.context``)."""

    name: str
    kubeconfig: Path
    """A file of the run's own with exactly one context: never the user's current one by accident."""

    def objects(self, namespace: str) -> Objects:
        """The API, bound to a namespace."""
        ...

    def kubectl(self, *args: str, stdin: str | None = None, timeout_s: float = 60.0) -> str:
        """What kubectl prints; CommandError with its error text otherwise."""
        ...

    def load_image(self, image: str) -> None:
        """Makes a local image known to every node; nothing where nodes pull by themselves."""
        ...

    def reach(self, namespace: str, service: str, port: int) -> AbstractContextManager[Address]:
        """Where this machine reaches a Service's port while the context lasts."""
        ...
