"""People who do to a Rollout what the scenario says, when it says so (commands: behaviour reference 11.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from sim.decide import operations
from sim.engine.argo import ArgoDriver
from sim.engine.clock import Rank
from sim.engine.ground import Ground
from sim.model.operations import Command, Operation
from sim.model.rollout import RolloutSpec, RolloutStatus
from sim.model.units import duration_text


class Operator:
    """Carries out the scenario's operations on one Rollout, each with a decision in the journal."""

    def __init__(self, ground: Ground, driver: ArgoDriver) -> None:
        self._ground = ground
        self._driver = driver
        self._controller = driver.controller
        self._left = len(ground.scenario.operations)
        self.last_s = max((one.at_s for one in ground.scenario.operations), default=0.0)
        """When the last of them is done."""
        for operation in ground.scenario.operations:
            ground.clock.call_at(operation.at_s, Rank.CONTROLLER, partial(self._do, operation))

    @property
    def is_due(self) -> bool:
        """Whether something is still to be done."""
        return self._left > 0

    def _do(self, operation: Operation) -> None:
        """A command that has no effect is told as such."""
        self._left -= 1
        commands: dict[Command, Callable[[Operation], str]] = {
            Command.PROMOTE: self._promote,
            Command.PROMOTE_FULL: self._promote_full,
            Command.ABORT: self._abort,
            Command.RETRY: self._retry,
            Command.PAUSE: self._pause,
            Command.RESUME: self._resume,
            Command.UNDO: self._undo,
            Command.RESTART: self._restart,
            Command.APPLY: self._apply,
            Command.SCALE: self._scale,
            Command.TERMINATE: self._terminate,
        }
        failure = commands[operation.do](operation)
        if failure:
            self._note("nothing", f"{operation.do}: {failure}")

    @property
    def _spec(self) -> RolloutSpec:
        return self._controller.spec

    @property
    def _status(self) -> RolloutStatus:
        return self._controller.status

    @property
    def _is_promoted(self) -> bool:
        """Whether the template that is applied is the stable one."""
        return self._controller.template_hash == self._status.stable_rs

    def _note(self, decision: str, reason: str) -> None:
        self._ground.journal.decision("person", decision, reason)

    def _promote(self, operation: Operation) -> str:
        after = operations.promote(self._spec, self._status)
        if after == self._status and not self._spec.paused:
            return "nothing waits and no step is left"
        skips = after.current_step_index != self._status.current_step_index
        self._note("skip" if skips else "resume", _planned(operation))
        return self._change(operations.resume(self._spec), after)

    def _promote_full(self, operation: Operation) -> str:
        after = operations.promote_full(self._status)
        if after == self._status and not self._spec.paused:
            return "the release is stable already"
        self._note("promote-full", _planned(operation))
        if self._status.abort:
            self._driver.reopen()
        return self._change(operations.resume(self._spec), after)

    def _abort(self, operation: Operation) -> str:
        if self._is_promoted:
            return "the release is stable already"
        if self._status.abort:
            return "it is aborted already"
        self._driver.abort(_planned(operation))
        return ""

    def _retry(self, operation: Operation) -> str:
        if not self._status.abort:
            return "nothing is aborted"
        self._note("retry", _planned(operation))
        self._driver.reopen()
        return self._change(self._spec, operations.retry(self._status))

    def _pause(self, operation: Operation) -> str:
        if self._spec.paused:
            return "it is paused already"
        self._note("pause", _planned(operation))
        return self._change(operations.pause(self._spec), self._status)

    def _resume(self, operation: Operation) -> str:
        after = operations.end_pauses(self._status)
        if after == self._status and not self._spec.paused:
            return "nothing is paused"
        self._note("resume", _planned(operation))
        return self._change(operations.resume(self._spec), after)

    def _undo(self, operation: Operation) -> str:
        revision = self._controller.revision(operation.revision)
        if revision is None:
            wanted = "no older revision" if operation.revision is None else f"no revision {operation.revision}"
            return f"{wanted} in the history"
        if revision.hash == self._controller.template_hash:
            return "that revision's template is applied already"
        self._driver.return_to(revision, _planned(operation))
        return ""

    def _restart(self, operation: Operation) -> str:
        self._note("restart", _planned(operation))
        return self._change(operations.restart(self._spec, self._ground.clock.now), self._status)

    def _apply(self, operation: Operation) -> str:
        release = next(one for one in self._ground.scenario.mix if one.name == operation.release)
        if not self._driver.supersede(release):
            return "that release is applied already"
        return ""

    def _scale(self, operation: Operation) -> str:
        if operation.replicas == self._spec.desired:
            return f"it has {operation.replicas} replicas already"
        self._note("scale", f"{_planned(operation)}: {self._spec.desired} -> {operation.replicas} replicas")
        return self._change(replace(self._spec, replicas=operation.replicas), self._status)

    def _terminate(self, operation: Operation) -> str:
        names = self._controller.terminate(operation.analysis)
        if not names:
            return "no such analysis runs"
        self._note("terminate", f"{_planned(operation)}: {', '.join(names)}")
        return ""

    def _change(self, spec: RolloutSpec, status: RolloutStatus) -> str:
        self._controller.edit(spec)
        self._controller.operate(lambda _: status)
        return ""


def _planned(operation: Operation) -> str:
    return f"as planned at {duration_text(operation.at_s)}"
