"""People who do to a Rollout what the scenario says, when it says so."""

from __future__ import annotations

from functools import partial

from sim.decide.commands import Change, End, Nothing, Return, Standing, Stop, Supersede, effect_of
from sim.engine.argo import ArgoDriver
from sim.engine.clock import Rank
from sim.engine.ground import Ground
from sim.model.operations import Operation


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
        self._left -= 1
        controller, now_s = self._controller, self._ground.clock.now
        revisions = controller.revisions
        numbered = tuple((number, revision.hash) for number, revision in revisions)
        standing = Standing(now_s, controller.spec, controller.status, controller.template_hash, numbered)
        match effect_of(operation, standing):
            case Change() as change:
                self._change(change)
            case Stop(reason):
                self._driver.abort(reason)
            case Return(pod_hash, reason):
                self._driver.return_to(next(one for _, one in revisions if one.hash == pod_hash), reason)
            case Supersede(release):
                self._supersede(operation, release)
            case End() as end:
                self._terminate(operation, end)
            case Nothing(reason):
                self._note("nothing", reason)

    def _note(self, decision: str, reason: str) -> None:
        self._ground.journal.decision("person", decision, reason)

    def _change(self, change: Change) -> None:
        self._note(change.decision, change.reason)
        if change.reopens:
            self._driver.reopen()
        self._controller.edit(change.spec)
        self._controller.operate(lambda _: change.status)

    def _supersede(self, operation: Operation, name: str) -> None:
        release = next(one for one in self._ground.scenario.mix if one.name == name)
        if not self._driver.supersede(release):
            self._note("nothing", f"{operation.do}: that release is applied already")

    def _terminate(self, operation: Operation, end: End) -> None:
        names = self._controller.terminate(end.role)
        if names:
            self._note("terminate", f"{end.reason}: {', '.join(names)}")
        else:
            self._note("nothing", f"{operation.do}: no such analysis runs")
