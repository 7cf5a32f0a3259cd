"""The playbook's own queries, against values computed by hand (seed lines 597, 607, 982 and 993)."""

from __future__ import annotations

import math

import pytest

from sim.metrics import promql
from sim.metrics.store import SeriesStore

SCRIPT_ERRORS = (
    'sum(rate(http_requests_total{service="triptrip-api",status=~"5.*"}[1m]))'
    '/sum(rate(http_requests_total{service="triptrip-api"}[1m]))*100'
)
SCRIPT_P99 = 'histogram_quantile(0.99, rate(http_request_duration_seconds_bucket{service="triptrip-api"}[1m]))*1000'
COMPARISON = """(
  sum(rate(http_requests_total{service="triptrip-api",status=~"5.."}[5m])) /
  sum(rate(http_requests_total{service="triptrip-api"}[5m]))
)
or vector(0)
"""
LATENCY = """histogram_quantile(0.99,
  sum(rate(http_request_duration_seconds_bucket{service="triptrip-api"}[5m])) by (le)
)
"""


def counters(store: SeriesStore, per_scrape: dict[tuple[str, str], float], scrapes: int = 41) -> None:
    for (pod, status), step in per_scrape.items():
        labels = {"__name__": "http_requests_total", "service": "triptrip-api", "pod": pod, "status": status}
        for index in range(scrapes):
            store.append(labels, index * 15.0, index * step)


def buckets(store: SeriesStore, pod: str, per_scrape: dict[str, float]) -> None:
    for bound, step in per_scrape.items():
        labels = {
            "__name__": "http_request_duration_seconds_bucket",
            "service": "triptrip-api",
            "pod": pod,
            "le": bound,
        }
        for index in range(41):
            store.append(labels, index * 15.0, index * step)


def number(store: SeriesStore, query: str, at_s: float = 600.0, dialect: str = "2") -> float:
    value = promql.query(store, query, at_s, dialect)
    assert isinstance(value, list)
    assert len(value) == 1
    return value[0][1]


@pytest.mark.parametrize("dialect", promql.DIALECTS)
@pytest.mark.parametrize("at_s", [600.0, 607.5])
def test_error_percentage_of_the_switch_script(dialect: str, at_s: float) -> None:
    store = SeriesStore()
    counters(store, {("a", "200"): 90.0, ("a", "500"): 4.0, ("b", "200"): 105.0, ("b", "503"): 1.0})
    assert number(store, SCRIPT_ERRORS, at_s, dialect) == pytest.approx(100 * 5 / 200)


def test_without_a_5xx_series_the_script_sees_nothing() -> None:
    store = SeriesStore()
    counters(store, {("a", "200"): 90.0})
    assert promql.query(store, SCRIPT_ERRORS, 600.0) == []


@pytest.mark.parametrize(
    ("per_scrape", "expected"),
    [
        pytest.param({("a", "200"): 99.0, ("a", "500"): 1.0}, 0.01, id="one percent"),
        pytest.param({("a", "200"): 99.0}, 0.0, id="no 5xx series: vector(0)"),
        pytest.param({}, 0.0, id="no series at all: vector(0)"),
        pytest.param({("a", "200"): 0.0, ("a", "500"): 0.0}, math.nan, id="series without traffic: NaN stays NaN"),
    ],
)
def test_comparison_query(per_scrape: dict[tuple[str, str], float], expected: float) -> None:
    store = SeriesStore()
    counters(store, per_scrape)
    assert number(store, COMPARISON) == pytest.approx(expected, nan_ok=True)


def test_p99_over_all_pods_interpolates_inside_its_bucket() -> None:
    store = SeriesStore()
    buckets(store, "a", {"0.1": 80.0, "0.25": 95.0, "0.5": 100.0, "+Inf": 100.0})
    buckets(store, "b", {"0.1": 100.0, "0.25": 100.0, "0.5": 100.0, "+Inf": 100.0})
    # 198 of 200 are needed; 195 lie below 0.25, so 3 of the 5 in (0.25, 0.5].
    assert number(store, LATENCY) == pytest.approx(0.25 + 0.25 * 3 / 5)


def test_the_script_gets_one_p99_a_pod() -> None:
    store = SeriesStore()
    buckets(store, "a", {"0.1": 80.0, "0.25": 95.0, "0.5": 100.0, "+Inf": 100.0})
    buckets(store, "b", {"0.1": 100.0, "0.25": 100.0, "0.5": 100.0, "+Inf": 100.0})
    value = promql.query(store, SCRIPT_P99, 600.0, "2")
    assert isinstance(value, list)
    assert [labels["pod"] for labels, _ in value] == ["a", "b"]
    assert [number for _, number in value] == pytest.approx([1000 * (0.25 + 0.25 * 4 / 5), 99.0])


@pytest.mark.parametrize(
    ("at_s", "dialect", "blind"),
    [
        pytest.param(630.0, "2", True, id="2: between scrapes"),
        pytest.param(600.0, "2", False, id="2: exactly at a scrape"),
        pytest.param(600.0, "3", True, id="3: always"),
    ],
)
def test_a_minute_of_rate_is_blind_at_a_minute_between_scrapes(at_s: float, dialect: str, blind: bool) -> None:
    store = SeriesStore()
    for status in ("200", "500"):
        labels = {"__name__": "http_requests_total", "service": "triptrip-api", "status": status}
        for index in range(11):
            store.append(labels, index * 60.0, index * 10.0)
    assert (promql.query(store, SCRIPT_ERRORS, at_s, dialect) == []) is blind


def test_a_burst_in_a_newborn_counter_is_invisible() -> None:
    store = SeriesStore()
    counters(store, {("a", "200"): 90.0})
    born = {"__name__": "http_requests_total", "service": "triptrip-api", "pod": "a", "status": "500"}
    for index in range(30, 41):
        store.append(born, index * 15.0, 50.0)
    assert number(store, COMPARISON) == 0.0
