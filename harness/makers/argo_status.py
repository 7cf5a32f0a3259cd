"""A Rollout's status as Argo Rollouts writes it, in the twin's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.cluster.objects import Object
from harness.makers.observe import unix_s
from sim.model.analysis import AnalysisPhase
from sim.model.rollout import (
    BlueGreenStatus,
    Condition,
    PauseCondition,
    PauseReason,
    RolloutPhase,
    RolloutStatus,
    RunStatusRef,
    TrafficWeights,
    WeightDestination,
)

Written = Mapping[str, Any]


def status_of(rollout: Object, applied_at: float) -> RolloutStatus:
    """The status; times (whole seconds, as the API keeps them) are relative to ``applied_at``, UNIX time."""
    written: Written = rollout.get("status") or {}
    canary: Written = written.get("canary") or {}
    return RolloutStatus(
        phase=RolloutPhase(written.get("phase") or RolloutPhase.PROGRESSING),
        message=written.get("message", ""),
        current_pod_hash=written.get("currentPodHash", ""),
        stable_rs=written.get("stableRS", ""),
        current_step_index=written.get("currentStepIndex"),
        current_step_hash=written.get("currentStepHash", ""),
        abort=written.get("abort", False),
        aborted_at_s=_time(written, "abortedAt", applied_at),
        promote_full=written.get("promoteFull", False),
        controller_pause=written.get("controllerPause", False),
        pause_conditions=tuple(_pause(one, applied_at) for one in written.get("pauseConditions") or ()),
        weights=_weights(canary.get("weights")),
        step_run=_run(canary.get("currentStepAnalysisRunStatus")),
        background_run=_run(canary.get("currentBackgroundAnalysisRunStatus")),
        blue_green=_blue_green(written.get("blueGreen") or {}),
        conditions=tuple(_condition(one, applied_at) for one in written.get("conditions") or ()),
        stable_ping_pong=canary.get("stablePingPong", ""),
        restarted_at_s=_time(written, "restartedAt", applied_at),
        observed_generation=observed(rollout),
        replicas=written.get("HPAReplicas", written.get("replicas", 0)),
        updated=written.get("updatedReplicas", 0),
        ready=written.get("readyReplicas", 0),
        available=written.get("availableReplicas", 0),
    )


def observed(rollout: Object) -> int:
    """Generation of the spec that the status belongs to; 0 before the controller looked."""
    written = str((rollout.get("status") or {}).get("observedGeneration", "") or "0")
    return int(written) if written.isdigit() else 0


def _time(written: Written, key: str, applied_at: float) -> float | None:
    text = written.get(key)
    return None if not text else unix_s(text) - applied_at


def _pause(written: Written, applied_at: float) -> PauseCondition:
    return PauseCondition(PauseReason(written["reason"]), unix_s(written["startTime"]) - applied_at)


def _condition(written: Written, applied_at: float) -> Condition:
    return Condition(
        written["type"],
        written.get("status") == "True",
        written.get("reason", ""),
        written.get("message", ""),
        _time(written, "lastUpdateTime", applied_at) or 0.0,
    )


def _run(written: Written | None) -> RunStatusRef | None:
    if not written:
        return None
    phase = AnalysisPhase(written.get("status") or AnalysisPhase.PENDING)
    return RunStatusRef(written.get("name", ""), phase, written.get("message", ""))


def _weights(written: Written | None) -> TrafficWeights | None:
    if not written:
        return None
    additional = tuple(_destination(one) for one in written.get("additional") or ())
    return TrafficWeights(_destination(written["canary"]), _destination(written["stable"]), additional)


def _destination(written: Written) -> WeightDestination:
    return WeightDestination(
        written.get("weight", 0), written.get("podTemplateHash", ""), written.get("serviceName", "")
    )


def _blue_green(written: Written) -> BlueGreenStatus:
    return BlueGreenStatus(
        written.get("activeSelector", ""),
        written.get("previewSelector", ""),
        written.get("scaleUpPreviewCheckPoint", False),
        _run(written.get("prePromotionAnalysisRunStatus")),
        _run(written.get("postPromotionAnalysisRunStatus")),
    )
