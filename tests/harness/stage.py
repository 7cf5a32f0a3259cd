"""A site without a cluster: a clock that is set, and objects that are changed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from harness.cluster.cluster import Cluster
from harness.cluster.connection import ApiError
from harness.cluster.objects import Object
from harness.monitoring.prometheus import Answer
from harness.recorder import Recorder
from harness.site import Site
from scenarios.document import Loaded
from scenarios.manifests import Documents
from sim.model.records import DecisionRecord, Record
from sim.model.scenario import Scenario
from sim.streams import Streams


class SetRecorder(Recorder):
    """Its clock is moved by hand."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.now_s = 0.0

    @property
    def t_s(self) -> float:
        return self.now_s


@dataclass
class Picture:
    """What is watched of one kind."""

    objects: dict[str, Object] = field(default_factory=dict)

    def current(self) -> Mapping[str, Object]:
        return dict(self.objects)

    def on_change(self, listener: Callable[[str, Object | None, float], None]) -> None:
        for name, obj in self.objects.items():
            listener(name, obj, 0.0)


class HandObjects:
    """Objects whose status nobody fills in but the test. Every write of a Deployment's spec makes a new generation."""

    def __init__(self) -> None:
        self.namespace = "run"
        self.kinds: dict[str, Picture] = {}
        self.deleted: list[tuple[str, str, int | None]] = []
        self.posted: list[tuple[str, list[Any]]] = []
        """(pod, faults) it was told of."""
        self.acting: list[str] = []
        """What every pod says acts on it."""
        self.deaf: set[str] = set()
        """Pods that do not answer."""

    def watch(self, kind: str) -> Picture:
        return self.kinds.setdefault(kind.rpartition("/")[2], Picture())

    def get(self, kind: str, name: str) -> Object | None:
        return self.watch(kind).objects.get(name)

    def list(self, kind: str, labels: Mapping[str, str] | None = None) -> list[Object]:
        found = self.watch(kind).objects.values()
        return [one for one in found if (labels or {}).items() <= one["metadata"].get("labels", {}).items()]

    def apply(self, obj: Object) -> Object:
        obj, name = deepcopy(obj), obj["metadata"]["name"]
        before = self.get(obj["kind"], name) or {"metadata": {}}
        changed = before.get("spec") != obj.get("spec")
        obj["metadata"]["generation"] = before["metadata"].get("generation", 0) + changed
        if "status" in before:
            obj["status"] = before["status"]
        self.watch(obj["kind"]).objects[name] = obj
        return obj

    create = apply

    def patch(self, kind: str, name: str, patch: Object, *, subresource: str = "") -> Object:
        del subresource
        obj = self.watch(kind).objects[name]
        obj["spec"] = {**obj["spec"], **deepcopy(patch["spec"])}
        return obj

    def delete(self, kind: str, name: str, *, grace_s: int | None = None) -> None:
        self.watch(kind).objects.pop(name, None)
        self.deleted.append((kind, name, grace_s))

    def proxied(self, method: str, pod: str, port: int, path: str, body: object = None) -> bytes:
        del port, path
        if pod in self.deaf:
            raise ApiError(503, "ServiceUnavailable", "connection refused")
        if method == "POST" and isinstance(body, bytes):
            self.posted.append((pod, json.loads(body)))
        return json.dumps({"acting": self.acting}).encode()

    def close(self) -> None:
        """Nothing was opened."""


class SaidPrometheus:
    """Answers what it was told to, by what the query contains."""

    address = "http://prometheus"

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def query(self, query: str, at_unix_s: float | None = None, *, timeout_s: float = 30.0) -> Answer:
        del at_unix_s, timeout_s
        self.asked.append(query)
        value = next((value for word, value in self.answers.items() if word in query), "")
        if value == "down":
            return {"error": "connection refused"}
        return {"resultType": "vector", "result": [{"metric": {}, "value": [0, value]}] if value else []}

    def query_range(
        self, query: str, start_unix_s: float, end_unix_s: float, step_s: float, *, timeout_s: float = 30.0
    ) -> Answer:
        raise NotImplementedError


@dataclass
class Stage:
    """A site and its parts as what they really are."""

    scenario: Scenario
    objects: HandObjects = field(default_factory=HandObjects)
    recorder: SetRecorder = field(default_factory=SetRecorder)

    @property
    def site(self) -> Site:
        loaded = Loaded(self.scenario, Documents(()), "test")
        cluster = cast("Cluster", None)
        return Site(cluster, self.objects, self.recorder, loaded, Streams(1), Path())

    def rows(self, kind: type[Record]) -> list[Any]:
        return [row for row in self.recorder.rows() if isinstance(row, kind)]

    @property
    def decisions(self) -> list[tuple[str, str]]:
        return [(row.actor, row.decision) for row in self.rows(DecisionRecord)]


def deployment(name: str, replicas: int = 3) -> Object:
    """With the stable version's template."""
    labels = {"app": name}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template("stable", labels)}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def template(version: str, labels: dict[str, str]) -> Object:
    return {"metadata": {"labels": labels, "annotations": {"version": version}}}


def complete(obj: Object, available: int | None = None) -> None:
    """The Deployment controller has seen the latest template; all pods (or ``available``) run it."""
    count = obj["spec"]["replicas"] if available is None else available
    obj["status"] = {
        "observedGeneration": obj["metadata"]["generation"],
        "replicas": obj["spec"]["replicas"],
        "updatedReplicas": obj["spec"]["replicas"],
        "availableReplicas": count,
        **({"readyReplicas": count} if count else {}),
    }


def expire(obj: Object, when: str) -> None:
    """The progress deadline is exceeded."""
    message = 'ReplicaSet "shop-1" has timed out progressing.'
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    complete(obj, 1)
    obj["status"]["conditions"] = [condition | {"message": message, "lastUpdateTime": when}]
