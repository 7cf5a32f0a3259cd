"""Built-ins with a predicate: how each walks its list (compiler/compiler.go of expr)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from sim.metrics.conditions import types
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.library.lists import ordered
from sim.metrics.conditions.operations import add, elements
from sim.metrics.conditions.syntax import Builtin, Node
from sim.metrics.conditions.values import Keyed, boolean
from sim.model.controller import Expr

_T = TypeVar("_T")
TOO_MUCH = "the expression looks at more elements than the twin follows"
"""The limit is the twin's: expr has none, and nested loops would never end."""
_MOST: Final = 300_000


class Scope:
    """A list being walked."""

    def __init__(self, items: Sequence[Any]) -> None:
        self.items = items
        self.index = 0
        self.acc: Any = None

    def item(self) -> Any:
        """The current element."""
        return self.items[self.index]


class Walker(Protocol):
    """What runs a predicate."""

    scopes: list[Scope]
    expr: Expr
    steps: int

    def run(self, node: Node) -> Any:
        """The value of a node."""

    def grow(self, size: int) -> None:
        """Count what was made."""


def _items(machine: Walker, node: Builtin) -> Sequence[Any]:
    return elements(machine.run(node.args[0]))


def _walk(machine: Walker, items: Sequence[Any], *, backwards: bool = False) -> Iterator[Scope]:
    """Each element in turn, as the innermost scope."""
    scope = Scope(items)
    machine.scopes.append(scope)
    places = range(len(scope.items))
    for index in reversed(places) if backwards else places:
        machine.steps += 1
        if machine.steps > _MOST:
            raise ExprError(TOO_MUCH)
        scope.index = index
        yield scope
    machine.scopes.pop()


def _left(machine: Walker, depth: int) -> None:
    """Forget the scopes of walks that were not finished."""
    del machine.scopes[depth:]


def _judged(machine: Walker, node: Builtin, *, backwards: bool = False) -> Iterator[Scope]:
    """The elements whose predicate says yes; without one, the elements that are true themselves."""
    for scope in _walk(machine, _items(machine, node), backwards=backwards):
        if boolean(machine.run(node.args[1]) if len(node.args) > 1 else scope.item()):
            yield scope


def _first(machine: Walker, found: Iterator[Scope], take: Callable[[Scope], _T], otherwise: _T) -> _T:
    depth = len(machine.scopes)
    for scope in found:
        value = take(scope)
        _left(machine, depth)
        return value
    return otherwise


def _all(machine: Walker, node: Builtin) -> bool:
    return _first(machine, _unlike(machine, node, wanted=False), lambda _: False, otherwise=True)


def _none(machine: Walker, node: Builtin) -> bool:
    return _first(machine, _unlike(machine, node, wanted=True), lambda _: False, otherwise=True)


def _any(machine: Walker, node: Builtin) -> bool:
    return _first(machine, _unlike(machine, node, wanted=True), lambda _: True, otherwise=False)


def _unlike(machine: Walker, node: Builtin, *, wanted: bool) -> Iterator[Scope]:
    for scope in _walk(machine, _items(machine, node)):
        if boolean(machine.run(node.args[1])) is wanted:
            yield scope


def _one(machine: Walker, node: Builtin) -> bool:
    return sum(1 for _ in _judged(machine, node)) == 1


def _count(machine: Walker, node: Builtin) -> int:
    depth, count = len(machine.scopes), 0
    for _ in _judged(machine, node):
        count += 1
        if node.threshold is not None and count >= node.threshold:
            _left(machine, depth)
            break
    return count


def _kept(machine: Walker, node: Builtin, scope: Scope) -> Any:
    return scope.item() if node.mapped is None else machine.run(node.mapped)


def _filter(machine: Walker, node: Builtin) -> list[Any]:
    found = [_kept(machine, node, scope) for scope in _judged(machine, node)]
    machine.grow(len(found))
    return found


def _map(machine: Walker, node: Builtin) -> list[Any]:
    found = [machine.run(node.args[1]) for _ in _walk(machine, _items(machine, node))]
    machine.grow(len(found))
    return found


_MISSING: Final = object()


def _find(*, backwards: bool) -> Callable[[Walker, Builtin], Any]:
    def call(machine: Walker, node: Builtin) -> Any:
        found = _judged(machine, node, backwards=backwards)
        value = _first(machine, found, lambda scope: _kept(machine, node, scope), _MISSING)
        if value is _MISSING and node.throws:
            msg = "reflect: slice index out of range"
            raise ExprError(msg)
        return None if value is _MISSING else value

    return call


def _find_index(*, backwards: bool) -> Callable[[Walker, Builtin], Any]:
    def call(machine: Walker, node: Builtin) -> int | None:
        found = _judged(machine, node, backwards=backwards)
        return _first(machine, found, lambda scope: scope.index, None)

    return call


def _sum(machine: Walker, node: Builtin) -> Any:
    total: Any = 0
    for scope in _walk(machine, _items(machine, node)):
        total = add(machine.run(node.args[1]) if len(node.args) > 1 else scope.item(), total)
    return total


def _group_by(machine: Walker, node: Builtin) -> Keyed:
    groups = Keyed(types.GROUPS)
    for scope in _walk(machine, _items(machine, node)):
        slot = Keyed.slot(machine.run(node.args[1]))
        groups.setdefault(slot, []).append(scope.item())
    return groups


def _sort_by(machine: Walker, node: Builtin) -> list[Any]:
    items: list[Any] = []
    keys: list[Any] = []
    order: Any = "asc"
    collection = _items(machine, node)
    if len(node.args) > 2:
        order = _order(machine, node, collection)
    for scope in _walk(machine, collection):
        keys.append(machine.run(node.args[1]))
        items.append(scope.item())
    found = ordered(items, keys, descending=order == "desc")
    machine.grow(len(found))
    return found


def _order(machine: Walker, node: Builtin, collection: Sequence[Any]) -> str:
    machine.scopes.append(Scope(collection))
    order = machine.run(node.args[2])
    machine.scopes.pop()
    if not isinstance(order, str):
        msg = "sortBy order argument must be a string"
        raise ExprError(msg)
    if order not in {"asc", "desc"}:
        msg = "unknown order, use asc or desc"
        raise ExprError(msg)
    return order


def _reduce(machine: Walker, node: Builtin) -> Any:
    acc: Any = _MISSING
    depth = len(machine.scopes)
    items = _items(machine, node)
    if len(node.args) > 2:
        machine.scopes.append(Scope(items))
        acc = machine.run(node.args[2])
        _left(machine, depth)
    for scope in _walk(machine, items):
        if acc is _MISSING:
            acc = scope.item()
            continue
        scope.acc = acc
        acc = machine.run(node.args[1])
    if acc is _MISSING:
        modern = machine.expr is Expr.V1_17
        raise ExprError(
            "reduce of empty array with no initial value" if modern else "reflect: slice index out of range"
        )
    return acc


PREDICATES: Final[Mapping[str, Callable[[Walker, Builtin], Any]]] = {
    "all": _all,
    "none": _none,
    "any": _any,
    "one": _one,
    "count": _count,
    "filter": _filter,
    "map": _map,
    "find": _find(backwards=False),
    "findLast": _find(backwards=True),
    "findIndex": _find_index(backwards=False),
    "findLastIndex": _find_index(backwards=True),
    "sum": _sum,
    "groupBy": _group_by,
    "sortBy": _sort_by,
    "reduce": _reduce,
}
