"""Runs a checked and lowered expression, as vm/vm.go of expr does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from sim.metrics.conditions import library
from sim.metrics.conditions.access import fetched, slice_end, sliced
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.library import times
from sim.metrics.conditions.operations import (
    OPERATORS,
    TEXTUAL,
    contained,
    equal,
    negated,
    range_of,
)
from sim.metrics.conditions.predicates import PREDICATES, Scope
from sim.metrics.conditions.syntax import (
    Binary,
    Builtin,
    Call,
    Chain,
    Constant,
    Fixed,
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
from sim.metrics.conditions.types import INTS
from sim.metrics.conditions.values import Function, Typed, boolean, is_nil, not_a, text, type_name, type_of
from sim.model.controller import Expr

_MEMORY: Final = 1_000_000
"""The library's budget, in elements made."""


class _NilInChain(Exception):  # noqa: N818  # control flow: an optional access found nil
    pass


@dataclass(frozen=True, slots=True)
class Environment:
    """Where an expression runs."""

    names: Mapping[str, Any]
    expr: Expr = Expr.V1_17
    clock: Callable[[], datetime] | None = None
    """What ``now()`` reads."""


class Machine:
    """One run of one expression."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.expr = environment.expr
        self._variables: dict[str, Any] = {}
        self.scopes: list[Scope] = []
        self.steps = 0
        self._memory = 0

    def run(self, node: Node) -> Any:
        """The value of a node; ExprError in the library's words when it fails."""
        return self._runs[type(node)](self, node)

    def grow(self, size: int) -> None:
        """Count what was made against the library's budget."""
        self._memory += size
        if self._memory >= _MEMORY:
            msg = "memory budget exceeded"
            raise ExprError(msg)

    def _constant(self, node: Constant | Fixed) -> Any:
        return node.value

    def _name(self, node: Name) -> Any:
        if node.name in self._variables:
            return self._variables[node.name]
        if node.name == "$env":
            return dict(self._environment.names)
        return self._environment.names.get(node.name)

    def _pointer(self, node: Pointer) -> Any:
        scope = self.scopes[-1]
        return scope.index if node.name == "index" else scope.acc if node.name == "acc" else scope.item()

    def _unary(self, node: Unary) -> Any:
        value = self.run(node.expr)
        if node.op in {"!", "not"}:
            return not boolean(value)
        return negated(value) if node.op == "-" else value

    def _binary(self, node: Binary) -> Any:  # noqa: PLR0911  # one return per kind
        left = self.run(node.left)
        match node.op:
            case "&&" | "and":
                return self.run(node.right) if boolean(left) else False
            case "||" | "or":
                return True if boolean(left) else self.run(node.right)
            case "??":
                return self.run(node.right) if is_nil(left) else left
        right = self.run(node.right)
        match node.op:
            case "==":
                return self._equal(node, left, right)
            case "!=":
                return not self._equal(node, left, right)
            case "in":
                return contained(left, right, self.expr)
            case "..":
                return self._range(left, right)
        if node.op in TEXTUAL:
            return self._textual(node.op, left, right)
        return OPERATORS[node.op](left, right)

    def _equal(self, node: Binary, left: Any, right: Any) -> bool:
        """Two sides that are both known to be ``int``, or both text, are compared without looking."""
        static = node.left.type
        direct = node.op == "==" or self.expr is Expr.V1_17
        if direct and static.name == node.right.type.name and static.name in {"int", "string"}:
            for value in (left, right):
                if type_name(value) != static.name:
                    raise not_a(static.name, value)
        return equal(left, right, self.expr)

    def _textual(self, op: str, left: Any, right: Any) -> bool:
        """Text against text; since 1.17 nil is like nothing, and ``matches`` takes bytes."""
        if self.expr is not Expr.V1_17:
            for side in (right, left) if op == "matches" else (left, right):
                text(side)
        elif is_nil(left) or is_nil(right):
            return False
        return bool(OPERATORS[op](left, right))

    def _range(self, left: Any, right: Any) -> Typed:
        made = range_of(left, right)
        self.grow(len(made))
        return Typed(made, INTS)

    def _ternary(self, node: Ternary) -> Any:
        return self.run(node.yes if boolean(self.run(node.condition)) else node.no)

    def _let(self, node: Let) -> Any:
        self._variables[node.name] = self.run(node.value)
        value = self.run(node.body)
        del self._variables[node.name]
        return value

    def _sequence(self, node: Sequence) -> Any:
        return [self.run(part) for part in node.parts][-1]

    def _chain(self, node: Chain) -> Any:
        try:
            value = self.run(node.expr)
        except _NilInChain:
            return None
        return None if is_nil(value) and self.expr is Expr.V1_17 else value

    def _member(self, node: Member) -> Any:
        base = self.run(node.base)
        if is_nil(base) and node.optional:
            raise _NilInChain
        return fetched(base, self.run(node.key), self.expr)

    def _slice(self, node: Slice) -> Any:
        base = self.run(node.base)
        high = slice_end(base) if node.high is None else self.run(node.high)
        low = 0 if node.low is None else self.run(node.low)
        return sliced(base, low, high)

    def _call(self, node: Call) -> Any:
        args = [self.run(arg) for arg in node.args]
        function = self.run(node.callee)
        if not isinstance(function, Function):
            raise ExprError(self._not_callable(function))
        wanted = len(function.go_type.params)
        if wanted != len(args):
            raise ExprError(self._wrong_count(wanted, len(args)))
        return function.call(*args)

    def _not_callable(self, value: Any) -> str:
        if self.expr is not Expr.V1_17:
            kind = "zero" if value is None else type_of(value).kind
            return f"reflect: call of reflect.Value.Call on {kind} Value"
        if value is None:
            return "invalid operation: cannot call nil"
        return f"invalid operation: cannot call non-function of type {type_name(value)}"

    def _wrong_count(self, wanted: int, given: int) -> str:
        if self.expr is Expr.V1_17:
            return f"invalid number of arguments: expected {wanted}, got {given}"
        return f"reflect: Call with too {'many' if given > wanted else 'few'} input arguments"

    def _list_of(self, node: ListOf) -> list[Any]:
        items = [self.run(item) for item in node.items]
        self.grow(len(items))
        return items

    def _map_of(self, node: MapOf) -> dict[str, Any]:
        pairs = [(self.run(key), self.run(value)) for key, value in node.items]
        self.grow(len(pairs))
        # The library fills the map from the end, so of two equal keys the first one stays.
        return {text(key): value for key, value in reversed(pairs)}

    def _predicate(self, node: Predicate) -> Any:
        return self.run(node.body)

    def _builtin(self, node: Builtin) -> Any:
        walk = PREDICATES.get(node.name)
        if walk is not None and self._walks(node):
            return walk(self, node)
        args = [self.run(arg) for arg in node.args]
        if node.name == "now":
            return times.now(self._environment.clock, *args)
        return library.called(node.name, args, self.expr)

    def _walks(self, node: Builtin) -> bool:
        """Whether a built-in that may take a predicate is one that walks; ``sum`` and ``sortBy`` once were not."""
        if any(isinstance(arg, Predicate) for arg in node.args):
            return True
        return node.name == "count" or (node.name == "sum" and self.expr is Expr.V1_17)

    _runs: ClassVar[Mapping[type, Callable[[Machine, Any], Any]]] = {
        Constant: _constant,
        Fixed: _constant,
        Name: _name,
        Pointer: _pointer,
        Unary: _unary,
        Binary: _binary,
        Ternary: _ternary,
        Let: _let,
        Sequence: _sequence,
        Chain: _chain,
        Member: _member,
        Slice: _slice,
        Call: _call,
        ListOf: _list_of,
        MapOf: _map_of,
        Predicate: _predicate,
        Builtin: _builtin,
    }
