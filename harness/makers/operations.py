"""People who do to a Rollout on a cluster what the scenario says, when it says so; the twin's rules say what comes of it."""

from __future__ import annotations

from typing import Protocol

from harness.recorder import Recorder
from sim.decide.commands import Change, End, Nothing, Return, Standing, Stop, Supersede, effect_of
from sim.model.operations import Operation
from sim.model.rollout import RunRole
from sim.model.scenario import Scenario


class Commanded(Protocol):
    """A maker of a Rollout, to which people can do more than a run needs of every maker."""

    @property
    def standing(self) -> Standing:
        """The Rollout as a person finds it now."""
        ...

    def change(self, change: Change) -> None:
        """A person changes spec and status."""
        ...

    def abort(self, reason: str) -> None:
        """A person aborts the update."""
        ...

    def return_to(self, pod_hash: str, reason: str) -> None:
        """A person puts the template of a revision back."""
        ...

    def terminate(self, role: RunRole | None) -> tuple[str, ...]:
        """A person asks the runs of a role (None: all) to end; the names of those that were going on."""
        ...


class Operations:
    """Carries out the scenario's operations through whoever decides, each with a decision in the journal."""

    def __init__(self, scenario: Scenario, recorder: Recorder, maker: Commanded) -> None:
        self._recorder = recorder
        self._maker = maker
        self._left = sorted(scenario.operations, key=lambda one: one.at_s)
        last_s = max((one.at_s for one in scenario.operations), default=None)
        self._until_s = None if last_s is None else last_s + scenario.tail_s

    def poll(self) -> None:
        """Does what is due."""
        while self._left and self._left[0].at_s <= self._recorder.t_s:
            self._do(self._left.pop(0))

    @property
    def busy(self) -> bool:
        """Whether somebody is yet to do something, or the tail after the last of it is not over."""
        return self._until_s is not None and self._recorder.t_s < self._until_s

    def _do(self, operation: Operation) -> None:
        match effect_of(operation, self._maker.standing):
            case Change() as change:
                self._note(change.decision, change.reason)
                self._maker.change(change)
            case Stop(reason):
                self._maker.abort(reason)
            case Return(pod_hash, reason):
                self._maker.return_to(pod_hash, reason)
            case Supersede():
                # Refused before the run began (``harness.makers.support``).
                raise AssertionError(operation)
            case End() as end:
                self._terminate(operation, end)
            case Nothing(reason):
                self._note("nothing", reason)

    def _terminate(self, operation: Operation, end: End) -> None:
        names = self._maker.terminate(end.role)
        if names:
            self._note("terminate", f"{end.reason}: {', '.join(names)}")
        else:
            self._note("nothing", f"{operation.do}: no such analysis runs")

    def _note(self, decision: str, reason: str) -> None:
        self._recorder.decision("person", decision, reason)
