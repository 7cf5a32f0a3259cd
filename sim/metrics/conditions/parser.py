"""From text to tree, by operator precedence as expr 1.17 parses.

Written by hand rather than with a grammar: what the controller records about a broken condition is the text of this
very algorithm's error, down to the token it stumbled over.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from sim.metrics.conditions.syntax import (
    Binary,
    Builtin,
    Call,
    Chain,
    Constant,
    Let,
    ListOf,
    MapOf,
    Member,
    Name,
    Node,
    Pointer,
    Predicate,
    Sequence,
    Slice,
    Ternary,
    Unary,
)
from sim.metrics.conditions.tokens import ExprError, Token, tokens

COMPARISONS: Final = frozenset({"<", ">", "<=", ">="})
"""Operators that chain."""
_BINARY: Final = (
    {"|": 0, "||": 10, "or": 10, "&&": 15, "and": 15, "..": 25, "+": 30, "-": 30, "*": 60, "/": 60, "%": 60}
    | {"**": 100, "^": 100, "??": 500}
    | dict.fromkeys((*COMPARISONS, "==", "!=", "in", "matches", "contains", "startsWith", "endsWith"), 20)
)
_RIGHT: Final = frozenset({"**", "^"})
_UNARY: Final = {"not": 50, "!": 50, "-": 90, "+": 90}
_SAME: Final = {"or": "||", "and": "&&", "^": "**"}
_NEGATABLE: Final = frozenset({"in", "matches", "contains", "startsWith", "endsWith"})
PREDICATES: Final = frozenset(
    {"all", "none", "any", "one", "filter", "map", "find", "findIndex", "findLast", "findLastIndex", "count", "sum"}
    | {"groupBy", "sortBy", "reduce"}
)
OPTIONAL_PREDICATE: Final = frozenset({"count", "sum"})
PLAIN: Final = frozenset(
    {"len", "type", "abs", "ceil", "floor", "round", "int", "float", "string", "trim", "trimPrefix", "trimSuffix"}
    | {"upper", "lower", "split", "join", "replace", "repeat", "indexOf", "lastIndexOf", "hasPrefix", "hasSuffix"}
    | {"max", "min", "mean", "median", "now", "duration", "date", "first", "last", "get", "take", "keys", "values"}
    | {"reverse", "uniq", "concat", "flatten", "sort", "toJSON", "fromJSON"}
)
"""Built-ins that can be evaluated."""
_LIMIT = 200
"""Nesting beyond which a text is refused; Python's stack must not decide."""


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """The tree of an expression; ExprError in expr's words."""
    return _Parser(tokens(text)).whole()


