"""The traffic decision of one reconcile (behaviour reference 7.1 and 8, ``rollout/trafficrouting.go:142-436``)."""

from __future__ import annotations

from dataclasses import dataclass

from sim.decide import defaults
from sim.decide.replicas import at_desired, threshold_met
from sim.decide.routed import desired_weight
from sim.decide.steps import (
    current_experiment,
    current_index,
    current_step,
    current_weight,
    is_fully_promoted,
    steps_of,
    weight_before,
)
from sim.decide.turn import revision_of
from sim.model.analysis import AnalysisPhase
from sim.model.changing import replace
from sim.model.controller import NEWEST, Controller
from sim.model.rollout import (
    HeaderRoute,
    MirrorRoute,
    Observed,
    ReplicaSetView,
    RolloutSpec,
    TrafficWeights,
    WeightDestination,
)


@dataclass(frozen=True, slots=True)
class Routing:
    """What the router should be told.

    ``is_written`` False leaves the weights as they are because stable could not carry its share; routes are removed and
    the canary Service is returned to stable all the same.
    """

    weight: int = 0
    canary_hash: str = ""
    stable_hash: str = ""
    additional: tuple[WeightDestination, ...] = ()
    removes_routes: bool = False
    returns_service: bool = False
    routes: tuple[HeaderRoute | MirrorRoute, ...] = ()
    is_written: bool = True
    weight_first: bool = False
    """The weight goes to 0 before the hashes change, so that no request is sent to a canary without pods."""


def previous_canary_hash(spec: RolloutSpec, seen: Observed) -> str | None:
    """Hash that still carries the canary's weight while traffic moves gradually back to stable; None if it does not.

    Only with dynamicStableScale: stable may be too small for all traffic (``utils/rollout/rolloututil.go:29``).
    """
    weights, new = seen.status.weights, seen.new_rs
    if not (is_fully_promoted(seen.status) and defaults.is_routed(spec) and defaults.is_dynamic(spec)):
        return None
    if weights is None or new is None or weights.canary.hash == new.hash or new.available >= spec.desired:
        return None
    return weights.canary.hash


def can_carry(spec: RolloutSpec, rs: ReplicaSetView | None, weight: int, controller: Controller = NEWEST) -> bool:
    """Whether ``rs`` has the pods for this weight: floor(replicas x weight / max), or the progress threshold of that.

    1.8 divides by 100 whatever the maximum; before it nothing was guarded.
    """
    if not controller.is_since(Controller.ARGO_1_8):
        return True
    if rs is None:
        return False
    full = defaults.max_weight(spec) if controller.is_since(Controller.ARGO_1_9) else defaults.MAX_WEIGHT
    needed = weight * spec.desired // full
    threshold = spec.canary.replica_progress_threshold if spec.canary else None
    return rs.available >= needed or threshold_met(threshold, rs, needed)


def weight_going_back(spec: RolloutSpec, seen: Observed) -> int:
    """Canary weight on an abort or on the way back to stable: 0, or step by step with dynamicStableScale.

    Never raised, and held until stable has the pods for the rest (``rollout/trafficrouting.go:360-392``). Before 1.9 it
    follows what stable can carry pod by pod.
    """
    stable, full = seen.stable_rs, defaults.max_weight(spec)
    if not defaults.is_dynamic(spec) or stable is None or seen.new_rs is None or spec.desired == 0:
        return 0
    wanted = desired_weight(spec, seen)
    carried = full * stable.available // spec.desired
    uncarried = full - carried
    if seen.controller.is_since(Controller.ARGO_1_7):
        uncarried = max(0, uncarried)
    stepwise = seen.controller.is_since(Controller.ARGO_1_9)
    if seen.status.weights is None:
        return max(uncarried, wanted) if stepwise else uncarried
    now = seen.status.weights.canary.weight
    if wanted <= 0 or not stepwise:
        return min(uncarried, now)
    return now if carried < full - wanted else min(wanted, now)


