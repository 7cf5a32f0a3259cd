"""A walk through a plain Deployment: the Deployment controller's own decisions."""

from __future__ import annotations

from sim.decide import rolling
from sim.model.pods import DeploymentSpec
from sim.timetable.pace import Pace
from sim.timetable.runs import NEW, OLD
from sim.timetable.walk import Frame, Walk
from sim.timetable.world import Leaving, WalkedSet

MOST_FRAMES, MOST_PER_POD = 500, 12


class DeploymentWalk:
    """Walks once."""

    def __init__(self, spec: DeploymentSpec, pace: Pace, *, first_deploy: bool = False) -> None:
        self._spec, self._pace = spec, pace
        self._old = WalkedSet(f"{spec.name}-{OLD}", OLD)
        self._old.scale(0 if first_deploy else spec.replicas, 0.0)
        self._new = WalkedSet(f"{spec.name}-{NEW}", NEW, created_s=1e-9)
        self._leaving = Leaving(spec.template.termination_grace_s)
        self._waited_for = Leaving(pace.gone_s)
        self._now_s = pace.reconcile_s
        self._frames: list[Frame] = []

    def run(self) -> Walk:
        """From the new template until every pod is new, or nothing is to come."""
        budget = MOST_FRAMES + MOST_PER_POD * self._spec.replicas
        while len(self._frames) < budget:
            changed = self._reconcile()
            if not changed and (self._frames[-1].healthy or not self._pass_time()):
                return Walk(tuple(self._frames), (), grace_s=self._leaving.grace_s)
            self._now_s += self._pace.reconcile_s
        return Walk(tuple(self._frames), (), f"it does not settle within {budget} reconciles")

    def _pass_time(self) -> bool:
        instants = [self._new.next_s(self._now_s), *(gone_s for gone_s, _ in self._waited_for.pods)]
        coming = [instant for instant in instants if instant is not None and instant > self._now_s]
        self._now_s = min(coming, default=self._now_s)
        return bool(coming)

    def _reconcile(self) -> bool:
        waited_for = self._waited_for.count(self._now_s) if self._spec.recreate else 0
        new, old = self._new.view(self._now_s), self._old.view(self._now_s, waited_for)
        actions = rolling.next_actions(self._spec, new, (old,), self._now_s)
        for action in actions:
            self._scale(self._new if action.hash == NEW else self._old, action.replicas)
        self._frames.append(self._frame())
        return bool(actions)

    def _scale(self, rs: WalkedSet, replicas: int) -> None:
        available_s = None if self._pace.pods_s is None else self._now_s + self._pace.pods_s
        deleted = rs.scale(replicas, available_s)
        self._leaving.add(self._now_s, deleted)
        self._waited_for.add(self._now_s, deleted)

    def _frame(self) -> Frame:
        new, old = self._new.view(self._now_s), self._old.view(self._now_s)
        serving = new.available + old.available
        complete = rolling.is_complete(self._spec, new, (old,))
        return Frame(
            self._now_s,
            None,
            100.0 * new.available / serving if serving else 0.0,
            new.desired,
            old.desired,
            0,
            self._leaving.count(self._now_s),
            0,
            ready=0 < new.desired <= new.available,
            paused=False,
            stable_is_new=complete,
            healthy=complete,
            aborted=False,
        )
