"""expr's built-in functions without a predicate, by version."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature
from typing import Any, Final

from sim.metrics.conditions.errors import ExprError
from sim.metrics.conditions.library import lists, numbers, texts, times
from sim.model.controller import Expr

_BEFORE: Final[Mapping[str, Callable[..., Any]]] = {
    **numbers.FUNCTIONS_1_15,
    **texts.FUNCTIONS_1_15,
    **lists.FUNCTIONS_1_15,
    **times.FUNCTIONS,
}
FUNCTIONS: Final[Mapping[Expr, Mapping[str, Callable[..., Any]]]] = {
    Expr.V1_17: {**numbers.FUNCTIONS, **texts.FUNCTIONS, **lists.FUNCTIONS, **times.FUNCTIONS},
    Expr.V1_15_5: _BEFORE,
    Expr.V1_15_3: {**_BEFORE, **lists.FUNCTIONS_1_15_3},
}


def _positions(function: Callable[..., Any]) -> range:
    """Numbers of arguments that a function takes."""
    kinds = [(one.kind, one.default) for one in signature(function).parameters.values()]
    if any(kind is Parameter.VAR_POSITIONAL for kind, _ in kinds):
        return range(sys.maxsize)
    taken = [default for kind, default in kinds if kind is Parameter.POSITIONAL_OR_KEYWORD]
    return range(sum(default is Parameter.empty for default in taken), len(taken) + 1)


_ARITIES: Final = {
    expr: {name: _positions(function) for name, function in functions.items()} for expr, functions in FUNCTIONS.items()
}


def called(name: str, args: Sequence[Any], expr: Expr) -> Any:
    """The value of a built-in, all but ``now``.

    The number of arguments was checked, but for where the checker does not look: what is called, or indexed, by a
    value it knows nothing about.
    """
    if len(args) not in _ARITIES[expr][name]:
        msg = f"invalid number of arguments (got {len(args)})"
        raise ExprError(msg)
    return FUNCTIONS[expr][name](*args)


__all__ = ["called"]
