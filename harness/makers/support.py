"""What the twin's controller cannot do on a cluster, said before a run begins."""

from __future__ import annotations

import json

from harness.makers.routers import WRITTEN
from harness.missing import Missing, need
from sim.decide.templates import TemplateError, templates_of
from sim.model.manifests import ManifestSet
from sim.model.operations import Command
from sim.model.rollout import RolloutSpec
from sim.model.scenario import Scenario

_INSTEAD = "Use --controller argo, or the twin alone."


def check(scenario: Scenario, spec: RolloutSpec) -> None:
    """MissingError with everything that this Rollout asks for and nobody would do."""
    steps = spec.canary.steps if spec.canary is not None else ()
    routing = spec.canary.traffic_routing if spec.canary is not None else None
    unknown = sorted(set(routing.kinds) - WRITTEN) if routing is not None else []
    need(
        Missing("a controller for Experiments", "the twin's controller runs no experiment steps on a cluster", _INSTEAD)
        if any(step.experiment for step in steps)
        else None,
        Missing("a controller for step plugins", "no plugin runs outside of Argo Rollouts", _INSTEAD)
        if any(step.plugin for step in steps)
        else None,
        Missing(
            f"a hand for {', '.join(unknown)}", "the twin's controller writes Istio's and nginx' objects only", _INSTEAD
        )
        if unknown
        else None,
        Missing("a second release", "only one is built for a cluster run, and an operation applies another", _INSTEAD)
        if any(one.do is Command.APPLY for one in scenario.operations)
        else None,
        Missing("Datadog", "an analysis asks for it, and a cluster run has a Prometheus only", "Use the twin alone.")
        if _asks(scenario.manifests, spec, "datadog")
        else None,
    )


def _asks(manifests: ManifestSet, spec: RolloutSpec, provider: str) -> bool:
    """Whether any analysis of the Rollout asks this provider."""
    for reference in spec.analyses:
        try:
            templates = templates_of(reference.templates, manifests, spec.namespace)
        except TemplateError:
            continue  # the controller says so when it comes to it
        texts = [text for template in templates for text in template.metrics_json]
        if any(provider in (json.loads(text).get("provider") or {}) for text in texts):
            return True
    return False
