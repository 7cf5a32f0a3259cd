"""What is written of each status that a controller stores."""

from __future__ import annotations

from sim.decide.progress import StatusRows
from sim.model.records import PhaseRecord, StepRecord
from sim.model.rollout import CanaryStep, CanaryStrategy, Pause, RolloutPhase, RolloutSpec, RolloutStatus

SPEC = RolloutSpec("api", canary=CanaryStrategy(steps=(CanaryStep(set_weight=5), CanaryStep(pause=Pause("2m")))))


def test_phases_are_written_when_they_change() -> None:
    told, before = StatusRows(SPEC), RolloutStatus()
    after = RolloutStatus(phase=RolloutPhase.PAUSED, message="CanaryPauseStep")
    assert list(told.rows(before, after, 3.0, "")) == [PhaseRecord(3.0, "", "Paused", "CanaryPauseStep")]
    assert list(told.rows(after, after, 4.0, "")) == []


def test_steps_begin_and_end_as_the_index_moves() -> None:
    told, stable = StatusRows(SPEC), RolloutStatus(current_pod_hash="58dd", stable_rs="58dd", current_step_index=2)
    started = RolloutStatus(current_pod_hash="6c9f", stable_rs="58dd", current_step_index=0)
    moved = RolloutStatus(current_pod_hash="6c9f", stable_rs="58dd", current_step_index=1)
    rows = [
        list(told.rows(before, after, 0.0, "eu"))
        for before, after in ((stable, started), (started, moved), (moved, moved))
    ]
    assert rows == [
        [StepRecord(0.0, "eu", 0, "setWeight 5", "started")],
        [StepRecord(0.0, "eu", 0, "setWeight 5", "completed"), StepRecord(0.0, "eu", 1, "pause 2m", "started")],
        [],
    ]
