"""What the controller refuses of the steps of a canary.

Source: behaviour reference 11.1 (Argo Rollouts ``pkg/apis/rollouts/validation/validation.go:313-480``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from sim.decide.arguments import TemplateError, field_value
from sim.decide.defaults import max_weight
from sim.decide.field_errors import Place, SpecError, invalid, required
from sim.decide.pauses import pause_seconds
from sim.model.analysis import Argument
from sim.model.controller import Controller
from sim.model.rollout import CanaryStep, CanaryStrategy, Experiment, HeaderRoute, MirrorRoute, RolloutSpec

# The controller prints fields of a strategy as if they stood right under spec.strategy.
CANARY = Place(("spec", "strategy", "canary"), ("spec", "strategy"))
"""The canary strategy."""

_STEP_KINDS = ("experiment", "pause", "set_weight", "analysis")
_MORE_STEP_KINDS = ("set_canary_scale", "set_header_route", "set_mirror_route", "plugin")
_STEP = "Step must have one of the following set: experiment, setWeight, setCanaryScale{} or pause"
_UNKNOWN_ROUTE = "Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes"
_MATCH_MULTIPLE = "StringMatch match value must have exactly one of the following: exact, regex, prefix"
_MATCH_MISSING = "StringMatch value missed, match value must have one of the following: exact, regex, prefix"


def step_errors(spec: RolloutSpec, step: CanaryStep, where: Place, controller: Controller) -> Iterator[SpecError]:
    """Errors of one step of a canary in this release's order; ``where`` is the step."""
    canary = spec.canary or CanaryStrategy()
    yield from _step_kind_errors(step, where, controller)
    limit = max_weight(spec)
    if step.set_weight is not None and not 0 <= step.set_weight <= limit:
        yield invalid(where.at("setWeight"), step.set_weight, f"SetWeight needs to be between 0 and {limit}")
    if step.pause is not None and pause_seconds(step.pause) < 0:
        seconds = pause_seconds(step.pause)
        yield invalid(where.at("pause", "duration"), seconds, "Duration needs to be greater than 0")
    if step.set_canary_scale is not None and canary.traffic_routing is None:
        error = required(CANARY.at("trafficRouting"), "SetCanaryScale requires TrafficRouting to be set")
        yield SpecError(where.at("setCanaryScale").path, error.message)
    yield from _route_errors(canary, step, where, controller)
    if step.experiment is not None:
        yield from _experiment_errors(canary, step.experiment, where.at("experiment", "templates"), controller)
    yield from _argument_errors(spec, step, where)


def _step_kind_errors(step: CanaryStep, where: Place, controller: Controller) -> Iterator[SpecError]:
    """More than one of the four exclusive kinds, or no kind at all."""
    has_plugins = controller.is_since(Controller.ARGO_1_8)
    kinds = (*_STEP_KINDS, *_MORE_STEP_KINDS) if has_plugins else (*_STEP_KINDS, *_MORE_STEP_KINDS[:-1])
    present = {kind: getattr(step, kind) is not None for kind in kinds}
    detail = _STEP.format(", plugin" if has_plugins else "")
    if sum(present[kind] for kind in _STEP_KINDS) > 1:
        yield invalid(where, _flags({kind: present[kind] for kind in _STEP_KINDS}), detail)
    if not any(present.values()):
        # What it prints is whether each kind is absent.
        absent = _flags({kind: not there for kind, there in present.items()})
        yield invalid(where, absent if has_plugins else absent.replace("SetMirrorRoute", "SetMirrorRoutes"), detail)


def _flags(values: dict[str, bool]) -> str:
    named = {"".join(part.capitalize() for part in kind.split("_")): value for kind, value in values.items()}
    return " ".join(f"step.{name}: {str(value).lower()}" for name, value in named.items())


