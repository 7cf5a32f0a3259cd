"""What Go's ``encoding/json`` says of text that is no JSON (scanner.go)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_SPACE: Final = " \t\r\n"
_BLANKS: Final = re.compile(f"[{_SPACE}]*")
_DIGITS: Final = re.compile(r"[0-9]*")
_END: Final = "unexpected end of JSON input"


class _Stop(Exception):  # noqa: N818  # an end, not always an error
    """The scan ended at a character, '' for the end of the text, and where it stood in the grammar."""

    def __init__(self, place: int, where: str) -> None:
        super().__init__(where)
        self.place = place
        self.where = where


def problem(source: str, quoted: Callable[[str], str]) -> str:
    """The first thing wrong with the text; '' for JSON. ``quoted`` writes a character in Go's quotes."""
    text = source.encode("utf-8", "surrogatepass").decode("latin-1")
    try:
        _Scanner(text).document()
    except _Stop as stop:
        at_end = stop.place >= len(text)
        if at_end and (not stop.where or stop.where[0] != "!"):
            return _END
        return f"invalid character {quoted(' ' if at_end else text[stop.place])} {stop.where.lstrip('!')}"
    return ""


class _Scanner:
    """Stops where Go's does; a place marked with ``!`` takes no space, so that the end of the text is misplaced there."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def document(self) -> None:
        """One value and nothing after it."""
        open_ones: list[str] = []
        self._value(open_ones)
        while open_ones:
            self._after(open_ones)
        self._blanks()
        if self._at < len(self._text):
            self._stop("after top-level value")

    def _stop(self, where: str) -> None:
        raise _Stop(self._at, where)

    def _blanks(self) -> None:
        found = _BLANKS.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _after(self, open_ones: list[str]) -> None:
        """What follows a value inside an array or an object."""
        self._blanks()
        inside, found = open_ones[-1], self._next()
        if found == inside:
            self._at += 1
            open_ones.pop()
        elif found == ",":
            self._at += 1
            if inside == "}":
                self._blanks()
                self._key()
            self._value(open_ones)
        else:
            self._stop("after array element" if inside == "]" else "after object key:value pair")

    def _value(self, open_ones: list[str]) -> None:
        """A scalar, or the beginnings of arrays and objects down to one."""
        while True:
            self._blanks()
            found = self._next()
            if found in {"[", "{"}:
                self._at += 1
                self._blanks()
                closing = "]" if found == "[" else "}"
                if self._next() == closing:
                    self._at += 1
                    return
                open_ones.append(closing)
                if found == "{":
                    self._key()
                continue
            self._scalar(found)
            return

    def _key(self) -> None:
        if self._next() != '"':
            self._stop("looking for beginning of object key string")
        self._string()
        self._blanks()
        if self._next() != ":":
            self._stop("after object key")
        self._at += 1

    def _scalar(self, found: str) -> None:
        literal = {"t": "true", "f": "false", "n": "null"}.get(found)
        if literal is not None:
            for expected in literal:
                if self._next() != expected:
                    self._stop(f"!in literal {literal} (expecting {expected!r})")
                self._at += 1
        elif found == '"':
            self._string()
        elif found and found in "-0123456789":
            self._number()
        else:
            self._stop("looking for beginning of value")

    def _string(self) -> None:
        self._at += 1
        while (found := self._next()) != '"':
            if not found or found < " ":
                self._stop("in string literal")
            self._at += 1
            if found == "\\":
                self._escape()
        self._at += 1

    def _escape(self) -> None:
        found = self._next()
        if not found or found not in 'bfnrt\\/"u':
            self._stop("!in string escape code")
        self._at += 1
        for _ in range(4 if found == "u" else 0):
            if not self._next() or self._next() not in "0123456789abcdefABCDEF":
                self._stop("!in \\u hexadecimal character escape")
            self._at += 1

    def _number(self) -> None:
        if self._next() == "-":
            self._at += 1
        if self._next() == "0":
            self._at += 1
        else:
            self._digits("!in numeric literal")
        if self._next() == ".":
            self._at += 1
            self._digits("!after decimal point in numeric literal")
        if self._next() in {"e", "E"}:
            self._at += 1
            if self._next() in {"+", "-"}:
                self._at += 1
            self._digits("!in exponent of numeric literal")

    def _digits(self, where: str) -> None:
        found = _DIGITS.match(self._text, self._at)
        if found is None or not found.group():
            self._stop(where)
            return
        self._at = found.end()
