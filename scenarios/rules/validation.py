"""RT1xx: everything the Argo Rollouts controller refuses (condition InvalidSpec, or an analysis that cannot start)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from scenarios.findings import Severity
from scenarios.manifests import Document
from scenarios.rules.context import TEMPLATES, Context, space
from scenarios.rules.evaluation import parsed
from scenarios.rules.rule import Check, Hit, Rule
from scenarios.rules.tree import dig, entries, sequence, text
from scenarios.rules.uses import PLACEHOLDER, Role, metric_uses, metrics_of, templates_of, uses
from sim.decide.metric_rules import matched, metric_error
from sim.decide.validation import SpecError, rollout_errors
from sim.model.rollout import RolloutSpec

_CLASSES: tuple[tuple[str, str], ...] = (
    ("RT104", r"runs indefinitely"),
    ("RT105", r"was not resolved|failed to resolve|\bargs?\b.*(?:value|Value)"),
    ("RT103", r"AnalysisTemplate +not found|[Aa]nalysis ?[Tt]emplates?\S* +not found"),
    ("RT101", r"[aA]ntiAffinity"),
    ("RT102", r"\bservices? +not found"),
    ("RT107", r"DestinationRule|destinationrules"),
    ("RT106", r"VirtualService|virtualservice|HTTP Route|spec\.http\[\]"),
    ("RT113", r"spec template spec"),
    ("RT109", r"canary steps"),
    ("RT110", r"[sS]ervice|[iI]ngress|pingPong"),
    ("RT112", r"selector"),
    ("RT108", r"[sS]trategies|\bspec strategy(?! (?:canary|blueGreen))"),
)  # fmt: skip
"""Rule and what the place and the words (without quoted names) of its errors contain; the first that fits."""

_REST = "RT119"
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


def code_of(error: SpecError) -> str:
    """The rule an error belongs to, by its place and its words."""
    place = " ".join(part for part in error.path if isinstance(part, str))
    words = f"{place} | {_QUOTED.sub('', error.message)}"
    return next((code for code, pattern in _CLASSES if re.search(pattern, words)), _REST)


def refused(code: str, context: Context) -> Iterator[Hit]:
    """Errors of one class, over every Rollout."""
    for rollout in context.manifests.rollouts:
        for error in rollout_errors(rollout, context.manifests, context.controller):
            if code_of(error) == code:
                document, path = _place(context, rollout, error)
                yield Hit(document, path, f"{error.kind} {error.name!r} is refused: {error.message}")


def _place(context: Context, rollout: RolloutSpec, error: SpecError) -> tuple[Document | None, tuple[str | int, ...]]:
    namespace = None if error.kind.startswith("Cluster") else rollout.namespace
    document = context.find(error.kind, error.name, namespace)
    if document is not None:
        return document, error.path
    return context.find("Rollout", rollout.name, rollout.namespace), ("metadata", "name")


def invalid_templates(context: Context) -> Iterator[Hit]:
    """Pod templates that Kubernetes refuses: of a Rollout when it is reconciled, of a Deployment when it is applied."""
    yield from refused("RT113", context)
    for deployment in context.manifests.deployments:
        document = context.find("Deployment", deployment.name, deployment.namespace)
        for problem in deployment.problems:
            message = f'Deployment.apps "{deployment.name}" is invalid: {problem.message}'
            yield Hit(document, problem.path, message)


def invalid_metrics(context: Context) -> Iterator[Hit]:
    """Metrics whose limits, count, interval and provider do not fit together."""
    for metric in metric_uses(context):
        read = parsed(metric.metric)
        error = metric_error(read) if read is not None else ""
        # What an argument would make of it is only known where it is used.
        if error and PLACEHOLDER not in error:
            message = f"{metric.words} is refused when its run starts: {error}"
            yield Hit(metric.template, metric.path, message)


def repeated_metrics(context: Context) -> Iterator[Hit]:
    """Names of metrics that occur twice in one template."""
    for template in context.of_kind(*TEMPLATES):
        seen: set[str] = set()
        for path, metric in entries(template.data, "spec", "metrics"):
            name = text(metric, "name")
            if name and name in seen:
                yield Hit(template, path, f"{template.kind} {template.name!r} has two metrics named {name!r}")
            seen.add(name)


def unmatched_names(context: Context) -> Iterator[Hit]:
    """``dryRun`` and ``measurementRetention`` entries that fit no metric."""
    for use in uses(context):
        names = [metric.name for metric in metrics_of(context, use)]
        places = [(use.rollout, use.path), *((template, ("spec",)) for template in templates_of(context, use))]
        for document, block in places if names else ():
            for key in ("dryRun", "measurementRetention"):
                for path, entry in entries(document.data, *block, key):
                    rule = text(entry, "metricName")
                    if not _any_match(rule, names):
                        there = ", ".join(names)
                        message = (
                            f"{key} {rule!r} of the {use.words} matches no metric (there: {there}): the run is an Error"
                        )
                        yield Hit(document, path, message)


def _any_match(rule: str, names: list[str]) -> bool:
    try:
        return bool(matched([rule], names, ""))
    except ValueError:
        return False


def destination_rule_missing(context: Context) -> Iterator[Hit]:
    """DestinationRules, and subsets of them, that a Rollout is to rewrite and that are not there."""
    for rollout in context.of_kind("Rollout"):
        path = ("spec", "strategy", "canary", "trafficRouting", "istio", "destinationRule")
        name = text(rollout.data, *path, "name")
        rule = context.find("DestinationRule", name, space(rollout))
        if name and rule is None:
            message = (
                f"Rollout {rollout.name!r} is to rewrite the subsets of DestinationRule {name!r}, which does not exist"
            )
            yield Hit(rollout, (*path, "name"), message)
        for key in ("canarySubsetName", "stableSubsetName") if rule is not None else ():
            subset = text(rollout.data, *path, key)
            known = [text(item, "name") for _, item in entries(rule.data, "spec", "subsets")] if rule else []
            if subset and subset not in known:
                message = f"DestinationRule {name!r} has no subset {subset!r} (there: {', '.join(known) or 'none'})"
                yield Hit(rollout, (*path, key), message)


def empty_background(context: Context) -> Iterator[Hit]:
    """``canary.analysis`` without templates."""
    for rollout in context.of_kind("Rollout"):
        path = ("spec", "strategy", "canary", "analysis")
        if isinstance(dig(rollout.data, *path), dict) and not sequence(rollout.data, *path, "templates"):
            message = (
                f"strategy.canary.analysis of Rollout {rollout.name!r} names no templates: a run without metrics cannot be "
                f"created, and the update hangs before its first pod"
            )
            yield Hit(rollout, path, message)


def background_without_metrics(context: Context) -> Iterator[Hit]:
    """Analysis blocks whose templates hold no metric."""
    for use in uses(context):
        if use.role is Role.BACKGROUND and templates_of(context, use) and not metrics_of(context, use):
            message = f"the {use.words} of Rollout {use.rollout.name!r} finds no metric in its templates"
            yield Hit(use.rollout, use.path, message)


def _of(code: str) -> Check:
    check: Callable[[Context], Iterator[Hit]] = partial(refused, code)
    return check


def _rule(code: str, name: str, why: str, suggestion: str) -> Rule:
    return Rule(code, name, Severity.ERROR, why, suggestion, _of(code))


RULES = (
    _rule(
        "RT101",
        "anti-affinity",
        "antiAffinity takes exactly one of required... and preferredDuringSchedulingIgnoredDuringExecution, the latter with "
        "a weight from 1 to 100; `{}` counts as written. The Rollout is parked as InvalidSpec.",
        "keep preferredDuringSchedulingIgnoredDuringExecution: {weight: 100}",
    ),
    _rule(
        "RT102",
        "service-missing",
        "Every Service a Rollout names must exist before the controller does anything.",
        "create the Service, with the Rollout's pod labels as its selector, or correct the name",
    ),
    _rule(
        "RT103",
        "template-missing",
        "Every AnalysisTemplate a Rollout names must exist before the controller does anything.",
        "create the AnalysisTemplate in the Rollout's namespace, or set clusterScope: true for a cluster-wide one",
    ),
    _rule(
        "RT104",
        "endless-analysis",
        "A metric with an interval and no count measures for ever; as a step (or before or after promotion) it would never "
        "succeed, so the Rollout is refused.",
        "set count, or use the template in strategy.canary.analysis, which ends with the rollout",
    ),
    _rule(
        "RT105",
        "argument-missing",
        "Every argument of a template needs a value, from the template or from each block that uses it.",
        "add it under args of this analysis block, or give it a value in the template",
    ),
    _rule(
        "RT106",
        "virtual-service-mismatch",
        "The VirtualService a Rollout names must exist and hold the named routes, each to the stable and the canary Service.",
        "name a route of that VirtualService and give it one destination for each of the two Services",
    ),
    _rule(
        "RT107",
        "destination-rule-mismatch",
        "The DestinationRule a Rollout names must exist and hold the canary and the stable subset.",
        "define both subsets, or drop destinationRule and route by Services",
    ),
    _rule(
        "RT108",
        "strategy",
        "A Rollout has exactly one strategy, canary or blueGreen.",
        "write one of strategy.canary and strategy.blueGreen",
    ),
    _rule(
        "RT109",
        "canary-step",
        "Every step sets one thing, weights lie between 0 and 100, and routes need a router that can manage them.",
        "split the step, or correct its value",
    ),
    _rule(
        "RT110",
        "rollout-services",
        "Canary and stable (active and preview) must be two Services that select the Rollout's pods, and traffic routing "
        "needs both.",
        "name two different Services whose selectors are part of the pod labels",
    ),
    Rule(
        "RT111",
        "metric-invalid",
        Severity.ERROR,
        "Limits, count, interval and provider of a metric must fit together; the controller looks when the run starts, and a "
        "run that cannot start aborts the rollout.",
        "give each metric one provider, an interval if it is counted more than once, and limits below its count",
        invalid_metrics,
    ),
    _rule(
        "RT112",
        "selector-mismatch",
        "spec.selector must match spec.template.metadata.labels.",
        "use the same labels in both",
    ),
    Rule(
        "RT113",
        "pod-template-invalid",
        Severity.ERROR,
        "The pod template has to pass Kubernetes' own validation. The schema of a Rollout says little about it, so the Rollout "
        "is applied and then parked as InvalidSpec; a Deployment is refused at once.",
        "correct the field",
        invalid_templates,
    ),
    _rule(
        "RT119",
        "rollout-invalid",
        "The controller parks an invalid Rollout as InvalidSpec and changes nothing: no pods, no weights, no analysis.",
        "correct the field",
    ),
    Rule(
        "RT120",
        "background-without-templates",
        Severity.ERROR,
        "An analysis block without templates is not the same as none: the controller tries to start it.",
        "name templates, or delete the block; history limits belong to spec.analysis",
        empty_background,
    ),
    Rule(
        "RT121",
        "background-without-metrics",
        Severity.ERROR,
        "Background templates are not checked before the update starts; a run that cannot be created stops it half-way.",
        "name templates that exist and have metrics",
        background_without_metrics,
    ),
    Rule(
        "RT122",
        "rule-matches-no-metric",
        Severity.ERROR,
        "metricName is a regular expression; an entry that fits no metric ends the run as Error before it measures.",
        "write the metric's name, or .* for all of them",
        unmatched_names,
    ),
    Rule(
        "RT123",
        "metric-name-twice",
        Severity.ERROR,
        "Names of metrics are unique in a run.",
        "rename one of them",
        repeated_metrics,
    ),
    Rule(
        "RT124",
        "destination-rule-missing",
        Severity.ERROR,
        "The controller writes the pod-template hash into these subsets; it checks the reference up front only from 1.9 on.",
        "create the DestinationRule with both subsets, or drop destinationRule and route by Services",
        destination_rule_missing,
    ),
)
