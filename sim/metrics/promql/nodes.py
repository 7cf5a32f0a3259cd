"""The syntax tree the evaluator walks: frozen, with times in milliseconds and types already checked by the parser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


class PromqlError(Exception):
    """The query is not PromQL, uses what is not modelled, or cannot be evaluated; the text says which, why and where.

    ``reason`` is the text without the query, as the server words it.
    """

    def __init__(self, reason: str, query: str = "") -> None:
        super().__init__(f'{reason} in "{_shortened(query)}"' if query else reason)
        self.reason = reason


class PromqlSyntaxError(PromqlError):
    """The text is not PromQL, or its types do not fit."""


def _shortened(query: str) -> str:
    """A query on one line and of bearable length."""
    line = " ".join(query.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."


_SHOWN: Final = 160


@dataclass(frozen=True, slots=True)
class Number:
    """A literal scalar."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A literal string."""

    value: str


@dataclass(frozen=True, slots=True)
class Matcher:
    """``name op "value"`` with op one of ``= != =~ !~``."""

    name: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class When:
    """``@`` and ``offset``: the instant a selector looks at instead of the evaluation's own."""

    at: int | Literal["start", "end"] | None = None
    offset_ms: int = 0


@dataclass(frozen=True, slots=True)
class Selector:
    """Instant vector selector; ``name`` None when no exact metric name is given. For ``mode`` see ``extended``."""

    name: str | None
    matchers: tuple[Matcher, ...]
    when: When = When()
    mode: Literal["", "anchored", "smoothed"] = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Range vector selector."""

    selector: Selector
    range_ms: int


DEFAULT_STEP_MS: Final = 60_000
"""Subquery step where none is written: the server's default evaluation interval."""


@dataclass(frozen=True, slots=True)
class Subquery:
    """``expr[range:step]``; step None is the server's evaluation interval."""

    expr: Node
    range_ms: int
    step_ms: int | None
    when: When = When()


@dataclass(frozen=True, slots=True)
class Call:
    """A function call."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``op by|without (labels) (param, expr)``."""

    op: str
    expr: Node
    param: Node | None
    labels: tuple[str, ...]
    without: bool


@dataclass(frozen=True, slots=True)
class Matching:
    """How the sides of a vector operation find each other; ``many`` is the side with several partners, if any.

    The fill values stand in for partners that are missing on the left or on the right.
    """

    on: bool = False
    labels: tuple[str, ...] = ()
    many: Literal["", "left", "right"] = ""
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    """``lhs op rhs``; ``returns_bool`` is the ``bool`` modifier."""

    op: str
    lhs: Node
    rhs: Node
    matching: Matching = Matching()
    returns_bool: bool = False


@dataclass(frozen=True, slots=True)
class Negate:
    """Unary minus."""

    expr: Node


Node = Number | Text | Selector | Matrix | Subquery | Call | Aggregate | Binary | Negate
