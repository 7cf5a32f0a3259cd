"""All objects of one set of manifests, typed, and what the cluster would refuse of them."""

from __future__ import annotations

from dataclasses import dataclass

from sim.model.analysis import AnalysisTemplate
from sim.model.gitops import Application, ApplicationSet, AppProject
from sim.model.network import AmbassadorMapping, DestinationRule, GatewayRoute, Ingress, ServiceSpec, VirtualService
from sim.model.pods import DeploymentSpec
from sim.model.rollout import RolloutSpec


@dataclass(frozen=True, slots=True)
class Refusal:
    """An object (or a whole document) that ``kubectl apply`` would refuse, in the API server's words."""

    kind: str
    name: str
    message: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class ManifestSet:
    """Everything that was read.

    ``refusals`` name objects that are *also* listed here, read as if the offending fields had been pruned, so that
    the report can say what would go wrong next.
    """

    rollouts: tuple[RolloutSpec, ...] = ()
    analysis_templates: tuple[AnalysisTemplate, ...] = ()
    deployments: tuple[DeploymentSpec, ...] = ()
    services: tuple[ServiceSpec, ...] = ()
    virtual_services: tuple[VirtualService, ...] = ()
    destination_rules: tuple[DestinationRule, ...] = ()
    applications: tuple[Application, ...] = ()
    application_sets: tuple[ApplicationSet, ...] = ()
    projects: tuple[AppProject, ...] = ()
    ingresses: tuple[Ingress, ...] = ()
    gateway_routes: tuple[GatewayRoute, ...] = ()
    mappings: tuple[AmbassadorMapping, ...] = ()
    other_workloads: tuple[tuple[str, str, str], ...] = ()
    """(kind, namespace, name) of what ``workloadRef`` may also name and the twin does not read."""
    refusals: tuple[Refusal, ...] = ()

    def refusal(self, kind: str, name: str) -> Refusal | None:
        """The first refusal of this object, or None if it would be accepted."""
        return next((r for r in self.refusals if (r.kind, r.name) == (kind, name)), None)
