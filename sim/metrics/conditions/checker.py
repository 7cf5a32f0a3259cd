"""Static types, with the words of expr's own checker (checker/checker.go of expr 1.17.8 and 1.15.5).

The controller compiles a condition against the type this measurement has, so a condition can be wrong for one
measurement and right for the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from sim.metrics.conditions import signatures, types
from sim.metrics.conditions.assignable import assignable, wants_float
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.operator_types import Operators, operators
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
from sim.metrics.conditions.types import Type
from sim.metrics.conditions.values import type_of
from sim.model.controller import Expr


@dataclass(frozen=True, slots=True)
class _Scope:
    """The list a predicate walks, and the pointers it may name."""

    collection: Type
    pointers: Mapping[str, Type] = field(default_factory=dict)


_INDEX: Final = {"map": {"index": types.INT}, "reduce": {"index": types.INT, "acc": types.UNKNOWN}}
_BOOLEAN: Final = frozenset({"all", "none", "any", "one"})
_JUDGING: Final = _BOOLEAN | {"filter", "count", "find", "findLast", "findIndex", "findLastIndex"}
"""Built-ins whose predicate must answer yes or no."""


def check(node: Node, env: Mapping[str, Type], expr: Expr) -> Type:
    """The type of an expression, written into every node too; ExprError with the checker's message when it has none."""
    return Checker(env, expr).of(node)


class _RefusedError(ExprError):
    """Arguments that one overload does not take; another may."""


