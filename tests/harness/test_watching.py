"""Pods and ReplicaSets in the twin's words, from what the API server shows of them."""

from __future__ import annotations

from typing import Any

import pytest

from harness.cluster.objects import Object
from harness.recorder import Recorder
from harness.watching import pod_rows, scale_rows, watch
from sim.model.records import PodRecord, ScaleRecord
from tests.harness.fakes import START, FakeObjects, SetClock

RUNNING = {"state": {"running": {"startedAt": "2026-11-30T05:00:01Z"}}}
AGAIN = {
    "state": {"running": {"startedAt": "2026-11-30T05:00:09Z"}},
    "lastState": {"terminated": {"containerID": "one", "reason": "Error", "exitCode": 1}},
}
ENDED = {"state": {"terminated": {"containerID": "one", "reason": "OOMKilled"}}}
BACKING_OFF = {
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": {"containerID": "one", "reason": "OOMKilled"}},
}


def pod(container: Any = None, *, ready: bool = False, deleted: bool = False, unplaced: bool = False) -> Object:
    conditions = [{"type": "Ready", "status": str(ready), "reason": "" if ready else "ContainersNotReady"}]
    if unplaced:
        conditions.append({"type": "PodScheduled", "status": "False", "reason": "Unschedulable"})
    metadata: Object = {"name": "shop-1", "uid": "a", "annotations": {"rolltwin.dev/side": "candidate"}}
    if deleted:
        metadata["deletionTimestamp"] = "2026-11-30T05:01:00Z"
    status = {"conditions": conditions, "containerStatuses": [container] if container else []}
    return {"metadata": metadata, "spec": {"nodeName": "" if unplaced else "node"}, "status": status}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(None, pod(), [], id="born"),
        pytest.param(None, pod(unplaced=True), ["pending FailedScheduling"], id="no-node"),
        pytest.param(pod(unplaced=True), pod(unplaced=True), [], id="still-no-node"),
        pytest.param(pod(), pod(RUNNING), ["running"], id="started"),
        pytest.param(pod(RUNNING), pod(RUNNING, ready=True), ["ready"], id="ready"),
        pytest.param(pod(), pod(RUNNING, ready=True), ["running", "ready"], id="both-at-once"),
        pytest.param(pod(RUNNING, ready=True), pod(RUNNING), ["unready ContainersNotReady"], id="unready"),
        pytest.param(pod(RUNNING, ready=True), pod(ENDED), ["crashed OOMKilled"], id="crashed"),
        pytest.param(pod(ENDED), pod(BACKING_OFF), [], id="waits-to-start-again"),
        pytest.param(pod(RUNNING, ready=True), pod(AGAIN), ["crashed Error", "running"], id="restarted"),
        pytest.param(
            pod(RUNNING, ready=True),
            pod(AGAIN, ready=True),
            ["crashed Error", "running", "ready"],
            id="restarted-unseen",
        ),
        pytest.param(pod(RUNNING, ready=True), pod(RUNNING, ready=True, deleted=True), ["terminating"], id="deleted"),
        pytest.param(pod(RUNNING, deleted=True), pod(ENDED, deleted=True), [], id="ends-after-deletion"),
        pytest.param(pod(), pod(deleted=True), [], id="deleted-before-it-ran"),
        pytest.param(pod(RUNNING, deleted=True), None, ["gone"], id="gone"),
    ],
)
def test_a_pod(before: Object | None, after: Object | None, told: list[str]) -> None:
    rows = list(pod_rows(before, after, 1.5))
    assert [f"{row.state} {row.reason}".strip() for row in rows] == told
    assert {(row.pod, row.side, row.t_s) for row in rows} <= {("shop-1", "candidate", 1.5)}


def test_pods_without_a_side_are_not_told_of() -> None:
    other = pod(RUNNING)
    del other["metadata"]["annotations"]
    assert list(pod_rows(None, other, 0.0)) == []
    assert list(pod_rows(other, None, 0.0)) == []


def replica_set(wanted: int, **status: int) -> Object:
    template = {"metadata": {"annotations": {"rolltwin.dev/side": "stable"}}}
    return {
        "metadata": {"name": "shop"}, "spec": {"replicas": wanted, "template": template}, "status": status,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(None, replica_set(3), [(3, 0, 0)], id="new"),
        pytest.param(replica_set(3), replica_set(3, replicas=3), [], id="pods-that-are-not-ready"),
        pytest.param(replica_set(3), replica_set(3, readyReplicas=2, availableReplicas=1), [(3, 2, 1)], id="counts"),
        pytest.param(replica_set(3), replica_set(0), [(0, 0, 0)], id="size"),
        pytest.param(replica_set(0), None, [], id="deleted"),
    ],
)
def test_a_replica_set(before: Object | None, after: Object | None, told: list[tuple[int, int, int]]) -> None:
    rows = scale_rows(before, after, 0.0)
    assert [(row.desired, row.ready, row.available) for row in rows] == told


def test_a_watched_namespace_writes_rows() -> None:
    clock = SetClock()
    objects, recorder = FakeObjects(clock, start_s=1.0, ready_s=2.0), Recorder(START, clock=clock)
    watch(objects, recorder)
    made = replica_set(1)
    objects.create({"kind": "ReplicaSet", **made})
    objects.advance(5.0)
    objects.patch("ReplicaSet", "shop", {"spec": {"replicas": 0}})
    objects.advance(5.0)
    rows = recorder.rows()
    pods = [(row.t_s, row.state) for row in rows if isinstance(row, PodRecord)]
    assert pods == [(1.0, "running"), (3.0, "ready"), (5.0, "terminating"), (6.0, "gone")]
    sizes = [(row.t_s, row.desired, row.ready) for row in rows if isinstance(row, ScaleRecord)]
    assert sizes == [(0.0, 1, 0), (3.0, 1, 1), (5.0, 0, 1), (5.0, 0, 0)]


def test_a_pod_made_again_under_its_name_is_another_one() -> None:
    clock = SetClock()
    objects, recorder = FakeObjects(clock), Recorder(START, clock=clock)
    watch(objects, recorder)
    pods = objects.watch("Pod")
    for obj in (pod(RUNNING), {**pod(RUNNING), "metadata": {**pod()["metadata"], "uid": "b"}}):
        pods.objects["shop-1"] = obj
        pods.tell("shop-1")
    assert [row.state for row in recorder.rows() if isinstance(row, PodRecord)] == ["running", "gone", "running"]
