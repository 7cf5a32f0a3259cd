"""maxSurge and maxUnavailable as pod counts (behaviour reference 6.1, ``utils/replicaset/replicaset.go:407``)."""

from __future__ import annotations

from sim.decide.defaults import FENCEPOST
from sim.model.rollout import RolloutSpec
from sim.model.units import IntOrPercent


def resolve(surge: IntOrPercent, unavailable: IntOrPercent, desired: int) -> tuple[int, int]:
    """(surge, unavailable) for ``desired`` pods: surge rounds up, unavailable down; both 0 makes unavailable 1.

    If either cannot be read, both are 0: the controller passes over the error (``replicaset.go:407-459``).
    """
    if surge.unreadable or unavailable.unreadable:
        return (0, 0)
    up, down = surge.of(desired, round_up=True), unavailable.of(desired, round_up=False)
    return (0, 1) if up == down == 0 else (up, down)


def max_surge(spec: RolloutSpec) -> int:
    """Pods a basic canary may run above ``spec.replicas``; 0 for blue-green."""
    if spec.canary is None:
        return 0
    return resolve(spec.canary.max_surge or FENCEPOST, spec.canary.max_unavailable or FENCEPOST, spec.desired)[0]


def max_unavailable(spec: RolloutSpec) -> int:
    """Pods that may be missing, at most ``spec.replicas``; blue-green has no surge, so there 0 stays 0."""
    if spec.canary is not None:
        strategy = spec.canary
        count = resolve(strategy.max_surge or FENCEPOST, strategy.max_unavailable or FENCEPOST, spec.desired)[1]
    else:
        written = spec.blue_green.max_unavailable if spec.blue_green else None
        count = (written or FENCEPOST).of(spec.desired, round_up=False)
    return min(count, spec.desired)
