"""Analysis templates and the references to them."""

from __future__ import annotations

from typing import Any

from scenarios.manifests.build.reading import flag, integer, json_text, mapping, mappings, text, value
from sim.model.analysis import AnalysisRef, AnalysisTemplate, Argument, SecretRef, TemplateRef


def template(data: dict[str, Any], name: str, namespace: str, *, cluster_scoped: bool) -> AnalysisTemplate:
    """An AnalysisTemplate or ClusterAnalysisTemplate, its metrics as JSON text because arguments may be anywhere."""
    spec = mapping(data, "spec")
    return AnalysisTemplate(
        name=name,
        namespace="" if cluster_scoped else namespace,
        cluster_scoped=cluster_scoped,
        args=_arguments(spec),
        metrics_json=tuple(json_text(metric) for metric in mappings(spec, "metrics")),
        dry_run=_dry_run(spec),
        retention=_retention(spec),
        templates=_templates(spec),
    )


def reference(block: dict[str, Any]) -> AnalysisRef:
    """An ``analysis`` block of a step or of a strategy."""
    return AnalysisRef(
        templates=_templates(block),
        args=_arguments(block),
        dry_run=_dry_run(block),
        retention=_retention(block),
        starting_step=integer(block, "startingStep"),
    )


def optional_reference(data: dict[str, Any], key: str) -> AnalysisRef | None:
    """The reference under a key, or None where it is not written; ``{}`` is a reference without templates."""
    return reference(mapping(data, key)) if isinstance(data.get(key), dict) else None


def _arguments(block: dict[str, Any]) -> tuple[Argument, ...]:
    return tuple(_argument(entry) for entry in mappings(block, "args"))


def _argument(entry: dict[str, Any]) -> Argument:
    raw, source = value(entry, "value"), mapping(entry, "valueFrom")
    secret = mapping(source, "secretKeyRef")
    return Argument(
        name=text(entry, "name"),
        value=raw if isinstance(raw, str) else None,
        secret=SecretRef(text(secret, "name"), text(secret, "key")) if secret else None,
        pod_template_hash=text(source, "podTemplateHashValue") or None,
        field_path=text(source, "fieldRef", "fieldPath") or None,
    )


def _templates(block: dict[str, Any]) -> tuple[TemplateRef, ...]:
    return tuple(
        TemplateRef(text(entry, "templateName"), flag(entry, "clusterScope")) for entry in mappings(block, "templates")
    )


def _dry_run(block: dict[str, Any]) -> tuple[str, ...]:
    return tuple(text(entry, "metricName") for entry in mappings(block, "dryRun"))


def _retention(block: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    return tuple(
        (text(entry, "metricName"), integer(entry, "limit") or 0) for entry in mappings(block, "measurementRetention")
    )
