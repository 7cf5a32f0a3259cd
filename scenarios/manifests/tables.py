"""Field tables: which fields an object may have, and of what type."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from scenarios.manifests.compact import LIMITS

VERSIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "head": ("kubernetes", "argo-rollouts-head", "argo-cd-head", "istio-head"),
        "playbook": ("kubernetes", "argo-rollouts-v1.6.6", "argo-cd-v2.10.20", "istio-1.20.8"),
    }
)
"""Folders of ``fields/`` by set: the newest tables, and those of the versions the TripTrip playbook pins."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One node of a table. ``type`` is a JSON type, ``int-or-string``, ``quantity`` or ``any``."""

    type: str = "any"
    fields: Mapping[str, Node] = field(default_factory=dict)
    values: Node | None = None
    """Of a map with free keys."""
    items: Node | None = None
    required: tuple[str, ...] = ()
    enum: tuple[Any, ...] = ()
    one_of: tuple[str, ...] = ()
    """Fields of which at most one may be set; exactly one where ``one_needed``."""
    one_needed: bool = False
    nullable: bool = False
    open: bool = False
    """Fields not in the table are allowed and not looked at."""
    limits: Mapping[str, Any] = field(default_factory=dict)
    """``minimum``, ``pattern``, ``maxItems`` and their like, as in OpenAPI."""
    keys: tuple[str, ...] | None = None
    """Fields by which the items of a list are told apart; empty where the items themselves must differ."""
    default: str | int | float | bool | None = None
    """What the API server writes where the field is missing."""

    @property
    def closed(self) -> bool:
        """Whether an unlisted field is an error."""
        return self.type == "object" and not self.open and self.values is None


@dataclass(frozen=True, slots=True)
class Tables:
    """Root nodes by (apiVersion, kind)."""

    roots: Mapping[tuple[str, str], Node]

    def root(self, api_version: str, kind: str) -> Node | None:
        """The table of a kind, or None if there is none."""
        return self.roots.get((api_version, kind))

    def versions(self, group: str, kind: str) -> tuple[str, ...]:
        """The apiVersions under which this kind of this group is known."""
        return tuple(v for v, k in self.roots if k == kind and v.rpartition("/")[0] == group)

    def merged(self, other: Tables) -> Tables:
        """These tables with those of the other in front."""
        replaced = {(version.rpartition("/")[0], kind) for version, kind in other.roots}
        kept = {key: root for key, root in self.roots.items() if (key[0].rpartition("/")[0], key[1]) not in replaced}
        return Tables({**kept, **other.roots})


def builtin_tables(versions: str = "head") -> Tables:
    """The tables that come with the program; ValueError for an unknown set of versions."""
    if versions not in VERSIONS:
        msg = f"versions must be one of {', '.join(VERSIONS)}, not {versions!r}"
        raise ValueError(msg)
    return _builtin(versions)


@cache
def _builtin(versions: str) -> Tables:
    roots: dict[tuple[str, str], Node] = {}
    for folder in VERSIONS[versions]:
        for file in _tables_in(folder):
            roots |= read_table(json.loads(file.read_text(encoding="utf-8")))
    return Tables(roots)


def _tables_in(folder: str) -> Iterator[Traversable]:
    directory = files("scenarios.manifests").joinpath("fields", folder)
    yield from sorted((f for f in directory.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)


def read_table(table: dict[str, Any]) -> dict[tuple[str, str], Node]:
    """Root nodes of one table file: ``{group, kind, versions: {name: NODE}, shared: [NODE]}``."""
    shared: list[Node] = []
    for raw in table.get("shared", ()):
        shared.append(_node(raw, shared))
    prefix = f"{table['group']}/" if table["group"] else ""
    return {(prefix + name, table["kind"]): _node(raw, shared) for name, raw in table["versions"].items()}


def _node(raw: Any, shared: list[Node]) -> Node:
    """A node from a type name, ``#n`` for an earlier shared node, or a mapping."""
    if isinstance(raw, str):
        return shared[int(raw[1:])] if raw.startswith("#") else Node(raw)
    return Node(
        type=raw.get("type", "object"),
        fields={name: _node(child, shared) for name, child in raw.get("fields", {}).items()},
        values=_node(raw["values"], shared) if "values" in raw else None,
        items=_node(raw["items"], shared) if "items" in raw else None,
        required=tuple(raw.get("required", ())),
        enum=tuple(raw.get("enum", ())),
        one_of=tuple(raw.get("oneOf", ())),
        one_needed=raw.get("oneNeeded", False),
        nullable=raw.get("nullable", False),
        open=raw.get("open", False),
        limits={name: raw[name] for name in LIMITS if name in raw},
        keys=tuple(raw["keys"]) if "keys" in raw else None,
        default=raw.get("default"),
    )
