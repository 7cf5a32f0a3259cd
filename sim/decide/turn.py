"""One reconcile in the making: what it has decided so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.decide.pauses import PauseChanges
from sim.decide.replicas import all_rss, available_pods
from sim.model.actions import Action, PointService, Scale, SetScaleDownDeadline
from sim.model.changing import replace
from sim.model.rollout import (
    BlueGreenStatus,
    Observed,
    ReplicaSetView,
    RolloutSpec,
    RolloutStatus,
    RunRole,
    RunStatusRef,
    RunView,
    ServiceView,
    TrafficWeights,
)


@dataclass(slots=True)
class Turn:
    """Gathers actions, notes and timers of one reconcile; lives only as long as the reconcile."""

    spec: RolloutSpec
    seen: Observed
    pauses: PauseChanges = field(default_factory=PauseChanges)
    actions: list[Action] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    wakes_s: list[float] = field(default_factory=list)
    weights: TrafficWeights | None = None
    runs: dict[RunRole, RunView] = field(default_factory=dict)
    experiment: RunStatusRef | None = None
    pointed: dict[str, str] = field(default_factory=dict)
    restarted_at_s: float | None = None

    def __post_init__(self) -> None:
        status = self.seen.status
        self.weights = status.weights
        self.restarted_at_s = status.restarted_at_s
        if status.abort and status.stable_rs == status.current_pod_hash:
            # Aborting what everybody is served anyway means nothing (rollout/controller.go:596).
            self.pauses.lifts_abort = True

    @property
    def is_aborted(self) -> bool:
        """Whether the rollout counts as aborted at this point of the reconcile."""
        return self.pauses.is_aborted(self.seen.status)

    @property
    def is_verified(self) -> bool:
        """Whether the router is known to have the weights that this reconcile leaves."""
        fresh = self.seen.verifies_weights and self.weights != self.seen.status.weights
        return self.seen.weight_verified and not fresh

    def act(self, action: Action) -> None:
        """Decide on one more action."""
        self.actions.append(action)

    def wake_at(self, instant_s: float) -> None:
        """Ask to look again at ``instant_s``; instants that have passed ask for nothing."""
        if instant_s > self.seen.now_s:
            self.wakes_s.append(instant_s)

    def scale(self, rs: ReplicaSetView, size: int) -> bool:
        """Whether ``rs`` changes its size; also renews an outdated desired-replicas annotation without a change."""
        outdated = rs.desired_annotation not in {None, self.spec.desired}
        if rs.desired == size and not outdated:
            return False
        self.act(Scale(rs.hash, size))
        if rs.desired == size:
            return False
        if size == 0 and rs.scale_down_deadline_s is not None and not self.is_aborted:
            self.act(SetScaleDownDeadline(rs.hash, None))
        way = "up" if rs.desired < size else "down"
        self.notes.append(f"Scaled {way} ReplicaSet {rs.name} (revision {rs.revision}) from {rs.desired} to {size}")
        return True

    def service(self, name: str) -> ServiceView | None:
        """The Service as this reconcile would leave it; None without a name or if it does not exist."""
        found = next((s for s in self.seen.services if name and s.name == name), None)
        if found is None or name not in self.pointed:
            return found
        return replace(found, hash=self.pointed[name], managed=True)

    def point(self, service: ServiceView, pod_hash: str) -> None:
        """Make the Service select ``pod_hash`` if it does not already."""
        if service.hash == pod_hash:
            return
        self.act(PointService(service.name, pod_hash))
        self.notes.append(f"Switched selector for service '{service.name}' from '{service.hash}' to '{pod_hash}'")
        self.pointed[service.name] = pod_hash

    def run_ref(self, role: RunRole) -> RunStatusRef | None:
        """How the new status refers to the current run of this role."""
        run = self.runs.get(role)
        return RunStatusRef(run.name, run.phase, run.message) if run else None


def revision_of(seen: Observed) -> int:
    """Revision of the current template: one more than any other when an older ReplicaSet is used again."""
    others = max((rs.revision for rs in all_rss(seen) if rs is not seen.new_rs and not _is_new(seen, rs)), default=0)
    new = seen.new_rs.revision if seen.new_rs else 0
    return new if new > others else others + 1


def _is_new(seen: Observed, rs: ReplicaSetView) -> bool:
    return seen.new_rs is not None and rs.hash == seen.new_rs.hash


def base_status(turn: Turn) -> RolloutStatus:
    """The next status before the strategy adds to it: counts of pods, runs and weights; index and pauses still empty."""
    seen, before = turn.seen, turn.seen.status
    rss, new = all_rss(seen), seen.new_rs
    return RolloutStatus(
        phase=before.phase,
        message=before.message,
        current_pod_hash=new.hash if new else seen.template_hash,
        stable_rs=before.stable_rs,
        promote_full=before.promote_full,
        weights=turn.weights,
        step_run=turn.run_ref(RunRole.STEP),
        background_run=turn.run_ref(RunRole.BACKGROUND),
        experiment=turn.experiment,
        blue_green=BlueGreenStatus(
            pre_promotion=turn.run_ref(RunRole.PRE_PROMOTION), post_promotion=turn.run_ref(RunRole.POST_PROMOTION)
        ),
        conditions=before.conditions,
        stable_ping_pong=before.stable_ping_pong,
        restarted_at_s=turn.restarted_at_s,
        replicas=sum(rs.replicas for rs in rss),
        updated=new.replicas if new else 0,
        ready=sum(rs.ready for rs in rss),
        available=available_pods(rss),
    )


def reset_status(turn: Turn, status: RolloutStatus) -> RolloutStatus:
    """``status`` as at the beginning of an update: index 0, no pause, abort, full promotion or analysis."""
    turn.pauses.start_over()
    steps = turn.spec.canary.steps if turn.spec.canary else ()
    cleared = replace(status.blue_green, pre_promotion=None, post_promotion=None, scale_up_preview_checkpoint=False)
    return replace(
        status,
        promote_full=False,
        step_run=None,
        background_run=None,
        blue_green=cleared,
        current_step_index=0 if steps else None,
    )
