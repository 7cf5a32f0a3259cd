"""Operations of rollout_steps: the parts of a reconcile one at a time, on ``sim.decide``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sim.decide import conditions as cond
from sim.decide.canary import completed_step, reconcile_pause
from sim.decide.pauses import PauseChanges, blue_green_pause_done, pause_seconds
from sim.decide.phase import phase_of
from sim.decide.promotion import blue_green_reason, canary_reason, is_fast_undo, is_undo, is_within_window
from sim.decide.routes import reconcile_traffic
from sim.decide.runs import current_run, needs_new, skips_post_promotion, skips_pre_promotion
from sim.decide.scaledown import reconcile_new
from sim.decide.services import reconcile_services
from sim.decide.steps import is_indefinite
from sim.decide.turn import Turn
from sim.decide.weights import Routing, can_carry, change_text, decide, previous_canary_hash, recorded_weights
from sim.model.actions import Scale
from sim.model.rollout import (
    BlueGreenStrategy,
    CanaryStrategy,
    HeaderRoute,
    Observed,
    Pause,
    PauseReason,
    ReplicaSetView,
    RolloutSpec,
    RolloutStatus,
    RunRole,
    ServiceView,
    TrafficRouting,
    TrafficWeights,
    WeightDestination,
)
from tests.conformance import adapt
from tests.conformance.reconcile_ops import reconcile

Json = Mapping[str, Any]


def traffic(given: Json) -> Json:
    spec, seen = adapt.observed(given)
    routing = decide(spec, seen, aborted=Turn(spec, seen).is_aborted)
    output: dict[str, Any] = {
        "calls": _calls(routing) or None,
        "canaryServicePointedToStable": routing.returns_service,
        "canaryWeight": None,
        "additional": None,
        "canaryHash": "",
        "stableHash": "",
        "events": None,
    }
    if not routing.is_written:
        return output
    weights, before = recorded_weights(spec, routing), seen.status.weights
    return output | {
        "canaryWeight": routing.weight,
        "additional": [_destination(d) for d in routing.additional],
        "canaryHash": routing.canary_hash,
        "stableHash": routing.stable_hash,
        "events": [f"TrafficWeightUpdated: {change_text(before, weights)}"] if weights != before else None,
    }


def _calls(routing: Routing) -> list[str]:
    """What the routing backend is asked to do, in the controller's order."""
    calls = ["RemoveManagedRoutes"] if routing.removes_routes else []
    if not routing.is_written:
        return calls
    calls += ["SetHeaderRoute" if isinstance(r, HeaderRoute) else "SetMirrorRoute" for r in routing.routes]
    weight = f"SetWeight({routing.weight})"
    return calls + ([weight] if routing.weight_first else []) + ["UpdateHash", weight]


def _destination(destination: WeightDestination) -> Json:
    return {
        "weight": destination.weight,
        "serviceName": destination.service,
        "podTemplateHash": destination.hash,
    }


def replicas_available_for_weight(given: Json) -> Json:
    return {"available": _can_carry(given)}


def _can_carry(given: Json) -> bool:
    spec, rs = adapt.spec(given["rollout"]), adapt.replica_set(given["rs"])
    return can_carry(spec, rs, given["weight"], adapt.release(given))


def step_done(given: Json) -> Json:
    spec, seen = adapt.observed(given)
    turn = Turn(spec, seen, runs={run.role: run for run in seen.runs})
    if "newStatus" in given:
        turn.weights = adapt.weights(adapt.section(given, "newStatus", "canary").get("weights"))
    return {"completed": completed_step(turn) is not None}


def canary_pause(given: Json) -> Json:
    turn = Turn(*adapt.observed(given))
    still = reconcile_pause(turn)
    return {"stillReconciling": still, "addedPause": [str(reason) for reason in turn.pauses.added] or None}


def pause_duration(given: Json) -> Json:
    return {"seconds": pause_seconds(Pause(adapt.section(given, "pause").get("duration")))}


