"""What Kubernetes refuses of a selector and a pod template, in fields the twin does not read.

The Rollout controller runs the API server's own validation of a ReplicaSet's pod template, so an invalid one is only
found after the Rollout has been applied. Source: Argo Rollouts ``validation/validation.go:110-165``, ``k8s.io/kubernetes``
1.34 ``ValidatePodTemplateSpecForReplicaSet``. Left out: what ``containers`` leaves out, sources of volumes, affinity, DNS,
tolerations and topology.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scenarios.manifests.build import names
from scenarios.manifests.build.containers import container_problems, init_container_problems
from scenarios.manifests.build.reading import items, mapping, mappings, text
from sim.decide.field_errors import Place, SpecError, duplicate, forbidden, invalid, place, required, unsupported
from sim.model.pods import FieldProblem

_SELECTOR, _TEMPLATE = place("spec", "selector"), place("spec", "template")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")


def selector_problems(selector: dict[str, Any]) -> tuple[FieldProblem, ...]:
    """Problems of a selector that is written."""
    return _problems(_selector(selector))


def template_problems(template: dict[str, Any]) -> tuple[FieldProblem, ...]:
    """Problems of a pod template of a Rollout or a Deployment."""
    return _problems(_template(template))


def _problems(errors: Iterator[SpecError]) -> tuple[FieldProblem, ...]:
    return tuple(FieldProblem(error.path, error.message) for error in errors)


def _selector(selector: dict[str, Any]) -> Iterator[SpecError]:
    matched = {key: value for key, value in mapping(selector, "matchLabels").items() if value is not None}
    yield from names.labels(_SELECTOR.at("matchLabels"), matched)
    expressions = list(mappings(selector, "matchExpressions"))
    for index, expression in enumerate(expressions):
        yield from _expression(_SELECTOR.at("matchExpressions", index), expression)
    if not matched and not expressions:
        yield invalid(_SELECTOR, {}, "empty selector is invalid for deployment")


def _expression(at: Place, expression: dict[str, Any]) -> Iterator[SpecError]:
    operator, values = text(expression, "operator"), items(expression, "values")
    if operator in {"In", "NotIn"}:
        if not values:
            yield required(at.at("values"), "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            yield forbidden(at.at("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    else:
        yield invalid(at.at("operator"), operator, "not a valid selector operator")
    yield from names.label_name(at.at("key"), text(expression, "key"))


def _template(template: dict[str, Any]) -> Iterator[SpecError]:
    yield from names.labels(_TEMPLATE.at("metadata", "labels"), mapping(template, "metadata", "labels"))
    at, spec = _TEMPLATE.at("spec"), mapping(template, "spec")
    yield from _pod(at, spec)
    policy = text(spec, "restartPolicy")
    if policy in {"OnFailure", "Never"}:
        yield unsupported(at.at("restartPolicy"), policy, ["Always"])
    if spec.get("activeDeadlineSeconds") is not None:
        yield forbidden(at.at("activeDeadlineSeconds"), "activeDeadlineSeconds in ReplicaSet is not Supported")


def _pod(at: Place, spec: dict[str, Any]) -> Iterator[SpecError]:
    yield from _volumes(at.at("volumes"), spec)
    volumes = frozenset(text(volume, "name") for volume in mappings(spec, "volumes"))
    containers = items(spec, "containers")
    yield from container_problems(at.at("containers"), containers, volumes)
    yield from init_container_problems(at.at("initContainers"), items(spec, "initContainers"), containers, volumes)
    if (policy := text(spec, "restartPolicy")) not in {"", "Always", "OnFailure", "Never"}:
        yield unsupported(at.at("restartPolicy"), policy, ["Always", "OnFailure", "Never"])
    if (policy := text(spec, "dnsPolicy")) not in {"", *_DNS_POLICIES}:
        yield unsupported(at.at("dnsPolicy"), policy, _DNS_POLICIES)
    yield from names.labels(at.at("nodeSelector"), mapping(spec, "nodeSelector"))
    for field in ("hostname", "subdomain"):
        if text(spec, field):
            yield from names.dns_label(at.at(field), text(spec, field))


def _volumes(where: Place, spec: dict[str, Any]) -> Iterator[SpecError]:
    seen: set[str] = set()
    for index, volume in enumerate(mappings(spec, "volumes")):
        at, name = where.at(index), text(volume, "name")
        sources = [key for key, source in volume.items() if key != "name" and isinstance(source, dict)]
        for source in sources[1:]:
            yield forbidden(at.at(source), "may not specify more than 1 volume type")
        yield from names.dns_label(at.at("name"), name) if name else [required(at.at("name"))]
        if name in seen:
            yield duplicate(at.at("name"), name)
        seen |= {name} if name else set()
