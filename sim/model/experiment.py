"""Experiments: ReplicaSets that run beside a rollout for a while, and the analyses that judge them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sim.model.analysis import AnalysisPhase
from sim.model.rollout import Experiment, ReplicaSetView


class TemplatePhase(StrEnum):
    """Phase of one template of an experiment."""

    PROGRESSING = "Progressing"
    """Not all of its pods are available yet."""
    RUNNING = "Running"
    SUCCESSFUL = "Successful"
    """It was available for the whole duration, or the experiment was asked to end."""
    FAILED = "Failed"
    """Its pods were not available within the progress deadline."""
    ERROR = "Error"

    @property
    def is_completed(self) -> bool:
        """Whether the phase is final."""
        return self not in {TemplatePhase.PROGRESSING, TemplatePhase.RUNNING}

    def worse_than(self, other: TemplatePhase) -> bool:
        """Argo's ``TemplateIsWorse``: Successful < Running < Progressing < Error < Failed."""
        return _TEMPLATE_BADNESS.index(self) > _TEMPLATE_BADNESS.index(other)


_TEMPLATE_BADNESS = (
    TemplatePhase.SUCCESSFUL,
    TemplatePhase.RUNNING,
    TemplatePhase.PROGRESSING,
    TemplatePhase.ERROR,
    TemplatePhase.FAILED,
)


@dataclass(frozen=True, slots=True)
class TemplateStatus:
    """``status.templateStatuses[]``: how one template stands. ``phase`` is None before its first reconcile."""

    name: str
    phase: TemplatePhase | None = None
    message: str = ""
    changed_s: float = 0.0
    """``lastTransitionTime``: the counts last changed then; the progress deadline counts from it."""
    counts: tuple[int, int, int] = (0, 0, 0)
    """Pods that exist, are ready, are available."""
    service: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True)
class ExperimentRun:
    """``status.analysisRuns[]``: one analysis, the name of its run ('' before it is created) and how it stands."""

    name: str
    run: str = ""
    phase: AnalysisPhase | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class ExperimentStatus:
    """Status of an experiment. ``phase`` is None before the first reconcile."""

    phase: AnalysisPhase | None = None
    message: str = ""
    available_s: float | None = None
    """When all templates first were available; the duration counts from then."""
    templates: tuple[TemplateStatus, ...] = ()
    runs: tuple[ExperimentRun, ...] = ()

    @property
    def is_completed(self) -> bool:
        """Whether it has ended."""
        return self.phase is not None and self.phase.is_completed


@dataclass(frozen=True, slots=True)
class ExperimentSpec:
    """One experiment as created from a canary step."""

    name: str
    body: Experiment
    progress_deadline_s: float
    terminate: bool = False


@dataclass(frozen=True, slots=True)
class TemplateView:
    """One template's objects as the controller sees them; ``service`` is the name of its Service, if there is one."""

    name: str
    rs: ReplicaSetView | None = None
    service: str = ""


@dataclass(frozen=True, slots=True)
class ExperimentSeen:
    """Everything a reconcile of an experiment may look at.

    ``runs`` are (analysis, phase, message) of the runs that exist; ``missing`` (analysis, message) are analyses whose
    template does not exist.
    """

    now_s: float
    templates: tuple[TemplateView, ...] = ()
    runs: tuple[tuple[str, AnalysisPhase, str], ...] = ()
    missing: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CreateTemplate:
    """Create the ReplicaSet of a template, with no pods yet."""

    name: str


@dataclass(frozen=True, slots=True)
class ScaleTemplate:
    """Set the size of a template's ReplicaSet."""

    name: str
    replicas: int


@dataclass(frozen=True, slots=True)
class StampTemplate:
    """Set the instant until which a template's ReplicaSet is kept."""

    name: str
    deadline_s: float


@dataclass(frozen=True, slots=True)
class CreateService:
    """Create the Service over a template's pods."""

    name: str


@dataclass(frozen=True, slots=True)
class DeleteService:
    """Delete it."""

    name: str


@dataclass(frozen=True, slots=True)
class StartRun:
    """Create the run of an analysis; its status is Pending then, or Error with the reason if it cannot be created."""

    name: str


@dataclass(frozen=True, slots=True)
class EndRun:
    """Ask the run of an analysis to end."""

    name: str


ExperimentAction = CreateTemplate | ScaleTemplate | StampTemplate | CreateService | DeleteService | StartRun | EndRun


@dataclass(frozen=True, slots=True)
class ExperimentDecision:
    """Outcome of one reconcile: apply ``actions`` in order, store ``status``, look again at ``wake_s`` at the latest."""

    status: ExperimentStatus
    actions: tuple[ExperimentAction, ...] = ()
    wake_s: float | None = None
