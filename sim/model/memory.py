"""Remembering the last answer, where the same question about the same objects comes again and again."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def remembers_last(function: Callable[P, R]) -> Callable[P, R]:
    """A pure function that is not run again for the very objects it was called with last (positional, compared with ``is``).

    Unlike ``functools.lru_cache`` it never hashes its arguments, which for a whole scenario is the greater part of the work.
    """
    known: list[Any] = []

    @wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        asks_again = known and not kwargs and len(known[0]) == len(args)
        if asks_again and all(one is other for one, other in zip(known[0], args, strict=True)):
            answer: R = known[1]
            return answer
        found = function(*args, **kwargs)
        known[:] = [args, found]
        return found

    return asked
