"""A canary without traffic routing: the pod ratio is the split, maxSurge and maxUnavailable bound the way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.decide import operations
from sim.decide.basic import approximate_split
from sim.decide.fenceposts import max_surge, max_unavailable, resolve
from sim.model.rollout import RolloutSpec
from sim.model.units import IntOrPercent
from tests.decide.builders import basic, pause, release, running, weight
from tests.decide.driver import World


@pytest.mark.parametrize(
    ("surge", "unavailable", "desired", "expected"),
    [
        pytest.param("25%", "25%", 10, (3, 2), id="surge up, unavailable down"),
        pytest.param("25", "25", 10, (3, 2), id="the sign does not matter"),
        pytest.param(1, 0, 10, (1, 0), id="counts"),
        pytest.param("0%", "0%", 10, (0, 1), id="never neither"),
        pytest.param("0%", "9%", 10, (0, 1), id="unavailable rounded to nothing"),
    ],
)
def test_fenceposts(surge: int | str, unavailable: int | str, desired: int, expected: tuple[int, int]) -> None:
    assert resolve(IntOrPercent.parse(surge), IntOrPercent.parse(unavailable), desired) == expected


def test_a_fencepost_that_cannot_be_read_leaves_no_room_at_all() -> None:
    unreadable, quarter = IntOrPercent(0, unreadable="1e3"), IntOrPercent.parse("25%")
    assert resolve(unreadable, quarter, 10) == resolve(quarter, unreadable, 10) == (0, 0)


@pytest.mark.parametrize(
    ("replicas", "share", "surge", "expected"),
    [
        pytest.param(10, 1, 3, (1, 10), id="1 of 11 is nearer to 1 % than 1 of 10"),
        pytest.param(10, 50, 3, (5, 5), id="exact"),
        pytest.param(3, 10, 1, (1, 3), id="surged"),
        pytest.param(1, 99, 1, (1, 1), id="one of each"),
        pytest.param(1, 51, 0, (1, 0), id="a single pod without surge may leave a side empty"),
    ],
)
def test_split(replicas: int, share: int, surge: int, expected: tuple[int, int]) -> None:
    assert approximate_split(replicas, share, 100, surge) == expected


@settings(deadline=None)
@given(replicas=st.integers(0, 60), share=st.integers(0, 100), surge=st.integers(0, 3))
def test_split_adds_up_and_is_near(replicas: int, share: int, surge: int) -> None:
    canary, stable = approximate_split(replicas, share, 100, surge)
    assert canary + stable in {replicas, replicas + (surge > 0)}
    assert min(canary, stable) >= 0
    if replicas > 1 and 0 < share < 100:
        assert min(canary, stable) >= 1, "neither side is empty"
        assert abs(canary / (canary + stable) - share / 100) <= 1 / replicas


def test_walk_ends_with_the_new_version_only() -> None:
    world = running(basic(weight(20), pause(), weight(60), pause()))
    release(world)
    assert world.sizes() == {"v1": 8, "v2": 2}
    world.status = operations.promote(world.spec, world.status)
    world.settle()
    assert world.sizes() == {"v1": 4, "v2": 6}
    world.status = operations.promote(world.spec, world.status)
    world.settle()
    assert (world.sizes(), world.status.stable_rs) == ({"v1": 0, "v2": 10}, "v2")
    assert world.weights() == []


def test_without_steps_it_is_a_rolling_update() -> None:
    world = running(basic())
    release(world)
    assert (world.sizes(), world.shown) == ({"v1": 0, "v2": 10}, ("Healthy", ""))


def test_abort_goes_back_at_once_and_the_canary_service_with_it() -> None:
    world = running(basic(weight(50), pause()))
    release(world)
    world.status = operations.abort(world.status)
    world.settle()
    assert (world.sizes(), world.services["app-canary"].hash) == ({"v1": 10, "v2": 0}, "v1")


def test_superseded_version_gives_way_to_the_next() -> None:
    world = running(basic(weight(30), pause()))
    release(world)
    release(world, "v3")
    assert world.sizes() == {"v1": 7, "v2": 0, "v3": 3}


@st.composite
def rollouts(draw: st.DrawFn) -> RolloutSpec:
    shares = draw(st.lists(st.integers(0, 100), max_size=4))
    surge, unavailable = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    return basic(
        *(weight(share) for share in shares),
        replicas=draw(st.integers(1, 25)),
        max_surge=IntOrPercent(surge),
        max_unavailable=IntOrPercent(unavailable),
    )


@settings(deadline=None)
@given(spec=rollouts(), aborts=st.booleans())
def test_bounds_hold_at_every_reconcile(spec: RolloutSpec, aborts: bool) -> None:
    world = running(spec)
    most, least = spec.desired + max_surge(spec), spec.desired - max_unavailable(spec)

    def check(now: World) -> None:
        sizes = sum(rs.desired for rs in now.rss.values())
        assert least <= sizes <= max(most, spec.desired + 1)

    world.watch = check
    world.template = "v2"
    for _ in range(7):
        world.reconcile()
    if aborts:
        world.status = operations.abort(world.status)
    world.settle(2000.0)
    promoted = world.status.stable_rs
    assert world.sizes()[promoted] == spec.desired == sum(world.sizes().values())
