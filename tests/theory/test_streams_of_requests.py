from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, chi2, kstest

from sim.model.behaviour import Delay, VersionBehaviour
from sim.model.load import Burst, Diurnal, LoadShape, Stage
from sim.streams import Streams
from sim.traffic import DataPlane, Pool, Route
from sim.traffic.arrivals import Arrivals
from tests.theory.queues import PATIENT

RARE = 0.005
"""Chance at which a fixed seed's statistic would be called suspicious, on either side."""
INSTANT = Delay(0.0)
RATE_RPS = 200.0


def offered(weight: float, seconds: int) -> Iterator[tuple[float, float]]:
    """Requests of each second that went to the stable pod and to the canary."""
    plane = DataPlane(LoadShape((Stage(60.0, RATE_RPS),)), PATIENT, Streams(11))
    pods = [plane.add_pod(VersionBehaviour(f"v{k}", INSTANT, ()), k) for k in (0, 1)]
    plane.set_routes((Route(1.0, (Pool(100 - weight, (pods[0],)), Pool(weight, (pods[1],)))),))
    for k in range(seconds):
        plane.advance(k + 1.0)
        yield plane.offered_rps(pods[0]), plane.offered_rps(pods[1])
        plane.take_window()


def dispersion(counts: NDArray[np.float64], expected: float) -> float:
    """Sum of squares over the mean: chi-squared with as many degrees of freedom as counts when they are Poisson."""
    return float(((counts - expected) ** 2).sum() / expected)


@pytest.mark.parametrize("weight", [1.0, 5.0, 50.0])
def test_both_sides_of_a_canary_are_independent_poisson_streams(weight: float) -> None:
    seconds = 1500
    stable, canary = np.array(list(offered(weight, seconds))).T
    for counts, share in ((stable, 1 - weight / 100), (canary, weight / 100)):
        low, high = (float(chi2.ppf(chance, seconds)) for chance in (RARE, 1 - RARE))
        assert low < dispersion(counts, RATE_RPS * share) < high
    # Two independent streams' correlation is about normal with deviation 1/sqrt(n).
    assert abs(np.corrcoef(stable, canary)[0, 1]) < 2.8 / np.sqrt(seconds)


@pytest.mark.parametrize("ratio", [0.001, 0.03, 0.5])
def test_error_counts_are_binomial(ratio: float) -> None:
    chances = []
    for seed in range(200):
        plane = DataPlane(LoadShape((Stage(60.0, RATE_RPS),)), PATIENT, Streams(seed))
        pod = plane.add_pod(VersionBehaviour("v1", INSTANT, ((500, ratio),)), 0)
        plane.set_routes((Route(1.0, (Pool(1.0, (pod,)),)),))
        plane.advance(60.0)
        statuses = plane.pod_sample(pod).statuses
        total, errors = sum(statuses.values()), statuses.get(500, 0)
        # The mid-point of the jump, spread over it by the seed, is uniform when the count is binomial.
        spread = (seed * 0.618033988749895) % 1.0
        chances.append(binom.cdf(errors - 1, total, ratio) + spread * binom.pmf(errors, total, ratio))
    assert kstest(chances, "uniform").pvalue > RARE


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(LoadShape((Stage(60.0, 300.0),)), id="flat"),
        pytest.param(LoadShape((Stage(20.0, 50.0), Stage(60.0, 500.0, ramp=True), Stage(1.0, 100.0))), id="ramp"),
        pytest.param(LoadShape((Stage(60.0, 200.0),), bursts=(Burst(31.3, 7.1, 3.0),)), id="burst"),
        pytest.param(LoadShape((Stage(60.0, 200.0),), Diurnal(amplitude=0.9)), id="day"),
    ],
)
def test_arrivals_follow_the_rate(load: LoadShape) -> None:
    arrivals = Arrivals(load, Streams(5), 1.0)
    blocks = [arrivals.block(number, []) for number in range(arrivals.number_at(100.0) + 1)]
    times = np.concatenate([block.times for block in blocks])
    assert bool((np.diff(times) > 0).all())
    grid = np.linspace(0.0, 100.0, 10_001)
    middles = (grid[1:] + grid[:-1]) / 2
    rates = np.array([load.rate_rps(t) for t in middles.tolist()])
    reached = np.concatenate([[0.0], np.cumsum(rates * 0.01)])
    counts, _ = np.histogram(times, grid[::100])
    expected = np.diff(reached[::100])
    low, high = (float(chi2.ppf(chance, len(expected))) for chance in (RARE, 1 - RARE))
    assert low < float(((counts - expected) ** 2 / expected).sum()) < high
    within = times[times < 100.0]
    assert kstest(np.interp(within, grid, reached) / reached[-1], "uniform").pvalue > RARE


def test_gaps_of_a_steady_load_are_exponential() -> None:
    block = Arrivals(LoadShape((Stage(60.0, 300.0),)), Streams(9), 1.0).block(0, [])
    assert kstest(np.diff(block.times) * 300.0, "expon").pvalue > RARE
