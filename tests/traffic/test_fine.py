from __future__ import annotations

from bisect import bisect_left

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from sim.model.telemetry import PROMETHEUS_BUCKETS_S
from sim.traffic.fine import BINS, bin_of, by_bin, by_bucket, cell_of, cells, layout, quantile

BOUNDS = some.lists(some.floats(1e-6, 1000.0), min_size=0, max_size=12, unique=True).map(sorted)


@given(bounds=BOUNDS, latencies=some.lists(some.floats(0.0, 5000.0), max_size=20))
def test_both_views_of_a_histogram_are_exact(bounds: list[float], latencies: list[float]) -> None:
    plan = layout(tuple(bounds))
    counts = np.zeros(cells(plan), dtype=np.int64)
    latencies = [*latencies, *bounds]
    for latency in latencies:
        counts[cell_of(latency, plan.bounds, plan.first_cell)] += 1
    buckets, bins = [0] * (len(bounds) + 1), [0] * BINS
    for latency in latencies:
        buckets[bisect_left(bounds, latency)] += 1
        bins[bin_of(latency)] += 1
    assert by_bucket(counts, plan).tolist() == buckets
    assert by_bin(counts, plan).tolist() == bins


@given(latency=some.floats(1e-5, 4000.0), q=some.floats(0.0, 1.0))
def test_a_quantile_is_within_a_bucket_of_the_truth(latency: float, q: float) -> None:
    counts = np.zeros(BINS, dtype=np.int64)
    counts[bin_of(latency)] = 7
    assert quantile(counts, q) == pytest.approx(latency, rel=1 / 32)


def test_the_quantiles_of_known_latencies() -> None:
    latencies = np.random.default_rng(1).lognormal(-3.2, 0.5, 20_000)
    counts = np.bincount([bin_of(latency) for latency in latencies.tolist()], minlength=BINS)
    for q in (0.0, 0.5, 0.9, 0.99, 1.0):
        assert quantile(counts, q) == pytest.approx(float(np.quantile(latencies, q)), rel=1 / 32)


def test_no_answers_have_no_quantile() -> None:
    assert np.isnan(quantile(np.zeros(BINS, dtype=np.int64), 0.5))


def test_the_default_bounds_are_ascending() -> None:
    assert (np.diff(layout(PROMETHEUS_BUCKETS_S).bounds) > 0).all()
