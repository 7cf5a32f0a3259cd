"""The pods' arrays: adding pods, statuses and kinds of versions; the arrays grow, the rows stay."""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.model.behaviour import Delay, Shape, VersionBehaviour
from sim.traffic.arrivals import scale_s
from sim.traffic.fine import Layout, cells
from sim.traffic.serve import OK, REFUSED, UNAVAILABLE, UNROUTED
from sim.traffic.state import KIND, POD, Pods, Tally
from sim.traffic.values import Counts, PodEffects
from sim.traffic.words import CONSTANT, EXPONENTIAL, LOGNORMAL

Item = TypeVar("Item", bound=np.generic)

SHAPES: Final = {Shape.CONSTANT: CONSTANT, Shape.EXPONENTIAL: EXPONENTIAL, Shape.LOGNORMAL: LOGNORMAL}
FIXED_CODES: Final = (200, 503, 502, 503, 504, 404)
"""Codes of the slots that the loops and the proxies name (``sim.traffic.serve``)."""


class Fleet:
    """All pods of one data plane, dead or alive, with what they have answered. Row 0 is the pod that is not there."""

    def __init__(self, layout: Layout, retry_on: tuple[int, ...]) -> None:
        self.layout = layout
        self.codes = list(FIXED_CODES)
        self._slots = {200: OK, 503: UNAVAILABLE}
        """Slots of what versions answer; what proxies answer by themselves is counted apart."""
        self.kinds: list[Delay] = []
        self.behaviours: list[VersionBehaviour | None] = [None]
        self._retry_on = retry_on
        self.pods = Pods(
            rows=np.zeros(1, dtype=POD),
            free=np.full((1, 1), inf),
            starts=np.zeros((1, 1)),
            error_below=np.zeros((1, 1)),
            error_slot=np.zeros((1, 1), dtype=np.int64),
            kinds=np.zeros(1, dtype=KIND),
        )
        self.pods.rows[0]["group"] = -1
        self.tally = Tally(
            answers=np.zeros((1, len(self.codes)), dtype=np.int64),
            latencies=np.zeros((1, cells(layout)), dtype=np.int64),
            client=np.zeros((2, 4), dtype=np.int64),
            bounds=layout.bounds,
            first_cell=layout.first_cell,
            again=np.zeros(0, dtype=np.bool_),
            failing=np.zeros(0, dtype=np.bool_),
        )
        self._note_codes([])

    def add(self, behaviour: VersionBehaviour, group: int, now_s: float) -> int:
        """Row of a new pod, idle from now on."""
        if behaviour.concurrency < 1:
            message = f"concurrency ({behaviour.concurrency}) of version {behaviour.name} must be at least 1"
            raise ValueError(message)
        pod = len(self.behaviours)
        self.behaviours.append(behaviour)
        self._make_room(pod + 1, behaviour, group)
        row = self.pods.rows[pod]
        row["kind"] = self._kind(behaviour.service_time)
        row["group"] = group
        row["servers"] = behaviour.concurrency
        row["limit"] = -1 if behaviour.queue_limit is None else behaviour.queue_limit
        self.pods.free[pod, : behaviour.concurrency] = now_s
        self.set_effects(pod, PodEffects())
        return pod

    def set_effects(self, pod: int, effects: PodEffects) -> None:
        """Service times and answers of a pod from now on: effects' errors first, then the version's own."""
        behaviour = self.behaviours[pod]
        own = behaviour.statuses if behaviour is not None else ()
        errors = [(code, share) for code, share in (*effects.errors, *own) if share > 0]
        self._note_codes([code for code, _ in errors])
        row = self.pods.rows[pod]
        row["factor"], row["add"] = effects.latency_factor, effects.latency_add_s
        width = max(self.pods.error_below.shape[1], len(errors))
        below, slots = widened(self.pods.error_below, width), widened(self.pods.error_slot, width)
        reached = 0.0
        for k, (code, share) in enumerate(errors):
            reached += share
            below[pod, k], slots[pod, k] = reached, REFUSED if effects.refuses else self._slots[code]
        row["bad"] = reached
        self.pods = self.pods._replace(error_below=below, error_slot=slots)

    def slot_of(self, status: int) -> int:
        """Slot of a status that a proxy answers by itself."""
        if status == FIXED_CODES[UNROUTED]:
            return UNROUTED
        self._note_codes([status])
        return self._slots[status]

    def statuses(self, answers: Counts) -> Counter[int]:
        """Answers by status of a row of slots."""
        found: Counter[int] = Counter()
        for slot, count in enumerate(answers.tolist()):
            if count:
                found[self.codes[slot]] += count
        return found

    def counted(self) -> tuple[Counts, ...]:
        """Copies of everything that has been counted."""
        rows, tally = self.pods.rows, self.tally
        columns = (tally.answers, tally.latencies, tally.client, rows["ticks"], rows["arrived"])
        return tuple(column.copy() for column in columns)

    def recount(self, kept: tuple[Counts, ...]) -> None:
        """Go back to these counts; what has been added since starts from none."""
        rows, tally = self.pods.rows, self.tally
        columns = (tally.answers, tally.latencies, tally.client, rows["ticks"], rows["arrived"])
        for column, before in zip(columns, kept, strict=True):
            column[...] = 0
            column[tuple(slice(0, length) for length in before.shape)] = before

    def _kind(self, service_time: Delay) -> int:
        if service_time not in self.kinds:
            self.kinds.append(service_time)
            rows = [(SHAPES[kind.shape], scale_s(kind), kind.sigma) for kind in self.kinds]
            self.pods = self.pods._replace(kinds=np.array(rows, dtype=KIND))
        return self.kinds.index(service_time)

    def _note_codes(self, codes: list[int]) -> None:
        for code in codes:
            if code not in self._slots:
                self._slots[code] = len(self.codes)
                self.codes.append(code)
        self.tally = self.tally._replace(
            answers=widened(self.tally.answers, len(self.codes)),
            again=np.array([code in self._retry_on for code in self.codes], dtype=np.bool_),
            failing=np.array([code >= 500 or k == UNROUTED for k, code in enumerate(self.codes)], dtype=np.bool_),
        )

    def _make_room(self, pods: int, behaviour: VersionBehaviour, group: int) -> None:
        self._unroll(behaviour)
        room = len(self.pods.rows)
        if pods > room:
            room = 2 * pods
        self.pods = self.pods._replace(
            rows=lengthened(self.pods.rows, room),
            free=lengthened(self.pods.free, room, inf),
            starts=lengthened(self.pods.starts, room),
            error_below=lengthened(self.pods.error_below, room),
            error_slot=lengthened(self.pods.error_slot, room),
        )
        self.tally = self.tally._replace(
            answers=lengthened(self.tally.answers, room),
            latencies=lengthened(self.tally.latencies, room),
            client=lengthened(self.tally.client, max(len(self.tally.client), group + 2)),
        )

    def _unroll(self, behaviour: VersionBehaviour) -> None:
        """Widen the rings for this version; a ring of another width has to start at its first column."""
        servers = max(self.pods.free.shape[1], behaviour.concurrency + 1)
        waiting = max(self.pods.starts.shape[1], (behaviour.queue_limit or 0) + 1)
        self.pods = self.pods._replace(free=widened(self.pods.free, servers, inf))
        if waiting > self.pods.starts.shape[1]:
            starts = unrolled(self.pods.starts, self.pods.rows["first"], waiting)
            self.pods.rows["first"] = 0
            self.pods = self.pods._replace(starts=starts)


def lengthened(array: NDArray[Item], rows: int, filler: float = 0) -> NDArray[Item]:
    """The array with rows of zeros (or of ``filler``) added, or itself."""
    if rows <= len(array):
        return array
    longer = np.full((rows, *array.shape[1:]), filler, dtype=array.dtype)
    longer[: len(array)] = array
    return longer


def widened(array: NDArray[Item], columns: int, filler: float = 0) -> NDArray[Item]:
    """The table with columns of zeros (or of ``filler``) added, or itself."""
    if columns <= array.shape[1]:
        return array
    wider = np.full((len(array), columns), filler, dtype=array.dtype)
    wider[:, : array.shape[1]] = array
    return wider


def unrolled(rings: NDArray[Item], heads: NDArray[np.int64], columns: int) -> NDArray[Item]:
    """The rings with more columns, each from its head on at column 0."""
    places = (heads[:, np.newaxis] + np.arange(rings.shape[1])) % rings.shape[1]
    return widened(np.take_along_axis(rings, places, axis=1), columns)
