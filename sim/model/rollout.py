"""Rollout: the desired update (spec), its progress (status) and what the controller sees (observed)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sim.model.analysis import AnalysisPhase, AnalysisRef
from sim.model.controller import NEWEST, Controller
from sim.model.network import HttpMatch, Layer
from sim.model.pods import AntiAffinity, FieldProblem, Labels, PodTemplate
from sim.model.units import IntOrPercent


@dataclass(frozen=True, slots=True)
class Pause:
    """``pause`` step. ``duration`` is as written (int seconds, digit string or Go duration); None waits for a person."""

    duration: int | str | None = None


@dataclass(frozen=True, slots=True)
class CanaryScale:
    """``setCanaryScale`` step: exactly one field is meaningful."""

    replicas: int | None = None
    weight: int | None = None
    match_traffic_weight: bool = False


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """One match of a header route: how (``exact``, ``prefix``, ``regex``) and against what."""

    header: str
    how: str
    value: str


@dataclass(frozen=True, slots=True)
class HeaderRoute:
    """``setHeaderRoute``: no match removes the route."""

    name: str
    match: tuple[HeaderMatch, ...] = ()
    written: str = field(default="{}", compare=False, repr=False)
    """The block as JSON, as the controller reads and prints it."""


@dataclass(frozen=True, slots=True)
class MirrorRoute:
    """``setMirrorRoute``: percent of matching requests copied to the canary; None removes the route."""

    name: str
    percentage: int | None = None
    match: tuple[HttpMatch, ...] = ()
    written: str = field(default="{}", compare=False, repr=False)
    """The block as JSON, as the controller reads and prints it."""


@dataclass(frozen=True, slots=True)
class ExperimentTemplate:
    """One ReplicaSet of an experiment."""

    name: str
    spec_ref: str = "canary"
    replicas: int | None = None
    weight: int | None = None
    service: str = ""
    has_service: bool = False
    """Whether ``service`` is written, even without a name."""
    labels: Labels = ()
    """``metadata.labels`` put on its pods."""
    annotations: Labels = ()


@dataclass(frozen=True, slots=True)
class ExperimentAnalysis:
    """One analysis of an experiment; all that are required together can end it before its duration."""

    name: str
    ref: AnalysisRef
    required: bool = False


@dataclass(frozen=True, slots=True)
class Experiment:
    """``experiment`` step."""

    templates: tuple[ExperimentTemplate, ...] = ()
    duration: str = ""
    analyses: tuple[ExperimentAnalysis, ...] = ()
    scale_down_delay_s: int | None = None
    dry_run: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CanaryStep:
    """One step. A valid step sets one field, but setWeight together with setCanaryScale is legal, as upstream."""

    set_weight: int | None = None
    pause: Pause | None = None
    analysis: AnalysisRef | None = None
    experiment: Experiment | None = None
    set_canary_scale: CanaryScale | None = None
    set_header_route: HeaderRoute | None = None
    set_mirror_route: MirrorRoute | None = None
    plugin: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionTarget:
    """One of ``tlsRoutes`` or ``tcpRoutes``: the route of this port and exactly these server names."""

    layer: Layer
    port: int = 0
    sni_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IstioVirtualService:
    """Which VirtualService (name or name.namespace) and which of its HTTP routes the controller rewrites."""

    name: str
    routes: tuple[str, ...] = ()
    connections: tuple[ConnectionTarget, ...] = ()


@dataclass(frozen=True, slots=True)
class IstioDestinationRule:
    """``trafficRouting.istio.destinationRule``."""

    name: str
    canary_subset: str = ""
    stable_subset: str = ""
    additional_subsets: tuple[str, ...] = ()
    """Subsets whose weight the controller leaves alone (since 1.9)."""


@dataclass(frozen=True, slots=True)
class IngressRouting:
    """``nginx`` or ``alb``: the Ingresses that carry the weights."""

    one: str = ""
    several: tuple[str, ...] | None = None
    root_service: str = ""
    """``alb.rootService``: what the Ingress sends to instead of the stable Service."""
    annotations: Labels = ()
    """Of nginx' canary Ingress, without their prefix."""


