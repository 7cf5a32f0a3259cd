"""Small rollouts that every data plane must agree on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sim.model.behaviour import Delay, Shape, VersionBehaviour
from sim.model.load import Burst, Client, LoadShape, Stage
from sim.traffic import PodEffects, PodSample, Pool, Route, WindowCount
from sim.traffic.serve import FEW


class Plane(Protocol):
    def advance(self, to_s: float) -> None: ...
    def add_pod(self, behaviour: VersionBehaviour, group: int) -> int: ...
    def set_effects(self, pod: int, effects: PodEffects) -> None: ...
    def set_routes(self, routes: tuple[Route, ...]) -> None: ...
    def crash_pod(self, pod: int) -> None: ...
    def pod_sample(self, pod: int) -> PodSample: ...
    def take_window(self) -> tuple[WindowCount, ...]: ...


Action = Callable[[Plane], object]

SLOW = VersionBehaviour("v1", Delay(0.04), ((500, 0.02), (404, 0.01)), concurrency=2)
QUICK = VersionBehaviour("v2", Delay(0.02, Shape.EXPONENTIAL), ((500, 0.05),), concurrency=3)
WIDE = VersionBehaviour("v4", Delay(0.04), ((500, 0.02),), concurrency=FEW + 6)
STEADY = VersionBehaviour("v3", Delay(0.03, Shape.CONSTANT), (), concurrency=1, queue_limit=2)


@dataclass(frozen=True)
class Setup:
    """Behaviours of the first pods (all in one pool until an action routes otherwise), and what happens when."""

    rate_rps: float = 60.0
    pods: tuple[VersionBehaviour, ...] = (SLOW,) * 4
    client: Client = field(default_factory=Client)
    actions: tuple[tuple[float, Action], ...] = ()
    end_s: float = 18.0
    start_s: float = -2.0
    load: LoadShape | None = None

    def shape(self) -> LoadShape:
        return self.load or LoadShape((Stage(60.0, self.rate_rps),))

    def begin(self, plane: Plane) -> None:
        for k, behaviour in enumerate(self.pods):
            plane.add_pod(behaviour, k % 2)
        if self.pods:
            plane.set_routes(one_pool(*range(len(self.pods))))


def one_pool(*pods: int) -> tuple[Route, ...]:
    return (Route(1.0, (Pool(1.0, pods),)),)


def split(weight: float, stable: tuple[int, ...], canary: tuple[int, ...]) -> tuple[Route, ...]:
    return (Route(1.0, (Pool(100 - weight, stable), Pool(weight, canary))),)


def slow_down(pod: int, factor: float, add_s: float = 0.0, errors: float = 0.0) -> Action:
    return lambda plane: plane.set_effects(pod, PodEffects(((503, errors),), factor, add_s))


def crash(*pods: int) -> Action:
    def act(plane: Plane) -> None:
        for pod in pods:
            plane.crash_pod(pod)

    return act


def route(routes: tuple[Route, ...]) -> Action:
    return lambda plane: plane.set_routes(routes)


def add_and_route(behaviour: VersionBehaviour, weight: float, stable: tuple[int, ...]) -> Action:
    return lambda plane: plane.set_routes(split(weight, stable, (plane.add_pod(behaviour, 1),)))


PATIENT = Client(timeout_s=None, retries=0)
BUSY = Client(timeout_s=0.15, retries=3, backoff_s=0.05, retry_on=(500, 502, 503))

SETUPS: dict[str, Setup] = {
    "plain": Setup(),
    "slow-down": Setup(
        actions=((3.0, slow_down(0, 6.0, 0.01, errors=0.2)), (9.0, slow_down(0, 1.0)), (12.0, slow_down(1, 0.5)))
    ),
    "crash-with-timeout": Setup(
        actions=((4.0, crash(1, 2)), (4.0, route(one_pool(0, 3))), (11.5, route(one_pool(0, 1, 2, 3))))
    ),
    "crash-patient": Setup(
        client=PATIENT,
        actions=((4.0, crash(1, 2)), (4.0, route(one_pool(0))), (11.5, route(one_pool(0, 1, 2, 3))), (12.0, crash(0))),
    ),
    "canary": Setup(
        actions=(
            (2.0, add_and_route(QUICK, 5.0, (0, 1, 2, 3))),
            (8.0, route(split(50.0, (0, 1, 2, 3), (4,)))),
            (15.0, route(split(100.0, (0, 1, 2, 3), (4,)))),
        )
    ),
    "retry-storm": Setup(client=BUSY, actions=((5.0, slow_down(0, 10.0)), (12.0, slow_down(0, 1.0)))),
    "overload": Setup(
        rate_rps=200.0, pods=(SLOW, QUICK), end_s=12.0, actions=((6.0, slow_down(0, 2.0)), (9.0, crash(0)))
    ),
    "many-servers": Setup(
        rate_rps=220.0,
        pods=(WIDE, WIDE, SLOW),
        actions=((4.0, slow_down(0, 30.0)), (9.0, slow_down(0, 1.0)), (12.0, crash(1)), (13.0, slow_down(1, 30.0))),
    ),
    "full-queues": Setup(
        pods=(STEADY,) * 3, actions=((4.0, slow_down(0, 3.0)), (10.0, crash(1)), (14.0, slow_down(0, 1.0)))
    ),
    "classes": Setup(
        pods=(SLOW, QUICK, STEADY),
        actions=(
            (
                1.0,
                route((Route(3.0, (Pool(1.0, (0,)), Pool(3.0, (1,)))), Route(1.0, (Pool(1.0, (2,)), Pool(1.0, ()))))),
            ),
            (9.0, route((Route(0.0, (Pool(1.0, (0,)),)), Route(1.0, (Pool(0.0, (0,)), Pool(1.0, (1, 2))))))),
        ),
    ),
    "answered-by-proxies": Setup(
        actions=(
            (1.0, route((Route(1.0, (Pool(1.0, (), 404),)), Route(2.0, (Pool(3.0, (0, 1)), Pool(1.0, (), 301)))))),
            (9.0, route((Route(1.0, (Pool(1.0, (), 500),)), Route(2.0, (Pool(1.0, (0, 1, 2)), Pool(1.0, (), 503)))))),
        ),
    ),
    "no-pods": Setup(pods=(), end_s=10.0),
    "no-traffic": Setup(rate_rps=0.0),
    "ramp-and-burst": Setup(
        load=LoadShape(
            (Stage(3.0, 20.0), Stage(5.0, 120.0, ramp=True), Stage(1.0, 0.0)), bursts=(Burst(4.5, 1.3, 2.0),)
        ),
        end_s=12.0,
    ),
}