class Checker:
    """One walk over one tree."""

    def __init__(self, env: Mapping[str, Type], expr: Expr) -> None:
        self.expr = expr
        self.modern = expr is Expr.V1_17
        self._env = env
        self._variables: dict[str, Type] = {}
        self._scopes: list[_Scope] = []
        self._operators: Operators = operators(expr)
        self._names = signatures.names(expr)

    def shown(self, kind: Type) -> str:
        """A type as the version prints it."""
        if self.modern:
            return kind.name
        return "<nil>" if kind.is_nil else types.ANY.name if kind.is_unknown else kind.name

    def of(self, node: Node) -> Type:
        """The node's type."""
        node.type = self._visits[type(node)](self, node)
        return node.type

    def _constant(self, node: Constant) -> Type:
        return type_of(node.value)

    def _name(self, node: Name) -> Type:
        if node.name in self._variables:
            return self._variables[node.name]
        if node.name == "$env":
            return types.UNKNOWN if self.modern else types.MAP
        return self._looked_up(node, node.name, strict=True, builtins=True)

    def _looked_up(self, node: Node, name: str, *, strict: bool, builtins: bool) -> Type:
        if name in self._env:
            return self._env[name]
        if builtins and name in self._names:
            return signatures.named_type(name) if self.modern else types.BUILTIN
        if strict:
            msg = f"unknown name {name}"
            raise ExprError(msg, node.at)
        return types.UNKNOWN

    def _pointer(self, node: Pointer) -> Type:
        if not self._scopes:
            msg = f"cannot use pointer accessor outside {'predicate' if self.modern else 'closure'}"
            raise ExprError(msg, node.at)
        scope = self._scopes[-1]
        if not node.name:
            return scope.collection.elem or types.UNKNOWN
        if node.name not in scope.pointers:
            msg = f"unknown pointer #{node.name}"
            raise ExprError(msg, node.at)
        return scope.pointers[node.name]

    def _unary(self, node: Unary) -> Type:
        kind = self.of(node.expr)
        logical = node.op in {"!", "not"}
        if kind.kind == "bool" if logical else self._operators.number(kind):
            return types.BOOL if logical else kind
        if kind.is_unknown:
            return types.BOOL if logical else types.UNKNOWN
        msg = f"invalid operation: {node.op} (mismatched type {self.shown(kind)})"
        raise ExprError(msg, node.at)

    def _binary(self, node: Binary) -> Type:
        left, right = self.of(node.left), self.of(node.right)
        try:
            kind = self._operators.result(node, left, right)
        except ExprError as error:
            raise ExprError(str(error), node.at) from None
        if kind is None:
            pair = f"{self.shown(left)} and {self.shown(right)}"
            msg = f"invalid operation: {node.op} (mismatched types {pair})"
            raise ExprError(msg, node.at)
        return kind

    def _ternary(self, node: Ternary) -> Type:
        condition = self.of(node.condition)
        if not (condition.kind == "bool" or condition.is_unknown):
            msg = f"non-bool expression (type {self.shown(condition)}) used as condition"
            raise ExprError(msg, node.condition.at)
        yes, no = self.of(node.yes), self.of(node.no)
        if yes.is_nil or no.is_nil:
            return no if yes.is_nil else yes
        if not assignable(yes, no):
            return types.UNKNOWN
        if self.modern and yes.is_list and no.is_list:
            one, other = yes.elem or types.UNKNOWN, no.elem or types.UNKNOWN
            if not (assignable(one, other) and assignable(other, one)):
                return types.ANYS
        return yes

    def _let(self, node: Let) -> Type:
        kind = "" if node.name in self._env else "builtin " if node.name in self._names else None
        if kind is None and node.name in self._variables:
            kind = "variable "
        if kind is not None:
            msg = f"cannot redeclare {kind}{node.name}"
            raise ExprError(msg, node.at)
        self._variables[node.name] = self.of(node.value)
        body = self.of(node.body)
        del self._variables[node.name]
        return body

    def _sequence(self, node: Sequence) -> Type:
        return [self.of(part) for part in node.parts][-1]

    def _chain(self, node: Chain) -> Type:
        return self.of(node.expr)

    def _list_of(self, node: ListOf) -> Type:
        kinds = [self.of(item) for item in node.items]
        if not self.modern:
            return types.ANYS
        same = len({"invalid" if kind.is_nil else kind.kind for kind in kinds}) <= 1
        return array_of(kinds[-1] if kinds else types.UNKNOWN) if same else types.ANYS

    def _map_of(self, node: MapOf) -> Type:
        for key, value in node.items:
            self.of(key)
            self.of(value)
        return types.MAP

    def _predicate(self, node: Predicate) -> Type:
        kind = self.of(node.body)
        if kind.is_nil and not self.modern:
            msg = "closure cannot be nil"
            raise ExprError(msg, node.body.at)
        return kind

    def _member(self, node: Member) -> Type:
        if isinstance(node.base, Name) and node.base.name == "$env" and self.modern:
            return self._env_member(node)
        base, key = self.of(node.base), self.of(node.key)
        if isinstance(node.base, Name) and node.base.name == "$env":
            return self._env_member(node)
        if base.is_unknown:
            return types.UNKNOWN
        name = node.key.value if isinstance(node.key, Constant) and isinstance(node.key.value, str) else None
        if name is not None:
            if base.is_nil:
                msg = f"type {'nil' if self.modern else '<nil>'} has no field {name}"
                raise ExprError(msg, node.at)
            for method, kind in base.methods:
                if method == name:
                    return kind
        return self._element(node, base, key, name)

    def _env_member(self, node: Member) -> Type:
        if isinstance(node.key, Constant) and isinstance(node.key.value, str):
            strict = not node.optional and self.expr is not Expr.V1_15_3
            return self._looked_up(node, node.key.value, strict=strict, builtins=not self.modern)
        return types.UNKNOWN

    def _element(self, node: Member, base: Type, key: Type, name: str | None) -> Type:
        if base.kind == "map":
            wanted = base.key or types.ANY
            if not (assignable(key, wanted) or key.is_unknown or (key.is_nil and not self.modern)):
                msg = f"cannot use {self.shown(key)} to get an element from {base}"
                raise ExprError(msg, node.key.at)
            return signatures.plain(base.elem or types.ANY)
        if base.is_list:
            if not (self._operators.integer(key) or key.is_unknown):
                msg = f"array elements can only be selected using an integer (got {self.shown(key)})"
                raise ExprError(msg, node.key.at)
            return base.elem or types.UNKNOWN
        for field_name, kind in base.fields:
            if field_name == name:
                return kind
        if name is None or not (self.modern or base.kind == "struct"):
            msg = f"type {self.shown(base)}[{self.shown(key)}] is undefined"
        else:
            msg = f"type {self.shown(base)} has no {'method' if node.method else 'field'} {name}"
        raise ExprError(msg, node.at)

    def _slice(self, node: Slice) -> Type:
        kind = self.of(node.base)
        if kind.is_unknown and self.modern:
            return types.UNKNOWN
        if not (kind.is_unknown or kind.is_list or kind.kind == "string"):
            msg = f"cannot slice {self.shown(kind)}"
            raise ExprError(msg, node.at)
        for bound in (node.low, node.high):
            if bound is None:
                continue
            given = self.of(bound)
            if not (self._operators.integer(given) or given.is_unknown):
                msg = f"non-integer slice index {self.shown(given)}"
                raise ExprError(msg, bound.at)
        return kind

    def _call(self, node: Call) -> Type:
        if isinstance(node.callee, Name) and node.callee.name == "$env" and self.modern:
            msg = f"{types.MAP} is not callable"
            raise ExprError(msg, node.at)
        kind = self.of(node.callee)
        if kind.is_unknown:
            return types.UNKNOWN
        name = _called(node.callee)
        if kind.is_nil:
            msg = f"{name} is nil; cannot call nil as function"
            raise ExprError(msg, node.at)
        if kind.kind != "func":
            msg = f"{self.shown(kind)} is not callable"
            raise ExprError(msg, node.at)
        try:
            return self._arguments(name, kind, node.args, node)
        except _RefusedError as error:
            raise ExprError(str(error), error.at) from None

    def _arguments(self, name: str, wanted: Type, args: list[Node], node: Node) -> Type:
        if wanted.variadic:
            for arg in args:
                self.of(arg)
            return wanted.returns or types.ANY
        if len(args) != len(wanted.params):
            if self.modern:
                for arg in args:
                    self.of(arg)
            msg = f"{'too many' if len(args) > len(wanted.params) else 'not enough'} arguments to call {name}"
            raise _RefusedError(msg, node.at)
        for arg, kind in zip(args, wanted.params, strict=True):
            self._argument(name, arg, kind)
        return wanted.returns or types.ANY

    def _argument(self, name: str, arg: Node, wanted: Type) -> None:
        given = self.of(arg)
        if self._operators.integer(given) and self._takes_integer(wanted, given):
            if wanted is types.FLOAT:
                wants_float(arg)
            return
        if wanted is types.FLOAT and self.expr is Expr.V1_15_3:
            wants_float(arg)
            return
        if given.is_nil:
            if not self.modern or wanted.kind in {"ptr", "interface"}:
                return
            msg = f"cannot use nil as argument (type {wanted}) to call {name}"
            raise _RefusedError(msg, arg.at)
        if not (assignable(given, wanted) or given.is_unknown):
            msg = f"cannot use {self.shown(given)} as argument (type {wanted}) to call {name} "
            raise _RefusedError(msg, arg.at)

    def _takes_integer(self, wanted: Type, given: Type) -> bool:
        return wanted is types.FLOAT or (self._operators.integer(wanted) and wanted.kind != given.kind)

    def _builtin(self, node: Builtin) -> Type:
        if node.args and any(isinstance(arg, Predicate) for arg in node.args):
            return self._walked(node)
        if node.name in {"count", "sum"} and self.modern:
            return self._whole(node)
        if node.name == "get":
            return self._get(node)
        return self._plain_builtin(node)

    def _plain_builtin(self, node: Builtin) -> Type:
        validate = signatures.validators(self.expr).get(node.name)
        if validate is None:
            return self._overloaded(node)
        given = [self.of(arg) for arg in node.args]
        try:
            return validate(node.name, [signatures.plain(kind) for kind in given])
        except ExprError as error:
            raise ExprError(str(error), node.at) from None

    def _overloaded(self, node: Builtin) -> Type:
        refusal = ExprError(f"no matching overload for {node.name}", node.at)
        for wanted in signatures.overloads(self.expr)[node.name]:
            try:
                return self._arguments(node.name, wanted, node.args, node)
            except _RefusedError as error:
                refusal = ExprError(str(error), error.at)
        raise refusal

    def _whole(self, node: Builtin) -> Type:
        """``count`` or ``sum`` of a list's own elements."""
        collection = self._collection(node)
        if node.name == "count":
            return types.INT
        return types.UNKNOWN if collection.is_unknown else collection.elem or types.UNKNOWN

    def _collection(self, node: Builtin) -> Type:
        collection = self.of(node.args[0])
        if not (collection.is_list or collection.is_unknown):
            msg = f"builtin {node.name} takes only array (got {self.shown(collection)})"
            raise ExprError(msg, node.args[0].at)
        return collection

    def _walked(self, node: Builtin) -> Type:
        collection = self._collection(node)
        self._scopes.append(_Scope(collection, _INDEX.get(node.name, {})))
        judged = self.of(node.args[1])
        self._scopes.pop()
        if len(node.args) == 3:
            order = self.of(node.args[2])
            if node.name == "sortBy" and not (order.kind == "string" or order.is_unknown):
                msg = f"sortBy order argument must be a string (got {self.shown(order)})"
                raise ExprError(msg, node.args[2].at)
        if judged.is_nil:
            count = "two" if node.name == "reduce" else "one"
            msg = f"predicate should has {count} input and one output param"
            raise ExprError(msg, node.args[1].at)
        if node.name in _JUDGING and not (judged.kind == "bool" or judged.is_unknown):
            msg = f"predicate should return boolean (got {self.shown(judged)})"
            raise ExprError(msg, node.args[1].at)
        return self._collected(node.name, collection, judged)

    def _collected(self, name: str, collection: Type, judged: Type) -> Type:  # noqa: PLR0911  # one return per kind
        element = types.UNKNOWN if collection.is_unknown else collection.elem or types.UNKNOWN
        if name in _BOOLEAN:
            return types.BOOL
        if name in {"count", "findIndex", "findLastIndex"}:
            return types.INT
        if name in {"find", "findLast"}:
            return element
        if name == "filter":
            return types.ANYS if collection.is_unknown else self._listed(element)
        if name == "map":
            return self._listed(judged)
        if name == "groupBy":
            return types.GROUPS
        if name == "sortBy":
            return collection
        return signatures.plain(judged) if name == "sum" else judged

    def _listed(self, element: Type) -> Type:
        return array_of(element) if self.modern else types.slice_of(signatures.plain(element))

    def _get(self, node: Builtin) -> Type:
        if len(node.args) != 2:
            msg = f"invalid number of arguments (expected 2, got {len(node.args)})"
            raise ExprError(msg, node.at)
        target, key = node.args
        if isinstance(target, Name) and target.name == "$env":
            known = self._env.get(str(key.value), types.UNKNOWN) if isinstance(key, Constant) else types.UNKNOWN
            return known if isinstance(key, Constant) and isinstance(key.value, str) else types.UNKNOWN
        base = self.of(target)
        if base.is_unknown and not self.modern:
            return types.UNKNOWN
        given = self.of(key) if self.modern or base.is_list or base.kind == "map" else types.UNKNOWN
        return self._got(node, base, given)

    def _got(self, node: Builtin, base: Type, key: Type) -> Type:
        if base.is_unknown:
            return types.UNKNOWN
        if base.is_list:
            if key.is_nil and not self.modern:
                msg = "cannot use nil as slice index"
                raise ExprError(msg, node.args[1].at)
            if not (self._operators.integer(key) or key.is_unknown):
                msg = f"non-integer slice index {self.shown(key)}"
                raise ExprError(msg, node.args[1].at)
            return base.elem or types.UNKNOWN
        if base.kind == "map":
            if key.is_nil and not self.modern:
                msg = "cannot use nil as map index"
                raise ExprError(msg, node.args[1].at)
            if not (assignable(key, base.key or types.ANY) or key.is_unknown):
                msg = f"cannot use {self.shown(key)} to get an element from {base}"
                raise ExprError(msg, node.args[1].at)
            return signatures.plain(base.elem or types.ANY)
        msg = f"type {self.shown(base)} does not support indexing"
        raise ExprError(msg, node.args[0].at)

    _visits: ClassVar[Mapping[type, Callable[[Checker, Any], Type]]] = {
        Constant: _constant,
        Name: _name,
        Pointer: _pointer,
        Unary: _unary,
        Binary: _binary,
        Ternary: _ternary,
        Let: _let,
        Sequence: _sequence,
        Chain: _chain,
        ListOf: _list_of,
        MapOf: _map_of,
        Predicate: _predicate,
        Member: _member,
        Slice: _slice,
        Call: _call,
        Builtin: _builtin,
    }


def array_of(element: Type) -> Type:
    """``[]interface {}`` of which the checker knows what is in it."""
    return Type("slice", types.ANYS.name, element)


def _called(callee: Node) -> str:
    if isinstance(callee, Name):
        return callee.name
    if isinstance(callee, Member) and isinstance(callee.key, Constant) and isinstance(callee.key.value, str):
        return callee.key.value
    return "function"