@dataclass(frozen=True, slots=True)
class TrafficRouting:
    """``trafficRouting``; ``kinds`` are the routers named (``istio``, ``nginx``, ...), usually one."""

    kinds: tuple[str, ...] = ()
    virtual_services: tuple[IstioVirtualService, ...] = ()
    singular_and_plural: bool = False
    """Both ``virtualService`` and ``virtualServices`` are written, which Argo refuses."""
    destination_rule: IstioDestinationRule | None = None
    managed_routes: tuple[str, ...] | None = None
    """None where the list is not written at all."""
    max_weight: int | None = None
    nginx: IngressRouting | None = None
    alb: IngressRouting | None = None
    mappings: tuple[str, ...] = ()
    """``ambassador.mappings``."""
    gateway_routes: tuple[str, ...] = ()
    """HTTPRoutes of the plugin ``argoproj-labs/gatewayAPI``."""
    header_gateway_routes: tuple[str, ...] = ()
    """Those of them that take header routes."""
    gateway_namespace: str = ""
    """Where they are; empty: in the Rollout's namespace."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """``replicaProgressThreshold``."""

    kind: str
    """``Percent`` or ``Pod``."""
    value: int


@dataclass(frozen=True, slots=True)
class EphemeralMetadata:
    """``canaryMetadata`` and its siblings: labels and annotations put on pods while they have a role."""

    labels: Labels = ()
    annotations: Labels = ()


@dataclass(frozen=True, slots=True)
class CanaryStrategy:
    """``strategy.canary``. ``None`` means "not written"."""

    steps: tuple[CanaryStep, ...] = ()
    canary_service: str = ""
    stable_service: str = ""
    traffic_routing: TrafficRouting | None = None
    max_surge: IntOrPercent | None = None
    max_unavailable: IntOrPercent | None = None
    analysis: AnalysisRef | None = None
    anti_affinity: tuple[AntiAffinity, ...] = ()
    """Every rule written; more than one is invalid."""
    anti_affinity_weight: int | None = None
    scale_down_delay_s: int | None = None
    scale_down_delay_revision_limit: int | None = None
    abort_scale_down_delay_s: int | None = None
    dynamic_stable_scale: bool = False
    min_pods_per_replica_set: int | None = None
    replica_progress_threshold: Threshold | None = None
    canary_metadata: EphemeralMetadata | None = None
    stable_metadata: EphemeralMetadata | None = None
    ping_pong: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class BlueGreenStrategy:
    """``strategy.blueGreen``. ``None`` means "not written"."""

    active_service: str = ""
    preview_service: str = ""
    preview_replica_count: int | None = None
    auto_promotion_enabled: bool | None = None
    auto_promotion_s: int = 0
    scale_down_delay_s: int | None = None
    scale_down_delay_revision_limit: int | None = None
    abort_scale_down_delay_s: int | None = None
    max_unavailable: IntOrPercent | None = None
    pre_promotion: AnalysisRef | None = None
    post_promotion: AnalysisRef | None = None
    anti_affinity: tuple[AntiAffinity, ...] = ()
    anti_affinity_weight: int | None = None
    active_metadata: EphemeralMetadata | None = None
    preview_metadata: EphemeralMetadata | None = None


@dataclass(frozen=True, slots=True)
class RolloutSpec:
    """A Rollout as read. Exactly one strategy in a valid one; both may be absent in a broken one."""

    name: str
    namespace: str = "default"
    replicas: int | None = None
    selector: Labels = ()
    template: PodTemplate = field(default_factory=PodTemplate)
    canary: CanaryStrategy | None = None
    blue_green: BlueGreenStrategy | None = None
    paused: bool = False
    min_ready_s: int = 0
    progress_deadline_s: int | None = None
    progress_deadline_abort: bool = False
    revision_history_limit: int | None = None
    rollback_window_revisions: int | None = None
    successful_run_history_limit: int | None = None
    unsuccessful_run_history_limit: int | None = None
    restart_at_s: float | None = None
    """``restartAt`` on the simulation's clock: pods created before it are replaced. What is written is in the past."""
    workload_ref: str = ""
    """Name of the Deployment in ``workloadRef``; empty when the template is inline."""
    workload: Labels = (("apiVersion", "apps/v1"), ("kind", "Deployment"))
    """The fields of ``workloadRef``, sorted."""
    selector_is_written: bool = False
    """``selector`` is there, be it empty or made of expressions, which the twin does not read."""
    problems: tuple[FieldProblem, ...] = ()
    """What is wrong with ``selector`` and ``template`` in fields the twin does not read, in the controller's order."""

    @property
    def desired(self) -> int:
        """Pods wanted; the controller writes 1 where none is given."""
        return 1 if self.replicas is None else self.replicas

    @property
    def analyses(self) -> tuple[AnalysisRef, ...]:
        """Every analysis the spec names: background, steps, experiments, before and after promotion."""
        canary = self.canary or CanaryStrategy()
        blue_green = self.blue_green or BlueGreenStrategy()
        experiments = [step.experiment for step in canary.steps if step.experiment]
        found = (
            canary.analysis,
            *(step.analysis for step in canary.steps),
            *(analysis.ref for experiment in experiments for analysis in experiment.analyses),
            blue_green.pre_promotion,
            blue_green.post_promotion,
        )
        return tuple(analysis for analysis in found if analysis is not None)


