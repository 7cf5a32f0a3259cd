"""From pods to series: what a scrape and a flush leave behind."""

from __future__ import annotations

import numpy as np
import pytest

from sim.metrics import datadog, promql
from sim.metrics.datadog import AgentStore
from sim.metrics.exposition import Agent, Scraper
from sim.metrics.pods import PodView, labels_of, source_value
from sim.metrics.store import SeriesStore
from sim.model.telemetry import DatadogTelemetry, LabelSource, PrometheusTelemetry

BOUNDS = (0.1, 1.0)


def pod(name: str = "p", *, statuses: dict[int, int] | None = None, **labels: str) -> PodView:
    counts = statuses or {}
    total = sum(counts.values())
    return PodView(
        name,
        "ns",
        labels={"app": "api", **labels},
        env={"DD_VERSION": "v2"},
        version="new",
        hash="abc",
        statuses=counts,
        bucket_counts=(total, 0, 0),
        latency_sum_s=0.05 * total,
        fine_counts=np.array([total]),
    )


def scraped(*rounds: list[PodView], preset: tuple[int, ...] = ()) -> SeriesStore:
    store = SeriesStore()
    scraper = Scraper(PrometheusTelemetry(buckets_s=BOUNDS, preset_statuses=preset), store)
    for index, pods in enumerate(rounds):
        scraper.scrape(15.0 * (index + 1), pods)
    return store


def values(store: SeriesStore, query: str, at_s: float) -> list[float]:
    found = promql.query(store, query, at_s)
    assert isinstance(found, list)
    return [value for _, value in found]


def test_a_scrape_has_counters_histogram_and_up() -> None:
    store = scraped([pod(statuses={200: 9, 500: 1})])
    assert values(store, "sum by (status) (http_requests_total)", 15.0) == [9.0, 1.0]
    assert values(store, 'http_request_duration_seconds_bucket{le=~"0.1|1|[+]Inf"}', 15.0) == [10.0, 10.0, 10.0]
    assert values(store, "http_request_duration_seconds_sum", 15.0) == [0.5]
    assert values(store, "http_request_duration_seconds_count", 15.0) == [10.0]
    assert values(store, 'up{service="api",pod="p",namespace="ns",instance="p"}', 15.0) == [1.0]


@pytest.mark.parametrize(
    ("preset", "seen"),
    [
        pytest.param((), [], id="born with its first request"),
        pytest.param((500,), [0.0], id="preset: there from the start"),
    ],
)
def test_a_status_nobody_got(preset: tuple[int, ...], seen: list[float]) -> None:
    store = scraped([pod(statuses={200: 9})], preset=preset)
    assert values(store, 'http_requests_total{status="500"}', 15.0) == seen


def test_a_pod_that_vanished_is_stale_at_the_next_scrape() -> None:
    store = scraped([pod("a"), pod("b")], [pod("a")])
    assert values(store, "count(up)", 29.0) == [2.0]
    assert values(store, "count(up)", 30.0) == [1.0]


def test_a_label_that_changes_ends_the_old_series() -> None:
    store = SeriesStore()
    sources = (LabelSource("role", ("pod-label:role", "value:none")),)
    scraper = Scraper(PrometheusTelemetry(buckets_s=BOUNDS, labels=sources), store)
    scraper.scrape(15.0, [pod(role="canary", statuses={200: 1})])
    scraper.scrape(30.0, [pod(role="stable", statuses={200: 2})])
    assert promql.query(store, "count by (role) (http_requests_total)", 30.0) == [({"role": "stable"}, 1.0)]


def test_pods_with_equal_labels_keep_their_own_series() -> None:
    store = SeriesStore()
    scraper = Scraper(PrometheusTelemetry(buckets_s=BOUNDS, labels=()), store)
    scraper.scrape(15.0, [pod("a", statuses={200: 1, 500: 2}), pod("b", statuses={200: 4})])
    assert values(store, "http_requests_total", 15.0) == [3.0, 4.0]


@pytest.mark.parametrize(
    ("source", "status", "expected"),
    [
        pytest.param("pod-label:app", None, "api", id="label"),
        pytest.param("pod-label:none", None, "", id="no such label"),
        pytest.param("env:DD_VERSION", None, "v2", id="environment"),
        pytest.param("pod-name", None, "p", id="pod"),
        pytest.param("namespace", None, "ns", id="namespace"),
        pytest.param("version", None, "new", id="version"),
        pytest.param("pod-template-hash", None, "abc", id="hash"),
        pytest.param("status", 404, "404", id="status"),
        pytest.param("status-class", 404, "4xx", id="class"),
        pytest.param("status", None, "", id="no status where there is none"),
        pytest.param("value:a:b", None, "a:b", id="text"),
    ],
)
def test_label_sources(source: str, status: int | None, expected: str) -> None:
    assert source_value(source, pod(), status) == expected


def test_the_first_source_that_yields_something_wins() -> None:
    sources = [LabelSource("a", ("pod-label:none", "pod-name", "namespace")), LabelSource("b", ("pod-label:none",))]
    assert labels_of(sources, pod()) == {"a": "p"}


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(ValueError, match="not a label source"):
        source_value("colour", pod(), None)


def agent_after(*rounds: list[PodView]) -> AgentStore:
    store = AgentStore()
    telemetry = DatadogTelemetry(expiry_s=20.0)
    agent = Agent(telemetry, store, lambda counts, shares: np.outer(counts.sum(axis=1), shares) / 1000)
    for index, pods in enumerate(rounds):
        agent.flush(10.0 * (index + 1), pods)
    return store


def points(store: AgentStore, metric: str) -> list[list[tuple[float, float]]]:
    return [[(t_s, round(value, 9)) for t_s, value in one.points(0.0, 1e9, 1e9)] for one in store.series(metric)]


def test_a_flush_sends_what_happened_since_the_last() -> None:
    store = agent_after([pod(statuses={200: 10})], [pod(statuses={200: 30, 500: 2})])
    assert points(store, "triptrip.http.request.count") == [[(0.0, 10.0), (10.0, 20.0)], [(10.0, 2.0)]]
    assert points(store, "triptrip.http.request.duration.avg") == [[(0.0, 50.0), (10.0, 50.0)]]
    assert points(store, "triptrip.http.request.duration.median") == [[(0.0, 5.0), (10.0, 11.0)]]
    assert points(store, "triptrip.http.request.duration.count") == [[(0.0, 10.0), (10.0, 22.0)]]


def test_a_silent_counter_is_zero_until_it_expires_and_a_silent_histogram_is_nothing() -> None:
    quiet = [pod(statuses={200: 10})]
    store = agent_after(quiet, quiet, quiet, quiet)
    assert points(store, "triptrip.http.request.count") == [[(0.0, 10.0), (10.0, 0.0)]]
    assert points(store, "triptrip.http.request.duration.avg") == [[(0.0, 50.0)]]


def test_tags_come_from_the_pod_and_the_lag_delays_the_sight() -> None:
    store = agent_after([pod(statuses={200: 10})])
    query = "sum:triptrip.http.request.count{service:api,version:v2,status_class:2xx,pod_name:p}.as_count()"
    assert datadog.query(store, query, 39.9, 300.0) == []
    assert datadog.query(store, query, 40.0, 300.0)[0].points == ((0.0, 10.0),)
