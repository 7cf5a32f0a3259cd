"""From a template to its steps (client-go util/jsonpath/parser.go).

A template is text with actions in braces. Text outside of braces is a result like any other, so a path that is written
without them yields itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sim.metrics import gotext


class PathError(Exception):
    """A template that cannot be read, or that does not fit the document; in the library's words."""


@dataclass(frozen=True, slots=True)
class Text:
    """A literal: what stands outside of braces, a quoted string, a number or a boolean."""

    value: str | int | float | bool
    per_input: bool = False
    """Numbers and booleans stand once for each input, text once."""


@dataclass(frozen=True, slots=True)
class Field:
    """``.name`` or ``['name']``."""

    name: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """``.*``."""


@dataclass(frozen=True, slots=True)
class Recursive:
    """``..``."""


@dataclass(frozen=True, slots=True)
class Array:
    """``[a:b:c]``; ``derived`` marks an end that follows from a single index."""

    start: int | None
    end: int | None
    step: int | None
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Union:
    """``[a,b]``."""

    parts: tuple[Steps, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """``[?(left op right)]``; op ``exists`` where nothing is compared."""

    left: Steps
    right: Steps
    op: str


@dataclass(frozen=True, slots=True)
class Identifier:
    """``range`` or ``end``."""

    name: str


Step = Text | Field | Wildcard | Recursive | Array | Union | Filter | Identifier
Steps = tuple[Step, ...]

_TERMINATORS: Final = frozenset(" \t\r\n.,[]$@{}")
_KEY: Final = re.compile(r"'([^']*)'\Z")
_SLICE: Final = re.compile(r"(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?\Z")
_COMPARISON: Final = re.compile(r"([^!<>=]+)([!<>=]+)(.+)\Z", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\"}


@lru_cache(maxsize=256)
def parse(template: str) -> tuple[Steps, ...]:
    """The template's pieces in turn: each action's steps, and each text as one step. PathError where it is none."""
    try:
        return tuple(_Parser(template).pieces())
    except RecursionError:
        msg = "nested too deeply"
        raise PathError(msg) from None


def _action(text: str) -> Steps:
    """The steps of an action within another one."""
    pieces = parse("{" + text + "}")
    return pieces[0]


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._steps: list[Step] = []

    def pieces(self) -> list[Steps]:
        found: list[Steps] = []
        while self._at < len(self._text):
            brace = self._text.find("{", self._at)
            end = len(self._text) if brace < 0 else brace
            if end > self._at:
                found.append((Text(self._text[self._at : end]),))
            self._at = end
            if brace >= 0:
                found.append(self._inside())
        return found

    def _inside(self) -> Steps:
        self._at += 1
        self._steps = []
        while not self._text.startswith("}", self._at):
            self._step()
        self._at += 1
        return tuple(self._steps)

    def _step(self) -> None:
        for prefix, read in (("[?(", self._filter), ("..", self._recursive)):
            if self._text.startswith(prefix, self._at):
                read()
                return
        character = self._text[self._at : self._at + 1]
        if character in {"", "\r", "\n"}:
            msg = "unclosed action"
            raise PathError(msg)
        if character in " @$":
            self._at += 1
            return
        self._reader(character)()

    def _reader(self, character: str) -> Callable[[], None]:
        if character == "[":
            return self._array
        if character in "\"'":
            return self._quoted
        if character == ".":
            return self._field
        if character in "+-" or character.isdecimal():
            return self._number
        if character == "_" or character.isalnum():
            return self._identifier
        shown = f" '{character}'" if character.isprintable() else ""
        msg = f"unrecognized character in action: U+{ord(character):04X}{shown}"
        raise PathError(msg)

    def _until_terminator(self) -> str:
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in _TERMINATORS:
            self._at += 2 if self._text[self._at] == "\\" else 1
        self._at = min(self._at, len(self._text))
        return self._text[start : self._at]

    def _identifier(self) -> None:
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in _TERMINATORS:
            self._at += 1
        word = self._text[start : self._at]
        self._steps.append(Text(word == "true", True) if word in {"true", "false"} else Identifier(word))

    def _recursive(self) -> None:
        if self._steps and isinstance(self._steps[-1], Recursive):
            msg = "invalid multiple recursive descent"
            raise PathError(msg)
        self._at += 2
        self._steps.append(Recursive())
        following = self._text[self._at : self._at + 1]
        if following and (following == "_" or following.isalnum()):
            self._name()

    def _field(self) -> None:
        self._at += 1
        self._name()

    def _name(self) -> None:
        name = self._until_terminator()
        self._steps.append(Wildcard() if name == "*" else Field(name.replace("\\", "")))

    def _number(self) -> None:
        start = self._at
        self._at += self._text[self._at] in "+-"
        while self._at < len(self._text) and (self._text[self._at] == "." or self._text[self._at].isdecimal()):
            self._at += 1
        written = self._text[start : self._at]
        for read in (gotext.parsed_int, gotext.parsed_float):
            try:
                self._steps.append(Text(read(written), True))
            except ValueError:
                continue
            return
        msg = f"cannot parse number {written}"
        raise PathError(msg)

    def _quoted(self) -> None:
        quote, start = self._text[self._at], self._at
        self._at += 1
        while True:
            character = self._text[self._at : self._at + 1]
            if character in {"", "\n"}:
                msg = "unterminated quoted string"
                raise PathError(msg)
            self._at += 1
            if character == quote and self._text[self._at - 2] != "\\":
                break
        self._steps.append(Text(_unquoted(self._text[start : self._at])))

    def _array(self) -> None:
        end = self._text.find("]", self._at)
        if end < 0 or "\n" in self._text[self._at : end]:
            msg = "unterminated array"
            raise PathError(msg)
        inside = self._text[self._at + 1 : end]
        self._at = end + 1
        inside = ":" if inside == "*" else inside
        parts = inside.split(",")
        key = _KEY.match(inside)
        if len(parts) > 1:
            self._steps.append(Union(tuple(_action(f"[{part.strip(' ')}]") for part in parts)))
        elif key is not None:
            self._steps += _action(f".{key[1]}")
        else:
            self._steps.append(_slice(inside))

    def _filter(self) -> None:
        self._at += 3
        inside = self._parenthesised()
        compared = _COMPARISON.match(inside)
        if compared is None:
            self._steps.append(Filter(_action(inside), (), "exists"))
        else:
            self._steps.append(Filter(_action(compared[1]), _action(compared[3]), compared[2]))

    def _parenthesised(self) -> str:
        """Up to the parenthesis that closes a filter: one that stands in no quotes."""
        start, quote, closed = self._at, "", False
        while True:
            character = self._text[self._at : self._at + 1]
            if character in {"", "\n"}:
                msg = "unterminated filter"
                raise PathError(msg)
            self._at += 1
            if character in "\"'":
                if not quote:
                    quote = character
                elif character == quote and self._text[self._at - 2] != "\\":
                    closed = True
            elif character == ")" and bool(quote) is closed:
                break
        if self._text[self._at : self._at + 1] != "]":
            msg = "unclosed array expect ]"
            raise PathError(msg)
        self._at += 1
        return self._text[start : self._at - 2]


def _slice(inside: str) -> Array:
    found = _SLICE.match(inside)
    if found is None:
        msg = f"invalid array index {inside}"
        raise PathError(msg)
    start = _bound(found[1]) if found[1] else None
    if found[2] is None:
        return Array(start, (start or 0) + 1, None, derived=True)
    return Array(start, _bound(found[2][1:]), _bound(found[3][1:]) if found[3] else None)


def _bound(text: str) -> int | None:
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        msg = f"array index {text} is not a number"
        raise PathError(msg) from None


def _unquoted(written: str) -> str:
    inside, quote = written[1:-1], written[0]
    value, position = "", 0
    while position < len(inside):
        character = inside[position]
        if character == "\\":
            letter = inside[position + 1 : position + 2]
            if letter not in _ESCAPES and letter != quote:
                msg = f"unquote string {written} error invalid syntax"
                raise PathError(msg)
            character = _ESCAPES.get(letter, letter)
            position += 1
        value += character
        position += 1
    return value
