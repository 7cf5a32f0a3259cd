"""One measurement: what each provider hands to the conditions."""

from __future__ import annotations

import dataclasses
import math

import pytest

from sim.metrics import providers
from sim.metrics.datadog import AgentStore
from sim.metrics.providers import Sources
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
from sim.model.controller import Controller
from sim.model.telemetry import PrometheusTelemetry, Signal, Telemetry


def sources(*outages: str, attached: str = "") -> Sources:
    store, agents = SeriesStore(), AgentStore()
    for pod in "ba":
        store.append({"__name__": "up", "pod": pod}, 60.0, 1.0)
        agents.append("m", {"pod": pod}, 60.0, 2.0)
    signals = (
        Signal("smoke", "checks", ((0.0, '{"ok": true, "n": 3}'), (100.0, "error: broken pipe"))),
        Signal("smoke", "text", ((0.0, "fine"),)),
        Signal("smoke", "points", ((0.0, "[1, 2.5]"),)),
    )
    telemetry = Telemetry(PrometheusTelemetry(attached_address=attached), signals=signals)
    return Sources(store, agents, telemetry, frozenset(outages))


def prometheus(query: str) -> PrometheusProvider:
    return PrometheusProvider(query, "http://prometheus:9090")


def ranged(query: str, start: str, end: str, step: str) -> PrometheusProvider:
    return PrometheusProvider(query, "http://prometheus:9090", range_query=RangeQuery(start, end, step))


@pytest.mark.parametrize(
    ("provider", "value", "go_type", "text"),
    [
        pytest.param(prometheus("sum(up)"), [2.0], "[]float64", "[2]", id="an aggregation is a vector of one"),
        pytest.param(prometheus("up"), [1.0, 1.0], "[]float64", "[1,1]", id="one element a series"),
        pytest.param(prometheus("scalar(sum(up)) / 4"), 0.5, "float64", "0.5", id="scalar"),
        pytest.param(prometheus("down"), [], "[]float64", "[]", id="empty vector"),
        pytest.param(prometheus("up[1m]"), [1.0, 1.0], "[]float64", "[1,1]", id="samples of a range"),
        pytest.param(ranged("count(up)", 'now() - duration("60s")', "now()", "20s"), [2.0], "[]float64", "[2]",
                     id="a range query's points, where there are any"),
        pytest.param(ranged("up", "now()", 'now() + duration("1m")', "30s"), [1.0] * 6, "[]float64", "[1,1,1,1,1,1]",
                     id="series after series"),
        pytest.param(ranged("time()", "now()", 'now() + duration("1m")', "30s"), [60.5, 90.5, 120.5], "[]float64",
                     "[60.5,90.5,120.5]", id="a scalar over a range"),
        pytest.param(prometheus("1e30"), 1e30, "float64", "1" + "0" * 30, id="no exponent"),
        pytest.param(DatadogProvider("sum:m{*}"), 4.0, "float64", "4", id="datadog v1: last point"),
        pytest.param(DatadogProvider("sum:none{*}"), None, "*float64", "[]", id="datadog v1: nil"),
        pytest.param(DatadogProvider("sum:m{*}", api_version="v2"), 4.0, "float64", "4", id="datadog v2"),
        pytest.param(DatadogProvider("sum:m{*} by {pod}", api_version="v2"), [2.0, 2.0], "[]float64", "[2,2]",
                     id="datadog v2: groups"),
    ],
)  # fmt: skip
def test_results(provider: Provider, value: object, go_type: str, text: str) -> None:
    assert providers.measure(provider, 60.5, sources()) == ProviderResult(value, go_type, text)


