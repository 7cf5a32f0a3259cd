"""What the controller refuses of a Rollout's spec alone.

Source: behaviour reference 11.1 (Argo Rollouts ``pkg/apis/rollouts/validation/validation.go:103-551``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.decide.defaults import FENCEPOST, progress_deadline_s, revision_history_limit
from sim.decide.field_errors import Place, SpecError, invalid, place, required
from sim.decide.validation_steps import CANARY, step_errors
from sim.model.controller import Controller
from sim.model.manifests import ManifestSet
from sim.model.pods import AntiAffinity, FieldProblem, Labels, PodTemplate, selects
from sim.model.rollout import BlueGreenStrategy, CanaryStrategy, RolloutSpec
from sim.model.units import IntOrPercent

_SPEC = place("spec")
_BLUE_GREEN = Place(("spec", "strategy", "blueGreen"), ("spec", "strategy"))

_WORKLOADS = {
    ("apps", "Deployment"): "deployments.apps",
    ("apps", "ReplicaSet"): "replicasets.apps",
    ("", "PodTemplate"): "podtemplates",
}
"""What ``workloadRef`` may name, and how errors call it."""
_SERVICES_NEEDED_BY = frozenset({"alb", "istio", "smi", "apisix", "ambassador", "nginx", "appMesh", "traefik"})
_SAME_SERVICE = (
    "This rollout uses the same service for the {} and {} services, but two different services are required."
)
_ROUTING_NEEDS = "Canary service and Stable service must to be set to use Traffic Routing"
_PING_PONG_NEEDS = "Ping service and Pong service must to be set to use Ping-Pong feature"


def spec_errors(spec: RolloutSpec, manifests: ManifestSet, controller: Controller) -> Iterator[SpecError]:
    """Errors of the spec in this release's order."""
    yield from _workload_errors(spec, manifests)
    yield from _not_negative(_SPEC.at("replicas"), spec.desired)
    yield from _referenced_errors(spec, manifests) if spec.workload_ref else _template_errors(spec)
    yield from _not_negative(_SPEC.at("minReadySeconds"), spec.min_ready_s)
    yield from _not_negative(_SPEC.at("revisionHistoryLimit"), revision_history_limit(spec))
    deadline = int(progress_deadline_s(spec))
    yield from _not_negative(_SPEC.at("progressDeadlineSeconds"), deadline)
    if deadline <= spec.min_ready_s:
        yield invalid(_SPEC.at("progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds")
    yield from _strategy_errors(spec, controller)


def _not_negative(where: Place, value: int) -> Iterator[SpecError]:
    if value < 0:
        yield invalid(where, value, "must be greater than or equal to 0")


def _workload_errors(spec: RolloutSpec, manifests: ManifestSet) -> Iterator[SpecError]:
    """A reference to a Deployment that is not there, or together with a template of its own."""
    if not spec.workload_ref:
        return
    if spec.template != PodTemplate():
        # Errors of the reference stand in the condition as they are, without a field.
        yield SpecError(_SPEC.at("template").path, "template must be empty for workload reference rollout")
    if missing := missing_workload(spec, manifests):
        yield SpecError(_SPEC.at("workloadRef").path, missing)


def missing_workload(spec: RolloutSpec, manifests: ManifestSet) -> str:
    """Why ``workloadRef`` leads nowhere, empty if it does lead to an object.

    Source: ``rollout/templateref.go:34-55,126-156``; the lister names what it does not find by namespace and name.
    """
    written = dict(spec.workload)
    group, kind = written.get("apiVersion", "").rpartition("/")[0], written.get("kind", "")
    if (group, kind) not in _WORKLOADS:
        return f"workload of type {group}/{kind} is not supported"
    deployments = {("Deployment", item.namespace, item.name) for item in manifests.deployments}
    if (kind, spec.namespace, spec.workload_ref) in deployments.union(manifests.other_workloads):
        return ""
    return f'{_WORKLOADS[group, kind]} "{spec.namespace}/{spec.workload_ref}" not found'


def _referenced_errors(spec: RolloutSpec, manifests: ManifestSet) -> Iterator[SpecError]:
    """A Deployment's pod template, taken over as it is; a selector of the Rollout's own must fit it."""
    for deployment in manifests.deployments:
        if (deployment.namespace, deployment.name) == (spec.namespace, spec.workload_ref):
            own = spec.selector or spec.selector_is_written
            yield from _mismatch(spec.selector if own else deployment.selector, deployment.template)
            yield from (SpecError(problem.path, problem.message) for problem in deployment.problems)


def _template_errors(spec: RolloutSpec) -> Iterator[SpecError]:
    """Selector and pod template, in the order of the API server's own validation, which the controller calls."""
    missing = not spec.selector and not spec.selector_is_written
    if missing:
        yield required(_SPEC.at("selector"), "Rollout has missing field '.spec.selector'")
    yield from (SpecError(problem.path, problem.message) for problem in spec.problems if _in_selector(problem))
    yield from _mismatch(spec.selector, spec.template, matches_nothing=missing)
    yield from (SpecError(problem.path, problem.message) for problem in spec.problems if not _in_selector(problem))


def _mismatch(selector: Labels, template: PodTemplate, matches_nothing: bool = False) -> Iterator[SpecError]:
    """Pods that the selector leaves out; one that is not written leaves out all, an empty one none."""
    if matches_nothing or (selector and not selects(selector, template.labels)):
        where = _SPEC.at("template", "metadata", "labels")
        yield invalid(where, dict(template.labels) or None, "`selector` does not match template `labels`")


def _in_selector(problem: FieldProblem) -> bool:
    return problem.path[:2] == ("spec", "selector")


def _strategy_errors(spec: RolloutSpec, controller: Controller) -> Iterator[SpecError]:
    where = Place(("spec", "strategy"), ("spec", "strategy", "strategy"))
    if spec.canary is None and spec.blue_green is None:
        missing = ".spec.strategy.canary or .spec.strategy.blueGreen"
        yield required(where, f"Rollout has missing field '{missing}'")
    elif spec.canary is not None and spec.blue_green is not None:
        yield invalid(where, "blueGreen: true canary: true", "Multiple Strategies can not be listed")
    elif spec.blue_green is not None:
        yield from _blue_green_errors(spec, spec.blue_green)
    elif spec.canary is not None:
        yield from _canary_errors(spec, spec.canary, controller)


def _blue_green_errors(spec: RolloutSpec, blue_green: BlueGreenStrategy) -> Iterator[SpecError]:
    if blue_green.active_service == blue_green.preview_service:
        detail = _SAME_SERVICE.format("active", "preview")
        yield invalid(_BLUE_GREEN.at("activeService"), blue_green.active_service, detail)
    limit = blue_green.scale_down_delay_revision_limit
    if limit is not None and revision_history_limit(spec) < limit:
        detail = "This rollout's revision history limit can not be smaller than the rollout's scale down limit"
        yield invalid(_BLUE_GREEN.at("scaleDownDelayRevisionLimit"), limit, detail)
    yield from _anti_affinity_errors(blue_green.anti_affinity, blue_green.anti_affinity_weight, _BLUE_GREEN)


def _canary_errors(spec: RolloutSpec, canary: CanaryStrategy, controller: Controller) -> Iterator[SpecError]:
    surge, unavailable = canary.max_surge or FENCEPOST, canary.max_unavailable or FENCEPOST
    if surge.value == 0 and unavailable.value == 0:
        yield invalid(CANARY.at("maxSurge"), _as_written(surge), "MaxSurge and MaxUnavailable both can not be zero")
    if canary.canary_service and canary.canary_service == canary.stable_service:
        yield invalid(CANARY.at("stableService"), canary.stable_service, _SAME_SERVICE.format("stable", "canary"))
    yield from _ping_pong_errors(canary, controller)
    yield from _service_errors(canary, controller)
    yield from _routing_errors(canary)
    for index, step in enumerate(canary.steps):
        yield from step_errors(spec, step, CANARY.at("steps", index), controller)
    yield from _anti_affinity_errors(canary.anti_affinity, canary.anti_affinity_weight, CANARY)


def _as_written(value: IntOrPercent) -> int | str:
    return value.unreadable or (f"{value.value}%" if value.percent else value.value)


def _ping_pong_errors(canary: CanaryStrategy, controller: Controller) -> Iterator[SpecError]:
    if canary.ping_pong is None:
        return
    ping, pong = canary.ping_pong
    routers, detail = _ping_pong_routers(controller)
    if canary.traffic_routing is not None and not routers & set(canary.traffic_routing.kinds):
        yield invalid(CANARY.at("trafficRouting", "alb"), None, detail)
    if not ping:
        yield invalid(CANARY.at("pingPong", "pingService"), ping, _PING_PONG_NEEDS)
    if not pong:
        yield invalid(CANARY.at("pingPong", "pongService"), pong, _PING_PONG_NEEDS)
    if ping == pong:
        yield invalid(CANARY.at("pingPong", "pingService"), ping, _SAME_SERVICE.format("ping", "pong"))
    alb = canary.traffic_routing.alb if canary.traffic_routing is not None else None
    if alb is not None and not alb.root_service:
        detail = "Root service field is required for the configuration with ALB and ping-pong feature enabled"
        yield invalid(CANARY.at("trafficRouting", "alb", "rootService"), "", detail)


def _ping_pong_routers(controller: Controller) -> tuple[frozenset[str], str]:
    """The routers that know ping-pong, and what is said of the others."""
    if controller.is_since(Controller.ARGO_1_10_RC1):
        words = "Ping-pong feature works with the ALB, Istio, and plugin-based traffic routers only"
        return frozenset({"alb", "istio", "plugins"}), words
    if controller.is_since(Controller.ARGO_1_7):
        return frozenset({"alb", "istio"}), "Ping-pong feature works with the ALB and Istio traffic routers only"
    return frozenset({"alb"}), "Ping-pong feature works with the ALB traffic routing only"


def _service_errors(canary: CanaryStrategy, controller: Controller) -> Iterator[SpecError]:
    if not _services_needed(canary, controller):
        return
    if not canary.stable_service:
        yield invalid(CANARY.at("stableService"), "", _ROUTING_NEEDS)
    if not canary.canary_service:
        yield invalid(CANARY.at("canaryService"), "", _ROUTING_NEEDS)


def _services_needed(canary: CanaryStrategy, controller: Controller) -> bool:
    """Whether the router needs both services: not with ping-pong (ALB, Istio), nor with a DestinationRule (Istio).

    1.6 excuses every router with ping-pong, and no plugin without it.
    """
    routing = canary.traffic_routing
    if routing is None:
        return False
    if not controller.is_since(Controller.ARGO_1_7):
        return canary.ping_pong is None and routing.destination_rule is None
    kinds = _SERVICES_NEEDED_BY & set(routing.kinds)
    if canary.ping_pong is not None:
        kinds -= {"alb", "istio"}
    return bool(kinds - {"istio"} if routing.destination_rule is not None else kinds)


def _routing_errors(canary: CanaryStrategy) -> Iterator[SpecError]:
    routing, delay, dynamic = canary.traffic_routing, canary.scale_down_delay_s, canary.dynamic_stable_scale
    if routing is None:
        if delay is not None:
            detail = "Canary scaleDownDelaySeconds can only be used with traffic routing"
            yield invalid(CANARY.at("scaleDownDelaySeconds"), delay, detail)
        if dynamic:
            detail = "Canary dynamicStableScale can only be used with traffic routing"
            yield invalid(CANARY.at("dynamicStableScale"), True, detail)
        return
    if delay is not None and dynamic:
        detail = "Canary dynamicStableScale cannot be used with scaleDownDelaySeconds"
        yield invalid(CANARY.at("dynamicStableScale"), True, detail)
    if routing.max_weight is not None and not {"nginx", "plugins"} & set(routing.kinds):
        detail = "Canary maxTrafficWeight in traffic routing only supported in Nginx and Plugins"
        yield invalid(CANARY.at("trafficRouting", "maxTrafficWeight"), routing.max_weight, detail)


def _anti_affinity_errors(written: Sequence[AntiAffinity], weight: int | None, strategy: Place) -> Iterator[SpecError]:
    """Anything but exactly one rule. A block without a rule is written as ``(AntiAffinity.NONE,)``."""
    if not written:
        return
    preferred, required_ = AntiAffinity.PREFERRED in written, AntiAffinity.REQUIRED in written
    where = strategy.at("antiAffinity")
    if preferred == required_:
        rules = {"Preferred": preferred, "Required": required_}
        names = ((f"antiAffinity.{rule}DuringSchedulingIgnoredDuringExecution", on) for rule, on in rules.items())
        value = " ".join(f"{name}: {str(on).lower()}" for name, on in names)
        yield invalid(where, value, "AntiAffinity must have exactly one strategy listed")
    if preferred and not 1 <= (weight or 0) <= 100:
        rule = "preferredDuringSchedulingIgnoredDuringExecution"
        at = Place((*where.path, rule, "weight"), (*where.shown, "weight"))
        yield invalid(at, weight or 0, "AntiAffinity weight must be between 1-100")
