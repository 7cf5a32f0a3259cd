"""Where a setting goes: the value itself, a number inside of it, a key still to be written, or an item to be left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from scenarios.findings import Path, path_text
from scenarios.manifests import Document
from scenarios.manifests.tables import Node, builtin_tables
from scenarios.settings.inside import Spot, holds_literals, numbers, windows
from scenarios.settings.naming import Start, item_named, parts_of
from scenarios.settings.parameter import Choices, Parameter, Unit, Values, unit_of

KEEP, DROP = "keep", "drop"
"""The two settings of a whole item of a list, such as a step."""
_LEAVES: Final = ("duration", "value")
"""What ``pause`` and an argument by name stand for."""


class Act(StrEnum):
    """What is done to the text."""

    REPLACE = "replace"
    INSIDE = "inside"
    """A literal inside of a condition or query."""
    INSERT = "insert"
    """The key is not written yet."""
    ITEM = "item"
    """An item is kept or dropped."""
    OVERRIDE = "override"
    """A key of the scenario, as ``--set`` changes it."""


@dataclass(frozen=True, slots=True)
class Target:
    """The place of a setting and what stands there; ``document`` is None for a key of the scenario."""

    document: Document | None
    path: Path
    act: Act
    current: str
    """As written; '' where it is not."""
    spot: Spot | None = None

    @property
    def key(self) -> tuple[str, str, Path, tuple[int, ...]]:
        """Equal for the same place."""
        owner = ("", "") if self.document is None else (self.document.file, f"{self.document.line}")
        return (*owner, self.path, () if self.spot is None else self.spot.at)

    @property
    def place(self) -> str:
        """``file:line path`` for people."""
        if self.document is None:
            return path_text(self.path)
        line, _ = self.document.position(self.path)
        return f"{self.document.file}:{line} {path_text(self.path)}"


class NoTargetError(Exception):
    """The name leads nowhere; says why, and how far it led."""

    def __init__(self, message: str, depth: int, *, indexed: bool = False) -> None:
        super().__init__(message)
        self.depth = depth
        self.indexed = indexed
        """An index would choose among the literals found."""


def target(parameter: Parameter, start: Start) -> Target:
    """What a name means from there; NoTargetError if nothing."""
    parts = parts_of(start.rest)
    if parts is None:
        msg = f"{start.rest!r} is no path such as canary.steps[1].pause or metrics[0].count"
        raise NoTargetError(msg, 1)
    if start.document is None:
        return Target(None, parts, Act.OVERRIDE, "")
    return _Walk(start.document, parameter.values).follow(start.base, parts)


@dataclass(frozen=True, slots=True)
class _Walk:
    document: Document
    values: Values

    def follow(self, base: Path, parts: Path) -> Target:
        data: Any = self.document.data
        path: Path = ()
        for part in base:
            if not _has(data, part):
                raise self._nowhere(data, path, part, 0)
            data, path = data[part], (*path, part)
        for depth, part in enumerate(parts):
            rest = parts[depth + 1 :]
            if isinstance(data, str) and holds_literals(path) and isinstance(part, int) and not rest:
                return self._inside(data, path, part)
            if not _has(_at(data, part), part if not isinstance(part, str) else _name(part)):
                return self._missing(data, path, part, rest, depth)
            step = _key(data, part)
            data, path = data[step], (*path, step)
        return self._leaf(data, path, len(parts))

    def _missing(self, data: Any, path: Path, part: str | int, rest: Path, depth: int) -> Target:
        """A key that may be written; or the next step that has it, as people count a weight and its pause as one."""
        following = _following(self.document.data, path, part)
        if following is not None:
            return self.follow((), (*following, part, *rest))
        if part == "query" and (provider := _provider(data)):
            return self.follow((), (*path, "provider", provider, part, *rest))
        if not rest and isinstance(data, Mapping) and isinstance(part, str) and _may_hold(self.document, (*path, part)):
            return Target(self.document, (*path, part), Act.INSERT, "")
        raise self._nowhere(data, path, part, depth)

    def _leaf(self, data: Any, path: Path, depth: int) -> Target:
        if isinstance(path[-1], int) and self._is_keep_or_drop():
            return Target(self.document, path, Act.ITEM, KEEP)
        if isinstance(data, Mapping):
            for name in _LEAVES:
                if name in data or (name == "duration" and path[-1] == "pause"):
                    return self.follow((), (*path, name))
            if len(data) == 1 and "analysis" not in data:
                return self.follow((), (*path, next(iter(data))))
        if isinstance(data, Mapping | list):
            raise self._nowhere(data, path, "", depth)
        if isinstance(data, str) and holds_literals(path) and not self._is_words():
            return self._inside(data, path, None)
        return Target(self.document, path, Act.REPLACE, _written(data))

    def _is_keep_or_drop(self) -> bool:
        return isinstance(self.values, Choices) and {KEEP, DROP} >= set(self.values.options)

    def _unit(self) -> Unit:
        if not isinstance(self.values, Choices):
            return self.values.unit
        return unit_of(self.values.options)

    def _is_words(self) -> bool:
        return self._unit() is Unit.WORD

    def _inside(self, text: str, path: Path, index: int | None) -> Target:
        """The literal of that index among those of the setting's kind; the only one where none is given."""
        duration = self._unit() is Unit.DURATION
        found = windows(text) if duration else numbers(text)
        what = "windows" if duration else "numbers"
        if index is None and len(found) == 1:
            index = 0
        if index is not None and index < len(found):
            return Target(self.document, path, Act.INSIDE, found[index].text, found[index])
        listed = ", ".join(f"[{place}] is {spot.text}" for place, spot in enumerate(found)) or "none"
        msg = f"{path_text(path)} holds these {what}: {listed}"
        raise NoTargetError(msg, len(path), indexed=bool(found))

    def _nowhere(self, data: Any, path: Path, part: str | int, depth: int) -> NoTargetError:
        owner = f"{self.document.kind} {self.document.name}"
        where = path_text(path) or "its top"
        if isinstance(data, Mapping):
            there = ", ".join(map(str, data)) or "nothing"
        elif isinstance(data, list):
            there = _items(data)
        else:
            there = f"the value {_written(data)}"
        asked = (
            f"{path_text((*path, _name(part) if isinstance(part, str) else part))} does not exist" if part != "" else ""
        )
        holds = f"{where} of {owner} holds {there}"
        return NoTargetError(f"{asked}: {holds}" if asked else holds, depth)


