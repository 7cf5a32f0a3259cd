"""Between which Services a router splits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.decide.services import PING, PONG, sides
from sim.model.rollout import TrafficRouting
from tests.decide.builders import pause, routed, weight

NAMED = ("app-stable", "app-canary")


@pytest.mark.parametrize(
    ("router", "has_services", "stable", "expected"),
    [
        pytest.param("alb", False, PING, ("a", "b"), id="alb"),
        pytest.param("alb", False, PONG, ("b", "a"), id="alb-after-one-release"),
        pytest.param("alb", False, "", ("b", "a"), id="alb-before-the-first"),
        pytest.param("alb", True, PING, ("a", "b"), id="alb-prefers-ping-pong"),
        pytest.param("istio", False, PONG, ("b", "a"), id="istio"),
        pytest.param("istio", True, PONG, NAMED, id="istio-prefers-stable-and-canary"),
    ],
)
def test_routers_split_between(router: str, has_services: bool, stable: str, expected: tuple[str, str]) -> None:
    spec = routed(weight(50), pause())
    assert spec.canary is not None
    canary = replace(spec.canary, ping_pong=("a", "b"), traffic_routing=TrafficRouting((router,)))
    if not has_services:
        canary = replace(canary, stable_service="", canary_service="")
    assert sides(replace(spec, canary=canary), stable) == expected
