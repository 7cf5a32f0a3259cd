"""Syntax tree of the expr language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """nil, a boolean, a number or a string."""

    value: bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier of the environment or of a ``let``."""

    name: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """``#`` in a predicate: the current element ('' ), ``index`` or ``acc``."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class Unary:
    """``op expr`` with op one of ``! not - +``."""

    op: str
    expr: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """``left op right``."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Ternary:
    """``condition ? yes : no``."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Member:
    """``base.key`` or ``base[key]``; ``optional`` after ``?.``."""

    base: Node
    key: Node
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """``base[low:high]``."""

    base: Node
    low: Node | None
    high: Node | None


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of accesses with ``?.`` in it: nil as soon as an optional base is nil."""

    expr: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function of the environment."""

    callee: Node
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Builtin:
    """A call of a built-in; the last argument of those with a predicate is a ``Predicate``."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Predicate:
    """``{# > 1}`` or ``# > 1``."""

    body: Node


@dataclass(frozen=True, slots=True)
class Let:
    """``let name = value; body``."""

    name: str
    value: Node
    body: Node


@dataclass(frozen=True, slots=True)
class Sequence:
    """``a; b``: the last one's value."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """``[a, b]``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """``{a: 1}``."""

    items: tuple[tuple[Node, Node], ...]


Node = (
    Constant | Name | Pointer | Unary | Binary | Ternary | Member | Slice | Chain | Call | Builtin | Predicate | Let
    | Sequence | ListOf | MapOf
)  # fmt: skip
