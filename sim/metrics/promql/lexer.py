"""PromQL's tokens with their places, for messages: the grammar's own parser names none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Kind(Enum):
    """What a token is."""

    TEXT = auto()
    """A quoted string, whole."""
    BROKEN = auto()
    """A quote that nothing closes, up to the end."""
    NUMBER = auto()
    """A number or a duration."""
    NAME = auto()
    """An identifier or a keyword."""
    OPEN = auto()
    CLOSE = auto()
    OPERATOR = auto()
    """An operator or a matcher's sign."""
    MARK = auto()
    """Comma, colon or @."""
    OTHER = auto()
    """What no PromQL has."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text and where it begins."""

    kind: Kind
    text: str
    at: int


_PATTERNS: Final = (
    (Kind.TEXT, r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`[^`]*`"),
    (Kind.BROKEN, r"[\"'`].*"),
    (Kind.NUMBER, r"0[xX][0-9a-fA-F]+|(?:[0-9]+(?:ms|[smhdwy]))+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"),
    (Kind.NAME, r"[a-zA-Z_][a-zA-Z0-9_]*(?::[a-zA-Z0-9_:]+)*"),
    (Kind.OPEN, r"[(\[{]"),
    (Kind.CLOSE, r"[)\]}]"),
    (Kind.OPERATOR, r"==|!=|>=|<=|=~|!~|[-+*/%^<>=]"),
    (Kind.MARK, r"[,:@]"),
    (Kind.OTHER, r"."),
)
_SPACE: Final = r"(?:\s|#[^\n]*)*"
_TOKEN: Final = re.compile(
    _SPACE + "(?:" + "|".join(f"(?P<{kind.name}>{pattern})" for kind, pattern in _PATTERNS) + ")", re.DOTALL
)


def tokens(text: str) -> list[Token]:
    """Every token of any text; comments and spaces are none."""
    found = []
    at = 0
    while match := _TOKEN.match(text, at):
        kind = Kind[match.lastgroup or ""]
        found.append(Token(kind, match[kind.name], match.start(kind.name)))
        at = match.end()
    return found
