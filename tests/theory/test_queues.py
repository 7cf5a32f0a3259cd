from __future__ import annotations

from math import expm1
from statistics import mean

import pytest

from sim.model.behaviour import Delay, Shape
from tests.theory.queues import (
    REPLICATIONS,
    erlang_c_wait_s,
    interval,
    mean_latency_s,
    median_of_exponential_s,
    median_of_lognormal_s,
    pollaczek_khinchine_wait_s,
    steady_plane,
)

MEAN_S = 0.05
SIGMA = 0.8
EXPONENTIAL = Delay(median_of_exponential_s(MEAN_S), Shape.EXPONENTIAL)
CONSTANT = Delay(MEAN_S, Shape.CONSTANT)
LOGNORMAL = Delay(median_of_lognormal_s(MEAN_S, SIGMA), Shape.LOGNORMAL, SIGMA)


def latencies(rate_rps: float, service: Delay, servers: int, requests: float) -> list[float]:
    return [mean_latency_s(seed, rate_rps, service, servers, requests) for seed in range(REPLICATIONS)]


@pytest.mark.parametrize("load", [0.5, 0.8, 0.9])
@pytest.mark.parametrize("servers", [1, 2, 10])
def test_waits_of_memoryless_services_are_erlangs(servers: int, load: float) -> None:
    rate = load * servers / MEAN_S
    low, high = interval(latencies(rate, EXPONENTIAL, servers, 50_000))
    expected = MEAN_S + erlang_c_wait_s(servers, rate, MEAN_S)
    assert low < expected < high
    assert high - low < 0.2 * expected, "an interval this wide would prove nothing"


@pytest.mark.parametrize("load", [0.5, 0.8])
@pytest.mark.parametrize(
    ("service", "squared_cv"),
    [
        pytest.param(EXPONENTIAL, 1.0, id="exponential"),
        pytest.param(CONSTANT, 0.0, id="constant"),
        pytest.param(LOGNORMAL, expm1(SIGMA**2), id="lognormal"),
    ],
)
def test_waits_of_any_service_are_pollaczeks_and_khinchines(service: Delay, squared_cv: float, load: float) -> None:
    rate = load / MEAN_S
    low, high = interval(latencies(rate, service, 1, 50_000))
    expected = MEAN_S + pollaczek_khinchine_wait_s(rate, MEAN_S, squared_cv)
    assert low < expected < high
    assert high - low < 0.2 * expected, "an interval this wide would prove nothing"


def test_number_in_the_system_is_rate_times_latency() -> None:
    rate, horizon_s, step_s = 70.0, 400.0, 0.25
    plane = steady_plane(1, rate, EXPONENTIAL, 4)
    present = []
    for k in range(1, int(horizon_s / step_s) + 1):
        plane.advance(k * step_s)
        sent = plane.offered_rps(0) * plane.now_s
        present.append(sent - sum(plane.pod_sample(0).statuses.values()))
    (window,) = plane.take_window()
    latency = window.latency_sum_s / sum(window.latency_counts)
    throughput = sum(window.latency_counts) / horizon_s
    assert mean(present) == pytest.approx(throughput * latency, rel=0.05)
    assert throughput == pytest.approx(rate, rel=0.02)
