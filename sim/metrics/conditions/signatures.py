"""Types of the built-ins without a predicate: what they take, what they return, how they refuse.

Sources: builtin/builtin.go of expr 1.17.8 and 1.15.5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sim.metrics.conditions import types
from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.types import Type, function
from sim.model.controller import Expr

Validator = Callable[[str, list[Type]], Type]
"""From a built-in's name and the types given to the type it returns; ExprError when it does not take them."""

_S, _I, _ANY = types.STRING, types.INT, types.ANY
_TRIMS: Final = (function((_S, _S), _S), function((_S,), _S))
_SPLITS: Final = (function((_S, _S), types.STRINGS), function((_S, _S, _I), types.STRINGS))
_BITS: Final = dict.fromkeys(
    ("bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr"), (function((_I, _I), _I),)
)
_SORTED: Final = tuple(
    function((kind, *order), types.ANYS)
    for order, kinds in (
        ((_S,), (types.ANYS, types.INTS, types.FLOATS, types.STRINGS)),
        ((), (types.ANYS, types.FLOATS, types.STRINGS, types.INTS)),
    )
    for kind in kinds
)
_COMMON: Final[Mapping[str, tuple[Type, ...]]] = {
    "type": (function((_ANY,), _S),),
    "string": (function((_ANY,), _S),),
    "trim": (function((_S,), _S), function((_S, _S), _S)),
    "trimPrefix": _TRIMS,
    "trimSuffix": _TRIMS,
    "upper": (function((_S,), _S),),
    "lower": (function((_S,), _S),),
    "split": _SPLITS,
    "splitAfter": _SPLITS,
    "replace": (function((_S, _S, _S, _I), _S), function((_S, _S, _S), _S)),
    "repeat": (function((_S, _I), _S),),
    "join": (
        function((types.STRINGS, _S), _S), function((types.ANYS, _S), _S), function((types.ANYS,), _S),
        function((types.STRINGS, _S), _S), function((types.STRINGS,), _S),
    ),
    "indexOf": (function((_S, _S), _I),),
    "lastIndexOf": (function((_S, _S), _I),),
    "hasPrefix": (function((_S, _S), types.BOOL),),
    "hasSuffix": (function((_S, _S), types.BOOL),),
    "toJSON": (function((_ANY,), _S),),
    "fromJSON": (function((_S,), _ANY),),
    "toBase64": (function((_S,), _S),),
    "fromBase64": (function((_S,), _S),),
    "duration": (function((_S,), types.DURATION, types.ERROR),),
}  # fmt: skip
OVERLOADS: Final[Mapping[str, tuple[Type, ...]]] = {
    **_COMMON,
    **_BITS,
    "bitnot": (function((_I,), _I),),
    "sort": _SORTED,
    "timezone": (function((_S,), types.LOCATION, types.ERROR),),
}
"""Function types of 1.17 that are tried in turn; the last one's refusal is what is reported."""
OVERLOADS_1_15: Final[Mapping[str, tuple[Type, ...]]] = {
    **_COMMON,
    "now": (function((), types.TIME),),
    "date": tuple(function((_S,) * count, types.TIME) for count in (1, 2, 3)),
}


def _shown(kind: Type) -> str:
    return "%!s(<nil>)" if kind.is_nil else kind.name


def _counted(given: list[Type], *allowed: int) -> None:
    if len(given) not in allowed:
        expected = " or ".join(map(str, allowed))
        msg = f"invalid number of arguments (expected {expected}, got {len(given)})"
        raise ExprError(msg)


def _one(accepts: Callable[[Type], bool], words: str, returns: Callable[[Type], Type]) -> Validator:
    """One argument of an accepted type, or of a type not known before it runs."""

    def validate(name: str, given: list[Type]) -> Type:
        _counted(given, 1)
        if not (given[0].is_unknown or accepts(given[0])):
            raise ExprError(words.format(name=name, type=_shown(given[0])))
        return returns(given[0])

    return validate


_INVALID: Final = "invalid argument for {name} (type {type})"


def _numeric(kind: Type) -> bool:
    return kind.kind in types.INTEGER_KINDS or kind.kind == "float64"


