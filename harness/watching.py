"""Pods and ReplicaSets as rows: what changed between two sights of one object, in the twin's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from harness.cluster.objects import Object, Objects
from harness.cluster.statuses import condition, container
from harness.recorder import Recorder
from sim.model.records import PodRecord, ScaleRecord

SIDE: Final = "rolltwin.dev/side"
"""Annotation of pod templates: whose pods these are, ``stable`` or ``candidate``. Others are not written down."""
_KINDS: Final = ("Pod", "apps/v1/ReplicaSet")


def watch(objects: Objects, recorder: Recorder) -> None:
    """Writes a row for every change of a pod or a ReplicaSet from now on.

    Those that exist already come first, with the time of this call: what went before belongs to no run.
    """
    begun_s = recorder.t_s
    rows: tuple[Callable[..., Iterator[PodRecord | ScaleRecord]], ...] = (pod_rows, scale_rows)
    for kind, told in zip(_KINDS, rows, strict=True):
        objects.watch(kind).on_change(_Listener(recorder, told, begun_s))


class _Listener:
    """Remembers the last sight of each object. Called on one watching thread only."""

    def __init__(
        self, recorder: Recorder, told: Callable[..., Iterator[PodRecord | ScaleRecord]], begun_s: float
    ) -> None:
        self._recorder = recorder
        self._told = told
        self._begun_s = begun_s
        self._seen: dict[str, Object] = {}

    def __call__(self, name: str, obj: Object | None, at_unix_s: float) -> None:
        before = self._seen.get(name)
        if obj is None:
            self._seen.pop(name, None)
        else:
            self._seen[name] = obj
        if before is not None and obj is not None and _uid(before) != _uid(obj):
            # Deleted and made again under the same name, and nobody was told in between.
            self._tell(before, None, at_unix_s)
            before = None
        self._tell(before, obj, at_unix_s)

    def _tell(self, before: Object | None, after: Object | None, at_unix_s: float) -> None:
        t_s, region = max(self._begun_s, self._recorder.at(at_unix_s)), self._recorder.region
        for row in self._told(before, after, t_s, region):
            self._recorder.add(row)


def _uid(obj: Object) -> str:
    return str(obj["metadata"].get("uid", ""))


def pod_rows(before: Object | None, after: Object | None, t_s: float, region: str = "") -> Iterator[PodRecord]:
    """What a pod's change is called: None is a pod that does not exist (yet, or any more).

    Several changes seen at once come in the order in which they happen: crashed, started again, ready.
    """
    last = after or before
    if last is None or not side_of(last):
        return
    node = str(last["spec"].get("nodeName") or "")
    for state, reason in _changes(before, after):
        yield PodRecord(t_s, region, last["metadata"]["name"], side_of(last), node, state, reason)


def _changes(before: Object | None, after: Object | None) -> Iterator[tuple[str, str]]:
    if after is None:
        yield "gone", ""
        return
    if reason := _unplaced(after):
        if _unplaced(before) != reason:
            yield "pending", reason
        return
    leaves, left = "deletionTimestamp" in after["metadata"], _is_leaving(before)
    if left:
        return
    if leaves:
        if container(before).get("state", {}).get("running"):
            yield "terminating", ""
        return
    yield from _container_changes(before, after)
    yield from _readiness(before, after)


def _container_changes(before: Object | None, after: Object) -> Iterator[tuple[str, str]]:
    """Crashes and starts of the application's container."""
    was, now = container(before), container(after)
    started, ended = _running_since(now), _ended(now)
    if any(ended) and ended != _ended(was):
        yield "crashed", ended[1]
    if started and started != _running_since(was):
        yield "running", ""


def _readiness(before: Object | None, after: Object) -> Iterator[tuple[str, str]]:
    """A pod that stops being Ready is only told of while its container runs: a crash says so itself."""
    was, now = _is_ready(before), _is_ready(after)
    restarted = _ended(container(after)) != _ended(container(before))
    if now:
        if restarted or not was:
            yield "ready", ""
    elif was and not restarted and _running_since(container(after)):
        yield "unready", str(condition(after, "Ready").get("reason", ""))


def _is_leaving(pod: Object | None) -> bool:
    return pod is not None and "deletionTimestamp" in pod["metadata"]


def _unplaced(pod: Object | None) -> str:
    """Why the scheduler found no node; '' if it did, or has not looked yet."""
    placed = condition(pod, "PodScheduled")
    refused = placed.get("status") == "False" and placed.get("reason") == "Unschedulable"
    return "FailedScheduling" if refused else ""


def _running_since(container: Mapping[str, Any]) -> str:
    return str((container.get("state") or {}).get("running", {}).get("startedAt", ""))


def _ended(container: Mapping[str, Any]) -> tuple[str, str]:
    """(which run of the container, why) of the last one that ended; ('', '') if none did."""
    for state in (container.get("state") or {}, container.get("lastState") or {}):
        if ended := state.get("terminated"):
            which = ended.get("containerID") or ended.get("finishedAt") or ""
            return str(which), str(ended.get("reason") or "Error")
    return "", ""


def _is_ready(pod: Object | None) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def scale_rows(before: Object | None, after: Object | None, t_s: float, region: str = "") -> Iterator[ScaleRecord]:
    """The sizes of a ReplicaSet when they changed; nothing when it is deleted, which it is with no pods."""
    if after is None or not side_of(after):
        return
    counts = _sizes(after)
    if before is None or _sizes(before) != counts:
        yield ScaleRecord(t_s, region, after["metadata"]["name"], side_of(after), *counts)


def _sizes(replica_set: Object) -> tuple[int, int, int]:
    status = replica_set.get("status") or {}
    return replica_set["spec"].get("replicas", 1), status.get("readyReplicas", 0), status.get("availableReplicas", 0)


def side_of(obj: Object) -> str:
    """The side in a pod's annotations, or in those of an owner's pod template; '' where nothing is said."""
    template = obj["spec"].get("template") or obj
    return str(((template.get("metadata") or {}).get("annotations") or {}).get(SIDE, ""))
