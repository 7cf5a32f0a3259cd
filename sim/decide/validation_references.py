"""What the controller refuses of the objects a Rollout refers to.

Source: behaviour reference 10 and 11.1 (Argo Rollouts ``validation/validation_references.go``,
``rollout/controller.go:646-760``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sim.decide.arguments import RunContext, TemplateError, merge, values_for_run
from sim.decide.assessment import effective_count
from sim.decide.field_errors import Place, SpecError, invalid, place
from sim.decide.templates import flattened, parse_metric, resolved_object, template_named, templates_of
from sim.decide.validation_ingress import ingress_errors, mapping_errors, missing_ingresses, missing_mappings
from sim.decide.validation_istio import missing_virtual_services, virtual_service_errors
from sim.model.analysis import AnalysisRef, AnalysisTemplate, Argument, TemplateRef
from sim.model.controller import Controller
from sim.model.manifests import ManifestSet
from sim.model.rollout import RolloutSpec

_HASH_LABEL = "rollouts-pod-template-hash"
_CANARY = place("spec", "strategy", "canary")
_BLUE_GREEN = place("spec", "strategy", "blueGreen")
_PLACEHOLDER = "dummy-value"
_DUMMY_HASHES = RunContext(canary_hash="dummy-new-hash", stable_hash="dummy-stable-hash")


@dataclass(frozen=True, slots=True)
class AnalysisUse:
    """One ``analysis`` block of a Rollout and the field of its templates."""

    ref: AnalysisRef
    where: Place
    background: bool = False


def reference_errors(spec: RolloutSpec, manifests: ManifestSet, controller: Controller) -> Iterator[SpecError]:
    """Errors of everything the Rollout refers to: first what is missing, then what does not fit."""
    uses = analysis_uses(spec)
    yield from _missing_services(spec, manifests)
    for use in uses:
        yield from _missing_templates(use, spec, manifests, controller)
    yield from missing_ingresses(spec, manifests)
    yield from missing_virtual_services(spec, manifests)
    yield from missing_mappings(spec, manifests)
    yield from _service_errors(spec, manifests)
    for use in uses:
        yield from _analysis_errors(use, spec, manifests, controller)
    yield from ingress_errors(spec, manifests)
    yield from virtual_service_errors(spec, manifests)
    yield from mapping_errors(spec, manifests)


def analysis_uses(spec: RolloutSpec) -> tuple[AnalysisUse, ...]:
    """Every ``analysis`` block of a Rollout, in the order in which the controller looks at them."""
    if spec.blue_green is not None:
        pre, post = spec.blue_green.pre_promotion, spec.blue_green.post_promotion
        blocks = ((pre, "prePromotionAnalysis"), (post, "postPromotionAnalysis"))
        return tuple(AnalysisUse(ref, _BLUE_GREEN.at(key, "templates")) for ref, key in blocks if ref is not None)
    if spec.canary is None:
        return ()
    steps = [
        AnalysisUse(step.analysis, _CANARY.at("steps", index, "analysis", "templates"))
        for index, step in enumerate(spec.canary.steps)
        if step.analysis is not None
    ]
    if spec.canary.analysis is not None:
        steps.append(AnalysisUse(spec.canary.analysis, _CANARY.at("analysis", "templates"), background=True))
    return tuple(steps)


def _services_of(spec: RolloutSpec) -> Iterator[tuple[str, Place]]:
    if spec.blue_green is not None:
        yield spec.blue_green.active_service, _BLUE_GREEN.at("activeService")
        yield spec.blue_green.preview_service, _BLUE_GREEN.at("previewService")
    elif spec.canary is not None:
        yield spec.canary.stable_service, _CANARY.at("stableService")
        yield spec.canary.canary_service, _CANARY.at("canaryService")
        for name, key in zip(spec.canary.ping_pong or (), ("pingService", "pongService"), strict=False):
            yield name, _CANARY.at("pingPong", key)


def _missing_services(spec: RolloutSpec, manifests: ManifestSet) -> Iterator[SpecError]:
    there = {service.name for service in manifests.services if service.namespace == spec.namespace}
    for name, where in _services_of(spec):
        if name and name not in there:
            yield invalid(where, name, f'service "{name}" not found')


def _service_errors(spec: RolloutSpec, manifests: ManifestSet) -> Iterator[SpecError]:
    """Selector labels that the pods will not have. A template taken from a Deployment is that Deployment's."""
    by_name = {service.name: service for service in manifests.services if service.namespace == spec.namespace}
    labels = _pod_labels(spec, manifests)
    if labels is None:
        return
    for name, where in _services_of(spec):
        for key, value in by_name[name].selector if name in by_name else ():
            if key != _HASH_LABEL and labels.get(key) != value:
                yield invalid(where, name, f'Service "{name}" has unmatch label "{key}" in rollout')


