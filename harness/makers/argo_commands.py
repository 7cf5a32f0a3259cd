"""What ``kubectl argo rollouts`` patches, and how a template becomes another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from harness.cluster.objects import Object
from harness.makers.observe import rfc3339
from sim.decide.istio.rewriting import HASH_LABEL
from sim.model.rollout import RolloutSpec, RolloutStatus

ABORT: Final[Object] = {"status": {"abort": True}}
TERMINATE: Final[Object] = {"spec": {"terminate": True}}
"""Of an analysis run."""


def status_patch(before: RolloutStatus, after: RolloutStatus) -> Object:
    """The patch of the status subresource for what ``sim.decide.operations`` says of a person's command; empty for none."""
    status: Object = {}
    if after.pause_conditions != before.pause_conditions:
        status["pauseConditions"] = None
    if after.controller_pause != before.controller_pause:
        status["controllerPause"] = False
    if after.current_step_index != before.current_step_index:
        # The plugin clears the pauses there may be, so that one it did not see does not outlive the step.
        status |= {"pauseConditions": None, "currentStepIndex": after.current_step_index}
    if after.abort != before.abort:
        status["abort"] = after.abort
    if after.promote_full != before.promote_full:
        status["promoteFull"] = after.promote_full
    return {"status": status} if status else {}


def spec_patch(before: RolloutSpec, after: RolloutSpec, applied_at: float) -> Object:
    """The patch of the object for the same; ``applied_at`` is the UNIX time of the run's second 0."""
    spec: Object = {}
    if after.paused != before.paused:
        spec["paused"] = after.paused
    if after.replicas != before.replicas:
        spec["replicas"] = after.desired
    if after.restart_at_s != before.restart_at_s and after.restart_at_s is not None:
        # The API keeps whole seconds.
        spec["restartAt"] = rfc3339(float(int(applied_at + after.restart_at_s)))
    return {"spec": spec} if spec else {}


def template_of(replica_set: Object) -> Object:
    """The template that ``undo`` puts back: without the label that the controller added."""
    template: Object = replica_set["spec"]["template"]
    metadata = template.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {**metadata, "labels": labels}}


def difference(before: Any, after: Any) -> Any:
    """The merge patch that makes ``before`` into ``after``: what is gone is None, a list is replaced as a whole."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return after
    gone = {key: None for key in before if key not in after}
    changed = {
        key: difference(before.get(key), value)
        for key, value in after.items()
        if key not in before or before[key] != value
    }
    return {**gone, **changed}