class _Parser:
    def __init__(self, stream: list[Token]) -> None:
        self._stream = stream
        self._position = 0
        self._predicates = 0
        self._depth = 0

    @property
    def _current(self) -> Token:
        return self._stream[self._position]

    def whole(self) -> Node:
        node = self._sequence()
        if not self._current.has("EOF"):
            raise self._unexpected()
        return node

    def _unexpected(self) -> ExprError:
        return ExprError(f"unexpected token {self._current}")

    def _next(self) -> Token:
        token = self._current
        if self._position == len(self._stream) - 1:
            msg = "unexpected end of expression"
            raise ExprError(msg)
        self._position += 1
        return token

    def _take(self, kind: str, *values: str) -> bool:
        if self._current.has(kind, *values):
            self._position += 1
            return True
        return False

    def _expect(self, kind: str, *values: str) -> Token:
        if not self._current.has(kind, *values):
            raise self._unexpected()
        return self._next()

    def _sequence(self) -> Node:
        parts = [self._expression(0)]
        while self._take("Operator", ";") and not self._current.has("EOF"):
            parts.append(self._expression(0))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _expression(self, precedence: int) -> Node:
        self._depth += 1
        if self._depth > _LIMIT:
            msg = "compilation failed: expression exceeds maximum allowed nodes"
            raise ExprError(msg)
        node = self._statement(precedence)
        self._depth -= 1
        return node

    def _statement(self, precedence: int) -> Node:
        if precedence == 0 and self._take("Operator", "let"):
            return self._let()
        if precedence == 0 and self._take("Operator", "if"):
            return self._if()
        node = self._operations(self._primary(), precedence)
        return self._conditional(node) if precedence == 0 else node

    def _let(self) -> Node:
        name = self._expect("Identifier").value
        self._expect("Operator", "=")
        value = self._expression(0)
        self._expect("Operator", ";")
        return Let(name, value, self._sequence())

    def _if(self) -> Node:
        condition = self._expression(0)
        self._expect("Bracket", "{")
        yes = self._sequence()
        self._expect("Bracket", "}")
        self._expect("Operator", "else")
        if self._take("Operator", "if"):
            return Ternary(condition, yes, self._if())
        self._expect("Bracket", "{")
        no = self._sequence()
        self._expect("Bracket", "}")
        return Ternary(condition, yes, no)

    def _operations(self, left: Node, precedence: int) -> Node:
        before = ""
        while self._current.has("Operator"):
            negated = self._negated(precedence)
            op = self._current.value
            if op not in _BINARY or _BINARY[op] < precedence:
                break
            self._next()
            if before == "??" and op != "??":
                msg = f"Operator ({op}) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses."
                raise ExprError(msg)
            left = self._operation(left, op)
            left = Unary("!", left) if negated else left
            before = op
        return left

    def _negated(self, precedence: int) -> bool:
        if not self._current.has("Operator", "not"):
            return False
        self._next()
        if self._current.value not in _NEGATABLE or _BINARY[self._current.value] < precedence:
            raise self._unexpected()
        return True

    def _operation(self, left: Node, op: str) -> Node:
        if op == "|":
            return self._postfix(self._call(self._expect("Identifier").value, (left,)))
        if op in COMPARISONS:
            return self._comparison(left, op)
        right = self._expression(_BINARY[op] + (0 if op in _RIGHT else 1))
        return Binary(_SAME.get(op, op), left, right)

    def _comparison(self, left: Node, op: str) -> Node:
        """``a < b < c`` means ``a < b && b < c``."""
        chain: Node | None = None
        while True:
            right = self._expression(_BINARY[op] + 1)
            link = Binary(op, left, right)
            chain = link if chain is None else Binary("&&", chain, link)
            if not self._current.has("Operator", *COMPARISONS):
                return chain
            left, op = right, self._next().value

    def _conditional(self, node: Node) -> Node:
        while self._take("Operator", "?"):
            if self._take("Operator", ":"):
                node = Ternary(node, node, self._expression(0))
                continue
            yes = self._expression(0)
            self._expect("Operator", ":")
            node = Ternary(node, yes, self._expression(0))
        return node

    def _primary(self) -> Node:
        token = self._current
        if token.has("Operator", *_UNARY):
            self._next()
            node: Node = Unary(_SAME.get(token.value, token.value), self._expression(_UNARY[token.value]))
            return self._postfix(node)
        if self._take("Bracket", "("):
            node = self._sequence()
            self._expect("Bracket", ")")
            return self._postfix(node)
        if self._predicates and token.has("Operator", "#", "."):
            name = ""
            if self._take("Operator", "#") and self._current.has("Identifier"):
                name = self._next().value
            return self._postfix(Pointer(name))
        if self._take("Operator", "::"):
            return self._postfix(self._call(self._expect("Identifier").value, ()))
        node = self._secondary()
        # A number, boolean or nil has no members: what follows it is somebody else's token.
        bare = isinstance(node, Constant) and not isinstance(node.value, str)
        return node if bare else self._postfix(node)

    def _secondary(self) -> Node:
        token = self._current
        match token.kind:
            case "Identifier":
                self._next()
                return self._identifier(token.value)
            case "Number":
                self._next()
                return Constant(_number(token.value))
            case "String":
                self._next()
                return Constant(token.literal)
        if self._take("Bracket", "["):
            return ListOf(self._items("]"))
        if self._take("Bracket", "{"):
            return self._map()
        raise self._unexpected()

    def _identifier(self, name: str) -> Node:
        constants = {"true": True, "false": False, "nil": None}
        if name in constants:
            return Constant(constants[name])
        return self._call(name, ()) if self._current.has("Bracket", "(") else Name(name)

    def _items(self, closing: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._take("Bracket", closing):
            if items:
                self._expect("Operator", ",")
                if self._take("Bracket", closing):
                    break
            items.append(self._expression(0))
        return tuple(items)

    def _map(self) -> Node:
        items: list[tuple[Node, Node]] = []
        while not self._take("Bracket", "}"):
            if items:
                self._expect("Operator", ",")
                if self._take("Bracket", "}"):
                    break
            key = self._map_key()
            self._expect("Operator", ":")
            items.append((key, self._expression(0)))
        return MapOf(tuple(items))

    def _map_key(self) -> Node:
        if self._current.kind in {"String", "Number", "Identifier"}:
            return Constant(self._next().value)
        if self._current.has("Bracket", "("):
            return self._expression(0)
        msg = (
            "a map key must be a quoted string, a number, a identifier, or an expression enclosed in parentheses "
            f"(unexpected token {self._current})"
        )
        raise ExprError(msg)

    def _call(self, name: str, piped: tuple[Node, ...]) -> Node:
        """The call of a name; ``piped`` are the arguments that stand before it."""
        self._expect("Bracket", "(")
        if name in PREDICATES:
            return self._with_predicate(name, piped)
        args = (*piped, *self._items(")"))
        return Builtin(name, args) if name in PLAIN else Call(Name(name), args)

    def _with_predicate(self, name: str, piped: tuple[Node, ...]) -> Node:
        args: list[Node] = list(piped)
        if not args:
            if self._current.has("Bracket", ")"):
                msg = "expected at least 2 arguments"
                raise ExprError(msg)
            args.append(self._expression(0))
            if name not in OPTIONAL_PREDICATE and self._current.has("Bracket", ")"):
                msg = "expected at least 2 arguments"
                raise ExprError(msg)
            if name in OPTIONAL_PREDICATE and self._take("Bracket", ")"):
                return Builtin(name, tuple(args))
            self._expect("Operator", ",")
        elif name in OPTIONAL_PREDICATE and self._take("Bracket", ")"):
            return Builtin(name, tuple(args))
        args.append(self._predicate())
        while self._take("Operator", ","):
            if not self._current.has("Bracket", ")"):
                args.append(self._expression(0))
        self._expect("Bracket", ")")
        return Builtin(name, tuple(args))

    def _predicate(self) -> Node:
        braced = self._take("Bracket", "{")
        self._predicates += 1
        body = self._sequence() if braced else self._expression(0)
        self._predicates -= 1
        if braced:
            self._expect("Bracket", "}")
        elif self._current.has("Operator", ";"):
            msg = "wrap predicate with brackets { and }"
            raise ExprError(msg)
        return Predicate(body)

    def _postfix(self, node: Node) -> Node:
        optional_seen = False
        # ``.field`` in a predicate is a pointer followed by its own access.
        while self._current.has("Operator", ".", "?.") or self._current.has("Bracket", "["):
            token = self._next()
            optional = token.value == "?."
            optional_seen = optional_seen or optional
            if token.value == "[" or (optional and self._take("Bracket", "[")):
                node = self._indexed(node, optional=optional)
            else:
                node = self._field(node, optional=optional)
        return Chain(node) if optional_seen else node

    def _field(self, node: Node, *, optional: bool) -> Node:
        token = self._current
        if token.kind != "Identifier" and not (token.kind == "Operator" and re.fullmatch(r"\w+", token.value)):
            msg = "expected name"
            raise ExprError(msg)
        self._next()
        member = Member(node, Constant(token.value), optional)
        return Call(member, self._items(")")) if self._take("Bracket", "(") else member

    def _indexed(self, node: Node, *, optional: bool) -> Node:
        low = None if self._current.has("Operator", ":") else self._expression(0)
        if not self._take("Operator", ":"):
            self._expect("Bracket", "]")
            return Member(node, low or Constant(None), optional)
        high = None if self._current.has("Bracket", "]") else self._expression(0)
        self._expect("Bracket", "]")
        return Slice(node, low, high)


def _number(text: str) -> int | float:
    plain = text.replace("_", "")
    try:
        if plain[:2].lower() in {"0x", "0b", "0o"}:
            return int(plain, 0)
        return float(plain) if any(mark in plain for mark in ".eE") else int(plain)
    except ValueError:
        msg = f"invalid number literal: {text}"
        raise ExprError(msg) from None
