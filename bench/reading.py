"""Readings of the SimPy models in the form all data planes have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.traffic import Look, PodSample, Samples, WindowCount, WindowSeries


def samples(look: Look, taken: Sequence[Sequence[PodSample]]) -> Samples:
    """What a look's pods had reached at each of its instants."""
    codes = tuple(sorted({code for pods in taken for pod in pods for code in pod.statuses}))
    shape = (len(look.instants_s), len(look.pods))
    answers = [[[pod.statuses.get(code, 0) for code in codes] for pod in pods] for pods in taken]
    return Samples(
        codes,
        np.array(answers, dtype=np.int64).reshape(*shape, len(codes)),
        np.array([[pod.bucket_counts for pod in pods] for pods in taken], dtype=np.int64),
        np.array([[pod.latency_sum_s for pod in pods] for pods in taken]).reshape(shape),
        np.zeros((*shape, 0), dtype=np.int64),
        (),
    )


def series(ends_s: tuple[float, ...], windows: Sequence[tuple[WindowCount, ...]]) -> WindowSeries:
    """Successive windows; a group that had none has zeros."""
    groups = tuple(sorted({side.group for window in windows for side in window}))
    codes = tuple(sorted({code for window in windows for side in window for code, _ in side.statuses}))
    shape = (len(ends_s), len(groups))
    answers = np.zeros((*shape, len(codes)), dtype=np.int64)
    buckets = np.zeros((*shape, len(windows[0][0].latency_counts)), dtype=np.int64)
    sums_s, clients = np.zeros(shape), np.zeros((*shape, 4), dtype=np.int64)
    for at, window in enumerate(windows):
        for side in window:
            place = groups.index(side.group)
            for code, count in side.statuses:
                answers[at, place, codes.index(code)] = count
            buckets[at, place], sums_s[at, place] = side.latency_counts, side.latency_sum_s
            clients[at, place] = (side.client_requests, side.client_failures, side.timeouts, side.retries)
    return WindowSeries(ends_s, groups, codes, answers, buckets, sums_s, clients)