@pytest.mark.parametrize(
    ("provider", "outages", "message"),
    [
        pytest.param(PrometheusProvider("up"), (), "prometheus address is not configured", id="no address"),
        pytest.param(prometheus("up"), ("prometheus",), "connection refused", id="prometheus down"),
        pytest.param(prometheus("up{"), (), "bad_data", id="no PromQL"),
        pytest.param(prometheus("'up'"), (), "Prometheus metric type not supported", id="a text"),
        pytest.param(ranged("up", "hello", "now()", "1m"), (), "failed to parse rangeQuery.start as time", id="start"),
        pytest.param(ranged("up", "now()", "1", "1m"), (), "failed to parse rangeQuery.end as time", id="end"),
        pytest.param(ranged("up", "now()", "now()", ""), (), 'step as duration: time: invalid duration ""', id="step"),
        pytest.param(ranged("up", "now()", "now()", "0s"), (), "zero or negative query resolution", id="no step"),
        pytest.param(
            ranged("up", "now()", 'now() - duration("1s")', "1s"), (), "must not be before start time", id="backwards"
        ),
        pytest.param(
            ranged("up", 'now() - duration("12h")', "now()", "1s"), (), "maximum resolution of 11,000", id="too fine"
        ),
        pytest.param(DatadogProvider("sum:m{*}"), ("datadog",), "connection refused", id="datadog down"),
        pytest.param(DatadogProvider("sum:m{"), (), "response code: 400", id="no query"),
        pytest.param(DatadogProvider("sum:m{*}", aggregator="max"), (), "Aggregator is not supported in v1", id="v1"),
        pytest.param(
            DatadogProvider(queries=(("a", "x"), ("b", "y")), api_version="v2"), (), "include a formula", id="v2"
        ),
        pytest.param(
            DatadogProvider("sum:m{*}", request_timeout="0s"), (), "must be a positive duration", id="no time at all"
        ),
        pytest.param(
            DatadogProvider("sum:m{*}", request_timeout="soon"), (), 'invalid duration "soon"', id="no duration"
        ),
        pytest.param(OtherProvider("web"), ("web",), "connection refused", id="web down"),
        pytest.param(OtherProvider("web"), (), "the scenario scripts no answer", id="nothing scripted"),
    ],
)
def test_errors(provider: Provider, outages: tuple[str, ...], message: str) -> None:
    found = providers.measure(provider, 60.5, sources(*outages), Origin(metric="other"))
    assert message in found.error
    assert found.value is None


def test_the_controller_falls_back_to_its_own_address() -> None:
    assert providers.measure(PrometheusProvider("up"), 60.5, sources(attached="http://x")).value == [1.0, 1.0]


@pytest.mark.parametrize(
    ("kind", "metric", "now_s", "expected"),
    [
        pytest.param("web", "checks", 5.0, ProviderResult({"ok": True, "n": 3}, "any", '{"n":3,"ok":true}'), id="JSON"),
        pytest.param("web", "checks", 100.0, ProviderResult(error="broken pipe"), id="the answer in force"),
        pytest.param("web", "text", 5.0, ProviderResult("fine", "any", '"fine"'), id="plain text"),
        pytest.param(
            "graphite",
            "points",
            5.0,
            ProviderResult([1.0, 2.5], "[]float64", "[1.000000,2.500000]"),
            id="typed by provider",
        ),
    ],
)
def test_scripted_answers(kind: str, metric: str, now_s: float, expected: ProviderResult) -> None:
    assert providers.measure(OtherProvider(kind), now_s, sources(), Origin("smoke", metric)) == expected


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        pytest.param(prometheus("sum(up)"), "[]float64", id="vector"),
        pytest.param(prometheus("scalar(up) > bool 1"), "float64", id="scalar"),
        pytest.param(ranged("time()", "now()", "now()", "1m"), "[]float64", id="a scalar over a range is a matrix"),
        pytest.param(DatadogProvider("sum:m{*} by {pod}"), "float64", id="v1 takes the first series"),
        pytest.param(DatadogProvider("sum:m{*} by {pod}", api_version="v2"), "[]float64", id="v2 with groups"),
        pytest.param(OtherProvider("web"), "any", id="web"),
        pytest.param(OtherProvider("graphite"), "[]float64", id="graphite"),
    ],
)
def test_result_types_known_without_data(provider: Provider, expected: str) -> None:
    assert providers.result_type(provider) == expected


def test_no_traffic_is_recorded_as_nan() -> None:
    found = providers.measure(prometheus("0 * sum(up) / 0"), 60.5, sources())
    assert found.text == "[NaN]"
    assert math.isnan(found.value[0])


