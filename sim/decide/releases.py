"""A Rollout and a metric as an older release knows them: fields that came later are not there.

A cluster with that release's CRDs prunes them (``pkg/apis/rollouts/v1alpha1`` of each release). How the releases decide
differently about the same fields stands where they decide.
"""

from __future__ import annotations

from dataclasses import replace

from sim.model.analysis import Metric
from sim.model.controller import Controller
from sim.model.rollout import CanaryStrategy, RolloutSpec


def known_to(controller: Controller, spec: RolloutSpec) -> RolloutSpec:
    """The Rollout without what this release does not know."""
    return spec if spec.canary is None else replace(spec, canary=_canary(controller, spec.canary))


def _canary(controller: Controller, canary: CanaryStrategy) -> CanaryStrategy:
    if not controller.is_since(Controller.ARGO_1_7) and canary.traffic_routing is not None:
        canary = replace(canary, traffic_routing=replace(canary.traffic_routing, max_weight=None))
    if not controller.is_since(Controller.ARGO_1_8):
        canary = replace(canary, steps=tuple(replace(step, plugin=None) for step in canary.steps))
    if not controller.is_since(Controller.ARGO_1_9):
        canary = replace(canary, replica_progress_threshold=None)
    return canary


def metric_known_to(controller: Controller, metric: Metric) -> Metric:
    """The metric without what this release does not know."""
    return metric if controller.is_since(Controller.ARGO_1_8) else replace(metric, consecutive_success_limit=None)
