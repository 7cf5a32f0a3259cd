"""What a controller may do to the world: the frozen union ``Action`` and the ``Decision`` that carries it.

A reconcile returns its new status, the actions to apply now and the instant to look again. The twin and the
cluster harness apply the same actions.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.model.rollout import HeaderRoute, MirrorRoute, RolloutStatus, RunRole, TrafficWeights


@dataclass(frozen=True, slots=True)
class CreateReplicaSet:
    """Create the ReplicaSet of the current template, with no pods yet; one that exists only gets the revision."""

    hash: str
    revision: int


@dataclass(frozen=True, slots=True)
class Scale:
    """Set ``spec.replicas`` of one ReplicaSet."""

    hash: str
    replicas: int


@dataclass(frozen=True, slots=True)
class SetScaleDownDeadline:
    """Stamp (or clear, with None) the instant at which an old ReplicaSet goes to zero."""

    hash: str
    deadline_s: float | None


@dataclass(frozen=True, slots=True)
class DeleteReplicaSet:
    """Delete an old ReplicaSet that has no pods: its revision cannot be undone to any more."""

    hash: str


@dataclass(frozen=True, slots=True)
class RestartPods:
    """Evict these pods; their ReplicaSets replace them."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetWeight:
    """Write the weights to the router."""

    weights: TrafficWeights


@dataclass(frozen=True, slots=True)
class SetHeaderRoute:
    """Put a managed header route on top of the router's routes."""

    route: HeaderRoute


@dataclass(frozen=True, slots=True)
class SetMirrorRoute:
    """Put a managed mirror route on top of the router's routes."""

    route: MirrorRoute


@dataclass(frozen=True, slots=True)
class RemoveManagedRoutes:
    """Remove every managed route."""


@dataclass(frozen=True, slots=True)
class PointService:
    """Make a Service select the pods of one ReplicaSet."""

    service: str
    hash: str


@dataclass(frozen=True, slots=True)
class StartAnalysis:
    """Create an analysis run from the spec's templates for this role (and step), under this name."""

    role: RunRole
    step_index: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class TerminateAnalysis:
    """Ask a run to end."""

    run: str


@dataclass(frozen=True, slots=True)
class DeleteAnalysis:
    """Delete an old run, whether it has ended or not."""

    run: str


@dataclass(frozen=True, slots=True)
class StartExperiment:
    """Create the experiment of the current step, under this name."""

    step_index: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class TerminateExperiment:
    """Ask the running experiment to end."""


Sizing = CreateReplicaSet | Scale | SetScaleDownDeadline | DeleteReplicaSet | RestartPods
Routing = SetWeight | SetHeaderRoute | SetMirrorRoute | RemoveManagedRoutes | PointService
Judging = StartAnalysis | TerminateAnalysis | DeleteAnalysis
Experimenting = StartExperiment | TerminateExperiment
Action = Sizing | Routing | Judging | Experimenting


@dataclass(frozen=True, slots=True)
class Decision:
    """Outcome of one reconcile: apply ``actions`` in order, store ``status``, look again at ``wake_s`` at the latest.

    ``notes`` are the controller's own messages worth a journal row (``Step 3 completed``, ``Rollout aborted ...``).
    """

    status: RolloutStatus
    actions: tuple[Action, ...] = ()
    wake_s: float | None = None
    notes: tuple[str, ...] = ()
