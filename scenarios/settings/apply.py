"""A scenario with settings made: the user's text is edited in memory and read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as File
from typing import Any

from scenarios.document.load import Loaded
from scenarios.findings import BadInput, Finding, Path, Severity, path_text
from scenarios.manifests import Document
from scenarios.manifests.source import read_text
from scenarios.manifests.yaml import Place
from scenarios.settings.binding import Bound, bind
from scenarios.settings.inside import holds_literals
from scenarios.settings.parameter import CODE, Parameter
from scenarios.settings.target import Act
from scenarios.settings.text import Edit, Layout, UneditableError, edited


@dataclass(frozen=True, slots=True)
class Made:
    """A parameter, its place and the value that it gets."""

    bound: Bound
    value: str


def with_settings(loaded: Loaded, settings: Mapping[Parameter, str]) -> Loaded:
    """The scenario with these values in place of those written; BadInput with what the controller or the twin would refuse.

    Whoever tries many settings keeps an ``Editor``.
    """
    return Editor(loaded, settings).with_settings(settings)


class Editor:
    """A scenario whose settings can be made over and over: its files are read once, whatever happens to them later."""

    def __init__(self, loaded: Loaded, parameters: Iterable[Parameter]) -> None:
        self.loaded = loaded
        self.bound = bind(loaded, parameters)
        self.texts = {file: _text_of(file) for file in {File(item.file): None for item in loaded.documents.objects}}
        self._layouts: dict[File, Layout] = {}

    def with_settings(self, settings: Mapping[Parameter, str]) -> Loaded:
        """The scenario with these values; the kind of release chosen before is chosen again. BadInput as ``with_settings``."""
        made = self.made(settings)
        texts = self.texts | {file: edited(self.texts[file], edits) for file, edits in self.edits(made).items()}
        overrides = [f"{item.bound.parameter.name}={item.value}" for item in made if item.bound.target.document is None]
        again = self.loaded.origin.again(overrides, texts)
        if strays := list(_strays(self.loaded, again, made)):
            raise BadInput(strays)
        name = self.loaded.scenario.release.name
        known = name in {release.name for release in again.scenario.mix}
        return again.with_release(name) if known and name != again.scenario.release.name else again

    def made(self, settings: Mapping[Parameter, str]) -> tuple[Made, ...]:
        """Every setting with its place; parameters that are not among them stay as written."""
        return tuple(Made(item, settings[item.parameter]) for item in self.bound if item.parameter in settings)

    def edits(self, made: Iterable[Made]) -> dict[File, list[Edit]]:
        """The edits by file; BadInput with every value that cannot be changed where it stands."""
        edits: dict[File, list[Edit]] = {}
        findings: list[Finding] = []
        for item in made:
            document = item.bound.target.document
            if document is None:
                continue
            file = File(document.file)
            try:
                edit = self._layout(file).edit(item.bound.target, _place(document, item), _value(item))
            except UneditableError as error:
                findings.append(_finding(item, f"{item.bound.parameter.name} cannot be changed: {error}"))
                continue
            edits.setdefault(file, []).extend([edit] if edit is not None else [])
        if findings:
            raise BadInput(findings)
        return {file: _outermost(several) for file, several in edits.items() if several}

    def _layout(self, file: File) -> Layout:
        if file not in self._layouts:
            self._layouts[file] = Layout(self.texts[file])
        return self._layouts[file]


def _text_of(file: File) -> str:
    """A file's text as manifests are read; BadInput if it has gone since."""
    text, finding = read_text(file)
    if finding is not None:
        raise BadInput([finding])
    return text


def _outermost(edits: Sequence[Edit]) -> list[Edit]:
    """Without those inside of what is dropped."""
    dropped = [edit for edit in edits if not edit.text]
    return [e for e in edits if not any(d.begin <= e.begin and e.end <= d.end and d is not e for d in dropped)]


def _place(document: Document, item: Made) -> Place:
    path = item.bound.target.path
    return document.value_position(path[:-1] if item.bound.target.act is Act.INSERT else path)


def _value(item: Made) -> str:
    """The value as it is written there: conditions know no percentages."""
    target = item.bound.target
    if target.act is Act.INSIDE and item.value.endswith("%") and holds_literals(target.path):
        return f"{float(item.value[:-1]) / 100:.12g}"
    return item.value


def _strays(before: Loaded, after: Loaded, settings: Sequence[Made]) -> Iterator[Finding]:
    """Values that changed though nobody asked for it: those that an anchor shares with one that was meant."""
    meant = {}
    for item in settings:
        target = item.bound.target
        if target.document is not None:
            path = target.path[:-1] if target.act is Act.ITEM else target.path
            meant[target.document.file, target.document.line, path] = item
    if not meant or len(before.documents.objects) != len(after.documents.objects):
        return
    for old, new in zip(before.documents.objects, after.documents.objects, strict=True):
        here = {path: item for (file, line, path), item in meant.items() if (file, line) == (old.file, old.line)}
        for path in _differences(old.data, new.data, ()):
            if not any(path[: len(known)] == known for known in here):
                item = next(iter(meant.values()))
                message = f"{path_text(path)} of {old.kind} {old.name} would change too: an anchor shares the value"
                yield replace(_finding(item, message), suggestion="write the value out where it should differ")


def _differences(old: Any, new: Any, path: Path) -> Iterator[Path]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            yield from _differences(old.get(key), new.get(key), (*path, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differences(one, other, (*path, index))
    elif old != new:
        yield path


def _finding(item: Made, message: str) -> Finding:
    document, path = item.bound.target.document, item.bound.target.path
    if document is None:
        return Finding(CODE, Severity.ERROR, message, item.bound.parameter.label, 1, 1)
    line, column = document.position(path)
    return Finding(CODE, Severity.ERROR, message, document.file, line, column, path)
