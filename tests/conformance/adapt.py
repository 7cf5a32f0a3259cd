"""Partial Kubernetes objects of the vectors as values of ``sim.model``: translation only, no rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sim.decide.releases import known_to
from sim.decide.steps import step_hash
from sim.model.analysis import AnalysisPhase, AnalysisRef, TemplateRef
from sim.model.controller import NEWEST, Controller
from sim.model.rollout import (
    BlueGreenStatus,
    BlueGreenStrategy,
    CanaryScale,
    CanaryStep,
    CanaryStrategy,
    Condition,
    Experiment,
    ExperimentTemplate,
    ExperimentTemplateView,
    HeaderMatch,
    HeaderRoute,
    MirrorRoute,
    Observed,
    Pause,
    PauseCondition,
    PauseReason,
    ReplicaSetView,
    RolloutSpec,
    RolloutStatus,
    RunRole,
    RunStatusRef,
    RunView,
    Threshold,
    TrafficRouting,
    TrafficWeights,
    WeightDestination,
)
from sim.model.units import IntOrPercent

Json = Mapping[str, Any]

HASH = "rollouts-pod-template-hash"
REVISION = "rollout.argoproj.io/revision"
DESIRED = "rollout.argoproj.io/desired-replicas"
DEADLINE = "scale-down-deadline"
EXPERIMENT = "experiment.argoproj.io/name"
NOW_S = datetime.fromisoformat("2030-01-01T01:00:00+00:00").timestamp()
NEVER_SCALED = -1
"""Stands for a missing desired-replicas annotation, which upstream counts as not saturated."""


def release(given: Json) -> Controller:
    """The release that a vector is asked of."""
    return Controller.parse(given.get("controller", NEWEST))


def instant(raw: str | None, now_s: float = NOW_S) -> float:
    """An RFC 3339 time, ``now`` or ``10 s ago`` in seconds; a missing one is now."""
    if raw is None or raw == "now":
        return now_s
    ago = re.fullmatch(r"(\d+) s ago", raw)
    return now_s - float(ago[1]) if ago else datetime.fromisoformat(raw).timestamp()


def section(obj: Json | None, *path: str) -> Json:
    """The object at this path; empty where anything on the way is missing or null."""
    for key in path:
        obj = (obj or {}).get(key)
    return obj or {}


def fencepost(raw: int | str | None) -> IntOrPercent | None:
    return None if raw is None else IntOrPercent.parse(raw)


def analysis_ref(obj: Json | None) -> AnalysisRef | None:
    if obj is None:
        return None
    templates = tuple(TemplateRef(t["templateName"]) for t in obj.get("templates") or ())
    return AnalysisRef(templates, starting_step=obj.get("startingStep"))


def step(obj: Json) -> CanaryStep:
    scale = obj.get("setCanaryScale")
    pause, mirror = obj.get("pause"), obj.get("setMirrorRoute")
    return CanaryStep(
        set_weight=obj.get("setWeight"),
        pause=None if pause is None else Pause(pause.get("duration")),
        analysis=analysis_ref(obj.get("analysis")),
        experiment=_experiment(obj.get("experiment")),
        set_canary_scale=None
        if scale is None
        else CanaryScale(scale.get("replicas"), scale.get("weight"), scale.get("matchTrafficWeight", False)),
        set_header_route=_header_route(obj.get("setHeaderRoute")),
        set_mirror_route=None if mirror is None else MirrorRoute(mirror["name"], mirror.get("percentage")),
        plugin=section(obj, "plugin").get("name"),
    )


def _experiment(obj: Json | None) -> Experiment | None:
    if obj is None:
        return None
    return Experiment(
        tuple(
            ExperimentTemplate(t["name"], t.get("specRef", "canary"), t.get("replicas"), t.get("weight"))
            for t in obj.get("templates") or ()
        )
    )


def _header_route(obj: Json | None) -> HeaderRoute | None:
    if obj is None:
        return None
    matches = (
        HeaderMatch(match["headerName"], how, value)
        for match in obj.get("match") or ()
        for how, value in match["headerValue"].items()
    )
    return HeaderRoute(obj["name"], tuple(matches))


def _routing(obj: Json | None) -> TrafficRouting | None:
    if obj is None:
        return None
    return TrafficRouting(tuple(k for k in obj if k != "maxTrafficWeight"), max_weight=obj.get("maxTrafficWeight"))


def _canary(obj: Json) -> CanaryStrategy:
    return CanaryStrategy(
        steps=tuple(step(s) for s in obj.get("steps") or ()),
        canary_service=obj.get("canaryService", ""),
        stable_service=obj.get("stableService", ""),
        traffic_routing=_routing(obj.get("trafficRouting")),
        max_surge=fencepost(obj.get("maxSurge")),
        max_unavailable=fencepost(obj.get("maxUnavailable")),
        analysis=analysis_ref(obj.get("analysis")),
        scale_down_delay_s=obj.get("scaleDownDelaySeconds"),
        scale_down_delay_revision_limit=obj.get("scaleDownDelayRevisionLimit"),
        abort_scale_down_delay_s=obj.get("abortScaleDownDelaySeconds"),
        dynamic_stable_scale=obj.get("dynamicStableScale", False),
        min_pods_per_replica_set=obj.get("minPodsPerReplicaSet"),
        replica_progress_threshold=threshold(obj.get("replicaProgressThreshold")),
    )


def _blue_green(obj: Json) -> BlueGreenStrategy:
    return BlueGreenStrategy(
        active_service=obj.get("activeService", ""),
        preview_service=obj.get("previewService", ""),
        preview_replica_count=obj.get("previewReplicaCount"),
        auto_promotion_enabled=obj.get("autoPromotionEnabled"),
        auto_promotion_s=obj.get("autoPromotionSeconds") or 0,
        scale_down_delay_s=obj.get("scaleDownDelaySeconds"),
        scale_down_delay_revision_limit=obj.get("scaleDownDelayRevisionLimit"),
        abort_scale_down_delay_s=obj.get("abortScaleDownDelaySeconds"),
        max_unavailable=fencepost(obj.get("maxUnavailable")),
        pre_promotion=analysis_ref(obj.get("prePromotionAnalysis")),
        post_promotion=analysis_ref(obj.get("postPromotionAnalysis")),
    )


def threshold(obj: Json | None) -> Threshold | None:
    return None if obj is None else Threshold(obj.get("type", ""), obj.get("value", 0))


def spec(rollout: Json) -> RolloutSpec:
    body = section(rollout, "spec")
    strategy = body.get("strategy") or {}
    canary, blue_green = strategy.get("canary"), strategy.get("blueGreen")
    return RolloutSpec(
        name=section(rollout, "metadata").get("name", "foo"),
        replicas=body.get("replicas"),
        canary=None if canary is None else _canary(canary),
        blue_green=None if blue_green is None else _blue_green(blue_green),
        paused=body.get("paused", False),
        progress_deadline_s=body.get("progressDeadlineSeconds"),
        progress_deadline_abort=body.get("progressDeadlineAbort", False),
        rollback_window_revisions=section(body, "rollbackWindow").get("revisions"),
    )


def _destination(obj: Json) -> WeightDestination:
    return WeightDestination(obj.get("weight", 0), obj.get("podTemplateHash", ""), obj.get("serviceName", ""))


def weights(obj: Json | None) -> TrafficWeights | None:
    if obj is None:
        return None
    more = tuple(_destination(d) for d in obj.get("additional") or ())
    return TrafficWeights(_destination(section(obj, "canary")), _destination(section(obj, "stable")), more)


def _condition(obj: Json, now_s: float) -> Condition:
    return Condition(
        obj["type"],
        status=obj.get("status") == "True",
        reason=obj.get("reason", ""),
        message=obj.get("message", ""),
        last_update_s=instant(obj.get("lastUpdateTime"), now_s),
    )


def status(obj: Json, now_s: float = NOW_S) -> RolloutStatus:
    """A Rollout's ``status``."""
    colours, aborted_at = section(obj, "blueGreen"), obj.get("abortedAt")
    return RolloutStatus(
        current_pod_hash=obj.get("currentPodHash", ""),
        stable_rs=obj.get("stableRS", ""),
        current_step_index=obj.get("currentStepIndex"),
        current_step_hash=obj.get("currentStepHash", ""),
        abort=obj.get("abort", False),
        aborted_at_s=None if aborted_at is None else instant(aborted_at, now_s),
        promote_full=obj.get("promoteFull", False),
        controller_pause=obj.get("controllerPause", False),
        pause_conditions=tuple(
            PauseCondition(PauseReason(c["reason"]), instant(c.get("startTime"), now_s))
            for c in obj.get("pauseConditions") or ()
        ),
        weights=weights(section(obj, "canary").get("weights")),
        blue_green=BlueGreenStatus(
            colours.get("activeSelector", ""),
            colours.get("previewSelector", ""),
            colours.get("scaleUpPreviewCheckPoint", False),
        ),
        conditions=tuple(_condition(c, now_s) for c in obj.get("conditions") or ()),
        replicas=obj.get("replicas", 0),
        updated=obj.get("updatedReplicas", 0),
        ready=obj.get("readyReplicas", 0),
        available=obj.get("availableReplicas", 0),
    )


