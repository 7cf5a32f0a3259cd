"""What nobody can do about a Rollout on a cluster, said before a run begins."""

from __future__ import annotations

import json
from collections.abc import Iterator

from harness.makers.routers import WRITTEN
from harness.missing import Missing, need
from sim.decide.templates import TemplateError, templates_of
from sim.model.manifests import ManifestSet
from sim.model.operations import Command
from sim.model.rollout import RolloutSpec
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, LocalStrategy

_INSTEAD = "Use --controller argo, or the twin alone."
_ALONE = "Use the twin alone."


def check(scenario: Scenario, strategy: LocalStrategy, *, twin: bool) -> None:
    """MissingError with everything that a Rollout asks for and nobody would do; ``twin`` is who decides about it."""
    spec = next((one for one in scenario.manifests.rollouts if strategy == ArgoRollout(one.name)), None)
    if spec is None:
        return
    lacking = [*_of_any(scenario, spec)]
    if twin:
        lacking += _of_twin(spec)
    need(*lacking)


def _of_any(scenario: Scenario, spec: RolloutSpec) -> Iterator[Missing]:
    if _asks(scenario.manifests, spec, "datadog"):
        yield Missing("Datadog", "an analysis asks for it, and a cluster run has a Prometheus only", _ALONE)
    if any(one.do is Command.APPLY for one in scenario.operations):
        yield Missing(
            "a second release", "only one is made for a cluster run, and an operation applies another", _ALONE
        )


def _of_twin(spec: RolloutSpec) -> Iterator[Missing]:
    steps = spec.canary.steps if spec.canary is not None else ()
    routing = spec.canary.traffic_routing if spec.canary is not None else None
    unknown = sorted(set(routing.kinds) - WRITTEN) if routing is not None else []
    if any(step.experiment for step in steps):
        yield Missing("a controller for Experiments", "the twin's controller runs none on a cluster", _INSTEAD)
    if any(step.plugin for step in steps):
        yield Missing("a controller for step plugins", "no plugin runs outside of Argo Rollouts", _INSTEAD)
    if unknown:
        why = "the twin's controller writes Istio's and nginx' objects only"
        yield Missing(f"a hand for {', '.join(unknown)}", why, _INSTEAD)


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
