"""From text to tree, by operator precedence as expr parses.

Written by hand rather than with a grammar: what the controller records about a broken condition is the text of this
very algorithm's error, down to the token it stumbled over, and expr 1.15 and 1.17 stumble over different ones.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

from sim.metrics import gotext
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.signatures import names
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
from sim.metrics.conditions.tokens import NEGATABLE, Token, tokens
from sim.model.controller import Expr

_N = TypeVar("_N", bound=Node)
COMPARISONS: Final = frozenset({"<", ">", "<=", ">="})
"""Operators that chain since 1.17."""
_BINARY: Final = (
    {"|": 0, "||": 10, "or": 10, "&&": 15, "and": 15, "..": 25, "+": 30, "-": 30, "*": 60, "/": 60, "%": 60}
    | {"**": 100, "^": 100, "??": 500}
    | dict.fromkeys((*COMPARISONS, "==", "!=", *NEGATABLE), 20)
)
_RIGHT: Final = frozenset({"**", "^"})
_UNARY: Final = {"not": 50, "!": 50, "-": 90, "+": 90}
_CONSTANTS: Final = {"true": True, "false": False, "nil": None}
_E, _P, _MAY_E, _MAY_P = "expression", "predicate", "expression?", "predicate?"
_ARGUMENTS: Final = (
    dict.fromkeys(("all", "none", "any", "one", "filter", "map", "find", "findIndex", "findLast"), (_E, _P))
    | dict.fromkeys(("findLastIndex", "groupBy"), (_E, _P))
    | {"count": (_E, _MAY_P), "sum": (_E, _MAY_P), "sortBy": (_E, _P, _MAY_E), "reduce": (_E, _P, _MAY_E)}
)
"""Built-ins with a predicate and what they take."""
_ARGUMENTS_1_15: Final = {
    name: (_E, _P) if name == "count" else takes for name, takes in _ARGUMENTS.items() if name not in {"sum", "sortBy"}
}
_NODES: Final = 10_000
"""Nodes beyond which 1.17 refuses an expression."""


def parse(source: str, expr: Expr) -> Node:
    """A fresh tree of an expression; ExprError in expr's words."""
    return (_Parser if expr is Expr.V1_17 else _Parser115)(source, expr).whole()


