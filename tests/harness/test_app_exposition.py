"""What the application exposes, against what the twin's scraper would have stored."""

from __future__ import annotations

from typing import Final

import pytest

from harness.app.exposition import Metrics, Telemetry, own_labels
from sim.metrics.pods import PodView, labels_of
from sim.model.hashing import plain
from sim.model.telemetry import LabelSource, PrometheusTelemetry

PLAIN: Final = Telemetry.of(plain(PrometheusTelemetry(buckets_s=(0.1, 1.0), preset_statuses=(500,))))


def test_counters_by_status_and_a_cumulative_histogram() -> None:
    metrics = Metrics(PLAIN, "v1", {})
    for latency_s in (0.05, 0.1, 0.5, 3.0):
        metrics.count(200, latency_s)
    assert metrics.text().splitlines() == [
        "# TYPE http_requests_total counter",
        'http_requests_total{status="500"} 0',
        'http_requests_total{status="200"} 4',
        "# TYPE http_request_duration_seconds histogram",
        'http_request_duration_seconds_bucket{le="0.1"} 2',
        'http_request_duration_seconds_bucket{le="1"} 3',
        'http_request_duration_seconds_bucket{le="+Inf"} 4',
        "http_request_duration_seconds_sum 3.65",
        "http_request_duration_seconds_count 4",
    ]


def test_without_a_status_label_all_answers_share_one_counter() -> None:
    telemetry = Telemetry(labels=(("version", ("version",)),))
    metrics = Metrics(telemetry, "v1", {})
    metrics.count(200, 0.1)
    metrics.count(500, 0.1)
    assert 'http_requests_total{version="v1"} 2' in metrics.text().splitlines()


@pytest.mark.parametrize("status", [None, 200, 503])
def test_labels_of_the_applications_own_sources_are_the_twins(status: int | None) -> None:
    sources = (
        LabelSource("status", ("status",)),
        LabelSource("class", ("status-class",)),
        LabelSource("version", ("env:VERSION", "version")),
        LabelSource("tier", ("env:NONE", "value:web")),
    )
    env = {"VERSION": "1.2.3"}
    telemetry = Telemetry.of(plain(PrometheusTelemetry(labels=sources)))
    twin = labels_of(sources, PodView("p", env=env, version="v9"), status)
    assert dict(own_labels(telemetry, "v9", env, status)) == twin


def test_values_are_escaped() -> None:
    telemetry = Telemetry(labels=(("v", ("version",)),))
    assert r'{v="a\"b\\c\nd"}' in Metrics(telemetry, 'a"b\\c\nd', {}).text()
