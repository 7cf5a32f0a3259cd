"""Counts and latency histograms of one replication without a loop over requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import Final

import numpy as np

from sim.model.behaviour import VersionBehaviour
from sim.model.load import Client, LoadShape
from sim.traffic.aggregate.catalogue import MOST_KINDS, Catalogue, Limits
from sim.traffic.aggregate.crew import Crew
from sim.traffic.aggregate.profiles import WIDTH
from sim.traffic.aggregate.readings import Readings
from sim.traffic.aggregate.state import DONE, LACKING, OUTCOMES, Clients, Floats, Stretches, Ways
from sim.traffic.aggregate.waits import SHAPES
from sim.traffic.aggregate.walk import crash, note, probe, walk
from sim.traffic.arrivals import corners_s, scale_s
from sim.traffic.interface import Look
from sim.traffic.routes import flatten
from sim.traffic.values import Balancing, Counts, PodEffects, Route, Streams

KEY: Final = "traffic:aggregate"
SPLIT: Final = "traffic:aggregate-fine"
LONGEST_S: Final = 15.0
"""The rate is taken as constant (its value at the middle) over stretches of at most this, cut at the load's corners."""
FEW_FLYING: Final = 6


class Aggregate:
    """The pods, their routes and what they have answered up to ``now_s``; it stops where a pod becomes too busy.

    Numbers depend on where time is cut: each stretch between two cuts is drawn by itself. They do not depend on who asks first.
    """

    def __init__(  # noqa: PLR0913 - as the exact plane
        self,
        load: LoadShape,
        client: Client,
        streams: Streams,
        *,
        start_s: float,
        share: float,
        buckets_s: tuple[float, ...],
        limits: Limits,
    ) -> None:
        self.now_s = start_s
        self._streams = streams
        self._rate_rps, self._share, self._corners_s = load.curve(), share, corners_s(load)
        timeout_s = inf if client.timeout_s is None else client.timeout_s
        self.catalogue = Catalogue(buckets_s, timeout_s, limits)
        none = np.zeros(0, dtype=np.bool_)
        clients = Clients(client.retries, self.catalogue.cells.late, streams.word(KEY), none, none)
        self.crew = Crew(self.catalogue, clients, client.retry_on)
        self._ways = self._flattened(())

    @property
    def is_too_varied(self) -> bool:
        """Whether pods differ so much from each other that every request is as cheap."""
        return len(self.catalogue.known) > MOST_KINDS

    def set_routes(self, routes: tuple[Route, ...]) -> None:
        """Route every attempt from now on this way."""
        burst = self._ways.burst.sum()
        self._ways = self._flattened(routes)
        self._ways.burst[:] = burst * self._ways.share

    def set_effects(self, pod: int, effects: PodEffects) -> None:
        """Replace a pod's effects."""
        self.crew.set_effects(pod, effects)

    def add_pod(self, behaviour: VersionBehaviour, group: int) -> int:
        """Index of a new idle pod of a group."""
        return self.crew.add(behaviour, group)

    def crash_pod(self, pod: int) -> None:
        """Answer 502 now to about as many attempts as are in flight at a pod."""
        crew = self.crew
        kind = self.catalogue.known[crew.pods.kind[pod]]
        with np.errstate(over="ignore"):
            again = crash(
                crew.pods,
                crew.totals,
                crew.clients,
                self.catalogue.cells.upper_s,
                pod,
                self.now_s,
                SHAPES[kind.time.shape],
                scale_s(kind.time),
                kind.time.sigma,
                kind.factor,
                kind.add_s,
            )
        self._ways.burst[:] += again * self._ways.share

    def readings(
        self, looks: Sequence[Look], windows_s: tuple[float, ...] = (), ends_s: Sequence[float] | None = None
    ) -> Readings:
        """Room for everything that is to be read."""
        if any(look.fine for look in looks):
            self.refine()
        cuts = {*windows_s, *(instant for look in looks for instant in look.instants_s)}
        ends_s = sorted(cuts) if ends_s is None else ends_s
        return Readings(self.crew, self.catalogue.cells, ends_s, looks, windows_s)

    def go(self, to_s: float, looks: Sequence[Look] = (), windows_s: tuple[float, ...] = ()) -> Readings:
        """Draw up to an instant, reading on the way; ``now_s`` falls short of it where a pod is too busy from then on."""
        ends = self._ends(to_s, looks, windows_s)
        readings = self.readings(looks, windows_s, ends)
        crew, stretches = self.crew, self._stretches(ends)
        first, outcome = 0, LACKING
        with np.errstate(over="ignore"):  # words wrap around; only uncompiled code would warn of it
            while outcome == LACKING:
                self.catalogue.make()
                state = (self._ways, self.catalogue.kinds, crew.pods, crew.totals, crew.clients)
                reached = walk(first, stretches, *state, readings.reading, readings.results)
                first, outcome = divmod(reached, OUTCOMES)
        if first > 0:
            self.now_s = ends[first - 1]
        return readings

    def note(self, readings: Readings, instant_s: float) -> None:
        """Read what is asked for at an instant as it stands now."""
        note(self.crew.totals, self.crew.pods, readings.reading, readings.results, readings.place[instant_s])

    def is_calm(self, flying: Counts, for_s: float, margin: float) -> bool:
        """Whether no pod would be too busy for a while, with a margin, and none has more in flight than is usual then."""
        stretch = self._stretches([self.now_s + for_s])
        crew, kinds = self.crew, self.catalogue.kinds
        outcome = LACKING
        while outcome == LACKING:
            self.catalogue.make()
            outcome = probe(self._ways, kinds, crew.pods, crew.clients, float(stretch.requests[0]), for_s)
        count = len(flying)
        kind = crew.pods.kind[:count]
        usual = crew.pods.rate[:count] * kinds.service_s[kind]
        busy = usual > margin * kinds.limit[kind] * crew.pods.servers[:count]
        crowded = flying > np.maximum(crew.pods.servers[:count], 2 * usual + FEW_FLYING)
        return outcome == DONE and not busy.any() and not crowded.any()

    def take_over(self, now_s: float, flying: Counts, retrying: int) -> None:
        """Go on from an instant with so many attempts in flight at each pod and so many retries about to be made."""
        self.now_s = now_s
        self.crew.pods.flying[: len(flying)] = flying
        self._ways.burst[:] = retrying * self._ways.share

    def hand_over(self) -> None:
        """Somebody else goes on with what is in flight."""
        self.crew.pods.flying[:] = 0.0
        self._ways.burst[:] = 0.0

    def refine(self) -> None:
        """Keep latencies in fine cells from now on; those counted so far are spread over theirs as they would lie now."""
        if self.catalogue.is_fine:
            return
        before, coarse = self.crew.totals.cells, self.catalogue.cells
        self.catalogue.refine()
        fine = self.catalogue.cells
        owner = np.searchsorted(coarse.upper_s, fine.upper_s)
        self.crew.recount(np.zeros((len(before), len(owner)), dtype=np.int64))
        generator = self._streams.fresh(SPLIT)
        for pod, cell in np.argwhere(before > 0).tolist():
            members = np.flatnonzero(owner == cell)
            shares = self._shape_of(pod)[members]
            total = shares.sum()
            even = np.full(len(members), 1 / len(members))
            split = generator.multinomial(before[pod, cell], shares / total if total > 0 else even)
            self.crew.totals.cells[pod, members] = split

    def _shape_of(self, pod: int) -> Floats:
        """Shares of a pod's latencies by cell."""
        kinds, kind = self.catalogue.kinds, self.crew.pods.kind[pod]
        node = int(self.crew.pods.load[pod] / WIDTH)
        if kinds.made[kind, node] == 0:
            kinds.made[kind, node] = LACKING
            self.catalogue.make()
        return kinds.mass[kind, node].sum(axis=0)  # type: ignore[no-any-return]

    def _ends(self, to_s: float, looks: Sequence[Look], windows_s: tuple[float, ...]) -> list[float]:
        """Where stretches end: at what is read, at corners of the load, and not too far apart."""
        cuts = {to_s, *windows_s, *(instant for look in looks for instant in look.instants_s)}
        cuts |= {corner for corner in self._corners_s if self.now_s < corner < to_s}
        return list(_close(self.now_s, sorted(cuts)))

    def _stretches(self, ends: list[float]) -> Stretches:
        ends_s = np.array(ends)
        starts_s = np.concatenate([[self.now_s], ends_s[:-1]]) if ends else ends_s
        widths_s = ends_s - starts_s
        rates = [self._rate_rps(max(middle, 0.0)) for middle in ((ends_s + starts_s) / 2).tolist()]
        return Stretches(ends_s, widths_s, np.array(rates) * widths_s * self._share)

    def _flattened(self, routes: tuple[Route, ...]) -> Ways:
        flat = flatten(routes, Balancing.RANDOM, self.crew.slot_of)
        weights = flat.weight_below.copy()
        for first, end in zip(flat.pools_from[:-1].tolist(), flat.pools_from[1:].tolist(), strict=True):
            weights[first:end] = np.diff(flat.weight_below[first:end], prepend=0.0)
        count = len(flat.share_below)
        return Ways(
            np.diff(flat.share_below, prepend=0.0),
            flat.pools_from,
            weights,
            flat.pods_from,
            flat.pods - 1,
            flat.empty_slot,
            np.zeros(count),
            np.zeros(count),
        )


def _close(start_s: float, cuts: Sequence[float]) -> Iterator[float]:
    """The cuts, with more between those that are too far apart; one at the start itself is left in."""
    before = start_s
    for cut in cuts:
        pieces = max(1, int(np.ceil((cut - before) / LONGEST_S)))
        yield from (before + (cut - before) * k / pieces for k in range(1, pieces))
        yield cut
        before = cut
