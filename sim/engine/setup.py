"""What clients call, which objects take part, and what the stable version alone is expected to fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sim.decide.istio.matching import MESH, gateway_name
from sim.decide.services import service_names, with_sides
from sim.decide.standin import SYNTHETIC, stand_in
from sim.decide.standing import workload_template
from sim.decide.templates import TemplateError, templates_of
from sim.engine.callers import Entry
from sim.engine.destinations import Network
from sim.engine.telemetry import Eyes
from sim.model.analysis import AnalysisTemplate
from sim.model.manifests import ManifestSet
from sim.model.network import VirtualService
from sim.model.pods import DeploymentSpec, Labels, selects
from sim.model.rollout import RolloutSpec
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, LocalStrategy, SwitchScript

UNWRITTEN: Final = "unwritten-service"
"""Stands for a Service over the workload's pods where the manifests have none."""


def network_and_entry(
    manifests: ManifestSet, strategy: LocalStrategy, istio: str = "istio-1.20"
) -> tuple[Network, Entry]:
    """The written network and where clients enter it.

    A canary's own VirtualServices (or the router it names) and a script's VirtualService say the hosts; otherwise the
    VirtualServices that lead to the workload's pods do, and without any a plain Service that selects them.
    """
    network = Network.of(manifests, istio)
    if isinstance(strategy, SwitchScript):
        return network, entry_of(
            [vs for vs in network.virtual_services.values() if vs.name == strategy.virtual_service]
        )
    labels, managed = _workload(manifests, strategy)
    if isinstance(strategy, ArgoRollout):
        spec = next(one for one in manifests.rollouts if one.name == strategy.rollout)
        made = stand_in(with_sides(spec), manifests)
        if made is not None and spec.canary is not None and spec.canary.traffic_routing is not None:
            network.virtual_services[SYNTHETIC] = made
            return network, replace(entry_of([made]), router=next(iter(spec.canary.traffic_routing.kinds), ""))
        routed = _routed(spec, network)
        if any(vs.hosts for vs in routed):
            return network, entry_of(routed)
    leading = [vs for vs in network.virtual_services.values() if _leads_to(vs, network, labels)]
    if leading:
        return network, entry_of(leading)
    plain = _plain(network, labels, managed)
    if plain not in network.services:
        # Whatever reaches the pods today is not in the manifests; it goes on doing so.
        network.services[UNWRITTEN] = labels
        plain = UNWRITTEN
    return network, Entry(service=plain)


def bystanders(
    scenario: Scenario, strategy: LocalStrategy, network: Network, entry: Entry
) -> tuple[DeploymentSpec, ...]:
    """Deployments that the strategy does not own but that clients reach: they go on with the stable version.

    They matter where two ways of releasing share a host (audit D32, D33, D48). A host's own Service is reached only
    by callers whom no VirtualService catches.
    """
    manifests = scenario.manifests
    _, managed = _workload(manifests, strategy)
    reached = [vs for vs in network.virtual_services.values() if set(vs.hosts) & set(entry.hosts)]
    ends = [destination for vs in reached for route in vs.http for destination in route.destinations]
    # The controller narrows its own subsets to its own pods.
    hosts = [end.host for end in ends if end.subset not in _managed_subsets(manifests, strategy)]
    meshless = any("mesh" not in vs.gateways for vs in reached) and scenario.client.in_mesh_share > 0
    plain = (*entry.hosts, entry.service) if meshless or not reached else ()
    names = {host.partition(".")[0]: None for host in (*hosts, *plain)}
    selectors = [network.services[name] for name in names if name in network.services and name not in managed]
    return tuple(
        one
        for one in manifests.deployments
        if not _owns(strategy, one, manifests) and any(selects(selector, one.template.labels) for selector in selectors)
    )


