"""Journal rows of canary steps, read off the changes of the status."""

from __future__ import annotations

from sim.decide.progress import steps_moved
from sim.engine.journal import Journal
from sim.model.rollout import RolloutSpec, RolloutStatus


class StepLog:
    """Writes ``started`` and ``completed`` as the step index moves."""

    def __init__(self, journal: Journal, spec: RolloutSpec) -> None:
        self._journal = journal
        self._spec = spec
        self._open: int | None = None

    def changed(self, before: RolloutStatus, after: RolloutStatus) -> None:
        """Called with every stored status."""
        self._open, changes = steps_moved(self._spec, self._open, before, after)
        for one in changes:
            self._journal.step(one.index, one.step, one.state)
