"""What expr's compiler makes of a checked tree before it runs: constants folded, loops joined.

It is more than speed: a folded ``false and x`` never looks at x, ``filter(...)[0]`` fails in other words than an index,
and joined predicates stop earlier. Source: optimizer/ of expr 1.17.8 and 1.15.5.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from functools import partial
from typing import Any, Final, cast

from sim.metrics.conditions import types
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.operations import divided, raised, remainder
from sim.metrics.conditions.syntax import (
    Binary,
    Builtin,
    Constant,
    Fixed,
    ListOf,
    Member,
    Node,
    Pointer,
    Predicate,
    Unary,
)
from sim.metrics.conditions.values import KeySet, Typed, type_of, wrapped
from sim.model.controller import Expr

_Pass = Callable[[Node], Node]


def lowered(tree: Node, expr: Expr) -> Node:
    """The tree as it is run; ExprError for a constant division by zero."""
    for one in _MODERN if expr is Expr.V1_17 else _BEFORE:
        tree = _walked(tree, one)
    return tree


def children(node: Node) -> Iterator[Node]:
    """The nodes right below a node."""
    for part in fields(node):
        value = getattr(node, part.name)
        yield from _nodes(value)


def _nodes(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _nodes(one)


def _walked(node: Node, change: _Pass) -> Node:
    """Change a tree from its leaves up."""
    if isinstance(node, Fixed):
        return node
    for part in fields(node):
        value = getattr(node, part.name)
        if isinstance(value, Node | list):
            setattr(node, part.name, _walked_part(value, change))
    return change(node)


def _walked_part(value: Any, change: _Pass) -> Any:
    if isinstance(value, Node):
        return _walked(value, change)
    if isinstance(value, list):
        return [_walked_part(one, change) for one in value]
    return tuple(_walked_part(one, change) for one in value) if isinstance(value, tuple) else value


def _like(node: Node, new: Node) -> Node:
    """The new node in the old one's place, with its type."""
    new.at, new.type = node.at, node.type
    return new


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _integer(node: Node) -> int | None:
    return node.value if isinstance(node, Constant) and _is_int(node.value) else None  # type: ignore[return-value]  # tested


