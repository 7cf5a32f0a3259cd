"""Traffic routing within a reconcile: the decision of ``weights`` as actions."""

from __future__ import annotations

from sim.decide.defaults import VERIFY_RETRY_S, has_router
from sim.decide.replicas import all_rss, is_available
from sim.decide.services import ensure_target
from sim.decide.turn import Turn
from sim.decide.weights import Routing, change_text, decide, previous_canary_hash, recorded_weights
from sim.model.actions import RemoveManagedRoutes, SetHeaderRoute, SetMirrorRoute, SetWeight
from sim.model.changing import replace
from sim.model.controller import Controller
from sim.model.rollout import HeaderRoute, MirrorRoute, Observed, RolloutSpec, TrafficWeights


def reconcile_traffic(turn: Turn) -> bool:
    """Write routes and weights that differ from what is there; False where the reconcile ends here in an error."""
    if turn.spec.canary is None or not has_router(turn.spec):
        turn.weights = None
        return True
    routing = decide(turn.spec, turn.seen, aborted=turn.is_aborted)
    if routing.returns_service:
        ensure_target(turn, turn.spec.canary.canary_service, turn.seen.stable_rs, check_availability=False)
    if not _restores_routes(turn, routing):
        if routing.removes_routes and turn.seen.managed_routes:
            turn.act(RemoveManagedRoutes())
        if routing.is_written:
            _set_routes(turn, routing)
    return not routing.is_written or _write_weights(turn, routing)


def _write_weights(turn: Turn, routing: Routing) -> bool:
    """False where the reconcile fails; a canary without pods loses its traffic all the same (trafficrouting.go:292-304)."""
    weights, before, fails = recorded_weights(turn.spec, routing), turn.seen.status.weights, False
    if switch_waits(turn.spec, turn.seen, weights):
        fails = turn.seen.controller.is_since(Controller.ARGO_1_9)
        weights = _without_switch(weights, before)
        if fails and not routing.weight_first:
            return False
    if weights != before:
        turn.act(SetWeight(weights))
        if _is_news(before, weights):
            turn.notes.append(change_text(before, weights))
        turn.weights = weights
    if not turn.is_verified:
        turn.wake_at(turn.seen.now_s + VERIFY_RETRY_S)
    return not fails


def switch_waits(spec: RolloutSpec, seen: Observed, weights: TrafficWeights) -> bool:
    """Whether the subsets of a DestinationRule may not be switched to these revisions yet.

    Where a Rollout names no Services, every pod of both revisions has to be available, since 1.8; after an abort only
    the stable ones, since 1.9. 1.8 skips the switch, later releases fail the whole reconcile, so that nothing of it is
    stored and no deadline is looked at (``rollout/trafficrouting/istio/istio.go:385-418``).
    """
    canary = spec.canary
    routing = canary.traffic_routing if canary is not None else None
    if canary is None or routing is None or not routing.virtual_services:
        return False
    if canary.canary_service or canary.stable_service or not seen.controller.is_since(Controller.ARGO_1_8):
        return False
    returns = seen.status.abort or previous_canary_hash(spec, seen) is not None
    excused = returns and seen.controller.is_since(Controller.ARGO_1_9)
    hashes = {weights.stable.hash, *([] if excused else [weights.canary.hash])}
    return any(rs.desired > 0 and rs.hash in hashes - {""} and not is_available(rs) for rs in all_rss(seen))


def _without_switch(weights: TrafficWeights, before: TrafficWeights | None) -> TrafficWeights:
    """The weights, for the revisions that the subsets still select."""
    if before is None:
        return weights
    return replace(
        weights,
        canary=replace(weights.canary, hash=before.canary.hash),
        stable=replace(weights.stable, hash=before.stable.hash),
    )


def _restores_routes(turn: Turn, routing: Routing) -> bool:
    """Whether removing the managed routes and setting the step's own leaves just those that are there.

    Upstream writes both in every reconcile of such a step while its pods are missing, and each write wakes it again.
    """
    there = turn.seen.managed_routes
    return routing.removes_routes and routing.is_written and bool(there) and set(there) == set(routing.routes)


def _set_routes(turn: Turn, routing: Routing) -> None:
    """Set the routes of the current step that are not there; take away only what is."""
    before = turn.seen.managed_routes
    names = {route.name for route in before}
    for route in routing.routes:
        if route not in before and (not _is_removal(route) or route.name in names):
            turn.act(SetHeaderRoute(route) if isinstance(route, HeaderRoute) else SetMirrorRoute(route))


def _is_removal(route: HeaderRoute | MirrorRoute) -> bool:
    """Whether the step takes the route of its name away."""
    return not route.match if isinstance(route, HeaderRoute) else route.percentage is None


def _is_news(before: TrafficWeights | None, after: TrafficWeights) -> bool:
    """Whether more than the hashes changed."""
    if before is None or before.canary.weight != after.canary.weight:
        return True
    return before.additional != after.additional
