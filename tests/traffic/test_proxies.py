"""Proxies: every answer and every window is the SimPy model's, with faults, retries, ejections, limits and copies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.proxied import ProxiedPlane
from sim.model.behaviour import Delay, Shape, VersionBehaviour
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


BAD = replace(SLOW, statuses=((500, 0.3), (502, 0.1), (503, 0.2)))
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
    "too-few-to-eject": Case(
        through(Cluster("few", outlier=replace(STRICT, max_ejection_percent=30)), 0, 1, 2), Setup(pods=(BAD, BAD, SLOW))
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
    assert agreed(case, width_s) > 100


def agreed(case: Case, width_s: float, seed: int = 7) -> int:
    """Client requests that ended, after checking that both models saw the same in every window."""
    setup = case.setup
    exact = DataPlane(setup.shape(), setup.client, Streams(seed), start_s=setup.start_s, proxies=case.proxies)
    simpy = ProxiedPlane(setup.shape(), setup.client, Streams(seed), start_s=setup.start_s, proxies=case.proxies)
    for plane in (exact, simpy):
        setup.begin(plane)
        plane.set_routes(case.routes)
    actions = list(setup.actions)
    ended = 0
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
            ended += mine.client_requests
    return ended


def whole(window: WindowCount) -> tuple[object, ...]:
    client = (window.client_requests, window.client_failures, window.timeouts, window.retries)
    return (window.group, window.statuses, window.latency_counts, *client)


# Times that never meet exactly: the models may order a tie differently.
STATUSES = st.lists(st.sampled_from([500, 502, 503, 404]), max_size=2, unique=True)
BEHAVIOURS = st.builds(
    lambda median, shape, errors, servers: VersionBehaviour(
        "v", Delay(median, shape), tuple((code, 0.25) for code in errors), concurrency=servers
    ),
    st.sampled_from([0.0123, 0.0317, 0.0731]),
    st.sampled_from([Shape.EXPONENTIAL, Shape.LOGNORMAL]),
    STATUSES,
    st.integers(1, 4),
)
OUTLIERS = st.builds(
    OutlierDetection,
    st.integers(0, 4),
    st.integers(0, 3),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from([0.5, 1.7]),
    st.sampled_from([0.31, 1.3]),
    st.sampled_from([10, 50, 100]),
    st.sampled_from([0, 40, 100]),
)
HANDLINGS = st.builds(
    Handling,
    st.integers(0, 3),
    STATUSES.map(tuple),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 0.0311]),
    st.sampled_from([None, 0.0613, 0.3071]),
    st.just(0.0203),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([418, 503]),
    st.sampled_from([0.0, 0.2]),
)
CLIENTS = st.builds(Client, st.sampled_from([None, 0.1009]), st.integers(0, 2), st.just(0.0501), st.just((502, 503)))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    pods = tuple(draw(st.lists(BEHAVIOURS, min_size=1, max_size=4)))
    everyone = range(len(pods))
    clusters = [
        Cluster(
            name,
            draw(st.sampled_from(Balancing)),
            draw(st.sampled_from([None, 3])),
            draw(OUTLIERS),
        )
        for name in "ab"
    ]

    def routes() -> tuple[Route, ...]:
        members = [tuple(draw(st.sets(st.sampled_from(everyone)))) for _ in clusters]
        pools = tuple(Pool(2.0 + k, members[k], cluster=one) for k, one in enumerate(clusters))
        copies = (replace(pools[1], weight=0.4),) if draw(st.booleans()) else ()
        return (Route(1.0, pools, draw(HANDLINGS), copies), Route(2.0, (Pool(1.0, tuple(everyone)),), draw(HANDLINGS)))

    pod = draw(st.sampled_from(everyone))
    actions = (
        (1.013, to(routes())),
        (2.017, draw(st.sampled_from([crash(pod), refuse(pod)]))),
        (3.019, slow_down(draw(st.sampled_from(everyone)), 3.0)),
    )
    setup = Setup(rate_rps=60.0, pods=pods, client=draw(CLIENTS), actions=actions, end_s=4.5)
    return Case(routes(), setup, draw(st.integers(1, 3)))


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from([0.43, 3.1]), st.integers(0, 1000))
def test_any_proxies_are_the_simpy_models(case: Case, width_s: float, seed: int) -> None:
    agreed(case, width_s, seed)
