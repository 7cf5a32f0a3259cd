"""Argo Rollouts' side of a run: its objects are applied, patched and read. Its controller is played by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from harness.cluster.cluster import Cluster
from harness.cluster.objects import Object
from harness.makers.argo import ROLLOUT, ArgoMaker
from harness.makers.operations import Operations
from harness.recorder import Recorder
from harness.site import Site
from harness.waiting import WaitError
from sim.model.records import DecisionRecord, PhaseRecord, StepRecord, Verdict, WeightRecord
from sim.streams import Streams
from tests.harness.fakes import START, FakeObjects, SetClock
from tests.harness.rollouts import CANARY, plan_of, shop

STABLE = {"phase": "Healthy", "currentPodHash": "aa", "stableRS": "aa", "currentStepIndex": 5}
NEW = {
    "phase": "Progressing",
    "message": "more replicas need to be updated",
    "currentPodHash": "bb",
    "currentStepIndex": 0,
}
ABORTED = {"phase": "Degraded", "message": "RolloutAborted: Rollout aborted update to revision 2", "abort": True}


class Generations(FakeObjects):
    """Counts the Rollout's generations, as the API server does with every change of a spec."""

    def patch(self, kind: str, name: str, patch: Object, *, subresource: str = "") -> Object:
        if kind == ROLLOUT and "spec" in patch:
            before = self.get(kind, name) or {}
            patch = {**patch, "metadata": {"generation": before["metadata"].get("generation", 1) + 1}}
        return super().patch(kind, name, patch, subresource=subresource)


class Played:
    """A run whose controller writes what the test says."""

    def __init__(self, folder: Path, **overrides: str) -> None:
        loaded = shop(folder, CANARY, **overrides)
        self.clock = SetClock()
        self.objects = Generations(self.clock)
        self.recorder = Recorder(START, clock=self.clock)
        site = Site(cast("Cluster", None), self.objects, self.recorder, loaded, Streams(1), Path())
        self.plan = plan_of(loaded)
        self.maker = ArgoMaker(site, self.plan)
        self.operations = Operations(loaded.scenario, self.recorder, self.maker)

    def stand(self) -> Played:
        self.objects.apply(self.plan.workload)
        self.says(**STABLE)
        self.maker.stand()
        for pod_hash, template in (("aa", self.plan.workload["spec"]["template"]), ("bb", self.plan.release_template)):
            self.objects.create(replica_set(pod_hash, template))
        return self

    def release(self) -> Played:
        self.maker.release()
        self.says(**NEW)
        return self

    def says(self, **status: Any) -> None:
        """The controller writes this, half a second later."""
        self.clock.now += 0.5
        observed = str(self.rollout["metadata"].get("generation", 1))
        patch = {"status": {"observedGeneration": observed, **status}}
        self.objects.patch(ROLLOUT, "shop", patch, subresource="status")
        self.maker.poll()

    def rows(self, kind: type[Any]) -> list[Any]:
        return [row for row in self.recorder.rows() if isinstance(row, kind)]

    @property
    def rollout(self) -> Object:
        found = self.objects.get(ROLLOUT, "shop")
        assert found is not None
        return found


def replica_set(pod_hash: str, template: Object) -> Object:
    label = {"rollouts-pod-template-hash": pod_hash}
    labels = {**template["metadata"]["labels"], **label}
    return {
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"shop-{pod_hash}",
            "labels": label,
            "annotations": {"rollout.argoproj.io/revision": str("ab".index(pod_hash[0]) + 1)},
        },
        "spec": {"replicas": 0, "template": {**template, "metadata": {**template["metadata"], "labels": labels}}},
    }


@pytest.fixture
def run(tmp_path: Path) -> Played:
    return Played(tmp_path).stand().release()


def verdict(run: Played) -> Verdict | None:
    return run.maker.outcome.verdict if run.maker.outcome is not None else None


def sides(run: Played) -> str:
    return str(run.rollout["spec"]["template"]["metadata"]["annotations"]["rolltwin.dev/side"])


