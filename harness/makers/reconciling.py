"""The twin's Rollout controller on a cluster: observes, asks the pure rules for one step, applies it, and looks again."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Final

from harness.cluster.connection import ApiError, LostError
from harness.cluster.objects import Object
from harness.makers.hands import ClusterHands
from harness.recorder import Recorder
from sim.decide import bluegreen, canary
from sim.decide.progress import CREATE_RETRY_S, StatusRows, goes_on, livelock
from sim.decide.restart import is_restarting
from sim.decide.standing import standing_status
from sim.decide.templates import TemplateError
from sim.hands import Rollout
from sim.model.controller import Controller
from sim.model.rollout import Observed, ReplicaSetView, RolloutSpec, RolloutStatus

AGAIN_S: Final = 1.0
PATIENCE_S: Final = 60.0
"""An API server that fails for longer will not come back: that is no longer the rollout's affair."""
TURNS: Final = 50
"""Reconciles in one poll: each writes to the API server, and people and faults wait meanwhile."""


class Reconciling:
    """Drives one Rollout, whose spec and status exist in here only."""

    def __init__(self, recorder: Recorder, spec: RolloutSpec, hands: ClusterHands, controller: Controller) -> None:
        self._recorder = recorder
        self._hands = hands
        self._controller = controller
        self.spec = spec
        self.status = RolloutStatus()
        self.template_hash = ""
        self._generation = 0
        self._told = StatusRows(spec)
        self._flaps = self._streak = 0
        self._wake_s: float | None = None
        self._failing_s: float | None = None
        """Since when every reconcile has failed."""
        self._changed = Event()
        hands.on_change(self._heard)

    def notify(self) -> None:
        """Something the controller watches changed."""
        self._changed.set()

    def stand(self, pod_hash: str) -> None:
        """Makes the stable revision, fully promoted, with its Services and routes; its pods are yet to come up."""
        self.template_hash, self.status = pod_hash, standing_status(self.spec, pod_hash)
        self._hands.create(pod_hash, 1, self._rollout, self.spec.desired)
        self._hands.relabel(self._rollout)
        self._hands.router.adopt(pod_hash)

    def apply(self, pod_hash: str) -> None:
        """The Rollout's template becomes that of this revision (a release, or an undo)."""
        self.template_hash = pod_hash
        self.edit(self.spec)

    def operate(self, operation: Callable[[RolloutStatus], RolloutStatus]) -> None:
        """A person changes the status (abort, promote, retry)."""
        self._store(operation(self.status))
        self.notify()

    def edit(self, spec: RolloutSpec) -> None:
        """A person changes the spec."""
        self.spec = spec
        self._generation += 1
        self.notify()

    def poll(self) -> None:
        """Reconciles if something changed or a time came, until nothing changes any more (or the next poll)."""
        for _ in range(TURNS):
            due = self._wake_s is not None and self._wake_s <= self._recorder.t_s
            if not (self.template_hash and (due or self._changed.is_set())):
                return
            self._changed.clear()
            try:
                changed = self._reconcile()
            except (ApiError, LostError) as error:
                self._fail(error)
                return
            self._failing_s = None
            if changed:
                self.notify()

    @property
    def _rollout(self) -> Rollout:
        return Rollout(self.spec, self.status, self.template_hash)

    def _heard(self, name: str, obj: Object | None, at_unix_s: float) -> None:
        """On a watching thread."""
        del name, obj, at_unix_s
        self.notify()

    def _reconcile(self) -> bool:
        """Whether this changed anything."""
        rules = bluegreen if self.spec.blue_green is not None else canary
        decision = rules.next_actions(self.spec, self._observe())
        rollout = self._rollout
        try:
            for action in decision.actions:
                self._hands.apply(action, rollout)
        except TemplateError as error:
            # The controller fails here on every try: nothing of this reconcile is stored.
            self._recorder.phase(self.status.phase.value, str(error))
            self._wake_s = self._recorder.t_s + CREATE_RETRY_S
            return False
        going, self._flaps = goes_on(self.spec, self.status, decision.status, self._flaps)
        changed = bool(decision.actions) or going
        self._store(decision.status)
        self._wake_s = decision.wake_s
        self._count(changed=changed)
        return changed

    def _fail(self, error: Exception) -> None:
        """As in the real controller a failed reconcile stores nothing and is tried again; not for ever, though."""
        now_s = self._recorder.t_s
        self._failing_s = now_s if self._failing_s is None else self._failing_s
        if now_s - self._failing_s >= PATIENCE_S:
            raise error
        self._wake_s = now_s + AGAIN_S

    def _count(self, *, changed: bool) -> None:
        self._streak = self._streak + 1 if changed else 0
        if self._streak > livelock(self.spec):
            msg = f"{self.spec.name}: {self._streak} reconciles in a row all changed something"
            raise RuntimeError(msg)

    def _store(self, status: RolloutStatus) -> None:
        before, self.status = self.status, status
        if status == before:
            return
        for row in self._told.rows(before, status, self._recorder.t_s, self._recorder.region):
            self._recorder.add(row)
        if status.stable_rs != before.stable_rs or status.current_pod_hash != before.current_pod_hash:
            self._hands.relabel(self._rollout)

    def _observe(self) -> Observed:
        hands, views = self._hands, dict(self._hands.replica_sets())
        others = [view for key, view in views.items() if key not in {self.template_hash, self.status.stable_rs}]
        restarts = is_restarting(self.spec, self.status)
        return Observed(
            now_s=self._recorder.t_s,
            status=self.status,
            template_hash=self.template_hash,
            new_rs=views.get(self.template_hash),
            stable_rs=views.get(self.status.stable_rs),
            other_rss=tuple(sorted(others, key=_by_creation)),
            runs=hands.analyst.views(),
            services=hands.router.services(),
            managed_routes=hands.router.managed_routes,
            controller=self._controller,
            generation=self._generation,
            pods=hands.pods(float(self.spec.min_ready_s)) if restarts else (),
        )


def _by_creation(view: ReplicaSetView) -> tuple[float, str]:
    return view.created_s, view.name
