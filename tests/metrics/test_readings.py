"""Many scrapes at once leave the same store behind as one after the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.metrics.columns import Columns
from sim.metrics.exposition import Scraper
from sim.metrics.pods import PodView
from sim.metrics.readings import Readings
from sim.metrics.store import SeriesStore
from sim.model.telemetry import LabelSource, PrometheusTelemetry

BOUNDS = (0.1, 1.0)
CODES = (200, 503, 502, 503, 500)
PLAIN = PrometheusTelemetry(buckets_s=BOUNDS, preset_statuses=(200, 429))
UNSPLIT = replace(PLAIN, labels=(LabelSource("service", ("pod-label:app",)),))
SHARED = replace(PLAIN, labels=(LabelSource("instance", ("pod-label:app",)), LabelSource("status", ("status-class",))))
Stage = tuple[tuple[PodView, ...], Readings]


def pods(*names: str, **labels: str) -> tuple[PodView, ...]:
    return tuple(PodView(name, "ns", labels={"app": "api", **labels}, hash="abc") for name in names)


def stages(seed: int) -> list[Stage]:
    """Pods that come, restart, change a label and go, with counters that rise from 0 and statuses that turn up late."""
    generator, now_ms = np.random.Generator(np.random.PCG64(seed)), 0
    found: list[Stage] = []
    a, b, c = pods("a", "b", "c")
    (promoted,) = pods("b", role="stable")
    for views, instants in (((a, b), 3), ((a, b), 1), ((), 2), ((b,), 2), ((promoted, c), 4), ((promoted, c, a), 3)):
        rises = generator.integers(0, 2, (instants, len(views), len(CODES))) * generator.integers(0, 3)
        buckets = generator.integers(0, 9, (instants, len(views), len(BOUNDS) + 1))
        sums_s = np.cumsum(generator.random((instants, len(views))), axis=0)
        times_ms = now_ms + 15_000 * np.arange(1, instants + 1)
        now_ms = int(times_ms[-1])
        found.append((views, Readings(times_ms, CODES, np.cumsum(rises, 0), np.cumsum(buckets, 0), sums_s)))
    return found


def one_by_one(telemetry: PrometheusTelemetry, found: list[Stage]) -> SeriesStore:
    store = SeriesStore()
    scraper = Scraper(telemetry, store)
    for views, readings in found:
        for at, time_ms in enumerate(readings.times_ms.tolist()):
            filled = []
            for place, view in enumerate(views):
                statuses: dict[int, int] = {}
                for code, count in zip(CODES, readings.answers[at, place].tolist(), strict=True):
                    if count:
                        statuses[code] = statuses.get(code, 0) + count
                buckets, sum_s = readings.buckets[at, place].tolist(), float(readings.latency_sum_s[at, place])
                filled.append(replace(view, statuses=statuses, bucket_counts=buckets, latency_sum_s=sum_s))
            scraper.scrape(time_ms / 1000, filled)
    return store


def at_once(telemetry: PrometheusTelemetry, found: list[Stage], *, asking: bool) -> SeriesStore:
    store = SeriesStore()
    scraper = Scraper(telemetry, store)
    for views, readings in found:
        scraper.scrape_many(views, readings)
        if asking:
            assert store.samples.end.size
    return store


def content(store: SeriesStore) -> list[tuple[object, ...]]:
    samples, markers = store.samples, store.markers
    every = store.select(None, "all", lambda _: True)
    return [
        (
            dict(labels),
            samples.times[samples.begin[index] : samples.end[index]].tolist(),
            samples.values[samples.begin[index] : samples.end[index]].tolist(),
            markers.times[markers.begin[index] : markers.end[index]].tolist(),
            bool(samples.fell[index]),
        )
        for index, labels in zip(every.indices.tolist(), every.rows.labels, strict=True)
    ]


@pytest.mark.parametrize("telemetry", [PLAIN, UNSPLIT, SHARED], ids=["plain", "unsplit", "shared"])
@pytest.mark.parametrize("asking", [True, False], ids=["asking", "at-the-end"])
@pytest.mark.parametrize("seed", range(4))
def test_many_scrapes_at_once_are_those_taken_one_by_one(
    telemetry: PrometheusTelemetry, seed: int, *, asking: bool
) -> None:
    found = stages(seed)
    expected = content(one_by_one(telemetry, found))
    assert content(at_once(telemetry, found, asking=asking)) == expected
    assert any(values for _, _, values, *_ in expected)


def test_a_block_longer_than_the_room_left_moves_its_series() -> None:
    columns = Columns()
    columns.grow(3)
    columns.add(np.array([1]), np.array([5]), np.array([7.0]))
    times = np.arange(10, 110)
    columns.add(np.array([2, 1]), times, np.stack([times * 1.0, times - 3.0], axis=1))
    assert [int(one) for one in columns.end - columns.begin] == [0, 101, 100]
    assert columns.times[columns.begin[1] : columns.end[1]].tolist() == [5, *times]
    assert columns.values[columns.begin[2] : columns.end[2]].tolist() == times.tolist()
    assert columns.fell.tolist() == [False, False, False]
    columns.add(np.array([0, 2]), np.array([200]), np.array([[1.0, 0.0]]))
    assert columns.fell.tolist() == [False, False, True]
    every = np.arange(3)
    assert columns.positions(every, 109).tolist() == [columns.begin[0], columns.end[1], columns.end[2] - 1]
