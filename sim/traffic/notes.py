"""Readings of the exact data plane at many instants, collected in arrays on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sim.traffic.fine import BINS
from sim.traffic.fleet import Fleet
from sim.traffic.interface import Look, Samples, WindowSeries
from sim.traffic.jit import kernel
from sim.traffic.proxies import Proxies
from sim.traffic.state import TICKS_PER_S, Tally
from sim.traffic.values import Counts
from sim.traffic.windows import Windows, add_buckets


@kernel
def add_all(tally: Tally, rows: Counts, bucket_starts: Counts, buckets: Counts) -> None:
    """Exposed histograms of these rows, in zeroed lines of ``buckets``."""
    for k in range(len(rows)):
        add_buckets(tally.latencies[rows[k]], bucket_starts, buckets[k])


class Notes:
    """One look, filled in as the plane passes its instants. A silent plane leaves zeros."""

    def __init__(self, fleet: Fleet, look: Look, is_silent: bool) -> None:
        self._fleet, self._look, self._is_silent = fleet, look, is_silent
        self._taken = 0
        self._rows = np.array(look.pods, dtype=np.int64) + 1
        self._refused: list[Mapping[str, int]] = []
        shape = (len(look.instants_s), len(look.pods))
        self._answers = np.zeros((*shape, len(fleet.codes)), dtype=np.int64)
        self._ticks = np.zeros(shape, dtype=np.int64)
        widths = (len(fleet.layout.bucket_starts) if look.buckets else 0, BINS if look.fine else 0)
        self._buckets, self._fine = (np.zeros((*shape, width), dtype=np.int64) for width in widths)

    def take(self, now_s: float, proxies: Proxies) -> None:
        """Reads the pods if the look has this instant."""
        at, look = self._taken, self._look
        if at == len(look.instants_s) or look.instants_s[at] != now_s:
            return
        self._taken += 1
        if look.refused:
            self._refused.append(proxies.refused())
        if not self._is_silent:
            self._read(at)

    def _read(self, at: int) -> None:
        fleet, rows = self._fleet, self._rows
        self._answers[at] = fleet.tally.answers[rows]
        self._ticks[at] = fleet.pods.rows["ticks"][rows]
        if self._look.buckets:
            add_all(fleet.tally, rows, fleet.layout.bucket_starts, self._buckets[at])
        if self._look.fine:
            self._fine[at] = np.add.reduceat(fleet.tally.latencies[rows], fleet.layout.first_cell, axis=1)

    @property
    def samples(self) -> Samples:
        """Everything read."""
        codes, sums_s = tuple(self._fleet.codes), self._ticks / TICKS_PER_S
        return Samples(codes, self._answers, self._buckets, sums_s, self._fine, tuple(self._refused))


class WindowNotes:
    """Windows, filled in as the plane passes their ends. A silent plane leaves zeros."""

    def __init__(self, fleet: Fleet, ends_s: tuple[float, ...], groups: Sequence[int], is_silent: bool) -> None:
        self._fleet, self._ends_s, self._groups, self._is_silent = fleet, ends_s, groups, is_silent
        self._taken = 0
        self._places = np.array(groups, dtype=np.int64) + 1
        shape = (len(ends_s), len(groups))
        self._answers = np.zeros((*shape, len(fleet.codes)), dtype=np.int64)
        self._buckets = np.zeros((*shape, len(fleet.layout.bucket_starts)), dtype=np.int64)
        self._ticks = np.zeros(shape, dtype=np.int64)
        self._clients = np.zeros((*shape, 4), dtype=np.int64)

    def take(self, now_s: float, windows: Windows) -> None:
        """Ends a window if one ends at this instant."""
        at = self._taken
        if at == len(self._ends_s) or self._ends_s[at] != now_s:
            return
        self._taken += 1
        if self._is_silent:
            return
        since = windows.take_all(self._fleet, now_s)
        self._answers[at], self._buckets[at] = since.answers[self._places], since.buckets[self._places]
        self._ticks[at], self._clients[at] = since.ticks[self._places], since.client[self._places]

    @property
    def series(self) -> WindowSeries:
        """All windows."""
        return WindowSeries(
            self._ends_s,
            tuple(self._groups),
            tuple(self._fleet.codes),
            self._answers,
            self._buckets,
            self._ticks / TICKS_PER_S,
            self._clients,
        )
