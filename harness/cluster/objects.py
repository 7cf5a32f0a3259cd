"""The Kubernetes API as plain JSON objects, and a live picture of one kind of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

Object = dict[str, Any]
"""A Kubernetes object as the API server writes it."""


class Watched(Protocol):
    """A live picture of every object of one kind in the namespace, kept by a thread (list, watch, list again on loss)."""

    def current(self) -> Mapping[str, Object]:
        """The objects by name, as last heard; a snapshot that nobody changes."""
        ...

    def on_change(self, listener: Callable[[str, Object | None, float], None]) -> None:
        """Calls ``listener(name, object or None when deleted, UNIX time heard)`` for every change from now on.

        In order, on the watching thread; the objects that exist already come first.
        """
        ...


class Objects(Protocol):
    """One namespace. Objects are dicts; ``kind`` is ``Pod``, ``apps/v1/ReplicaSet`` ... (the bare kind where it is known)."""

    namespace: str

    def get(self, kind: str, name: str) -> Object | None:
        """The object, or None."""
        ...

    def list(self, kind: str, labels: Mapping[str, str] | None = None) -> list[Object]:
        """Every object of the kind, with these labels."""
        ...

    def apply(self, obj: Object) -> Object:
        """Creates the object or, by server-side apply, makes it so; the namespace is this one if the kind has any."""
        ...

    def create(self, obj: Object) -> Object:
        """Creates the object; an error if it exists."""
        ...

    def patch(self, kind: str, name: str, patch: Object, *, subresource: str = "") -> Object:
        """JSON merge patch (a list replaces a list, None removes)."""
        ...

    def delete(self, kind: str, name: str, *, grace_s: int | None = None) -> None:
        """Deletes the object; nothing if it is not there."""
        ...

    def watch(self, kind: str) -> Watched:
        """The live picture of a kind, started on first use and shared."""
        ...

    def proxied(self, method: str, pod: str, port: int, path: str, body: object = None) -> bytes:
        """What a pod answers over HTTP, asked through the API server; ApiError or LostError otherwise."""
        ...

    def close(self) -> None:
        """Ends every watch."""
        ...
