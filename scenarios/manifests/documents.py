"""Kubernetes objects as written, each node with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scenarios.findings import Finding, Path
from scenarios.manifests.yaml import Place


@dataclass(frozen=True, slots=True)
class Document:
    """One object. ``data`` is what was written, unknown fields included."""

    kind: str
    api_version: str
    name: str
    namespace: str
    """As written; empty where it is not."""
    data: dict[str, Any]
    file: str
    problems: tuple[Finding, ...] = ()
    """What is wrong with this object alone."""
    keys: Mapping[Path, Place] = field(default_factory=dict, repr=False, compare=False)
    values: Mapping[Path, Place] = field(default_factory=dict, repr=False, compare=False)

    @property
    def group(self) -> str:
        """API group, '' for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def line(self) -> int:
        """First line of the object."""
        return self.position(())[0]

    def position(self, path: Path) -> Place:
        """Line and column of the key (or list item) at a path, or of its nearest ancestor that is written."""
        return _nearest(self.keys, path)

    def value_position(self, path: Path) -> Place:
        """Line and column of the value at a path; a block scalar starts at its ``|`` or ``>``."""
        return _nearest(self.values, path)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document that is no YAML, with the kind and name its text seems to have ('' where it has none)."""

    kind: str
    name: str
    message: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Documents:
    """Everything that was read, in file order, and everything that is wrong with it."""

    objects: tuple[Document, ...] = ()
    findings: tuple[Finding, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    def of_kind(self, *kinds: str) -> tuple[Document, ...]:
        """The objects of these kinds."""
        return tuple(document for document in self.objects if document.kind in kinds)

    def find(self, kind: str, name: str, namespace: str = "") -> Document | None:
        """The object of this kind and name (in this namespace, where given); the last one written wins, as applied."""
        found = [d for d in self.objects if (d.kind, d.name) == (kind, name) and namespace in {"", d.namespace}]
        return found[-1] if found else None


def _nearest(places: Mapping[Path, Place], path: Path) -> Place:
    for length in range(len(path), -1, -1):
        if place := places.get(path[:length]):
            return place
    return (1, 1)