@pytest.mark.parametrize(
    ("kind", "answer", "value", "go_type", "text"),
    [
        pytest.param("web", "[1, null]", [1, None], "any", "[1,null]", id="web: JSON"),
        pytest.param("web", '{"status": 200, "body": {"ok": 1}}', 1.0, "any", "1", id="web: the path looks in a whole answer"),
        pytest.param("web", '{"status": 200, "body": "fine"}', "fine", "string", "fine", id="web: text"),
        pytest.param("newrelic", '{"count": 10}', {"count": 10}, "any", '{"count":10}', id="newrelic: one row"),
        pytest.param("newrelic", '[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}], "any", '[{"a":1},{"a":2}]',
                     id="newrelic: rows"),
        pytest.param("cloudwatch", "0.5", [{"Values": [0.5]}], "[]MetricDataResult", "[[0.5]]", id="cloudwatch: a value"),
        pytest.param("cloudwatch", '[{"Values": [1, 2]}]', [{"Values": [1, 2]}], "[]MetricDataResult", "[[1 2]]",
                     id="cloudwatch: results"),
        pytest.param("wavefront", "3", 3.0, "float64", "3.00", id="wavefront: one series"),
        pytest.param("wavefront", "[3, 4]", [3.0, 4.0], "[]float64", "[3.00,4.00]", id="wavefront: series"),
        pytest.param("graphite", "[1, null, 2]", [1.0, 2.0], "[]float64", "[1.000000,2.000000]", id="graphite: nulls"),
        pytest.param("influxdb", "6.6", [6.6], "[]interface{}", "[6.6]", id="influxdb: a row"),
        pytest.param("skywalking", '{"a": {"b": 1}}', {"a": {"b": 1}}, "any", '{"a":{"b":1}}', id="skywalking"),
        pytest.param("plugin", "true", True, "any", "true", id="a plugin"),
    ],
)  # fmt: skip
def test_scripted_answers_have_the_providers_type(
    kind: str, answer: str, value: object, go_type: str, text: str
) -> None:
    telemetry = Telemetry(signals=(Signal("t", "m", answer=answer),))
    provider = OtherProvider(kind, '{"jsonPath": "{$.ok}"}' if "ok" in answer else "{}")
    found = providers.measure(provider, 5.0, Sources(telemetry=telemetry), Origin("t", "m"))
    assert found == ProviderResult(value, go_type, text)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        pytest.param("newrelic", "no results returned from NRQL query", id="newrelic"),
        pytest.param("influxdb", "no results returned from flux query", id="influxdb"),
        pytest.param("wavefront", "No TimeSeries found in response from Wavefront", id="wavefront"),
        pytest.param("skywalking", "no results returned from SkyWalking query", id="skywalking"),
    ],
)
def test_null_is_no_data(kind: str, message: str) -> None:
    telemetry = Telemetry(signals=(Signal("t", "m", answer="null"),))
    found = providers.measure(OtherProvider(kind), 5.0, Sources(telemetry=telemetry), Origin("t", "m"))
    assert found.error == message


def test_a_signal_may_be_for_one_kind_of_release() -> None:
    signals = (Signal("t", "m", answer="1"), Signal("t", "m", answer="2", release="bad"))
    values = [
        providers.measure(
            OtherProvider("web"), 5.0, Sources(telemetry=Telemetry(signals=signals), release=release), Origin("t", "m")
        ).value
        for release in ("good", "bad")
    ]
    assert values == [1, 2]


def test_time_outs_are_read_since_1_10() -> None:
    hasty = DatadogProvider("sum:m{*}", request_timeout="0s")
    older = dataclasses.replace(sources(), controller=Controller.ARGO_1_9)
    assert providers.measure(hasty, 60.5, older).value == 4.0


def test_groups_are_read_since_1_10() -> None:
    grouped = DatadogProvider("sum:m{*} by {pod}", api_version="v2")
    older = dataclasses.replace(sources(), controller=Controller.ARGO_1_9)
    assert providers.measure(grouped, 60.5, sources()).value == [2.0, 2.0]
    assert "cannot unmarshal array" in providers.measure(grouped, 60.5, older).error
