"""A database behind the application, in a container beside the cluster: when it is slow or broken, so is every request."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from time import monotonic

import pytest

from harness.app.environment import environment
from harness.cluster.cluster import Address, Cluster
from harness.cluster.kind import KindCluster
from harness.cluster.objects import Object, Objects
from harness.database import Database, database
from harness.images import Images
from harness.waiting import wait_until
from sim.model.behaviour import Delay, VersionBehaviour
from sim.model.telemetry import PrometheusTelemetry

pytestmark = pytest.mark.cluster
SOON_S = 120.0
FAST = VersionBehaviour("v1", Delay(0.001), (), start_up=Delay(0.5))


@pytest.fixture
def behind(rolltwin_cluster: Cluster, rolltwin_images: Images) -> Iterator[Database]:
    """A database that pods reach."""
    if not isinstance(rolltwin_cluster, KindCluster):
        pytest.skip("the database is a container beside kind's nodes; this cluster is not kind's")
    with database(rolltwin_images) as made:
        yield made


@pytest.fixture
def served(
    rolltwin_cluster: Cluster, rolltwin_namespace: Objects, rolltwin_images: Images, behind: Database
) -> Iterator[Address]:
    """One pod of the application that looks into the database."""
    image = rolltwin_images.reference("app")
    rolltwin_cluster.load_image(image)
    for obj in (pod(image, behind.dsn), service()):
        rolltwin_namespace.apply(obj)
    with rolltwin_cluster.reach(rolltwin_namespace.namespace, "app", 80) as address:
        wait_until(lambda: status(address) == 200, "an answer", SOON_S, lambda: str(rolltwin_namespace.list("Pod")))
        yield address


def pod(image: str, dsn: str) -> Object:
    told = environment(FAST, "stable", PrometheusTelemetry(), database=dsn)
    container = {
        "name": "app",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": name, "value": value} for name, value in told.items()],
    }
    metadata = {"name": "app", "labels": {"app": "app"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def service() -> Object:
    ports = [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]
    spec = {"type": "NodePort", "selector": {"app": "app"}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "app"}, "spec": spec}


def status(address: Address) -> int:
    """Of one answer; 0 without any."""
    try:
        with urllib.request.urlopen(f"http://{address}/", timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def test_a_broken_database_is_a_fault_of_the_application(served: Address, behind: Database) -> None:
    behind.break_off()
    begun = monotonic()
    try:
        assert status(served) == 500
    finally:
        behind.mend()
    assert monotonic() - begun > 4, "the application waits for a silent database until its patience is over"
    wait_until(lambda: status(served) == 200, "an answer again", SOON_S)
