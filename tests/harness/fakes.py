"""A namespace in memory: an API server, a ReplicaSet controller and a kubelet that need no time but that of a set clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count
from typing import Any

from harness.cluster.objects import Object
from harness.monitoring.prometheus import Answer

Listener = Callable[[str, Object | None, float], None]
START = 1_700_000_000.0
"""UNIX time at which every test begins."""


@dataclass
class SetClock:
    """UNIX time that moves when it is told to."""

    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeWatched:
    """One kind; listeners are told at once, on the caller's thread."""

    clock: SetClock
    objects: dict[str, Object] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)

    def current(self) -> Mapping[str, Object]:
        return dict(self.objects)

    def on_change(self, listener: Listener) -> None:
        self.listeners.append(listener)
        for name, obj in self.objects.items():
            listener(name, obj, self.clock.now)

    def tell(self, name: str) -> None:
        for listener in self.listeners:
            listener(name, self.objects.get(name), self.clock.now)


class FakeObjects:
    """Objects whose pods start in ``start_s`` and are Ready ``ready_s`` later, unless their side is in ``broken``."""

    def __init__(self, clock: SetClock, *, start_s: float = 0.0, ready_s: float = 0.0) -> None:
        self.namespace = "run"
        self.clock = clock
        self.start_s, self.ready_s = start_s, ready_s
        self.at_once = False
        """Whether what falls due now happens within the call, for those who wait without moving the clock."""
        self.broken: set[str] = set()
        self.writes: list[tuple[str, str, str]] = []
        """(verb, kind, name) of everything asked for from outside."""
        self._refused: dict[str, list[Exception]] = {}
        self._kinds: dict[str, FakeWatched] = {}
        self._versions, self._numbers = count(1), count(1)
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def refuse(self, kind: str, error: Exception, times: int) -> None:
        """So many writes of this kind fail from now on."""
        self._refused[kind] = [error] * times

    def watch(self, kind: str) -> FakeWatched:
        return self._kinds.setdefault(kind.rpartition("/")[2], FakeWatched(self.clock))

    def get(self, kind: str, name: str) -> Object | None:
        return deepcopy(self.watch(kind).objects.get(name))

    def list(self, kind: str, labels: Mapping[str, str] | None = None) -> list[Object]:
        found = self.watch(kind).objects.values()
        wanted = (labels or {}).items()
        return [deepcopy(one) for one in found if wanted <= one["metadata"].get("labels", {}).items()]

    def apply(self, obj: Object) -> Object:
        self._asked("apply", obj["kind"], obj["metadata"]["name"])
        before = self.get(obj["kind"], obj["metadata"]["name"])
        return self._put(obj["kind"], _merged(before, obj) if before else obj)

    def create(self, obj: Object) -> Object:
        assert self.get(obj["kind"], obj["metadata"]["name"]) is None, obj["metadata"]
        self._asked("create", obj["kind"], obj["metadata"]["name"])
        return self._put(obj["kind"], obj)

    def patch(self, kind: str, name: str, patch: Object, *, subresource: str = "") -> Object:
        del subresource
        kind = kind.rpartition("/")[2]
        self._asked("patch", kind, name)
        return self._put(kind, _merged(self.watch(kind).objects[name], patch))

    def delete(self, kind: str, name: str, *, grace_s: int | None = None) -> None:
        del grace_s
        kind = kind.rpartition("/")[2]
        self._asked("delete", kind, name)
        if kind == "Pod":
            self._end(name)
        else:
            self._remove(kind, name)

    def proxied(self, method: str, pod: str, port: int, path: str, body: object = None) -> bytes:
        del port, body
        self.writes.append((method, pod, path))
        return b"{}"

    def close(self) -> None:
        """Nothing was opened."""

    def advance(self, seconds: float) -> None:
        """Time passes; what falls due meanwhile happens at its time."""
        end = self.clock.now + seconds
        while self._due and self._due[0][0] <= end:
            at, _, act = heappop(self._due)
            self.clock.now = max(self.clock.now, at)
            act()
        self.clock.now = end

    def pods(self, side: str = "") -> tuple[Object, ...]:
        """Pods of one side that are not being deleted."""
        return tuple(
            one
            for one in self.watch("Pod").objects.values()
            if "deletionTimestamp" not in one["metadata"]
            and side in {"", one["metadata"]["annotations"]["rolltwin.dev/side"]}
        )

    def _asked(self, verb: str, kind: str, name: str) -> None:
        if self._refused.get(kind):
            raise self._refused[kind].pop()
        self.writes.append((verb, kind, name))

    def _put(self, kind: str, obj: Object) -> Object:
        obj = deepcopy(obj)
        metadata = obj["metadata"]
        metadata.setdefault("uid", f"uid-{next(self._numbers)}")
        metadata.setdefault("creationTimestamp", self._written(self.clock.now))
        metadata["resourceVersion"] = str(next(self._versions))
        watched = self.watch(kind)
        watched.objects[metadata["name"]] = obj
        watched.tell(metadata["name"])
        if kind == "ReplicaSet":
            self._later(0.0, lambda: self._keep(metadata["name"]))
        return deepcopy(obj)

    def _remove(self, kind: str, name: str) -> None:
        watched = self.watch(kind)
        if watched.objects.pop(name, None) is not None:
            watched.tell(name)

    def _later(self, delay_s: float, act: Callable[[], None]) -> None:
        if self.at_once:
            act()
            return
        heappush(self._due, (self.clock.now + delay_s, next(self._numbers), act))

    def _keep(self, name: str) -> None:
        """The ReplicaSet controller's look at one ReplicaSet."""
        rs = self.watch("ReplicaSet").objects.get(name)
        if rs is None:
            return
        pods = [pod for pod in self.pods() if pod["metadata"]["ownerReferences"][0]["name"] == name]
        wanted = rs["spec"]["replicas"]
        for _ in range(wanted - len(pods)):
            self._make(rs)
        for pod in sorted(pods, key=_is_ready)[: max(0, len(pods) - wanted)]:
            self._end(pod["metadata"]["name"])
        self._count(name)

    def _count(self, name: str) -> None:
        rs = self.watch("ReplicaSet").objects.get(name)
        if rs is None:
            return
        pods = [pod for pod in self.pods() if pod["metadata"]["ownerReferences"][0]["name"] == name]
        ready = sum(map(_is_ready, pods))
        status = {"replicas": len(pods), "readyReplicas": ready, "availableReplicas": ready}
        if rs.get("status") != status:
            self._put("ReplicaSet", {**rs, "status": status})

    def _make(self, rs: Object) -> None:
        template, name = rs["spec"]["template"], f"{rs['metadata']['name']}-{next(self._numbers)}"
        owner = {"kind": "ReplicaSet", "name": rs["metadata"]["name"]}
        metadata = {**deepcopy(template["metadata"]), "name": name, "ownerReferences": [owner]}
        self._put("Pod", {"metadata": metadata, "spec": {"nodeName": "node"}, "status": {}})
        self._later(self.start_s, lambda: self._run(name))

    def _run(self, name: str) -> None:
        running = {"running": {"startedAt": self._written(self.clock.now)}}
        self._set_status(name, {"containerStatuses": [{"state": running}]})
        self._later(self.ready_s, lambda: self._become_ready(name))

    def _become_ready(self, name: str) -> None:
        pod = self.watch("Pod").objects.get(name)
        if pod is not None and pod["metadata"]["annotations"]["rolltwin.dev/side"] not in self.broken:
            ready = {"type": "Ready", "status": "True", "lastTransitionTime": self._written(self.clock.now)}
            self._set_status(name, {"conditions": [ready]})

    def _set_status(self, name: str, status: Object) -> None:
        pod = self.watch("Pod").objects.get(name)
        if pod is not None:
            self._put("Pod", {**pod, "status": {**pod["status"], **status}})
            self._count(pod["metadata"]["ownerReferences"][0]["name"])

    def _end(self, name: str) -> None:
        pod = self.watch("Pod").objects.get(name)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        stamp = {"deletionTimestamp": self._written(self.clock.now)}
        self._put("Pod", {**pod, "metadata": {**pod["metadata"], **stamp}})
        self._later(1.0, lambda: self._remove("Pod", name))
        owner = pod["metadata"]["ownerReferences"][0]["name"]
        self._later(0.0, lambda: self._keep(owner))

    @staticmethod
    def _written(unix_s: float) -> str:
        """Whole seconds, as the API server keeps them."""
        return datetime.fromtimestamp(int(unix_s), UTC).isoformat().replace("+00:00", "Z")


