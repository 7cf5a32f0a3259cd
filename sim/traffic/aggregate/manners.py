"""Ways in which pods answer: pods of one version under the same effects share one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sim.traffic.aggregate.state import Clients, Manners
from sim.traffic.serve import REFUSED

SERVER: Final = 500
GATEWAY: Final = (502, 503, 504)


class Manner(NamedTuple):
    """One way: the row of its kind, its servers, and its answers that are not 200 (slot, share of those that earlier ones left).

    Of all answers: ``again`` are tried again by clients, ``retried`` by proxies, ``both`` by either; ``server`` are 500 or
    above, ``gateway`` 502 to 504.
    """

    kind: int
    servers: int
    slots: tuple[int, ...]
    shares: tuple[float, ...]
    again: float
    retried: float
    both: float
    server: float
    gateway: float

    @property
    def refuses(self) -> bool:
        """Whether it takes no connection."""
        return REFUSED in self.slots


def manner_of(kind: int, servers: int, errors: Sequence[tuple[int, int, float]], clients: Clients) -> Manner:
    """The manner with these (slot, status, share of all answers), of which earlier ones come first."""
    left, slots, shares = 1.0, [], []
    sums = np.zeros(5)
    for slot, code, share in errors:
        here = min(share, left)
        slots.append(slot)
        shares.append(here / left if left > 0 else 0.0)
        again, retried = bool(clients.again[slot]), bool(clients.retried[slot])
        sums += here * np.array([again, retried, again and retried, code >= SERVER, code in GATEWAY])
        left = max(0.0, left - here)
    again_share, retried_share, both, server, gateway = sums.tolist()
    return Manner(kind, servers, tuple(slots), tuple(shares), again_share, retried_share, both, server, gateway)


def rows_of(manners: Sequence[Manner]) -> Manners:
    """The same as arrays; there is always a row and a column."""
    rows, columns = max(1, len(manners)), max((len(one.slots) for one in manners), default=0) or 1
    made = Manners(
        kind=np.zeros(rows, dtype=np.int64),
        servers=np.ones(rows),
        errors=np.zeros(rows, dtype=np.int64),
        error_share=np.zeros((rows, columns)),
        error_slot=np.zeros((rows, columns), dtype=np.int64),
        again=np.zeros(rows),
        both=np.zeros(rows),
    )
    for row, one in enumerate(manners):
        count = len(one.slots)
        made.kind[row], made.servers[row], made.errors[row] = one.kind, one.servers, count
        made.error_share[row, :count], made.error_slot[row, :count] = one.shares, one.slots
        made.again[row], made.both[row] = one.again, one.both
    return made
