"""Pauses and aborts: when one ends, who must end it, and how a reconcile's wishes become status fields."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sim.decide.steps import current_step
from sim.model.changing import replace
from sim.model.controller import Controller
from sim.model.rollout import Pause, PauseCondition, PauseReason, RolloutSpec, RolloutStatus
from sim.model.units import go_duration_s


def pause_seconds(pause: Pause) -> int:
    """Whole seconds of a pause: 0 when open-ended, -1 when the duration cannot be read (makes the spec invalid).

    An int or a string of digits is seconds, anything else a Go duration cut to whole seconds
    (``pkg/apis/rollouts/v1alpha1/types.go:863``).
    """
    raw = pause.duration
    if raw is None:
        return 0
    if isinstance(raw, int):
        return raw
    if re.fullmatch(r"[+-]?\d+", raw):
        return int(raw)
    try:
        return int(go_duration_s(raw))
    except ValueError:
        return -1


def condition_for(status: RolloutStatus, reason: PauseReason) -> PauseCondition | None:
    """The pause condition with this reason, or None."""
    return next((c for c in status.pause_conditions if c.reason == reason), None)


def was_resumed(status: RolloutStatus, reason: PauseReason) -> bool:
    """Whether somebody cleared a pause of this reason that the controller has not reacted to yet."""
    return status.controller_pause and condition_for(status, reason) is None


def halt_reason(spec: RolloutSpec, status: RolloutStatus) -> str:
    """Why ReplicaSets and steps stand still; '' if they do not (``rollout/context.go:150``)."""
    if spec.paused:
        return "user paused"
    return "inconclusive analysis" if condition_for(status, PauseReason.INCONCLUSIVE_ANALYSIS) else ""


def canary_pause_done(status: RolloutStatus, pause: Pause, now_s: float) -> bool:
    """Whether a pause step is over: resumed by a person, or its duration strictly passed."""
    condition = condition_for(status, PauseReason.CANARY_STEP)
    if condition is None:
        return status.controller_pause
    return pause.duration is not None and now_s > condition.start_s + pause_seconds(pause)


def blue_green_pause_done(spec: RolloutSpec, status: RolloutStatus, now_s: float, *, just_paused: bool = False) -> bool:
    """Whether the pause before the active switch is over (or never needed).

    With ``autoPromotionEnabled: false`` autoPromotionSeconds means nothing: only a person ends it
    (``rollout/pause.go:168-192``).
    """
    strategy = spec.blue_green
    if just_paused or strategy is None:
        return False
    if status.blue_green.scale_up_preview_checkpoint:
        return True
    if strategy.auto_promotion_enabled is False:
        return was_resumed(status, PauseReason.BLUE_GREEN)
    if strategy.auto_promotion_s == 0:
        return True
    condition = condition_for(status, PauseReason.BLUE_GREEN)
    return condition is not None and now_s > condition.start_s + strategy.auto_promotion_s


def needs_person(spec: RolloutSpec, status: RolloutStatus, reason: PauseReason) -> bool:
    """Whether a pause with this reason only ends by hand."""
    if reason in {PauseReason.INCONCLUSIVE_ANALYSIS, PauseReason.INCONCLUSIVE_EXPERIMENT}:
        return True
    if reason is PauseReason.BLUE_GREEN:
        return spec.blue_green is not None and spec.blue_green.auto_promotion_enabled is False
    step = current_step(spec, status)
    return step is not None and step.pause is not None and step.pause.duration is None


def waits_for_person(spec: RolloutSpec, status: RolloutStatus) -> PauseCondition | None:
    """The pause that only a person ends, if the rollout is in one."""
    return next((c for c in status.pause_conditions if needs_person(spec, status, c.reason)), None)


@dataclass(slots=True)
class PauseChanges:
    """What one reconcile wants of pauses and abort, gathered until its status is written (``rollout/pause.go:20-140``)."""

    added: list[PauseReason] = field(default_factory=list)
    removed: set[PauseReason] = field(default_factory=set)
    clears: bool = False
    aborts: bool = False
    lifts_abort: bool = False
    abort_message: str = ""

    def abort(self, message: str) -> None:
        """Abort with the reason people will read."""
        self.aborts, self.abort_message = True, message

    def start_over(self) -> None:
        """Drop every pause and the abort."""
        self.clears = self.lifts_abort = True

    def is_aborted(self, before: RolloutStatus) -> bool:
        """Whether the rollout counts as aborted for the rest of this reconcile."""
        return not self.lifts_abort and (self.aborts or before.abort)

    def apply(self, before: RolloutStatus, after: RolloutStatus, now_s: float) -> RolloutStatus:
        """``after`` with its abort and pause fields: an abort ends every pause, and keeps its first timestamp."""
        if self.aborts or (before.abort and not self.lifts_abort):
            at_s = now_s if before.aborted_at_s is None else before.aborted_at_s
            return replace(after, abort=True, aborted_at_s=at_s, controller_pause=False, pause_conditions=())
        controller, conditions = (False, ()) if self.clears else self._paused(before, now_s)
        return replace(after, abort=False, aborted_at_s=None, controller_pause=controller, pause_conditions=conditions)

    def _paused(self, before: RolloutStatus, now_s: float) -> tuple[bool, tuple[PauseCondition, ...]]:
        """(controllerPause, pause conditions): a resumed pause is forgotten unless another one remains."""
        known = {c.reason for c in before.pause_conditions}
        fresh = [PauseCondition(reason, now_s) for reason in dict.fromkeys(self.added) if reason not in known]
        kept = [c for c in before.pause_conditions if c.reason not in self.removed]
        return bool(fresh) or (before.controller_pause and bool(kept)), (*kept, *fresh)


def verdict_text(what: str, message: str, controller: Controller) -> str:
    """Why an analysis or experiment aborts: since 1.9 what it was, and its own message."""
    if not controller.is_since(Controller.ARGO_1_9):
        return message
    return f"{what}: {message}" if message else what
