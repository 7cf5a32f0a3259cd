"""The Rollout controller: observes, asks the pure rules for one step, applies it, and looks again until nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sim.decide import bluegreen, canary
from sim.decide.progress import CREATE_RETRY_S, StatusRows, goes_on, livelock
from sim.decide.releases import known_to
from sim.decide.restart import is_restarting
from sim.decide.templates import TemplateError
from sim.engine.ground import Ground
from sim.engine.hands import EngineHands
from sim.engine.loop import Loop
from sim.engine.observing import Look
from sim.engine.replicasets import ReplicaSet
from sim.engine.revision import Revision
from sim.engine.routing import Router
from sim.engine.site import PodSite
from sim.hands import Rollout
from sim.metrics.providers import Sources
from sim.model.changing import replace
from sim.model.rollout import (
    Observed,
    ReplicaSetView,
    RolloutSpec,
    RolloutStatus,
    RunRole,
)


class RolloutController:
    """Drives one Rollout. ``on_status`` listeners hear of every stored status."""

    def __init__(self, site: PodSite, spec: RolloutSpec, sources: Callable[[], Sources], router: Router) -> None:
        self._ground: Ground = site.ground
        self.spec = known_to(site.ground.scenario.controller, spec)
        self._generation = 0
        self.status = RolloutStatus()
        self.template_hash = ""
        self._hands = EngineHands(site, spec, router, sources, self.notify)
        self._told = StatusRows(spec)
        self.on_status: list[Callable[[], None]] = []
        self._loop = Loop(
            self._ground.clock,
            self._ground.scenario.cluster.controller_latency_s,
            self._reconcile,
            spec.name,
            livelock(spec),
        )
        self._flaps = 0
        self._counts: tuple[tuple[int, int, int, int], ...] = ()
        self._ground.on_pods.append(self._look_at_pods)

    @property
    def replica_sets(self) -> Sequence[ReplicaSet]:
        """Every ReplicaSet, oldest first, those of experiments last."""
        return self._hands.replica_sets

    def notify(self) -> None:
        """Something the controller watches changed."""
        self._ground.watch.noticed(self._ground.clock.now)
        self._loop.notify()

    def stand(self, revision: Revision, status: RolloutStatus) -> None:
        """Starts the run fully promoted on this revision."""
        self._hands.writer.adopt(revision.hash)
        self._hands.revisions[revision.hash] = revision
        self.template_hash, self.status = revision.hash, status
        self._hands.create(revision.hash, 1, self._rollout).stand(self.spec.desired)
        self._hands.relabel(self._rollout)

    def apply(self, revision: Revision) -> None:
        """The Rollout's template becomes this revision's (a release, or an undo)."""
        self._hands.revisions[revision.hash] = revision
        self.template_hash = revision.hash
        self.edit(replace(self.spec, template=revision.template))

    def operate(self, operation: Callable[[RolloutStatus], RolloutStatus]) -> None:
        """A person changes the status (abort, promote, retry)."""
        self._store(operation(self.status))
        self.notify()

    def edit(self, spec: RolloutSpec) -> None:
        """A person changes the spec."""
        self.spec = spec
        self._generation += 1
        self.notify()

    def terminate(self, role: RunRole | None) -> tuple[str, ...]:
        """A person asks the runs of a role (None: all) to end; their names."""
        return self._hands.terminate(role)

    @property
    def revisions(self) -> tuple[tuple[int, Revision], ...]:
        """The revisions that have a ReplicaSet, with their numbers."""
        return tuple((rs.number, rs.revision) for rs in self._hands.sets.values())

    def halt(self) -> None:
        """Stops reconciling for good, as for an invalid spec."""
        self._loop.halted = True

    @property
    def _rollout(self) -> Rollout:
        return Rollout(self.spec, self.status, self.template_hash)

    def _look_at_pods(self) -> None:
        """Pods come and go in more ways than a ReplicaSet's counts tell; only these wake the controller."""
        if tuple(rs.counts for rs in self._hands.sets.values()) != self._counts:
            self.notify()

    def _reconcile(self) -> tuple[bool, float | None]:
        if not self.template_hash:
            return False, None
        self._counts = tuple(rs.counts for rs in self._hands.sets.values())
        observed = self._observe()
        rules = bluegreen if self.spec.blue_green is not None else canary
        decision = rules.next_actions(self.spec, observed)
        rollout = self._rollout
        try:
            for action in decision.actions:
                self._hands.apply(action, rollout)
        except TemplateError as error:
            # The controller fails here on every try: nothing of this reconcile is stored.
            self._ground.journal.phase(self.status.phase.value, str(error))
            wake_s = self._ground.clock.now + CREATE_RETRY_S
            self._ground.watch.reconciled(Look(self.spec, observed, None, goes_on=False, wake_s=wake_s))
            return False, wake_s
        goes_on = bool(decision.actions) or self._goes_on(decision.status)
        self._store(decision.status)
        self._ground.watch.reconciled(Look(self.spec, observed, decision, goes_on, decision.wake_s))
        return goes_on, decision.wake_s

    def _goes_on(self, status: RolloutStatus) -> bool:
        """Whether another reconcile may decide something after one that only left this status."""
        going, self._flaps = goes_on(self.spec, self.status, status, self._flaps)
        return going

    def _store(self, status: RolloutStatus) -> None:
        before, self.status = self.status, status
        if status == before:
            return
        journal = self._ground.journal
        for row in self._told.rows(before, status, journal.t_s, journal.region):
            journal.add(row)
        if status.stable_rs != before.stable_rs or status.current_pod_hash != before.current_pod_hash:
            self._hands.relabel(self._rollout)
        for listener in self.on_status:
            listener()

    def _observe(self) -> Observed:
        views = {rs.revision.hash: rs.view() for rs in self._hands.sets.values()}
        new, stable = views.get(self.template_hash), views.get(self.status.stable_rs)
        others = [view for key, view in views.items() if key not in {self.template_hash, self.status.stable_rs}]
        hands = self._hands
        return Observed(
            now_s=self._ground.clock.now,
            status=self.status,
            template_hash=self.template_hash,
            new_rs=new,
            stable_rs=stable,
            other_rss=tuple(sorted(others, key=_by_creation)),
            runs=hands.analyst.views(),
            experiment=hands.experiments.view(),
            experiment_templates=hands.experiments.template_views(),
            experiment_names=hands.experiments.names(),
            services=hands.writer.services(),
            weight_verified=hands.writer.verified(),
            verifies_weights=hands.writer.verifies,
            managed_routes=hands.writer.managed_routes,
            controller=self._ground.scenario.controller,
            generation=self._generation,
            pods=hands.pods(float(self.spec.min_ready_s)) if is_restarting(self.spec, self.status) else (),
        )


def _by_creation(view: ReplicaSetView) -> tuple[float, str]:
    return view.created_s, view.name
