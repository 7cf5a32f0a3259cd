"""RT90x: aborts and scale-downs of the real controller that do not end, or leave something behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scenarios.findings import Path, Severity
from scenarios.manifests import Document
from scenarios.rules.context import Context, space
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.timeline import STEPS
from scenarios.rules.tree import dig, mapping, text, whole
from sim.decide import defaults
from sim.decide.routed import at_least_min_pods, weight_to_replicas
from sim.model.controller import Controller
from sim.model.rollout import CanaryScale, CanaryStrategy, RolloutSpec

CANARY: Path = ("spec", "strategy", "canary")


def written_rollouts(context: Context) -> Iterator[tuple[Document, RolloutSpec]]:
    """Every Rollout as written and as the controller decodes it."""
    specs = {(spec.name, spec.namespace): spec for spec in context.manifests.rollouts}
    for document in context.of_kind("Rollout"):
        spec = specs.get((document.name, space(document)))
        if spec is not None:
            yield document, spec


def abort_never_ends(context: Context) -> Iterator[Hit]:
    """Canaries with dynamicStableScale whose aborts stop half-way."""
    for document, spec in written_rollouts(context):
        found = stuck_abort(spec, context.controller)
        if found is not None:
            path, words = found
            yield Hit(document, path, f"an abort of Rollout {document.name!r} at a weight above 0 never ends: {words}")


def stuck_abort(spec: RolloutSpec, controller: Controller) -> tuple[Path, str] | None:
    """(field, why) of what keeps an abort at one of the steps from ever ending; None if nothing does.

    Before 1.9 the weight follows stable's pods one by one, and arrives where stable becomes whole.
    """
    canary = spec.canary
    if canary is None or not (defaults.is_routed(spec) and defaults.is_dynamic(spec)):
        return None
    found = _stuck_scale(spec, canary, controller)
    return found if found or not controller.is_since(Controller.ARGO_1_9) else _stuck_pods(spec, canary, controller)


def _stuck_scale(spec: RolloutSpec, canary: CanaryStrategy, controller: Controller) -> tuple[Path, str] | None:
    """What a setCanaryScale that is kept on an abort (``utils/replicaset/canary.go:362-425,583-612``) holds up."""
    scale = _kept_scale(spec, canary)
    if scale is None:
        return None
    path: Path = (*STEPS, 0, "setCanaryScale")
    if scale.replicas is None:
        full = defaults.max_weight(spec)
        largest = max((step.set_weight or 0 for step in canary.steps), default=0)
        # Stable has pods for the larger of what the scale leaves it and of the weight that is recorded for it.
        stable = weight_to_replicas(spec.desired, full - min(scale.weight or 0, largest), full)
        if at_least_min_pods(spec, stable, controller) < spec.desired:
            return (
                path,
                f"the setCanaryScale of step 1 is kept and leaves the stable version {stable} of {spec.desired} pods",
            )
    if not controller.is_since(Controller.ARGO_1_9):
        return None
    return _held(spec, at_least_min_pods(spec, pods_of(spec, scale), controller), path, "the setCanaryScale of step 1")


def _kept_scale(spec: RolloutSpec, canary: CanaryStrategy) -> CanaryScale | None:
    """Only with ``abortScaleDownDelaySeconds: 0``, and only of the step an abort goes back to."""
    scale = canary.steps[0].set_canary_scale if canary.steps else None
    kept = defaults.abort_scale_down_delay_s(spec) is None
    return scale if scale is not None and kept and not scale.match_traffic_weight else None


def _stuck_pods(spec: RolloutSpec, canary: CanaryStrategy, controller: Controller) -> tuple[Path, str] | None:
    if defaults.has_explicit_abort_delay(spec):
        return None if controller.is_since(Controller.ARGO_1_10) else _stuck_delay(spec, canary, controller)
    if not canary.min_pods_per_replica_set or _kept_scale(spec, canary) is not None:
        return None
    words = f"minPodsPerReplicaSet {canary.min_pods_per_replica_set}"
    return _held(spec, at_least_min_pods(spec, 1, controller), (*CANARY, "minPodsPerReplicaSet"), words)


def _stuck_delay(spec: RolloutSpec, canary: CanaryStrategy, controller: Controller) -> tuple[Path, str] | None:
    """1.9: the canary's pods go only once stable is whole, and stable is whole only once they have gone."""
    full = defaults.max_weight(spec)
    weights = [step.set_weight for step in canary.steps if step.set_weight]
    for size in (at_least_min_pods(spec, size, controller) for size in _sizes(spec, canary)):
        held = next((w for w in weights[::-1] if weight_to_replicas(spec.desired, w, full) < size), 0)
        stable = at_least_min_pods(spec, weight_to_replicas(spec.desired, full - held, full), controller)
        if held and stable != spec.desired:
            words = f"abortScaleDownDelaySeconds keeps {size} canary pods, which hold the weight at {held}, until stable is whole"
            return (*CANARY, "abortScaleDownDelaySeconds"), words
    return None


