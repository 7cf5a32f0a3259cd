# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every request
"""The heap of attempts to come, as a structured array."""

from __future__ import annotations

import numpy as np

from sim.traffic.jit import part
from sim.traffic.state import NEW, RETRYING, Carried, Records


@part
def before(rows: Records, i: int, at: float, block: int, index: int) -> bool:
    """Whether row ``i`` comes before a retry with this key; ties in time go by request."""
    row = rows[i]
    if row["at"] != at:
        return bool(row["at"] < at)
    if row["block"] != block:
        return bool(row["block"] < block)
    return bool(row["index"] < index)


@part
def opened(carried: Carried, at: float, block: int, index: int) -> int:
    """The row for an attempt with this key, what comes later moved down; the caller has made room."""
    rows = carried.retries
    i = int(carried.sizes[RETRYING])
    carried.sizes[RETRYING] = i + 1
    while i > 0 and not before(rows, (i - 1) >> 1, at, block, index):
        rows[i] = rows[(i - 1) >> 1]
        i = (i - 1) >> 1
    return i


@part
def push(carried: Carried, at: float, route: np.uint64, block: int, index: int, attempt: int) -> None:
    """Add one retry; the caller has made room."""
    row = carried.retries[opened(carried, at, block, index)]
    row["at"] = at
    row["route"] = route
    row["block"] = block
    row["index"] = index
    row["attempt"] = attempt
    row["phase"] = NEW


@part
def push_held(
    carried: Carried,
    at: float,
    route: np.uint64,
    block: int,
    index: int,
    attempt: int,
    phase: int,
    begun: float,
    until: float,
    tries: int,
    policy: int,
    seat: int,
    pod: int,
) -> None:
    """Add something that a proxy holds; the caller has made room."""
    row = carried.retries[opened(carried, at, block, index)]
    row["at"] = at
    row["route"] = route
    row["block"] = block
    row["index"] = index
    row["attempt"] = attempt
    row["phase"] = phase
    row["begun"] = begun
    row["until"] = until
    row["tries"] = tries
    row["policy"] = policy
    row["seat"] = seat
    row["pod"] = pod


@part
def drop_first(carried: Carried) -> None:
    """Remove the earliest retry."""
    rows = carried.retries
    size = carried.sizes[RETRYING] - 1
    carried.sizes[RETRYING] = size
    last = rows[size]
    at, block, index = last["at"], last["block"], last["index"]
    i = 0
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size:
            other = rows[child + 1]
            if not before(rows, child, other["at"], other["block"], other["index"]):
                child += 1
        if not before(rows, child, at, block, index):
            break
        rows[i] = rows[child]
        i = child
    rows[i] = rows[size]
