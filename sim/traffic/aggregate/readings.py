"""What is read of the pods in aggregate, on the way through time or where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from sim.traffic.aggregate.crew import Crew
from sim.traffic.aggregate.profiles import Cells
from sim.traffic.aggregate.state import Reading, Results
from sim.traffic.fine import BINS
from sim.traffic.interface import Look, Samples
from sim.traffic.routes import starts


class Readings:
    """Rows for everything that is to be read at the ends of stretches; the loops fill them in."""

    def __init__(
        self, crew: Crew, cells: Cells, ends_s: Sequence[float], looks: Sequence[Look], windows_s: tuple[float, ...]
    ) -> None:
        self._looks, self._codes = looks, tuple(crew.codes)
        widths = [len(look.pods) for look in looks]
        counts = [len(look.instants_s) * width for look, width in zip(looks, widths, strict=True)]
        self._first = [0, *accumulate(counts)]
        self._fine_first = [0, *accumulate(count * look.fine for look, count in zip(looks, counts, strict=True))]
        self.place = place = {end: k for k, end in enumerate(ends_s)}
        row = np.full((len(ends_s), len(looks)), -1, dtype=np.int64)
        for k, look in enumerate(looks):
            at = [place[instant] for instant in look.instants_s]
            row[at, k] = range(self._first[k], self._first[k + 1], widths[k]) if widths[k] else -1
        window = np.full(len(ends_s), -1, dtype=np.int64)
        window[[place[end] for end in windows_s]] = range(len(windows_s))
        fine = [self._first[k] - self._fine_first[k] if look.fine else -1 for k, look in enumerate(looks)]
        self.reading = Reading(
            row,
            window,
            starts(widths),
            np.array([pod for look in looks for pod in look.pods], dtype=np.int64),
            np.array(fine, dtype=np.int64),
            cells.bucket,
            cells.bin,
        )
        self.results = self._results(int(cells.bucket[-1]) + 1, crew, len(windows_s))

    def samples(self, look: int) -> Samples:
        """The answer to one look."""
        one, results = self._looks[look], self.results
        rows = slice(self._first[look], self._first[look + 1])
        shape = (len(one.instants_s), len(one.pods))
        fine = results.fine[self._fine_first[look] : self._fine_first[look + 1]]
        return Samples(
            self._codes,
            results.answers[rows].reshape(*shape, results.answers.shape[1]),
            results.buckets[rows].reshape(*shape, results.buckets.shape[1])
            if one.buckets
            else np.zeros((*shape, 0), dtype=np.int64),
            results.sums_s[rows].reshape(shape),
            fine.reshape(*shape, BINS) if one.fine else np.zeros((*shape, 0), dtype=np.int64),
            tuple({} for _ in one.instants_s) if one.refused else (),
        )

    def _results(self, buckets: int, crew: Crew, windows: int) -> Results:
        slots, groups = len(crew.codes), len(crew.totals.client)
        rows, fine_rows = self._first[-1], self._fine_first[-1]
        return Results(
            np.zeros((rows, slots), dtype=np.int64),
            np.zeros((rows, buckets), dtype=np.int64),
            np.zeros(rows),
            np.zeros((fine_rows, BINS), dtype=np.int64),
            np.zeros((windows, groups, slots), dtype=np.int64),
            np.zeros((windows, groups, buckets), dtype=np.int64),
            np.zeros((windows, groups)),
            np.zeros((windows, groups, 4), dtype=np.int64),
        )
