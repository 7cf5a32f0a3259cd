"""Which ReplicaSet the stable and canary Services select (behaviour reference 7.2, ``rollout/service.go:247-337``)."""

from __future__ import annotations

from typing import Final

from sim.decide.defaults import has_router, is_routed
from sim.decide.replicas import is_available
from sim.decide.steps import is_fully_promoted
from sim.decide.turn import Turn
from sim.decide.weights import decide, previous_canary_hash
from sim.model.changing import replace
from sim.model.rollout import ReplicaSetView, RolloutSpec

PING: Final = "ping"
PONG: Final = "pong"


def sides(spec: RolloutSpec, stable_ping_pong: str) -> tuple[str, str]:
    """Names of the (stable, canary) Service between which a router splits.

    With pingPong they change places at every promotion; as long as nothing was promoted pong counts as stable. Istio
    prefers a stable and a canary Service where both kinds are named (``rollout/trafficrouting/service_helper.go:16-38``).
    """
    canary = spec.canary
    if canary is None:
        return "", ""
    routing, named = canary.traffic_routing, canary.stable_service or canary.canary_service
    if canary.ping_pong is None or (named and routing is not None and "istio" in routing.kinds):
        return canary.stable_service, canary.canary_service
    return _changing_sides(canary.ping_pong, stable_ping_pong)


def _changing_sides(ping_pong: tuple[str, str], stable_ping_pong: str) -> tuple[str, str]:
    ping, pong = ping_pong
    return (ping, pong) if stable_ping_pong == PING else (pong, ping)


def with_sides(spec: RolloutSpec) -> RolloutSpec:
    """The spec with its ping-pong Services named as a stable and a canary one, for routers that know nothing else."""
    if spec.canary is None or spec.canary.ping_pong is None:
        return spec
    stable, canary = sides(spec, PING)
    return replace(spec, canary=replace(spec.canary, stable_service=stable, canary_service=canary))


def reconcile_ping_pong(turn: Turn) -> None:
    """The Service on the canary's side selects the new ReplicaSet at once, before it has any pod."""
    canary, status = turn.spec.canary, turn.seen.status
    if canary is None or canary.ping_pong is None or is_fully_promoted(status):
        return
    _, name = _changing_sides(canary.ping_pong, status.stable_ping_pong)
    ensure_target(turn, name, turn.seen.new_rs, check_availability=False)


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
    if turn.is_aborted and has_router(turn.spec) and decide(turn.spec, seen, aborted=True).returns_service:
        # Upstream points it at the canary here and back at stable a moment later, in every reconcile.
        return
    if previous_canary_hash(turn.spec, seen) is None:
        ensure_target(turn, canary.canary_service, seen.new_rs, check_availability=True)


def service_names(spec: RolloutSpec) -> tuple[str, ...]:
    """Services that the controller points at revisions."""
    if spec.blue_green is not None:
        names = (spec.blue_green.active_service, spec.blue_green.preview_service)
    elif spec.canary is not None:
        names = (spec.canary.stable_service, spec.canary.canary_service, *(spec.canary.ping_pong or ()))
    else:
        names = ("", "")
    return tuple(name for name in names if name)
