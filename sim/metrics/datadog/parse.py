"""Datadog's metric query language: text to tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, VisitError

from sim.metrics.datadog import filters


class DatadogError(Exception):
    """The query is not in the language, or asks for what is not modelled; the text says which and where."""


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True, slots=True)
class Word:
    """A bare or quoted word: the name of a query in a formula, or a function's option."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """``name(args)``, also for methods that act on the evaluated series (``.fill(zero)``)."""

    name: str
    args: tuple[Node, ...]
    place: str = field(default="", compare=False)
    """``line 1, column 5: `` of the name."""

    def refusal(self, known: Iterable[str]) -> str:
        """Why it cannot be evaluated."""
        needs = f"{self.name} needs a query" if self.name in known else f"function {self.name} is not modelled"
        return self.place + needs


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left op right``."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """``space:metric{filter} by {tags}`` with its time aggregation: (method, seconds), each '' or 0 for the default."""

    space: str
    metric: str
    filter: filters.Filter
    by: tuple[str, ...] = ()
    modifier: str = ""
    """``as_count`` or ``as_rate``."""
    rollup: tuple[str, float] = ("", 0.0)


Node = Number | Word | Call | Arithmetic | MetricQuery

SPACE: Final = frozenset({"avg", "sum", "min", "max", "count"})
"""Space aggregations that can be evaluated."""
TIME: Final = frozenset({"avg", "sum", "min", "max", "count", "last"})
"""Rollup methods that can be evaluated."""

_GRAMMAR = r"""
    start: sum
    ?sum: product | sum ADD product -> arithmetic
    ?product: unary | product MUL unary -> arithmetic
    ?unary: ADD unary -> signed | postfix
    ?postfix: atom | postfix "." NAME "(" [arg ("," arg)*] ")" -> method
    ?atom: NUMBER -> number
         | NAME -> word
         | STRING -> quoted
         | NAME "(" [arg ("," arg)*] ")" -> call
         | "(" sum ")"
         | METRIC "{" filter "}" [by] -> metric
    ?arg: sum
    by: "by"i "{" TAG ("," TAG)* "}"

    ?filter: either
    ?either: both (_OR both)* -> any_of
    ?both: single ((_AND | ",") single)* -> all_of
    ?single: TAG -> tag
           | _NOT single -> negated
           | "!" single -> negated
           | "(" either ")"
           | TAG _IN "(" TAG ("," TAG)* ")" -> one_of
           | TAG _NOT _IN "(" TAG ("," TAG)* ")" -> none_of

    ADD: "+" | "-"
    MUL: "*" | "/"
    NUMBER: /\d+(\.\d*)?([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?/
    METRIC.3: /(?:[a-zA-Z][a-zA-Z0-9]*:)?[a-zA-Z][a-zA-Z0-9_.]*(?=\s*\{)/
    NAME: /[a-zA-Z_][a-zA-Z0-9_]*/
    STRING: /'[^']*'|"[^"]*"/
    _OR.2: /OR(?=[\s(])/i
    _AND.2: /AND(?=[\s(!])/i
    _NOT.2: /NOT(?=[\s(])/i
    _IN.2: /IN(?=[\s(])/i
    TAG: /[^\s,(){}!]+/
    %ignore /\s+/
"""


class _Builder(Transformer[Token, Any]):
    """Builds nodes bottom-up; one method per rule of the grammar, named as there."""

    def start(self, parts: list[Node]) -> Node:
        return parts[0]

    def number(self, parts: list[Token]) -> Node:
        return Number(float(parts[0]))

    def word(self, parts: list[Token]) -> Node:
        return Word(str(parts[0]))

    def quoted(self, parts: list[Token]) -> Node:
        return Word(str(parts[0])[1:-1])

    def arithmetic(self, parts: list[Any]) -> Node:
        left, op, right = parts
        return Arithmetic(str(op), left, right)

    def signed(self, parts: list[Any]) -> Node:
        sign, value = parts
        return Arithmetic(str(sign), Number(0.0), value)

    def call(self, parts: list[Any]) -> Node:
        return Call(str(parts[0]), tuple(part for part in parts[1:] if part is not None), _place(parts[0]))

    def by(self, parts: list[Token]) -> tuple[str, ...]:
        return tuple(str(part).lower() for part in parts)

    def metric(self, parts: list[Any]) -> Node:
        name, chosen, by = parts
        space, _, metric = str(name).rpartition(":")
        space = space.lower() or "avg"
        if space not in SPACE:
            reason = "the agents send counts and gauges, no distributions"
            msg = f"{_place(name)}space aggregation {space!r} is not modelled ({reason})"
            raise DatadogError(msg)
        return MetricQuery(space, metric, chosen, by or ())

    def method(self, parts: list[Any]) -> Node:
        target, name = parts[0], str(parts[1])
        args = tuple(part for part in parts[2:] if part is not None)
        if name not in _METHODS:
            return Call(name, (target, *args), _place(parts[1]))
        try:
            return _METHODS[name](target, args)
        except DatadogError as error:
            raise DatadogError(_place(parts[1]) + str(error)) from None

    def tag(self, parts: list[Token]) -> filters.Filter:
        if parts[0].startswith("$"):
            msg = f"{_place(parts[0])}template variable {parts[0]} has no value in a query of the API"
            raise DatadogError(msg)
        return filters.tag(str(parts[0]))

    def negated(self, parts: list[filters.Filter]) -> filters.Filter:
        return filters.Not(parts[0])

    def any_of(self, parts: list[filters.Filter]) -> filters.Filter:
        return filters.AnyOf(tuple(parts)) if len(parts) > 1 else parts[0]

    def all_of(self, parts: list[filters.Filter]) -> filters.Filter:
        return filters.AllOf(tuple(parts)) if len(parts) > 1 else parts[0]

    def one_of(self, parts: list[Token]) -> filters.Filter:
        return filters.AnyOf(tuple(filters.tag(f"{parts[0]}:{value}") for value in parts[1:]))

    def none_of(self, parts: list[Token]) -> filters.Filter:
        return filters.Not(self.one_of(parts))


def _place(token: Any) -> str:
    return f"line {token.line}, column {token.column}: "


def _changed(target: Node, **changes: Any) -> MetricQuery:
    if isinstance(target, Call) and target.name == "events":
        msg = "event queries are not modelled"
        raise DatadogError(msg)
    if not isinstance(target, MetricQuery):
        msg = "as_count, as_rate and rollup belong directly behind a metric"
        raise DatadogError(msg)
    kept = {name: getattr(target, name) for name in MetricQuery.__slots__}
    return MetricQuery(**(kept | changes))


def _rollup(target: Node, args: tuple[Node, ...]) -> Node:
    method, seconds = "", 0.0
    for arg in args:
        match arg:
            case Word(text) if text in TIME:
                method = text
            case Number(value) if value >= 1:
                seconds = value
            case _:
                msg = "rollup takes a method (avg, sum, min, max, count, last) and a number of seconds"
                raise DatadogError(msg)
    return _changed(target, rollup=(method, seconds))


_METHODS: Final[dict[str, Callable[[Node, tuple[Node, ...]], Node]]] = {
    "as_count": lambda target, _: _changed(target, modifier="as_count"),
    "as_rate": lambda target, _: _changed(target, modifier="as_rate"),
    "rollup": _rollup,
}


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", maybe_placeholders=True)


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """The query's tree; DatadogError with line and column when it is not in the language."""
    try:
        tree: Node = _Builder().transform(_parser().parse(text))
    except UnexpectedInput as error:
        msg = f"line {error.line}, column {error.column}: {_expectation(text, error)}"
        raise DatadogError(msg) from None
    except VisitError as error:
        raise DatadogError(str(error.orig_exc)) from None
    except RecursionError:
        msg = "nested too deeply"
        raise DatadogError(msg) from None
    return tree


def _expectation(text: str, error: UnexpectedInput) -> str:
    # The stubs promise a position; at the end of the input lark gives -1 or None.
    position: Any = error.pos_in_stream
    rest = text[position:] if isinstance(position, int) and position >= 0 else ""
    word = re.match(r"\s*(\S{1,20})", rest)
    return f"{word[1]!r} does not continue a query" if word else "the query ends too early"
