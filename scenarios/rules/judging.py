"""RT20x-RT22x: conditions of metrics, and the analysis templates around them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from scenarios.findings import Severity
from scenarios.rules import evaluation
from scenarios.rules.context import TEMPLATES, Context
from scenarios.rules.ratios import share_grid
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.tree import entries, leaves, mapping, seconds, text, whole
from scenarios.rules.uses import MetricUse, defaults, metric_uses, metrics_of, templates_of, uses
from sim.model.analysis import AnalysisPhase

PROBES = (0.0, 1e-9, 1e-4, 0.001, 0.01, 0.05, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0, 1.5, 10.0, 100.0, 1e3, 1e6, 1e9)
"""Values tried on conditions that compare with a number."""

_NO_CONDITION_NEEDED = frozenset({"job", "kayenta", "plugin"})
_ERROR_RETRY_S = 10
"""The controller asks again this long after an error, whatever the interval (behaviour reference 2.2)."""


def does_not_evaluate(context: Context) -> Iterator[Hit]:
    """Conditions the controller's type checker refuses for what the provider returns."""
    for metric in metric_uses(context):
        kind = evaluation.go_type(metric)
        for field, condition in evaluation.written(metric):
            problem = evaluation.problem(condition, kind, metric.expr)
            if problem:
                limit = whole(metric.metric.get("consecutiveErrorLimit"))
                errors = (4 if limit is None else limit) + 1
                message = (
                    f"{field} {condition!r} of {metric.words} cannot be evaluated on {_words(kind)}: {problem}. "
                    f"Every measurement is an Error, and {errors} in a row abort the rollout"
                )
                yield Hit(metric.template, (*metric.path, field), message, _mend(condition, kind))


def _words(kind: str) -> str:
    return {
        evaluation.NUMBER: "the single number (float64) this provider returns",
        evaluation.VECTOR: "the list of numbers ([]float64) this provider returns",
    }.get(kind, f"the {kind} this provider returns")


def _mend(condition: str, kind: str) -> str:
    if kind == evaluation.NUMBER and re.search(r"\bresult\s*\[\s*0\s*\]", condition):
        return "write " + re.sub(r"\bresult\s*\[\s*0\s*\]", "result", condition)
    if kind == evaluation.VECTOR and re.fullmatch(r"\s*result\s*[<>=!]=?[^\[\]]*", condition):
        return "write " + re.sub(r"\bresult\b", "result[0]", condition)
    return ""


def never_fails(context: Context) -> Iterator[Hit]:
    """Gates that pass whatever is measured."""
    for metric in _numeric(context):
        tried = _tried(metric)
        if tried and all(phase is AnalysisPhase.SUCCESSFUL for _, phase in tried):
            field = _field(metric)
            message = f"{metric.words} passes for every {_span(metric)} tried: it can never fail"
            yield Hit(metric.template, (*metric.path, field), message)


def never_passes(context: Context) -> Iterator[Hit]:
    """Gates that fail whatever is measured."""
    for metric in _numeric(context):
        tried = _tried(metric)
        bad = {phase for _, phase in tried}
        if tried and AnalysisPhase.SUCCESSFUL not in bad and bad != {AnalysisPhase.ERROR}:
            message = f"{metric.words} passes for no {_span(metric)} tried: it can never pass"
            yield Hit(metric.template, (*metric.path, _field(metric)), message)


def undecided(context: Context) -> Iterator[Hit]:
    """Values for which neither condition holds."""
    for metric in _numeric(context):
        between = [value for value, phase in _tried(metric) if phase is AnalysisPhase.INCONCLUSIVE]
        if between:
            message = (
                f"{metric.words}: neither condition holds for {', '.join(f'{v:g}' for v in between[:3])}; the measurement "
                f"is Inconclusive and the rollout pauses until a person decides"
            )
            yield Hit(metric.template, (*metric.path, "failureCondition"), message)