def _items(data: list[Any]) -> str:
    shown = [
        f"[{index}] {', '.join(map(str, item)) if isinstance(item, Mapping) else item}"
        for index, item in enumerate(data)
    ]
    return "; ".join(shown) or "no items"


def _name(part: str) -> str:
    return part.removeprefix("[")


def _at(data: Any, part: str | int) -> Any:
    """The data as the part looks into it: a list by name is looked into by index."""
    if isinstance(data, list) and isinstance(part, str):
        index = item_named(data, _name(part))
        return {_name(part): data[index]} if index is not None else {}
    return data


def _key(data: Any, part: str | int) -> str | int:
    if isinstance(data, list) and isinstance(part, str):
        index = item_named(data, _name(part))
        return -1 if index is None else index
    return _name(part) if isinstance(part, str) else part


def _has(data: Any, part: str | int) -> bool:
    if isinstance(data, Mapping):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)


def _following(data: Any, path: Path, part: str | int) -> Path | None:
    """The step after this one, before the next weight, that has the key which a step has only one of."""
    if len(path) < 2 or path[-2] != "steps" or part not in {"pause", "analysis"} or not isinstance(path[-1], int):
        return None
    steps: Any = data
    for step in path[:-1]:
        steps = steps[step]
    for index in range(path[-1] + 1, len(steps)):
        if not isinstance(steps[index], Mapping) or "setWeight" in steps[index]:
            return None
        if part in steps[index]:
            return (*path[:-1], index)
    return None


def _provider(metric: Any) -> str:
    """The kind of provider that a metric asks; '' if it is none."""
    provider = metric.get("provider") if isinstance(metric, Mapping) else None
    return str(next(iter(provider))) if isinstance(provider, Mapping) and len(provider) == 1 else ""


def _may_hold(document: Document, path: Path) -> bool:
    """Whether the field table of the kind has a plain value there."""
    node = builtin_tables("head").root(document.api_version, document.kind)
    for part in path:
        node = _below(node, part)
    return node is not None and node.type not in {"object", "array"}


def _below(node: Node | None, part: str | int) -> Node | None:
    if node is None:
        return None
    return node.items if isinstance(part, int) else node.fields.get(part, node.values)


def _written(data: Any) -> str:
    if data is None:
        return ""
    return str(data).lower() if isinstance(data, bool) else str(data)
