"""From AnalysisTemplates to a run: parse metrics, flatten templates, resolve arguments.

Source: behaviour reference 2.5-2.7 (Argo Rollouts ``utils/analysis/helpers.go:257-460``, ``rollout/analysis.go:508-545``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sim.decide.arguments import (
    RunContext,
    TemplateError,
    flatten,
    merge,
    substitute,
    values_for_run,
    with_placeholders,
    with_secrets,
)
from sim.decide.metric_rules import dry_run_names, duration_error, kept_measurements, metrics_error
from sim.decide.releases import metric_known_to
from sim.model.analysis import (
    AnalysisRef,
    AnalysisRunSpec,
    AnalysisTemplate,
    Argument,
    DatadogProvider,
    Metric,
    OtherProvider,
    PrometheusProvider,
    Provider,
    RangeQuery,
    TemplateRef,
)
from sim.model.controller import NEWEST, Controller
from sim.model.manifests import ManifestSet
from sim.model.rollout import RolloutSpec
from sim.model.units import go_duration_s

__all__ = [
    "RunContext",
    "TemplateError",
    "flattened",
    "parse_metric",
    "resolve",
    "resolve_metric",
    "resolved_object",
    "templates_of",
]

_METRIC_FIELDS = (
    "name", "interval", "initialDelay", "count", "successCondition", "failureCondition", "failureLimit",
    "inconclusiveLimit", "consecutiveErrorLimit", "provider", "consecutiveSuccessLimit",
)  # fmt: skip
_PROVIDERS = (
    "prometheus", "kayenta", "web", "datadog", "wavefront", "newRelic", "job", "cloudWatch", "graphite", "influxdb",
    "skywalking", "plugin",
)  # fmt: skip
_PROVIDER_FIELDS = {
    "prometheus": ("address", "query", "authentication", "timeout", "insecure", "headers", "rangeQuery"),
    "datadog": ("interval", "query", "queries", "formula", "apiVersion", "aggregator", "secretRef", "requestTimeout"),
}
_MAX_DEPTH = 32
"""Templates that refer to each other in a ring would never end; Argo itself overflows its stack."""


def parse_metric(obj: Mapping[str, Any]) -> Metric:
    """The metric a JSON object means; TemplateError in the words of Go's decoder if a field has the wrong type.

    Counts and limits are whole numbers or digits in a string; any other string counts as 0, as in Kubernetes'
    IntOrString. Unknown fields are ignored: the API server has pruned them.
    """
    return Metric(
        name=_text(obj, "name"),
        providers=_providers(obj.get("provider") or {}),
        interval=_text(obj, "interval") or None,
        initial_delay=_text(obj, "initialDelay") or None,
        count=_int_or_string(obj, "count"),
        success_condition=_text(obj, "successCondition"),
        failure_condition=_text(obj, "failureCondition"),
        failure_limit=_int_or_string(obj, "failureLimit"),
        inconclusive_limit=_int_or_string(obj, "inconclusiveLimit"),
        consecutive_error_limit=_int_or_string(obj, "consecutiveErrorLimit"),
        consecutive_success_limit=_int_or_string(obj, "consecutiveSuccessLimit"),
    )


def _text(obj: Mapping[str, Any], key: str, struct: str = "Metric") -> str:
    value = obj.get(key)
    if value is not None and not isinstance(value, str):
        msg = f"json: cannot unmarshal {_json_type(value)} into Go struct field {struct}.{key} of type string"
        raise TemplateError(msg, in_run=True)
    return value or ""


def _int_or_string(obj: Mapping[str, Any], key: str) -> int | None:
    value = obj.get(key)
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"[+-]?[0-9]+", value) else 0
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    msg = f"json: cannot unmarshal {_json_type(value)} into Go struct field Metric.{key} of type int32"
    raise TemplateError(msg, in_run=True)


def _json_type(value: Any) -> str:
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "bool"),
        ((int, float), "number"),
        (str, "string"),
        (list, "array"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "object")


def _providers(obj: Mapping[str, Any]) -> tuple[Provider, ...]:
    found: list[Provider] = []
    for kind in _PROVIDERS:
        config = obj.get(kind)
        if config is None:
            continue
        if kind == "plugin":
            found += [OtherProvider("plugin", json.dumps({name: value})) for name, value in config.items()]
        else:
            found.append(_provider(kind, config))
    return tuple(found)


def _provider(kind: str, config: Mapping[str, Any]) -> Provider:
    if kind == "prometheus":
        return PrometheusProvider(
            query=_text(config, "query", "PrometheusMetric"),
            address=_text(config, "address", "PrometheusMetric"),
            timeout_s=float(config.get("timeout") or 30.0),
            range_query=_range_query(config.get("rangeQuery")),
        )
    if kind == "datadog":
        return _datadog(config)
    return OtherProvider(kind, json.dumps(config))


def _range_query(config: Any) -> RangeQuery | None:
    if config is None:
        return None
    if not isinstance(config, Mapping):
        msg = (
            f"json: cannot unmarshal {_json_type(config)} into Go struct field PrometheusMetric.rangeQuery of type "
            "v1alpha1.PrometheusRangeQueryArgs"
        )
        raise TemplateError(msg, in_run=True)
    start, end, step = (_text(config, key, "PrometheusRangeQueryArgs") for key in ("start", "end", "step"))
    return RangeQuery(start, end, step)


def _datadog(config: Mapping[str, Any]) -> DatadogProvider:
    interval = _text(config, "interval", "DatadogMetric") or "5m"
    if error := duration_error(interval):
        raise TemplateError(error, in_run=True)
    return DatadogProvider(
        query=_text(config, "query", "DatadogMetric"),
        queries=tuple(sorted((config.get("queries") or {}).items())),
        formula=_text(config, "formula", "DatadogMetric"),
        aggregator=_text(config, "aggregator", "DatadogMetric"),
        api_version=_text(config, "apiVersion", "DatadogMetric") or "v1",
        interval_s=go_duration_s(interval),
        request_timeout=_text(config, "requestTimeout", "DatadogMetric"),
    )


@lru_cache(maxsize=1024)
def resolve_metric(text: str, arguments: tuple[Argument, ...]) -> Metric:
    """The metric written in a JSON text, its ``{{args.NAME}}`` replaced; TemplateError in the controller's words."""
    # Kept, because every run of a template asks again, and its preview asks for the same.
    return parse_metric(resolved_object(text, arguments))


