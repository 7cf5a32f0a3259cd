"""Syntax tree of the expr language.

Nodes belong to one compilation: the checker writes each node's type into it, and what makes the tree smaller
(``lowering``) reads that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sim.metrics.conditions import types
from sim.metrics.conditions.types import Type


@dataclass(slots=True, eq=False, kw_only=True)
class Located:
    """What every node has."""

    at: int = 0
    """Offset in the text, in characters."""
    type: Type = types.UNKNOWN


@dataclass(slots=True, eq=False)
class Constant(Located):
    """nil, a boolean, a number, a string or bytes."""

    value: bool | int | float | str | bytes | None


@dataclass(slots=True, eq=False)
class Fixed(Located):
    """A value the compiler worked out: a list or a set of constants."""

    value: Any


@dataclass(slots=True, eq=False)
class Name(Located):
    """An identifier of the environment or of a ``let``."""

    name: str


@dataclass(slots=True, eq=False)
class Pointer(Located):
    """``#`` in a predicate: the current element (``""``), ``index`` or ``acc``."""

    name: str


@dataclass(slots=True, eq=False)
class Unary(Located):
    """``op expr`` with op one of ``! not - +``."""

    op: str
    expr: Node


@dataclass(slots=True, eq=False)
class Binary(Located):
    """``left op right``."""

    op: str
    left: Node
    right: Node


@dataclass(slots=True, eq=False)
class Ternary(Located):
    """``condition ? yes : no``."""

    condition: Node
    yes: Node
    no: Node


@dataclass(slots=True, eq=False)
class Member(Located):
    """``base.key`` or ``base[key]``; ``optional`` after ``?.``; ``method`` where it is called."""

    base: Node
    key: Node
    optional: bool = False
    method: bool = False


@dataclass(slots=True, eq=False)
class Slice(Located):
    """``base[low:high]``."""

    base: Node
    low: Node | None
    high: Node | None


@dataclass(slots=True, eq=False)
class Chain(Located):
    """A chain of accesses with ``?.`` in it: nil as soon as an optional base is nil."""

    expr: Node


@dataclass(slots=True, eq=False)
class Call(Located):
    """A call of a function of the environment, or of a method."""

    callee: Node
    args: list[Node]


@dataclass(slots=True, eq=False)
class Builtin(Located):
    """A call of a built-in.

    The compiler alone sets the rest: ``mapped`` is what ``filter`` and ``find`` return of an element, ``throws``
    makes ``find`` fail where nothing is found, ``threshold`` is the number at which ``count`` may stop.
    """

    name: str
    args: list[Node]
    mapped: Node | None = None
    throws: bool = False
    threshold: int | None = None


@dataclass(slots=True, eq=False)
class Predicate(Located):
    """``{# > 1}`` or ``# > 1``."""

    body: Node


@dataclass(slots=True, eq=False)
class Let(Located):
    """``let name = value; body``."""

    name: str
    value: Node
    body: Node


@dataclass(slots=True, eq=False)
class Sequence(Located):
    """``a; b``: the last one's value."""

    parts: list[Node]


@dataclass(slots=True, eq=False)
class ListOf(Located):
    """``[a, b]``."""

    items: list[Node]


@dataclass(slots=True, eq=False)
class MapOf(Located):
    """``{a: 1}``."""

    items: list[tuple[Node, Node]] = field(default_factory=list)


Node = (
    Constant | Fixed | Name | Pointer | Unary | Binary | Ternary | Member | Slice | Chain | Call | Builtin | Predicate
    | Let | Sequence | ListOf | MapOf
)  # fmt: skip
