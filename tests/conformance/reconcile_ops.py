"""Operation ``reconcile`` of rollout_steps: facts of whole reconciles, asked of ``next_actions``.

The vectors give only the part of the state that matters; the rest is filled in here as upstream's fixtures do: the
ReplicaSets at size, the Services where status says, the analysis run that the status refers to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sim.decide import bluegreen, canary
from sim.decide.pauses import needs_person
from sim.decide.replicas import canary_counts
from sim.decide.steps import step_hash
from sim.decide.validation import invalid_spec_message, rollout_errors
from sim.model.actions import Decision, PointService, Scale
from sim.model.analysis import AnalysisRef, TemplateRef
from sim.model.manifests import ManifestSet
from sim.model.network import ServiceSpec
from sim.model.pods import PodTemplate
from sim.model.rollout import (
    CanaryStep,
    CanaryStrategy,
    Observed,
    Pause,
    PauseCondition,
    PauseReason,
    ReplicaSetView,
    RolloutSpec,
    RolloutStatus,
    ServiceView,
)
from tests.conformance import adapt

Json = Mapping[str, Any]

MOST_CONDITION_PASSES = 3


def reconcile(given: Json) -> Json:
    """Whatever facts the kind of state given can have."""
    if "servicesPresent" in given:
        return _refusal(given)
    if "pauseReason" in given:
        spec, seen = adapt.observed(given)
        return {"requiresManualAction": needs_person(spec, seen.status, PauseReason(given["pauseReason"]))}
    if "pauseDuration" in given:
        return _self_enqueued(given)
    spec, seen = _judged(given) if "analysis" in given else _filled(given)
    return _facts(spec, seen, *_decision(spec, seen))


def _refusal(given: Json) -> Json:
    """An invalid spec is not reconciled at all, only tried again."""
    labels = (("app", "foo"),)
    spec = replace(adapt.spec(given["rollout"]), selector=labels, template=PodTemplate(labels, image="foo"))
    present = tuple(ServiceSpec(name, selector=labels) for name in given["servicesPresent"])
    errors = rollout_errors(spec, ManifestSet(rollouts=(spec,), services=present))
    return {"invalidSpecMessage": invalid_spec_message(errors), "requeued": bool(errors)}


def _self_enqueued(given: Json) -> Json:
    """The controller schedules a wake-up only within one resync; ours is exact, so it is compared with the resync."""
    pause = Pause(given["pauseDuration"])
    state = {"spec": {"replicas": 10}, "status": {"currentPodHash": "canary", "stableRS": "stable"}}
    spec, seen = adapt.observed({"rollout": state})
    spec = replace(spec, canary=CanaryStrategy(steps=(CanaryStep(pause=pause),)))
    waiting = (PauseCondition(PauseReason.CANARY_STEP, seen.now_s),)
    seen = _with_replica_sets(spec, _seen(spec, seen, controller_pause=True, pause_conditions=waiting))
    wake_s = _decision(spec, seen)[0].wake_s
    resync_s = given["resyncPeriodMinutes"] * 60
    return {"selfEnqueued": wake_s is not None and wake_s - seen.now_s < resync_s}


def _judged(given: Json) -> tuple[RolloutSpec, Observed]:
    """A canary at a step whose analysis of this kind has this phase."""
    in_step = given["analysis"] == "step"
    ref = AnalysisRef((TemplateRef("t"),))
    step = CanaryStep(analysis=ref) if in_step else CanaryStep(set_weight=10)
    spec = RolloutSpec("foo", replicas=10, canary=CanaryStrategy(steps=(step,), analysis=None if in_step else ref))
    kind = "stepAnalysisRun" if in_step else "backgroundAnalysisRun"
    run = {"metadata": {"name": "run"}, "status": {"phase": given["runPhase"], "message": given.get("runMessage", "")}}
    status = {"currentPodHash": "canary", "stableRS": "stable"}
    _, seen = adapt.observed({kind: run, "rollout": {"status": status}})
    return spec, _with_replica_sets(spec, _seen(spec, seen))


def _seen(spec: RolloutSpec, seen: Observed, **changes: Any) -> Observed:
    status = replace(seen.status, current_step_hash=step_hash(spec), **changes)
    return replace(seen, status=status, template_hash=status.current_pod_hash)


def _filled(given: Json) -> tuple[RolloutSpec, Observed]:
    spec, seen = adapt.observed(given)
    spec = replace(spec, paused=spec.paused or adapt.section(given, "rollout", "status").get("specPaused", False))
    if "activeRS" in given:
        seen = replace(seen, stable_rs=adapt.replica_set(given["activeRS"]))
        # Upstream's fixtures size the Rollout as its new ReplicaSet; the vectors do not carry that number over.
        spec = replace(spec, replicas=seen.new_rs.desired if seen.new_rs else spec.replicas)
    if given.get("stepsChanged"):
        seen = replace(seen, status=replace(seen.status, current_step_hash="of other steps"))
    if given.get("templateChanged"):
        changed = ReplicaSetView("changed", "changed", 0, revision=3)
        seen = replace(seen, new_rs=changed, template_hash="changed")
    seen = _with_replica_sets(spec, seen)
    return spec, replace(seen, services=_services(spec, seen.status))


def _with_replica_sets(spec: RolloutSpec, seen: Observed) -> Observed:
    """Missing ReplicaSets at the size they should have, and no rescaling pending on those given."""
    status = seen.status
    given_new, given_stable = seen.new_rs, seen.stable_rs
    if not status.stable_rs:
        return seen
    new = given_new or _at(status.current_pod_hash, 0, 2)
    if new.hash == status.stable_rs:
        stable = new = given_new or given_stable or _at(new.hash, spec.desired, 2)
    else:
        stable = given_stable or _at(status.stable_rs, spec.desired, 1)
    # A basic canary moves a few pods per reconcile; after as many reconciles as there are pods it is there.
    for _ in range(2 * spec.desired + 2):
        seen = replace(seen, new_rs=_unmarked(new), stable_rs=_unmarked(stable), template_hash=new.hash)
        if spec.canary is not None and stable is not new:
            sizes = canary_counts(spec, seen, status.weights)
            new = given_new or _at(new.hash, sizes[0], 2)
            stable = given_stable or _at(stable.hash, sizes[1], 1)
    return seen


def _unmarked(rs: ReplicaSetView) -> ReplicaSetView:
    return replace(rs, desired_annotation=None)


def _at(pod_hash: str, size: int, revision: int) -> ReplicaSetView:
    return ReplicaSetView(pod_hash, pod_hash, size, size, size, size, revision=revision)


def _services(spec: RolloutSpec, status: RolloutStatus) -> tuple[ServiceView, ...]:
    strategy, marks = spec.canary or CanaryStrategy(), status.blue_green
    targets = {strategy.stable_service: status.stable_rs, strategy.canary_service: status.current_pod_hash}
    if spec.blue_green is not None:
        targets = {spec.blue_green.active_service: marks.active_selector}
        targets |= {spec.blue_green.preview_service: marks.preview_selector}
    return tuple(ServiceView(name, pod_hash, managed=True) for name, pod_hash in targets.items() if name)


def _decision(spec: RolloutSpec, seen: Observed) -> tuple[Decision, Observed]:
    """The first decision that does more than record a pause, a resumption or a retry in the conditions."""
    rules = bluegreen.next_actions if spec.blue_green is not None else canary.next_actions
    for _ in range(MOST_CONDITION_PASSES):
        decision = rules(spec, seen)
        plain = replace(
            decision.status, conditions=seen.status.conditions, phase=seen.status.phase, message=seen.status.message
        )
        if decision.actions or plain != seen.status:
            return decision, seen
        seen = replace(seen, status=decision.status)
    return decision, seen


def _facts(spec: RolloutSpec, seen: Observed, decision: Decision, before: Observed) -> Json:
    status = decision.status
    active = spec.blue_green.active_service if spec.blue_green else ""
    pointed = [a.hash for a in decision.actions if isinstance(a, PointService) and a.service == active]
    return {
        "currentStepIndex": status.current_step_index,
        "currentPodHash": status.current_pod_hash,
        "controllerPause": status.controller_pause,
        "pauseReasons": [str(condition.reason) for condition in status.pause_conditions],
        "pauseAdded": len(status.pause_conditions) > len(before.status.pause_conditions),
        "newRSReplicas": _size_after(decision, seen.new_rs),
        "stableRSReplicas": _size_after(decision, seen.stable_rs),
        "abort": status.abort,
        "phase": str(status.phase),
        "message": status.message,
        "activeSelector": pointed[-1] if pointed else status.blue_green.active_selector,
        "stableRS": status.stable_rs,
    }


def _size_after(decision: Decision, rs: ReplicaSetView | None) -> int:
    if rs is None:
        return 0
    sizes = [action.replicas for action in decision.actions if isinstance(action, Scale) and action.hash == rs.hash]
    return sizes[-1] if sizes else rs.desired
