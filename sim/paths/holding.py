"""Many success and failure conditions held against one answer at once.

Conditions that differ only in their numbers are one shape: its comparisons are made with all numbers together. Whatever
is no comparison of ``result``, ``result[0]``, ``len(result)`` and the like with numbers is left to ``sim.metrics``, once for
each condition and answer. So is every answer that an index may miss, since what is then an error depends on the order of
evaluation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from sim.metrics import conditions
from sim.metrics.conditions import ExprError
from sim.metrics.conditions.parser import parse
from sim.metrics.conditions.syntax import Binary, Builtin, Call, Constant, Member, Name, Node, Unary
from sim.model.analysis import ProviderResult
from sim.model.controller import Expr

Marks = npt.NDArray[np.int8]
Numbers = npt.NDArray[np.float64]
Value = float | bool | npt.NDArray[np.float64] | npt.NDArray[np.bool_]
Formula = Callable[[list[float], Numbers], Value]
"""(the answer's numbers, one row of constants a condition) -> a value for all conditions, or one for each."""

NO, YES, BROKEN, ABSENT = 0, 1, 2, 3
"""What a condition says: it does not hold, it holds, it cannot be evaluated; or there is none."""
_COMPARE: Final[dict[str, Callable[[Value, Value], Value]]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
_COMPUTE: Final[dict[str, Callable[[Value, Value], Value]]] = {"*": np.multiply, "+": np.add, "-": np.subtract}
_TESTS: Final[dict[str, Callable[[Value], Value]]] = {"isNaN": np.isnan, "isInf": np.isinf}
_EXACT: Final = 2**53
"""Whole numbers up to here are numbers of the kind that answers are."""


class _OtherError(Exception):
    """A condition of no shape that is known here."""


@dataclass(slots=True)
class _Shape:
    """What a formula is made from and for: the kind of result, its numbers' places, the highest index it looks at."""

    scalar: bool
    numbers: list[float] = field(default_factory=list)
    indices: set[int] = field(default_factory=set)
    text: list[str] = field(default_factory=list)


class Conditions:
    """Condition texts ('' is none), in a fixed order."""

    def __init__(self, texts: Sequence[str], expr: Expr) -> None:
        self._texts, self._expr = tuple(texts), expr
        self._known: dict[object, Marks] = {}
        self._families: dict[str, list[_Family]] = {}
        self._absent: Marks = np.full(len(self._texts), ABSENT, dtype=np.int8)

    def marks(self, result: ProviderResult) -> Marks:
        """What each condition says of an answer; to be asked of results without an error."""
        if result.go_type == "float64" and isinstance(result.value, float):
            return self._of_numbers(result, [result.value], "float64")
        if result.go_type == "[]float64" and isinstance(result.value, list):
            return self._of_numbers(result, result.value, "[]float64")
        return self._one_by_one(result, range(len(self._texts)))

    def _of_numbers(self, result: ProviderResult, numbers: list[float], go_type: str) -> Marks:
        families = self._of_type(go_type)
        if not families:
            return self._absent
        found = self._absent.copy()
        for family in families:
            if family.formula is None or any(index >= len(numbers) for index in family.indices):
                found[family.places] = self._one_by_one(result, family.places.tolist())
            else:
                with np.errstate(all="ignore"):
                    found[family.places] = family.formula(numbers, family.constants)
        return found

    def _one_by_one(self, result: ProviderResult, places: Sequence[int]) -> Marks:
        key = (result.go_type, repr(result.value), tuple(places))
        if key not in self._known:
            said = [self._said(result, self._texts[place]) for place in places]
            self._known[key] = np.array(said, dtype=np.int8)
        return self._known[key]

    def _said(self, result: ProviderResult, text: str) -> int:
        if not text:
            return ABSENT
        try:
            return int(conditions.holds(result.value, result.go_type, text, self._expr))
        except ExprError:
            return BROKEN

    def _of_type(self, go_type: str) -> list[_Family]:
        if go_type not in self._families:
            self._families[go_type] = _families(self._texts, go_type, self._expr)
        return self._families[go_type]


@dataclass(frozen=True, slots=True)
class _Family:
    """Conditions of one shape, by their places; without a formula they are evaluated one by one."""

    places: npt.NDArray[np.int64]
    constants: Numbers
    formula: Formula | None = None
    indices: frozenset[int] = frozenset()


def _families(texts: Sequence[str], go_type: str, expr: Expr) -> list[_Family]:
    members: dict[str, list[tuple[int, list[float]]]] = defaultdict(list)
    made: dict[str, tuple[Formula, frozenset[int]]] = {}
    others: list[int] = []
    for place, text in enumerate(texts):
        if not text:
            continue
        read = _read(text, go_type, expr)
        if read is None:
            others.append(place)
            continue
        shape, formula = read
        key = " ".join(shape.text)
        made.setdefault(key, (formula, frozenset(shape.indices)))
        members[key].append((place, shape.numbers))
    found = [_Family(np.array(others, dtype=np.int64), np.zeros((len(others), 0)))] if others else []
    for key, rows in members.items():
        places = np.array([place for place, _ in rows], dtype=np.int64)
        found.append(_Family(places, np.array([numbers for _, numbers in rows], dtype=np.float64), *made[key]))
    return found


def _read(text: str, go_type: str, expr: Expr) -> tuple[_Shape, Formula] | None:
    """A condition's shape and formula; None for one that has to be evaluated as it stands, or that is invalid."""
    if conditions.check(text, go_type, expr) is not None:
        return None
    shape = _Shape(scalar=go_type == "float64")
    try:
        return shape, _truth(parse(text, expr), shape)
    except _OtherError:
        return None


def _truth(node: Node, shape: _Shape) -> Formula:
    match node:
        case Binary(op="&&" | "and", left=left, right=right):
            return _joined("and", np.logical_and, _truth(left, shape), _truth(right, shape), shape)
        case Binary(op="||" | "or", left=left, right=right):
            return _joined("or", np.logical_or, _truth(left, shape), _truth(right, shape), shape)
        case Binary(op=op, left=left, right=right) if op in _COMPARE:
            return _joined(op, _COMPARE[op], _number(left, shape), _number(right, shape), shape)
        case Unary(op="!" | "not", expr=inner):
            wanted = _truth(inner, shape)
            shape.text.append("not")
            return lambda answer, numbers: np.logical_not(wanted(answer, numbers))
        case Call(callee=Name(name=name), args=[argument]) if name in _TESTS:
            return _applied(name, _TESTS[name], _of_result(argument, shape), shape)
    raise _OtherError


def _joined(
    name: str, combine: Callable[[Value, Value], Value], left: Formula, right: Formula, shape: _Shape
) -> Formula:
    shape.text.append(name)
    return lambda answer, numbers: combine(left(answer, numbers), right(answer, numbers))


def _applied(name: str, apply: Callable[[Value], Value], inner: Formula, shape: _Shape) -> Formula:
    shape.text.append(name)
    return lambda answer, numbers: apply(inner(answer, numbers))


def _number(node: Node, shape: _Shape) -> Formula:
    match node:
        case Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _constant(value, shape)
        case Builtin(name="len", args=[Name(name="result")]) if not shape.scalar:
            shape.text.append("len")
            return lambda answer, _: float(len(answer))
        case Binary(op=op, left=left, right=right) if op in _COMPUTE:
            if isinstance(left, Constant) and isinstance(right, Constant):
                # Whole numbers would be computed as such.
                raise _OtherError
            return _joined(op, _COMPUTE[op], _scaled(left, shape), _scaled(right, shape), shape)
    return _of_result(node, shape)


def _scaled(node: Node, shape: _Shape) -> Formula:
    """One side of a computation: a constant or a number of the answer, which is always a float."""
    if isinstance(node, Constant):
        return _number(node, shape)
    return _of_result(node, shape)


def _constant(value: float, shape: _Shape) -> Formula:
    if isinstance(value, int) and abs(value) > _EXACT:
        raise _OtherError
    place = len(shape.numbers)
    shape.numbers.append(float(value))
    shape.text.append("int" if isinstance(value, int) else "float")
    return lambda _, numbers: numbers[:, place]


def _of_result(node: Node, shape: _Shape) -> Formula:
    """``result`` where it is a number, or ``result[0]`` where it is a list."""
    match node:
        case Name(name="result") if shape.scalar:
            shape.text.append("result")
            return lambda answer, _: answer[0]
        case Member(base=Name(name="result"), key=Constant(value=int() as index), optional=False) if (
            not shape.scalar and not isinstance(index, bool) and index >= 0
        ):
            shape.indices.add(index)
            shape.text.append(f"result[{index}]")
            return lambda answer, _: answer[index]
    raise _OtherError
