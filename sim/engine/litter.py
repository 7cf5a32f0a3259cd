"""Memory of a replication: given back whole at its end, instead of being looked for while it runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_YOUNGEST: Final = 0
_PLENTY: Final = 200_000
"""Objects more than the collector is not held back any longer: several times as many as a replication makes, but far
fewer than a compiler of its loops does."""


@contextmanager
def swept() -> Iterator[None]:
    """What was made inside and is no longer reached afterwards is freed at the end, and hardly ever before.

    A replication's processes refer to each other, so that only the collector can free them. Left to itself, it would look
    again and again at everything the compiler and the packages have made, which outlives every replication. Held back,
    it leaves all that a replication makes in the youngest generation, which is collected here: what was there before is
    not looked at, and memory is flat in the number of replications. Where the collector is off, whoever did that decides.
    """
    if not gc.isenabled():
        yield
        return
    usual, *older = gc.get_threshold()
    gc.set_threshold(max(usual, _PLENTY), *older)
    try:
        yield
    finally:
        gc.set_threshold(usual, *older)
        gc.collect(_YOUNGEST)
