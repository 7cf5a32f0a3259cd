"""RT93x: measurements whose outcome is not what the metric's author must have had in mind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import nan

from scenarios.findings import Path, Severity
from scenarios.manifests import Document
from scenarios.rules import evaluation
from scenarios.rules.context import TEMPLATES, Context
from scenarios.rules.judging import PROBES
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.tree import entries, mapping, text
from scenarios.rules.uses import MetricUse, metric_uses, metrics_of, uses
from sim.decide.metric_rules import matched
from sim.model.analysis import AnalysisPhase, ProviderResult

_GUARD = re.compile(r"isNil\s*\(|\bdefault\s*\(|\bnil\b|len\s*\(\s*result\s*\)\s*(?:==|<)")
"""Words by which a condition provides for the absence of data."""
_MANY = 100
"""Elements of a list that is long enough for any index."""
_SELF_JUDGING = frozenset({"job", "kayenta", "web", "plugin"})


def _numeric(context: Context) -> Iterator[MetricUse]:
    for metric in metric_uses(context):
        known = evaluation.go_type(metric) in {evaluation.NUMBER, evaluation.VECTOR}
        if known and evaluation.written(metric) and evaluation.evaluates(metric):
            yield metric


def always_errors(context: Context) -> Iterator[Hit]:
    """Conditions that pass the type checker and then fail on every number."""
    for metric in _numeric(context):
        if _always_errors(metric):
            field, condition = evaluation.written(metric)[0]
            message = f"{field} {condition!r} of {metric.words} is an Error for every value: it aborts every release"
            yield Hit(metric.template, (*metric.path, field), message)


def _always_errors(metric: MetricUse) -> bool:
    """Also on long lists: an index beyond one element is RT231's."""
    if any(evaluation.phase_of_number(metric, value) is not AnalysisPhase.ERROR for value in PROBES):
        return False
    many = ProviderResult([1.0] * _MANY, evaluation.VECTOR, "")
    return evaluation.go_type(metric) == evaluation.NUMBER or evaluation.phase(metric, many) is AnalysisPhase.ERROR


def guard_without_effect(context: Context) -> Iterator[Hit]:
    """Conditions that provide for the absence of data and are an Error there all the same."""
    for metric in _numeric(context):
        for field, condition in evaluation.written(metric):
            if _GUARD.search(condition) and _is_error_without_data(metric) and not _always_errors(metric):
                message = (
                    f"{field} {condition!r} of {metric.words} is meant for the absence of data, but is an Error there: "
                    f"{_reason(metric)}"
                )
                yield Hit(metric.template, (*metric.path, field), message)


def _reason(metric: MetricUse) -> str:
    if evaluation.go_type(metric) == evaluation.VECTOR:
        return "no data is an empty list, which is neither nil nor a number"
    return "no data is nil, and the comparison with a number is refused before anything is evaluated"


def _is_error_without_data(metric: MetricUse) -> bool:
    return evaluation.phase(metric, evaluation.no_data(metric)) is AnalysisPhase.ERROR


def idle_canary_aborts(context: Context) -> Iterator[Hit]:
    """Metrics that say nothing of the absence of data and are an Error there, again and again."""
    for metric in _numeric(context):
        guarded = any(_GUARD.search(condition) for _, condition in evaluation.written(metric))
        if metric.use is None or guarded or "consecutiveErrorLimit" in metric.metric:
            continue
        if _is_error_without_data(metric) and not _always_errors(metric):
            zero = evaluation.phase_of_number(metric, nan)
            message = (
                f"{metric.words} is an Error without data and {zero} on 0/0: a healthy version that gets no requests for "
                f"40 s is aborted by five errors in a row"
            )
            yield Hit(metric.template, (*metric.path, evaluation.written(metric)[0][0]), message)


def inconclusive_limit_idle(context: Context) -> Iterator[Hit]:
    """``inconclusiveLimit`` of metrics with one condition, which are never Inconclusive."""
    for metric in metric_uses(context):
        judged = not _SELF_JUDGING & set(mapping(metric.metric, "provider"))
        if judged and metric.metric.get("inconclusiveLimit") and len(evaluation.written(metric)) == 1:
            message = (
                f"inconclusiveLimit of {metric.words} has no effect: with one condition a measurement is Successful, Failed "
                f"or an Error, never Inconclusive"
            )
            yield Hit(metric.template, (*metric.path, "inconclusiveLimit"), message)


def rule_matches_more(context: Context) -> Iterator[Hit]:
    """Rules that are the name of one metric and match others too, being unanchored regular expressions."""
    for document, block, names in _ruled(context):
        for what in ("dryRun", "measurementRetention"):
            for path, item in entries(document.data, *block, what):
                rule = text(item, "metricName")
                others = sorted(_names_of(rule, names) - {rule}) if rule in names else []
                if others:
                    message = (
                        f"{what} {rule!r} also holds for {', '.join(map(repr, others))}: metricName is an unanchored regular "
                        f"expression"
                    )
                    yield Hit(document, (*path, "metricName"), message, f"metricName: ^{re.escape(rule)}$")


def _names_of(rule: str, names: frozenset[str]) -> frozenset[str]:
    try:
        return frozenset[str]().union(*matched([rule], sorted(names), ""))
    except ValueError:
        return frozenset()


def _ruled(context: Context) -> Iterator[tuple[Document, Path, frozenset[str]]]:
    """(document, path of the block, names of the metrics) wherever rules can stand."""
    for use in uses(context):
        yield use.rollout, use.path, frozenset(metric.name for metric in metrics_of(context, use))
    for document in context.of_kind(*TEMPLATES, "AnalysisRun"):
        yield (
            document,
            ("spec",),
            frozenset(text(metric, "name") for _, metric in entries(document.data, "spec", "metrics")),
        )


RULES = (
    Rule("RT931", "condition-always-errors", Severity.ERROR,
         "default() and isNil() look at the whole result, whatever their first argument: of a list default(result[0], 0) is "
         "the list, and a list cannot be compared with a number. Errors abort the rollout.",
         "len(result) > 0 && result[0] < x for a list; default(result, 1) < x for a number", always_errors),
    Rule("RT932", "guard-without-effect", Severity.WARNING,
         "The type checker looks at the whole condition before any of it is evaluated, so `isNil(result) || result < x` is an "
         "Error on nil; an empty list is not nil.",
         "default(result, 1) < x for a number; len(result) > 0 && result[0] < x for a list", guard_without_effect),
    Rule("RT933", "idle-canary-aborts", Severity.INFO,
         "No data is an Error, and the fifth in a row aborts whatever failureLimit says; of 0/0 every comparison is false, so "
         "that a success condition fails and a failure condition passes.",
         "say what absence means (len(result) > 0 && ..., default(result, 1) < x), or raise consecutiveErrorLimit", idle_canary_aborts),
    Rule("RT934", "inconclusive-limit-idle", Severity.INFO,
         "A measurement is Inconclusive only where both conditions are written and neither holds.",
         "delete it, or write the other condition", inconclusive_limit_idle),
    Rule("RT935", "rule-matches-more", Severity.WARNING,
         "A dry-run rule takes every metric whose name contains it; those then guard nothing.",
         "anchor the name: ^errors$", rule_matches_more),
)  # fmt: skip