def _pod_labels(spec: RolloutSpec, manifests: ManifestSet) -> dict[str, str] | None:
    if not spec.workload_ref:
        return dict(spec.template.labels)
    named = (d for d in manifests.deployments if (d.name, d.namespace) == (spec.workload_ref, spec.namespace))
    deployment = next(named, None)
    return None if deployment is None else dict(deployment.template.labels)


def _missing_templates(
    use: AnalysisUse, spec: RolloutSpec, manifests: ManifestSet, controller: Controller
) -> Iterator[SpecError]:
    """Templates that do not exist, directly or as part of another; a ring is followed once."""
    seen: set[tuple[bool, str]] = set()
    waiting: list[tuple[TemplateRef, Place, AnalysisTemplate | None]] = [
        (ref, use.where, None) for ref in use.ref.templates
    ]
    while waiting:
        reference, at, owner = waiting.pop(0)
        if (reference.cluster_scope, reference.name) in seen:
            continue
        seen.add((reference.cluster_scope, reference.name))
        found = _find(reference, spec.namespace, manifests)
        if found is None:
            kind = "ClusterAnalysisTemplate" if reference.cluster_scope else "AnalysisTemplate"
            error = invalid(at, reference.name, f"{kind} '{reference.name}' not found")
            yield error if owner is None else replace(error, kind=_kind(owner), name=owner.name)
        elif controller.is_since(Controller.ARGO_1_7):
            waiting += [(inner, place("spec", "templates"), found) for inner in found.templates]


def _kind(template: AnalysisTemplate) -> str:
    return "ClusterAnalysisTemplate" if template.cluster_scoped else "AnalysisTemplate"


def _find(reference: TemplateRef, namespace: str, manifests: ManifestSet) -> AnalysisTemplate | None:
    try:
        return template_named(reference, manifests, namespace)
    except TemplateError:
        return None


def _analysis_errors(
    use: AnalysisUse, spec: RolloutSpec, manifests: ManifestSet, controller: Controller
) -> Iterator[SpecError]:
    try:
        templates = templates_of(use.ref.templates, manifests, spec.namespace, controller)
    except TemplateError:
        return  # reported as missing
    names = " ".join(template.name for template in templates)
    error = _merge_error(use, templates, spec)
    if error:
        yield invalid(use.where, f"templateNames: [{names}]", error)
    if not use.background:
        # Argo looks here only once the templates merge; a reader wants to know now.
        for template in templates:
            yield from _inline_errors(template, use.where)


def _merge_error(use: AnalysisUse, templates: Sequence[AnalysisTemplate], spec: RolloutSpec) -> str:
    """Why the templates do not make one run; every step's own rules are tried on each of them, as upstream."""
    try:
        template = flattened(templates)
        merge(_rollout_values(use, spec), template.args)
        for step in spec.canary.steps if spec.canary is not None else ():
            if step.analysis is not None:
                own = AnalysisTemplate("", dry_run=step.analysis.dry_run, retention=step.analysis.retention)
                flattened([own, replace(template, metrics_json=(), args=())])
    except TemplateError as error:
        return error.message
    return ""


def _rollout_values(use: AnalysisUse, spec: RolloutSpec) -> tuple[Argument, ...]:
    try:
        return values_for_run(use.ref.args, spec, _DUMMY_HASHES, strict=False)
    except TemplateError:
        return ()


def _inline_errors(template: AnalysisTemplate, where: Place) -> Iterator[SpecError]:
    """Metrics of an analysis that must come to an end, tried with dummy values for what has none."""
    try:
        arguments = tuple(_dummy(argument) for argument in template.args)
        metrics = [resolved_object(text, arguments) for text in template.metrics_json]
        counts = [(obj, effective_count(parse_metric(obj))) for obj in metrics]
    except TemplateError as error:
        yield invalid(where, template.name, f"AnalysisTemplate {template.name}: {error.message}")
        return
    for obj, count in counts:
        if count is None:
            written = _count_text(obj)
            ending = f"which runs indefinitely. Invalid value for count: {written}"
            name = obj.get("name", "")
            yield invalid(where, template.name, f"AnalysisTemplate {template.name} has metric {name} {ending}")


def _count_text(obj: dict[str, Any]) -> str:
    return "<nil>" if obj.get("count") is None else str(obj["count"])


def _dummy(argument: Argument) -> Argument:
    sourced = argument.secret is not None or argument.field_path is not None or argument.pod_template_hash is not None
    if sourced and argument.value is not None:
        msg = f"arg '{argument.name}' has both Value and ValueFrom fields"
        raise TemplateError(msg)
    return argument if argument.value is not None else Argument(argument.name, _PLACEHOLDER)
