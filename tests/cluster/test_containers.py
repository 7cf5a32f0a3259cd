"""Prometheus as a container, by testcontainers: a pulled image, or one built here from Debian's package."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.images import Images
from harness.missing import MissingError, need, package
from harness.monitoring.beside import Beside, Pods
from harness.monitoring.client import Client
from harness.monitoring.configuration import Discovery
from harness.monitoring.in_cluster import wait_until_seen
from harness.monitoring.servers import Container
from sim.model.telemetry import LabelSource, PrometheusTelemetry

pytestmark = pytest.mark.cluster
POD = {
    "metadata": {"name": "api-1", "namespace": "shop", "annotations": {"rolltwin.dev/scrape": "true"}},
    "spec": {"containers": [{"name": "api"}]},
    "status": {"podIP": "10.0.0.1", "phase": "Running"},
}


def image(images: Images, name: str) -> str:
    """The image's reference; the test is skipped with the reason where there is no way to it."""
    try:
        need(package("testcontainers", "it starts the containers"))
        return images.reference(name)
    except MissingError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("discovery", Discovery)
def test_prometheus_in_a_container_scrapes_refuses_and_goes_on(
    rolltwin_images: Images, tmp_path: Path, discovery: Discovery
) -> None:
    labels = (LabelSource("instance", ("pod-name",)), LabelSource("pod", ("pod-name",)))
    telemetry = PrometheusTelemetry(scrape_interval_s=0.5, labels=labels)
    pods = Pods(lambda: [POD], lambda _name: 'http_requests_total{status="200"} 7\n')
    prometheus = Beside(telemetry, discovery, Container(image(rolltwin_images, "prometheus")), pods)
    prometheus.stand(tmp_path)
    client = Client(prometheus.address)
    try:
        wait_until_seen(client.query, lambda: [POD])
        (found,) = client.query("http_requests_total")["result"]
        assert found["metric"].items() >= {"pod": "api-1", "instance": "api-1", "status": "200"}.items()
        assert "job" not in found["metric"]
        prometheus.stop()
        assert "connection refused" in client.query("up")["error"]
        prometheus.start()
        assert client.query("count_over_time(http_requests_total[1m]) > 0")["result"]
    finally:
        prometheus.close()