class _Parser:
    predicates = _ARGUMENTS
    _sequences = True

    def __init__(self, source: str, expr: Expr) -> None:
        self._stream = tokens(source, expr)
        self._builtins = names(expr)
        self._stashed: Token | None = None
        self._depth = 0
        self._nodes = 0
        self._current = next(self._stream)

    def whole(self) -> Node:
        node = self._sequence()
        if not self._current.has("EOF"):
            raise self._unexpected()
        return node

    def _fail(self, message: str) -> ExprError:
        return ExprError(message, self._current.at)

    def _unexpected(self) -> ExprError:
        return self._fail(f"unexpected token {self._current}")

    def _next(self) -> Token:
        token = self._current
        if self._stashed is not None:
            self._current, self._stashed = self._stashed, None
            return token
        if token.kind == "EOF":
            msg = "unexpected end of expression"
            raise self._fail(msg)
        self._current = next(self._stream)
        return token

    def _take(self, kind: str, *values: str) -> bool:
        if self._current.has(kind, *values):
            self._next()
            return True
        return False

    def _expect(self, kind: str, *values: str) -> Token:
        if not self._current.has(kind, *values):
            raise self._unexpected()
        return self._next()

    def _made(self, node: _N) -> _N:
        self._nodes += 1
        if self._nodes > _NODES:
            msg = "compilation failed: expression exceeds maximum allowed nodes"
            raise self._fail(msg)
        return node

    def _sequence(self) -> Node:
        parts = [self._expression(0)]
        while self._take("Operator", ";") and not self._current.has("EOF"):
            parts.append(self._expression(0))
        return parts[0] if len(parts) == 1 else self._made(Sequence(parts, at=parts[0].at))

    def _expression(self, precedence: int) -> Node:
        if precedence == 0 and self._take("Operator", "let"):
            return self._let()
        if precedence == 0 and self._take("Operator", "if"):
            return self._if()
        node = self._operations(self._primary(), precedence)
        return self._conditional(node) if precedence == 0 else node

    def _let(self) -> Node:
        name = self._expect("Identifier")
        self._expect("Operator", "=")
        value = self._expression(0)
        self._expect("Operator", ";")
        return self._made(Let(name.value, value, self._body(), at=name.at))

    def _body(self) -> Node:
        return self._sequence()

    def _if(self) -> Node:
        condition = self._expression(0)
        yes = self._block()
        self._expect("Operator", "else")
        no = self._if() if self._take("Operator", "if") else self._block()
        return Ternary(condition, yes, no)

    def _block(self) -> Node:
        self._expect("Bracket", "{")
        node = self._sequence()
        self._expect("Bracket", "}")
        return node

    def _operations(self, left: Node, precedence: int) -> Node:
        before = ""
        while self._current.has("Operator"):
            negated = self._negated(precedence)
            operator = self._current
            if _BINARY.get(operator.value, -1) < precedence:
                break
            self._next()
            if before == "??" and operator.value not in {"??", "|"}:
                msg = (
                    f"Operator ({operator.value}) and coalesce expressions (??) cannot be mixed. "
                    "Wrap either by parentheses."
                )
                raise ExprError(msg, operator.at)
            left = self._operation(left, operator, negated=negated)
            before = operator.value
        return left

    def _negated(self, precedence: int) -> bool:
        """Whether ``not`` stands before an operator here, which then is the current token."""
        if not self._current.has("Operator", "not"):
            return False
        backup = self._next()
        if self._current.value not in NEGATABLE:
            raise self._unexpected()
        if _BINARY[self._current.value] >= precedence:
            return True
        self._stashed, self._current = self._current, backup
        return False

    def _operation(self, left: Node, operator: Token, *, negated: bool) -> Node:
        if operator.value == "|":
            return self._piped(left)
        if operator.value in COMPARISONS:
            return self._comparison(left, operator)
        right = self._expression(_BINARY[operator.value] + (0 if operator.value in _RIGHT else 1))
        node = self._made(Binary(operator.value, left, right, at=operator.at))
        return self._made(Unary("not", node, at=operator.at)) if negated else node

    def _piped(self, left: Node) -> Node:
        return self._call(self._expect("Identifier"), [left])

    def _comparison(self, left: Node, operator: Token) -> Node:
        """``a < b < c`` means ``a < b && b < c``."""
        chain: Node | None = None
        while True:
            right = self._expression(_BINARY[operator.value] + 1)
            link = self._made(Binary(operator.value, left, right, at=operator.at))
            chain = link if chain is None else self._made(Binary("&&", chain, link, at=operator.at))
            if not self._current.has("Operator", *COMPARISONS):
                return chain
            left, operator = right, self._next()

    def _conditional(self, node: Node) -> Node:
        while self._take("Operator", "?"):
            yes = node
            if not self._take("Operator", ":"):
                yes = self._expression(0)
                self._expect("Operator", ":")
            no = self._expression(0)
            node = self._made(Ternary(node, yes, no, at=self._current.at))
        return node

    def _primary(self) -> Node:
        token = self._current
        if token.has("Operator", *_UNARY):
            self._next()
            return self._postfix(self._made(Unary(token.value, self._expression(_UNARY[token.value]), at=token.at)))
        if self._take("Bracket", "("):
            node = self._body()
            self._expect("Bracket", ")")
            return self._postfix(node)
        if token.has("Operator", "#", "."):
            pointer = self._pointer(token)
            if pointer is not None:
                return self._postfix(pointer)
        if self._take("Operator", "::"):
            return self._postfix(self._call(self._expect("Identifier"), []))
        return self._secondary()

    def _pointer(self, token: Token) -> Node | None:
        if not self._depth:
            return None
        name = ""
        if token.value == "#":
            self._next()
            if self._current.has("Identifier"):
                name = self._next().value
        return self._made(Pointer(name, at=token.at))

    def _secondary(self) -> Node:  # noqa: PLR0911  # one return per kind
        token = self._current
        match token.kind:
            case "Identifier":
                self._next()
                if token.value in _CONSTANTS:
                    return self._made(Constant(_CONSTANTS[token.value], at=token.at))
                return self._postfix(self._identifier(token))
            case "Number":
                self._next()
                return self._made(Constant(self._number(token.value), at=token.at))
            case "String":
                self._next()
                return self._after_string(self._made(Constant(token.value, at=token.at)))
            case "Bytes":
                self._next()
                return self._postfix(self._made(Constant(token.value.encode("latin-1"), at=token.at)))
        if self._take("Bracket", "["):
            return self._postfix(self._made(ListOf(self._items("]"), at=token.at)))
        if self._take("Bracket", "{"):
            return self._postfix(self._map(token))
        raise self._unexpected()

    def _after_string(self, node: Node) -> Node:
        return self._postfix(node)

    def _identifier(self, token: Token) -> Node:
        if self._current.has("Bracket", "("):
            return self._call(token, [])
        return self._made(Name(token.value, at=token.at))

    def _number(self, text: str) -> int | float:
        plain = text.replace("_", "")
        kind = {"0x": "hex", "0b": "binary", "0o": "octal"}.get(plain[:2].lower(), "integer")
        if kind != "hex" and any(mark in plain.lower() for mark in ".e"):
            kind = "float"
        try:
            if kind == "float":
                return gotext.parsed_float(plain)
            return gotext.parsed_int(plain, 10 if kind == "integer" else 0)
        except ValueError as error:
            msg = f"invalid {kind} literal: {error}"
            raise self._fail(msg) from None

    def _items(self, closing: str) -> list[Node]:
        items: list[Node] = []
        while not self._take("Bracket", closing):
            if items:
                self._expect("Operator", ",")
                if self._take("Bracket", closing):
                    break
            items.append(self._expression(0))
        return items

    def _map(self, token: Token) -> Node:
        items: list[tuple[Node, Node]] = []
        while not self._take("Bracket", "}"):
            if items:
                self._expect("Operator", ",")
                if self._take("Bracket", "}"):
                    break
                if self._current.has("Operator", ","):
                    raise self._unexpected()
            key = self._map_key()
            self._expect("Operator", ":")
            items.append((key, self._expression(0)))
        return self._made(MapOf(items, at=token.at))

    def _map_key(self) -> Node:
        token = self._current
        if token.kind in {"String", "Number", "Identifier"}:
            self._next()
            return self._made(Constant(token.value, at=token.at))
        if token.has("Bracket", "("):
            return self._expression(0)
        msg = (
            "a map key must be a quoted string, a number, a identifier, or an expression enclosed in parentheses "
            f"(unexpected token {token})"
        )
        raise self._fail(msg)

    def _call(self, token: Token, piped: list[Node]) -> Node:
        """The call of a name; ``piped`` is the argument that stands before it."""
        self._expect("Bracket", "(")
        if token.value in self.predicates:
            args = self._with_predicate(self.predicates[token.value][len(piped) :], piped)
            return self._made(Builtin(token.value, args, at=token.at))
        if token.value in self._builtins:
            return self._made(Builtin(token.value, [*piped, *self._arguments()], at=token.at))
        callee = self._made(Name(token.value, at=token.at))
        return self._made(Call(callee, [*piped, *self._arguments()], at=token.at))

    def _arguments(self) -> list[Node]:
        return self._items(")")

    def _with_predicate(self, takes: tuple[str, ...], args: list[Node]) -> list[Node]:
        args = [*args]
        for position, kind in enumerate(takes):
            if self._current.has("Bracket", ")"):
                if kind.endswith("?"):
                    break
                msg = f"expected at least {len(takes)} arguments"
                raise self._fail(msg)
            if position:
                self._expect("Operator", ",")
            args.append(self._predicate() if kind in {_P, _MAY_P} else self._expression(0))
        self._take("Operator", ",")
        self._expect("Bracket", ")")
        return args

    def _predicate(self) -> Node:
        at = self._current.at
        braced = self._take("Bracket", "{")
        self._depth += 1
        body = self._body() if braced else self._expression(0)
        self._depth -= 1
        if braced:
            self._expect("Bracket", "}")
        elif self._current.has("Operator", ";") and self._sequences:
            msg = "wrap predicate with brackets { and }"
            raise self._fail(msg)
        return self._made(Predicate(body, at=at))

    def _postfix(self, node: Node) -> Node:
        while self._current.has("Operator", ".", "?.") or self._current.has("Bracket", "["):
            token = self._next()
            optional = token.value == "?."
            if token.value == "[":
                node = self._indexed(node, token.at, optional=False)
            elif optional and self._indexes():
                node = self._indexed(node, self._next().at, optional=True)
            else:
                node = self._field(node, optional=optional)
        return node

    def _indexes(self) -> bool:
        return self._current.has("Bracket", "[")

    def _field(self, node: Node, *, optional: bool) -> Node:
        token = self._next()
        if token.kind != "Identifier" and not (token.kind == "Operator" and re.fullmatch(r"[^\W\d]\w*", token.value)):
            msg = "expected name"
            raise self._fail(msg)
        chained = isinstance(node, Chain)
        base = node.expr if isinstance(node, Chain) else node
        key = self._made(Constant(token.value, at=token.at))
        member = self._made(Member(base, key, optional, at=token.at))
        found: Node = member
        if self._take("Bracket", "("):
            member.method = True
            found = self._made(Call(member, self._arguments(), at=token.at))
        return self._made(Chain(found, at=token.at)) if chained or optional else found

    def _indexed(self, node: Node, at: int, *, optional: bool) -> Node:
        low = None if self._current.has("Operator", ":") else self._expression(0)
        if low is not None and not self._current.has("Operator", ":"):
            member = self._made(Member(node, low, optional, at=at))
            self._expect("Bracket", "]")
            return self._made(Chain(member, at=at)) if optional else member
        self._next()
        high = None if self._current.has("Bracket", "]") else self._expression(0)
        self._expect("Bracket", "]")
        return self._made(Slice(node, low, high, at=at))


