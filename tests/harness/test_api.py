"""Objects and live pictures against a small API server on the loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from threading import enumerate as threads

import pytest

from harness.cluster.api import ClusterObjects
from harness.cluster.connection import ApiError, Connection, UnknownKindError
from harness.cluster.objects import Object
from harness.waiting import wait_until
from tests.harness.apiserver import Server, kubeconfig, running

PODS = "/api/v1/namespaces/run/pods"
SOON_S = 10


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def objects(server: Server, tmp_path: Path) -> Iterator[ClusterObjects]:
    connection = Connection(kubeconfig(server, tmp_path))
    with ClusterObjects(connection, "run") as objects:
        yield objects
    connection.close()
    assert not [thread for thread in threads() if thread.name.startswith("watch ")]


class Heard:
    """What a listener was told."""

    def __init__(self) -> None:
        self.news: SimpleQueue[tuple[str, str | None]] = SimpleQueue()

    def __call__(self, name: str, obj: Object | None, at: float) -> None:
        assert at > 0
        self.news.put((name, obj["metadata"]["resourceVersion"] if obj else None))

    def next(self) -> tuple[str, str | None]:
        return self.news.get(timeout=SOON_S)


def test_an_object_that_is_not_there_is_none(objects: ClusterObjects) -> None:
    assert objects.get("Pod", "web") is None


def test_members_of_a_list_say_their_kind(server: Server, objects: ClusterObjects) -> None:
    server.put(f"{PODS}/web")
    (pod,) = objects.list("Pod", {"app": "web", "tier": "front"})
    assert (pod["apiVersion"], pod["kind"]) == ("v1", "Pod")
    assert server.asked[-1][2] == {"labelSelector": "app=web,tier=front"}


def test_what_was_read_can_be_applied_in_the_namespace(server: Server, objects: ClusterObjects) -> None:
    metadata = {"name": "web", "namespace": "elsewhere", "uid": "1", "resourceVersion": "2", "labels": {"a": "b"}}
    objects.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata})
    method, path, query, body = server.asked[-1]
    assert (method, path) == ("PATCH", "/apis/apps/v1/namespaces/run/deployments/web")
    assert query == {"fieldManager": "rolltwin", "force": "true"}
    assert body["metadata"] == {"name": "web", "namespace": "run", "labels": {"a": "b"}}


def test_ports_say_their_protocol(server: Server, objects: ClusterObjects) -> None:
    ports = [{"port": 80}, {"port": 53, "protocol": "UDP"}]
    objects.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": ports}})
    assert [port["protocol"] for port in server.asked[-1][3]["spec"]["ports"]] == ["TCP", "UDP"]
    pod = {"containers": [{"name": "web", "ports": [{"containerPort": 80}]}]}
    template = {"template": {"spec": pod}}
    objects.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": template})
    (container,) = server.asked[-1][3]["spec"]["template"]["spec"]["containers"]
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]


def test_kinds_of_the_whole_cluster_get_no_namespace(server: Server, objects: ClusterObjects) -> None:
    objects.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x", "namespace": "y"}})
    assert server.asked[-1][1] == "/api/v1/namespaces"
    assert server.asked[-1][3]["metadata"] == {"name": "x"}


def test_a_part_of_an_object_is_patched(server: Server, objects: ClusterObjects) -> None:
    objects.patch("Rollout", "web", {"status": {"abort": True}}, subresource="status")
    assert server.asked[-1][1] == "/apis/argoproj.io/v1alpha1/namespaces/run/rollouts/web/status"


def test_deleting_nothing_is_no_error(server: Server, objects: ClusterObjects) -> None:
    objects.delete("Pod", "web", grace_s=0)
    assert server.asked[-1][3]["gracePeriodSeconds"] == 0


def test_other_kinds_are_discovered_once(server: Server, objects: ClusterObjects) -> None:
    server.answers["/apis/example.org/v1"] = {"resources": [{"name": "cats", "kind": "Cat", "namespaced": False}]}
    for _ in range(2):
        objects.patch("example.org/v1/Cat", "tom", {})
    assert [path for _, path, _, _ in server.asked] == [
        "/apis/example.org/v1",
        *2 * ["/apis/example.org/v1/cats/tom"],
    ]
    with pytest.raises(ApiError, match="knows no Dog"):
        objects.list("example.org/v1/Dog")
    assert objects.get("example.org/v1/Dog", "rex") is None
    with pytest.raises(UnknownKindError):
        objects.get("Dog", "rex")


def test_a_watch_tells_what_exists_and_then_what_changes(server: Server, objects: ClusterObjects) -> None:
    server.put(f"{PODS}/a")
    watch, heard = objects.watch("Pod"), Heard()
    assert set(watch.current()) == {"a"}
    before = watch.current()
    wait_until(lambda: server.watches, "watch", SOON_S)
    watch.on_change(heard)
    assert heard.next() == ("a", "1")
    server.put(f"{PODS}/b")
    assert heard.next() == ("b", "3")
    server.drop(f"{PODS}/a")
    assert heard.next() == ("a", None)
    assert set(watch.current()) == {"b"}
    assert set(before) == {"a"}
    assert objects.watch("v1/Pod") is watch


@pytest.mark.parametrize("expired", [False, True], ids=["disconnected", "expired"])
def test_a_watch_survives(server: Server, objects: ClusterObjects, expired: bool) -> None:
    server.put(f"{PODS}/a")
    watch, heard = objects.watch("Pod"), Heard()
    watch.on_change(heard)
    assert heard.next()[0] == "a"
    wait_until(lambda: server.watches, "watch", SOON_S)
    if expired:
        server.tell("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
        silent, server.watches = server.watches, []
        server.put(f"{PODS}/b")
        server.objects.pop(f"{PODS}/a")
        assert sorted([heard.next()[0], heard.next()[0]]) == ["a", "b"]
        for queue in silent:
            queue.put(None)
    else:
        server.hang_up()
    wait_until(lambda: server.watches, "next watch", SOON_S)
    server.put(f"{PODS}/c")
    assert heard.next()[0] == "c"


def test_a_kind_that_the_server_refuses_says_so_and_comes_back(server: Server, objects: ClusterObjects) -> None:
    server.refusal = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "pods is forbidden"}
    watch = objects.watch("Pod")
    with pytest.raises(ApiError, match="403 Forbidden: pods is forbidden"):
        watch.current()
    server.refusal = None
    wait_until(lambda: server.watches, "watch", SOON_S)
    assert watch.current() == {}


def test_a_server_in_trouble_is_not_taken_for_a_refusal(server: Server, objects: ClusterObjects) -> None:
    server.put(f"{PODS}/a")
    watch = objects.watch("Pod")
    assert set(watch.current()) == {"a"}
    wait_until(lambda: server.watches, "watch", SOON_S)
    server.tell("ERROR", {"kind": "Status", "code": 500, "reason": "InternalError", "message": "etcd is away"})
    assert set(watch.current()) == {"a"}
    silent, server.watches = server.watches, []
    wait_until(lambda: server.watches, "next watch", SOON_S)
    for queue in silent:
        queue.put(None)


def test_separators_of_unicode_do_not_end_a_line(server: Server, objects: ClusterObjects) -> None:
    watch, heard = objects.watch("Pod"), Heard()
    watch.on_change(heard)
    wait_until(lambda: server.watches, "watch", SOON_S)
    server.put(f"{PODS}/a", text="one\x85two\u2028three")
    assert heard.next()[0] == "a"
    assert watch.current()["a"]["text"] == "one\x85two\u2028three"


def test_a_pod_is_asked_through_the_server(server: Server, objects: ClusterObjects) -> None:
    objects.proxied("POST", "web-1", 9901, "/rolltwin/faults", {"error": 1})
    assert server.asked[-1][1] == f"{PODS}/web-1:9901/proxy/rolltwin/faults"
