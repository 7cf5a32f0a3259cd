"""String literals of the expr language: where one ends, and what its escapes mean."""

from __future__ import annotations

from typing import Final

from sim.metrics.conditions.errors import ExprError

_SIMPLE: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_LENGTHS: Final = {"x": 2, "u": 4, "U": 8}
_INVALID: Final = "invalid char escape"
_UNREADABLE: Final = "unable to unescape string"
_REPLACEMENT: Final = "\ufffd"


def unescaped(text: str, start: int, *, raw_bytes: bool, braces: bool) -> tuple[str, int]:
    r"""The value of the literal whose quote stands before ``start``, and the position after its closing quote.

    ExprError in the lexer's words. In bytes literals each character stands for one byte; ``\u{...}`` is
    an escape since 1.17 (``braces``).
    """
    quote, position = text[start - 1], start
    parts: list[str] = []
    trouble: ExprError | None = None
    while True:
        character = text[position : position + 1]
        if character in {"", "\n"}:
            msg = "literal not terminated"
            raise ExprError(msg, position)
        if character == quote:
            break
        if character == "\\":
            try:
                value, position = _escape(text, position + 1, quote, raw_bytes=raw_bytes, braces=braces)
            except _UnreadableError as error:
                value, position = "", error.after
                trouble = trouble or ExprError(str(error), start - 1)
            parts.append(value)
        else:
            parts.append(_plain(character, raw_bytes=raw_bytes))
            position += 1
    if trouble is not None:
        raise trouble
    return "".join(parts), position + 1


def _plain(character: str, *, raw_bytes: bool) -> str:
    if character == "\r":
        return "\n"
    return character.encode().decode("latin-1") if raw_bytes else character


class _UnreadableError(Exception):
    """An escape that the lexer lets pass and that means nothing; the literal's end is looked for first."""

    def __init__(self, message: str, after: int) -> None:
        super().__init__(message)
        self.after = after


def _escape(text: str, position: int, quote: str, *, raw_bytes: bool, braces: bool) -> tuple[str, int]:
    letter = text[position : position + 1]
    if letter in _SIMPLE:
        return _SIMPLE[letter], position + 1
    if letter == quote and letter:
        return quote, position + 1
    if letter and letter in "01234567":
        return _octal(text, position)
    if braces and letter == "u" and text[position + 1 : position + 2] == "{":
        return _braced(text, position + 2, raw_bytes=raw_bytes)
    if letter and letter in _LENGTHS:
        end = position + 1 + _LENGTHS[letter]
        return _code(_digits(text, position + 1, end), 16, end, unicode=letter != "x", raw_bytes=raw_bytes)
    raise ExprError(_INVALID, position)


def _digits(text: str, start: int, end: int) -> str:
    digits = text[start:end]
    if len(digits) < end - start or not set(digits) <= _HEX:
        raise ExprError(_INVALID, start)
    return digits


def _octal(text: str, position: int) -> tuple[str, int]:
    digits = text[position : position + 3]
    if len(digits) < 3 or not set(digits) <= set("01234567"):
        raise ExprError(_INVALID, position)
    if digits[0] > "3":
        raise _UnreadableError(_UNREADABLE, position + 3)
    return chr(int(digits, 8)), position + 3


def _braced(text: str, position: int, *, raw_bytes: bool) -> tuple[str, int]:
    end = text.find("}", position)
    digits = text[position:end] if end >= 0 else ""
    if not 1 <= len(digits) <= 6 or not set(digits) <= _HEX:
        raise ExprError(_INVALID, position)
    return _code(digits, 16, end + 1, unicode=True, raw_bytes=raw_bytes)


def _code(digits: str, base: int, after: int, *, unicode: bool, raw_bytes: bool) -> tuple[str, int]:
    code = int(digits, base)
    if code > 0x10FFFF or (unicode and raw_bytes):
        raise _UnreadableError(_UNREADABLE, after)
    return (_REPLACEMENT if 0xD800 <= code < 0xE000 else chr(code)), after
