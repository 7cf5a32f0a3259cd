"""Tokens of the expr language, cut as its own lexer cuts them: messages name tokens the way it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sim.metrics import gotext
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.escapes import unescaped
from sim.model.controller import Expr


@dataclass(frozen=True, slots=True)
class Token:
    """One token; ``kind`` is Identifier, Number, String, Bytes, Operator, Bracket or EOF."""

    kind: str
    value: str = ""
    at: int = 0

    def __str__(self) -> str:
        return f"{self.kind}({gotext.quoted(self.value)})" if self.value else self.kind

    def has(self, kind: str, *values: str) -> bool:
        """Whether it is of this kind and, if values are given, one of them."""
        return self.kind == kind and (not values or self.value in values)


NEGATABLE: Final = frozenset({"in", "matches", "contains", "startsWith", "endsWith"})
_WORDS: Final = NEGATABLE | {"or", "and", "let"}
_BRANCHES: Final = frozenset({"if", "else"})
_DIGITS: Final = "0123456789"
_BASES: Final = {"x": "0123456789abcdefABCDEF_", "o": "01234567_", "b": "01_"}
_PAIRED: Final = {"|": "|", ":": ":", **dict.fromkeys("&!=*<>", "&=*"), "?": ".?", ".": "."}
"""What may follow a character within one operator."""
_END: Final = ""


def tokens(text: str, expr: Expr) -> Iterator[Token]:
    """The tokens with EOF last, one by one; ExprError, when it is reached, for what is no token.

    Before 1.17 the whole text is cut before any of it is parsed.
    """
    stream = _Lexer(text, modern=expr is Expr.V1_17).stream()
    return stream if expr is Expr.V1_17 else iter(list(stream))


class _Lexer:
    def __init__(self, text: str, *, modern: bool) -> None:
        self._text = text
        self._modern = modern
        self._start = 0
        self._end = 0

    def stream(self) -> Iterator[Token]:
        while self._end < len(self._text):
            self._start = self._end
            character = self._text[self._end]
            if _is_space(character):
                self._end += 1
            elif character == "/" and self._peek(1) in {"/", "*"}:
                self._comment()
            else:
                yield from self._token(character)
        yield Token("EOF", "", max(self._end - 1, 0))

    def _peek(self, ahead: int = 0) -> str:
        return self._text[self._end + ahead : self._end + ahead + 1]

    def _accept(self, valid: str) -> bool:
        character = self._peek()
        if character == _END or character not in valid:
            return False
        self._end += 1
        return True

    def _run(self, valid: str) -> None:
        while self._accept(valid):
            pass

    def _emit(self, kind: str, value: str | None = None) -> Token:
        token = Token(kind, self._text[self._start : self._end] if value is None else value, self._start)
        self._start = self._end
        return token

    def _error(self, message: str) -> ExprError:
        return ExprError(message, max(self._end - 1, 0))

    def _comment(self) -> None:
        self._end += 2
        closing = "\n" if self._text[self._end - 1] == "/" else "*/"
        found = self._text.find(closing, self._end)
        if found < 0 and closing == "*/":
            self._end = len(self._text)
            msg = "unclosed comment"
            raise self._error(msg)
        self._end = len(self._text) if found < 0 else found + len(closing)

    def _token(self, character: str) -> Iterator[Token]:
        if character in "'\"" or (self._modern and character in "bB" and self._peek(1) in {"'", '"'}):
            yield self._string()
        elif character == "`" and self._modern:
            yield self._raw()
        elif character in _DIGITS or (character == "." and self._peek(1) and self._peek(1) in _DIGITS):
            yield self._number()
        elif character == "#":
            yield from self._pointer()
        elif _is_word(character):
            yield from self._word()
        else:
            yield self._symbol(character)

    def _symbol(self, character: str) -> Token:
        self._end += 1
        if character in "()[]{}":
            return self._emit("Bracket")
        if character in _PAIRED:
            if character != ":" or self._modern:
                self._accept(_PAIRED[character])
        elif character not in ",;%+-^/":
            shown = f" '{character}'" if character.isprintable() else ""
            msg = f"unrecognized character: U+{ord(character):04X}{shown}"
            raise self._error(msg)
        return self._emit("Operator")

    def _pointer(self) -> Iterator[Token]:
        self._end += 1
        self._accept("#")
        yield self._emit("Operator")
        self._letters()
        if self._end > self._start:
            yield self._emit("Identifier")

    def _letters(self) -> str:
        while self._peek() and _is_word(self._peek()):
            self._end += 1
        return self._text[self._start : self._end]

    def _word(self) -> Iterator[Token]:
        word = self._letters()
        if word == "not":
            yield from self._not()
        elif word in _WORDS or (self._modern and word in _BRANCHES):
            yield self._emit("Operator")
        else:
            yield self._emit("Identifier")

    def _not(self) -> Iterator[Token]:
        yield self._emit("Operator")
        self._run(" ")
        self._start = back = self._end
        if self._letters() in NEGATABLE:
            yield self._emit("Operator")
        else:
            self._end = back

    def _number(self) -> Token:
        digits = _DIGITS + "_"
        # After a leading point a whole number is read, with another point if there is one.
        self._accept(".")
        if self._accept("0"):
            base = self._peek().lower()
            if base in _BASES and base:
                self._end += 1
                digits = _BASES[base]
        self._run(digits)
        if self._peek() == "." and self._peek(1) != ".":
            self._end += 1
            self._run(digits)
        elif self._peek() == ".":
            return self._emit("Number")
        if self._accept("eE"):
            self._accept("+-")
            self._run(digits)
        if self._peek() and _is_word(self._peek()):
            self._end += 1
            msg = f"bad number syntax: {gotext.quoted(self._text[self._start : self._end])}"
            raise self._error(msg)
        return self._emit("Number")

    def _string(self) -> Token:
        kind = "Bytes" if self._peek() in "bB" else "String"
        self._end += 1 + (kind == "Bytes")
        value, self._end = unescaped(self._text, self._end, raw_bytes=kind == "Bytes", braces=self._modern)
        return self._emit(kind, value)

    def _raw(self) -> Token:
        position = self._end + 1
        while True:
            found = self._text.find("`", position)
            if found < 0:
                self._end = len(self._text) + 1
                msg = "literal not terminated"
                raise self._error(msg)
            if self._text[found + 1 : found + 2] != "`":
                break
            position = found + 2
        value = self._text[self._end + 1 : found].replace("``", "`")
        self._end = found + 1
        return self._emit("String", value)


def _is_word(character: str) -> bool:
    return character in "_$" or character.isalpha() or character.isdecimal()


def _is_space(character: str) -> bool:
    return character.isspace() and not "\x1c" <= character <= "\x1f"
