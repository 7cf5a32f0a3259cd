"""What proxies may do without having every request simulated, and that this is drawn as it would be simulated."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from sim.model.behaviour import Delay, VersionBehaviour
from sim.model.load import Client, LoadShape, Stage
from sim.model.network import OutlierDetection
from sim.streams import Streams
from sim.traffic import Balancing, Cluster, DataPlane, Handling, PodEffects, Pool, Route
from sim.traffic.aggregate import MixedPlane
from sim.traffic.aggregate.handled import tries_by_pod
from sim.traffic.interface import Plane
from sim.traffic.tries import HOST_PICKS

ISTIO = Handling(2, (503,), retry_refused=True)
"""What Istio does where nothing is said."""
LEAST = Cluster("c", Balancing.LEAST_REQUEST)
EJECTS_ALL = OutlierDetection(max_ejection_percent=100)
LOAD, CLIENT = LoadShape((Stage(60.0, 300.0),)), Client(timeout_s=2.0)
PODS = (0, 1, 2, 3)
GOOD = VersionBehaviour("v1", statuses=((500, 0.001),))
BAD = VersionBehaviour("v1", statuses=((500, 0.05),))
OVERWHELMED = VersionBehaviour("v1", statuses=((503, 0.2),))
OFTEN = VersionBehaviour("v1", statuses=((503, 0.04), (500, 0.01)))


def proxied(cluster: Cluster = LEAST, handling: Handling = ISTIO, pods: tuple[int, ...] = PODS) -> tuple[Route, ...]:
    return (Route(1.0, (Pool(1.0, pods, cluster=cluster),), handling),)


def started(routes: tuple[Route, ...], behaviour: VersionBehaviour = GOOD) -> MixedPlane:
    plane = MixedPlane(LOAD, CLIENT, Streams(1))
    for _ in PODS:
        plane.add_pod(behaviour, 0)
    plane.set_routes(routes)
    return plane


DRAWN = {
    "istio-unless-told-otherwise": (proxied(), GOOD),
    "round-robin": (proxied(Cluster("c", Balancing.ROUND_ROBIN)), GOOD),
    "at-random": (proxied(Cluster("c")), GOOD),
    "errors-that-are-not-tried-again": (proxied(), BAD),
    "no-retries": (proxied(handling=Handling()), OFTEN),
    "longer-than-clients-wait": (proxied(handling=replace(ISTIO, timeout_s=2.0, per_try_s=5.0)), GOOD),
    "a-limit-out-of-reach": (proxied(replace(LEAST, limit=100)), GOOD),
    "may-eject-nobody-of-so-few": (proxied(replace(LEAST, outlier=OutlierDetection())), BAD),
    "errors-too-rare-to-eject": (proxied(replace(LEAST, outlier=EJECTS_ALL)), GOOD),
}
SIMULATED = {
    "tried-again-often": (proxied(), OVERWHELMED),
    "clients-may-not-wait-for-a-second-try": (proxied(), replace(OFTEN, service_time=Delay(0.3))),
    "delays": (proxied(handling=Handling(delay_s=1.0, delay_share=0.1)), GOOD),
    "answers-by-itself": (proxied(handling=Handling(abort_status=500, abort_share=0.1)), GOOD),
    "gives-up-before-clients-do": (proxied(handling=replace(ISTIO, timeout_s=1.0)), GOOD),
    "copies": ((replace(proxied()[0], mirrors=(Pool(0.5, (3,)),)),), GOOD),
    "a-limit-within-reach": (proxied(replace(LEAST, limit=20)), GOOD),
    "may-eject": (proxied(replace(LEAST, outlier=EJECTS_ALL)), BAD),
    "not-the-same-for-all": ((*proxied(), *proxied(handling=Handling())), GOOD),
    "nobody-there": (proxied(pods=()), GOOD),
}


@pytest.mark.parametrize(("routes", "behaviour"), DRAWN.values(), ids=DRAWN)
def test_what_is_known_of_proxies_is_drawn(routes: tuple[Route, ...], behaviour: VersionBehaviour) -> None:
    plane = started(routes, behaviour)
    plane.advance(120.0)
    assert plane.exact_s == 0


@pytest.mark.parametrize(("routes", "behaviour"), SIMULATED.values(), ids=SIMULATED)
def test_the_rest_is_simulated_request_by_request(routes: tuple[Route, ...], behaviour: VersionBehaviour) -> None:
    plane = started(routes, behaviour)
    plane.advance(120.0)
    assert plane.exact_s == 120.0


SLOW = PodEffects(latency_factor=1.5)
ERRS = PodEffects(((503, 0.3),))


@pytest.mark.parametrize("effects", [SLOW, ERRS], ids=["one-pod-slower-than-its-like", "tried-again-often"])
def test_only_as_long_as_proxies_do_more_is_every_request_simulated(effects: PodEffects) -> None:
    plane = started(proxied())
    plane.advance(60.0)
    plane.set_effects(1, effects)
    plane.advance(100.0)
    plane.set_effects(1, PodEffects())
    plane.advance(300.0)
    assert 40.0 <= plane.exact_s < 80.0


def test_a_crash_that_may_have_a_pod_ejected_is_simulated_until_it_is_back() -> None:
    plane = started(proxied(replace(LEAST, outlier=EJECTS_ALL)))
    plane.advance(60.0)
    plane.crash_pod(1)
    plane.set_effects(1, PodEffects(((503, 1.0),), refuses=True))
    plane.advance(65.0)
    plane.set_effects(1, PodEffects())
    plane.advance(300.0)
    assert 30.0 <= plane.exact_s < 100.0


@pytest.mark.parametrize("retried", [(0.1, 0.1, 0.1), (1.0, 0.0), (1.0,)], ids=["alike", "one-refuses", "alone"])
def test_proxies_try_again_elsewhere_if_they_can(retried: tuple[float, ...]) -> None:
    tries, last = tries_by_pod(retried, 2)
    assert sum(tries) == pytest.approx({3: 1.11, 2: 1.5 + 0.25 * 2.0**-HOST_PICKS, 1: 3.0}[len(retried)], abs=0.01)
    assert sum(last) <= tries[0] * len(retried)
    assert tries[-1] >= tries[0]


OUTCOMES = ("answers", "failed", "requests", "failures", "timeouts", "retries")


def outcomes(plane: Plane) -> list[float]:
    """Server's and clients' sides of a minute and a half in which one of six pods crashes, refuses, and is left out."""
    pods = [plane.add_pod(OFTEN if k < 4 else GOOD, int(k < 4)) for k in range(6)]

    def split(first: list[int]) -> tuple[Route, ...]:
        sides = ((3.0, tuple(first), replace(LEAST, name="a")), (1.0, tuple(pods[4:]), LEAST))
        return (Route(1.0, tuple(Pool(weight, some, cluster=cluster) for weight, some, cluster in sides), ISTIO),)

    plane.set_routes(split(pods[:4]))
    plane.advance(30.0)
    plane.crash_pod(2)
    plane.set_effects(2, PodEffects(((503, 1.0),), refuses=True))
    plane.advance(32.0)
    plane.set_routes(split([0, 1, 3]))
    windows = plane.observe([], (90.0,)).windows
    assert windows is not None
    failed = [k for k, code in enumerate(windows.codes) if code >= 500]
    answers = windows.answers[0].sum(axis=0)
    return [float(answers.sum()), float(answers[failed].sum()), *windows.clients[0].sum(axis=0).astype(float).tolist()]


def test_servers_and_clients_tell_the_same_story_as_in_the_exact_plane() -> None:
    client, count, sure = Client(timeout_s=0.47, retries=1, retry_on=(500, 502)), 150, 4.5
    exact, drawn = (
        np.array([outcomes(kind(LoadShape((Stage(60.0, 200.0),)), client, Streams(seed))) for seed in range(count)])
        for kind in (DataPlane, MixedPlane)
    )
    error = np.sqrt((exact.var(axis=0, ddof=1) + drawn.var(axis=0, ddof=1)) / count)
    apart = np.abs(exact.mean(axis=0) - drawn.mean(axis=0))
    for name, one, allowed in zip(OUTCOMES, apart, sure * error + 0.005 * exact.mean(axis=0), strict=True):
        assert one < allowed, name
    common = exact.mean(axis=0) > 10  # few fail for good, and hardly anybody waits for too long
    assert common.sum() >= len(OUTCOMES) - 2
    ratio = drawn[:, common].std(axis=0, ddof=1) / exact[:, common].std(axis=0, ddof=1)
    assert np.all(np.abs(ratio - 1) < 0.1 + sure / sqrt(count)), ratio
