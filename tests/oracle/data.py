"""Random series as a fleet of pods would have them: resets, late births, gaps, and ends with and without a marker."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from typing import Final

from sim.metrics import STALE, SeriesStore
from tests.oracle.wire import Samples

BEGIN_MS: Final = 1_700_000_000_000
SPACING_MS: Final = 15_000
SCRAPES: Final = 160
END_MS: Final = BEGIN_MS + SCRAPES * SPACING_MS
PODS: Final = ("z-0", "a-1", "m-2", "b-3", "q-4")
"""Not in order of their labels, so that the order of creation shows."""
BOUNDS: Final = ("0.1", "0.25", "0.5", "1", "+Inf")

Series = tuple[Mapping[str, str], Samples]


def series(seed: int) -> list[Series]:
    """Counters ``c``, gauges ``g``, a histogram ``h_bucket`` and a table ``owner``."""
    dice = random.Random(seed)  # noqa: S311  # test data
    found: list[Series] = []
    for pod in PODS:
        for code in ("200", "404", "500"):
            labels = {"__name__": "c", "pod": pod, "code": code, "zone": dice.choice("xy")}
            found.append((labels, _counter(dice, _lifetime(dice))))
        for name in ("g", "g2"):
            zone = dice.choice(["x", "y", "z"])
            found.append(({"__name__": name, "pod": pod, "zone": zone}, _gauge(dice, _lifetime(dice))))
        found.append(({"__name__": "owner", "pod": pod, "team": dice.choice(["red", "blue"])}, _constant(1.0)))
        found += _histogram(dice, pod)
    return found


def slices(written: list[Series]) -> Iterator[list[Series]]:
    """The same minute by minute, as scrapes come: a head refuses what is long before its newest sample."""
    for begin in range(BEGIN_MS, END_MS + 60_000, 60_000):
        part = [(labels, [one for one in samples if begin <= one[0] < begin + 60_000]) for labels, samples in written]
        yield [(labels, samples) for labels, samples in part if samples]


def store_of(written: list[Series]) -> SeriesStore:
    """The same in our store, whose series are born in the same order."""
    store = SeriesStore()
    for part in slices(written):
        for labels, samples in part:
            for t_ms, value in samples:
                store.append(labels, t_ms / 1000.0, value)
    return store


def _lifetime(dice: random.Random) -> list[int]:
    """Instants of scrapes: perhaps late in the beginning, with a jitter, with gaps."""
    born = dice.choice([0, 0, 0, dice.randrange(SCRAPES // 2)])
    dies = dice.choice([SCRAPES, SCRAPES, dice.randrange(SCRAPES // 2, SCRAPES)])
    phase = dice.choice([0, 0, dice.randrange(SPACING_MS)])
    missed = dice.choice([0.0, 0.0, 0.1])
    jitter = dice.choice([0, 0, 200])
    times = range(BEGIN_MS + phase + born * SPACING_MS, BEGIN_MS + dies * SPACING_MS, SPACING_MS)
    return [t_ms + dice.randint(0, jitter) for t_ms in times if dice.random() >= missed]


def _ended(dice: random.Random, times: list[int], samples: list[tuple[int, float]]) -> Samples:
    """Half of the series that are gone say so; some come back later."""
    if times and times[-1] < END_MS - 2 * SPACING_MS and dice.random() < 0.5:
        samples.append((times[-1] + SPACING_MS, STALE))
        if dice.random() < 0.3:
            samples.append((END_MS - SPACING_MS, 7.0))
    return samples


def _counter(dice: random.Random, times: list[int]) -> Samples:
    value, pace = float(dice.choice([0, 0, 50])), dice.choice([0, 1, 3, 40])
    samples = []
    for t_ms in times:
        value = 0.0 if dice.random() < 0.02 else value + dice.randint(0, pace)
        samples.append((t_ms, value))
    return _ended(dice, times, samples)


def _gauge(dice: random.Random, times: list[int]) -> Samples:
    odd = dice.choice([0.0, 0.0, 0.05])
    samples = [
        (t_ms, dice.choice([math.nan, math.inf, -math.inf]) if dice.random() < odd else round(dice.gauss(2.0, 9.0), 3))
        for t_ms in times
    ]
    return _ended(dice, times, samples)


def _constant(value: float) -> Samples:
    return [(t_ms, value) for t_ms in range(BEGIN_MS, END_MS, SPACING_MS)]


def _histogram(dice: random.Random, pod: str) -> list[Series]:
    times = _lifetime(dice)
    counts = [0.0] * len(BOUNDS)
    columns: list[list[tuple[int, float]]] = [[] for _ in BOUNDS]
    for t_ms in times:
        if dice.random() < 0.01:
            counts = [0.0] * len(BOUNDS)
        grown = sorted(dice.randint(0, 30) for _ in BOUNDS)
        counts = [count + more for count, more in zip(counts, grown, strict=True)]
        for column, count in zip(columns, counts, strict=True):
            column.append((t_ms, count))
    return [
        ({"__name__": "h_bucket", "pod": pod, "le": bound}, column)
        for bound, column in zip(BOUNDS, columns, strict=True)
        if column
    ]