def _is_list(kind: Type) -> bool:
    return kind.is_list


def _is_map(kind: Type) -> bool:
    return kind.kind == "map"


def _element(kind: Type) -> Type:
    """What Go's own type says of the elements, whatever the checker knows better."""
    if kind.is_unknown:
        return types.ANY
    return types.ANY if kind.name == types.ANYS.name else kind.elem or types.ANY


def _fixed(kind: Type) -> Callable[[Type], Type]:
    return lambda _: kind


def plain(kind: Type) -> Type:
    """The type as Go's reflection knows it."""
    if kind.is_unknown:
        return types.ANY
    return types.ANYS if kind.name == types.ANYS.name else kind


def _aggregate(name: str, given: list[Type]) -> Type:
    if not given:
        msg = f"not enough arguments to call {name}"
        raise ExprError(msg)
    for kind in given:
        if kind.is_unknown or kind.is_list:
            return types.ANY
        if not _numeric(kind):
            raise ExprError(_INVALID.format(name=name, type=_shown(kind)))
    return given[0]


def _extreme_1_15(name: str, given: list[Type]) -> Type:
    if not given:
        msg = f"not enough arguments to call {name}"
        raise ExprError(msg)
    for kind in given:
        if kind.is_unknown:
            return types.ANY
        if not _numeric(kind):
            raise ExprError(_INVALID.format(name=name, type=_shown(kind)))
    return given[0]


def _take(name: str, given: list[Type]) -> Type:
    del name
    _counted(given, 2)
    if not (given[0].is_unknown or given[0].is_list):
        msg = f"cannot take from {_shown(given[0])}"
        raise ExprError(msg)
    if not (given[1].is_unknown or given[1].kind in {"int", "int64"}):
        msg = f"cannot take {_shown(given[1])} elements"
        raise ExprError(msg)
    return plain(given[0])


def _concat(name: str, given: list[Type]) -> Type:
    if not given:
        msg = "invalid number of arguments (expected at least 1, got 0)"
        raise ExprError(msg)
    for kind in given:
        if not (kind.is_unknown or kind.is_list):
            msg = f"cannot {name} {_shown(kind)}"
            raise ExprError(msg)
    return types.ANYS


def _now(name: str, given: list[Type]) -> Type:
    del name
    if given and given != [types.LOCATION]:
        msg = f"invalid number of arguments (expected 0, got {len(given)})"
        raise ExprError(msg)
    return types.TIME


def _date(name: str, given: list[Type]) -> Type:
    del name
    if not given:
        msg = "invalid number of arguments (expected at least 1, got 0)"
        raise ExprError(msg)
    rest = given[1:] if given[0] == types.LOCATION else given
    if len(rest) > 3:
        msg = f"invalid number of arguments (expected at most 3, got {len(rest)})"
        raise ExprError(msg)
    return types.TIME


def _sort_1_15(least: int) -> Validator:
    def validate(name: str, given: list[Type]) -> Type:
        del name
        _counted(given, least, least + 1)
        if not (given[0].is_unknown or given[0].is_list):
            msg = f"cannot sort {_shown(given[0])}"
            raise ExprError(msg)
        for position, kind in enumerate(given[1:], 1):
            if not (kind.is_unknown or kind.kind == "string"):
                # The library names the field's type where the order's is wrong.
                shown = _shown(given[1] if position else kind)
                msg = f"invalid argument for sort (expected string, got {shown})"
                raise ExprError(msg)
        return types.ANYS

    return validate