def test_what_stood_before_the_release_is_no_row(run: Played) -> None:
    assert [row.phase for row in run.rows(PhaseRecord)] == ["Progressing"]
    assert [(row.decision, row.reason) for row in run.rows(DecisionRecord)] == [("start", "revision bb applied")]
    assert [(row.index, row.state) for row in run.rows(StepRecord)] == [(0, "started")]
    assert sides(run) == "candidate"


def test_the_release_is_promoted_when_it_is_stable_and_healthy(run: Played) -> None:
    run.says(stableRS="bb", currentStepIndex=5)
    assert verdict(run) is None
    run.says(phase="Healthy", message="")
    assert run.maker.outcome is not None
    assert (run.maker.outcome.verdict, run.maker.outcome.served_all) == (Verdict.PROMOTED, True)


def test_an_abort_is_over_when_the_gateway_sends_nothing_there_any_more(run: Played) -> None:
    run.recorder.add(WeightRecord(1.0, "", 20.0, 80.0))
    run.says(**ABORTED)
    assert verdict(run) is None
    assert run.maker.trouble == ""
    run.recorder.add(WeightRecord(2.0, "", 0.0, 100.0))
    run.maker.poll()
    assert verdict(run) is Verdict.ABORTED
    assert [row.actor for row in run.rows(DecisionRecord)] == ["argo-cd", "controller"]


def test_a_person_ends_a_pause(run: Played) -> None:
    pause = {"reason": "CanaryPauseStep", "startTime": "2026-11-30T05:00:10Z"}
    run.says(
        phase="Paused", message="CanaryPauseStep", currentStepIndex=1, controllerPause=True, pauseConditions=[pause]
    )
    assert run.maker.waits_for_person() is None  # this pause has a duration
    run.maker.approve()
    assert "pauseConditions" not in run.rollout["status"]
    assert run.rollout["status"]["currentStepIndex"] == 1


def test_undo_puts_the_old_template_back(run: Played) -> None:
    run.says(stableRS="bb", currentStepIndex=5, phase="Healthy", message="")
    run.maker.undo("errors")
    assert run.maker.going_back
    assert verdict(run) is None
    assert sides(run) == "stable"
    assert "rollouts-pod-template-hash" not in run.rollout["spec"]["template"]["metadata"]["labels"]
    run.says(**{**STABLE, "message": ""})
    assert verdict(run) is Verdict.UNDONE


def test_a_person_aborts(run: Played) -> None:
    run.maker.abort("p99")
    assert run.rollout["status"]["abort"]
    run.says(**ABORTED)
    assert run.maker.outcome is not None
    assert run.maker.outcome.reason == "aborted by a person: p99"


def test_degraded_by_itself_is_trouble(run: Played) -> None:
    run.says(phase="Degraded", message="ProgressDeadlineExceeded: timed out")
    assert run.maker.trouble == "Degraded: ProgressDeadlineExceeded: timed out"
    assert run.maker.stuck().verdict is Verdict.DEGRADED


def test_commands_at_set_times(tmp_path: Path) -> None:
    operations = "[{at: 1s, do: pause}, {at: 2s, do: scale, replicas: 5}, {at: 3s, do: promote-full}]"
    run = Played(tmp_path, operations=operations).stand().release()
    for _ in range(8):
        run.says()
        run.operations.poll()
    assert run.rollout["spec"]["replicas"] == 5
    assert run.rollout["status"]["promoteFull"]
    assert run.rollout["spec"]["paused"] is False  # promote-full resumes
    assert [row.decision for row in run.rows(DecisionRecord)] == ["start", "pause", "scale", "promote-full"]


def test_a_stable_version_that_does_not_come_to_serve_is_told_with_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Played(tmp_path)
    monkeypatch.setattr("harness.makers.argo.STAND_S", 0.0)
    with pytest.raises(WaitError, match="the stable version serves"):
        run.maker.stand()
