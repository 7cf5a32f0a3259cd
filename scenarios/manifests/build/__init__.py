"""Documents to the model's values, and what the cluster would refuse of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from scenarios.manifests.build import analysis, gateway, gitops, network, rollouts, workloads
from scenarios.manifests.documents import Document, Documents
from scenarios.manifests.schema import REFUSED, pruned, refusal_message
from sim.model.manifests import ManifestSet, Refusal

T = TypeVar("T")
_AMBASSADOR = ("getambassador.io", "x.getambassador.io")


def typed(documents: Documents) -> ManifestSet:
    """Every object the model knows, read as if offending fields had been pruned, and a refusal for each offender.

    Objects without a name are left out (they have a refusal); of objects written twice the last one wins, as applied.
    A missing namespace is ``default``, for Argo CD's own kinds ``argocd``.
    """
    read = partial(_read, documents)
    return ManifestSet(
        rollouts=read("argoproj.io", "Rollout", rollouts.rollout),
        analysis_templates=(
            *read("argoproj.io", "AnalysisTemplate", partial(analysis.template, cluster_scoped=False)),
            *read("argoproj.io", "ClusterAnalysisTemplate", partial(analysis.template, cluster_scoped=True)),
        ),
        deployments=read("apps", "Deployment", workloads.deployment),
        services=read("", "Service", network.service),
        virtual_services=read("networking.istio.io", "VirtualService", network.virtual_service),
        destination_rules=read("networking.istio.io", "DestinationRule", network.destination_rule),
        applications=read("argoproj.io", "Application", gitops.application, "argocd"),
        application_sets=read("argoproj.io", "ApplicationSet", gitops.application_set, "argocd"),
        projects=read("argoproj.io", "AppProject", gitops.project, "argocd"),
        ingresses=read("networking.k8s.io", "Ingress", network.ingress),
        gateway_routes=read("gateway.networking.k8s.io", "HTTPRoute", gateway.http_route),
        mappings=tuple(
            mapping for group in _AMBASSADOR for mapping in read(group, "Mapping", network.ambassador_mapping)
        ),
        other_workloads=tuple(
            (item.kind, item.namespace or "default", item.name)
            for item in documents.of_kind("ReplicaSet", "PodTemplate")
        ),
        refusals=tuple(_refusals(documents)),
    )


def _read(
    documents: Documents,
    group: str,
    kind: str,
    build: Callable[[dict[str, Any], str, str], T],
    namespace: str = "default",
) -> tuple[T, ...]:
    objects: dict[tuple[str, str], T] = {}
    for document in documents.of_kind(kind):
        if document.group == group and document.name:
            where = document.namespace or namespace
            objects[document.name, where] = build(pruned(document), document.name, where)
    return tuple(objects.values())


def _refusals(documents: Documents) -> Iterator[Refusal]:
    for lost in documents.unreadable:
        yield Refusal(lost.kind, lost.name, lost.message, lost.file, lost.line)
    for document in documents.objects:
        if message := refusal_message(document) or _invalid_deployment(document):
            yield _refusal(document, message)


def _invalid_deployment(document: Document) -> str:
    """What the API server finds beyond the schema of a Deployment, '' if it takes it."""
    if (document.group, document.kind) != ("apps", "Deployment"):
        return ""
    messages = [problem.message for problem in workloads.deployment(pruned(document), document.name, "").problems]
    body = messages[0] if len(messages) == 1 else f"[{', '.join(messages)}]"
    return f'Deployment.apps "{document.name}" is invalid: {body}' if messages else ""


def _refusal(document: Document, message: str) -> Refusal:
    line = min((finding.line for finding in document.problems if finding.code in REFUSED), default=document.line)
    return Refusal(document.kind, document.name, message, document.file, line)