_LENGTHY: Final = frozenset({"array", "map", "slice", "string"})
_SHARED: Final[Mapping[str, Validator]] = {
    "len": _one(lambda kind: kind.kind in _LENGTHY, _INVALID, _fixed(_I)),
    "abs": _one(_numeric, _INVALID, plain),
    "int": _one(lambda kind: _numeric(kind) or kind.kind == "string", _INVALID, _fixed(_I)),
    "float": _one(lambda kind: _numeric(kind) or kind.kind == "string", _INVALID, _fixed(types.FLOAT)),
    "first": _one(_is_list, "cannot get first element from {type}", _element),
    "last": _one(_is_list, "cannot get last element from {type}", _element),
    "take": _take,
    "keys": _one(_is_map, "cannot get keys from {type}", _fixed(types.ANYS)),
    "values": _one(_is_map, "cannot get values from {type}", _fixed(types.ANYS)),
    "toPairs": _one(_is_map, "cannot transform {type} to pairs", _fixed(types.ANYS)),
    "fromPairs": _one(_is_list, "cannot transform {type} from pairs", _fixed(types.ANY_MAP)),
}
_ROUNDED: Final[Mapping[str, Validator]] = {
    name: _one(_numeric, _INVALID, _fixed(types.FLOAT)) for name in ("ceil", "floor", "round")
}
VALIDATORS: Final[Mapping[str, Validator]] = {
    **_SHARED,
    **_ROUNDED,
    **dict.fromkeys(("max", "min", "mean", "median"), _aggregate),
    "reverse": _one(_is_list, "cannot reverse {type}", _fixed(types.ANYS)),
    "uniq": _one(_is_list, "cannot uniq {type}", _fixed(types.ANYS)),
    "flatten": _one(_is_list, "cannot flatten {type}", _fixed(types.ANYS)),
    "concat": _concat,
    "now": _now,
    "date": _date,
}
"""Built-ins of 1.17 with a check of their own."""
VALIDATORS_1_15: Final[Mapping[str, Validator]] = {
    **_SHARED,
    **_ROUNDED,
    "round": _one(_numeric, "invalid argument for floor (type {type})", _fixed(types.FLOAT)),
    "max": _extreme_1_15,
    "min": _extreme_1_15,
    "sum": _one(_is_list, "cannot sum {type}", _fixed(types.ANY)),
    "mean": _one(_is_list, "cannot avg {type}", _fixed(types.FLOAT)),
    "median": _one(_is_list, "cannot median {type}", _fixed(types.FLOAT)),
    "sort": _sort_1_15(1),
    "sortBy": _sort_1_15(2),
}
PREDICATES: Final = frozenset(
    {"all", "none", "any", "one", "filter", "map", "find", "findIndex", "findLast", "findLastIndex", "count", "sum"}
    | {"groupBy", "sortBy", "reduce"}
)
"""Built-ins that take a predicate in 1.17."""
_JUDGE: Final = function((_ANY,), types.BOOL)
_CHOOSE: Final = function((_ANY,), _ANY)
PREDICATE_TYPES: Final[Mapping[str, Type]] = {
    **dict.fromkeys(("all", "none", "any", "one"), function((types.ANYS, _JUDGE), types.BOOL)),
    **dict.fromkeys(("find", "findLast"), function((types.ANYS, _JUDGE), _ANY)),
    **dict.fromkeys(("findIndex", "findLastIndex", "count", "sum"), function((types.ANYS, _JUDGE), _I)),
    "filter": function((types.ANYS, _JUDGE), types.ANYS),
    "map": function((types.ANYS, _CHOOSE), types.ANYS),
    "groupBy": function((types.ANYS, _CHOOSE), types.GROUPS),
    "sortBy": function((types.ANYS, _JUDGE, _S), types.ANYS),
    "reduce": function((types.ANYS, function((_ANY, _ANY), _ANY), _ANY), _ANY),
}
"""How they show where they are named but not called (1.17)."""


def overloads(expr: Expr) -> Mapping[str, tuple[Type, ...]]:
    """The built-ins that are described by function types."""
    return OVERLOADS if expr is Expr.V1_17 else OVERLOADS_1_15


def validators(expr: Expr) -> Mapping[str, Validator]:
    """The built-ins with a check of their own."""
    if expr is Expr.V1_15_3:
        return {name: check for name, check in VALIDATORS_1_15.items() if name not in _ROUNDED}
    return VALIDATORS if expr is Expr.V1_17 else VALIDATORS_1_15


def names(expr: Expr) -> frozenset[str]:
    """Every built-in of a version."""
    return PREDICATES | {"get"} | set(overloads(expr)) | set(validators(expr))


def named_type(name: str) -> Type:
    """The type of a built-in that is named but not called (1.17)."""
    if name in OVERLOADS:
        return OVERLOADS[name][0]
    return PREDICATE_TYPES.get(name, types.BUILTIN)
