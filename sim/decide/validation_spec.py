"""What the controller refuses of a Rollout's spec alone.

Source: behaviour reference 11.1 (Argo Rollouts ``pkg/apis/rollouts/validation/validation.go:103-551``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.decide.arguments import TemplateError, field_value
from sim.decide.defaults import FENCEPOST, max_weight, progress_deadline_s
from sim.decide.field_errors import Place, SpecError, internal, invalid, place, required
from sim.decide.pauses import pause_seconds
from sim.model.analysis import Argument
from sim.model.manifests import ManifestSet
from sim.model.pods import AntiAffinity, PodTemplate, selects
from sim.model.rollout import BlueGreenStrategy, CanaryStep, CanaryStrategy, Experiment, HeaderRoute, RolloutSpec
from sim.model.units import IntOrPercent

_SPEC = place("spec")
# The controller prints fields of a strategy as if they stood right under spec.strategy.
_CANARY = Place(("spec", "strategy", "canary"), ("spec", "strategy"))
_BLUE_GREEN = Place(("spec", "strategy", "blueGreen"), ("spec", "strategy"))

_REVISION_HISTORY = 10
_SERVICES_NEEDED_BY = frozenset({"alb", "istio", "smi", "apisix", "ambassador", "nginx", "appMesh", "traefik"})
_STEP_KINDS = ("experiment", "pause", "set_weight", "analysis")
_MORE_STEP_KINDS = ("set_canary_scale", "set_header_route", "set_mirror_route", "plugin")
_SAME_SERVICE = (
    "This rollout uses the same service for the {} and {} services, but two different services are required."
)
_STEP = "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause"
_ROUTING_NEEDS = "Canary service and Stable service must to be set to use Traffic Routing"
_PING_PONG_NEEDS = "Ping service and Pong service must to be set to use Ping-Pong feature"
_UNKNOWN_ROUTE = "Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes"
_MATCH_MISSING = "StringMatch value missed, match value must have one of the following: exact, regex, prefix"


def spec_errors(spec: RolloutSpec, manifests: ManifestSet) -> Iterator[SpecError]:
    """Errors of the spec in the controller's order."""
    yield from _workload_errors(spec, manifests)
    yield from _not_negative(_SPEC.at("replicas"), spec.desired)
    if not spec.workload_ref:
        yield from _template_errors(spec)
    yield from _not_negative(_SPEC.at("minReadySeconds"), spec.min_ready_s)
    yield from _not_negative(_SPEC.at("revisionHistoryLimit"), _revision_history(spec))
    deadline = int(progress_deadline_s(spec))
    yield from _not_negative(_SPEC.at("progressDeadlineSeconds"), deadline)
    if deadline <= spec.min_ready_s:
        yield invalid(_SPEC.at("progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds")
    yield from _strategy_errors(spec)


def _not_negative(where: Place, value: int) -> Iterator[SpecError]:
    if value < 0:
        yield invalid(where, value, "must be greater than or equal to 0")


def _workload_errors(spec: RolloutSpec, manifests: ManifestSet) -> Iterator[SpecError]:
    """A reference to a Deployment that is not there, or together with a template of its own."""
    if not spec.workload_ref:
        return
    names = {deployment.name for deployment in manifests.deployments if deployment.namespace == spec.namespace}
    if spec.workload_ref not in names:
        detail = f'deployments.apps "{spec.workload_ref}" not found'
        yield invalid(_SPEC.at("workloadRef"), {"kind": "Deployment", "name": spec.workload_ref}, detail)
    if spec.template != PodTemplate():
        yield internal(_SPEC.at("template"), "template must be empty for workload reference rollout")


def _template_errors(spec: RolloutSpec) -> Iterator[SpecError]:
    if not spec.selector:
        yield required(_SPEC.at("selector"), "Rollout has missing field '.spec.selector'")
    elif not selects(spec.selector, spec.template.labels):
        where = _SPEC.at("template", "metadata", "labels")
        yield invalid(where, dict(spec.template.labels), "`selector` does not match template `labels`")


def _revision_history(spec: RolloutSpec) -> int:
    return _REVISION_HISTORY if spec.revision_history_limit is None else spec.revision_history_limit


def _strategy_errors(spec: RolloutSpec) -> Iterator[SpecError]:
    where = Place(("spec", "strategy"), ("spec", "strategy", "strategy"))
    if spec.canary is None and spec.blue_green is None:
        missing = ".spec.strategy.canary or .spec.strategy.blueGreen"
        yield required(where, f"Rollout has missing field '{missing}'")
    elif spec.canary is not None and spec.blue_green is not None:
        yield invalid(where, "blueGreen: true canary: true", "Multiple Strategies can not be listed")
    elif spec.blue_green is not None:
        yield from _blue_green_errors(spec, spec.blue_green)
    elif spec.canary is not None:
        yield from _canary_errors(spec, spec.canary)


def _blue_green_errors(spec: RolloutSpec, blue_green: BlueGreenStrategy) -> Iterator[SpecError]:
    if blue_green.active_service == blue_green.preview_service:
        detail = _SAME_SERVICE.format("active", "preview")
        yield invalid(_BLUE_GREEN.at("activeService"), blue_green.active_service, detail)
    limit = blue_green.scale_down_delay_revision_limit
    if limit is not None and _revision_history(spec) < limit:
        detail = "This rollout's revision history limit can not be smaller than the rollout's scale down limit"
        yield invalid(_BLUE_GREEN.at("scaleDownDelayRevisionLimit"), limit, detail)
    yield from _anti_affinity_errors(blue_green.anti_affinity, blue_green.anti_affinity_weight, _BLUE_GREEN)


def _canary_errors(spec: RolloutSpec, canary: CanaryStrategy) -> Iterator[SpecError]:
    surge, unavailable = canary.max_surge or FENCEPOST, canary.max_unavailable or FENCEPOST
    if surge.value == 0 and unavailable.value == 0:
        yield invalid(_CANARY.at("maxSurge"), _as_written(surge), "MaxSurge and MaxUnavailable both can not be zero")
    if canary.canary_service and canary.canary_service == canary.stable_service:
        yield invalid(_CANARY.at("stableService"), canary.stable_service, _SAME_SERVICE.format("stable", "canary"))
    yield from _ping_pong_errors(canary)
    yield from _service_errors(canary)
    yield from _routing_errors(canary)
    for index, step in enumerate(canary.steps):
        yield from _step_errors(spec, canary, step, _CANARY.at("steps", index))
    yield from _anti_affinity_errors(canary.anti_affinity, canary.anti_affinity_weight, _CANARY)


def _as_written(value: IntOrPercent) -> int | str:
    return f"{value.value}%" if value.percent else value.value


def _ping_pong_errors(canary: CanaryStrategy) -> Iterator[SpecError]:
    if canary.ping_pong is None:
        return
    ping, pong = canary.ping_pong
    if canary.traffic_routing is not None and not {"alb", "istio", "plugins"} & set(canary.traffic_routing.kinds):
        detail = "Ping-pong feature works with the ALB, Istio, and plugin-based traffic routers only"
        yield invalid(_CANARY.at("trafficRouting", "alb"), None, detail)
    if not ping:
        yield invalid(_CANARY.at("pingPong", "pingService"), ping, _PING_PONG_NEEDS)
    if not pong:
        yield invalid(_CANARY.at("pingPong", "pongService"), pong, _PING_PONG_NEEDS)
    if ping == pong:
        yield invalid(_CANARY.at("pingPong", "pingService"), ping, _SAME_SERVICE.format("ping", "pong"))


def _service_errors(canary: CanaryStrategy) -> Iterator[SpecError]:
    if not _services_needed(canary):
        return
    if not canary.stable_service:
        yield invalid(_CANARY.at("stableService"), "", _ROUTING_NEEDS)
    if not canary.canary_service:
        yield invalid(_CANARY.at("canaryService"), "", _ROUTING_NEEDS)


def _services_needed(canary: CanaryStrategy) -> bool:
    """Whether the router needs both services: not with ping-pong (ALB, Istio), nor with a DestinationRule (Istio)."""
    routing = canary.traffic_routing
    if routing is None:
        return False
    kinds = _SERVICES_NEEDED_BY & set(routing.kinds)
    if canary.ping_pong is not None:
        kinds -= {"alb", "istio"}
    return bool(kinds - {"istio"} if routing.destination_rule is not None else kinds)


def _routing_errors(canary: CanaryStrategy) -> Iterator[SpecError]:
    routing, delay, dynamic = canary.traffic_routing, canary.scale_down_delay_s, canary.dynamic_stable_scale
    if routing is None:
        if delay is not None:
            detail = "Canary scaleDownDelaySeconds can only be used with traffic routing"
            yield invalid(_CANARY.at("scaleDownDelaySeconds"), delay, detail)
        if dynamic:
            detail = "Canary dynamicStableScale can only be used with traffic routing"
            yield invalid(_CANARY.at("dynamicStableScale"), True, detail)
        return
    if delay is not None and dynamic:
        detail = "Canary dynamicStableScale cannot be used with scaleDownDelaySeconds"
        yield invalid(_CANARY.at("dynamicStableScale"), True, detail)
    if routing.max_weight is not None and not {"nginx", "plugins"} & set(routing.kinds):
        detail = "Canary maxTrafficWeight in traffic routing only supported in Nginx and Plugins"
        yield invalid(_CANARY.at("trafficRouting", "maxTrafficWeight"), routing.max_weight, detail)


def _step_errors(spec: RolloutSpec, canary: CanaryStrategy, step: CanaryStep, where: Place) -> Iterator[SpecError]:
    yield from _step_kind_errors(step, where)
    limit = max_weight(spec)
    if step.set_weight is not None and not 0 <= step.set_weight <= limit:
        yield invalid(where.at("setWeight"), step.set_weight, f"SetWeight needs to be between 0 and {limit}")
    if step.pause is not None and pause_seconds(step.pause) < 0:
        seconds = pause_seconds(step.pause)
        yield invalid(where.at("pause", "duration"), seconds, "Duration needs to be greater than 0")
    if step.set_canary_scale is not None and canary.traffic_routing is None:
        error = required(_CANARY.at("trafficRouting"), "SetCanaryScale requires TrafficRouting to be set")
        yield SpecError(where.at("setCanaryScale").path, error.message)
    yield from _route_errors(canary, step, where)
    if step.experiment is not None:
        yield from _experiment_errors(canary, step.experiment, where.at("experiment", "templates"))
    yield from _argument_errors(spec, step, where)


def _step_kind_errors(step: CanaryStep, where: Place) -> Iterator[SpecError]:
    """More than one of the four exclusive kinds, or no kind at all."""
    present = {kind: getattr(step, kind) is not None for kind in (*_STEP_KINDS, *_MORE_STEP_KINDS)}
    if sum(present[kind] for kind in _STEP_KINDS) > 1:
        yield invalid(where, _flags({kind: present[kind] for kind in _STEP_KINDS}), _STEP)
    if not any(present.values()):
        # What it prints is whether each kind is absent.
        yield invalid(where, _flags({kind: not there for kind, there in present.items()}), _STEP)


def _flags(values: dict[str, bool]) -> str:
    named = {"".join(part.capitalize() for part in kind.split("_")): value for kind, value in values.items()}
    return " ".join(f"step.{name}: {str(value).lower()}" for name, value in named.items())


def _route_errors(canary: CanaryStrategy, step: CanaryStep, where: Place) -> Iterator[SpecError]:
    """Header and mirror routes: which routers know them, what a match needs, and that the route is managed."""
    kinds = set(canary.traffic_routing.kinds) if canary.traffic_routing is not None else set()
    if step.set_header_route is not None:
        if not {"istio", "alb", "apisix", "plugins"} & kinds:
            detail = "SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix"
            yield invalid(where.at("setHeaderRoute"), {"name": step.set_header_route.name}, detail)
        else:
            yield from _match_errors(step.set_header_route, kinds, where.at("setHeaderRoute", "match"))
    if step.set_mirror_route is not None and not {"istio", "plugins"} & kinds:
        detail = "SetMirrorRoute requires TrafficRouting, supports Istio and Plugins"
        yield invalid(where.at("setMirrorRoute"), {"name": step.set_mirror_route.name}, detail)
    yield from _managed_errors(canary, step, where)


def _match_errors(route: HeaderRoute, kinds: set[str], where: Place) -> Iterator[SpecError]:
    for index, match in enumerate(route.match):
        value = {match.how: match.value} if match.value else {}
        if "alb" in kinds and (match.how != "exact" or not match.value):
            detail = "SetHeaderRoute match value invalid. ALB supports 'exact' value only"
            yield invalid(where.at(index), value, detail)
        elif not match.value:
            yield invalid(where.at(index), value, _MATCH_MISSING)


def _managed_errors(canary: CanaryStrategy, step: CanaryStep, where: Place) -> Iterator[SpecError]:
    named = {"setHeaderRoute": step.set_header_route, "setMirrorRoute": step.set_mirror_route}
    routes = {key: route.name for key, route in named.items() if route is not None}
    if canary.traffic_routing is None or not routes:
        return
    managed = canary.traffic_routing.managed_routes
    if not managed:
        detail = "Rollout has missing field 'spec.strategy.canary.trafficRouting.managedRoutes'"
        yield required(_CANARY.at("trafficRouting", "managedRoutes"), detail)
        return
    for key, name in routes.items():
        if name not in managed:
            yield invalid(where.at(key), name, _UNKNOWN_ROUTE)


def _experiment_errors(canary: CanaryStrategy, experiment: Experiment, where: Place) -> Iterator[SpecError]:
    """Weights of experiment templates need a router that can give them."""
    for index, template in enumerate(experiment.templates):
        if template.weight is None:
            continue
        if canary.traffic_routing is None:
            detail = "Experiment template weight cannot be set unless TrafficRouting is enabled"
        elif not {"alb", "smi", "istio", "plugins"} & set(canary.traffic_routing.kinds):
            routers = "SMI, ALB, Istio and Plugins"
            detail = f"Experiment template weight is only available for TrafficRouting with {routers} at this time"
        else:
            continue
        yield invalid(where.at(index, "weight"), template.weight, detail)


def _argument_errors(spec: RolloutSpec, step: CanaryStep, where: Place) -> Iterator[SpecError]:
    """Arguments taken from metadata that the downward API does not know."""
    analyses = [ref for _, ref in step.experiment.analyses] if step.experiment is not None else []
    analyses += [step.analysis] if step.analysis is not None else []
    arguments = [argument for ref in analyses for argument in ref.args]
    shown = [{"name": a.name, **_source(a)} for a in arguments]
    for argument in arguments:
        if (argument.field_path or "").startswith("metadata") and not _readable(spec, argument):
            detail = "Analyses arguments must refer to valid object metadata supported by downwardAPI"
            error = invalid(where.at("analyses"), shown, detail)
            yield SpecError(where.at("analysis" if step.analysis is not None else "experiment").path, error.message)


def _source(argument: Argument) -> dict[str, object]:
    if argument.field_path is None:
        return {"value": argument.value or ""}
    return {"valueFrom": {"fieldRef": {"fieldPath": argument.field_path}}}


def _readable(spec: RolloutSpec, argument: Argument) -> bool:
    try:
        field_value(spec, argument.field_path or "")
    except TemplateError:
        return False
    return True


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