def _owns(strategy: LocalStrategy, deployment: DeploymentSpec, manifests: ManifestSet) -> bool:
    match strategy:
        case SwitchScript(deployment_prefix=prefix, colors=colors):
            return deployment.name in {prefix + color for color in colors}
        case ArgoRollout(name):
            return any(one.workload_ref == deployment.name for one in manifests.rollouts if one.name == name)
        case _:
            return deployment.name == strategy.deployment


def entry_of(virtual_services: Sequence[VirtualService]) -> Entry:
    """The hosts of these VirtualServices, by the gateways of the first that has one."""
    named = [tuple(gateway_name(one, vs.namespace) for one in vs.gateways if one != MESH) for vs in virtual_services]
    return Entry(
        tuple(dict.fromkeys(host for vs in virtual_services for host in vs.hosts)),
        gateways=next((names[:1] for names in named if names), ()),
        namespace=next((vs.namespace for vs in virtual_services), "default"),
    )


def _routed(spec: RolloutSpec, network: Network) -> list[VirtualService]:
    """The VirtualServices that a canary names."""
    routing = spec.canary.traffic_routing if spec.canary is not None else None
    names = [one.name.partition(".")[0] for one in routing.virtual_services] if routing is not None else []
    return [network.virtual_services[name] for name in names if name in network.virtual_services]


def _workload(manifests: ManifestSet, strategy: LocalStrategy) -> tuple[Labels, tuple[str, ...]]:
    """(labels of the workload's pods, Services its controller manages)."""
    if isinstance(strategy, ArgoRollout):
        spec = next(one for one in manifests.rollouts if one.name == strategy.rollout)
        return workload_template(spec, manifests).labels, service_names(spec)
    name = getattr(strategy, "deployment", "")
    deployment = next((one for one in manifests.deployments if one.name == name), None)
    return (deployment.template.labels if deployment else ()), ()


def _managed_subsets(manifests: ManifestSet, strategy: LocalStrategy) -> tuple[str, ...]:
    if not isinstance(strategy, ArgoRollout):
        return ()
    spec = next(one for one in manifests.rollouts if one.name == strategy.rollout)
    routing = spec.canary.traffic_routing if spec.canary is not None else None
    rule = routing.destination_rule if routing is not None else None
    return tuple(filter(None, (rule.canary_subset, rule.stable_subset))) if rule is not None else ()


def _leads_to(vs: VirtualService, network: Network, labels: Labels) -> bool:
    destinations = [destination for route in vs.http for destination in route.destinations]
    return any(selects(network.services.get(one.host.partition(".")[0], ()), labels) for one in destinations)


def _plain(network: Network, labels: Labels, managed: tuple[str, ...]) -> str:
    """A Service over all pods first (a basic canary splits by pods), else the stable or active one."""
    fitting = [name for name, selector in network.services.items() if selects(selector, labels)]
    return next((name for name in fitting if name not in managed), managed[0] if managed else "")


def _templates(manifests: ManifestSet, rollout: str) -> tuple[AnalysisTemplate, ...]:
    """The templates that this Rollout's analyses name, with those they name; every one if a name leads nowhere."""
    spec = next((spec for spec in manifests.rollouts if spec.name == rollout), None)
    if spec is None:
        return ()
    references = [template for ref in spec.analyses for template in ref.templates]
    try:
        return templates_of(references, manifests, spec.namespace)
    except TemplateError:
        return manifests.analysis_templates


def eyes_of(manifests: ManifestSet, strategy: LocalStrategy) -> Eyes:
    """Which series anybody queries: analysis templates for a Rollout, PromQL for a script, nothing for Deployments."""
    if isinstance(strategy, SwitchScript):
        return Eyes(prometheus=strategy.error_query + strategy.latency_query)
    if not isinstance(strategy, ArgoRollout):
        return Eyes()
    texts = [text for template in _templates(manifests, strategy.rollout) for text in template.metrics_json]
    return Eyes(*("\n".join(text for text in texts if f'"{kind}"' in text) for kind in ("prometheus", "datadog")))
