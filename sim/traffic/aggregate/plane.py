"""Counts and latency histograms of one replication without a loop over requests."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from math import ceil, inf
from typing import Final

import numpy as np

from sim.model.behaviour import VersionBehaviour
from sim.model.load import Client, LoadShape
from sim.traffic.aggregate.catalogue import MOST_KINDS, Catalogue, Limits
from sim.traffic.aggregate.crew import Crew
from sim.traffic.aggregate.handled import Tries, evened, may_eject, pools_of, tries_of
from sim.traffic.aggregate.profiles import WIDTH
from sim.traffic.aggregate.readings import Readings
from sim.traffic.aggregate.state import DONE, LACKING, OUTCOMES, OVER, Clients, Floats, Stretches
from sim.traffic.aggregate.waits import SHAPES
from sim.traffic.aggregate.walk import crash, note, probe, walk
from sim.traffic.aggregate.ways import flattened, is_drawn
from sim.traffic.arrivals import corners_s, scale_s
from sim.traffic.interface import Look
from sim.traffic.values import Counts, PodEffects, Route, Streams

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
        proxies: int = 1,
    ) -> None:
        self.now_s = start_s
        self.is_blocked = False
        """Proxies do what is not drawn in aggregate, for now."""
        self._streams, self._proxies = streams, proxies
        self._patience_s = client.timeout_s
        self._routes: tuple[Route, ...] = ()
        self._is_changed = False
        self._rate_rps, self._share, self._corners_s = load.curve(), share, corners_s(load)
        timeout_s = inf if client.timeout_s is None else client.timeout_s
        self.catalogue = Catalogue(buckets_s, timeout_s, limits)
        none = np.zeros(0, dtype=np.bool_)
        clients = Clients(client.retries, self.catalogue.cells.late, streams.word(KEY), none, none, none)
        self.crew = Crew(self.catalogue, clients, client.retry_on)
        self._ways = flattened((), self.crew)

    @property
    def is_too_varied(self) -> bool:
        """Whether pods differ so much from each other that every request is as cheap."""
        return len(self.catalogue.known) > MOST_KINDS

    def set_routes(self, routes: tuple[Route, ...]) -> None:
        """Route every attempt from now on this way."""
        self._routes, self._is_changed = routes, True

    def set_effects(self, pod: int, effects: PodEffects) -> None:
        """Replace a pod's effects."""
        before = self.crew.pods.manner[pod]
        self.crew.set_effects(pod, effects)
        self._is_changed |= before != self.crew.pods.manner[pod]

    def add_pod(self, behaviour: VersionBehaviour, group: int) -> int:
        """Index of a new idle pod of a group."""
        return self.crew.add(behaviour, group)

    def crash_pod(self, pod: int) -> None:
        """Answer 502 now to about as many attempts as are in flight at a pod."""
        self.settle()
        crew = self.crew
        kind = self.catalogue.known[crew.manner(pod).kind]
        with np.errstate(over="ignore"):
            by_clients, by_proxies = crash(
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
        self._make_again(by_clients)
        if by_proxies:
            ways = self._ways
            own = np.add.reduceat(np.append(ways.pods, -1) == pod, ways.pods_from[:-1]) * (np.diff(ways.pods_from) > 0)
            if own.any():
                ways.burst[:] += by_proxies * own / own.sum()

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
        self.settle()
        ends = self._ends(to_s, looks, windows_s)
        readings = self.readings(looks, windows_s, ends)
        crew, stretches = self.crew, self._stretches(ends)
        first, outcome, is_lacking = 0, OVER if self.is_blocked else LACKING, False
        with np.errstate(over="ignore"):  # words wrap around; only uncompiled code would warn of it
            while outcome == LACKING:
                if is_lacking:
                    self.catalogue.make()
                is_lacking, made = True, self.catalogue
                state = (self._ways, made.kinds, made.mixture, crew.manners, crew.pods, crew.totals, crew.clients)
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
        self.settle()
        if self.is_blocked:
            return False
        stretch = self._stretches([self.now_s + for_s])
        crew, kinds = self.crew, self.catalogue.kinds
        outcome = LACKING
        while outcome == LACKING:
            self.catalogue.make()
            outcome = probe(self._ways, kinds, crew.manners, crew.pods, crew.clients, float(stretch.requests[0]), for_s)
        count = len(flying)
        manner = crew.pods.manner[:count]
        kind, servers = crew.manners.kind[manner], crew.manners.servers[manner]
        usual = crew.pods.rate[:count] * kinds.service_s[kind]
        busy = usual > margin * kinds.limit[kind] * servers
        crowded = flying > np.maximum(servers, 2 * usual + FEW_FLYING)
        return outcome == DONE and not busy.any() and not crowded.any()

    def take_over(self, now_s: float, flying: Counts, retrying: int) -> None:
        """Go on from an instant with so many attempts in flight at each pod and so many retries about to be made."""
        self.now_s = now_s
        self.crew.pods.flying[: len(flying)] = flying
        self._ways.burst[:] = 0.0
        self._make_again(retrying)

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
        kinds, kind = self.catalogue.kinds, self.crew.manner(pod).kind
        node = int(self.crew.pods.load[pod] / WIDTH)
        if kinds.made[kind, node] == 0:
            kinds.made[kind, node] = LACKING
            self.catalogue.make()
        return kinds.mass[kind, node].sum(axis=0)  # type: ignore[no-any-return]

    def _ends(self, to_s: float, looks: Sequence[Look], windows_s: tuple[float, ...]) -> list[float]:
        """Where stretches end: at what is read, at corners of the load, and not too far apart."""
        cuts = {to_s, *windows_s, *(instant for look in looks for instant in look.instants_s)}
        first, last = bisect_right(self._corners_s, self.now_s), bisect_left(self._corners_s, to_s)
        cuts.update(self._corners_s[first:last])
        return list(_close(self.now_s, sorted(cuts)))

    def _stretches(self, ends: list[float]) -> Stretches:
        widths, requests, start = [], [], self.now_s
        for end in ends:
            width = end - start
            widths.append(width)
            requests.append(self._rate_rps(max((start + end) / 2, 0.0)) * width * self._share)
            start = end
        return Stretches(np.array(ends), np.array(widths), np.array(requests))

    def settle(self) -> None:
        """Follow changed routes and effects, now that all of one instant are known."""
        if not self._is_changed:
            return
        self._is_changed = False
        tries, pools = tries_of(self._routes, self._patience_s), pools_of(self._routes)
        waits: dict[int, float] = {}
        for pool in pools:
            wait = evened(pool, self._proxies)
            if wait:
                waits.update({pod: min(wait, waits.get(pod, wait)) for pod in pool.pods})
        self.crew.follow(tries or Tries(), waits)
        burst = self._ways.burst.sum()
        self._ways = flattened(self._routes, self.crew)
        self._make_again(burst)
        self.is_blocked = tries is None or not all(is_drawn(pool, self.crew, self._patience_s) for pool in pools)

    def ends_calm(self, pod: int) -> bool:
        """Whether a crash of the pod would have what is not drawn: proxies that may eject it for what it had in flight."""
        pools = (pool for pool in pools_of(self._routes) if pod in pool.pods)
        return any(may_eject(pool.cluster, len(pool.pods)) for pool in pools)

    def _make_again(self, attempts: float) -> None:
        """So many attempts are to be made at once, wherever routes lead."""
        ways = self._ways
        ways.burst[:] += attempts * np.repeat(ways.share, np.diff(ways.pools_from)) * ways.weight


def _close(start_s: float, cuts: Sequence[float]) -> Iterator[float]:
    """The cuts, with more between those that are too far apart; one at the start itself is left in."""
    before = start_s
    for cut in cuts:
        pieces = max(1, ceil((cut - before) / LONGEST_S))
        if pieces > 1:
            yield from (before + (cut - before) * k / pieces for k in range(1, pieces))
        yield cut
        before = cut
