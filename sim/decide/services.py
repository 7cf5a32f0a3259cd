"""Which ReplicaSet the stable and canary Services select (behaviour reference 7.2, ``rollout/service.go:247-337``)."""

from __future__ import annotations

from sim.decide.defaults import is_routed
from sim.decide.replicas import is_available
from sim.decide.turn import Turn
from sim.decide.weights import decide, previous_canary_hash
from sim.model.rollout import ReplicaSetView


def ensure_target(turn: Turn, name: str, rs: ReplicaSetView | None, *, check_availability: bool) -> None:
    """Point the Service at ``rs`` when that is safe.

    A Service the controller has not managed yet is adopted only by a fully available ReplicaSet; later one available
    pod is enough.
    """
    service = turn.service(name)
    if rs is None or service is None or service.hash == rs.hash:
        return
    if check_availability and not service.managed and not is_available(rs):
        return
    if check_availability and rs.available == 0:
        return
    turn.point(service, rs.hash)


def reconcile_services(turn: Turn) -> None:
    """Stable Service to stable, canary Service to the new ReplicaSet; back to stable when a basic canary is aborted."""
    canary, seen = turn.spec.canary, turn.seen
    if canary is None:
        return
    ensure_target(turn, canary.stable_service, seen.stable_rs, check_availability=True)
    if turn.is_aborted and not is_routed(turn.spec):
        ensure_target(turn, canary.canary_service, seen.stable_rs, check_availability=True)
        return
    if turn.is_aborted and decide(turn.spec, seen, aborted=True).returns_service:
        # Upstream points it at the canary here and back at stable a moment later, in every reconcile.
        return
    if previous_canary_hash(turn.spec, seen) is None:
        ensure_target(turn, canary.canary_service, seen.new_rs, check_availability=True)
