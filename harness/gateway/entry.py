"""Whom clients call, and who the clients are: the twin's own rules, for scenarios that one gateway serves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sim.decide.istio.matching import MESH, gateway_name
from sim.decide.standing import workload_template
from sim.model.load import Client, LoadShape
from sim.model.manifests import ManifestSet
from sim.model.network import VirtualService
from sim.model.pods import Labels, selects
from sim.model.rollout import RolloutSpec
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, Geographic, LocalStrategy, SwitchScript


@dataclass(frozen=True, slots=True)
class Origin:
    """One kind of client; all but the first are told apart by their headers."""

    share: float = 1.0
    in_mesh: bool = False
    host: str = ""
    """A host of their own, if they call another one than the others do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What clients call: hosts of VirtualServices, or the paths of Ingresses, or one Service, or pods by their labels."""

    hosts: tuple[str, ...] = ()
    service: str = ""
    labels: Labels = ()
    """Of the workload's pods: they are called themselves where no Service leads to them."""
    gateways: tuple[str, ...] = ()
    """As ``namespace/name``; the gateway that clients come by."""
    ingresses: tuple[str, ...] = ()
    namespace: str = "default"
    origins: tuple[Origin, ...] = (Origin(),)
    """The ordinary ones first."""
    absent_is_empty: bool = False
    """Whether proxies follow a later Istio than 1.20 (``sim.decide.istio.matching``)."""


def entry_of(scenario: Scenario) -> Entry:
    """The entry of a scenario's clients."""
    strategy = scenario.strategy.inner if isinstance(scenario.strategy, Geographic) else scenario.strategy
    manifests = scenario.manifests
    routed = _routed(manifests, strategy)
    hosts = tuple(dict.fromkeys(host for vs in routed for host in vs.hosts))
    labels, managed = _workload(manifests, strategy)
    names = [tuple(gateway_name(one, vs.namespace) for one in vs.gateways if one != MESH) for vs in routed]
    return Entry(
        hosts,
        "" if hosts else _plain(manifests, labels, managed),
        labels,
        next((found[:1] for found in names if found), ()),
        _ingresses(manifests, strategy),
        next((vs.namespace for vs in routed), "default"),
        tuple(_origins(scenario.load, scenario.client, manifests, hosts)),
        scenario.cluster.istio != "istio-1.20",
    )


def _routed(manifests: ManifestSet, strategy: LocalStrategy) -> Sequence[VirtualService]:
    """The VirtualServices that the strategy names, else those that lead to the workload's pods."""
    written = manifests.virtual_services
    if isinstance(strategy, SwitchScript):
        return [vs for vs in written if vs.name == strategy.virtual_service]
    spec = _rollout(manifests, strategy)
    routing = spec.canary.traffic_routing if spec is not None and spec.canary is not None else None
    if routing is not None:
        named = {one.name.partition(".")[0] for one in routing.virtual_services}
        found = [vs for vs in written if vs.name in named]
        if any(vs.hosts for vs in found) or routing.nginx is not None:
            return found
    labels, _ = _workload(manifests, strategy)
    return [vs for vs in written if _leads_to(vs, manifests, labels)]


def _leads_to(vs: VirtualService, manifests: ManifestSet, labels: Labels) -> bool:
    selectors = {service.name: service.selector for service in manifests.services}
    ends = (one.host.partition(".")[0] for route in vs.http for one in route.destinations)
    return any(selects(selectors.get(end, ()), labels) for end in ends)


def _workload(manifests: ManifestSet, strategy: LocalStrategy) -> tuple[Labels, tuple[str, ...]]:
    """(labels of the workload's pods, Services that its controller manages)."""
    spec = _rollout(manifests, strategy)
    if spec is not None:
        return workload_template(spec, manifests).labels, tuple(_managed(spec))
    name = getattr(strategy, "deployment", "")
    deployment = next((one for one in manifests.deployments if one.name == name), None)
    return (deployment.template.labels if deployment is not None else ()), ()


def _rollout(manifests: ManifestSet, strategy: LocalStrategy) -> RolloutSpec | None:
    name = strategy.rollout if isinstance(strategy, ArgoRollout) else ""
    return next((one for one in manifests.rollouts if one.name == name), None)


def _managed(spec: RolloutSpec) -> Iterator[str]:
    names: tuple[str, ...] = ()
    if spec.blue_green is not None:
        names = (spec.blue_green.active_service, spec.blue_green.preview_service)
    elif spec.canary is not None:
        names = (spec.canary.stable_service, spec.canary.canary_service, *(spec.canary.ping_pong or ()))
    yield from (name for name in names if name)


def _plain(manifests: ManifestSet, labels: Labels, managed: Sequence[str]) -> str:
    """A Service over all pods first (a basic canary splits by pods), else the stable or active one."""
    fitting = [one.name for one in manifests.services if selects(one.selector, labels)]
    return next((name for name in fitting if name not in managed), managed[0] if managed else "")


def _ingresses(manifests: ManifestSet, strategy: LocalStrategy) -> tuple[str, ...]:
    """The Ingresses that nginx splits."""
    spec = _rollout(manifests, strategy)
    routing = spec.canary.traffic_routing if spec is not None and spec.canary is not None else None
    if routing is None or routing.nginx is None:
        return ()
    return routing.nginx.several or (routing.nginx.one,)


def _origins(load: LoadShape, client: Client, manifests: ManifestSet, hosts: Sequence[str]) -> Iterator[Origin]:
    """The ordinary clients by where they come from, then the hosts that classes of requests call for themselves."""
    sharing = [vs for vs in manifests.virtual_services if set(vs.hosts) & set(hosts)]
    only_mesh = bool(sharing) and all(set(vs.gateways) == {MESH} for vs in sharing)
    said = any(one.in_mesh or one.gateway or one.host for one in load.classes) or client.in_mesh_share > 0
    inside = 1.0 if only_mesh and not said else client.in_mesh_share
    if inside < 1:
        yield Origin(1 - inside)
    if inside > 0 or any(one.in_mesh for one in load.classes):
        yield Origin(inside, in_mesh=True)
    for in_mesh, host in dict.fromkeys((one.in_mesh, one.host) for one in load.classes if one.host):
        yield Origin(0.0, in_mesh, host)
