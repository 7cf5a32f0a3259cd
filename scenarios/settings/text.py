"""One file's text with some values changed and nothing else: comments, order, quotes and line ends stay as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from scenarios.manifests.dialect import compose
from scenarios.manifests.yaml import Place, chunks
from scenarios.settings.inside import Spot, occurrences
from scenarios.settings.target import DROP, Act, Target

_PREFIX: Final = re.compile(r"(?:[!&]\S*\s+)+")
_PLAIN: Final = re.compile(r"[\w.+/-]+%?")


class UneditableError(Exception):
    """The value cannot be changed where it stands; says why."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters ``begin`` to ``end`` of a text become ``text``."""

    begin: int
    end: int
    text: str


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with every edit made."""
    for edit in sorted(edits, key=lambda edit: (edit.begin, edit.end), reverse=True):
        text = text[: edit.begin] + edit.text + text[edit.end :]
    return text


class Layout:
    """Where the nodes of a text stand."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._scalars: dict[Place, tuple[ScalarNode, int]] = {}
        self._mappings: dict[Place, tuple[MappingNode, int]] = {}
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        for line, chunk in chunks(text):
            self._note(compose(chunk)[0], line, self._lines[line - 1])

    def _note(self, node: Node | None, line: int, base: int) -> None:
        if node is None:
            return
        place = (line + node.start_mark.line, node.start_mark.column + 1)
        if isinstance(node, ScalarNode):
            self._scalars[place] = (node, base)
        elif isinstance(node, MappingNode) and place not in self._mappings:
            self._mappings[place] = (node, base)
            for key, value in node.value:
                self._note(key, line, base)
                self._note(value, line, base)
        elif isinstance(node, SequenceNode):
            for item in node.value:
                self._note(item, line, base)

    def edit(self, target: Target, place: Place, value: str) -> Edit | None:
        """What changes a value at a place to another; None if nothing does. UneditableError if it cannot be done there."""
        match target.act:
            case Act.INSIDE if target.spot is not None:
                return self._inside(place, target.spot, target, value)
            case Act.INSERT:
                return self._insert(place, str(target.path[-1]), value)
            case Act.ITEM:
                return self._drop(place) if value == DROP else None
        return self._replace(place, value)

    def _scalar(self, place: Place) -> tuple[int, int, ScalarNode]:
        if place not in self._scalars:
            msg = "it is not written there as a plain value"
            raise UneditableError(msg)
        node, base = self._scalars[place]
        begin, end = base + node.start_mark.index, base + node.end_mark.index
        tag = _PREFIX.match(self.text, begin, end)
        return (tag.end() if tag else begin), end, node

    def _replace(self, place: Place, value: str) -> Edit:
        begin, end, node = self._scalar(place)
        if node.style in {"|", ">"}:
            msg = "it is written over several lines"
            raise UneditableError(msg)
        if begin == end:
            msg = "nothing is written there yet: write a value first"
            raise UneditableError(msg)
        return Edit(begin, end, quoted(value, node.style))

    def _inside(self, place: Place, spot: Spot, target: Target, value: str) -> Edit:
        """The scalar with its literals changed; found again in the raw text by counting, as escapes and folds move places."""
        begin, end, _ = self._scalar(place)
        raw, whole = self.text[begin:end], _value_at(target)
        meant = list(occurrences(whole, spot.text))
        written = list(occurrences(raw, spot.text))
        if len(meant) != len(written):
            msg = f"{spot.text} cannot be told apart in the way it is written"
            raise UneditableError(msg)
        moved = Spot(spot.text, tuple(written[meant.index(at)] for at in spot.at))
        return Edit(begin, end, moved.replaced(raw, value))

    def _insert(self, place: Place, key: str, value: str) -> Edit:
        """A new key after the mapping's first plain value, in the mapping's own style."""
        if place not in self._mappings:
            msg = "the mapping around it is empty: write a value first"
            raise UneditableError(msg)
        node, base = self._mappings[place]
        for first, held in node.value:
            if isinstance(held, ScalarNode) and held.style not in {"|", ">"}:
                column = first.start_mark.column
                entry = f"{key}: {quoted(value, None)}"
                if node.flow_style:
                    at = base + held.end_mark.index
                    return Edit(at, at, f", {entry}")
                at = self._end_of_line(base + held.end_mark.index)
                return Edit(at, at, f"\n{' ' * column}{entry}")
        msg = "there is no plain value beside which it could be written"
        raise UneditableError(msg)

    def _end_of_line(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def _drop(self, place: Place) -> Edit:
        """The lines of a list's item, from its dash to the end of its last value; comments around it stay."""
        if place not in self._mappings:
            msg = "only items that are mappings can be dropped"
            raise UneditableError(msg)
        node, base = self._mappings[place]
        begin = self._lines[place[0] - 1]
        if self.text[begin : base + node.start_mark.index].strip(" ") != "-":
            msg = "it shares its line with something else"
            raise UneditableError(msg)
        last = max(_ends(node))
        end = last if self.text[last - 1 : last] == "\n" else self._end_of_line(base + last) + 1 - base
        return Edit(begin, base + end, "")


def _ends(node: Node) -> Iterator[int]:
    """Where every value in a node ends; the end of a block mapping itself lies behind the comments that follow it."""
    if isinstance(node, MappingNode) and node.value and not node.flow_style:
        for key, value in node.value:
            yield key.end_mark.index
            yield from _ends(value)
    elif isinstance(node, SequenceNode) and node.value and not node.flow_style:
        for item in node.value:
            yield from _ends(item)
    elif isinstance(node, ScalarNode) and not node.value and node.style is None:
        yield node.start_mark.index - 1
    else:
        yield node.end_mark.index


def _value_at(target: Target) -> str:
    data: Any = target.document.data if target.document is not None else ""
    for part in target.path:
        data = data[part]
    return str(data)


def quoted(value: str, style: str | None) -> str:
    """The value in the quotes that it had."""
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    if style == '"' or not _PLAIN.fullmatch(value):
        return json.dumps(value, ensure_ascii=False)
    return value


def as_written(raw: str, edits: Sequence[Edit]) -> str:
    """The edits of the text as it is read, made in the file's own characters: line ends of DOS and a byte order mark stay."""
    mark = raw.startswith("\ufeff")
    pairs = [match.start() - index for index, match in enumerate(re.finditer("\r\n", raw[mark:]))]
    newline = "\r\n" if pairs else "\n"

    def place(at: int) -> int:
        return at + mark + sum(pair < at for pair in pairs)

    return edited(raw, [Edit(place(e.begin), place(e.end), e.text.replace("\n", newline)) for e in edits])
