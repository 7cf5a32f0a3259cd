"""Who refuses a release before anything happens, and in which words."""

from __future__ import annotations

from dataclasses import dataclass

from sim.decide.validation import invalid_spec_message, rollout_errors
from sim.model.memory import remembers_last
from sim.model.rollout import RolloutPhase
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, Geographic, LocalStrategy, RollingUpdate, SetImage


@dataclass(frozen=True, slots=True)
class Rejection:
    """``actor`` refused with ``reason``; ``phase_message`` is what the controller then shows, if it got that far."""

    actor: str
    reason: str
    phase_message: str = ""


@remembers_last
def rejection(scenario: Scenario, strategy: LocalStrategy) -> Rejection | None:
    """Why the release never starts, or None if it does."""
    match strategy:
        case ArgoRollout(name):
            return _rollout_rejection(scenario, name)
        case RollingUpdate(name) | SetImage(name):
            known = any(one.name == name for one in scenario.manifests.deployments)
            refusal = scenario.manifests.refusal("Deployment", name)
            if refusal is not None:
                return Rejection("api-server", refusal.message)
            return None if known else Rejection("api-server", not_found("deployments.apps", name))
        case _:
            return None


def geographic_rejection(scenario: Scenario, strategy: Geographic) -> Rejection | None:
    """Why the ApplicationSet generates nothing, or None: a refused document, or a value its engine cannot take."""
    name = strategy.refused_by
    refusal = scenario.manifests.refusal("ApplicationSet", name) if name else None
    if refusal is not None:
        return Rejection("argo-cd", refusal.message)
    found = next((one for one in scenario.manifests.application_sets if one.name == name), None)
    if found is None or found.go_template or not found.non_string_values:
        return None
    element, key = found.non_string_values[0]
    # Argo CD applicationset/generators/list.go: without goTemplate every value of a list element must be a string.
    return Rejection("argo-cd", f"error parsing value as string: element {element}, key {key}")


def not_found(resource: str, name: str) -> str:
    """The words of kubectl for an object that does not exist."""
    return f'Error from server (NotFound): {resource} "{name}" not found'


def _rollout_rejection(scenario: Scenario, name: str) -> Rejection | None:
    manifests = scenario.manifests
    spec = next((one for one in manifests.rollouts if one.name == name), None)
    if spec is None:
        return Rejection("api-server", not_found("rollouts.argoproj.io", name))
    errors = rollout_errors(spec, manifests, scenario.controller)
    message = f"InvalidSpec: {invalid_spec_message(errors)}" if errors else ""
    refusal = manifests.refusal("Rollout", name)
    if refusal is not None:
        pruned = f"; if those fields were pruned: {message}" if message else ""
        return Rejection("api-server", refusal.message + pruned)
    return Rejection("controller", f"{RolloutPhase.DEGRADED.value}, {message}", message) if errors else None
