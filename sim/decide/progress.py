"""What a changed status tells: which steps began and ended, and whether another reconcile may decide something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim.decide.steps import plan_text, steps_of
from sim.model.changing import replace
from sim.model.records import PhaseRecord, Record, StepRecord
from sim.model.rollout import RolloutPhase, RolloutSpec, RolloutStatus

FLAPS: Final = 20
"""Reconciles in a row that changed nothing but conditions: the next of them comes with the next news.

Releases before 1.8 write two conditions in turn, for ever, while a promoted rollout is paused by hand. Nothing follows from
it, and no sound sequence is half as long.
"""
CREATE_RETRY_S: Final = 10.0
"""Cap of the work queue's error back-off: how often a run that cannot be created is tried again."""
LIVELOCK: Final = 1000
"""Reconciles in a row that each changed something; a real fixpoint takes tens, besides those of its steps."""
LIVELOCK_PER_STEP: Final = 10
"""More of them for each step of the plan: without pauses one step follows the other."""


class StatusRows:
    """Journal rows of each status that is stored; remembers the step under way from one to the next."""

    def __init__(self, spec: RolloutSpec) -> None:
        self._spec = spec
        """As written at first: that is how its steps are told of."""
        self._opened: int | None = None

    def rows(self, before: RolloutStatus, after: RolloutStatus, t_s: float, region: str) -> Iterator[Record]:
        """The phase where it or its message changed, then steps that ended and began."""
        if (before.phase, before.message) != (after.phase, after.message):
            yield PhaseRecord(t_s, region, after.phase.value, after.message)
        self._opened, changes = _moved(self._spec, self._opened, before, after)
        for index, step, state in changes:
            yield StepRecord(t_s, region, index, step, state)


def _moved(
    spec: RolloutSpec, opened: int | None, before: RolloutStatus, after: RolloutStatus
) -> tuple[int | None, tuple[tuple[int, str, str], ...]]:
    """(the step under way, what began or ended) after a stored status; ``opened`` is the one under way before.

    A reset starts step 0 over, an abort starts nothing.
    """
    steps, index = steps_of(spec), after.current_step_index
    if not steps:
        return None, ()
    if after.abort or index is None:
        return None, ()
    if after.current_pod_hash != before.current_pod_hash or (before.abort and not after.abort):
        opened = None
    elif index == before.current_step_index:
        return opened, ()
    changes = []
    if opened is not None and index == opened + 1:
        changes.append((opened, plan_text(steps[opened]), "completed"))
    if index >= len(steps):
        return None, tuple(changes)
    return index, (*changes, (index, plan_text(steps[index]), "started"))


def goes_on(spec: RolloutSpec, before: RolloutStatus, after: RolloutStatus, flaps: int) -> tuple[bool, int]:
    """(whether another reconcile may decide something after one that only left this status, flaps in a row by now)."""
    if after == before:
        return False, flaps
    if _bare(after) != _bare(before):
        return True, 0
    if _counts(after) != _counts(before) and not (spec.paused or after.pause_conditions):
        # No decision reads these counts back, and the conditions that follow from them follow at once.
        return False, flaps
    return flaps + 1 < FLAPS, flaps + 1


def livelock(spec: RolloutSpec) -> int:
    """Reconciles in a row that each change something before that is called a bug."""
    return LIVELOCK + LIVELOCK_PER_STEP * len(steps_of(spec))


def _bare(status: RolloutStatus) -> RolloutStatus:
    """The status without what only tells of it."""
    told = {"conditions": (), "phase": RolloutPhase.PROGRESSING, "message": "", "observed_generation": 0}
    return replace(status, **told, replicas=0, updated=0, ready=0, available=0)


def _counts(status: RolloutStatus) -> tuple[int, int, int, int]:
    return status.replicas, status.updated, status.ready, status.available
