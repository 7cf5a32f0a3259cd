"""RT8xx: scenario files against the manifests they are about."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.findings import Severity
from scenarios.rules import visibility
from scenarios.rules.context import TEMPLATES, Context, space
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.selectors import Selector, datadog_selectors, promql_selectors
from scenarios.rules.timeline import timelines
from scenarios.rules.tree import entries, seconds, text
from scenarios.rules.uses import MetricUse, Use, metric_uses
from scenarios.rules.visibility import Sees
from sim.model.telemetry import LabelSource
from sim.model.units import duration_text


def short_warm_up(context: Context) -> Iterator[Hit]:
    """Warm-ups shorter than the windows that are judged."""
    if context.scenario is None:
        return
    windows = [
        seconds(selector.window) or 0.0
        for metric in metric_uses(context)
        for selector in promql_selectors(text(metric.metric, "provider", "prometheus", "query"))
    ]
    longest, warm_up = max(windows, default=0.0), context.scenario.warm_up_s
    if longest > warm_up:
        message = (
            f"warm_up is {duration_text(warm_up)}, but queries look back {duration_text(longest)}: the first measurements see "
            f"windows that are not full"
        )
        yield Hit(None, ("warm_up",), message)


def short_horizon(context: Context) -> Iterator[Hit]:
    """Horizons that end before the rollout can."""
    if context.scenario is None:
        return
    for line in timelines(context):
        if line.rollout.name in context.judged_rollouts and line.length_s > context.scenario.horizon_s:
            message = (
                f"horizon is {duration_text(context.scenario.horizon_s)}, but the steps of Rollout {line.rollout.name!r} take at "
                f"least {duration_text(line.length_s)}: every run would count as stuck"
            )
            yield Hit(None, ("horizon",), message)


def unknown_application(context: Context) -> Iterator[Hit]:
    """Deliveries through an Application that is not there."""
    scenario = context.scenario
    if scenario is None or not scenario.delivery.application:
        return
    known = [application.name for application in context.manifests.applications]
    if scenario.delivery.application not in known:
        message = f"delivery.application {scenario.delivery.application!r} is not among the manifests (read: {', '.join(known) or 'none'})"
        yield Hit(None, ("delivery", "application"), message)


def one_kind_of_release(context: Context) -> Iterator[Hit]:
    """Mixes that hold only good or only bad releases."""
    scenario = context.scenario
    if scenario is None or not scenario.mix:
        return
    kinds = {release.good for release in scenario.mix}
    if len(kinds) == 1:
        word, unknown = ("good", "misses") if True in kinds else ("bad", "false aborts")
        yield Hit(None, ("releases",), f"every release of the mix is {word}: {unknown} cannot be seen")


def unknown_signal(context: Context) -> Iterator[Hit]:
    """Scripted answers for metrics that do not exist."""
    if context.scenario is None:
        return
    known = {
        (template.name, text(metric, "name"))
        for template in context.of_kind(*TEMPLATES)
        for _, metric in entries(template.data, "spec", "metrics")
    }
    for index, signal in enumerate(context.scenario.telemetry.signals):
        if (signal.template, signal.metric) not in known:
            message = f"the signal for {signal.template}/{signal.metric} is asked for by no analysis template"
            yield Hit(None, ("telemetry", "signals", index), message)


def canary_unseen(context: Context) -> Iterator[Hit]:
    """Queries whose labels no pod of the canary carries."""
    for metric, use, kind, selectors in _observed(context):
        canary, _ = visibility.sides(use.rollout)
        for selector, sources in selectors:
            matcher = visibility.blocking(selector, canary, sources, space(use.rollout))
            if matcher is not None:
                message = (
                    f"{metric.words} asks for {matcher.label}{matcher.operator}{matcher.value!r}, which no pod of the canary of "
                    f"Rollout {use.rollout.name!r} reports: the query returns nothing"
                )
                yield Hit(metric.template, (*metric.path, "provider", kind, "query"), message)
                break


def versions_blended(context: Context) -> Iterator[Hit]:
    """Queries that see the canary and the stable version together."""
    for metric, use, kind, selectors in _observed(context):
        if text(use.rollout.data, "spec", "strategy", "blueGreen", "activeService"):
            continue
        canary, stable = visibility.sides(use.rollout)
        where = space(use.rollout)
        both = [
            visibility.sees(selector, pod, sources, where) is Sees.YES
            for selector, sources in selectors
            for pod in (canary, stable)
        ]
        if both and all(both):
            message = (
                f"{metric.words} cannot tell the canary of Rollout {use.rollout.name!r} from the stable version: at a weight of "
                f"w %, only w % of a defect shows"
            )
            yield Hit(metric.template, (*metric.path, "provider", kind, "query"), message)


def _observed(
    context: Context,
) -> Iterator[tuple[MetricUse, Use, str, tuple[tuple[Selector, tuple[LabelSource, ...]], ...]]]:
    """(metric, use, provider, selectors with the labels of their series) of the metrics the twin's telemetry feeds."""
    if context.scenario is None:
        return
    for metric in metric_uses(context):
        if metric.use is None or metric.use.rollout.name not in context.judged_rollouts:
            continue
        for kind, read in (("prometheus", promql_selectors), ("datadog", datadog_selectors)):
            found = tuple(read(text(metric.metric, "provider", kind, "query")))
            pods = visibility.sides(metric.use.rollout)
            sources = [visibility.sources_of(selector, kind, context.scenario.telemetry, pods) for selector in found]
            if found and all(source is not None for source in sources):
                pairs = ((s, source) for s, source in zip(found, sources, strict=True) if source is not None)
                yield metric, metric.use, kind, tuple(pairs)


RULES = (
    Rule("RT800", "scenario-document", Severity.ERROR,
         "A scenario file with an unknown key or an impossible value is refused before anything runs (exit status 2).",
         "write what the message asks for; `rolltwin explain` lists every key", None),
    Rule("RT801", "warm-up-too-short", Severity.WARNING,
         "Rates over a window that is not yet full are too low.", "make warm_up at least the longest query window",
         short_warm_up),
    Rule("RT802", "horizon-too-short", Severity.ERROR,
         "A run that has not ended at the horizon counts as stuck.", "raise horizon above the rollout's length",
         short_horizon),
    Rule("RT803", "application-unknown", Severity.ERROR,
         "Sync windows are those of the Application's project; without it none bind.",
         "name an Application of the manifests, or leave it empty", unknown_application),
    Rule("RT804", "one-kind-of-release", Severity.INFO,
         "Misses need bad releases, false aborts need good ones.", "add a release of the other kind to the mix",
         one_kind_of_release),
    Rule("RT805", "signal-unknown", Severity.WARNING,
         "A scripted answer for a metric nobody asks has no effect.", "correct template and metric of the signal",
         unknown_signal),
    Rule("RT806", "canary-unseen", Severity.ERROR,
         "A Service's name is no label of its pods: a query for a value that no pod reports finds no series.",
         "put the label on the pods (canaryMetadata.labels) and into the telemetry, or match the pod-template hash",
         canary_unseen),
    Rule("RT807", "versions-blended", Severity.WARNING,
         "Canary and stable pods share a template; unless something in the query differs between them, the gate sees mostly "
         "the stable version.",
         "pass podTemplateHashValue: Latest as an argument and match on it, or label the canary with canaryMetadata",
         versions_blended),
)  # fmt: skip
