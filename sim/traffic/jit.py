"""How the hot loops are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar, cast

from numba import config, njit

P = ParamSpec("P")
R = TypeVar("R")

IS_COMPILED: Final = not vars(config)["DISABLE_JIT"]
"""False with ``NUMBA_DISABLE_JIT=1``."""


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """The function compiled on first call, cached on disk where a cache directory is writable.

    With ``NUMBA_DISABLE_JIT=1`` it stays Python and gives the same bits, so it is written in what both understand:
    whole 64-bit words are ``np.uint64`` throughout, records are read as ``array[i]["field"]``.
    """
    return _compiled(function, forceinline=False)


def part(function: Callable[P, R]) -> Callable[P, R]:
    """A kernel that is always inlined into its caller: a call would count references to every array it passes."""
    return _compiled(function, forceinline=True)


def _compiled(function: Callable[P, R], *, forceinline: bool) -> Callable[P, R]:
    # Without numba's runtime no loop counts references to its arrays: the caller holds them all, none is made inside.
    options: dict[str, Any] = {"forceinline": forceinline, "_nrt": False}
    try:
        return cast("Callable[P, R]", njit(cache=True, **options)(function))
    except RuntimeError:  # no cache directory is writable
        return cast("Callable[P, R]", njit(**options)(function))
