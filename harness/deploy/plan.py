"""What is applied to the cluster for one run."""

from __future__ import annotations

from dataclasses import dataclass

from harness.cluster.objects import Object


@dataclass(frozen=True, slots=True)
class Plan:
    """Every object of the scenario as it is applied.

    ``workload`` is the Rollout or Deployment that is released (for a switch script the idle colour's Deployment), with
    the stable version's pod template; ``release_template`` is the candidate's. ``others`` are the remaining objects
    (Services, VirtualServices, DestinationRules, AnalysisTemplates, bystanding Deployments ...), in order of application.
    """

    workload: Object
    release_template: Object
    others: tuple[Object, ...]
    adaptations: tuple[str, ...]
    """What had to be changed and why, one sentence each; stated in every report."""
