"""Which workloads stand on the cluster: the strategy's own, and those that clients reach beside it, as in the twin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.gateway.entry import Entry, entry_of
from sim.decide.script import active_color, default_host, switch_route
from sim.decide.standing import standing_strategy
from sim.model.manifests import ManifestSet
from sim.model.network import RouteDestination
from sim.model.pods import DeploymentSpec, selects
from sim.model.rollout import RolloutSpec
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, Geographic, LocalStrategy, SwitchScript


@dataclass(frozen=True, slots=True)
class Chosen:
    """Names of the workloads; '' where there is none."""

    strategy: LocalStrategy | None
    """The strategy, or where its object does not exist the one that owns what serves meanwhile."""
    kind: str = ""
    """Of the workload that is released: Rollout or Deployment."""
    name: str = ""
    template_of: str = ""
    """Deployment that the Rollout's ``workloadRef`` names, if it has no template of its own."""
    beside: tuple[str, ...] = ()
    """Deployments that run the stable version throughout."""


def chosen(scenario: Scenario) -> Chosen:
    """The workloads of one region."""
    asked = scenario.strategy.inner if isinstance(scenario.strategy, Geographic) else scenario.strategy
    manifests = scenario.manifests
    strategy = standing_strategy(manifests, asked)
    others = tuple(one.name for one in _reached(scenario, strategy)) if strategy is not None else ()
    match strategy:
        case None:
            return Chosen(None)
        case ArgoRollout(name):
            spec = next(one for one in manifests.rollouts if one.name == name)
            known = any(one.name == spec.workload_ref for one in manifests.deployments)
            return Chosen(strategy, "Rollout", name, spec.workload_ref if known else "", others)
        case SwitchScript():
            return _colors(strategy, manifests, others)
        case _:
            return Chosen(strategy, "Deployment", strategy.deployment, beside=others)


def _colors(strategy: SwitchScript, manifests: ManifestSet, others: tuple[str, ...]) -> Chosen:
    """The idle colour is released; it may not be there."""
    routed = next((vs for vs in manifests.virtual_services if vs.name == strategy.virtual_service), None)
    active = active_color(strategy, default_host(strategy, routed))
    idle = strategy.deployment_prefix + switch_route(strategy, active).target
    named = [one.name for one in manifests.deployments]
    colors = [strategy.deployment_prefix + color for color in strategy.colors]
    standing = tuple(name for name in colors if name in named and name != idle)
    return Chosen(strategy, "Deployment", idle if idle in named else "", beside=(*standing, *others))


def _reached(scenario: Scenario, strategy: LocalStrategy) -> Iterator[DeploymentSpec]:
    """Deployments that are not the strategy's but that clients reach (``sim.engine.setup.bystanders``)."""
    manifests = scenario.manifests
    names = {
        host.partition(".")[0] for host in _called(scenario, strategy, entry_of(replace(scenario, strategy=strategy)))
    }
    spec = _rollout(manifests, strategy)
    names -= set(_managed(spec)) if spec is not None else set()
    selectors = [one.selector for one in manifests.services if one.name in names]
    for one in manifests.deployments:
        if not _owns(strategy, one, spec) and any(selects(selector, one.template.labels) for selector in selectors):
            yield one


def _called(scenario: Scenario, strategy: LocalStrategy, entry: Entry) -> Iterator[str]:
    """Hosts that requests may end at, but for the subsets that the controller narrows to its own pods."""
    spec = _rollout(scenario.manifests, strategy)
    routed = [vs for vs in scenario.manifests.virtual_services if set(vs.hosts) & set(entry.hosts)]
    ends: Iterator[RouteDestination] = (end for vs in routed for route in vs.http for end in route.destinations)
    yield from (end.host for end in ends if end.subset not in _narrowed(spec))
    meshless = any("mesh" not in vs.gateways for vs in routed) and scenario.client.in_mesh_share > 0
    if meshless or not routed:
        yield from (*entry.hosts, entry.service)


def _rollout(manifests: ManifestSet, strategy: LocalStrategy) -> RolloutSpec | None:
    name = strategy.rollout if isinstance(strategy, ArgoRollout) else None
    return next((one for one in manifests.rollouts if one.name == name), None)


def _narrowed(spec: RolloutSpec | None) -> tuple[str, ...]:
    routing = spec.canary.traffic_routing if spec is not None and spec.canary is not None else None
    rule = routing.destination_rule if routing is not None else None
    return tuple(filter(None, (rule.canary_subset, rule.stable_subset))) if rule is not None else ()


def _managed(spec: RolloutSpec) -> tuple[str, ...]:
    """Services that the controller points at its own pods."""
    if spec.blue_green is not None:
        return spec.blue_green.active_service, spec.blue_green.preview_service
    canary = spec.canary
    return (canary.stable_service, canary.canary_service, *(canary.ping_pong or ())) if canary is not None else ()


def _owns(strategy: LocalStrategy, deployment: DeploymentSpec, spec: RolloutSpec | None) -> bool:
    match strategy:
        case SwitchScript(deployment_prefix=prefix, colors=colors):
            return deployment.name in {prefix + color for color in colors}
        case ArgoRollout():
            return spec is not None and spec.workload_ref == deployment.name
        case _:
            return deployment.name == strategy.deployment