def pause_status(given: Json) -> Json:
    _, seen = adapt.observed(given)
    changes = PauseChanges(
        added=[PauseReason(reason) for reason in given.get("addPause") or ()],
        removed={PauseReason(reason) for reason in given.get("removePause") or ()},
        clears=bool(given.get("clearPauseConditions") or given.get("clearPause")),
        aborts=bool(given.get("addAbort")),
        lifts_abort=bool(given.get("removeAbort")),
    )
    after = changes.apply(seen.status, adapt.status(given.get("newStatus") or {}), seen.now_s)
    reasons = [str(condition.reason) for condition in after.pause_conditions]
    return {"controllerPause": after.controller_pause, "pauseReasons": reasons, "abort": after.abort}


def bg_pause_done(given: Json) -> Json:
    spec, seen = adapt.observed(given)
    just_paused = bool(given.get("addPause"))
    return {"completed": blue_green_pause_done(spec, seen.status, seen.now_s, just_paused=just_paused)}


def full_promote(given: Json) -> Json:
    spec, seen = adapt.observed(given)
    after = adapt.status(given.get("newStatus") or {})
    aborted = Turn(spec, seen).is_aborted
    if spec.blue_green is None:
        return {"reason": canary_reason(spec, seen, aborted=aborted)}
    post = current_run(seen, RunRole.POST_PROMOTION)
    return {"reason": blue_green_reason(spec, seen, after, aborted=aborted, post_promotion=post)}


def fast_rollback(given: Json) -> Json:
    spec, seen = adapt.observed(given)
    if given.get("newRSWithinDelay") and seen.new_rs is not None:
        seen = replace(seen, new_rs=replace(seen.new_rs, scale_down_deadline_s=seen.now_s + 10))
    return {
        "isRollback": is_undo(seen),
        "isRollbackWithinWindow": is_within_window(spec, seen),
        "isFastRollback": is_fast_undo(spec, seen),
    }


def skip_pre(given: Json) -> Json:
    spec, seen = adapt.observed(given)
    return {"skip": skips_pre_promotion(spec, seen, current_run(seen, RunRole.PRE_PROMOTION))}


def skip_post(given: Json) -> Json:
    spec, seen = adapt.observed(given)
    return {"skip": skips_post_promotion(spec, seen, current_run(seen, RunRole.POST_PROMOTION))}


def needs_new_ar(given: Json) -> Json:
    _, seen = adapt.observed(given)
    return {"needsNew": needs_new(seen.runs[0] if seen.runs else None, seen.status, seen.controller)}


def indefinite(given: Json) -> Json:
    spec, seen = adapt.observed(given)
    return {"indefinite": is_indefinite(spec, seen.status, seen.controller)}


def conditions(given: Json) -> Json:
    rollout = given["rollout"]
    spec, now_s = adapt.spec(rollout), adapt.instant(given.get("now"))
    before, after = adapt.status(adapt.section(rollout, "status"), now_s), adapt.status(given["newStatus"], now_s)
    generation = str(adapt.section(rollout, "metadata").get("generation", 0))
    seen_generation = adapt.section(rollout, "status").get("observedGeneration", "")
    return {
        "progressing": cond.made_progress(spec, before, after),
        "healthy": cond.is_healthy(spec, after, is_observed=seen_generation == generation),
        "completed": cond.is_completed(after),
        "timedOut": cond.has_timed_out(spec, after, now_s, adapt.release(given)),
    }


def phase(given: Json) -> Json:
    found, message = phase_of(adapt.spec(given["rollout"]), adapt.status(adapt.section(given, "rollout", "status")))
    return {"phase": str(found), "message": message}


