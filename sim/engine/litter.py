"""Memory of a replication: given back whole at its end, instead of being looked for while it runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNGEST = 0


@contextmanager
def swept() -> Iterator[None]:
    """What was made inside and is no longer reached afterwards is freed at the end, and only then.

    A replication's processes refer to each other, so that only the collector can free them. Left to itself, it would look
    again and again at everything the compiler and the packages have made, which outlives every replication. With it
    switched off, all that a replication makes stays in the youngest generation, which is collected here: what was there
    before is not looked at, and memory is flat in the number of replications. Where the collector is off already,
    whoever did that decides.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect(_YOUNGEST)
