"""How the hot loops are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """The function compiled on first call, cached on disk where a cache directory is writable.

    With ``NUMBA_DISABLE_JIT=1`` it stays Python and gives the same bits, so it is written in what both understand:
    whole 64-bit words are ``np.uint64`` throughout, records are read as ``array[i]["field"]``.
    """
    try:
        return cast("Callable[P, R]", njit(cache=True)(function))
    except RuntimeError:  # no cache directory is writable
        return cast("Callable[P, R]", njit()(function))
