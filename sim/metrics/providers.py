"""Taking one measurement: asks the simulated backends what the template asks the real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sim.metrics import datadog, datadog_answers, promql, results, scripts
from sim.metrics.datadog import AgentStore, DatadogError
from sim.metrics.promql import PromqlError, PromqlSyntaxError
from sim.metrics.rangequery import RangeError, range_of
from sim.metrics.scripts import Origin
from sim.metrics.store import SeriesStore
from sim.model.analysis import (
    DatadogProvider,
    OtherProvider,
    PrometheusProvider,
    Provider,
    ProviderResult,
    RangeQuery,
)
from sim.model.controller import NEWEST, Controller
from sim.model.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Sources:
    """What can be asked during a run; ``outages`` names the providers that are down now (``prometheus``, ``web`` ...).

    The telemetry's signals are the scripted answers of the providers that are not modelled.
    """

    prometheus: SeriesStore = field(default_factory=SeriesStore)
    datadog: AgentStore = field(default_factory=AgentStore)
    telemetry: Telemetry = field(default_factory=Telemetry)
    outages: frozenset[str] = frozenset()
    release: str = ""
    """Name of the kind of release that is replayed; some signals are for one only."""
    controller: Controller = NEWEST


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
            return results.FLOAT if not ranged and _kind(query) == "scalar" else results.FLOATS
        case DatadogProvider():
            grouped = provider.api_version == "v2" and is_grouped(provider)
            return results.FLOATS if grouped else results.FLOAT
        case OtherProvider(kind):
            return {"graphite": results.FLOATS, "influxdb": "[]interface{}", "cloudwatch": "[]MetricDataResult"}.get(
                kind.lower(), results.JSON
            )


def is_grouped(provider: DatadogProvider) -> bool:
    """Whether any of its queries is split ``by`` tags."""
    texts = (provider.query, *(text for _, text in provider.queries))
    return any(datadog.is_grouped(text) for text in texts if text)


def measure(
    provider: Provider, now_s: float, sources: Sources, origin: Origin | None = None, begun_s: float | None = None
) -> ProviderResult:
    """The provider's typed result at ``now_s``, or its error in the controller's words; never raises for bad input.

    ``begun_s`` is when a measurement in flight began.
    """
    kind = kind_of(provider)
    match provider:
        case PrometheusProvider():
            return _prometheus(provider, now_s, sources)
        case DatadogProvider():
            return _datadog(provider, now_s, sources)
        case OtherProvider():
            if kind in sources.outages:
                return results.error(f"{kind}: connection refused")
            signals = scripts.fitting(sources.telemetry.signals, origin or Origin(), sources.release)
            return scripts.scripted(provider, now_s, now_s if begun_s is None else begun_s, signals)


@contextmanager
def foreseen(provider: PrometheusProvider, instants_s: Sequence[float], sources: Sources) -> Iterator[None]:
    """Inside, measurements at these instants cost less, as long as nothing more is stored."""
    dialect = promql.dialect_of(sources.telemetry.prometheus.version)
    with promql.foreseen(sources.prometheus, provider.query, instants_s, dialect):
        yield


def _prometheus(provider: PrometheusProvider, now_s: float, sources: Sources) -> ProviderResult:
    unreachable = _unreachable(provider, sources)
    if unreachable:
        return results.error(unreachable)
    dialect = promql.dialect_of(sources.telemetry.prometheus.version)
    try:
        if provider.range_query is not None:
            return _flattened(_over_range(provider.query, provider.range_query, now_s, sources, dialect))
        return _at_instant(provider.query, now_s, sources.prometheus, dialect)
    except RangeError as problem:
        return results.error(str(problem))
    except PromqlSyntaxError as problem:
        return results.error(f'bad_data: invalid parameter "query": {problem.reason}')
    except PromqlError as problem:
        return results.error(f"execution: {problem.reason}")


def _unreachable(provider: PrometheusProvider, sources: Sources) -> str:
    if not (provider.address or sources.telemetry.prometheus.attached_address):
        return "prometheus address is not configured"
    if "prometheus" in sources.outages:
        return f'Post "{provider.address}/api/v1/query": dial tcp: connect: connection refused'
    return ""


def _at_instant(query: str, now_s: float, store: SeriesStore, dialect: str) -> ProviderResult:
    match promql.kind_of(query):
        case "string":
            return results.error("Prometheus metric type not supported")
        case "matrix":
            return _flattened(promql.query_matrix(store, query, now_s, dialect))
    value = promql.query(store, query, now_s, dialect)
    return results.vector([number for _, number in value]) if isinstance(value, list) else results.scalar(value)


def _flattened(matrix: promql.Matrix) -> ProviderResult:
    return results.vector([number for _, points in matrix for _, number in points])


def _kind(query: str) -> str:
    try:
        return promql.kind_of(query)
    except PromqlError:
        return ""


def _over_range(query: str, ranged: RangeQuery, now_s: float, sources: Sources, dialect: str) -> promql.Matrix:
    return promql.query_range(sources.prometheus, query, *range_of(ranged, now_s), dialect=dialect)


def _datadog(provider: DatadogProvider, now_s: float, sources: Sources) -> ProviderResult:
    refused = datadog_answers.datadog_config_error(_datadog_config(provider, sources.controller))
    if refused:
        return results.error(refused)
    if "datadog" in sources.outages:
        return results.error("dial tcp: connect: connection refused")
    try:
        if provider.api_version == "v2":
            return _datadog_v2(provider, now_s, sources)
        series = datadog.query(sources.datadog, provider.query, now_s, provider.interval_s, sources.telemetry.datadog)
    except DatadogError as problem:
        return results.error(f"received non 2xx response code: 400 {problem}")
    return results.scalar(series[0].points[-1][1]) if series and series[0].points else results.no_data()


def _datadog_config(provider: DatadogProvider, controller: Controller) -> Mapping[str, object]:
    return {
        "query": provider.query,
        "queries": dict(provider.queries),
        "formula": provider.formula,
        "apiVersion": provider.api_version,
        "aggregator": provider.aggregator,
        "requestTimeout": provider.request_timeout if controller.is_since(Controller.ARGO_1_10) else "",
    }


def _datadog_v2(provider: DatadogProvider, now_s: float, sources: Sources) -> ProviderResult:
    values = datadog.scalars(sources.datadog, provider, now_s, sources.telemetry.datadog)
    if not values:
        return results.no_data()
    if is_grouped(provider):
        # Until then the column of groups was read as the one of numbers.
        if not sources.controller.is_since(Controller.ARGO_1_10):
            return results.error(_GROUPS_ARE_NO_NUMBERS)
        return results.vector([value for _, value in values])
    return results.scalar(values[0][1])


_GROUPS_ARE_NO_NUMBERS = (
    "Could not parse JSON body: json: cannot unmarshal array into Go struct field "
    ".Data.Attributes.Columns.Values of type float64"
)
