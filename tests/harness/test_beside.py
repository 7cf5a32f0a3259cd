"""A Prometheus beside the cluster: what it is told, where it finds pods, and how it is shut off. The process is played."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError

import pytest

from harness.choices import Scrapes
from harness.missing import MissingError
from harness.monitoring.beside import Beside, Pods
from harness.monitoring.configuration import Discovery
from harness.monitoring.inside.companion import served
from harness.monitoring.standing import need_reachable
from sim.model.telemetry import LabelSource, PrometheusTelemetry

TELEMETRY = PrometheusTelemetry(scrape_interval_s=1.0, labels=(LabelSource("pod", ("pod-name",)),))
POD = {
    "metadata": {"name": "api-1", "namespace": "shop", "annotations": {"rolltwin.dev/scrape": "true"}},
    "spec": {"containers": [{"name": "api"}]},
    "status": {"podIP": "10.0.0.1", "phase": "Running"},
}
OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class Played:
    """Answers every question with its path."""

    listens = companion_host = "127.0.0.1"
    what = "played"

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.companion = ""
        self._server: ThreadingHTTPServer | None = None

    def start(self, config: Path) -> tuple[str, int]:
        (job,) = json.loads(config.read_text(encoding="utf-8"))["scrape_configs"]
        self.companion = job["static_configs"][0]["targets"][0]
        self._server = served(lambda path: (200, "text/plain", path), "127.0.0.1", 0)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return "127.0.0.1", self._server.server_port

    def freeze(self) -> None:
        self.heard.append("freeze")

    def thaw(self) -> None:
        self.heard.append("thaw")

    def close(self) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def played() -> Played:
    return Played()


@pytest.fixture
def prometheus(played: Played, tmp_path: Path) -> Iterator[Beside]:
    answers = {"api-1": "x_total 3\n"}
    made = Beside(TELEMETRY, Discovery.PAGE, played, Pods(lambda: [POD], answers.get))
    made.stand(tmp_path)
    yield made
    made.close()


def read(url: str) -> str:
    with OPEN(url, timeout=5) as answer:
        return str(answer.read().decode())


def test_it_scrapes_the_pods_through_the_harness(prometheus: Beside, played: Played) -> None:
    assert prometheus.what == "played"
    assert read(f"http://{played.companion}/metrics") == 'up{pod="api-1"} 1\nx_total{pod="api-1"} 3\n'
    assert read(f"http://{played.companion}/pods/api-1") == "x_total 3\n"
    (target,) = json.loads(read(f"http://{played.companion}/targets"))
    assert target == {
        "targets": [played.companion],
        "labels": {"__metrics_path__": "/pods/api-1", "pod": "api-1"},
    }
    with pytest.raises(URLError, match="502"):
        read(f"http://{played.companion}/pods/gone")


def test_an_outage_refuses_and_freezes(prometheus: Beside, played: Played) -> None:
    assert read(f"{prometheus.address}/api/v1/query") == "/api/v1/query"
    prometheus.stop()
    with pytest.raises(URLError, match="refused"):
        read(f"{prometheus.address}/api/v1/query")
    prometheus.start()
    assert read(f"{prometheus.address}/api/v1/query") == "/api/v1/query"
    assert played.heard == ["freeze", "thaw"]


def test_argo_rollouts_does_not_reach_it() -> None:
    need_reachable(Scrapes.CLUSTER)
    with pytest.raises(MissingError, match="--prometheus cluster"):
        need_reachable(Scrapes.HOST)
