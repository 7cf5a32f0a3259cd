"""A Rollout as the twin's rules read it, once it has been planned for a cluster."""

from __future__ import annotations

from harness.deploy.plan import Plan
from scenarios.document import Loaded
from scenarios.manifests.build.rollouts import rollout
from sim.decide.releases import known_to
from sim.model.rollout import RolloutSpec


def spec_of(plan: Plan, loaded: Loaded) -> RolloutSpec:
    """The Rollout as it is applied, in the namespace that its manifests name: templates are looked up there."""
    scenario = loaded.scenario
    name = plan.workload["metadata"]["name"]
    written = next(one for one in scenario.manifests.rollouts if one.name == name)
    return known_to(scenario.controller, rollout(plan.workload, name, written.namespace))
