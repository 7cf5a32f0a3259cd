"""Scenario: the complete frozen input of one question. Hashable; nothing outside it influences a run but the seed."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.model.behaviour import Delay, Fault, People, Release, VersionBehaviour
from sim.model.controller import NEWEST, Controller
from sim.model.data_plane import DataPlaneMode
from sim.model.kpis import KpiTarget
from sim.model.load import Client, LoadShape
from sim.model.manifests import ManifestSet
from sim.model.operations import Operation
from sim.model.strategy import Strategy
from sim.model.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Cluster:
    """The machines and Kubernetes' own delays."""

    nodes: int = 6
    node_cpu: float = 16.0
    """Allocatable cores a node."""
    node_memory: float = 64 * 2.0**30
    """Allocatable bytes a node."""
    schedule: Delay = Delay(0.2)
    image_pull: Delay = Delay(8.0)
    """Once per node and image; later pods start from the cache."""
    endpoint_propagation: Delay = Delay(1.0)
    """From a pod's readiness changing to the routers knowing."""
    route_propagation: Delay = Delay(2.0)
    """From a VirtualService write to the proxies acting on it."""
    router_propagation: tuple[tuple[str, Delay], ...] = ()
    """The same for routers that are not Istio, by kind (``nginx``, ``alb`` ...); others take as long as Istio."""
    verify_weights: bool = False
    """Whether the controller asks AWS for an ALB's weights (``--aws-verify-target-group``)."""
    proxies: int = 1
    """Proxies that the requests are spread over; each knows only what went through it."""
    istio: str = "istio-1.20"
    """``istio-1.20`` or ``istio-1.30``: see ``sim.decide.istio`` for what differs."""
    controller_latency_s: float = 0.005
    """Between a change and the reconcile it causes."""


@dataclass(frozen=True, slots=True)
class DeliveryStep:
    """One piece of work on the way to production, before (or after) the rollout itself."""

    name: str
    delay: Delay
    after_rollout: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """From commit to apply: people's work, Git polling and Argo CD's sync windows."""

    steps: tuple[DeliveryStep, ...] = ()
    git_poll_s: float = 180.0
    """Argo CD looks every so often; the wait is uniform on [0, git_poll_s]."""
    application: str = ""
    """The Application whose project's sync windows bind; '' means none do."""
    automatic: bool = True
    """Automated sync (bound by allow windows) or a person's manual sync."""
    year: int = 2026
    """Calendar year in which commits fall uniformly."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """See the module docstring. ``stable`` runs before the release; ``release`` is the one being rolled out."""

    title: str
    strategy: Strategy
    manifests: ManifestSet
    stable: VersionBehaviour
    release: Release
    mix: tuple[Release, ...] = ()
    """Every kind of release a study draws from; shares sum to 1."""
    name: str = ""
    """Short name of the strategy in tables (``canary``, ``hotfix``)."""
    description: str = ""
    variant: str = ""
    load: LoadShape = field(default_factory=LoadShape)
    client: Client = field(default_factory=Client)
    telemetry: Telemetry = field(default_factory=Telemetry)
    faults: tuple[Fault, ...] = ()
    people: People = field(default_factory=People)
    operations: tuple[Operation, ...] = ()
    """What people do at set times, whatever they are paged for."""
    first_deploy: bool = False
    """Whether nothing ran before: the release is the first version there is."""
    cluster: Cluster = field(default_factory=Cluster)
    controller: Controller = NEWEST
    """Release of the Rollout controller."""
    delivery: Delivery = field(default_factory=Delivery)
    targets: tuple[KpiTarget, ...] = ()
    slo: float = 0.999
    """Availability objective that the error budget is computed from."""
    warm_up_s: float = 120.0
    """Traffic served by the stable version before the release is applied, so that rate windows are full."""
    tail_s: float = 300.0
    """How long a run goes on after the rollout has reached its end."""
    horizon_s: float = 14400.0
    """The run ends here at the latest; a rollout not finished by then is stuck."""
    data_plane: DataPlaneMode = DataPlaneMode.EXACT
    """How closely requests are simulated."""
    seed: int = 1
