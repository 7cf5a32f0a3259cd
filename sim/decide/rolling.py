"""The Deployment controller: how a plain Deployment moves from its old pods to its new ones.

Source: Kubernetes ``pkg/controller/deployment/rolling.go``, ``recreate.go`` and ``util/deployment_util.go``. Proportional
scaling of a Deployment whose size changes while it rolls is not modelled.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.model.actions import Scale
from sim.model.pods import DeploymentSpec
from sim.model.rollout import ReplicaSetView


def fenceposts(spec: DeploymentSpec) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) as pods: surge rounds up, unavailable down; both 0 become (0, 1).

    No more pods can be unavailable than are wanted.
    """
    surge = spec.max_surge.of(spec.replicas, round_up=True)
    unavailable = spec.max_unavailable.of(spec.replicas, round_up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, spec.replicas)


def next_actions(
    spec: DeploymentSpec, new: ReplicaSetView, olds: tuple[ReplicaSetView, ...], now_s: float
) -> tuple[Scale, ...]:
    """What one reconcile scales: the new ReplicaSet, or else the old ones; nothing when settled.

    For Recreate, ``replicas`` of the old ReplicaSets must count pods that are still terminating. Time plays no part in
    it (``now_s`` is not read); it is here because every controller is asked the same way.
    """
    del now_s
    if spec.recreate:
        return _recreate(spec, new, olds)
    wanted = _new_size(spec, new, olds)
    if wanted != new.desired:
        return (Scale(new.hash, wanted),)
    sizes = _old_sizes(spec, new, olds)
    return tuple(Scale(old.hash, sizes[old.hash]) for old in _oldest_first(olds) if sizes[old.hash] != old.desired)


def _recreate(spec: DeploymentSpec, new: ReplicaSetView, olds: Sequence[ReplicaSetView]) -> tuple[Scale, ...]:
    """All old pods go, and are gone, before the first new one comes."""
    running = tuple(Scale(old.hash, 0) for old in _oldest_first(olds) if old.desired > 0)
    if running:
        return running
    if any(old.replicas > 0 for old in olds) or new.desired == spec.replicas:
        return ()
    return (Scale(new.hash, spec.replicas),)


def _new_size(spec: DeploymentSpec, new: ReplicaSetView, olds: Sequence[ReplicaSetView]) -> int:
    """The new ReplicaSet grows as far as the surge leaves room, and never beyond what is wanted."""
    if new.desired >= spec.replicas:
        return spec.replicas
    room = spec.replicas + fenceposts(spec)[0] - new.desired - sum(old.desired for old in olds)
    return new.desired + min(max(room, 0), spec.replicas - new.desired)


def _old_sizes(spec: DeploymentSpec, new: ReplicaSetView, olds: Sequence[ReplicaSetView]) -> dict[str, int]:
    """Sizes of the old ReplicaSets: unavailable pods go first, then available ones down to what must stay available."""
    sizes = {old.hash: old.desired for old in olds}
    min_available = spec.replicas - fenceposts(spec)[1]
    total = new.desired + sum(sizes.values())
    budget = total - min_available - (new.desired - new.available)
    if budget <= 0:
        return sizes
    for old in _oldest_first(olds):
        taken = min(budget, max(0, old.desired - old.available))
        sizes[old.hash] -= taken
        budget -= taken
    spare = new.available + sum(old.available for old in olds) - min_available
    for old in _oldest_first(olds):
        taken = min(max(spare, 0), sizes[old.hash])
        sizes[old.hash] -= taken
        spare -= taken
    return sizes


def _oldest_first(olds: Sequence[ReplicaSetView]) -> list[ReplicaSetView]:
    return sorted(olds, key=lambda old: old.created_s)


def is_complete(spec: DeploymentSpec, new: ReplicaSetView, olds: Sequence[ReplicaSetView]) -> bool:
    """Whether all wanted pods are new and available and no old one is left (``DeploymentComplete``)."""
    return new.replicas == spec.replicas == new.available and not any(old.replicas for old in olds)
