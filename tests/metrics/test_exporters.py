"""What usual installations expose besides the application's own metrics."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.metrics import conventions, promql
from sim.metrics.exposition import Scraper
from sim.metrics.pods import PodView
from sim.metrics.store import SeriesStore
from sim.model.telemetry import DatadogTelemetry, PrometheusTelemetry

BOUNDS = (0.1, 1.0)
CANARY = "shop-canary.prod.svc.cluster.local"


def pod(name: str = "shop-1-a", service: str = "shop-canary", ok: int = 0, failed: int = 0, slow: int = 0) -> PodView:
    return PodView(
        name,
        "prod",
        labels={"app": "shop", "app.kubernetes.io/part-of": "store", "rollouts-pod-template-hash": "f00"},
        hash="f00",
        statuses={status: count for status, count in ((200, ok), (503, failed)) if count},
        bucket_counts=(ok + failed - slow, slow, 0),
        latency_sum_s=0.05 * (ok + failed),
        workload="shop",
        owner="shop-f00",
        service=service,
        ingress="shop" if service else "",
        container="server",
    )


def values(query: str, *rounds: list[PodView], idle: tuple[PodView, ...] = (), known: bool = True) -> list[float]:
    """What the query finds after scrapes of these pods, 15 s apart."""
    store = SeriesStore()
    scraper = Scraper(PrometheusTelemetry(buckets_s=BOUNDS, conventions=known), store, query)
    for index, pods in enumerate(rounds):
        scraper.scrape(15.0 * (index + 1), pods, idle)
    found = promql.query(store, query, 15.0 * len(rounds))
    assert isinstance(found, list)
    return [value for _, value in found]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param('http_requests_total{code="503"}', [1.0], id="the status by another name"),
        pytest.param('sum(http_requests_total{rollouts_pod_template_hash="f00"})', [10.0], id="the controller's hash"),
        pytest.param('sum(http_requests_total{pod_template_hash="f00"})', [10.0], id="the ReplicaSet's hash"),
        pytest.param('sum(http_requests_total{app="shop"})', [10.0], id="a pod label"),
        pytest.param('sum(http_requests_total{app_kubernetes_io_part_of="store"})', [10.0], id="a relabelled one"),
        pytest.param('sum by (code) (http_requests_total{code!="200"})', [1.0], id="grouped"),
        pytest.param('sum(http_requests_total{container="server"})', [10.0], id="the container"),
        pytest.param('up{app="shop"}', [1.0], id="of the target"),
        pytest.param('http_requests_total{team="store"}', [], id="nobody's label"),
        pytest.param(f'sum(istio_requests_total{{destination_service="{CANARY}"}})', [20.0], id="both reporters"),
        pytest.param(
            f'istio_requests_total{{reporter="source",destination_service="{CANARY}",response_code!~"5.*"}}',
            [9.0],
            id="Istio's gateway",
        ),
        pytest.param(
            'istio_requests_total{reporter="destination",destination_workload="shop",response_code="503"}',
            [1.0],
            id="Istio's sidecar",
        ),
        pytest.param(
            'istio_request_duration_milliseconds_bucket{reporter="source",le=~"100|1000|[+]Inf"}',
            [8.0, 10.0, 10.0],
            id="Istio counts milliseconds",
        ),
        pytest.param(
            'istio_request_duration_milliseconds_sum{reporter="source"}', [500.0], id="the sum in milliseconds too"
        ),
        pytest.param(
            'nginx_ingress_controller_requests{ingress="shop",status="503",exported_namespace="prod"}',
            [1.0],
            id="nginx",
        ),
        pytest.param('kube_pod_container_status_restarts_total{container="server"}', [0.0], id="restarts"),
        pytest.param('kube_pod_status_ready{condition="true"}', [1.0], id="readiness"),
        pytest.param('kube_pod_info{created_by_name="shop-f00"}', [1.0], id="owner"),
    ],
)
def test_standard_names_are_found(query: str, expected: list[float]) -> None:
    assert sorted(values(query, [pod(ok=9, failed=1, slow=2)])) == sorted(expected)


@pytest.mark.parametrize("metric", ["istio_requests_total", "kube_pod_info", 'http_requests_total{code="503"}'])
def test_none_where_the_scenario_has_no_conventions(metric: str) -> None:
    assert values(metric, [pod(ok=9, failed=1)], known=False) == []


def test_nothing_is_made_that_no_query_names() -> None:
    store = SeriesStore()
    Scraper(PrometheusTelemetry(buckets_s=BOUNDS), store, "sum(rate(http_requests_total[1m]))").scrape(
        15.0, [pod(ok=9)]
    )
    assert promql.query(store, 'count({__name__=~"istio.+|nginx.+|kube.+"})', 15.0) == []
    assert promql.query(store, 'count({app!=""})', 15.0) == []


def test_a_pod_that_moves_to_another_service_counts_there_from_then_on() -> None:
    query = 'istio_requests_total{reporter="source",destination_service_name="SERVICE"}'
    rounds = [[pod(ok=10)], [pod(ok=25, service="shop-stable")]]
    assert values(query.replace("SERVICE", "shop-canary"), *rounds) == [10.0]
    assert values(query.replace("SERVICE", "shop-stable"), *rounds) == [15.0]


def test_the_gateway_outlives_the_pods_whose_sidecars_end_with_them() -> None:
    rounds = [[pod("a", ok=10), pod("b", ok=10)], [pod("b", ok=20)]]
    assert values('istio_requests_total{reporter="source"}', *rounds) == [30.0]
    assert values('istio_requests_total{reporter="destination"}', *rounds) == [20.0]


def test_a_container_that_restarts_counts_on_at_the_gateway() -> None:
    rounds = [[pod(ok=10)], [replace(pod(ok=3), restarts=1)]]
    assert values('istio_requests_total{reporter="source"}', *rounds) == [13.0]
    assert values("kube_pod_container_status_restarts_total", *rounds) == [1.0]


def test_pods_that_nobody_is_sent_to_are_in_no_proxys_metrics() -> None:
    assert values("istio_requests_total", [pod(ok=10, service="")]) == []


def test_pods_that_do_not_answer_are_still_in_kube_state_metrics() -> None:
    waiting = replace(pod("shop-2-b"), ready=False)
    assert values('sum(kube_pod_status_ready{condition="true"})', [pod()], idle=(waiting,)) == [1.0]
    assert values('sum(kube_pod_status_ready{condition="false"})', [pod()], idle=(waiting,)) == [1.0]
    assert values("count(kube_pod_info)", [pod()], [pod()]) == [1.0]


@pytest.mark.parametrize(
    ("metric", "known", "bare"),
    [
        ("http_requests_total", True, True),
        ("http_request_duration_seconds_bucket", True, True),
        ("up", True, True),
        ("istio_requests_total", True, False),
        ("istio_request_duration_milliseconds_sum", True, False),
        ("nginx_ingress_controller_request_duration_seconds_bucket", True, False),
        ("kube_pod_container_status_restarts_total", True, False),
        ("container_cpu_usage_seconds_total", False, False),
        ("http_request_duration_seconds", False, False),
        ("istio_requests_total_sum", False, False),
    ],
)
def test_which_metrics_exist(metric: str, known: bool, bare: bool) -> None:
    assert conventions.exposes(metric, PrometheusTelemetry()) is known
    assert conventions.exposes(metric, PrometheusTelemetry(conventions=False)) is bare


def test_which_metrics_datadogs_agents_send() -> None:
    telemetry = DatadogTelemetry(requests_metric="shop.requests", duration_metric="shop.duration")
    found = [
        conventions.sends(f"shop.{name}", telemetry) for name in ("requests", "duration.99percentile", "duration", "x")
    ]
    assert found == [True, True, False, False]
