"""RT810-RT81x: what nobody answers for: metrics of providers the twin does not model or of unknown names, plugin steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from scenarios.findings import Severity
from scenarios.manifests import Document
from scenarios.rules import promql_tree
from scenarios.rules.context import Context
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.selectors import datadog_selectors
from scenarios.rules.tree import entries, mapping, text
from scenarios.rules.uses import PLACEHOLDER, MetricUse, metric_uses
from sim.metrics import conventions, scripts
from sim.metrics.scripts import Origin
from sim.model.controller import Controller
from sim.model.telemetry import Telemetry

MODELLED = frozenset({"prometheus", "datadog"})
"""Providers whose answers come from the simulated telemetry."""


def unscripted(context: Context) -> Iterator[Hit]:
    """Metrics the scenario's Rollout would ask of a provider that nobody answers for, each once."""
    if context.scenario is None:
        return
    seen: set[tuple[int, str]] = set()
    for metric, kind in _others(context):
        judged = metric.use is not None and metric.use.rollout.name in context.judged_rollouts
        key = (id(metric.template), metric.name)
        if judged and key not in seen and not _answered(context, metric):
            seen.add(key)
            message = f"{metric.words} asks {_asked_of(metric, kind)}, which the twin does not model, and the scenario scripts no answer"
            suggestion = (
                f"telemetry.signals: [{{template: {metric.template.name}, metric: {metric.name}, answer: ...}}]"
            )
            yield Hit(metric.template, (*metric.path, "provider", kind), message, suggestion)


def needs_script(context: Context) -> Iterator[Hit]:
    """The same, where there is no scenario that could answer."""
    if context.scenario is not None:
        return
    seen: set[tuple[int, str]] = set()
    for metric, kind in _others(context):
        key = (id(metric.template), metric.name)
        if key not in seen:
            seen.add(key)
            message = f"{metric.words} asks {_asked_of(metric, kind)}, which the twin replays only from a script"
            yield Hit(metric.template, (*metric.path, "provider", kind), message)


def _asked_of(metric: MetricUse, kind: str) -> str:
    """A provider, or the metric plugins by name."""
    plugins = mapping(metric.metric, "provider", kind) if kind == "plugin" else {}
    return f"plugin {', '.join(plugins)}" if plugins else f"provider {kind}"


def plugin_steps(context: Context) -> Iterator[Hit]:
    """Plugin steps of the Rollout that the scenario releases."""
    if context.scenario is not None:
        yield from _plugin_steps(context, lambda rollout: rollout.name in context.judged_rollouts)


def plugin_steps_of_any(context: Context) -> Iterator[Hit]:
    """Plugin steps of every Rollout, where there is no scenario that releases one."""
    if context.scenario is None:
        yield from _plugin_steps(context, lambda _: True)


def _plugin_steps(context: Context, is_meant: Callable[[Document], bool]) -> Iterator[Hit]:
    if not context.controller.is_since(Controller.ARGO_1_8):
        return  # which knows no such steps: RT109
    for rollout in filter(is_meant, context.of_kind("Rollout")):
        for path, step in entries(rollout.data, "spec", "strategy", "canary", "steps"):
            if isinstance(step.get("plugin"), Mapping):
                name = text(step, "plugin", "name")
                message = (
                    f"Rollout {rollout.name!r}: step {int(path[-1]) + 1} is plugin {name!r}, which the twin does not model: "
                    f"only the plugin's own code says when the step is over and whether it aborts"
                )
                yield Hit(rollout, (*path, "plugin", "name") if name else (*path, "plugin"), message)


def unexposed(context: Context) -> Iterator[Hit]:
    """Queries for metrics that no simulated pod, proxy or exporter has, each once."""
    if context.scenario is None:
        return
    seen: set[tuple[int, str]] = set()
    for metric in metric_uses(context):
        judged = metric.use is not None and metric.use.rollout.name in context.judged_rollouts
        key = (id(metric.template), metric.name)
        if not judged or key in seen:
            continue
        for kind, names in _asked(metric):
            missing = [name for name in names if not _is_exposed(kind, name, context.scenario.telemetry)]
            if missing:
                seen.add(key)
                message = f"{metric.words} asks {kind} for {', '.join(missing)}, which nothing in the simulated cluster exposes"
                yield Hit(metric.template, (*metric.path, "provider", kind), message)


def _asked(metric: MetricUse) -> Iterator[tuple[str, list[str]]]:
    """(provider, metrics named), of the providers the twin models."""
    for kind, names_in in (("prometheus", promql_tree.metrics), ("datadog", _datadog_metrics)):
        provider = mapping(metric.metric, "provider", kind)
        queries = [text(provider, "query"), *map(str, mapping(provider, "queries").values())]
        names = dict.fromkeys(name for query in queries for name in names_in(query) if PLACEHOLDER not in name)
        yield kind, list(names)


def _datadog_metrics(query: str) -> tuple[str, ...]:
    return tuple(found.metric for found in datadog_selectors(query))


def _is_exposed(kind: str, metric: str, telemetry: Telemetry) -> bool:
    if kind == "prometheus":
        return conventions.exposes(metric, telemetry.prometheus)
    return conventions.sends(metric, telemetry.datadog)


def _others(context: Context) -> Iterator[tuple[MetricUse, str]]:
    for metric in metric_uses(context):
        kinds = [kind for kind in mapping(metric.metric, "provider") if kind.lower() not in MODELLED]
        if kinds and metric.use is not None:
            yield metric, kinds[0]


def _answered(context: Context, metric: MetricUse) -> bool:
    """Whether every kind of release finds an answer."""
    scenario = context.scenario
    if scenario is None:
        return False
    origin = Origin(metric.template.name, metric.name)
    releases = {scenario.release.name, *(release.name for release in scenario.mix)}
    fitting = (scripts.fitting(scenario.telemetry.signals, origin, release) for release in releases)
    return all(any(signal.steps for signal in signals) for signals in fitting)


RULES: tuple[Rule, ...] = (
    Rule("RT810", "provider-unscripted", Severity.ERROR,
         "A provider that nobody answers for makes every measurement an Error, which aborts good releases too; run and "
         "score refuse such a scenario.", "write what it answers under telemetry.signals", unscripted),
    Rule("RT811", "provider-needs-script", Severity.INFO,
         "Only Prometheus and Datadog are modelled; run and score need a scenario that says what the others answer.",
         "script its answers under telemetry.signals of a scenario", needs_script),
    Rule("RT812", "metric-unexposed", Severity.WARNING,
         "A query for a metric that does not exist finds nothing, so its gate decides by what it does without data: it fails "
         "good releases too, or passes bad ones.",
         "name the application's metrics under telemetry.prometheus or telemetry.datadog (requests_metric, duration_metric); "
         "rolltwin does not know what other metrics would say", unexposed),
    Rule("RT813", "plugin-step", Severity.ERROR,
         "A step plugin is a program of its own that holds the rollout, lets it go on or aborts it; plan, run, score and diff "
         "refuse a Rollout that has one.",
         "put what the plugin waits for in its place, a pause or an analysis, in a copy of the manifest", plugin_steps),
    Rule("RT814", "plugin-step-not-replayed", Severity.WARNING,
         "The controller accepts a plugin step, the twin cannot replay it; plan, run, score and diff refuse such a Rollout.",
         "put what the plugin waits for in its place, a pause or an analysis, in a copy of the manifest", plugin_steps_of_any),
)  # fmt: skip
