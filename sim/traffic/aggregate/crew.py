"""All pods of one run in aggregate: what they are, how they answer, what they have done."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.model.behaviour import VersionBehaviour
from sim.traffic.aggregate.catalogue import Catalogue
from sim.traffic.aggregate.profiles import Kind
from sim.traffic.aggregate.state import Clients, Pods, Totals
from sim.traffic.aggregate.waits import CLASSES
from sim.traffic.fleet import FIXED_CODES, lengthened, widened
from sim.traffic.serve import OK, REFUSED, UNAVAILABLE, UNROUTED
from sim.traffic.values import PodEffects

FIRST_ROOM = 30
FAILURE = 500
"""Statuses from this one on are failures to clients."""


class Crew:
    """Rows of ``Pods`` and ``Totals``; they grow, the rows stay."""

    def __init__(self, catalogue: Catalogue, clients: Clients, retry_on: tuple[int, ...]) -> None:
        self._catalogue = catalogue
        self._retry_on = retry_on
        self.codes = list(FIXED_CODES)
        self._slots = {200: OK, 503: UNAVAILABLE}
        self.behaviours: list[VersionBehaviour] = []
        self.clients = clients
        whole, real = np.zeros(0, dtype=np.int64), np.zeros(0)
        self.pods = Pods(
            whole, whole, real, whole, np.zeros((0, 1)), np.zeros((0, 1), dtype=np.int64), *(real for _ in range(7))
        )
        cells = len(catalogue.cells.upper_s)
        self.totals = Totals(
            answers=np.zeros((0, len(self.codes)), dtype=np.int64),
            cells=np.zeros((0, cells), dtype=np.int64),
            sums_s=np.zeros(0),
            client=np.zeros((1, 4), dtype=np.int64),
            unrouted=np.zeros(len(self.codes), dtype=np.int64),
            factors=np.ones(CLASSES + 1),
        )
        self._note_codes([])

    def add(self, behaviour: VersionBehaviour, group: int) -> int:
        """Row of a new pod."""
        pod = len(self.behaviours)
        self.behaviours.append(behaviour)
        pods, totals = self.pods, self.totals
        if pod >= len(pods.group):
            room = 2 * pod + FIRST_ROOM
            # Rows that stand for nobody do nothing: they are sent no attempts.
            columns: Any = (lengthened(column, room) for column in pods)
            self.pods = Pods(*columns)
            self.totals = totals._replace(
                answers=lengthened(totals.answers, room),
                cells=lengthened(totals.cells, room),
                sums_s=lengthened(totals.sums_s, room),
            )
        self.totals = self.totals._replace(client=lengthened(self.totals.client, group + 2))
        self.pods.group[pod], self.pods.servers[pod] = group, behaviour.concurrency
        self.set_effects(pod, PodEffects())
        return pod

    def set_effects(self, pod: int, effects: PodEffects) -> None:
        """Service times and answers of a pod from now on: effects' errors first, then the version's own."""
        behaviour = self.behaviours[pod]
        errors = [(code, share) for code, share in (*effects.errors, *behaviour.statuses) if share > 0]
        self._note_codes([code for code, _ in errors])
        self.pods = self.pods._replace(
            error_share=widened(self.pods.error_share, len(errors)),
            error_slot=widened(self.pods.error_slot, len(errors)),
        )
        pods, left = self.pods, 1.0
        again = 0.0
        for k, (code, share) in enumerate(errors):
            slot = REFUSED if effects.refuses else self._slots[code]
            here = min(share, left)
            pods.error_share[pod, k], pods.error_slot[pod, k] = here / left if left > 0 else 0.0, slot
            again += here * bool(self.clients.again[slot])
            left = max(0.0, left - here)
        pods.errors[pod], pods.again[pod] = len(errors), again
        kind = Kind(behaviour.service_time, effects.latency_factor, effects.latency_add_s, behaviour.concurrency)
        pods.kind[pod] = self._catalogue.row_of(kind)

    def slot_of(self, status: int) -> int:
        """Slot of a status that a proxy answers by itself."""
        if status == FIXED_CODES[UNROUTED]:
            return UNROUTED
        self._note_codes([status])
        return self._slots[status]

    def recount(self, cells: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> None:
        """Keep the latencies counted so far in other cells."""
        self.totals = self.totals._replace(cells=cells)
        self.clients = self.clients._replace(late=self._catalogue.cells.late)

    def _note_codes(self, codes: list[int]) -> None:
        for code in codes:
            if code not in self._slots:
                self._slots[code] = len(self.codes)
                self.codes.append(code)
        if len(self.codes) == len(self.clients.again):
            return
        self.clients = self.clients._replace(
            again=np.array([code in self._retry_on for code in self.codes]),
            failing=np.array([code >= FAILURE or slot == UNROUTED for slot, code in enumerate(self.codes)]),
        )
        totals, width = self.totals, len(self.codes)
        self.totals = totals._replace(
            answers=widened(totals.answers, width), unrouted=lengthened(totals.unrouted, width)
        )
