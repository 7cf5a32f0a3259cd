"""Result types of the binary operators, by expr's version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sim import patterns
from sim.metrics.conditions import types
from sim.metrics.conditions.assignable import assignable
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.syntax import Binary, Constant, ListOf
from sim.metrics.conditions.types import Type
from sim.model.controller import Expr

_Test = Callable[[Type], bool]
_TEXTUAL: Final = frozenset({"matches", "contains", "startsWith", "endsWith"})
_ORDERED: Final = frozenset({"<", ">", "<=", ">="})
_LOGICAL: Final = frozenset({"&&", "||", "and", "or"})


def _string(kind: Type) -> bool:
    return kind.kind == "string"


def _bool(kind: Type) -> bool:
    return kind.kind == "bool"


def _time(kind: Type) -> bool:
    return kind.name == types.TIME.name


def _duration(kind: Type) -> bool:
    return kind.name == types.DURATION.name


def _maybe(left: Type, right: Type, *tests: _Test) -> bool:
    """Whether one side is unknown and the other unknown too, or of a kind that fits."""
    if left.is_unknown and right.is_unknown:
        return True
    known = right if left.is_unknown else left
    return left.is_unknown is not right.is_unknown and any(test(known) for test in tests)


class Operators:
    """The operators of 1.17."""

    @staticmethod
    def integer(kind: Type) -> bool:
        """Whether it counts as an integer."""
        return kind.is_integer

    def number(self, kind: Type) -> bool:
        """Whether it counts as a number."""
        return self.integer(kind) or kind.kind == "float64"

    def result(self, node: Binary, left: Type, right: Type) -> Type | None:  # noqa: PLR0911  # one return per kind
        """The type the operator yields, None where it is not defined; ExprError where it has words of its own."""
        op = node.op
        if op in {"==", "!="}:
            return types.BOOL if self.comparable(left, right) else None
        if op in _LOGICAL:
            return self._boolean(left, right, _bool)
        if op in _ORDERED:
            return self._boolean(left, right, *self.ordered)
        if op in _TEXTUAL:
            _check_pattern(node)
            return self._textual(op, left, right)
        if op == "in":
            return self._contained(node, left, right)
        if op == "??":
            return _coalesced(left, right)
        return self.arithmetic[op](left, right)

    @property
    def ordered(self) -> tuple[_Test, ...]:
        """Kinds that can be ordered."""
        return (self.number, _string, _time, _duration)

    @property
    def arithmetic(self) -> Mapping[str, Callable[[Type, Type], Type | None]]:
        """Rules of the arithmetic operators."""
        return {
            "+": self._sum,
            "-": self._difference,
            "*": self._product,
            "/": self._quotient,
            "**": self._quotient,
            "^": self._quotient,
            "%": self._modulo,
            "..": self._range,
        }

    def _boolean(self, left: Type, right: Type, *tests: _Test) -> Type | None:
        fits = any(test(left) and test(right) for test in tests) or _maybe(left, right, *tests)
        return types.BOOL if fits else None

    def _textual(self, op: str, left: Type, right: Type) -> Type | None:
        if op == "matches" and left.name == types.BYTES.name and _string(right):
            return types.BOOL
        return self._boolean(left, right, _string)

    def comparable(self, left: Type, right: Type) -> bool:
        """Whether ``==`` is defined between two types."""
        if left.is_unknown or right.is_unknown or left.is_nil or right.is_nil:
            return True
        same = any(test(left) and test(right) for test in (self.number, _duration, _time, lambda kind: kind.is_list))
        return same or assignable(left, right)

    def _contained(self, node: Binary, left: Type, right: Type) -> Type | None:
        del node
        if right.kind == "struct":
            return types.BOOL if _string(left) or left.is_unknown else None
        if right.kind == "map":
            key = right.key or types.ANY
            if not (left.is_unknown or assignable(left, key)):
                msg = f"cannot use {left} as type {key} in map key"
                raise ExprError(msg)
            return types.BOOL
        if right.is_list:
            element = right.elem or types.UNKNOWN
            if not self.comparable(left, element):
                msg = f"cannot use {left} as type {element} in array"
                raise ExprError(msg)
            return types.BOOL
        return types.BOOL if right.is_unknown or (left.is_unknown and _string(right)) else None

    def combined(self, left: Type, right: Type) -> Type:
        """Type of a sum of two numbers."""
        return types.FLOAT if "float64" in {left.kind, right.kind} else types.INT

    def _sum(self, left: Type, right: Type) -> Type | None:
        if self.number(left) and self.number(right):
            return self.combined(left, right)
        if _string(left) and _string(right):
            return types.STRING
        if (_time(left) and _duration(right)) or (_duration(left) and _time(right)):
            return types.TIME
        if _duration(left) and _duration(right):
            return types.DURATION
        return types.UNKNOWN if _maybe(left, right, self.number, _string, _time, _duration) else None

    def _difference(self, left: Type, right: Type) -> Type | None:
        if self.number(left) and self.number(right):
            return self.combined(left, right)
        if (_time(left) and _time(right)) or (_duration(left) and _duration(right)):
            return types.DURATION
        if _time(left) and _duration(right):
            return types.TIME
        return types.UNKNOWN if _maybe(left, right, self.number, _time, _duration) else None

    def _product(self, left: Type, right: Type) -> Type | None:
        if self.number(left) and self.number(right):
            return self.combined(left, right)
        both = all(self.number(kind) or _duration(kind) for kind in (left, right))
        if both:
            return types.DURATION
        return types.UNKNOWN if _maybe(left, right, self.number, _duration) else None

    def _quotient(self, left: Type, right: Type) -> Type | None:
        fits = (self.number(left) and self.number(right)) or _maybe(left, right, self.number)
        return types.FLOAT if fits else None

    def _modulo(self, left: Type, right: Type) -> Type | None:
        fits = (self.integer(left) and self.integer(right)) or _maybe(left, right, self.integer)
        return types.INT if fits else None

    def _range(self, left: Type, right: Type) -> Type | None:
        fits = (self.integer(left) and self.integer(right)) or _maybe(left, right, self.integer)
        return Type("slice", types.ANYS.name, types.INT) if fits else None


class _Operators115(Operators):
    """Before 1.17: a duration counts as an integer, and any two slices, maps or structs compare."""

    @staticmethod
    def integer(kind: Type) -> bool:
        return kind.kind in types.INTEGER_KINDS

    @property
    def ordered(self) -> tuple[_Test, ...]:
        return (self.number, _string, _time)

    def comparable(self, left: Type, right: Type) -> bool:
        if left.is_unknown or right.is_unknown or left.is_nil or right.is_nil:
            return True
        return left.kind == right.kind or (self.number(left) and self.number(right))

    def combined(self, left: Type, right: Type) -> Type:
        return left if left.kind == right.kind else super().combined(left, right)

    def _contained(self, node: Binary, left: Type, right: Type) -> Type | None:
        if left.is_nil and (right.kind == "map" or right.is_list):
            return types.BOOL
        if isinstance(node.right, ListOf):
            element = _common(node.right)
            if element is not None and not self.comparable(left, element):
                msg = f"cannot use {left} as type {element} in array"
                raise ExprError(msg)
        return super()._contained(node, left, right)

    def _sum(self, left: Type, right: Type) -> Type | None:
        kind = super()._sum(left, right)
        return types.UNKNOWN if kind is None and _maybe(left, right, _duration) else kind

    def _difference(self, left: Type, right: Type) -> Type | None:
        return super()._difference(left, right)

    def _product(self, left: Type, right: Type) -> Type | None:
        if self.number(left) and self.number(right):
            return self.combined(left, right)
        return types.UNKNOWN if _maybe(left, right, self.number) else None

    def _modulo(self, left: Type, right: Type) -> Type | None:
        if self.integer(left) and self.integer(right):
            return self.combined(left, right)
        return types.UNKNOWN if _maybe(left, right, self.integer) else None

    def _range(self, left: Type, right: Type) -> Type | None:
        return types.INTS if super()._range(left, right) else None


def _common(node: ListOf) -> Type | None:
    kinds = [item.type for item in node.items]
    if not kinds or any(kind.is_nil for kind in kinds) or len({kind.kind for kind in kinds}) > 1:
        return None
    return kinds[-1]


def _check_pattern(node: Binary) -> None:
    if node.op == "matches" and isinstance(node.right, Constant) and isinstance(node.right.value, str):
        try:
            patterns.compiled(node.right.value)
        except ValueError as error:
            raise ExprError(str(error)) from None


def _coalesced(left: Type, right: Type) -> Type:
    if left.is_nil or right.is_nil:
        return right if left.is_nil else left
    return left if assignable(right, left) else types.UNKNOWN


def operators(expr: Expr) -> Operators:
    """The operators of a version."""
    return Operators() if expr is Expr.V1_17 else _Operators115()
