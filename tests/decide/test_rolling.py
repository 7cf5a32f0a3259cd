from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.decide.rolling import fenceposts, is_complete, next_actions
from sim.model.actions import Scale
from sim.model.pods import DeploymentSpec
from sim.model.rollout import ReplicaSetView
from sim.model.units import IntOrPercent


def spec(replicas: int = 10, surge: str | int = "25%", unavailable: str | int = "25%", **more: bool) -> DeploymentSpec:
    return DeploymentSpec(
        "api",
        replicas=replicas,
        max_surge=IntOrPercent.parse(surge),
        max_unavailable=IntOrPercent.parse(unavailable),
        recreate=more.get("recreate", False),
    )


def view(name: str, desired: int, available: int | None = None, created_s: float = 0.0) -> ReplicaSetView:
    ready = desired if available is None else available
    return ReplicaSetView(name, name, desired, replicas=desired, ready=ready, available=ready, created_s=created_s)


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        pytest.param(10, "25%", "25%", (3, 2), id="surge-up-unavailable-down"),
        pytest.param(1, "25%", "25%", (1, 0), id="one-pod"),
        pytest.param(10, 0, 0, (0, 1), id="both-zero-lets-one-go"),
        pytest.param(3, 0, "1%", (0, 1), id="both-round-to-zero"),
        pytest.param(2, 1, 5, (1, 2), id="no-more-than-there-are"),
    ],
)
def test_fenceposts(replicas: int, surge: str | int, unavailable: str | int, expected: tuple[int, int]) -> None:
    assert fenceposts(spec(replicas, surge, unavailable)) == expected


@pytest.mark.parametrize(
    ("new", "olds", "expected"),
    [
        pytest.param(view("n", 0), (view("o", 10),), (Scale("n", 3),), id="surge-first"),
        pytest.param(view("n", 3, 0), (view("o", 10),), (Scale("o", 8),), id="then-what-may-be-unavailable"),
        pytest.param(view("n", 3, 0), (view("o", 8),), (Scale("n", 5),), id="room-again"),
        pytest.param(view("n", 5, 0), (view("o", 8),), (), id="nothing-until-a-new-pod-is-available"),
        pytest.param(view("n", 5, 5), (view("o", 8),), (Scale("o", 3),), id="available-pods-free-old-ones"),
        pytest.param(view("n", 10), (view("o", 3),), (Scale("o", 0),), id="the-last-old-pods"),
        pytest.param(view("n", 10), (view("o", 0),), (), id="settled"),
        pytest.param(view("n", 12), (), (Scale("n", 10),), id="too-many-new"),
        pytest.param(
            view("n", 3, 0),
            (view("a", 4, 0, created_s=1.0), view("b", 6, created_s=0.0)),
            (Scale("a", 2),),
            id="unavailable-pods-go-first",
        ),
        pytest.param(
            view("n", 10),
            (view("a", 1, created_s=5.0), view("b", 1, created_s=1.0)),
            (Scale("b", 0), Scale("a", 0)),
            id="oldest-first",
        ),
    ],
)
def test_steps(new: ReplicaSetView, olds: tuple[ReplicaSetView, ...], expected: tuple[Scale, ...]) -> None:
    assert next_actions(spec(), new, olds, 0.0) == expected


def test_recreate_waits_until_the_old_pods_are_gone() -> None:
    wanted = spec(recreate=True)
    assert next_actions(wanted, view("n", 0), (view("o", 10),), 0.0) == (Scale("o", 0),)
    terminating = replace(view("o", 0), replicas=2)
    assert next_actions(wanted, view("n", 0), (terminating,), 0.0) == ()
    assert next_actions(wanted, view("n", 0), (view("o", 0),), 0.0) == (Scale("n", 10),)
    assert next_actions(wanted, view("n", 10), (view("o", 0),), 0.0) == ()


LIMITS = st.one_of(st.integers(0, 12), st.integers(0, 100).map(lambda p: f"{p}%"))


@settings(deadline=None)
@given(st.integers(1, 12), LIMITS, LIMITS, st.randoms(use_true_random=False))
def test_the_bounds_hold_all_the_way_and_it_ends(
    replicas: int, surge: str | int, gone: str | int, dice: object
) -> None:
    wanted = spec(replicas, surge, gone)
    most, least = fenceposts(wanted)
    sizes = {"n": [0, 0], "o": [replicas, replicas]}
    for _ in range(20 * replicas + 20):
        new, old = (view(name, *sizes[name]) for name in ("n", "o"))
        actions = next_actions(wanted, new, (old,), 0.0)
        for action in actions:
            sizes[action.hash][0] = action.replicas
            sizes[action.hash][1] = min(sizes[action.hash][1], action.replicas)
        total, available = (sum(size[i] for size in sizes.values()) for i in (0, 1))
        assert total <= replicas + most
        assert available >= replicas - least
        if not actions:
            if sizes["n"][1] == sizes["n"][0] == replicas:
                break
            sizes["n"][1] += dice.randint(1, max(1, sizes["n"][0] - sizes["n"][1]))  # type: ignore[attr-defined]
            sizes["n"][1] = min(sizes["n"][1], sizes["n"][0])
    assert sizes == {"n": [replicas, replicas], "o": [0, 0]}
    assert is_complete(wanted, view("n", *sizes["n"]), (view("o", 0),))
