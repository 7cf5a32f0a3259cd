"""RT23x-RT24x: what the queries of metrics ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from scenarios.findings import Path, Severity
from scenarios.rules import evaluation, promql_tree
from scenarios.rules.context import Context
from scenarios.rules.promql_tree import Elements
from scenarios.rules.ratios import ratio_gate
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.selectors import STATUS_LABELS, Selector, datadog_selectors, promql_selectors
from scenarios.rules.tree import mapping, seconds, text
from scenarios.rules.uses import MetricUse, metric_uses
from sim.metrics import datadog, promql
from sim.metrics.rangequery import RangeError, range_of
from sim.model.analysis import PrometheusProvider
from sim.model.telemetry import Telemetry
from sim.model.units import duration_text

_INDEX = re.compile(r"\bresult\s*\[\s*(\d+)\s*\]")
_PERCENTILE = re.compile(r"percentile$|\.median$|\.p\d\d+$|(?:^|[._])p\d\d+(?:$|[._])")
_ROLLUP = re.compile(r"rollup\(\s*\w+\s*,\s*(\d+)\s*\)")
_WHOLE_WINDOW = re.compile(r"\.rollup\(|\bmoving_rollup\(|\bcumsum\(|\bewma_|\bintegral\(")
_NOT_MODELLED = "not modelled"
"""How the evaluators say that a query is fine, but beyond them."""
_DATADOG_DEFAULT_WINDOW_S = 300.0


def does_not_parse(context: Context) -> Iterator[Hit]:
    """Queries the provider will refuse."""
    for metric, path, query in _queries(context, "prometheus"):
        problem = promql_tree.problem(query)
        if problem:
            yield Hit(metric.template, path, f"PromQL of {metric.words} does not parse: {problem}")
        if promql_tree.is_text(query):
            message = f"PromQL of {metric.words} yields a text: Prometheus metric type not supported"
            yield Hit(metric.template, path, message)
    for metric, path, message in _unreadable_ranges(context):
        yield Hit(metric.template, path, f"{metric.words}: {message}")
    for metric, path, query in _queries(context, "datadog"):
        problem = datadog.check(query)
        if problem and _NOT_MODELLED not in problem:
            yield Hit(metric.template, path, f"Datadog query of {metric.words} does not parse: {problem}")


def _unreadable_ranges(context: Context) -> Iterator[tuple[MetricUse, Path, str]]:
    """Range queries whose times or step the controller cannot read."""
    for metric in metric_uses(context):
        read = evaluation.parsed(metric.metric)
        for provider in read.providers if read is not None else ():
            if isinstance(provider, PrometheusProvider) and provider.range_query is not None:
                try:
                    range_of(provider.range_query, 0.0)
                except RangeError as problem:
                    yield metric, (*metric.path, "provider", "prometheus", "rangeQuery"), str(problem)


def not_modelled(context: Context) -> Iterator[Hit]:
    """Queries the provider takes and the twin cannot evaluate."""
    for kind, examine in (("prometheus", promql.check), ("datadog", datadog.check)):
        for metric, path, query in _queries(context, kind):
            problem = examine(query)
            if problem and (kind == "prometheus" or _NOT_MODELLED in problem) and not promql_problem(kind, query):
                yield Hit(metric.template, path, f"the query of {metric.words} cannot be simulated: {problem}")


def promql_problem(kind: str, query: str) -> str | None:
    """Why a PromQL query is none; None for the other providers."""
    return promql_tree.problem(query) if kind == "prometheus" else None


def _is_ranged(metric: MetricUse) -> bool:
    """Whether the query is asked at many instants: its answer has a point for each."""
    return mapping(metric.metric, "provider", "prometheus").get("rangeQuery") is not None


def index_beyond_result(context: Context) -> Iterator[Hit]:
    """``result[1]`` on a query that returns one element."""
    for metric, _, tree in _trees(context):
        if promql_tree.elements(tree) is not Elements.ONE or _is_ranged(metric):
            continue
        for field, condition in evaluation.written(metric):
            beyond = sorted({int(index) for index in _INDEX.findall(condition) if int(index) > 0})
            if beyond:
                message = (
                    f"{field} {condition!r} of {metric.words} reads result[{beyond[0]}], but the query returns one element at "
                    f"most: index out of range, every measurement is an Error"
                )
                yield Hit(metric.template, (*metric.path, field), message)


def one_of_many(context: Context) -> Iterator[Hit]:
    """``result[0]`` on a query that may return several elements."""
    for metric, path, tree in _trees(context):
        if promql_tree.elements(tree) is Elements.ONE or _is_ranged(metric):
            continue
        for field, condition in evaluation.written(metric):
            if _INDEX.search(condition):
                message = (
                    f"the query of {metric.words} can return one element for each series, and {field} {condition!r} "
                    f"judges only the one that happens to come first"
                )
                yield Hit(metric.template, path, message)
                break


def filled_absence(context: Context) -> Iterator[Hit]:
    """``... or vector(0)`` around the whole query, where the constant passes."""
    for metric, path, tree in _trees(context):
        constant = promql_tree.fill(tree)
        if constant is not None and evaluation.evaluates(metric) and evaluation.passes(metric, constant):
            message = (
                f"the query of {metric.words} answers {constant:g} where there are no series, and {constant:g} passes: a "
                f"version that reports nothing is healthy. 0/0 stays NaN: `or` fills absence only"
            )
            yield Hit(metric.template, path, message)


def averaged_percentiles(context: Context) -> Iterator[Hit]:
    """Averages of percentiles."""
    for metric, path, tree in _trees(context):
        if promql_tree.averaged_quantiles(tree):
            yield Hit(
                metric.template, path, f"the query of {metric.words} averages percentiles, which is no percentile"
            )
    for metric, path, query in _queries(context, "datadog"):
        for selector in datadog_selectors(query):
            if selector.aggregation in {"avg", "sum"} and _PERCENTILE.search(selector.metric):
                message = (
                    f"{selector.aggregation}:{selector.metric} of {metric.words} combines percentiles that each host "
                    f"computed for itself: one slow pod among ten moves it by a tenth, and it is no percentile of the requests"
                )
                yield Hit(metric.template, path, message)


def loses_le(context: Context) -> Iterator[Hit]:
    """``histogram_quantile`` over buckets whose bounds were summed away."""
    for metric, path, tree in _trees(context):
        if any(promql_tree.loses_le(inner) for _, inner in promql_tree.quantiles(tree)):
            message = f"histogram_quantile of {metric.words} needs the label le, which the aggregation inside drops: no result"
            yield Hit(metric.template, path, message)


def quantile_per_series(context: Context) -> Iterator[Hit]:
    """``histogram_quantile`` over buckets that are not summed."""
    for metric, path, tree in _trees(context):
        if any(not promql_tree.aggregates(inner) for _, inner in promql_tree.quantiles(tree)):
            message = f"histogram_quantile of {metric.words} is computed for each pod by itself, not for the service"
            yield Hit(metric.template, path, message)


def short_window(context: Context) -> Iterator[Hit]:
    """Range windows that hold too few scrapes."""
    scrape = _telemetry(context).prometheus.scrape_interval_s
    known = "" if context.scenario else " (Prometheus' common setting; give a scenario to use yours)"
    for metric, path, query in _queries(context, "prometheus"):
        for window in sorted({selector.window for selector in promql_selectors(query) if selector.window}):
            length = seconds(window)
            if length is None or length >= 4 * scrape:
                continue
            blind = (
                "usually holds a single sample and yields nothing"
                if length < 2 * scrape
                else "is lost with two scrapes"
            )
            message = f"[{window}] of {metric.words} at a scrape interval of {duration_text(scrape)}{known} {blind}"
            yield Hit(metric.template, path, message, f"use at least [{duration_text(4 * scrape)}], four scrapes")


def only_2xx(context: Context) -> Iterator[Hit]:
    """Success ratios that count redirects and client errors as failures."""
    for metric in metric_uses(context):
        gate = ratio_gate(metric)
        if gate is not None and gate.only_2xx:
            message = (
                f"{metric.words} counts only 2xx as good: redirects, 401, 404 or 429, which a healthy service answers "
                f"every day, fail it as soon as they are more than {100 * gate.limit:.3g} % of the answers"
            )
            yield Hit(metric.template, _query_path(metric, gate.provider), message)


def no_such_status(context: Context) -> Iterator[Hit]:
    """Status matchers no HTTP status can satisfy."""
    for metric in metric_uses(context):
        for kind in ("prometheus", "datadog"):
            for selector in _selectors(metric, kind):
                if selector.statuses == frozenset():
                    written = ", ".join(
                        f'{m.label}{m.operator}"{m.value}"'
                        for m in selector.matchers
                        if m.label.lower() in STATUS_LABELS
                    )
                    message = (
                        f"no HTTP status satisfies {written or selector.metric} of {metric.words}: it counts nothing"
                    )
                    yield Hit(metric.template, _query_path(metric, kind), message)


def no_address(context: Context) -> Iterator[Hit]:
    """Prometheus metrics without an address."""
    attached = _telemetry(context).prometheus.attached_address
    for metric, path, _ in _queries(context, "prometheus"):
        if not attached and not text(metric.metric, "provider", "prometheus", "address"):
            message = (
                f"{metric.words} names no Prometheus address: every measurement is an Error unless the controller runs with "
                f"ARGO_ROLLOUTS_PROMETHEUS_ADDRESS"
            )
            yield Hit(metric.template, path[:-1], message)


def last_bucket_only(context: Context) -> Iterator[Hit]:
    """Datadog v1 queries judged on the newest bucket alone."""
    bucket = _telemetry(context).datadog.bucket_s
    for metric, path, query in _queries(context, "datadog"):
        provider = mapping(metric.metric, "provider", "datadog")
        if provider.get("apiVersion", "v1") == "v1" and not _WHOLE_WINDOW.search(query):
            window = seconds(provider.get("interval")) or _DATADOG_DEFAULT_WINDOW_S
            message = (
                f"of the {duration_text(window)} that {metric.words} asks for, the controller reads the last point: about "
                f"{bucket:g} s of traffic, and the newest bucket is often incomplete"
            )
            seconds_text = f"{window:.0f}"
            yield Hit(
                metric.template, path, message, f"moving_rollup(<series>, {seconds_text}, 'sum') covers the window"
            )


def rollup_beyond_window(context: Context) -> Iterator[Hit]:
    """Rollups longer than the time span that is asked for."""
    for metric, path, query in _queries(context, "datadog"):
        window = seconds(text(metric.metric, "provider", "datadog", "interval")) or _DATADOG_DEFAULT_WINDOW_S
        longest = max(map(float, _ROLLUP.findall(query)), default=0.0)
        if longest > window:
            message = (
                f"{metric.words} rolls up {duration_text(longest)} but asks for the last {duration_text(window)}: at most "
                f"that much is summed, in buckets aligned to UTC, not a rolling {duration_text(longest)}"
            )
            yield Hit(metric.template, path, message)


def _telemetry(context: Context) -> Telemetry:
    return context.scenario.telemetry if context.scenario is not None else Telemetry()


def _queries(context: Context, kind: str) -> Iterator[tuple[MetricUse, Path, str]]:
    """(metric, path of the query, its text with arguments substituted); Datadog's several queries one by one."""
    for metric in metric_uses(context):
        provider = mapping(metric.metric, "provider", kind)
        base: Path = (*metric.path, "provider", kind)
        if text(provider, "query"):
            yield metric, (*base, "query"), text(provider, "query")
        for name in mapping(provider, "queries"):
            if text(provider, "queries", name):
                yield metric, (*base, "queries", name), text(provider, "queries", name)