def decide(spec: RolloutSpec, seen: Observed, *, aborted: bool) -> Routing:
    """The routing this reconcile asks for; the stable guard decides whether it is written."""
    routing = _wanted(spec, seen, aborted=aborted)
    if not can_carry(spec, seen.stable_rs, defaults.max_weight(spec) - routing.weight, seen.controller):
        return replace(routing, is_written=False)
    recorded = seen.status.weights
    empty = seen.new_rs is None or seen.new_rs.available == 0
    step = current_step(spec, seen.status)
    routes = (step.set_header_route, step.set_mirror_route) if step and revision_of(seen) > 1 else ()
    return replace(
        routing,
        routes=tuple(route for route in routes if route is not None),
        weight_first=empty
        and recorded is not None
        and recorded.canary.weight > 0
        and seen.controller.is_since(Controller.ARGO_1_9),
    )


def _wanted(spec: RolloutSpec, seen: Observed, *, aborted: bool) -> Routing:
    status, new = seen.status, seen.new_rs
    base = Routing(canary_hash=new.hash if new else "", stable_hash=seen.stable_rs.hash if seen.stable_rs else "")
    previous = previous_canary_hash(spec, seen)
    if previous is not None:
        return replace(base, weight=weight_going_back(spec, seen), canary_hash=previous)
    if is_fully_promoted(status):
        return replace(base, removes_routes=True)
    if aborted:
        weight = weight_going_back(spec, seen)
        returns = weight == 0 or not defaults.is_dynamic(spec)
        return replace(base, weight=weight, removes_routes=True, returns_service=returns)
    if new is None or new.available == 0:
        removes = seen.controller.is_since(Controller.ARGO_1_8)
        return replace(base, removes_routes=removes, additional=_experiment_destinations(spec, seen))
    if status.promote_full:
        return replace(base, weight=_weight_of_full_promotion(spec, seen, new), removes_routes=True)
    return _of_step(spec, seen, base)


def _weight_of_full_promotion(spec: RolloutSpec, seen: Observed, new: ReplicaSetView) -> int:
    if defaults.is_dynamic(spec):
        # More than everything while a setCanaryScale has more pods than the Rollout wants, as upstream.
        return defaults.max_weight(spec) * new.available // max(1, spec.desired)
    return seen.status.weights.canary.weight if seen.status.weights else 0


def _of_step(spec: RolloutSpec, seen: Observed, base: Routing) -> Routing:
    index = current_index(spec, seen.status)
    if index is None:
        return base
    additional = _experiment_destinations(spec, seen)
    if not at_desired(spec, seen, None):
        return replace(base, weight=weight_before(spec, index), additional=additional)
    if index != len(steps_of(spec)):
        return replace(base, weight=current_weight(spec, seen.status), additional=additional)
    return replace(base, weight=defaults.max_weight(spec))


def _experiment_destinations(spec: RolloutSpec, seen: Observed) -> tuple[WeightDestination, ...]:
    step = current_experiment(spec, seen.status)
    if step is None or seen.experiment is None or seen.experiment.phase is not AnalysisPhase.RUNNING:
        return ()
    weights = {template.name: template.weight for template in step.templates}
    return tuple(
        WeightDestination(weight, view.hash, view.service)
        for view in seen.experiment_templates
        if (weight := weights.get(view.name)) is not None
    )


def recorded_weights(spec: RolloutSpec, routing: Routing) -> TrafficWeights:
    """``status.canary.weights`` for a routing: stable has what the canary and the experiment leave."""
    canary_service = spec.canary.canary_service if spec.canary else ""
    stable_service = spec.canary.stable_service if spec.canary else ""
    rest = defaults.max_weight(spec) - routing.weight - sum(d.weight for d in routing.additional)
    return TrafficWeights(
        canary=WeightDestination(routing.weight, routing.canary_hash, canary_service),
        stable=WeightDestination(rest, routing.stable_hash, stable_service),
        additional=routing.additional,
    )


def change_text(before: TrafficWeights | None, after: TrafficWeights) -> str:
    """The event for a changed weight: ``Traffic weight updated from 10 to 20``."""
    details = []
    if before is None:
        details.append(f"to {after.canary.weight}")
    elif before.canary.weight != after.canary.weight:
        details.append(f"from {before.canary.weight} to {after.canary.weight}")
    if before is not None and before.additional != after.additional:
        details.append("additional: " + ", ".join(f"{d.service} {d.weight}" for d in after.additional))
    return f"Traffic weight updated {', '.join(details)}"
