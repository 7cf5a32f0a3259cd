"""The gateway's thread and its proxy, against a HAProxy that only remembers what it was told."""

from __future__ import annotations

import io
import socketserver
import tarfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.cluster.cluster import Address
from harness.cluster.objects import Object
from harness.gateway.entry import Origin
from harness.gateway.gateway import Gateway
from harness.gateway.haproxy import ADMIN_PORT, CONFIGURE_PORT, Plan
from harness.gateway.manifests import NAME
from harness.gateway.proxy import Proxy, ProxyError
from harness.gateway.routes import Destination, Entrance, RouteTable, Rule, Server
from harness.gateway.shares import Weights
from harness.recorder import Recorder
from harness.site import Site
from harness.waiting import wait_until
from scenarios.document import from_manifests
from sim.model.records import WeightRecord
from tests.harness.fakes import FakeObjects, SetClock

SOON_S = 10.0
MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: app, image: x}]}
"""


class FakeHaproxy:
    """Both of a gateway's ports; ``said`` are the commands in order, ``loaded`` the configurations."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.loaded: list[str] = []
        self.refuses: list[str] = []
        """What the next commands are answered with."""

    def answer(self, line: str) -> str:
        if line.startswith("show info"):
            name = self.loaded[-1].split("description ")[1].split("\n")[0] if self.loaded else ""
            return f"Name: HAProxy\nDescription: {name}\n"
        self.said.extend(line.split("; "))
        if self.refuses:
            return self.refuses.pop()
        return "New version created: 7\n" if line.startswith("prepare map") else "\n"

    def load(self, data: bytes) -> str:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            file = tar.extractfile("haproxy.cfg")
            self.loaded.append(file.read().decode() if file is not None else "")
        return "ok\n"


@contextmanager
def running(fake: FakeHaproxy) -> Iterator[dict[int, Address]]:
    """Its addresses by the gateway's ports, while it listens."""

    class Admin(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(fake.answer(self.rfile.readline().decode().strip()).encode())

    class Agent(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(fake.load(self.rfile.read()).encode())

    servers = [socketserver.ThreadingTCPServer(("127.0.0.1", 0), one) for one in (Admin, Agent)]
    threads = [Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}) for server in servers]
    for thread in threads:
        thread.start()
    addresses = [Address("127.0.0.1", server.server_address[1]) for server in servers]
    yield dict(zip((ADMIN_PORT, CONFIGURE_PORT), addresses, strict=True))
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def fake() -> FakeHaproxy:
    return FakeHaproxy()


@pytest.fixture
def addresses(fake: FakeHaproxy) -> Iterator[dict[int, Address]]:
    with running(fake) as found:
        yield found


@pytest.fixture
def proxy(addresses: dict[int, Address]) -> Proxy:
    return Proxy(addresses[ADMIN_PORT], addresses[CONFIGURE_PORT])


def plan(*pods: str, weights: tuple[float, ...] = (1.0,)) -> Plan:
    """Destinations of these weights, the first with these pods."""
    servers = tuple(Server(pod, "stable", "10.0.0.1", 80) for pod in pods)
    destinations = tuple(Destination(f"d{k}", weight, () if k else servers) for k, weight in enumerate(weights))
    return Plan(RouteTable((Entrance(Origin(), (Rule(destinations=destinations),)),)))


def test_only_other_rules_are_loaded_anew(proxy: Proxy, fake: FakeHaproxy) -> None:
    assert proxy.act(plan("a")) is True
    assert proxy.act(plan("a", "b")) is False
    assert fake.said == ["add server b0/stable:b 10.0.0.1:80 weight 100", "enable server b0/stable:b"]
    assert proxy.act(plan("b", weights=(1.0, 0.0))) is True
    assert len(fake.loaded) == 2