def _trees(context: Context) -> Iterator[tuple[MetricUse, Path, Any]]:
    for metric, path, query in _queries(context, "prometheus"):
        tree = promql_tree.parse(query)
        if tree is not None:
            yield metric, path, tree


def _selectors(metric: MetricUse, kind: str) -> tuple[Selector, ...]:
    query = text(metric.metric, "provider", kind, "query")
    return tuple(promql_selectors(query) if kind == "prometheus" else datadog_selectors(query))


def _query_path(metric: MetricUse, kind: str) -> Path:
    return (*metric.path, "provider", kind, "query")


RULES = (
    Rule(
        "RT230",
        "query-syntax",
        Severity.ERROR,
        "The provider refuses a query that does not parse; each measurement is then an Error.",
        "correct the query; try it in the provider's own console with the arguments filled in",
        does_not_parse,
    ),
    Rule(
        "RT231",
        "index-beyond-result",
        Severity.ERROR,
        "A query aggregated without `by` returns one element, so only result[0] exists; other indices are out of range.",
        "compare inside the query (canary / stable) and judge result[0]",
        index_beyond_result,
    ),
    Rule(
        "RT232",
        "one-of-many",
        Severity.WARNING,
        "Without an aggregation a query returns one element a series (a pod), in no order to rely on; result[0] is any of them.",
        "aggregate with sum(...) or max(...), or judge all elements: all(result, # < x)",
        one_of_many,
    ),
    Rule(
        "RT233",
        "absence-filled",
        Severity.WARNING,
        "`or vector(0)` turns a missing series into 0 errors, so a canary without pods, traffic or telemetry passes.",
        "fill only the numerator: (sum(errors) or vector(0)) / sum(total)",
        filled_absence,
    ),
    Rule(
        "RT234",
        "percentiles-averaged",
        Severity.WARNING,
        "Percentiles cannot be averaged or added: the result is not the percentile of all requests.",
        "histogram_quantile over summed buckets, or a Datadog distribution metric (p99:metric{...})",
        averaged_percentiles,
    ),
    Rule(
        "RT235",
        "quantile-without-le",
        Severity.ERROR,
        "histogram_quantile reads the bucket bounds from the label le; aggregated away, there is no result.",
        "histogram_quantile(0.99, sum by (le) (rate(..._bucket[5m])))",
        loses_le,
    ),
    Rule(
        "RT236",
        "quantile-per-series",
        Severity.WARNING,
        "Over unsummed buckets histogram_quantile answers once for each pod and label set.",
        "histogram_quantile(0.99, sum by (le) (rate(..._bucket[5m])))",
        quantile_per_series,
    ),
    Rule(
        "RT237",
        "window-too-short",
        Severity.WARNING,
        "rate() needs two samples in its window, and Prometheus 3 leaves the left edge out; with fewer than four scrapes a "
        "single missed one makes the gate blind.",
        "make the window at least four scrape intervals",
        short_window,
    ),
    Rule(
        "RT238",
        "only-2xx-is-success",
        Severity.WARNING,
        "Redirects and client errors are not the release's fault, yet they fail a ratio of 2xx to everything.",
        'count server errors: 1 - sum(rate(requests{status=~"5.."}[5m])) / sum(rate(requests[5m]))',
        only_2xx,
    ),
    Rule(
        "RT239",
        "no-such-status",
        Severity.ERROR,
        'PromQL expressions are anchored at both ends: status=~"5" matches only a status that is "5".',
        'status=~"5.." for server errors',
        no_such_status,
    ),
    Rule(
        "RT240",
        "prometheus-without-address",
        Severity.WARNING,
        "A Prometheus metric without an address works only where the controller has a default configured.",
        "provider.prometheus.address: http://prometheus.monitoring:9090",
        no_address,
    ),
    Rule(
        "RT241",
        "last-bucket-only",
        Severity.WARNING,
        "For Datadog's v1 API the controller takes the last point of the first series, not the whole window.",
        "moving_rollup(<series>, 300, 'sum'), or apiVersion v2 with an aggregator",
        last_bucket_only,
    ),
    Rule(
        "RT242",
        "rollup-beyond-window",
        Severity.WARNING,
        "A rollup cannot reach further back than the time span of the request, which is provider.datadog.interval.",
        "set interval to the rollup's length, and mind that buckets are aligned to UTC",
        rollup_beyond_window,
    ),
    Rule(
        "RT243",
        "query-not-modelled",
        Severity.WARNING,
        "The provider would answer this query, but the twin's evaluator cannot: in a simulation its measurements are errors.",
        "ask for the same without what the message names; the rest of the manifests is checked all the same",
        not_modelled,
    ),
)
