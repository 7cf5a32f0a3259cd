"""What is read off Argo Rollouts' objects, as it writes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.makers import argo_commands
from harness.makers.argo_rows import finished, run_rows
from harness.makers.argo_status import status_of
from sim.decide import operations
from sim.model.analysis import AnalysisPhase
from sim.model.records import AnalysisRecord, MeasurementRecord
from sim.model.rollout import (
    CanaryStep,
    CanaryStrategy,
    Pause,
    PauseCondition,
    PauseReason,
    RolloutPhase,
    RolloutSpec,
    RolloutStatus,
)

SPEC = RolloutSpec("api", canary=CanaryStrategy(steps=(CanaryStep(set_weight=5), CanaryStep(pause=Pause("2m")))))
PAUSED: dict[str, Any] = {
    "metadata": {"name": "api", "generation": 2},
    "status": {
        "HPAReplicas": 5,
        "replicas": 5,
        "updatedReplicas": 1,
        "readyReplicas": 5,
        "availableReplicas": 5,
        "phase": "Paused",
        "message": "CanaryPauseStep",
        "currentPodHash": "6c9f",
        "stableRS": "58dd",
        "currentStepIndex": 1,
        "controllerPause": True,
        "observedGeneration": "2",
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-11-30T05:00:10Z"}],
        "canary": {
            "weights": {
                "canary": {"podTemplateHash": "6c9f", "serviceName": "api-canary", "weight": 5},
                "stable": {"podTemplateHash": "58dd", "serviceName": "api-stable", "weight": 95},
            },
            "currentBackgroundAnalysisRunStatus": {"name": "api-6c9f-2", "status": "Running"},
        },
        "conditions": [{"type": "Paused", "status": "True", "reason": "RolloutPaused", "message": "paused"}],
    },
}
AT = 1796014800.0
"""2026-11-30T05:00:00Z"""


def test_a_status_in_the_twins_words() -> None:
    status = status_of(PAUSED, AT)
    assert (status.phase, status.message) == (RolloutPhase.PAUSED, "CanaryPauseStep")
    assert status.pause_conditions == (PauseCondition(PauseReason.CANARY_STEP, 10.0),)
    assert (status.current_pod_hash, status.stable_rs, status.current_step_index) == ("6c9f", "58dd", 1)
    assert (status.replicas, status.updated, status.observed_generation) == (5, 1, 2)
    assert status.weights is not None
    assert (status.weights.canary.weight, status.weights.stable.hash) == (5, "58dd")
    assert status.background_run is not None
    assert status.background_run.phase is AnalysisPhase.RUNNING


def test_a_rollout_nobody_has_looked_at_yet() -> None:
    assert status_of({"metadata": {"name": "api"}}, AT) == RolloutStatus()


def run(phase: str, *measurements: str, kept: int = 10, label: str = "Step", message: str = "") -> dict[str, Any]:
    counts = {name: sum(one == name.capitalize() for one in measurements) for name in ("successful", "failed", "error")}
    listed = [{"phase": one, "value": f"[{at}]"} for at, one in enumerate(measurements)][-kept:]
    result = {"name": "rate", "phase": phase, "measurements": listed, **counts}
    return {
        "metadata": {"name": "api-6c9f-2-1", "labels": {"rollout-type": label}},
        "status": {"phase": phase, "message": message, "metricResults": [result]},
    }


def test_a_finished_measurement_is_written_once_and_before_the_phase_it_brings() -> None:
    before = run("Running", "Successful")
    after = run("Failed", "Successful", "Failed", message="rate failed")
    assert run_rows(before, after, 7.5, "eu") == (
        MeasurementRecord(7.5, "eu", "api-6c9f-2-1", "rate", "Failed", "[1]", ""),
        AnalysisRecord(7.5, "eu", "api-6c9f-2-1", "step", "Failed", "rate failed"),
    )
    assert run_rows(after, after, 8.0, "eu") == ()


def test_measurements_are_counted_because_only_the_last_ones_are_kept() -> None:
    many = ["Successful"] * 12
    before, after = run("Running", *many), run("Running", *many, "Error", "Successful")
    assert [one["value"] for _, one in finished(before, after)] == ["[12]", "[13]"]


@pytest.mark.parametrize(("label", "role"), [("Background", "background"), ("", "experiment")])
def test_the_role_is_in_a_label(label: str, role: str) -> None:
    (row,) = run_rows(None, run("Running", label=label), 1.0, "")
    assert isinstance(row, AnalysisRecord)
    assert row.role == role


def test_a_run_that_waits_is_no_news() -> None:
    assert run_rows(None, {"metadata": {"name": "r"}}, 1.0, "") == ()
    assert run_rows(None, run("Pending"), 1.0, "") == ()


def test_commands_patch_what_the_plugin_patches() -> None:
    paused = status_of(PAUSED, AT)
    assert argo_commands.status_patch(paused, operations.promote(SPEC, paused)) == {"status": {"pauseConditions": None}}
    moving = RolloutStatus(current_step_index=0)
    patch = {"status": {"pauseConditions": None, "currentStepIndex": 1}}
    assert argo_commands.status_patch(moving, operations.promote(SPEC, moving)) == patch
    done = RolloutStatus(current_step_index=2)
    assert argo_commands.status_patch(done, operations.promote(SPEC, done)) == {}
    aborted = RolloutStatus(abort=True, current_pod_hash="b", stable_rs="a")
    assert argo_commands.status_patch(aborted, operations.retry(aborted)) == {"status": {"abort": False}}
    assert argo_commands.status_patch(aborted, operations.promote_full(aborted)) == {"status": {"promoteFull": True}}


def test_edits_of_the_object() -> None:
    assert argo_commands.spec_patch(SPEC, SPEC, AT) == {}
    assert argo_commands.spec_patch(SPEC, operations.pause(SPEC), AT) == {"spec": {"paused": True}}
    assert argo_commands.spec_patch(SPEC, replace(SPEC, replicas=7), AT) == {"spec": {"replicas": 7}}
    restarted = argo_commands.spec_patch(SPEC, operations.restart(SPEC, 12.7), AT)
    assert restarted == {"spec": {"restartAt": "2026-11-30T05:00:12.000000Z"}}


def test_undo_puts_the_template_back_without_the_controllers_label() -> None:
    labels = {"app": "api", "rollouts-pod-template-hash": "58dd"}
    held = {"spec": {"template": {"metadata": {"labels": labels}, "spec": {"containers": []}}}}
    assert argo_commands.template_of(held) == {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": []}}


def test_a_template_becomes_another_one() -> None:
    before = {
        "metadata": {"labels": {"app": "api", "old": "1"}},
        "spec": {"containers": [{"name": "a"}], "nodeName": "n"},
    }
    after = {
        "metadata": {"labels": {"app": "api", "new": "2"}},
        "spec": {"containers": [{"name": "b"}], "nodeName": "n"},
    }
    assert argo_commands.difference(before, after) == {
        "metadata": {"labels": {"old": None, "new": "2"}},
        "spec": {"containers": [{"name": "b"}]},
    }
