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
from sim.model.rollout import CanaryScale, RolloutSpec

CANARY: Path = ("spec", "strategy", "canary")


def written_rollouts(context: Context) -> Iterator[tuple[Document, RolloutSpec]]:
    """Every Rollout as written and as the controller decodes it."""
    specs = {(spec.name, spec.namespace): spec for spec in context.manifests.rollouts}
    for document in context.of_kind("Rollout"):
        spec = specs.get((document.name, space(document)))
        if spec is not None:
            yield document, spec


def abort_never_ends(context: Context) -> Iterator[Hit]:
    """Canaries with dynamicStableScale that keep more pods on an abort than the smallest weight needs.

    On the way back the weight goes to the last setWeight that needs fewer pods than the canary still has, and those pods
    stay (``utils/replicaset/canary.go:518-556``).
    """
    for document, spec in written_rollouts(context):
        needs = [(weight_to_replicas(spec.desired, w, defaults.max_weight(spec)), w) for w in _weights(spec)]
        smaller = min(needs, default=None)
        for path, pods, words in _kept(spec, context.controller) if smaller else ():
            if smaller and smaller[0] < pods:
                message = (
                    f"an abort of Rollout {document.name!r} never ends: {words} keeps {pods} canary pods, setWeight "
                    f"{smaller[1]} needs only {smaller[0]}, and the weight is held as long as there are more"
                )
                yield Hit(document, path, message)
                break


def _weights(spec: RolloutSpec) -> list[int]:
    steps = spec.canary.steps if spec.canary else ()
    return [step.set_weight for step in steps if step.set_weight]


def _kept(spec: RolloutSpec, controller: Controller) -> Iterator[tuple[Path, int, str]]:
    """(path, pods, words) of everything that keeps pods of an aborted canary while its weight goes down in steps."""
    canary = spec.canary
    if canary is None or not (defaults.is_routed(spec) and defaults.is_dynamic(spec)):
        return
    if not controller.is_since(Controller.ARGO_1_9):
        return
    if defaults.has_explicit_abort_delay(spec):
        if not controller.is_since(Controller.ARGO_1_10):
            yield (*CANARY, "abortScaleDownDelaySeconds"), spec.desired, "abortScaleDownDelaySeconds"
        return
    if canary.min_pods_per_replica_set:
        pods = at_least_min_pods(spec, 1, controller)
        yield (*CANARY, "minPodsPerReplicaSet"), pods, f"minPodsPerReplicaSet {canary.min_pods_per_replica_set}"
    scale = canary.steps[0].set_canary_scale if canary.steps else None
    if scale is not None and not scale.match_traffic_weight and defaults.abort_scale_down_delay_s(spec) is None:
        yield (
            (*STEPS, 0, "setCanaryScale"),
            pods_of(spec, scale),
            "the setCanaryScale of step 1 (abortScaleDownDelaySeconds is 0)",
        )


def pods_of(spec: RolloutSpec, scale: CanaryScale) -> int:
    """Canary pods that a setCanaryScale asks for."""
    if scale.replicas is not None:
        return scale.replicas
    return weight_to_replicas(spec.desired, scale.weight or 0, defaults.max_weight(spec))


def old_pods_stay(context: Context) -> Iterator[Hit]:
    """``scaleDownDelaySeconds: 0``, which sets no deadline at all (``rollout/replicaset.go:50-62``)."""
    for document, path in _without_deadline(context):
        message = (
            f"scaleDownDelaySeconds: 0 of Rollout {document.name!r} is not 'at once' but 'never': the old version's pods "
            f"stay after every promotion"
        )
        yield Hit(document, path, message)


def _without_deadline(context: Context) -> Iterator[tuple[Document, Path]]:
    for document, spec in written_rollouts(context):
        strategy = "blueGreen" if spec.blue_green is not None else "canary"
        path: Path = ("spec", "strategy", strategy, "scaleDownDelaySeconds")
        kept = spec.blue_green is not None or defaults.is_routed(spec)
        if kept and not defaults.is_dynamic(spec) and whole(dig(document.data, *path)) == 0:
            yield document, path


def promoted_yet_aborted(context: Context) -> Iterator[Hit]:
    """Old pods that stay and a deadline that aborts: to old controllers the promoted rollout is never complete."""
    for document, path in _without_deadline(context) if not context.controller.is_since(Controller.ARGO_1_8) else ():
        if path[:3] == CANARY and dig(document.data, "spec", "progressDeadlineAbort") is True:
            message = (
                f"{context.controller} aborts Rollout {document.name!r} after its promotion: the old pods that stay keep it "
                f"from being healthy, and the progress deadline passes"
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
    Rule("RT903", "promoted-yet-aborted", Severity.WARNING,
         "Before 1.8 the progress deadline also counts after the promotion, until the old pods have gone.",
         "scaleDownDelaySeconds: 1, or a later controller", promoted_yet_aborted),
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
