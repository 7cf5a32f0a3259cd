"""Strategies: the ways a release can reach production."""

from __future__ import annotations

from dataclasses import dataclass

from sim.model.behaviour import Delay


@dataclass(frozen=True, slots=True)
class ArgoRollout:
    """The Rollout of this name decides (canary or blueGreen, as written in it)."""

    rollout: str


@dataclass(frozen=True, slots=True)
class RollingUpdate:
    """The Deployment of this name is given the new template; the Deployment controller does the rest."""

    deployment: str


@dataclass(frozen=True, slots=True)
class ScriptDefects:
    """Which of the switch script's defects are present; every True is the playbook as written (audit D37-D46)."""

    missing_target_is_healthy: bool = True
    """An absent Deployment compares '' with '' and passes (D38)."""
    no_data_passes: bool = True
    """Empty vector, NaN, Inf and an unreachable Prometheus all pass (D39)."""
    whole_service_query: bool = True
    """The queries do not filter by colour (D40)."""
    rollback_is_toggle: bool = True
    """``rollback`` swaps instead of restoring (D44)."""


@dataclass(frozen=True, slots=True)
class SwitchScript:
    """The playbook's ``blue-green-switch.sh switch`` (section 3.4): validate, patch the VirtualService, check, or switch back.

    ``{service}`` and ``{color}`` in the queries are replaced. Thresholds: fail if *greater*.
    """

    virtual_service: str
    route_index: int = 2
    host_prefix: str = "triptrip-api-"
    colors: tuple[str, str] = ("blue", "green")
    deployment_prefix: str = "triptrip-api-"
    checks: int = 5
    interval_s: float = 10.0
    first_check_after_s: float = 0.0
    error_query: str = ""
    error_limit: float = 5.0
    latency_query: str = ""
    latency_limit: float = 2000.0
    defects: ScriptDefects = ScriptDefects()
    idle_deployed_by: Delay | None = Delay(60.0)
    """Time people need to deploy the idle colour first; None: nobody does, its Deployment must already be there."""


@dataclass(frozen=True, slots=True)
class SetImage:
    """``kubectl set image deployment/NAME``: the playbook's ``canary_skip`` hotfix."""

    deployment: str


@dataclass(frozen=True, slots=True)
class Region:
    """One region: a cluster of its own with this share of the traffic."""

    name: str
    share: float
    deployed: bool = True
    """Whether any manifest deploys to it; the audit's D72 regions are promised and never deployed."""


@dataclass(frozen=True, slots=True)
class RegionPhase:
    """Regions released together, then watched for ``soak_s``."""

    name: str
    regions: tuple[Region, ...]
    soak_s: float


@dataclass(frozen=True, slots=True)
class Geographic:
    """Region by region, each with ``inner``. ``ordered`` False releases all of them at once (D71 b)."""

    phases: tuple[RegionPhase, ...]
    inner: LocalStrategy
    ordered: bool = True
    refused_by: str = ""
    """Name of the ApplicationSet that generates the regions' Applications, if one does."""


def kind_of(strategy: Strategy) -> str:
    """The strategy's kind as tables show it where the scenario gives it no name of its own."""
    match strategy:
        case ArgoRollout():
            return "rollout"
        case RollingUpdate():
            return "rolling-update"
        case Geographic():
            return "geographic"
        case SwitchScript():
            return "blue-green"
        case SetImage():
            return "set-image"


LocalStrategy = ArgoRollout | RollingUpdate | SwitchScript | SetImage
Strategy = LocalStrategy | Geographic