def canary_service_target(given: Json) -> Json:
    """A canary whose Service selects nothing known yet: what it selects after services and traffic were reconciled."""
    routing = TrafficRouting(("smi",)) if given.get("trafficRouting", True) else None
    strategy = CanaryStrategy(canary_service="canary", stable_service="stable", traffic_routing=routing)
    size, available = given["canaryReplicas"], given["canaryAvailable"]
    spec = RolloutSpec("foo", replicas=size, canary=strategy)
    seen = Observed(
        now_s=adapt.NOW_S,
        controller=adapt.release(given),
        status=RolloutStatus(current_pod_hash="canary", stable_rs="stable", abort=given["aborted"]),
        template_hash="canary",
        new_rs=ReplicaSetView("canary", "canary", size, size, available, available),
        stable_rs=ReplicaSetView("stable", "stable", size, size, size, size),
        services=(ServiceView("canary", "", managed=given["serviceHasManagedByAnnotation"]),),
    )
    turn = Turn(spec, seen)
    reconcile_services(turn)
    reconcile_traffic(turn)
    return {"target": turn.pointed.get("canary", "unchanged")}


def abort_scale_down(given: Json) -> Json:
    delay, size = given["abortScaleDownDelaySeconds"], given["newRSReplicas"]
    blue_green, canary = None, None
    if given["strategy"] == "blueGreen":
        blue_green = BlueGreenStrategy(active_service="active", abort_scale_down_delay_s=delay)
    else:
        canary = CanaryStrategy(traffic_routing=TrafficRouting(("smi",)), abort_scale_down_delay_s=delay)
    mark = given["scaleDownDeadlineAnnotation"]
    deadline_s = None if mark is None else adapt.NOW_S + (-1 if mark == "passed" else 10)
    available = given["stableAvailable"]
    seen = Observed(
        now_s=adapt.NOW_S,
        controller=adapt.release(given),
        status=RolloutStatus(current_pod_hash="new", stable_rs="old", abort=given["abort"]),
        template_hash="new",
        new_rs=ReplicaSetView("new", "new", size, size, size, size, scale_down_deadline_s=deadline_s),
        stable_rs=ReplicaSetView("old", "old", available, available, available, available),
    )
    turn = Turn(RolloutSpec("foo", replicas=given["specReplicas"], canary=canary, blue_green=blue_green), seen)
    scaled = reconcile_new(turn)
    sizes = [action.replicas for action in turn.actions if isinstance(action, Scale)]
    return {"scaled": scaled, "newRSReplicas": sizes[-1] if sizes else size}


def dynamic_rollback(given: Json) -> Json:
    routing = TrafficRouting(("smi",)) if given["trafficRouting"] else None
    strategy = CanaryStrategy(traffic_routing=routing, dynamic_stable_scale=given["dynamicStableScale"])
    current, carrying = given["currentPodHash"], given.get("weightedCanaryHash")
    weights = (
        None if carrying is None else TrafficWeights(WeightDestination(10, carrying), WeightDestination(90, current))
    )
    available = given.get("availableReplicas", given.get("available", 0))
    seen = Observed(
        now_s=adapt.NOW_S,
        controller=adapt.release(given),
        status=RolloutStatus(current_pod_hash=current, stable_rs=given["stableRS"], weights=weights),
        template_hash=current,
        new_rs=ReplicaSetView(current, current, 1, available=available),
    )
    spec = RolloutSpec("foo", replicas=given.get("replicas", 1), canary=strategy)
    return {"dynamicRollback": previous_canary_hash(spec, seen) is not None}


OPS: dict[str, Callable[[Json], Json]] = {
    "traffic": traffic,
    "replicas_available_for_weight": replicas_available_for_weight,
    "step_done": step_done,
    "canary_pause": canary_pause,
    "pause_seconds": pause_duration,
    "pause_status": pause_status,
    "bg_pause_done": bg_pause_done,
    "full_promote": full_promote,
    "fast_rollback": fast_rollback,
    "skip_pre": skip_pre,
    "skip_post": skip_post,
    "needs_new_ar": needs_new_ar,
    "indefinite": indefinite,
    "conditions": conditions,
    "phase": phase,
    "canary_service_target": canary_service_target,
    "abort_scale_down": abort_scale_down,
    "dynamic_rollback": dynamic_rollback,
    "reconcile": reconcile,
}
