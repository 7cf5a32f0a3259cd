"""What every run stands on: namespaces, objects, live pictures, ports, images and dumps on a real cluster."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from queue import SimpleQueue

import pytest

from harness.cluster import crds, dump
from harness.cluster.api import ClusterObjects
from harness.cluster.cluster import Cluster
from harness.cluster.objects import Object, Objects
from harness.images import Images
from harness.waiting import wait_until

pytestmark = pytest.mark.cluster
SOON_S = 120.0


@pytest.fixture
def served(rolltwin_cluster: Cluster, rolltwin_namespace: Objects, rolltwin_images: Images) -> Objects:
    """A namespace with two ready pods that serve files, and two Services before them."""
    image = rolltwin_images.reference("python")
    rolltwin_cluster.load_image(image)
    for obj in (deployment(image), service("inside", "ClusterIP"), service("outside", "NodePort")):
        rolltwin_namespace.apply(obj)
    pods = rolltwin_namespace.watch("Pod")
    wait_until(
        lambda: len([pod for pod in pods.current().values() if ready(pod)]) == 2,
        "two ready pods",
        SOON_S,
        lambda: str(pods.current()),
    )
    return rolltwin_namespace


def deployment(image: str) -> Object:
    labels = {"app": "web"}
    container = {
        "name": "web",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-m", "http.server", "8000"],
        "ports": [{"containerPort": 8000}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1},
    }
    pod = {"terminationGracePeriodSeconds": 1, "containers": [container]}
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def service(name: str, kind: str) -> Object:
    spec = {"type": kind, "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def test_services_are_reached_from_this_machine(rolltwin_cluster: Cluster, served: Objects) -> None:
    for name in ("inside", "outside"):
        with (
            rolltwin_cluster.reach(served.namespace, name, 80) as address,
            urllib.request.urlopen(f"http://{address}/", timeout=10) as answer,
        ):
            assert answer.status == 200, name


def test_a_killed_pod_is_heard_of_and_replaced(served: Objects) -> None:
    pods = served.watch("Pod")
    heard: SimpleQueue[tuple[str, bool]] = SimpleQueue()
    pods.on_change(lambda name, pod, _: heard.put((name, pod is None)))
    victim = next(iter(pods.current()))
    served.delete("Pod", victim, grace_s=0)
    while heard.get(timeout=SOON_S) != (victim, True):
        pass
    wait_until(lambda: sum(map(ready, pods.current().values())) == 2, "a pod in its place", SOON_S)


def test_a_dump_says_what_is_there_and_keeps_the_logs(
    rolltwin_cluster: Cluster, served: Objects, tmp_path: Path
) -> None:
    said = dump.dump(rolltwin_cluster, served, tmp_path)
    assert said.count("Running, 1/1 ready") == 2
    assert (tmp_path / "dump/pods.json").is_file()


def test_objects_are_created_changed_in_part_and_deleted(rolltwin_namespace: Objects) -> None:
    crds.install(rolltwin_namespace)
    rollout = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"}}
    rolltwin_namespace.create({**rollout, "spec": {"replicas": 3, "steps": [1, 2]}})
    rolltwin_namespace.patch("Rollout", "web", {"status": {"phase": "Paused"}}, subresource="status")
    rolltwin_namespace.patch("Rollout", "web", {"spec": {"steps": [3], "replicas": None}})
    found = rolltwin_namespace.get("Rollout", "web")
    assert found is not None
    assert (found["spec"], found["status"]) == ({"steps": [3]}, {"phase": "Paused"})
    rolltwin_namespace.delete("Rollout", "web")
    assert rolltwin_namespace.get("Rollout", "web") is None


def test_pods_are_asked_through_the_server(served: Objects) -> None:
    assert isinstance(served, ClusterObjects)
    pod = next(iter(served.watch("Pod").current()))
    assert served.proxied("GET", pod, 8000, "/etc/hostname").decode().strip() == pod