def _number(node: Node) -> float | None:
    if isinstance(node, Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    return None


def _flag(node: Node) -> bool | None:
    return node.value if isinstance(node, Constant) and isinstance(node.value, bool) else None


def _constants(node: ListOf, kind: type) -> list[Any] | None:
    values = [item.value if isinstance(item, Constant) and type(item.value) is kind else None for item in node.items]
    return None if not values or any(value is None for value in values) else values


def _in_list(node: Node) -> Node:
    if not (isinstance(node, Binary) and node.op == "in" and isinstance(node.right, ListOf)):
        return node
    kinds = [(int, types.INT)] if node.left.type.kind == "int" else []
    for kind, key in [*kinds, (str, types.STRING)]:
        values = _constants(node.right, kind)
        if values is not None:
            members = Fixed(KeySet(frozenset(values), key), at=node.right.at, type=types.ANY_MAP)
            return _like(node, Binary("in", node.left, members))
    return node


_ARITHMETIC: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def _folded(node: Node) -> Node:
    match node:
        case Unary("-" | "+", Constant(value)) if _number(node.expr) is not None:
            return _constant(node, -cast("float", value) if node.op == "-" else cast("float", value))
        case Unary("!" | "not", Constant(value)) if isinstance(value, bool):
            return _constant(node, not value)
        case Binary():
            return _folded_binary(node)
        case ListOf():
            return _folded_list(node)
        case Builtin("filter", [Builtin("filter", [base, Predicate(first)], None), Predicate(second)]):
            both = Binary("&&", first, second, at=node.at, type=types.BOOL)
            return _like(node, Builtin("filter", [base, Predicate(both, at=node.at, type=types.BOOL)]))
    return node


def _constant(node: Node, value: Any) -> Constant:
    value = wrapped(value) if _is_int(value) else value
    return Constant(value, at=node.at, type=type_of(value))


def _folded_list(node: ListOf) -> Node:
    plain = all(isinstance(one, Constant) and isinstance(one.value, int | float | str) for one in node.items)
    if not node.items or not plain:
        return node
    return Fixed([one.value for one in node.items if isinstance(one, Constant)], at=node.at, type=types.ANYS)


def _folded_binary(node: Binary) -> Node:
    left, right = _number(node.left), _number(node.right)
    if left is not None and right is not None:
        return _folded_numbers(node, left, right)
    if isinstance(node.left, Constant) and isinstance(node.right, Constant):
        one, other = node.left.value, node.right.value
        if isinstance(one, str) and isinstance(other, str) and node.op in {"+", "=="}:
            return _constant(node, one + other if node.op == "+" else one == other)
        if isinstance(one, bool) and isinstance(other, bool) and node.op == "==":
            return _constant(node, one == other)
    return _folded_logic(node)


def _folded_numbers(node: Binary, left: float, right: float) -> Node:
    whole = _is_int(left) and _is_int(right)
    if node.op in _ARITHMETIC:
        return _constant(node, _ARITHMETIC[node.op](left, right))
    if node.op == "/":
        return _constant(node, divided(left, right))
    if node.op in {"**", "^"}:
        return _constant(node, raised(float(left), float(right)))
    if node.op == "%" and whole:
        if right == 0:
            msg = "integer divide by zero"
            raise ExprError(msg, node.at)
        return _constant(node, remainder(int(left), int(right)))
    if node.op == "==" and whole:
        return _constant(node, left == right)
    return node


def _folded_logic(node: Binary) -> Node:
    if node.op not in {"and", "&&", "or", "||"}:
        return node
    neutral = node.op in {"and", "&&"}
    left, right = _flag(node.left), _flag(node.right)
    if left is neutral:
        return _like(node, node.right)
    if right is neutral:
        return _like(node, node.left)
    return node if left is None and right is None else _constant(node, not neutral)


def _in_range(node: Node) -> Node:
    match node:
        case Binary("in", left, Binary("..", low, high)) if left.type.kind == "int":
            if _integer(low) is None or _integer(high) is None:
                return node
            least = Binary(">=", left, low, at=node.at, type=types.BOOL)
            return _like(node, Binary("and", least, Binary("<=", left, high, at=node.at, type=types.BOOL)))
    return node


def _const_range(node: Node) -> Node:
    """Before 1.17 a range of constants is made once."""
    if isinstance(node, Binary) and node.op == "..":
        low, high = _integer(node.left), _integer(node.right)
        if low is not None and high is not None and high - low < 1_000_000:
            return Fixed(Typed(range(low, high + 1), types.INTS), at=node.at, type=types.INTS)
    return node


def _filter_map(node: Node, *, modern: bool) -> Node:
    """``map`` of a filtered list maps as it filters; before 1.17 even where ``#index`` then means another list's."""
    match node:
        case Builtin("map", [Builtin("filter", _, None) as found, Predicate(body) as judged]):
            if not (modern and _names_index(judged)):
                return _like(node, replace(found, mapped=body))
    return node


def _names_index(node: Node) -> bool:
    if isinstance(node, Pointer):
        return node.name == "index"
    return any(map(_names_index, children(node)))


def _filter_len(node: Node) -> Node:
    match node:
        case Builtin("len", [Builtin("filter", [_, _] as args)]):
            return _like(node, Builtin("count", args))
    return node


def _filter_end(node: Node, index: int, word: str, finder: str) -> Node:
    """``filter(...)[0]`` and ``first(filter(...))`` look no further than what they return; so from the end."""
    match node:
        case Member(Builtin("filter", [_, _] as args, mapped), Constant(key), False) if _is_int(key) and key == index:
            return _like(node, Builtin(finder, args, mapped, throws=True))
        case Builtin(name, [Builtin("filter", [_, _] as args, mapped)]) if name == word:
            return _like(node, Builtin(finder, args, mapped))
    return node


_COMBINED: Final[Mapping[tuple[str, str], str]] = {
    **{("all", op): op for op in ("and", "&&")},
    **{("any", op): op for op in ("or", "||")},
    ("none", "and"): "or",
    ("none", "&&"): "||",
}


def _predicates(node: Node) -> Node:
    match node:
        case Binary(op, Builtin(name, [base, Predicate(first)]), Builtin(other, [same, Predicate(second)])):
            joined = _COMBINED.get((name, op))
            if joined and name == other and base.type.name == same.type.name and _alike(base, same):
                both = _predicates(Binary(joined, first, second, at=node.at, type=types.BOOL))
                return _like(node, Builtin(name, [base, Predicate(both, at=node.at, type=types.BOOL)]))
    return node


def _alike(one: Any, other: Any) -> bool:
    """Whether two trees are written the same."""
    if isinstance(one, Node):
        parts = (part.name for part in fields(one) if part.name not in {"at", "type"})
        return type(one) is type(other) and all(_alike(getattr(one, part), getattr(other, part)) for part in parts)
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(_alike, one, other))
    return type(one) is type(other) and bool(one == other)


