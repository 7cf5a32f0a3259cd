"""Proxies: every answer and every window is the SimPy model's, with faults, retries, ejections, limits and copies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from bench.proxied import ProxiedPlane
from sim.model.load import Client
from sim.model.network import OutlierDetection
from sim.streams import Streams
from sim.traffic import Balancing, Cluster, DataPlane, Handling, PodEffects, Pool, Route, WindowCount
from tests.traffic.setups import BUSY, PATIENT, QUICK, SLOW, STEADY, Action, Setup, crash, slow_down
from tests.traffic.setups import route as to

DEFAULT = Handling(retries=2, retry_on=(503,), retry_refused=True)
LEAST = Cluster("least", Balancing.LEAST_REQUEST)
STRICT = OutlierDetection(consecutive_5xx=2, interval_s=1.5, base_ejection_s=1.0, max_ejection_percent=60)


def through(
    cluster: Cluster, *pods: int, handling: Handling = DEFAULT, mirrors: tuple[Pool, ...] = ()
) -> tuple[Route, ...]:
    return (Route(1.0, (Pool(1.0, pods, cluster=cluster),), handling, mirrors),)


def refuse(pod: int) -> Action:
    return lambda plane: plane.set_effects(pod, PodEffects(((503, 1.0),), refuses=True))


@dataclass(frozen=True)
class Case:
    """Routes from the start, the rest as in other setups."""

    routes: tuple[Route, ...]
    setup: Setup = Setup()
    proxies: int = 1


BAD = replace(SLOW, statuses=((500, 0.3), (503, 0.2)))
CASES: dict[str, Case] = {
    "least-request": Case(through(LEAST, 0, 1, 2, 3)),
    "least-request-overload": Case(
        through(LEAST, 0, 1, 2), Setup(rate_rps=120.0, end_s=10.0, actions=((4.0, slow_down(0, 4.0)),))
    ),
    "three-proxies": Case(through(LEAST, 0, 1, 2, 3), Setup(actions=((5.0, crash(0, 1)),)), proxies=3),
    "round-robin": Case(through(Cluster("turns", Balancing.ROUND_ROBIN), 0, 1, 2, 3)),
    "retries-of-refusals": Case(
        through(LEAST, 0, 1, 2, 3), Setup(actions=((4.0, refuse(0)), (9.0, slow_down(0, 1.0))))
    ),
    "retries-of-errors": Case(
        through(LEAST, 0, 1, 2, handling=Handling(3, (500, 502, 503), retry_reset=True)),
        Setup(pods=(BAD, SLOW, QUICK), client=BUSY, actions=((5.0, crash(0)), (6.0, crash(1)))),
    ),
    "route-time-out": Case(
        through(LEAST, 0, 1, handling=replace(DEFAULT, timeout_s=0.08)), Setup(pods=(BAD, SLOW), rate_rps=30.0)
    ),
    "tries-that-take-too-long": Case(
        through(LEAST, 0, 1, handling=Handling(2, (500,), retry_late=True, per_try_s=0.05, timeout_s=0.2)),
        Setup(pods=(BAD, SLOW), rate_rps=30.0, client=Client(timeout_s=0.15)),
    ),
    "faults": Case(
        through(
            LEAST, 0, 1, 2, 3,
            handling=replace(DEFAULT, delay_s=0.12, delay_share=0.3, abort_status=418, abort_share=0.2),
        ),
        Setup(client=Client(timeout_s=0.1)),
    ),
    "longer-faults": Case(
        through(LEAST, 0, 1, 2, 3, handling=replace(DEFAULT, delay_s=0.12, delay_share=0.5, timeout_s=0.3)),
        Setup(client=Client(timeout_s=0.5), actions=((4.0, slow_down(0, 9.0)),)),
    ),
    "ejections": Case(
        through(Cluster("watched", Balancing.LEAST_REQUEST, outlier=STRICT), 0, 1, 2, 3),
        Setup(pods=(BAD, SLOW, QUICK, BAD), actions=((6.0, crash(2)), (8.3, crash(1, 2)))),
    ),
    "ejections-split": Case(
        through(
            Cluster("split", outlier=replace(STRICT, split=True, consecutive_local=2, consecutive_gateway=1)), 0, 1, 2,
            handling=Handling(1, (503,), per_try_s=0.05, retry_late=True),
        ),
        Setup(pods=(BAD, SLOW, QUICK), actions=((6.0, crash(2)), (7.0, refuse(1)), (12.0, slow_down(1, 1.0)))),
    ),
    "few-left": Case(
        through(Cluster("panic", outlier=replace(STRICT, max_ejection_percent=100, min_health_percent=50)), 0, 1, 2),
        Setup(pods=(BAD, BAD, BAD)),
    ),
    "none-left": Case(
        through(Cluster("none", outlier=replace(STRICT, max_ejection_percent=100)), 0, 1), Setup(pods=(BAD, BAD))
    ),
    "later-istio": Case(
        through(Cluster("later", outlier=STRICT, always_ejects_one=False), 0, 1, 2), Setup(pods=(BAD, BAD, SLOW))
    ),
    "limits": Case(through(Cluster("limited", limit=3), 0, 1, 2), Setup(rate_rps=80.0, pods=(SLOW, SLOW, QUICK))),
    "full-queues": Case(through(LEAST, 0, 1, 2), Setup(pods=(STEADY,) * 3, actions=((4.0, slow_down(0, 3.0)),))),
    "copies": Case(
        through(
            LEAST, 0, 1, 2,
            mirrors=(Pool(0.5, (3,), cluster=Cluster("canary", limit=2)), Pool(1.0, (2, 3))),
        ),
        Setup(pods=(SLOW, SLOW, QUICK, SLOW), client=PATIENT, actions=((6.0, crash(3)), (9.0, slow_down(3, 5.0)))),
    ),
    "hosts-come-and-go": Case(
        through(Cluster("w", Balancing.LEAST_REQUEST, outlier=STRICT), 0, 1, 2, 3),
        Setup(
            pods=(BAD, SLOW, QUICK, BAD),
            actions=(
                (3.0, to(through(Cluster("w", Balancing.LEAST_REQUEST, outlier=STRICT), 0, 1))),
                (3.5, crash(2)),
                (7.0, to(through(LEAST, 2, 3))),
                (11.0, to(through(Cluster("w", outlier=STRICT), 0, 1, 2, 3))),
            ),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
@pytest.mark.parametrize("width_s", [0.7, 5.0], ids=["short-windows", "long-windows"])
def test_every_window_is_the_simpy_models(case: Case, width_s: float) -> None:
    setup = case.setup
    exact = DataPlane(setup.shape(), setup.client, Streams(7), start_s=setup.start_s, proxies=case.proxies)
    simpy = ProxiedPlane(setup.shape(), setup.client, Streams(7), start_s=setup.start_s, proxies=case.proxies)
    for plane in (exact, simpy):
        setup.begin(plane)
        plane.set_routes(case.routes)
    actions = list(setup.actions)
    answers = 0
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
            answers += mine.client_requests
    assert answers > 100


def whole(window: WindowCount) -> tuple[object, ...]:
    client = (window.client_requests, window.client_failures, window.timeouts, window.retries)
    return (window.group, window.statuses, window.latency_counts, *client)
