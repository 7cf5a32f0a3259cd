from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise

import pytest

from bench.lean import LeanPlane
from bench.naive import NaivePlane
from sim.streams import Streams
from sim.traffic import DataPlane, WindowCount
from tests.traffic.setups import SETUPS, Setup

SEED = 7
BY_NAME = [pytest.param(setup, id=name) for name, setup in SETUPS.items()]


def naive_log(setup: Setup) -> list[tuple[float, int, int, float]]:
    """(finished at, pod, status, latency) of every answer of the naive model, in order."""
    plane = NaivePlane(setup.shape(), setup.client, Streams(SEED), start_s=setup.start_s, log=True)
    setup.begin(plane)
    for at, action in setup.actions:
        plane.advance(at)
        action(plane)
    plane.advance(setup.end_s)
    return sorted((at, k, status, latency) for k, pod in enumerate(plane.pods) for at, status, latency in pod.log or ())


def cuts_between(instants: list[float]) -> list[float]:
    return [(left + right) / 2 for left, right in pairwise(instants)]


@pytest.mark.parametrize("setup", BY_NAME)
def test_every_answer_is_the_naive_models(setup: Setup) -> None:
    log = naive_log(setup)
    assert len(log) > 100 or not setup.pods or setup.rate_rps == 0
    answers = {at: list(rows) for at, rows in groupby(log, key=lambda row: row[0])}
    acted = {at for at, _ in setup.actions}
    cuts = sorted({*cuts_between(list(answers)), *acted, setup.end_s})
    plane = DataPlane(setup.shape(), setup.client, Streams(SEED), start_s=setup.start_s)
    setup.begin(plane)
    seen: Counter[tuple[int, int]] = Counter()
    sums: Counter[int] = Counter()
    ticks: dict[int, float] = {}
    coming = iter(answers.items())
    upcoming = next(coming, None)
    for cut in cuts:
        plane.advance(cut)
        given = []
        while upcoming is not None and upcoming[0] < cut:
            given += upcoming[1]
            upcoming = next(coming, None)
        for pod in {row[1] for row in given}:
            mine = [row for row in given if row[1] == pod]
            sample = plane.pod_sample(pod)
            seen.update((pod, status) for _, _, status, _ in mine)
            sums[pod] += len(mine)
            assert dict(sample.statuses) == {status: n for (where, status), n in seen.items() if where == pod}
            gained = sample.latency_sum_s - ticks.get(pod, 0.0)
            assert gained == pytest.approx(sum(row[3] for row in mine), abs=1e-9 * len(mine), rel=0)
            ticks[pod] = sample.latency_sum_s
        for at, action in setup.actions:
            if at == cut:
                action(plane)
    assert upcoming is None
    assert all(sum(plane.pod_sample(pod).bucket_counts) == count for pod, count in sums.items())


@pytest.mark.parametrize("setup", BY_NAME)
@pytest.mark.parametrize(("model", "width_s"), [(NaivePlane, 5.0), (LeanPlane, 1.0)], ids=["naive", "lean"])
def test_every_window_is_the_simpy_models(setup: Setup, model: type[NaivePlane | LeanPlane], width_s: float) -> None:
    exact = DataPlane(setup.shape(), setup.client, Streams(SEED), start_s=setup.start_s)
    simpy = model(setup.shape(), setup.client, Streams(SEED), start_s=setup.start_s)
    setup.begin(exact)
    setup.begin(simpy)
    actions = list(setup.actions)
    for k in range(1, int((setup.end_s - setup.start_s) / width_s) + 1):
        cut = setup.start_s + k * width_s
        while actions and actions[0][0] <= cut:
            at, action = actions.pop(0)
            for plane in (exact, simpy):
                plane.advance(at)
                action(plane)
        exact.advance(cut)
        simpy.advance(cut)
        for mine, theirs in zip(exact.take_window(), simpy.take_window(), strict=True):
            assert whole(mine) == whole(theirs), f"window that ends at {cut} s"
            assert mine.latency_sum_s == pytest.approx(
                theirs.latency_sum_s, abs=1e-9 * (1 + sum(mine.latency_counts)), rel=0
            )


def whole(window: WindowCount) -> tuple[object, ...]:
    """A window without its sum of latencies, the one number in which the models may differ in the last bits."""
    client = (window.client_requests, window.client_failures, window.timeouts, window.retries)
    return (window.group, window.statuses, window.latency_counts, *client)
