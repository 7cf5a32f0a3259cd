"""Taking one measurement: asks the simulated backends what the template asks the real ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.metrics import answers, datadog, promql
from sim.metrics.datadog import AgentStore, DatadogError
from sim.metrics.promql import PromqlError, PromqlSyntaxError
from sim.metrics.rangequery import RangeError, range_of
from sim.metrics.store import SeriesStore
from sim.model.analysis import (
    DatadogProvider,
    OtherProvider,
    PrometheusProvider,
    Provider,
    ProviderResult,
    RangeQuery,
)
from sim.model.telemetry import Signal, Telemetry


@dataclass(frozen=True, slots=True)
class Sources:
    """What can be asked during a run; ``outages`` names the providers that are down now (``prometheus``, ``web`` ...).

    ``signals`` are the scripted answers of the providers that are not modelled.
    """

    prometheus: SeriesStore = field(default_factory=SeriesStore)
    datadog: AgentStore = field(default_factory=AgentStore)
    telemetry: Telemetry = field(default_factory=Telemetry)
    outages: frozenset[str] = frozenset()
    signals: tuple[Signal, ...] | None = None
    """None: the telemetry's."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which metric a measurement is for; scripted signals are found by it ('' fits any)."""

    template: str = ""
    metric: str = ""


def kind_of(provider: Provider) -> str:
    """The provider's key in a template, in lower case."""
    match provider:
        case PrometheusProvider():
            return "prometheus"
        case DatadogProvider():
            return "datadog"
        case OtherProvider(kind):
            return kind.lower()


def result_type(provider: Provider) -> str:
    """Go type of ``result`` as far as it is known without data: ``float64``, ``[]float64``, ``any`` ...

    A Datadog provider without data yields nil all the same, and a PromQL scalar is only known from its text.
    """
    match provider:
        case PrometheusProvider(query, range_query=ranged):
            return answers.FLOAT if not ranged and _kind(query) == "scalar" else answers.FLOATS
        case DatadogProvider():
            grouped = provider.api_version == "v2" and _is_grouped(provider)
            return answers.FLOATS if grouped else answers.FLOAT
        case OtherProvider(kind):
            return {"graphite": answers.FLOATS, "influxdb": "[]interface{}", "cloudwatch": "[]MetricDataResult"}.get(
                kind.lower(), answers.JSON
            )


def _is_grouped(provider: DatadogProvider) -> bool:
    texts = (provider.query, *(text for _, text in provider.queries))
    return any(datadog.is_grouped(text) for text in texts if text)


def measure(provider: Provider, now_s: float, sources: Sources, origin: Origin | None = None) -> ProviderResult:
    """The provider's typed result at ``now_s``, or its error in the controller's words; never raises for bad input."""
    kind = kind_of(provider)
    match provider:
        case PrometheusProvider():
            return _prometheus(provider, now_s, sources)
        case DatadogProvider():
            return _datadog(provider, now_s, sources)
        case OtherProvider():
            if kind in sources.outages:
                return answers.error(f"{kind}: connection refused")
            return _scripted(provider, now_s, sources, origin or Origin())


def _prometheus(provider: PrometheusProvider, now_s: float, sources: Sources) -> ProviderResult:
    unreachable = _unreachable(provider, sources)
    if unreachable:
        return answers.error(unreachable)
    dialect = promql.dialect_of(sources.telemetry.prometheus.version)
    try:
        if provider.range_query is not None:
            return _flattened(_over_range(provider.query, provider.range_query, now_s, sources, dialect))
        return _at_instant(provider.query, now_s, sources.prometheus, dialect)
    except RangeError as problem:
        return answers.error(str(problem))
    except PromqlSyntaxError as problem:
        return answers.error(f'bad_data: invalid parameter "query": {problem.reason}')
    except PromqlError as problem:
        return answers.error(f"execution: {problem.reason}")


def _unreachable(provider: PrometheusProvider, sources: Sources) -> str:
    if not (provider.address or sources.telemetry.prometheus.attached_address):
        return "prometheus address is not configured"
    if "prometheus" in sources.outages:
        return f'Post "{provider.address}/api/v1/query": dial tcp: connect: connection refused'
    return ""


def _at_instant(query: str, now_s: float, store: SeriesStore, dialect: str) -> ProviderResult:
    match promql.kind_of(query):
        case "string":
            return answers.error("Prometheus metric type not supported")
        case "matrix":
            return _flattened(promql.query_matrix(store, query, now_s, dialect))
    value = promql.query(store, query, now_s, dialect)
    return answers.vector([number for _, number in value]) if isinstance(value, list) else answers.scalar(value)


def _flattened(matrix: promql.Matrix) -> ProviderResult:
    return answers.vector([number for _, points in matrix for _, number in points])


def _kind(query: str) -> str:
    try:
        return promql.kind_of(query)
    except PromqlError:
        return ""


def _over_range(query: str, ranged: RangeQuery, now_s: float, sources: Sources, dialect: str) -> promql.Matrix:
    return promql.query_range(sources.prometheus, query, *range_of(ranged, now_s), dialect=dialect)


def _datadog(provider: DatadogProvider, now_s: float, sources: Sources) -> ProviderResult:
    refused = answers.datadog_config_error(_datadog_config(provider))
    if refused:
        return answers.error(refused)
    if "datadog" in sources.outages:
        return answers.error("dial tcp: connect: connection refused")
    try:
        if provider.api_version == "v2":
            return _datadog_v2(provider, now_s, sources)
        series = datadog.query(sources.datadog, provider.query, now_s, provider.interval_s, sources.telemetry.datadog)
    except DatadogError as problem:
        return answers.error(f"received non 2xx response code: 400 {problem}")
    return answers.scalar(series[0].points[-1][1]) if series and series[0].points else answers.no_data()


def _datadog_config(provider: DatadogProvider) -> Mapping[str, object]:
    return {
        "query": provider.query,
        "queries": dict(provider.queries),
        "formula": provider.formula,
        "apiVersion": provider.api_version,
        "aggregator": provider.aggregator,
    }


def _datadog_v2(provider: DatadogProvider, now_s: float, sources: Sources) -> ProviderResult:
    values = datadog.scalars(sources.datadog, provider, now_s, sources.telemetry.datadog)
    if not values:
        return answers.no_data()
    if _is_grouped(provider):
        return answers.vector([value for _, value in values])
    return answers.scalar(values[0][1])


def _scripted(provider: OtherProvider, now_s: float, sources: Sources, origin: Origin) -> ProviderResult:
    """The scenario's answer in force: the last one not later than now; before the first there is none."""
    signals = sources.telemetry.signals if sources.signals is None else sources.signals
    fitting = [one for one in signals if _fits(one.template, origin.template) and _fits(one.metric, origin.metric)]
    current = [text for one in fitting for at_s, text in one.answers if at_s <= now_s]
    if not current:
        return answers.error(
            f"provider {provider.kind} of metric {origin.metric or '?'} is not modelled, and the scenario scripts no "
            f"answer for it by {now_s:g} s (telemetry.signals)"
        )
    text = current[-1]
    if text.startswith("error:"):
        return answers.error(text.removeprefix("error:").strip())
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    return answers.scripted(kind_of(provider), value)


def _fits(wanted: str, given: str) -> bool:
    return not wanted or not given or wanted == given