def test_a_pod_that_left_rests_until_it_is_ready_again(proxy: Proxy, fake: FakeHaproxy) -> None:
    proxy.act(plan("a"))
    proxy.act(plan())
    proxy.act(plan())
    proxy.act(plan("a"))
    assert fake.said == ["set server b0/stable:a state maint", "set server b0/stable:a state ready"]


def test_one_new_bound_is_set_and_several_change_together(proxy: Proxy, fake: FakeHaproxy) -> None:
    proxy.act(plan(weights=(1.0, 0.0, 0.0)))
    proxy.act(plan(weights=(9.0, 1.0, 0.0)))
    proxy.act(plan(weights=(8.0, 1.0, 1.0)))
    where = "/run/gateway/weights.map"
    assert fake.said == [
        f"set map {where} r0x0.0 900000",
        f"prepare map {where}",
        f"add map @7 {where} r0x0.0 800000",
        f"add map @7 {where} r0x0.1 900000",
        f"add map @7 {where} r0x0.2 1000000",
        f"commit map @7 {where}",
    ]


def test_after_a_refusal_everything_is_loaded_anew(proxy: Proxy, fake: FakeHaproxy) -> None:
    proxy.act(plan("a"))
    fake.refuses = ["No such backend.\n"]
    with pytest.raises(ProxyError, match="No such backend"):
        proxy.act(plan("a", "b"))
    assert proxy.act(plan("a", "b")) is True
    assert "server stable:b" in fake.loaded[-1]


class FakeCluster:
    """A cluster with nothing but the fake's ports."""

    def __init__(self, addresses: dict[int, Address]) -> None:
        self._addresses = addresses

    def load_image(self, image: str) -> None:
        assert image == "gateway:1"

    def reach(self, namespace: str, service: str, port: int) -> AbstractContextManager[Address]:
        assert (namespace, service) == ("run", NAME)
        return nullcontext(self._addresses.get(port, Address("127.0.0.1", port)))


def application(name: str, side: str) -> Object:
    meta = {"name": name, "labels": {"app": "api"}, "annotations": {"rolltwin.dev/side": side}}
    status = {"podIP": "10.0.0.9", "conditions": [{"type": "Ready", "status": "True"}]}
    return {"kind": "Pod", "metadata": meta, "spec": {"containers": [{"name": "c"}]}, "status": status}


def test_the_gateway_follows_the_pods_and_writes_weights_down(
    addresses: dict[int, Address], fake: FakeHaproxy, tmp_path: Path
) -> None:
    (tmp_path / "m.yaml").write_text(MANIFESTS, encoding="utf-8")
    objects = FakeObjects(SetClock(time.time()))
    recorder = Recorder(time.time())
    site: Any = SimpleNamespace(
        cluster=FakeCluster(addresses),
        objects=objects,
        recorder=recorder,
        loaded=from_manifests([tmp_path / "m.yaml"]),
        folder=tmp_path,
        region="",
        namespace="run",
    )
    heard: list[Weights] = []
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    objects.watch("Pod").objects[NAME] = {"kind": "Pod", "metadata": {"name": NAME}, "status": ready}
    images = SimpleNamespace(reference=lambda name: f"{name}:1")
    with Gateway(cast("Site", site), images) as gateway:
        gateway.on_weights.append(heard.append)
        gateway.start()
        objects.create(application("s", "stable"))
        wait_until(lambda: gateway.weights() == (0.0, 100.0), "the stable pod", SOON_S, every_s=0.01)
        objects.create(application("c", "candidate"))
        wait_until(lambda: gateway.weights() == (50.0, 50.0), "half and half", SOON_S, every_s=0.01)
    assert heard[-2:] == [(0.0, 100.0), (50.0, 50.0)]
    rows = [row for row in recorder.rows() if isinstance(row, WeightRecord)]
    assert [(row.candidate, row.stable) for row in rows[-2:]] == heard[-2:]
    assert "enable server b0/candidate:c" in fake.said
    assert (tmp_path / "gateway.jsonl").read_text(encoding="utf-8").count('"weights"') == len(gateway.actions)
