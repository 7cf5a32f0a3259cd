"""Waiting for a cluster: a predicate, a name, a time limit, and on failure what was seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")
EVERY_S = 0.25
"""Between two looks. Predicates look at watched objects where they can, so a look costs next to nothing."""


class WaitError(Exception):
    """Something did not come true in time. ``dump`` is what was there instead."""

    def __init__(self, name: str, timeout_s: float, dump: str = "") -> None:
        self.name, self.timeout_s, self.dump = name, timeout_s, dump
        super().__init__("\n".join(filter(None, (f"{name}: not within {timeout_s:g} s", dump))))


def wait_until(
    predicate: Callable[[], Seen],
    name: str,
    timeout_s: float,
    dump: Callable[[], str] = str,
    *,
    every_s: float = EVERY_S,
) -> Seen:
    """The predicate's first true value; WaitError with ``dump()`` after ``timeout_s``.

    It is asked once more after the time is over: a machine that slept must not fail a cluster that was quick.
    """
    end = time.monotonic() + timeout_s
    while True:
        over = time.monotonic() >= end
        seen = predicate()
        if seen:
            return seen
        if over:
            raise WaitError(name, timeout_s, dump())
        time.sleep(every_s)
