"""Where a Rollout's pod template is, and the Rollout as the twin's rules read it."""

from __future__ import annotations

from dataclasses import replace

from harness.cluster.objects import Object
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
    spec = rollout(plan.workload, name, written.namespace)
    template = rollout({"spec": {"template": stable_template(plan)}}, name, written.namespace).template
    return known_to(scenario.controller, replace(spec, template=template))


def home_of(plan: Plan) -> tuple[str, str]:
    """(kind, name) of the object whose pod template is released: the Rollout, or the Deployment it refers to."""
    reference = (plan.workload["spec"].get("workloadRef") or {}).get("name", "")
    if reference:
        return "apps/v1/Deployment", reference
    return "argoproj.io/v1alpha1/Rollout", plan.workload["metadata"]["name"]


def stable_template(plan: Plan) -> Object:
    """The stable version's pod template."""
    kind, name = home_of(plan)
    if kind != "apps/v1/Deployment":
        own: Object = plan.workload["spec"]["template"]
        return own
    named = (one for one in plan.others if one["kind"] == "Deployment" and one["metadata"]["name"] == name)
    found: Object = next(named)["spec"]["template"]
    return found
