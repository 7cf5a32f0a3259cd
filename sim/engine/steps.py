"""Journal rows of canary steps, read off the changes of the status."""

from __future__ import annotations

from sim.decide.steps import plan_text
from sim.engine.journal import Journal
from sim.model.rollout import RolloutSpec, RolloutStatus


class StepLog:
    """Writes ``started`` and ``completed`` as the step index moves; a reset starts step 0 over, an abort starts nothing."""

    def __init__(self, journal: Journal, spec: RolloutSpec) -> None:
        self._journal = journal
        self._texts = [plan_text(step) for step in spec.canary.steps] if spec.canary else []
        self._open: int | None = None

    def changed(self, before: RolloutStatus, after: RolloutStatus) -> None:
        """Called with every stored status."""
        if not self._texts:
            return
        index = after.current_step_index
        if after.abort or index is None:
            self._open = None
            return
        restarted = after.current_pod_hash != before.current_pod_hash or (before.abort and not after.abort)
        if restarted:
            self._open = None
        elif index == before.current_step_index:
            return
        if self._open is not None and index == self._open + 1:
            self._journal.step(self._open, self._texts[self._open], "completed")
        self._open = index if index < len(self._texts) else None
        if self._open is not None:
            self._journal.step(index, self._texts[index], "started")
