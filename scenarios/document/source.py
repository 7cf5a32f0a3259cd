"""The text of a scenario: YAML with the position of every value, ``extends`` merged, ``--set`` applied."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

from scenarios.findings import BadInput, Finding, Path, Severity, path_text
from scenarios.manifests.source import read_text
from scenarios.manifests.yaml import parse

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_DEPTH = 8


@dataclass(frozen=True)
class Place:
    """Where a value stands; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass
class Source:
    """Merged data and where each part of it came from."""

    data: dict[str, Any]
    places: dict[Path, Place] = field(default_factory=dict)
    file: str = ""
    findings: list[Finding] = field(default_factory=list)
    """What is wrong with the text and yet left it readable, such as a key written twice."""

    def position(self, path: Path) -> Place:
        """Place of the value at this path, or of the nearest thing around it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.places:
                return self.places[path[:end]]
        return Place(self.file, 1, 1)


def unreadable(file: str, message: str, line: int = 1, column: int = 1, suggestion: str = "") -> BadInput:
    """The error for a file that cannot be read at all."""
    return BadInput([Finding("RT800", Severity.ERROR, message, file, line, column, (), suggestion)])


def read(file: File, overrides: Sequence[str] = ()) -> Source:
    """The scenario text at ``file`` with what it extends and the ``key=value`` overrides; BadInput if unreadable."""
    source = _read_extending(file, ())
    for text in overrides:
        try:
            _override(source, text)
        except BadInput as error:
            source.findings.extend(error.findings)
    return source


def _read_extending(file: File, seen: tuple[File, ...]) -> Source:
    own = _parse(file)
    parent = own.data.pop("extends", None)
    if parent is None:
        return own
    place = own.position(("extends",))
    if not isinstance(parent, str):
        raise unreadable(place.file, "extends: must be the path of another scenario file", place.line, place.column)
    target = (file.parent / parent).resolve()
    if target in seen or len(seen) >= _DEPTH:
        raise unreadable(place.file, f"extends: {parent} leads back to itself", place.line, place.column)
    if not target.is_file():
        raise unreadable(place.file, f"extends: no file {parent} beside this one", place.line, place.column)
    return _merged(_read_extending(target, (*seen, file.resolve())), own)


def _parse(file: File) -> Source:
    text, finding = read_text(file)
    if finding is not None:
        raise BadInput([finding])
    return parse_text(text, str(file))


_SCENARIO = "a scenario: expected one mapping that begins with schema: rolltwin/v1"


def parse_text(text: str, name: str, wanted: str = _SCENARIO) -> Source:
    """One YAML document as a source; BadInput with line and column where it is no mapping."""
    documents = list(parse(text, name))
    errors = [item for document in documents for item in document.findings if item.severity is Severity.ERROR]
    if not all(document.readable for document in documents):
        raise BadInput(errors)
    if len(documents) != 1 or not isinstance(documents[0].data, dict):
        raise unreadable(name, f"is not {wanted}")
    places = {path: Place(name, *place) for path, place in documents[0].keys.items()}
    return Source(documents[0].data, places, name, errors)


def _merged(parent: Source, own: Source) -> Source:
    """Mappings merge key by key; everything else in the child replaces the parent's."""
    data = _merge(parent.data, own.data)
    replaced = _replaced(parent.data, own.data, ())
    places = {path: place for path, place in parent.places.items() if not any(path[: len(r)] == r for r in replaced)}
    return Source(data, places | own.places, own.file, parent.findings + own.findings)


def _merge(parent: Any, own: Any) -> Any:
    if not (isinstance(parent, dict) and isinstance(own, dict)):
        return own
    return parent | {key: _merge(parent[key], value) if key in parent else value for key, value in own.items()}


def _replaced(parent: Any, own: Any, path: Path) -> list[Path]:
    if not (isinstance(parent, dict) and isinstance(own, dict)):
        return [path]
    return [item for key in own if key in parent for item in _replaced(parent[key], own[key], (*path, key))]


def _override(source: Source, text: str) -> None:
    key, equals, value = text.partition("=")
    path = _path_of(key)
    place = Place(f"--set {text}", 1, 1)
    if not equals or not path:
        raise unreadable(place.file, "must be key=value, for example --set traffic.stages[0].rate=500")
    parsed = parse_text(f"value: {value}", place.file)
    if parsed.findings:
        raise BadInput(parsed.findings)
    changed = copy.deepcopy(source.data)
    _put(changed, path, parsed.data["value"], place)
    source.data = changed
    source.places = {where: at for where, at in source.places.items() if where[: len(path)] != path}
    for end in range(1, len(path) + 1):
        source.places.setdefault(path[:end], place)


def _path_of(key: str) -> Path:
    parts: list[str | int] = []
    end = 0
    for match in _PART.finditer(key):
        word, index = match.groups()
        parts.append(int(index) if index is not None else word)
        end = match.end()
    return tuple(parts) if end == len(key) else ()


def _put(data: Any, path: Path, value: Any, place: Place) -> None:
    for depth, part in enumerate(path[:-1]):
        if isinstance(data, dict) and isinstance(part, str):
            data = data.setdefault(part, [] if isinstance(path[depth + 1], int) else {})
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            raise _no_such_place(path[: depth + 1], place)
    last = path[-1]
    if isinstance(data, dict) and isinstance(last, str):
        data[last] = value
    elif isinstance(data, list) and isinstance(last, int) and last <= len(data):
        data[last : last + 1] = [value]
    else:
        raise _no_such_place(path, place)


def _no_such_place(path: Path, place: Place) -> BadInput:
    return unreadable(
        place.file, f"there is no {path_text(path)} in this scenario", suggestion="see rolltwin explain scenario"
    )
