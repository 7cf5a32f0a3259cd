"""A namespace for one run: made with it, deleted with it, swept up by a later run if that did not happen."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from harness.cluster.cluster import Cluster
from harness.cluster.connection import NOT_FOUND, ApiError
from harness.cluster.objects import Object, Objects
from harness.ending import uninterrupted
from harness.waiting import WaitError, wait_until

LABEL = "rolltwin.dev/run"
"""On every namespace that a run made; its value is the run's identity."""
OWNER = "rolltwin.dev/owner"
DEAD_AFTER = timedelta(hours=6)
"""No run takes that long, so a namespace this old belongs to none."""
READY_S = 60.0
GONE_S = 60.0
FORBIDDEN = 403
_GRACE_S = 1
_KEEPERS = ("Rollout", "Experiment", "Deployment", "StatefulSet", "Job", "ReplicaSet", "Pod")
"""What makes pods, and pods: in the order in which nothing is made again."""


@contextmanager
def run_namespace(cluster: Cluster, name: str = "run", *, keep: bool = False) -> Iterator[Objects]:
    """An empty namespace's objects. At the end it is deleted, its pods first: the next run needs the processors."""
    run = secrets.token_hex(4)
    with_name = f"rolltwin-{_label(name)}-{run}"
    objects = cluster.objects(with_name)
    try:
        _sweep_if_allowed(objects)
        objects.create(_namespace(with_name, run))
        wait_until(lambda: objects.get("ServiceAccount", "default"), f"service account of {with_name}", READY_S)
        yield objects
        if not keep:
            _empty(objects)
    finally:
        if not keep:
            with uninterrupted():
                objects.delete("Namespace", with_name)
        objects.close()


def sweep(objects: Objects, now: datetime | None = None) -> tuple[str, ...]:
    """Deletes the namespaces of runs that are long dead; returns their names."""
    before = (now or datetime.now(UTC)) - DEAD_AFTER
    dead = [
        item["metadata"]["name"]
        for item in objects.list("Namespace")
        if LABEL in item["metadata"].get("labels", {})
        and datetime.fromisoformat(item["metadata"]["creationTimestamp"]) < before
    ]
    for name in dead:
        objects.delete("Namespace", name)
    return tuple(dead)


def _sweep_if_allowed(objects: Objects) -> None:
    try:
        sweep(objects)
    except ApiError as error:
        if error.code != FORBIDDEN:  # a guest need not see everybody's namespaces
            raise


def owner() -> str:
    """Who runs this, where, as which process: for whoever finds the namespace."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}:{os.getpid()}"


def _namespace(name: str, run: str) -> Object:
    metadata = {"name": name, "labels": {LABEL: run}, "annotations": {OWNER: owner()}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _label(name: str) -> str:
    """What may stand in a namespace's name, at most 40 characters of it."""
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower())[:40].strip("-")


def _empty(objects: Objects) -> None:
    """Ends every pod. A namespace that is deleted with pods in it takes its controller minutes."""
    for kind in _KEEPERS:
        for item in listed(objects, kind):
            objects.delete(kind, item["metadata"]["name"], grace_s=_GRACE_S)
    with suppress(WaitError):  # a node that lost a pod is no reason to lose a run
        wait_until(lambda: not objects.list("Pod"), f"end of the pods of {objects.namespace}", GONE_S)


def listed(objects: Objects, kind: str) -> list[Object]:
    """Every object of the kind; none where the cluster has no such kind."""
    try:
        return objects.list(kind)
    except ApiError as error:
        if error.code == NOT_FOUND:
            return []
        raise
