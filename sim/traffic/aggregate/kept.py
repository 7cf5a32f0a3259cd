"""Tables that come out the same in every process, kept on disk beside the compiled code, where that can be written."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np
from numba import config
from numpy.typing import NDArray

from sim.traffic.jit import digest

Floats = NDArray[np.float64]
BESIDE: Final = Path(__file__).parent / "__pycache__"
NUMBER: Final = np.dtype("<f8")


def folder() -> Path:
    """Where numba keeps what it has compiled."""
    return Path(str(vars(config)["CACHE_DIR"] or BESIDE))


def kept(module: str, key: object, count: int, make: Callable[[], Floats]) -> Floats:
    """So many numbers, made by ``make`` unless the same text of the module has made them for the key before.

    Whatever cannot be read or written is made again: a file is there whole or not at all, and no file has to be.
    """
    name = blake2b(f"{key!r} {np.__version__}".encode(), digest_size=12).hexdigest()
    path = folder() / f"{module}.{digest(module)}.{name}.table"
    with suppress(OSError):
        data = path.read_bytes()
        if len(data) == count * NUMBER.itemsize:
            return np.frombuffer(data, NUMBER).astype(np.float64)
    made = make()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        own = path.with_suffix(f".{os.getpid()}")
        own.write_bytes(made.astype(NUMBER).tobytes())
        own.replace(path)
    return made
