"""The Rollout controller's hands: actions of a decision, carried out on ReplicaSets, routers, analyses and experiments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sim.decide.standing import role_metadata
from sim.engine.analyst import Analyst
from sim.engine.experiments import Cause, Experiments, Surroundings
from sim.engine.replicasets import Identity, ReplicaSet
from sim.engine.revision import Avoidance, Revision
from sim.engine.routers import RouterWriter
from sim.engine.routing import Router
from sim.engine.site import PodSite
from sim.hands import Hands, Rollout
from sim.metrics.providers import Sources
from sim.model.actions import (
    CreateReplicaSet,
    DeleteReplicaSet,
    Experimenting,
    RestartPods,
    Scale,
    SetScaleDownDeadline,
    Sizing,
    StartExperiment,
)
from sim.model.pods import AntiAffinity
from sim.model.rollout import PodView, RolloutSpec, RunRole


class EngineHands(Hands):
    """Every object that belongs to one Rollout, and what can be done to them. ``changed``: an analysis did."""

    def __init__(
        self,
        site: PodSite,
        spec: RolloutSpec,
        router: Router,
        sources: Callable[[], Sources],
        changed: Callable[[], None],
    ) -> None:
        self._site = site
        self.revisions: dict[str, Revision] = {}
        self.sets: dict[str, ReplicaSet] = {}
        self._deleted: dict[str, ReplicaSet] = {}
        """By revision, the last one; its pods may still be terminating."""
        self.writer = RouterWriter(spec, router)
        self.analyst = Analyst(site.ground, sources, changed)
        self.experiments = Experiments(Surroundings(site, router, sources, changed))
        super().__init__(self.writer, self.analyst, site.ground.scenario.controller)

    @property
    def replica_sets(self) -> Sequence[ReplicaSet]:
        """Every ReplicaSet, oldest first, those of experiments last."""
        leaving = (rs for rs in self._deleted.values() if not rs.is_empty)
        return (*self.sets.values(), *leaving, *self.experiments.replica_sets)

    def pods(self, min_ready_s: float) -> tuple[PodView, ...]:
        """Pods of the Rollout's own ReplicaSets that still exist."""
        return tuple(
            PodView(pod.name, rs.revision.hash, pod.created_s, pod.counts_as_available(min_ready_s), pod.deleted)
            for rs in self.sets.values()
            for pod in rs.pods
            if not pod.gone
        )

    def create(self, pod_hash: str, number: int, rollout: Rollout) -> ReplicaSet:
        """The ReplicaSet of a revision; one that exists only gets the number."""
        known = self.sets.get(pod_hash)
        if known is not None:
            known.number = number
            return known
        spec = rollout.spec
        avoidance = _avoidance(rollout, pod_hash)
        identity = Identity(f"{spec.name}-{pod_hash}", number, float(spec.min_ready_s), avoidance)
        made = self.sets[pod_hash] = ReplicaSet(self._site, identity, self.revisions[pod_hash])
        made.desired_annotation = spec.desired
        if pod_hash in self._deleted:
            made.next_pod = self._deleted[pod_hash].next_pod
        return made

    def relabel(self, rollout: Rollout) -> None:
        """Puts the metadata of its role on each revision's pods; a revision without a role loses it."""
        stable, new = role_metadata(rollout.spec)
        stable_hash, new_hash = rollout.status.stable_rs, rollout.template_hash
        for pod_hash, rs in self.sets.items():
            role = stable if pod_hash == stable_hash else new if pod_hash == new_hash else None
            rs.put_role(role.labels if role else (), role.annotations if role else ())

    def terminate(self, role: RunRole | None) -> tuple[str, ...]:
        """Asks the runs of a role (None: all) that still go on to end; their names."""
        runs = (*self.analyst.views(), *self.experiments.runs())
        names = tuple(run.name for run in runs if role in {None, run.role} and not run.phase.is_completed)
        for name in names:
            self.analyst.terminate(name)
            self.experiments.terminate_run(name)
        return names

    def _resize(self, action: Sizing, rollout: Rollout) -> None:
        match action:
            case CreateReplicaSet():
                self.create(action.hash, action.revision, rollout)
                self.relabel(rollout)
            case Scale():
                rs = self.sets[action.hash]
                rs.desired_annotation = rollout.spec.desired
                rs.scale(action.replicas)
            case SetScaleDownDeadline():
                self.sets[action.hash].deadline_s = action.deadline_s
            case DeleteReplicaSet():
                self._deleted[action.hash] = self.sets.pop(action.hash)
                self._site.ground.stir()
            case RestartPods():
                for one in self.sets.values():
                    one.evict(action.names)

    def _experiment(self, action: Experimenting, rollout: Rollout) -> None:
        if isinstance(action, StartExperiment):
            canary, stable = (self.revisions[one] for one in (rollout.template_hash, rollout.status.stable_rs))
            self.experiments.start(Cause(rollout.spec, canary, stable, action.step_index), action.name)
        else:
            self.experiments.end()


def _avoidance(rollout: Rollout, pod_hash: str) -> Avoidance:
    strategy = rollout.spec.canary or rollout.spec.blue_green
    rule = strategy.anti_affinity[0] if strategy is not None and strategy.anti_affinity else AntiAffinity.NONE
    other = rollout.status.stable_rs
    return Avoidance(rule, other) if other and other != pod_hash else Avoidance()
