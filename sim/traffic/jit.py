"""How the hot loops are compiled."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

from numba import config, njit

P = ParamSpec("P")
R = TypeVar("R")

IS_COMPILED: Final = not vars(config)["DISABLE_JIT"]
"""False with ``NUMBA_DISABLE_JIT=1``."""

ROOT: Final = Path(__file__).parents[2]
IMPORTED: Final = re.compile(rb"^from (sim\.traffic\.[\w.]+) import", re.MULTILINE)


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
    if not IS_COMPILED:
        return function
    # What is on disk is found by this name and the text of the function's own file alone, whatever else is inlined.
    function.__qualname__ = f"{function.__qualname__}.{digest(function.__module__)}"
    # Without numba's runtime no loop counts references to its arrays: the caller holds them all, none is made inside.
    options: dict[str, Any] = {"forceinline": forceinline, "_nrt": False}
    try:
        return cast("Callable[P, R]", njit(cache=True, **options)(function))
    except RuntimeError:  # no cache directory is writable
        return cast("Callable[P, R]", njit(**options)(function))


@cache
def digest(module: str, root: Path = ROOT) -> str:
    """Another one for each text of a module or of any below it that its own compiled code may contain."""
    texts: dict[str, bytes] = {}
    ahead = [module]
    while ahead:
        name = ahead.pop()
        path = root.joinpath(*name.split(".")).with_suffix(".py")
        if name not in texts and path.is_file():
            texts[name] = path.read_bytes()
            ahead += [found.decode() for found in IMPORTED.findall(texts[name])]
    return blake2b(b"".join(texts[name] for name in sorted(texts)), digest_size=8).hexdigest()