def replica_set(obj: Json | None, revision: int = 0) -> ReplicaSetView | None:
    """A ReplicaSet; without ``spec.replicas`` it wants one pod, as the API server would fill in."""
    if obj is None:
        return None
    meta, counts = section(obj, "metadata"), section(obj, "status")
    notes = section(meta, "annotations")
    desired = section(obj, "spec").get("replicas")
    created = meta.get("creationTimestamp")
    deadline = next((value for key, value in notes.items() if key.endswith(DEADLINE)), None)
    return ReplicaSetView(
        name=meta.get("name", ""),
        hash=section(meta, "labels").get(HASH, ""),
        desired=1 if desired is None else desired,
        replicas=counts.get("replicas", 0),
        ready=counts.get("readyReplicas", 0),
        available=counts.get("availableReplicas", 0),
        created_s=0.0 if created is None else instant(created),
        revision=int(notes.get(REVISION, revision)),
        scale_down_deadline_s=None if deadline is None else instant(deadline),
        desired_annotation=int(notes.get(DESIRED, NEVER_SCALED)),
        experiment=EXPERIMENT in notes,
    )


def run(obj: Json | None, role: RunRole, index: int | None = None) -> RunView | None:
    """An AnalysisRun; one without a phase has just been created."""
    if obj is None:
        return None
    body = section(obj, "status")
    phase = AnalysisPhase(body.get("phase") or "Pending")
    return RunView(section(obj, "metadata").get("name", "run"), role, phase, body.get("message", ""), index)


