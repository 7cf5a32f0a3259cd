"""The kinds of pods of one run, and their profiles as the loops read them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sim.traffic.aggregate.profiles import NODES, Cells, Kind, cells_of, limit_of, profile
from sim.traffic.aggregate.state import LACKING, Kinds, Mixture
from sim.traffic.aggregate.waits import CLASSES

MADE: Final = 1
WANTED: Final = LACKING
MOST_KINDS: Final = 64
"""Where pods differ more than this, as when each leaks in its own time, profiles cost more than requests."""


class Limits(NamedTuple):
    """Beyond which requests are simulated one by one: utilisation, share that waits, memory of a queue."""

    utilisation: float
    waiting: float
    relaxation_s: float


class Catalogue:
    """Rows of ``Kinds``; profiles are made when they are first wanted, and remembered from run to run."""

    def __init__(self, buckets_s: tuple[float, ...], timeout_s: float, limits: Limits) -> None:
        self._bounds = (buckets_s, timeout_s)
        self._limits = limits
        self.is_fine = False
        self.known: list[Kind] = []
        self._rows: dict[Kind, int] = {}
        self.cells: Cells = cells_of(buckets_s, timeout_s, False)
        self.kinds = self._empty(0)
        self.mixture = self._unmixed()

    def row_of(self, kind: Kind) -> int:
        """The row of a kind, which is new if it has not been seen before."""
        if kind not in self._rows:
            self._rows[kind] = len(self.known)
            self.known.append(kind)
            self._enlarge()
        return self._rows[kind]

    def make(self) -> None:
        """Make every profile that is wanted."""
        for row, node in np.argwhere(self.kinds.made == WANTED).tolist():
            self._fill(row, node)

    def refine(self) -> None:
        """From now on latencies are kept in fine cells."""
        self.is_fine = True
        self.cells = cells_of(*self._bounds, True)
        self.kinds, self.mixture = self._empty(0), self._unmixed()
        self._enlarge()

    def _enlarge(self) -> None:
        before, room = self.kinds, max(4, 2 * len(self.kinds.service_s))
        if len(self.known) > len(before.service_s):
            larger = self._empty(max(room, len(self.known)))
            for old, new in zip(before, larger, strict=True):
                new[: len(old)] = old
            self.kinds = larger
        for row, kind in enumerate(self.known):
            self.kinds.service_s[row] = kind.mean_s
            self.kinds.limit[row] = limit_of(kind, *self._limits)

    def _unmixed(self) -> Mixture:
        """Room for one profile."""
        cells = len(self.cells.upper_s)
        classes = np.zeros(CLASSES)
        mass = np.zeros((CLASSES + 1, cells))
        return Mixture(np.full(5, -1.0), classes, classes.copy(), mass, np.ones(CLASSES + 1), np.zeros(cells))

    def _empty(self, rows: int) -> Kinds:
        cells = len(self.cells.upper_s)
        at_node = (rows, NODES)
        return Kinds(
            service_s=np.zeros(rows),
            limit=np.zeros(rows),
            made=np.zeros(at_node, dtype=np.int64),
            mass=np.zeros((*at_node, 1 + CLASSES, cells)),
            share=np.zeros((*at_node, CLASSES)),
            clusters=np.zeros((*at_node, CLASSES)),
            middle_s=np.zeros((*at_node, cells)),
            width_s=np.zeros((*at_node, cells)),
            sojourn_s=np.zeros(at_node),
            late=np.zeros(at_node),
            low=np.zeros(at_node, dtype=np.int64),
            high=np.zeros(at_node, dtype=np.int64),
        )

    def _fill(self, row: int, node: int) -> None:
        kinds, made = self.kinds, profile(self.known[row], node, *self._bounds, self.is_fine)
        used = np.flatnonzero(made.mass.any(axis=0))
        kinds.mass[row, node], kinds.clusters[row, node] = made.mass, made.clusters
        kinds.share[row, node] = made.mass[1:].sum(axis=1)
        kinds.middle_s[row, node], kinds.width_s[row, node] = made.middle_s, made.width_s
        kinds.sojourn_s[row, node] = made.sojourn_s
        kinds.late[row, node] = made.mass[:, self.cells.late :].sum()
        kinds.low[row, node], kinds.high[row, node] = used[0], used[-1] + 1
        kinds.made[row, node] = MADE
        self.mixture.of[0] = -1.0
