"""When a fault acts and whom it befalls, as far as that needs no clock and no pods of a certain kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import TypeVar

from sim.model.behaviour import Fault, Side, Target, Trigger
from sim.model.operations import Command
from sim.model.scenario import Scenario

Pod = TypeVar("Pod")


def faults_of(scenario: Scenario) -> tuple[Fault, ...]:
    """The scenario's faults, then those that each version brings with it (these befall that version only)."""
    names = [one.release for one in scenario.operations if one.do is Command.APPLY]
    later = [one.behaviour for one in scenario.mix if one.name in names]
    candidates = {version.name: version for version in (scenario.release.behaviour, *later)}
    own = ((scenario.stable, Side.STABLE), *((version, Side.CANDIDATE) for version in candidates.values()))
    brought = [
        replace(fault, target=Target(side, fault.target.share, fault.target.region, version.name))
        for version, side in own
        for fault in version.faults
    ]
    return (*scenario.faults, *brought)


def is_target(target: Target, side: str, version: str) -> bool:
    """Whether a pod is of the side and version aimed at, whatever its share."""
    return target.version in {"", version} and target.side in {Side.ALL, side}


def is_time(trigger: Trigger, now_s: float) -> bool:
    """Whether ``now_s`` is within the trigger's stretch, its end excluded."""
    end_s = None if trigger.duration_s is None else trigger.start_s + trigger.duration_s
    return trigger.start_s <= now_s and (end_s is None or now_s < end_s)


def radius(target: Target, pods: Sequence[Pod]) -> Sequence[Pod]:
    """The first ceil(share x n) of the pods aimed at, which come oldest first."""
    return pods[: ceil(target.share * len(pods) - 1e-9)]