def _sum_range(node: Node) -> Node:
    """``sum(1..n)`` is worked out, so it costs no memory however long."""
    match node:
        case Builtin("sum" | "reduce", [Binary("..", Constant(low), Constant(high)), *rest]) if (
            _is_int(low) and _is_int(high) and cast("int", high) >= cast("int", low)
        ):
            least, most = cast("int", low), cast("int", high)
            count = most - least + 1
            total = _series(node.name, rest, wrapped(wrapped(count * (least + most)) // 2), count)
            return node if total is None else _constant(node, total)
    return node


def _series(name: str, rest: list[Node], total: int, count: int) -> int | None:
    if name == "reduce":
        return _reduced_series(rest, total)
    if not rest:
        return total
    match rest:
        case [Predicate(Pointer(""))]:
            return total
        case [Predicate(Binary(op, Pointer(""), Constant(value)))] if _is_int(value):
            step = cast("int", value)
            return {"*": step * total, "+": total + count * step, "-": total - count * step}.get(op)
        case [Predicate(Binary(op, Constant(value), Pointer("")))] if _is_int(value):
            step = cast("int", value)
            return {"*": step * total, "+": total + count * step, "-": count * step - total}.get(op)
    return None


def _reduced_series(rest: list[Node], total: int) -> int | None:
    match rest:
        case [Predicate(Binary("+", Pointer(one), Pointer(other))), *initial] if {one, other} == {"", "acc"}:
            if not initial:
                return total
            start = _integer(initial[0])
            return None if start is None else start + total
    return None


def _sum_list(node: Node) -> Node:
    match node:
        case Builtin("sum", [ListOf([_, _, *_] as items)]):
            total = items[-1]
            for item in reversed(items[:-1]):
                total = Binary("+", item, total, at=node.at, type=node.type)
            return _like(node, total)
    return node


def _sum_map(node: Node) -> Node:
    match node:
        case Builtin("sum", [Builtin("map", [_, _] as args)]):
            return _like(node, Builtin("sum", args))
    return node


def _counted(node: Node) -> Node:
    """A count that is compared with a number stops as soon as the answer is known."""
    match node:
        case Binary(op, Builtin("count", [_, _] as args), Constant(value)) if _is_int(value):
            limit = cast("int", value)
            if (op, limit) in {(">", 0), (">=", 1)}:
                return _like(node, Builtin("any", args))
            threshold = {">": limit + 1, ">=": limit, "<": limit, "<=": limit + 1}.get(op, 0)
            if limit >= 0 and threshold > 1:
                return _like(node, Binary(op, replace(cast("Builtin", node.left), threshold=threshold), node.right))
    return node


_ENDS: Final[tuple[_Pass, ...]] = (
    partial(_filter_end, index=-1, word="last", finder="findLast"),
    partial(_filter_end, index=0, word="first", finder="find"),
)
_MODERN: Final[tuple[_Pass, ...]] = (
    _in_list, _folded, _in_range, partial(_filter_map, modern=True), _filter_len, *_ENDS, _predicates, _sum_range,
    _sum_list, _sum_map, _counted,
)  # fmt: skip
_BEFORE: Final[tuple[_Pass, ...]] = (
    _in_list, _folded, _in_range, _const_range, partial(_filter_map, modern=False), _filter_len, *_ENDS,
)  # fmt: skip
