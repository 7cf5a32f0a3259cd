"""What the objects of a namespace say about routing, typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from harness.cluster.objects import Object
from scenarios.manifests.build import network
from sim.model.network import DestinationRule, Ingress, VirtualService
from sim.model.pods import Labels, labels_of, selects

SIDE: Final = "rolltwin.dev/side"
"""Annotation of every pod of the application: stable or candidate."""
NGINX: Final = "nginx.ingress.kubernetes.io/"
"""Prefix of the annotations that nginx' ingress controller reads."""


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod that is Ready and not being deleted."""

    name: str
    side: str
    address: str
    labels: Labels = ()
    ports: tuple[tuple[str, int], ...] = ()
    """(name, number) of its containers' ports."""


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A Service; ``ports`` are (number, target: a number or the name of a container's port)."""

    name: str
    selector: Labels = ()
    ports: tuple[tuple[int, int | str], ...] = ((80, 8080),)

    def target(self, pod: PodView, number: int) -> int:
        """The pod's port behind a port of the Service; behind its first one for 0 and for a port it does not have."""
        first = self.ports[0][1] if self.ports else 8080
        target = next((to for port, to in self.ports if port == number), first)
        if isinstance(target, int):
            return target
        return next((port for name, port in pod.ports if name == target), 8080)


@dataclass(frozen=True, slots=True)
class IngressView:
    """An Ingress and its annotations for nginx, without their prefix."""

    ingress: Ingress
    nginx: Labels = ()

    @property
    def is_canary(self) -> bool:
        """Whether it only takes a share of another one's requests."""
        return dict(self.nginx).get("canary") == "true"


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that decides which pod a request reaches; VirtualServices from the oldest on."""

    pods: tuple[PodView, ...] = ()
    services: Mapping[str, ServiceView] = field(default_factory=dict)
    virtual_services: tuple[VirtualService, ...] = ()
    destination_rules: tuple[DestinationRule, ...] = ()
    ingresses: tuple[IngressView, ...] = ()

    def selected(self, *selectors: Labels) -> tuple[PodView, ...]:
        """Pods that every selector selects, by name."""
        return tuple(pod for pod in self.pods if all(selects(one, pod.labels) for one in selectors))


def picture(objects: Mapping[str, Iterable[Object]], namespace: str = "default") -> Picture:
    """The picture of these objects (by the picture's own names), as if they were in the namespace that was written.

    A run has a namespace of its own; names of gateways and hosts are completed with that of the manifests.
    """
    vs, rules = (_by_age(objects.get(name, ())) for name in ("virtual_services", "destination_rules"))
    return Picture(
        tuple(sorted((_pod(one) for one in objects.get("pods", ()) if _is_ready(one)), key=lambda pod: pod.name)),
        {_name(one): _service(one) for one in objects.get("services", ())},
        tuple(network.virtual_service(one, _name(one), namespace) for one in vs),
        tuple(network.destination_rule(one, _name(one), namespace) for one in rules),
        tuple(_ingress(one) for one in _by_age(objects.get("ingresses", ()))),
    )


def _is_ready(pod: Object) -> bool:
    if "deletionTimestamp" in pod["metadata"] or SIDE not in pod["metadata"].get("annotations", {}):
        return False
    status = pod.get("status", {})
    conditions = {one["type"]: one["status"] for one in status.get("conditions", [])}
    return conditions.get("Ready") == "True" and bool(status.get("podIP"))


def _pod(pod: Object) -> PodView:
    meta = pod["metadata"]
    ports = (port for container in pod["spec"]["containers"] for port in container.get("ports", []))
    return PodView(
        meta["name"],
        meta["annotations"][SIDE],
        pod["status"]["podIP"],
        labels_of(meta.get("labels")),
        tuple((port.get("name", ""), port["containerPort"]) for port in ports),
    )


def _service(service: Object) -> ServiceView:
    spec = service.get("spec", {})
    ports = tuple((port["port"], port.get("targetPort", port["port"])) for port in spec.get("ports", []))
    return ServiceView(_name(service), labels_of(spec.get("selector")), ports)


def _ingress(ingress: Object) -> IngressView:
    annotations: dict[str, str] = ingress["metadata"].get("annotations") or {}
    nginx = {key.removeprefix(NGINX): text for key, text in annotations.items() if key.startswith(NGINX)}
    return IngressView(network.ingress(ingress, _name(ingress), ""), labels_of(nginx))


def _by_age(objects: Iterable[Object]) -> Sequence[Object]:
    """Istio goes by age; objects of one second by name."""
    return sorted(objects, key=lambda one: (one["metadata"].get("creationTimestamp", ""), _name(one)))


def _name(one: Mapping[str, Any]) -> str:
    return str(one["metadata"]["name"])
