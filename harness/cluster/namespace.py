"""A namespace for one run: made with it, deleted with it, swept up by a later run if that did not happen."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from harness.cluster.cluster import Cluster
from harness.cluster.objects import Object, Objects
from harness.ending import uninterrupted
from harness.waiting import wait_until

LABEL = "rolltwin.dev/run"
"""On every namespace that a run made; its value is the run's identity."""
OWNER = "rolltwin.dev/owner"
DEAD_AFTER = timedelta(hours=6)
"""No run takes that long, so a namespace this old belongs to none."""
READY_S = 60.0
GONE_S = 180.0
_GRACE_S = 1


@contextmanager
def run_namespace(cluster: Cluster, name: str = "run", *, keep: bool = False) -> Iterator[Objects]:
    """An empty namespace's objects. At the end it is deleted, and gone unless the run was broken off.

    The next run must not share its processors with pods that are still ending.
    """
    run = secrets.token_hex(4)
    with_name = f"rolltwin-{_label(name)}-{run}"
    objects = cluster.objects(with_name)
    try:
        sweep(objects)
        objects.create(_namespace(with_name, run))
        wait_until(
            lambda: objects.get("ServiceAccount", "default"), f"service account of {with_name}", READY_S, lambda: ""
        )
        yield objects
    except BaseException:
        if not keep:
            with uninterrupted():
                _delete(objects)
        raise
    else:
        if not keep:
            _delete(objects)
            wait_until(lambda: _gone(objects), f"end of namespace {with_name}", GONE_S, lambda: _left(objects))
    finally:
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


def _delete(objects: Objects) -> None:
    objects.delete("Namespace", objects.namespace)
    for pod in objects.list("Pod"):
        objects.delete("Pod", pod["metadata"]["name"], grace_s=_GRACE_S)


def _gone(objects: Objects) -> bool:
    return objects.get("Namespace", objects.namespace) is None


def _left(objects: Objects) -> str:
    return ", ".join(pod["metadata"]["name"] for pod in objects.list("Pod"))