def _is_ready(pod: Object) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ()))


def _merged(old: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    result = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


class AtOnce(Executor):
    """Runs what is submitted there and then."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@dataclass
class FakePrometheus:
    """Answers every query with one sample, or with whatever ``answer`` makes of it; ``down`` is an outage."""

    answer: Callable[[str, float], float | None]
    down: bool = False
    address: str = "http://127.0.0.1:9090"
    asked: list[tuple[str, float | None]] = field(default_factory=list)

    def query(self, query: str, at_unix_s: float | None = None, *, timeout_s: float = 30.0) -> Answer:
        del timeout_s
        self.asked.append((query, at_unix_s))
        if self.down:
            return {
                "error": f'Post "{self.address}/api/v1/query": dial tcp 127.0.0.1:9090: connect: connection refused'
            }
        value = self.answer(query, at_unix_s or 0.0)
        return {"resultType": "vector", "result": [] if value is None else [{"value": [at_unix_s, str(value)]}]}

    def query_range(
        self, query: str, start_unix_s: float, end_unix_s: float, step_s: float, *, timeout_s: float = 30.0
    ) -> Answer:
        del start_unix_s, step_s, timeout_s
        value = self.answer(query, end_unix_s)
        return {"resultType": "matrix", "result": [{"values": [[end_unix_s, str(value)]]}]}
