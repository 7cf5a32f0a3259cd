"""Pod templates and Deployments."""

from __future__ import annotations

import re
from typing import Any

from scenarios.manifests.build.reading import (
    amount,
    int_or_percent,
    integer,
    labels,
    mapping,
    mappings,
    text,
    texts,
)  # fmt: skip
from scenarios.manifests.build.templates import template_problems
from sim.model.pods import DeploymentSpec, Labels, PodTemplate, Probe, labels_of
from sim.model.units import IntOrPercent

_SLEEP = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?)")
_QUARTER = IntOrPercent(25, percent=True)


def deployment(data: dict[str, Any], name: str, namespace: str) -> DeploymentSpec:
    """A Deployment; defaults are the API server's."""
    spec = mapping(data, "spec")
    replicas, deadline = integer(spec, "replicas"), integer(spec, "progressDeadlineSeconds")
    rolling = mapping(spec, "strategy", "rollingUpdate")
    return DeploymentSpec(
        name=name,
        namespace=namespace,
        replicas=1 if replicas is None else replicas,
        selector=labels(spec, "selector", "matchLabels"),
        template=pod_template(mapping(spec, "template")),
        min_ready_s=float(integer(spec, "minReadySeconds") or 0),
        progress_deadline_s=600.0 if deadline is None else float(deadline),
        max_surge=int_or_percent(rolling, "maxSurge") or _QUARTER,
        max_unavailable=int_or_percent(rolling, "maxUnavailable") or _QUARTER,
        recreate=text(spec, "strategy", "type") == "Recreate",
        labels=labels(data, "metadata", "labels"),
        problems=template_problems(mapping(spec, "template")),
    )


def pod_template(template: dict[str, Any]) -> PodTemplate:
    """What the twin reads of a pod template: the first container's image, probes and environment, all requests."""
    spec = mapping(template, "spec")
    containers = list(mappings(spec, "containers"))
    main = containers[0] if containers else {}
    grace = integer(spec, "terminationGracePeriodSeconds")
    return PodTemplate(
        labels=labels(template, "metadata", "labels"),
        annotations=labels(template, "metadata", "annotations"),
        container=text(main, "name"),
        image=text(main, "image"),
        cpu_request=sum(_request(container, "cpu") for container in containers),
        memory_request=sum(_request(container, "memory") for container in containers),
        memory_limit=amount(main, "resources", "limits", "memory"),
        readiness=_probe(main, "readinessProbe"),
        liveness=_probe(main, "livenessProbe"),
        startup=_probe(main, "startupProbe"),
        termination_grace_s=30.0 if grace is None else float(grace),
        pre_stop_s=_pre_stop_s(mapping(main, "lifecycle", "preStop")),
        env=_env(main),
    )


def _request(container: dict[str, Any], resource: str) -> float:
    """The request; a limit without one is the request, as the API server defaults it."""
    resources = mapping(container, "resources")
    request = amount(resources, "requests", resource)
    return request if request is not None else amount(resources, "limits", resource) or 0.0


def _probe(container: dict[str, Any], kind: str) -> Probe | None:
    if not (probe := mapping(container, kind)):
        return None
    # The API server replaces a zero by the default for all fields but the initial delay.
    return Probe(
        initial_delay_s=float(integer(probe, "initialDelaySeconds") or 0),
        period_s=float(integer(probe, "periodSeconds") or 10),
        timeout_s=float(integer(probe, "timeoutSeconds") or 1),
        success_threshold=integer(probe, "successThreshold") or 1,
        failure_threshold=integer(probe, "failureThreshold") or 3,
    )


def _pre_stop_s(hook: dict[str, Any]) -> float:
    """Seconds of ``sleep: {seconds: n}``, ``["sleep", "n"]`` or a shell line with ``sleep n``."""
    native = integer(hook, "sleep", "seconds")
    if native is not None:
        return float(native)
    found = _SLEEP.search(" ".join(texts(hook, "exec", "command")))
    return float(found[1]) if found else 0.0


def _env(container: dict[str, Any]) -> Labels:
    return labels_of(
        {text(entry, "name"): text(entry, "value") for entry in mappings(container, "env") if "value" in entry}
    )
