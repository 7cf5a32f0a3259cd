"""Rollouts the tests share."""

from __future__ import annotations

from typing import Any

from sim.model.analysis import AnalysisRef, TemplateRef
from sim.model.controller import NEWEST, Controller
from sim.model.rollout import BlueGreenStrategy, CanaryStep, CanaryStrategy, Pause, RolloutSpec, TrafficRouting
from tests.decide.driver import World

ANALYSIS = AnalysisRef((TemplateRef("success-rate"),))
ISTIO = TrafficRouting(("istio",))


def weight(value: int) -> CanaryStep:
    return CanaryStep(set_weight=value)


def pause(duration: int | str | None = None) -> CanaryStep:
    return CanaryStep(pause=Pause(duration))


def analysis() -> CanaryStep:
    return CanaryStep(analysis=ANALYSIS)


def routed(*steps: CanaryStep, replicas: int = 10, **fields: Any) -> RolloutSpec:
    strategy = CanaryStrategy(steps, "app-canary", "app-stable", ISTIO, **fields)
    return RolloutSpec("app", replicas=replicas, canary=strategy)


def basic(*steps: CanaryStep, replicas: int = 10, **fields: Any) -> RolloutSpec:
    return RolloutSpec("app", replicas=replicas, canary=CanaryStrategy(steps, "app-canary", "app-stable", **fields))


def blue_green(replicas: int = 4, **fields: Any) -> RolloutSpec:
    return RolloutSpec("app", replicas=replicas, blue_green=BlueGreenStrategy("active", "preview", **fields))


def running(spec: RolloutSpec, controller: Controller = NEWEST) -> World:
    """A world where v1 serves everybody at 1000 s and nothing of its deployment is left in the journal."""
    world = World(spec, controller=controller)
    world.settle(1000.0)
    world.journal.clear()
    world.statuses.clear()
    return world


def release(world: World, version: str = "v2", until_s: float | None = None) -> None:
    world.template = version
    world.settle(until_s)


PLAYBOOK = (
    weight(1),
    pause("5m"),
    analysis(),
    weight(5),
    pause("10m"),
    analysis(),
    weight(25),
    pause(),
    weight(100),
)
"""The shape of the playbook's canary: small weights, timed pauses, analysis, one approval."""