def resolved_object(text: str, arguments: Sequence[Argument]) -> dict[str, Any]:
    """The JSON object of a metric with every ``{{args.NAME}}`` replaced; TemplateError in the controller's words.

    Fields are put in the order in which the controller writes them, since it names the last tag it cannot resolve.
    """
    ordered = _go_json(_ordered(json.loads(text)))
    substituted = substitute(ordered, arguments)
    try:
        obj: dict[str, Any] = json.loads(substituted)
    except json.JSONDecodeError as error:
        character = substituted[error.pos + 1 : error.pos + 2]
        msg = f"invalid character '{character}' in string escape code"
        raise TemplateError(msg, in_run=True) from error
    return obj


def _go_json(obj: Any) -> str:
    """JSON as Go's encoder writes it: without blanks, and safe in HTML."""
    text = json.dumps(obj, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _ordered(obj: Mapping[str, Any]) -> dict[str, Any]:
    metric = {key: obj[key] for key in _METRIC_FIELDS if key in obj}
    provider = {kind: metric["provider"][kind] for kind in _PROVIDERS if kind in (metric.get("provider") or {})}
    for kind, fields in _PROVIDER_FIELDS.items():
        if isinstance(provider.get(kind), dict):
            provider[kind] = {key: provider[kind][key] for key in fields if key in provider[kind]}
    return metric | {"provider": provider}


def templates_of(
    references: Sequence[TemplateRef], manifests: ManifestSet, namespace: str, controller: Controller = NEWEST
) -> tuple[AnalysisTemplate, ...]:
    """The templates referred to, with those they refer to themselves: namespaced ones first, each once.

    1.6 knows no templates within templates, and takes one that is named twice twice. TemplateError if one does not exist.
    """
    if not controller.is_since(Controller.ARGO_1_7):
        return _sorted(template_named(reference, manifests, namespace) for reference in references)
    found = _with_nested(references, manifests, namespace, depth=0)
    first: dict[tuple[bool, str], AnalysisTemplate] = {}
    for template in found:
        first.setdefault((template.cluster_scoped, template.name), template)
    return _sorted(first.values())


def _sorted(templates: Iterable[AnalysisTemplate]) -> tuple[AnalysisTemplate, ...]:
    return tuple(sorted(templates, key=lambda template: template.cluster_scoped))


def _with_nested(
    references: Sequence[TemplateRef], manifests: ManifestSet, namespace: str, *, depth: int
) -> list[AnalysisTemplate]:
    if depth > _MAX_DEPTH:
        msg = f"analysis templates nested more than {_MAX_DEPTH} deep"
        raise TemplateError(msg)
    found: list[AnalysisTemplate] = []
    for reference in references:
        template = template_named(reference, manifests, namespace)
        found += [template, *_with_nested(template.templates, manifests, namespace, depth=depth + 1)]
    return found


def template_named(reference: TemplateRef, manifests: ManifestSet, namespace: str) -> AnalysisTemplate:
    """The template referred to; TemplateError if it does not exist (in that namespace)."""
    for template in manifests.analysis_templates:
        same_scope = template.cluster_scoped == reference.cluster_scope
        here = template.cluster_scoped or template.namespace == namespace
        if template.name == reference.name and same_scope and here:
            return template
    kind = "clusteranalysistemplate" if reference.cluster_scope else "analysistemplate"
    msg = f'{kind}.argoproj.io "{reference.name}" not found'
    raise TemplateError(msg)


def flattened(templates: Sequence[AnalysisTemplate]) -> AnalysisTemplate:
    """Several templates as one; TemplateError on a metric name used twice, a rule given twice, or arguments in conflict."""
    metrics = [text for template in templates for text in template.metrics_json]
    _refuse_twice([str(json.loads(text).get("name", "")) for text in metrics], "two metrics have the same name")
    dry_run = [rule for template in templates for rule in template.dry_run]
    _refuse_twice(dry_run, "two Dry-Run metric rules have the same name")
    retention = [rule for template in templates for rule in template.retention]
    _refuse_twice([name for name, _ in retention], "two Measurement Retention metric rules have the same name")
    return AnalysisTemplate(
        name="",
        args=flatten([template.args for template in templates]),
        metrics_json=tuple(metrics),
        dry_run=tuple(dry_run),
        retention=tuple(retention),
    )


def _refuse_twice(names: Sequence[str], complaint: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            msg = f"{complaint} '{name}'"
            raise TemplateError(msg)
        seen.add(name)


def resolve(
    ref: AnalysisRef, manifests: ManifestSet, spec: RolloutSpec, context: RunContext, name: str
) -> AnalysisRunSpec:
    """The run that an ``analysis`` block starts, ready to be measured; TemplateError if it cannot start.

    With ``error.in_run`` the controller would create the run and end it as Error at once, with this very message.
    """
    template = flattened(templates_of(ref.templates, manifests, context.namespace, context.controller))
    if not template.metrics_json:
        # The controller builds a run with null for metrics, which the API server prunes and then misses; so the reconcile
        # fails before it scales anything.
        msg = f'AnalysisRun.argoproj.io "{name}" is invalid: spec.metrics: Required value'
        raise TemplateError(msg)
    merged = merge(values_for_run(ref.args, spec, context), template.args)
    dry_run = (*ref.dry_run, *template.dry_run)
    _refuse_twice(dry_run, "two Dry-Run metric rules have the same name")
    retention = (*ref.retention, *template.retention)
    _refuse_twice([rule for rule, _ in retention], "two Measurement Retention metric rules have the same name")
    run = AnalysisRunSpec(name=name, args=merged, dry_run=dry_run, retention=retention, controller=context.controller)
    return checked_run(run, template.metrics_json, context)


def checked_run(run: AnalysisRunSpec, metrics_json: Sequence[str], context: RunContext) -> AnalysisRunSpec:
    """The run with its metrics resolved and its rules checked, in the controller's order; TemplateError if it ends in Error."""
    try:
        preview = [_known(run, resolve_metric(text, with_placeholders(run.args))) for text in metrics_json]
        _refuse_invalid(preview, run)
        arguments = with_secrets(run.args, context)
        metrics = tuple(_known(run, resolve_metric(text, arguments)) for text in metrics_json)
    except TemplateError as error:
        msg = error.message if error.message.startswith(_INVALID) else f"{_UNRESOLVED}{error.message}"
        raise TemplateError(msg, in_run=True) from error
    return replace(run, metrics=metrics, args=arguments)


def _known(run: AnalysisRunSpec, metric: Metric) -> Metric:
    return metric_known_to(run.controller, metric)


_INVALID = "Analysis spec invalid: "
_UNRESOLVED = "Unable to resolve metric arguments: "


def _refuse_invalid(metrics: Sequence[Metric], run: AnalysisRunSpec) -> None:
    error = metrics_error(metrics, run.controller)
    names = [metric.name for metric in metrics]
    try:
        dry_run_names(run.dry_run, names)
        kept_measurements(run.retention, names)
    except ValueError as unmatched:
        error = error or str(unmatched)
    if error:
        raise TemplateError(_INVALID + error, in_run=True)