class _Parser115(_Parser):
    """The language before sequences, ``if``, chained comparison, ``?.[`` and optional predicates."""

    predicates = _ARGUMENTS_1_15
    _sequences = False

    def _made(self, node: _N) -> _N:
        return node

    def _sequence(self) -> Node:
        return self._expression(0)

    def _negated(self, precedence: int) -> bool:
        """Any operator may follow ``not`` here; one that may not stays the current token."""
        del precedence
        return self._take("Operator", "not")

    def _operation(self, left: Node, operator: Token, *, negated: bool) -> Node:
        if operator.value == "|":
            return self._piped(left)
        right = self._expression(_BINARY[operator.value] + (0 if operator.value in _RIGHT else 1))
        node = Binary(operator.value, left, right, at=operator.at)
        return Unary("not", node, at=operator.at) if negated else node

    def _pointer(self, token: Token) -> Node | None:
        if not self._depth:
            msg = "cannot use pointer accessor outside closure"
            raise self._fail(msg)
        return super()._pointer(token)

    def _after_string(self, node: Node) -> Node:
        return node

    def _number(self, text: str) -> int | float:
        plain = text.replace("_", "")
        kind = "hex" if "x" in plain else "float" if any(mark in plain for mark in ".eE") else "integer"
        try:
            if kind == "float":
                return gotext.parsed_float(plain)
            return gotext.parsed_int(plain, 0 if kind == "hex" else 10)
        except ValueError as error:
            msg = f"invalid {kind} literal: {error}"
            raise self._fail(msg) from None

    def _arguments(self) -> list[Node]:
        items: list[Node] = []
        while not self._take("Bracket", ")"):
            if items:
                self._expect("Operator", ",")
            items.append(self._expression(0))
        return items

    def _with_predicate(self, takes: tuple[str, ...], args: list[Node]) -> list[Node]:
        args = [*args]
        for position, kind in enumerate(takes):
            if kind == _MAY_E and not self._current.has("Operator", ","):
                break
            if position:
                self._expect("Operator", ",")
            args.append(self._predicate() if kind == _P else self._expression(0))
        self._expect("Bracket", ")")
        return args

    def _indexes(self) -> bool:
        return False
