"""What ``kubectl argo rollouts`` patches, and how a template becomes another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from harness.cluster.objects import Object
from sim.model.rollout import RolloutStatus

ABORT: Final[Object] = {"status": {"abort": True}}
RETRY: Final[Object] = {"status": {"abort": False}}
UNPAUSE: Final[Object] = {"spec": {"paused": False}}
"""The half of ``promote`` that concerns the spec; the others are patches of the status subresource."""
PROMOTE_FULL: Final[Object] = {"status": {"promoteFull": True}}


def promote(before: RolloutStatus, after: RolloutStatus) -> Object:
    """The patch of the status that makes ``before`` what ``sim.decide.operations.promote`` says; empty for none."""
    status: Object = {}
    if after.pause_conditions != before.pause_conditions:
        status["pauseConditions"] = None
    if after.controller_pause != before.controller_pause:
        status["controllerPause"] = False
    if after.current_step_index != before.current_step_index:
        status["currentStepIndex"] = after.current_step_index
        # The plugin clears what there may be, so that a pause it did not see does not outlive the step.
        status["pauseConditions"] = None
    return {"status": status} if status else {}


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