def _numeric(context: Context) -> Iterator[MetricUse]:
    for metric in metric_uses(context):
        provider = mapping(metric.metric, "provider")
        if _NO_CONDITION_NEEDED & set(provider) or len(provider) != 1:
            continue
        if evaluation.go_type(metric) in {evaluation.NUMBER, evaluation.VECTOR} and evaluation.evaluates(metric):
            yield metric


def _tried(metric: MetricUse) -> list[tuple[float, AnalysisPhase]]:
    """Values of the query that are possible, and the phase each gives."""
    values = share_grid(metric) or PROBES
    return [(value, evaluation.phase_of_number(metric, value)) for value in values]


def _span(metric: MetricUse) -> str:
    if share_grid(metric):
        return "share of errors from 0 to 100 % that was"
    return "value from 0 to a billion that was"


def _field(metric: MetricUse) -> str:
    return next((field for field, _ in evaluation.written(metric)), "name")


def passes_without_data(context: Context) -> Iterator[Hit]:
    """Gates that take the absence of data for health."""
    for metric in _numeric(context):
        if not evaluation.written(metric) or all(p is AnalysisPhase.SUCCESSFUL for _, p in _tried(metric)):
            continue
        absent, not_a_number = evaluation.passes_no_data(metric), evaluation.passes_nan(metric)
        if (absent or not_a_number) and not _guarded(context, metric):
            when = [words for words, true in (("no data", absent), ("0/0 (no traffic)", not_a_number)) if true]
            message = f"{metric.words} passes on {' and on '.join(when)}: a version nobody can see is promoted"
            yield Hit(metric.template, (*metric.path, _field(metric)), message)


def _guarded(context: Context, metric: MetricUse) -> bool:
    """Whether another metric of the same block and provider refuses both the absence of data and 0/0."""
    if metric.use is None:
        return False
    others = (
        other
        for other in metrics_of(context, metric.use)
        if other.path != metric.path or other.template != metric.template
    )
    return any(
        set(mapping(other.metric, "provider")) == set(mapping(metric.metric, "provider"))
        and evaluation.written(other)
        and evaluation.evaluates(other)
        and not evaluation.passes_no_data(other)
        and not evaluation.passes_nan(other)
        for other in others
    )


def unused_templates(context: Context) -> Iterator[Hit]:
    """Templates no Rollout of the set refers to."""
    if not context.of_kind("Rollout"):
        return
    used = {id(template) for use in uses(context) for template in templates_of(context, use)}
    elsewhere = {
        value
        for document in context.of_kind("Experiment", "AnalysisRun")
        for path, value in leaves(document.data)
        if path[-1:] == ("templateName",)
    }
    for template in context.of_kind(*TEMPLATES):
        if id(template) not in used and template.name not in elsewhere:
            message = f"{template.kind} {template.name!r} is referenced by no Rollout: it guards nothing"
            yield Hit(template, ("metadata", "name"), message)


def unused_arguments(context: Context) -> Iterator[Hit]:
    """Arguments a template declares and never writes."""
    for template in context.of_kind(*TEMPLATES):
        body = json.dumps(mapping(template.data, "spec").get("metrics"), default=str)
        nested = bool(mapping(template.data, "spec").get("templates"))
        for path, item in entries(template.data, "spec", "args"):
            name = text(item, "name")
            if name and not nested and not re.search(r"\{\{\s*args\." + re.escape(name) + r"\s*\}\}", body):
                yield Hit(
                    template, path, f"argument {name!r} of {template.kind} {template.name!r} is used in no metric"
                )


def dropped_arguments(context: Context) -> Iterator[Hit]:
    """Arguments a Rollout passes that no template of the block declares."""
    for use in uses(context):
        templates = templates_of(context, use)
        declared = {name for template in templates for name in defaults(template)}
        for path, item in entries(use.rollout.data, *use.path, "args"):
            name = text(item, "name")
            if templates and name and name not in declared:
                message = f"argument {name!r} of the {use.words} is declared by none of its templates and is dropped"
                yield Hit(use.rollout, path, message)