def reference(view: RunView | None) -> RunStatusRef | None:
    return None if view is None else RunStatusRef(view.name, view.phase, view.message)


def observed(given: Json) -> tuple[RolloutSpec, Observed]:
    """Spec and observation of a vector that has a rollout and, where given, its ReplicaSets, runs and experiment."""
    now_s = instant(given.get("now"))
    rollout = given.get("rollout") or {}
    made = known_to(release(given), spec(rollout))
    state = status(section(rollout, "status"), now_s)
    revision = int(section(rollout, "metadata", "annotations").get(REVISION, 0))
    new = replica_set(given.get("newRS"), revision)
    index = state.current_step_index or 0
    step_run = run(given.get("stepAnalysisRun"), RunRole.STEP, index)
    background = run(given.get("backgroundAnalysisRun"), RunRole.BACKGROUND)
    before = run(given.get("prePromotionRun"), RunRole.PRE_PROMOTION)
    after = run(given.get("postPromotionRun"), RunRole.POST_PROMOTION)
    experiment = run(given.get("experiment"), RunRole.STEP, index)
    colours = replace(state.blue_green, pre_promotion=reference(before), post_promotion=reference(after))
    state = replace(
        state,
        current_step_hash=state.current_step_hash or step_hash(made),
        step_run=reference(step_run),
        background_run=reference(background),
        blue_green=colours,
        experiment=reference(experiment),
    )
    return made, Observed(
        now_s=now_s,
        status=state,
        template_hash=new.hash if new else "",
        new_rs=new,
        stable_rs=replica_set(given.get("stableRS")),
        other_rss=tuple(rs for obj in given.get("otherRSs") or () if (rs := replica_set(obj)) is not None),
        runs=tuple(view for view in (step_run, background, before, after) if view is not None),
        experiment=experiment,
        experiment_templates=_experiment_templates(given.get("experiment")),
        controller=release(given),
        weight_verified=section(given, "newStatus", "canary", "weights").get("verified") is not False,
    )


def _experiment_templates(obj: Json | None) -> tuple[ExperimentTemplateView, ...]:
    return tuple(
        ExperimentTemplateView(t["name"], t.get("serviceName", ""), t.get("podTemplateHash", ""))
        for t in section(obj, "status").get("templateStatuses") or ()
    )