def _sizes(spec: RolloutSpec, canary: CanaryStrategy) -> Iterator[int]:
    """Pods of the canary at each setWeight, the setCanaryScale in force heeded."""
    scale = None
    for step in canary.steps:
        if step.set_canary_scale is not None:
            scale = None if step.set_canary_scale.match_traffic_weight else step.set_canary_scale
        if step.set_weight:
            pods = weight_to_replicas(spec.desired, step.set_weight, defaults.max_weight(spec))
            yield pods if scale is None else pods_of(spec, scale)


def _held(spec: RolloutSpec, pods: int, path: Path, words: str) -> tuple[Path, str] | None:
    """Pods that stay hold the weight at the last setWeight that needs fewer (``utils/replicaset/canary.go:518-556``)."""
    weights = [step.set_weight for step in (spec.canary.steps if spec.canary else ()) if step.set_weight]
    smallest = min(weights, default=0)
    needed = weight_to_replicas(spec.desired, smallest, defaults.max_weight(spec))
    if not 0 < needed < pods:
        return None
    return (
        path,
        f"{words} keeps up to {pods} canary pods, and setWeight {smallest}, which needs {needed}, holds until they go",
    )


def pods_of(spec: RolloutSpec, scale: CanaryScale) -> int:
    """Canary pods that a setCanaryScale asks for."""
    if scale.replicas is not None:
        return scale.replicas
    return weight_to_replicas(spec.desired, scale.weight or 0, defaults.max_weight(spec))


def old_pods_stay(context: Context) -> Iterator[Hit]:
    """``scaleDownDelaySeconds: 0``, which sets no deadline at all (``rollout/replicaset.go:50-62``).

    A canary whose old pods stay is never healthy (``utils/conditions/conditions.go:286-313``).
    """
    for document, spec in written_rollouts(context):
        strategy = "blueGreen" if spec.blue_green is not None else "canary"
        path: Path = ("spec", "strategy", strategy, "scaleDownDelaySeconds")
        kept = spec.blue_green is not None or defaults.is_routed(spec)
        if kept and not defaults.is_dynamic(spec) and whole(dig(document.data, *path)) == 0:
            more = "" if spec.blue_green is not None else ", and the progress deadline then marks it Degraded"
            message = (
                f"scaleDownDelaySeconds: 0 of Rollout {document.name!r} is not 'at once' but 'never': the old version's pods "
                f"stay after every promotion{more}"
            )
            yield Hit(document, path, message)