class RolloutPhase(StrEnum):
    """Phase of a rollout; always shown with its message."""

    HEALTHY = "Healthy"
    """Fully promoted and available."""
    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    """Waiting for time or for a person."""
    DEGRADED = "Degraded"
    """Invalid, aborted or past its progress deadline."""


class PauseReason(StrEnum):
    """Why the controller paused."""

    CANARY_STEP = "CanaryPauseStep"
    BLUE_GREEN = "BlueGreenPause"
    INCONCLUSIVE_ANALYSIS = "InconclusiveAnalysisRun"
    INCONCLUSIVE_EXPERIMENT = "InconclusiveExperiment"


@dataclass(frozen=True, slots=True)
class PauseCondition:
    """One entry of ``status.pauseConditions``."""

    reason: PauseReason
    start_s: float


@dataclass(frozen=True, slots=True)
class WeightDestination:
    """One destination of ``status.canary.weights``."""

    weight: int
    hash: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class TrafficWeights:
    """``status.canary.weights``: what the controller last wrote to the router."""

    canary: WeightDestination
    stable: WeightDestination
    additional: tuple[WeightDestination, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """One status condition."""

    type: str
    status: bool
    reason: str = ""
    message: str = ""
    last_update_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RunStatusRef:
    """How the rollout's status refers to an analysis run."""

    name: str
    phase: AnalysisPhase
    message: str = ""


@dataclass(frozen=True, slots=True)
class BlueGreenStatus:
    """``status.blueGreen``."""

    active_selector: str = ""
    preview_selector: str = ""
    scale_up_preview_checkpoint: bool = False
    pre_promotion: RunStatusRef | None = None
    post_promotion: RunStatusRef | None = None


@dataclass(frozen=True)
class RolloutStatus:
    """``status`` of a Rollout: everything the controller remembers between reconciles.

    It has no slots: copies without are cheaper (``sim.model.changing``), and every reconcile makes several.
    """

    phase: RolloutPhase = RolloutPhase.PROGRESSING
    message: str = ""
    current_pod_hash: str = ""
    stable_rs: str = ""
    """Hash of the stable ReplicaSet; empty before the first promotion."""
    current_step_index: int | None = None
    current_step_hash: str = ""
    abort: bool = False
    aborted_at_s: float | None = None
    promote_full: bool = False
    controller_pause: bool = False
    pause_conditions: tuple[PauseCondition, ...] = ()
    weights: TrafficWeights | None = None
    step_run: RunStatusRef | None = None
    background_run: RunStatusRef | None = None
    experiment: RunStatusRef | None = None
    blue_green: BlueGreenStatus = field(default_factory=BlueGreenStatus)
    conditions: tuple[Condition, ...] = ()
    stable_ping_pong: str = ""
    """Which of the ping-pong Services is the stable one: ``ping`` or ``pong``; '' before the first promotion."""
    restarted_at_s: float | None = None
    """The ``restart_at_s`` that has been carried out."""
    observed_generation: int = 0
    """Generation of the spec that this status belongs to."""
    replicas: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0


@dataclass(frozen=True, slots=True)
class ReplicaSetView:
    """One ReplicaSet as the controller sees it. ``hash`` is its pod-template hash."""

    name: str
    hash: str
    desired: int
    """``spec.replicas``."""
    replicas: int = 0
    """``status.replicas``: pods that exist and are not terminating."""
    ready: int = 0
    available: int = 0
    created_s: float = 0.0
    revision: int = 0
    scale_down_deadline_s: float | None = None
    desired_annotation: int | None = None
    """``desired-replicas`` annotation: spec.replicas of the Rollout when it was last scaled."""
    experiment: bool = False
    fully_labelled: int | None = None


@dataclass(frozen=True, slots=True)
class PodView:
    """One pod as the controller sees it while it restarts pods; ``hash`` is its ReplicaSet's."""

    name: str
    hash: str
    created_s: float
    available: bool
    deleted: bool = False


class RunRole(StrEnum):
    """Why an analysis run exists."""

    STEP = "step"
    BACKGROUND = "background"
    PRE_PROMOTION = "pre-promotion"
    POST_PROMOTION = "post-promotion"
    EXPERIMENT = "experiment"
    """Of an experiment; in journals also the experiment itself."""


@dataclass(frozen=True, slots=True)
class RunView:
    """An analysis run (or experiment) as the rollout controller sees it."""

    name: str
    role: RunRole
    phase: AnalysisPhase
    message: str = ""
    step_index: int | None = None
    terminating: bool = False
    """Asked to end already."""
    pod_hash: str = ""
    """The revision it was created for."""
    created_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ExperimentTemplateView:
    """Where one template of the running experiment is served."""

    name: str
    service: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A Service's current target: the pod-template hash in its selector ('' when none) and whether it is adopted."""

    name: str
    hash: str = ""
    managed: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything a reconcile may look at, taken at one instant ``now_s``.

    ``new_rs`` is the ReplicaSet of the current template (None before it exists); ``stable_rs`` is None when the
    Rollout is first deployed, and the same ReplicaSet as ``new_rs`` when fully promoted.
    """

    now_s: float
    status: RolloutStatus
    template_hash: str
    new_rs: ReplicaSetView | None = None
    stable_rs: ReplicaSetView | None = None
    other_rss: tuple[ReplicaSetView, ...] = ()
    runs: tuple[RunView, ...] = ()
    experiment: RunView | None = None
    experiment_templates: tuple[ExperimentTemplateView, ...] = ()
    experiment_names: tuple[str, ...] = ()
    """Of every experiment that still exists."""
    services: tuple[ServiceView, ...] = ()
    weight_verified: bool = True
    verifies_weights: bool = False
    """Whether the router is asked for what it has: what this very reconcile writes is then not verified yet."""
    managed_routes: tuple[HeaderRoute | MirrorRoute, ...] = ()
    """Managed routes now on the router; without them here they are never removed."""
    pods: tuple[PodView, ...] = ()
    """Pods that still exist; only filled while ``restart_at_s`` is to be carried out."""
    controller: Controller = NEWEST
    """Release of the controller that looks."""
    generation: int = 0
    """How often the spec has been changed."""

    @property
    def is_observed(self) -> bool:
        """Whether the status belongs to the spec as it is now."""
        return self.status.observed_generation == self.generation
