"""Traffic routing within a reconcile: the decision of ``weights`` as actions."""

from __future__ import annotations

from sim.decide.defaults import VERIFY_RETRY_S, is_routed
from sim.decide.services import ensure_target
from sim.decide.turn import Turn
from sim.decide.weights import Routing, change_text, decide, recorded_weights
from sim.model.actions import RemoveManagedRoutes, SetHeaderRoute, SetMirrorRoute, SetWeight
from sim.model.rollout import HeaderRoute, MirrorRoute, TrafficWeights


def reconcile_traffic(turn: Turn) -> None:
    """Write routes and weights that differ from what is there."""
    if turn.spec.canary is None or not is_routed(turn.spec):
        turn.weights = None
        return
    routing = decide(turn.spec, turn.seen, aborted=turn.is_aborted)
    if routing.returns_service:
        ensure_target(turn, turn.spec.canary.canary_service, turn.seen.stable_rs, check_availability=False)
    if not _restores_routes(turn, routing):
        if routing.removes_routes and turn.seen.managed_routes:
            turn.act(RemoveManagedRoutes())
        if routing.is_written:
            _set_routes(turn, routing)
    if not routing.is_written:
        return
    weights = recorded_weights(turn.spec, routing)
    if weights != turn.seen.status.weights:
        turn.act(SetWeight(weights))
        if _is_news(turn.seen.status.weights, weights):
            turn.notes.append(change_text(turn.seen.status.weights, weights))
        turn.weights = weights
    if not turn.seen.weight_verified:
        turn.wake_at(turn.seen.now_s + VERIFY_RETRY_S)


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