def outage_aborts(context: Context) -> Iterator[Hit]:
    """How long an outage of the metric provider is survived."""
    for use in uses(context):
        for metric in metrics_of(context, use):
            limit = whole(metric.metric.get("consecutiveErrorLimit"))
            if limit is None and {"prometheus", "datadog"} & set(mapping(metric.metric, "provider")):
                message = (
                    f"{metric.words} has no consecutiveErrorLimit: {4 * _ERROR_RETRY_S} s without an answer from the "
                    f"metric provider (5 errors, one every {_ERROR_RETRY_S} s) abort every rollout under way"
                )
                yield Hit(metric.template, metric.path, message)


def negative_duration(context: Context) -> Iterator[Hit]:
    """Intervals and delays below zero."""
    for metric in metric_uses(context):
        for field in ("interval", "initialDelay"):
            value = metric.metric.get(field)
            length = seconds(value)
            if length is not None and length < 0:
                yield Hit(metric.template, (*metric.path, field), f"{field} {value!r} of {metric.words} is negative")


RULES = (
    Rule(
        "RT201",
        "condition-cannot-evaluate",
        Severity.ERROR,
        "The controller type-checks every condition against what the provider returned; a condition that does not fit makes "
        "each measurement an Error, failureLimit does not apply to errors, and the rollout is aborted, good or bad.",
        "index lists (`result[0] >= 0.99`), compare single numbers directly (`result >= 0.99`)",
        does_not_evaluate,
    ),
    Rule(
        "RT202",
        "gate-never-fails",
        Severity.ERROR,
        "A condition that holds for every value guards nothing. A query that yields a ratio from 0 to 1 is tried with ratios.",
        "compare with a limit the value can cross; mind shares (0..1) and percentages (0..100)",
        never_fails,
    ),
    Rule(
        "RT203",
        "gate-never-passes",
        Severity.ERROR,
        "A condition that holds for no value aborts every release.",
        "compare with a limit the value can reach; mind shares (0..1) and percentages (0..100)",
        never_passes,
    ),
    Rule(
        "RT204",
        "gate-passes-without-data",
        Severity.WARNING,
        "A gate that passes when there is nothing to judge lets a version through that serves nobody or is not monitored.",
        "let absence fail or be inconclusive: `len(result) > 0 && result[0] < x`, `default(result, 1) < x`, and add a "
        "metric that demands a minimum of traffic",
        passes_without_data,
    ),
    Rule(
        "RT205",
        "gate-undecided",
        Severity.INFO,
        "With both conditions written, values that satisfy neither are Inconclusive, and an inconclusive run pauses the "
        "rollout until somebody acts.",
        "let the two conditions meet, or write only one of them",
        undecided,
    ),
    Rule(
        "RT206",
        "template-unused",
        Severity.WARNING,
        "A template that no Rollout refers to looks like protection and is none.",
        "refer to it in strategy.canary.analysis or in an analysis step, or delete it",
        unused_templates,
    ),
    Rule(
        "RT207",
        "argument-unused",
        Severity.WARNING,
        "An argument that no query mentions has no effect, though every caller has to give it.",
        "use it as {{args.NAME}} in the query or delete it",
        unused_arguments,
    ),
    Rule(
        "RT208",
        "argument-dropped",
        Severity.WARNING,
        "Arguments the templates do not declare are dropped without a word.",
        "declare it under spec.args of the template, or correct its name",
        dropped_arguments,
    ),
    Rule(
        "RT209",
        "provider-outage-aborts",
        Severity.INFO,
        "Errors are asked again every 10 s, and the fifth in a row ends the run as Error, which aborts the rollout.",
        "set consecutiveErrorLimit to the outage you want to survive, divided by 10 s",
        outage_aborts,
    ),
    Rule(
        "RT210",
        "negative-duration",
        Severity.ERROR,
        "Intervals and delays count forward.",
        "write a positive Go duration such as 30s or 5m",
        negative_duration,
    ),
)
