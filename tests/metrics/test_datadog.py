"""Datadog queries: the playbook's, the rules of buckets and groups, and refusals."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.metrics import datadog
from sim.metrics.datadog import GAUGE, AgentStore, DatadogError
from sim.model.analysis import DatadogProvider
from sim.model.telemetry import DatadogTelemetry

RATIO = """sum:triptrip.http.request.count{service:api,status_class:2xx}.as_rate() /
sum:triptrip.http.request.count{service:api}.as_rate()
"""
BUDGET = """1 - (
  sum:triptrip.http.request.count{service:api,status_class:5xx}.as_count().rollup(sum, 86400) /
  sum:triptrip.http.request.count{service:api}.as_count().rollup(sum, 86400)
) / 0.001
"""


def filled(seconds: int = 600, lag_s: float = 0.0) -> AgentStore:
    """Per 10 s and pod: 99 answers of 2xx and 1 of 5xx; a median that grows by 1 a flush, pod b's 100 above a's."""
    store = AgentStore()
    for index in range(seconds // 10):
        for offset, pod in enumerate("ab"):
            t_s, tags = index * 10.0, {"service": "api", "pod_name": pod}
            for status, count in (("2xx", 99.0), ("5xx", 1.0)):
                counted = {**tags, "status_class": status}
                store.append("triptrip.http.request.count", counted, t_s, count, host=pod, seen_s=t_s + lag_s)
            store.append("d.median", tags, t_s, index + 100.0 * offset, kind=GAUGE, host=pod, seen_s=t_s + lag_s)
    return store


STORE = filled()


def last(query: str, telemetry: DatadogTelemetry | None = None, now_s: float = 600.0) -> float | None:
    series = datadog.query(STORE, query, now_s, 300.0, telemetry)
    return series[0].points[-1][1] if series else None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(RATIO, 0.99, id="the playbook's success rate"),
        pytest.param("avg:d.median{service:api}", 108.5, id="the playbook's p50: mean over hosts of the bucket's mean"),
        pytest.param(BUDGET, 1 - 0.01 / 0.001, id="the playbook's error budget, of what the window holds"),
        pytest.param("sum:triptrip.http.request.count{service:api-canary}.as_count()", None, id="no series, no data"),
        pytest.param("sum:triptrip.http.request.count{*}.as_count()", 400.0, id="a bucket of 20 s"),
        pytest.param("sum:triptrip.http.request.count{*}", 400.0, id="counts are summed by default"),
        pytest.param("sum:triptrip.http.request.count{*}.as_rate()", 20.0, id="per second"),
        pytest.param("max:d.median{*}.rollup(min, 60)", 154.0, id="rollup names method and bucket"),
        pytest.param("d.median{pod_name:a}", 58.5, id="avg is the default space aggregation"),
        pytest.param("count:d.median{*}", 2.0, id="number of series"),
        pytest.param("sum:d.median{pod_name:A}", 58.5, id="tags have no case"),
        pytest.param("sum:d.median{pod_name:* AND NOT pod_name:b}", 58.5, id="AND NOT"),
        pytest.param("sum:d.median{pod_name IN (a, c) OR service:x*}", 58.5, id="IN and OR"),
        pytest.param("sum:d.median{!pod_name:b,-service:web}", 58.5, id="exclusions"),
        pytest.param("sum:d.median{pod_name NOT IN (b)} * -2 + 1", -116.0, id="arithmetic with numbers"),
        pytest.param("default_zero(sum:nothing{*})", 0.0, id="default_zero of nothing"),
        pytest.param("abs(0 - avg:d.median{pod_name:a})", 58.5, id="abs"),
        pytest.param("clamp_max(avg:d.median{pod_name:a}, 5)", 5.0, id="clamp"),
        pytest.param("moving_rollup(sum:triptrip.http.request.count{*}.as_count(), 60, 'sum')", 1200.0, id="moving"),
        pytest.param("avg:d.median{*} / sum:nothing{*}", None, id="no data on one side is no data"),
        pytest.param("avg:d.median{*} / (avg:d.median{*} - avg:d.median{*})", None, id="division by zero is no data"),
        pytest.param("2 * 3", 6.0, id="only numbers"),
        pytest.param("1 - (2 + 3) * 4 / 2", -9.0, id="precedence"),
        pytest.param("diff(avg:d.median{pod_name:a})", 2.0, id="diff: a bucket is two flushes"),
        pytest.param("derivative(avg:d.median{pod_name:a})", 0.1, id="derivative: by the second"),
        pytest.param("per_minute(avg:d.median{pod_name:a})", 6.0, id="per_minute"),
        pytest.param("per_second(0 - avg:d.median{pod_name:a})", None, id="a falling counter has no rate"),
        pytest.param("dt(avg:d.median{pod_name:a})", 20.0, id="dt"),
        pytest.param("cumsum(count:d.median{*})", 30.0, id="cumsum over 15 buckets"),
        pytest.param("integral(count:d.median{*})", 600.0, id="integral"),
        pytest.param("ewma_3(avg:d.median{pod_name:a}.rollup(avg, 150))", 44.5, id="ewma: half of each step"),
        pytest.param("median_3(avg:d.median{pod_name:a})", 56.5, id="median of the last three points"),
        pytest.param("count_nonzero(avg:d.median{*} by {pod_name})", 2.0, id="groups that are not zero"),
        pytest.param("top(avg:d.median{*} by {pod_name}, 1, 'mean', 'desc')", 158.5, id="the largest group"),
        pytest.param("bottom5_min(avg:d.median{*} by {pod_name})", 58.5, id="the smallest group first"),
        pytest.param("timeshift(avg:d.median{pod_name:a}, -100)", 48.5, id="100 s ago"),
        pytest.param("hour_before(avg:d.median{pod_name:a})", None, id="an hour ago there was nothing"),
        pytest.param("cutoff_max(avg:d.median{pod_name:a}, 50)", 48.5, id="points above are dropped"),
        pytest.param("exclude_null(avg:d.median{*} by {pod_name})", 58.5, id="groups with a value"),
        pytest.param("sum:d.median{*} by {service,pod_name}", 58.5, id="several tags"),
    ],
)
def test_last_point(query: str, expected: float | None) -> None:
    assert last(query) == (None if expected is None else pytest.approx(expected))


def test_a_gap_is_filled_as_asked() -> None:
    store = AgentStore()
    for t_s, value in ((0.0, 1.0), (80.0, 5.0)):
        store.append("g", {}, t_s, value, kind=GAUGE)
    for mode, points in (
        ("linear", [1.0, 2.0, 3.0, 4.0, 5.0]),
        ("last", [1.0, 1.0, 1.0, 1.0, 5.0]),
        ("last, 20", [1.0, 1.0, 5.0]),
        ("zero", [1.0, 0.0, 0.0, 0.0, 5.0]),
        ("null", [1.0, 5.0]),
    ):
        found = datadog.query(store, f"avg:g{{*}}.fill({mode})", 100.0, 100.0)
        assert [value for _, value in found[0].points] == points


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        pytest.param(
            "anomalies(avg:m{*}, 'basic', 2)", "line 1, column 1: function anomalies is not modelled", id="anomalies"
        ),
        pytest.param(
            "1 + autosmooth(avg:m{*})", "line 1, column 5: function autosmooth is not modelled", id="autosmooth"
        ),
        pytest.param("p99:m{*}", "line 1, column 1: space aggregation 'p99' is not modelled", id="a percentile"),
        pytest.param("avg:m{$env}", "line 1, column 7: template variable $env has no value", id="a template variable"),
        pytest.param("events('x').rollup('count')", "line 1, column 13: event queries are not modelled", id="events"),
        pytest.param("avg:m{*}.weighted()", "line 1, column 10: function weighted is not modelled", id="a method"),
        pytest.param("avg:m{*}.rollup(avg, daily)", "line 1, column 10: rollup takes", id="a calendar"),
        pytest.param("abs()", "line 1, column 1: abs needs a query", id="nothing to act on"),
        pytest.param("avg:m{*} avg:m{*}", "line 1, column 10: 'avg:m{*}' does not continue a query", id="two queries"),
    ],
)
def test_what_is_not_modelled_is_named_and_placed(query: str, reason: str) -> None:
    assert (datadog.check(query) or "").startswith(reason)


def test_groups_have_their_own_series() -> None:
    found = datadog.query(STORE, "avg:d.median{*} by {pod_name}", 600.0, 300.0)
    assert {series.scope: series.points[-1][1] for series in found} == {
        (("pod_name", "a"),): 58.5,
        (("pod_name", "b"),): 158.5,
    }


def test_a_group_is_divided_by_its_own_group_or_by_the_total() -> None:
    found = datadog.query(STORE, "sum:d.median{*} by {pod_name} / sum:d.median{*}", 600.0, 300.0)
    assert [series.points[-1][1] for series in found] == pytest.approx([58.5 / 217, 158.5 / 217])


@pytest.mark.parametrize(
    ("now_s", "start_s", "value"),
    [
        pytest.param(600.0, 580.0, 400.0, id="full"),
        pytest.param(590.0, 580.0, 200.0, id="partial: half of the flushes"),
        pytest.param(580.0, 560.0, 400.0, id="the bucket that begins now is not there"),
    ],
)
def test_the_last_bucket_may_be_partial(now_s: float, start_s: float, value: float) -> None:
    found = datadog.query(STORE, "sum:triptrip.http.request.count{*}.as_count()", now_s, 300.0)
    assert found[0].points[-1] == (start_s, value)


def test_points_are_not_seen_before_their_lag_is_over() -> None:
    store = filled(lag_s=30.0)
    found = datadog.query(store, "sum:triptrip.http.request.count{*}.as_count()", 600.0, 300.0)
    assert found[0].points[-1] == (560.0, 400.0)
    found = datadog.query(store, "sum:triptrip.http.request.count{*}.as_count()", 595.0, 300.0)
    assert found[0].points[-1] == (560.0, 200.0)


def test_day_buckets_hold_the_window_or_the_day_so_far() -> None:
    day = "sum:triptrip.http.request.count{*}.as_count().rollup(sum, 86400)"
    assert last(day) == 30 * 200.0
    assert last(day, DatadogTelemetry(whole_buckets=True)) == 60 * 200.0
    begun = DatadogTelemetry(whole_buckets=True, epoch_s=86400.0 - 500.0)
    assert last(day, begun) == 10 * 200.0


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        pytest.param(DatadogProvider(query="sum:d.median{pod_name:a}", api_version="v2"), [58.5], id="last by default"),
        pytest.param(DatadogProvider(query="sum:d.median{pod_name:a}", api_version="v2", aggregator="min"), [30.5],
                     id="aggregator"),
        pytest.param(DatadogProvider(queries=(("a", "sum:d.median{pod_name:a}"), ("b", "sum:d.median{pod_name:b}")),
                                     formula="b - a", api_version="v2"), [100.0], id="formula"),
        pytest.param(DatadogProvider(query="sum:d.median{*} by {pod_name}", api_version="v2"), [58.5, 158.5], id="groups"),
        pytest.param(DatadogProvider(query="sum:nothing{*}", api_version="v2"), [], id="no data"),
    ],
)  # fmt: skip
def test_scalars(provider: DatadogProvider, expected: list[float]) -> None:
    assert [value for _, value in datadog.scalars(STORE, provider, 600.0)] == expected


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        pytest.param("avg:x", "line 1, column 4", id="no braces"),
        pytest.param("sum:x{service:{{args.service-name}}}", "line 1, column 15", id="an argument left in"),
        pytest.param("avg:x{}", "line 1, column 7", id="empty filter"),
        pytest.param("p99:x{*}", "'p99' is not modelled", id="distribution percentile"),
        pytest.param("median:x{*}", "'median' is not modelled", id="space aggregation"),
        pytest.param("avg:x{*}.rollup(p95, 60)", "rollup takes", id="rollup method"),
        pytest.param("(avg:x{*} + 1).as_rate()", "directly behind a metric", id="as_rate of an expression"),
        pytest.param("anomalies(avg:x{*}, 'basic', 2)", "anomalies is not modelled", id="function"),
        pytest.param("a / b", "'a' is not the name of a query", id="formula without queries"),
        pytest.param("", "ends too early", id="empty"),
    ],
)
def test_check_names_what_is_wrong(query: str, reason: str) -> None:
    found = datadog.check(query)
    assert found is not None
    assert reason in found
    with pytest.raises(DatadogError):
        datadog.query(STORE, query, 600.0, 300.0)


WORDS = st.sampled_from(
    [
        "avg:d.median",
        "sum:",
        "{*}",
        "{",
        "}",
        "pod_name:a",
        "AND",
        "NOT",
        "IN",
        "(",
        ")",
        ",",
        "by",
        ".as_rate()",
        "+",
        ".rollup(",
        "sum",
        "60",
        "/",
        "default_zero",
        "moving_rollup(",
        "'sum'",
        "fill",
        "zero",
        "!",
        "-",
        "abs",
        ".",
        "diff(",
        "top(",
        "timeshift(",
        "ewma_3(",
        "$env",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=30), st.lists(WORDS, max_size=12).map("".join)))
def test_any_text_evaluates_or_is_refused(text: str) -> None:
    refusal = datadog.check(text)
    try:
        datadog.query(STORE, text, 600.0, 300.0)
    except DatadogError:
        return
    assert refusal is None
