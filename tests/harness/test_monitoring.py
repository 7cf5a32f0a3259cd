"""What is applied for a Prometheus in the cluster."""

from __future__ import annotations

import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.error import URLError

import pytest

from harness.monitoring import addresses
from harness.monitoring.configuration import Discovery, configuration, duration
from harness.monitoring.in_cluster import up
from harness.monitoring.inside.front import Door
from harness.monitoring.labels import telemetry_of
from harness.monitoring.manifests import Installation, objects_of
from scenarios import library
from scenarios.document import load
from sim.model.telemetry import LabelSource, PrometheusTelemetry

CANARY = library.DEFAULT.parent / "triptrip/scenarios/corrected/canary.yaml"


def test_compressed_intervals_are_written_in_milliseconds() -> None:
    assert duration(15) == "15000ms"
    assert duration(0.2504) == "250ms"
    file = configuration(PrometheusTelemetry(scrape_interval_s=0.5), Discovery.PAGE, "127.0.0.1:9092")
    assert file["global"] == {"scrape_interval": "500ms", "scrape_timeout": "500ms"}


def test_pods_are_scraped_one_by_one_where_the_interval_allows_it() -> None:
    assert Discovery.for_interval(15) is Discovery.PODS
    assert Discovery.for_interval(1.5) is Discovery.PAGE


def test_a_label_that_the_pod_gives_first_overrules_the_applications() -> None:
    labels = (LabelSource("version", ("pod-label:version", "env:VERSION")), LabelSource("pod", ("pod-name",)))
    (job,) = configuration(PrometheusTelemetry(labels=labels), Discovery.PODS, "c:9092")["scrape_configs"]
    assert job["http_sd_configs"] == [{"url": "http://c:9092/targets", "refresh_interval": "1s"}]
    assert job["metric_relabel_configs"] == [
        {
            "source_labels": ["rolltwin_first_version"],
            "regex": "(.+)",
            "target_label": "version",
            "replacement": "${1}",
        },
        {"action": "labeldrop", "regex": "rolltwin_first_version"},
        {"action": "labeldrop", "regex": "job"},
    ]


def test_everything_is_in_the_runs_namespace_and_names_the_given_images() -> None:
    telemetry = PrometheusTelemetry(scrape_interval_s=1.5)
    wanted = Installation(telemetry, Discovery.PAGE, "local/prometheus:1", "local/app:1", ports=(9090, 80))
    objects = {one["kind"]: one for one in objects_of("run-1", wanted)}
    pod = objects["Pod"]
    assert [one["image"] for one in pod["spec"]["containers"]] == ["local/prometheus:1", "local/app:1"]
    assert [one["port"] for one in objects["Service"]["spec"]["ports"]] == [9090, 80]
    assert objects["RoleBinding"]["subjects"][0]["namespace"] == "run-1"
    settings = json.loads(pod["spec"]["containers"][1]["env"][1]["value"])
    assert settings["patience_s"] == pytest.approx(1.2)
    assert settings["labels"][0] == ["service", ["pod-label:app"]]


def test_the_companion_is_shipped_whole() -> None:
    wanted = Installation(PrometheusTelemetry(), Discovery.PODS, "p", "q")
    shipped = {one["metadata"]["name"]: one for one in objects_of("n", wanted) if one["kind"] == "ConfigMap"}
    assert {"companion.py", "front.py", "page.py", "pods.py"} <= shipped["prometheus-companion"]["data"].keys()


def test_labels_are_the_scenarios_and_what_its_queries_name() -> None:
    telemetry = telemetry_of(load(CANARY))
    names = [label.name for label in telemetry.labels]
    assert names[0] == "instance"
    assert {"pod", "status", "namespace"} <= set(names)
    assert len(names) == len(set(names))


def test_addresses_of_templates() -> None:
    found = ("http://prometheus:9090", "http://prom.monitoring.svc", "http://10.1.2.3:80", "http://{{args.host}}:1")
    assert addresses.written(load(CANARY).scenario) == ("http://prometheus:9090",)
    assert addresses.hosts(found) == ("prometheus", "prom.monitoring.svc")
    assert addresses.ports(found) == (9090, 80)
    assert not addresses.unusable(found)
    assert addresses.unusable(("https://p",)) == (
        "https://p is encrypted, and the cluster's Prometheus is not: its queries fail.",
    )


def test_pods_that_are_up() -> None:
    answer = {"resultType": "vector", "result": [{"metric": {"instance": "api-1"}, "value": [1, "1"]}]}
    assert up(answer) == {"api-1"}
    assert up({"error": "connection refused"}) == set()


class _Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""


def test_a_shut_door_refuses_and_an_open_one_lets_through() -> None:
    behind = HTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=behind.serve_forever, args=(0.02,), daemon=True).start()
    free = HTTPServer(("127.0.0.1", 0), _Echo)
    port = free.server_port
    free.server_close()
    door = Door("127.0.0.1", port, ("127.0.0.1", behind.server_port))
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    for _ in range(2):
        door.open()
        with ask(f"http://127.0.0.1:{port}/api/v1/query?query=up", timeout=5) as answer:
            assert answer.read() == b"/api/v1/query?query=up"
        door.shut()
        with pytest.raises(URLError, match="refused"):
            ask(f"http://127.0.0.1:{port}/", timeout=5)
    behind.shutdown()
    behind.server_close()
