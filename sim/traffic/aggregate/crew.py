"""All pods of one run in aggregate: what they are, how they answer, what they have done."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sim.model.behaviour import VersionBehaviour
from sim.traffic.aggregate.catalogue import Catalogue
from sim.traffic.aggregate.handled import Tries
from sim.traffic.aggregate.manners import Manner, manner_of, rows_of
from sim.traffic.aggregate.profiles import Kind
from sim.traffic.aggregate.state import Clients, Pods, Totals
from sim.traffic.fleet import FIXED_CODES, lengthened, widened
from sim.traffic.serve import OK, REFUSED, RESET, UNAVAILABLE, UNROUTED
from sim.traffic.values import PodEffects

FIRST_ROOM = 30
FAILURE = 500
"""Statuses from this one on are failures to clients."""
USUAL: Final = PodEffects()


class Crew:
    """Rows of ``Pods`` and ``Totals``; they grow, the rows stay."""

    def __init__(self, catalogue: Catalogue, clients: Clients, retry_on: tuple[int, ...]) -> None:
        self._catalogue = catalogue
        self._retry_on = retry_on
        self.codes = list(FIXED_CODES)
        self._slots = {200: OK, 503: UNAVAILABLE}
        self.behaviours: list[VersionBehaviour] = []
        self._effects: list[PodEffects] = []
        self._evened: dict[int, float] = {}
        self.tries = Tries()
        self._known: dict[tuple[int, PodEffects, float], int] = {}
        self._manners: list[Manner] = []
        self.clients = clients
        whole, real = np.zeros(0, dtype=np.int64), np.zeros(0)
        self.pods = Pods(whole, whole, *(real for _ in range(7)))
        self.manners = rows_of([])
        cells = len(catalogue.cells.upper_s)
        self.totals = Totals(
            answers=np.zeros((0, len(self.codes)), dtype=np.int64),
            cells=np.zeros((0, cells), dtype=np.int64),
            sums_s=np.zeros(0),
            client=np.zeros((1, 4), dtype=np.int64),
            unrouted=np.zeros(len(self.codes), dtype=np.int64),
        )
        self._note_codes([])

    def add(self, behaviour: VersionBehaviour, group: int) -> int:
        """Row of a new pod."""
        pod = len(self.behaviours)
        self.behaviours.append(behaviour)
        self._effects.append(USUAL)
        if pod >= len(self.pods.group):
            self._make_room(2 * pod + FIRST_ROOM)
        if group + 2 > len(self.totals.client):
            self.totals = self.totals._replace(client=lengthened(self.totals.client, group + 2))
        self.pods.group[pod] = group
        self.set_effects(pod, USUAL)
        return pod

    def set_effects(self, pod: int, effects: PodEffects) -> None:
        """Service times and answers of a pod from now on: effects' errors first, then the version's own."""
        self._effects[pod] = effects
        key = (id(self.behaviours[pod]), effects, self._evened.get(pod, 0.0))
        row = self._known.get(key)
        self.pods.manner[pod] = self._learn(pod, key) if row is None else row

    def manner(self, pod: int) -> Manner:
        """How a pod answers."""
        return self._manners[int(self.pods.manner[pod])]

    def mean_s(self, manner: Manner) -> float:
        """Mean service time of pods that answer in this manner, seconds."""
        return self._catalogue.known[manner.kind].mean_s

    def follow(self, tries: Tries, evened: dict[int, float]) -> None:
        """Proxies do this from now on: how they try again, and which pods they even out how well."""
        before, self._evened = self._evened, evened
        changed = [pod for pod in {*before, *evened} if before.get(pod) != evened.get(pod)]
        if tries != self.tries:
            self.tries = tries
            self._known.clear()
            self._manners.clear()
            self._note_clients()
            changed = list(range(len(self.behaviours)))
        for pod in changed:
            self.set_effects(pod, self._effects[pod])

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

    def _learn(self, pod: int, key: tuple[int, PodEffects, float]) -> int:
        """Row of a manner that has not been seen before."""
        behaviour, (_, effects, evened) = self.behaviours[pod], key
        errors = [(code, share) for code, share in (*effects.errors, *behaviour.statuses) if share > 0]
        self._note_codes([code for code, _ in errors])
        slots = [(REFUSED if effects.refuses else self._slots[code], code, share) for code, share in errors]
        kind = Kind(
            behaviour.service_time, effects.latency_factor, effects.latency_add_s, behaviour.concurrency, evened
        )
        manner = manner_of(self._catalogue.row_of(kind), behaviour.concurrency, slots, self.clients)
        row = self._known[key] = len(self._manners)
        self._manners.append(manner)
        self.manners = rows_of(self._manners)
        return row

    def _make_room(self, room: int) -> None:
        # Rows that stand for nobody do nothing: they are sent no attempts.
        columns: Any = (lengthened(column, room) for column in self.pods)
        self.pods = Pods(*columns)
        totals = self.totals
        self.totals = totals._replace(
            answers=lengthened(totals.answers, room),
            cells=lengthened(totals.cells, room),
            sums_s=lengthened(totals.sums_s, room),
        )

    def _note_codes(self, codes: list[int]) -> None:
        for code in codes:
            if code not in self._slots:
                self._slots[code] = len(self.codes)
                self.codes.append(code)
        if len(self.codes) == len(self.clients.again):
            return
        self._note_clients()
        totals, width = self.totals, len(self.codes)
        self.totals = totals._replace(
            answers=widened(totals.answers, width), unrouted=lengthened(totals.unrouted, width)
        )

    def _note_clients(self) -> None:
        """What clients and proxies make of each slot."""
        tries, named = self.tries, {REFUSED: self.tries.refused, RESET: self.tries.reset}
        self.clients = self.clients._replace(
            again=np.array([code in self._retry_on for code in self.codes]),
            failing=np.array([code >= FAILURE or slot == UNROUTED for slot, code in enumerate(self.codes)]),
            retried=np.array(
                [tries.most > 0 and named.get(slot, code in tries.statuses) for slot, code in enumerate(self.codes)]
            ),
        )