def _route_errors(
    canary: CanaryStrategy, step: CanaryStep, where: Place, controller: Controller
) -> Iterator[SpecError]:
    """Header and mirror routes: which routers know them, what a match needs, and that the route is managed."""
    kinds = set(canary.traffic_routing.kinds) if canary.traffic_routing is not None else set()
    if step.set_header_route is not None:
        plugins = {"plugins"} if controller.is_since(Controller.ARGO_1_7) else set()
        if not {"istio", "alb", "apisix", *plugins} & kinds:
            detail = "SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix"
            yield invalid(where.at("setHeaderRoute"), json.loads(step.set_header_route.written), detail)
        else:
            yield from _match_errors(step.set_header_route, kinds, where.at("setHeaderRoute", "match"))
    takes_plugins = controller.is_since(Controller.ARGO_1_10_RC1)
    if step.set_mirror_route is not None and not ({"istio", "plugins"} if takes_plugins else {"istio"}) & kinds:
        routers = "Istio and Plugins" if takes_plugins else "Istio only"
        detail = f"SetMirrorRoute requires TrafficRouting, supports {routers}"
        yield invalid(where.at("setMirrorRoute"), json.loads(step.set_mirror_route.written), detail)
    if step.set_mirror_route is not None:
        yield from _mirror_match_errors(step.set_mirror_route, where.at("setMirrorRoute", "match"))
    yield from _managed_errors(canary, step, where)


def _match_errors(route: HeaderRoute, kinds: set[str], where: Place) -> Iterator[SpecError]:
    for index, match in enumerate(json.loads(route.written).get("match", ())):
        value = match["headerValue"]
        if value is not None and "alb" in kinds:
            if list(value) != ["exact"]:
                detail = "SetHeaderRoute match value invalid. ALB supports 'exact' value only"
                yield invalid(where.at(index), value, detail)
        else:
            yield from _string_match_errors(value, where.at(index))


def _mirror_match_errors(route: MirrorRoute, where: Place) -> Iterator[SpecError]:
    """A method is looked at twice, as upstream does; headers are not looked at."""
    for index, match in enumerate(json.loads(route.written).get("match", ())):
        for part in ("method", "path", "method"):
            if part in match:
                yield from _string_match_errors(match[part], where.at(index))


def _string_match_errors(value: dict[str, str] | None, where: Place) -> Iterator[SpecError]:
    """Anything but exactly one way of matching. Source: ``validation.go:522-551``."""
    if not value:
        yield invalid(where, value, _MATCH_MISSING)
    elif len(value) > 1:
        yield invalid(where, value, _MATCH_MULTIPLE)


def _managed_errors(canary: CanaryStrategy, step: CanaryStep, where: Place) -> Iterator[SpecError]:
    named = {"setHeaderRoute": step.set_header_route, "setMirrorRoute": step.set_mirror_route}
    routes = {key: route.name for key, route in named.items() if route is not None}
    if canary.traffic_routing is None or not routes:
        return
    managed = canary.traffic_routing.managed_routes
    if managed is None:
        detail = "Rollout has missing field 'spec.strategy.canary.trafficRouting.managedRoutes'"
        yield required(CANARY.at("trafficRouting", "managedRoutes"), detail)
        return
    for key, name in routes.items():
        if name not in managed:
            yield invalid(where.at(key), name, _UNKNOWN_ROUTE)


def _experiment_errors(
    canary: CanaryStrategy, experiment: Experiment, where: Place, controller: Controller
) -> Iterator[SpecError]:
    """Weights of experiment templates need a router that can give them."""
    kinds, routers = {"alb", "smi", "istio"}, "SMI, ALB, and Istio"
    if controller.is_since(Controller.ARGO_1_8):
        kinds, routers = kinds | {"plugins"}, "SMI, ALB, Istio and Plugins"
    for index, template in enumerate(experiment.templates):
        if template.weight is None:
            continue
        if canary.traffic_routing is None:
            detail = "Experiment template weight cannot be set unless TrafficRouting is enabled"
        elif not kinds & set(canary.traffic_routing.kinds):
            detail = f"Experiment template weight is only available for TrafficRouting with {routers} at this time"
        else:
            continue
        yield invalid(where.at(index, "weight"), template.weight, detail)


def _argument_errors(spec: RolloutSpec, step: CanaryStep, where: Place) -> Iterator[SpecError]:
    """Arguments taken from metadata that the downward API does not know."""
    analyses = [one.ref for one in step.experiment.analyses] if step.experiment is not None else []
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
