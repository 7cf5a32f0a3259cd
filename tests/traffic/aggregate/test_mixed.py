"""Two planes as one: when it changes from one to the other, and that nothing is lost or counted twice then."""

from __future__ import annotations

import numpy as np
import pytest

from sim.model.behaviour import Delay, Shape, VersionBehaviour
from sim.model.load import Burst, Client, LoadShape, Stage
from sim.streams import Streams
from sim.traffic import DataPlane, Handling, Pool, Route
from sim.traffic.aggregate import MixedPlane
from sim.traffic.interface import Look, Observation, Plane

BEHAVIOUR = VersionBehaviour("v1")
PODS = 4
CALM = LoadShape((Stage(60.0, 300.0),))
BURST = LoadShape((Stage(60.0, 300.0),), bursts=(Burst(100.0, 60.0, 3.0), Burst(300.0, 20.0, 4.0)))

PATIENT = Client(timeout_s=None)


def over(pods: tuple[int, ...], handling: Handling | None = None) -> tuple[Route, ...]:
    return (Route(1.0, (Pool(1.0, pods),), handling or Handling()),)


def started(plane: Plane, pods: int = PODS, behaviour: VersionBehaviour = BEHAVIOUR) -> Plane:
    for _ in range(pods):
        plane.add_pod(behaviour, 0)
    plane.set_routes(over(tuple(range(pods))))
    return plane


def test_calm_traffic_is_never_simulated_request_by_request() -> None:
    plane = MixedPlane(CALM, Client(), Streams(1))
    started(plane).advance(600.0)
    assert plane.exact_s == 0


def test_a_burst_is_simulated_request_by_request_and_then_no_more_until_the_next() -> None:
    plane = MixedPlane(BURST, PATIENT, Streams(1))
    started(plane).advance(600.0)
    assert 60 + 20 <= plane.exact_s < 200


def test_a_queue_with_a_limit_is_simulated_request_by_request() -> None:
    plane = MixedPlane(CALM, Client(), Streams(1))
    started(plane, behaviour=VersionBehaviour("v1", queue_limit=2)).advance(100.0)
    assert plane.exact_s == 100.0


def test_a_plane_that_is_exact_from_the_start_gives_the_exact_numbers() -> None:
    slow = VersionBehaviour("v1", Delay(0.2, Shape.EXPONENTIAL), concurrency=20)
    mixed, exact = MixedPlane(BURST, Client(), Streams(3)), DataPlane(BURST, Client(), Streams(3))
    mixed.set_routes(over((), Handling(delay_s=1.0, delay_share=0.1)))
    for plane in (mixed, exact):
        started(plane, behaviour=slow)
        plane.advance(100.0)
        plane.crash_pod(1)
    look = Look((150.0, 200.0), (0, 1), fine=True)
    ours, theirs = (plane.observe([look], (120.0, 200.0)) for plane in (mixed, exact))
    assert np.array_equal(ours.samples[0].fine, theirs.samples[0].fine)
    assert ours.windows is not None
    assert theirs.windows is not None
    assert np.array_equal(ours.windows.clients, theirs.windows.clients)


def test_requests_are_neither_lost_nor_counted_twice_where_planes_change() -> None:
    instants = tuple(float(30 * k) for k in range(1, 21))
    totals = []
    for kind in (MixedPlane, DataPlane):
        requests = [finished(started(kind(BURST, PATIENT, Streams(seed))).observe([], instants)) for seed in range(20)]
        totals.append(np.array(requests))
    mixed, exact = totals
    error = np.sqrt(mixed.var(axis=0, ddof=1) / 20 + exact.var(axis=0, ddof=1) / 20)
    assert np.all(np.abs(mixed.mean(axis=0) - exact.mean(axis=0)) < 4.5 * error)


def finished(observed: Observation) -> list[int]:
    assert observed.windows is not None
    return observed.windows.clients[:, 1, 0].tolist()  # type: ignore[no-any-return]


def test_readings_at_once_are_the_readings_one_by_one() -> None:
    instants = (20.0, 90.0, 130.0, 300.0)
    at_once, stepwise = (MixedPlane(BURST, Client(), Streams(5)) for _ in range(2))
    observed = started(at_once).observe([Look(instants, (0, 2))], instants)
    assert observed.windows is not None
    started(stepwise)
    for k, instant in enumerate(instants):
        stepwise.advance(instant)
        window = stepwise.take_window()
        assert window[0].client_requests == observed.windows.clients[k, 1, 0]
        assert window[0].latency_counts == tuple(observed.windows.buckets[k, 1].tolist())
        sample = stepwise.pod_sample(2, fine=False)
        assert sample.bucket_counts == tuple(observed.samples[0].buckets[k, 1].tolist())
        assert sum(sample.statuses.values()) == observed.samples[0].answers[k, 1].sum()


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    def numbers(seed: int) -> list[int]:
        return finished(started(MixedPlane(BURST, Client(), Streams(seed))).observe([], (60.0, 120.0, 400.0)))

    assert numbers(1) == numbers(1)
    assert numbers(1) != numbers(2)


def test_time_never_goes_back() -> None:
    plane = MixedPlane(CALM, Client(), Streams(1))
    plane.advance(10.0)
    with pytest.raises(ValueError, match="already at"):
        plane.advance(9.0)


@pytest.mark.parametrize(
    ("load", "behaviour", "client", "pods"),
    [
        (CALM, BEHAVIOUR, Client(), 0),
        (CALM, VersionBehaviour("v1", Delay(0.0, Shape.CONSTANT)), Client(), 3),
        (CALM, VersionBehaviour("v1", Delay(0.0004, sigma=10.0)), Client(), 3),
        (CALM, BEHAVIOUR, Client(timeout_s=0.0), 3),
        (LoadShape((Stage(60.0, 10.0),)), VersionBehaviour("v1", statuses=((503, 1.0),)), Client(retries=9), 3),
        (LoadShape((Stage(5.0, 0.0), Stage(20.0, 400.0, ramp=True), Stage(5.0, 0.0))), BEHAVIOUR, Client(), 3),
    ],
    ids=["no-pods", "no-time", "endless-tails", "no-patience", "nothing-but-503", "from-nothing-to-nothing"],
)
def test_odd_worlds_are_simulated_too(load: LoadShape, behaviour: VersionBehaviour, client: Client, pods: int) -> None:
    plane = started(MixedPlane(load, client, Streams(1), start_s=-5.0), pods, behaviour)
    look = Look((20.0, 40.0), tuple(range(pods)), fine=True)
    observed = plane.observe([look], (40.0,))
    assert observed.samples[0].answers.shape[:2] == (2, pods)
    assert observed.windows is not None
    assert observed.windows.clients[:, :, 0].sum() > 0
