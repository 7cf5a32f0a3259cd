"""RT42x: pods that lose requests when they come, go or share a node."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.findings import Severity
from scenarios.manifests import Document
from scenarios.rules.context import Context, space
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.tree import dig, entries, labels, mapping, sequence, text, whole

_ROUTED = ("Rollout", "Deployment")


def _serving(context: Context) -> Iterator[Document]:
    """Workloads with a pod template that some Service selects."""
    selected = {id(workload) for service in context.of_kind("Service") for workload in context.service_selects(service)}
    for workload in context.of_kind(*_ROUTED):
        if id(workload) in selected and sequence(workload.data, "spec", "template", "spec", "containers"):
            yield workload


def no_pre_stop(context: Context) -> Iterator[Hit]:
    """Serving pods that exit as soon as they are told to."""
    for workload in _serving(context):
        containers = list(entries(workload.data, "spec", "template", "spec", "containers"))
        if not any(mapping(container, "lifecycle", "preStop") for _, container in containers):
            message = (
                f"pods of {workload.kind} {workload.name!r} have no preStop hook: requests that arrive before every router has "
                f"learnt of their end fail with 502 or 503, at every scale-down of every release"
            )
            yield Hit(workload, ("spec", "template", "spec", "containers"), message)


def no_disruption_budget(context: Context) -> Iterator[Hit]:
    """Serving workloads of several pods that a node drain may take at once."""
    budgets = context.of_kind("PodDisruptionBudget")
    for workload in _serving(context):
        pod_labels = labels(workload.data, "spec", "template", "metadata", "labels")
        covered = any(
            space(budget) == space(workload)
            and labels(budget.data, "spec", "selector", "matchLabels").items() <= pod_labels.items()
            for budget in budgets
        )
        if not covered and (whole(dig(workload.data, "spec", "replicas")) or 1) > 1:
            message = f"no PodDisruptionBudget covers the pods of {workload.kind} {workload.name!r}"
            yield Hit(workload, ("metadata", "name"), message)


def no_readiness(context: Context) -> Iterator[Hit]:
    """Serving pods that get traffic before they can answer."""
    for workload in _serving(context):
        containers = list(entries(workload.data, "spec", "template", "spec", "containers"))
        if not any(mapping(container, "readinessProbe") for _, container in containers):
            message = f"pods of {workload.kind} {workload.name!r} have no readinessProbe: they get traffic as soon as they start"
            yield Hit(workload, ("spec", "template", "spec", "containers"), message)


def no_request(context: Context) -> Iterator[Hit]:
    """Serving containers without a CPU request."""
    for workload in _serving(context):
        for path, container in entries(workload.data, "spec", "template", "spec", "containers"):
            if not text(container, "resources", "requests", "cpu"):
                message = f"container {text(container, 'name')!r} of {workload.kind} {workload.name!r} requests no CPU"
                yield Hit(workload, path, message)


RULES = (
    Rule(
        "RT420",
        "no-pre-stop",
        Severity.WARNING,
        "A pod that is told to stop is taken out of the routes at the same moment, not before: for a second or two it still "
        "receives requests.",
        "lifecycle.preStop: a sleep of about 10 s, with terminationGracePeriodSeconds well above it",
        no_pre_stop,
    ),
    Rule(
        "RT421",
        "no-disruption-budget",
        Severity.WARNING,
        "Without a budget, draining nodes may evict every pod of a service at once.",
        "a PodDisruptionBudget with minAvailable: 80% for these pods",
        no_disruption_budget,
    ),
    Rule(
        "RT422",
        "no-readiness-probe",
        Severity.WARNING,
        "Without a readiness probe a container counts as ready once it runs; a release then fails its first requests.",
        "add a readinessProbe that answers only when requests can be served",
        no_readiness,
    ),
    Rule(
        "RT423",
        "no-cpu-request",
        Severity.INFO,
        "Pods without requests are packed without limit, and the canary's extra pods slow the others down.",
        "resources.requests.cpu",
        no_request,
    ),
)