def route_outlives_abort(context: Context) -> Iterator[Hit]:
    """A first step whose route an abort sets again, to where it does harm (``rollout/trafficrouting.go:276-290``)."""
    for document, step in _first_steps(context):
        name = document.name
        if mapping(step, "setMirrorRoute").get("match"):
            message = (
                f"an abort of Rollout {name!r} goes back to step 1 and sets its mirror route again: the copies go on, to "
                f"whatever the canary Service then selects"
            )
            yield Hit(document, (*STEPS, 0, "setMirrorRoute"), message)
        elif mapping(step, "setHeaderRoute").get("match") and not text(document.data, *CANARY, "canaryService"):
            message = (
                f"an abort of Rollout {name!r} goes back to step 1 and sets its header route again: requests with the header "
                f"are sent to the canary subset, whose pods go"
            )
            yield Hit(document, (*STEPS, 0, "setHeaderRoute"), message)


def header_route_set_again(context: Context) -> Iterator[Hit]:
    """A header route as the first step, which after an abort leads to the stable pods."""
    for document, step in _first_steps(context):
        if mapping(step, "setHeaderRoute").get("match") and text(document.data, *CANARY, "canaryService"):
            message = (
                f"an abort of Rollout {document.name!r} goes back to step 1 and sets its header route again: it stays, and "
                f"leads to the stable version, to which the canary Service is returned"
            )
            yield Hit(document, (*STEPS, 0, "setHeaderRoute"), message)


def _first_steps(context: Context) -> Iterator[tuple[Document, Mapping[str, Any]]]:
    for document in context.of_kind("Rollout"):
        if mapping(document.data, *CANARY, "trafficRouting"):
            yield document, mapping(document.data, *STEPS, 0)


def abort_delay_ignored(context: Context) -> Iterator[Hit]:
    """``abortScaleDownDelaySeconds`` of canaries whose pods go at once all the same.

    The weight to size for after an abort is 0 unless step 1 is a setCanaryScale (``utils/replicaset/canary.go:583-612``).
    """
    for document, spec in written_rollouts(context):
        canary, path = spec.canary, (*CANARY, "abortScaleDownDelaySeconds")
        if canary is None or spec.blue_green is not None or canary.abort_scale_down_delay_s is None:
            continue
        message = ""
        if not defaults.is_routed(spec):
            message = "has no effect without trafficRouting: an abort replaces its pods at once"
        elif canary.abort_scale_down_delay_s == 0 and not (canary.steps and canary.steps[0].set_canary_scale):
            message = (
                "is 0, documented as 'keep the pods', but they are scaled down at once: only a setCanaryScale as step 1 "
                "keeps them"
            )
        if message:
            yield Hit(document, path, f"abortScaleDownDelaySeconds of Rollout {document.name!r} {message}")


RULES = (
    Rule("RT901", "abort-never-ends", Severity.WARNING,
         "With dynamicStableScale an aborted canary gives its weight back in the steps of setWeight, as its pods become "
         "fewer; pods that are kept stop it half-way, and users stay on the bad version.",
         "lower minPodsPerReplicaSet to what the smallest setWeight needs, or drop dynamicStableScale", abort_never_ends),
    Rule("RT902", "old-pods-stay", Severity.WARNING,
         "A delay of 0 sets no deadline, and without a deadline the old ReplicaSet is never scaled down.",
         "scaleDownDelaySeconds: 1", old_pods_stay),
    Rule("RT904", "route-outlives-abort", Severity.WARNING,
         "An abort removes managed routes, goes back to step 1 and, if that is a route, sets it again in the same reconcile.",
         "begin with another step, such as setCanaryScale, and set the route after it", route_outlives_abort),
    Rule("RT905", "header-route-set-again", Severity.INFO,
         "An abort removes managed routes, goes back to step 1 and, if that is a route, sets it again in the same reconcile.",
         "begin with another step, such as setCanaryScale, and set the route after it", header_route_set_again),
    Rule("RT906", "abort-delay-ignored", Severity.WARNING,
         "The size of an aborted canary is that of weight 0 unless its first step sets a scale.",
         "write the seconds the pods shall stay, or begin with setCanaryScale", abort_delay_ignored),
)  # fmt: skip
