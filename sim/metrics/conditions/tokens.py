"""Tokens of the expr language, as its own lexer cuts them (expr 1.17): messages name tokens the way it does."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass


class ExprError(Exception):
    """What expr would say about a condition: syntax, types, or a failure while it runs."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token; ``kind`` is Identifier, Number, String, Operator, Bracket or EOF."""

    kind: str
    value: str = ""
    literal: str = ""
    """Content of a string literal."""

    def __str__(self) -> str:
        return f"{self.kind}({json.dumps(self.value, ensure_ascii=False)})" if self.value else self.kind

    def has(self, kind: str, *values: str) -> bool:
        """Whether it is of this kind and, if values are given, one of them."""
        return self.kind == kind and (not values or self.value in values)


_WORDS = frozenset({"in", "or", "and", "not", "matches", "contains", "startsWith", "endsWith", "let", "if", "else"})
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
      |(?P<Number>0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+
          |(?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)
      |(?P<String>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`]|``)*`)
      |(?P<Identifier>[^\W\d][\w$]*|\$[\w$]*)
      |(?P<Operator>\?\.|\?\?|\?|\|\||\||::|:|\.\.|\.|[&!=*<>][&=*]|[&!=*<>]|[,;%+\-^/#])
      |(?P<Bracket>[()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{3}|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", "'": "'", '"': '"'}


def tokens(text: str) -> list[Token]:
    """The tokens with EOF last; ExprError for a character or literal that is none."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExprError(_unrecognized(text, position))
        position = match.end()
        if match.lastgroup != "space":
            found.append(_token(str(match.lastgroup), match[0]))
    return [*found, Token("EOF")]


def _unrecognized(text: str, position: int) -> str:
    character = text[position]
    if character in "'\"`":
        return "literal not terminated"
    return f"unrecognized character: U+{ord(character):04X} '{character}'"


def _token(kind: str, text: str) -> Token:
    if kind == "Identifier" and text in _WORDS:
        return Token("Operator", text)
    if kind == "String":
        literal = text[1:-1].replace("``", "`") if text[0] == "`" else _ESCAPE.sub(_unescaped, text[1:-1])
        return Token(kind, literal, literal)
    return Token(kind, text)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code in _SIMPLE:
        return _SIMPLE[code]
    try:
        return chr(int(code, 8)) if code[0] in "01234567" else chr(int(code[1:], 16))
    except (ValueError, OverflowError):
        msg = "invalid char escape"
        raise ExprError(msg) from None
