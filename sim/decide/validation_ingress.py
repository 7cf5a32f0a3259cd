"""What the controller refuses of the Ingresses and Ambassador Mappings a Rollout refers to.

Source: Argo Rollouts ``validation/validation_references.go:236-345``, ``rollout/controller.go:754-870``.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.decide.field_errors import Place, SpecError, internal, invalid, place
from sim.model.manifests import ManifestSet
from sim.model.network import AmbassadorMapping, Ingress
from sim.model.rollout import IngressRouting, RolloutSpec, TrafficRouting

_ROUTING = place("spec", "strategy", "canary", "trafficRouting")
_FIELDS = {"nginx": ("stableIngress", "stableIngresses"), "alb": ("ingress", "ingresses")}
_MAPPINGS = _ROUTING.at("ambassador", "mappings")


def missing_ingresses(spec: RolloutSpec, manifests: ManifestSet) -> Iterator[SpecError]:
    """Routers that name no Ingress or name it twice over, and Ingresses that do not exist."""
    routing = _routing(spec)
    if routing is None:
        return
    for router, written in _routers(routing):
        one, several = (name[0].upper() + name[1:] for name in _FIELDS[router])
        either = f"Either {one} or {several} must be configured."
        if written.one and written.several is not None:
            yield internal(_ROUTING.at(router), f"{either} Both are configured.")
        elif not written.one and written.several is None:
            yield internal(_ROUTING.at(router), f"{either} Neither are configured.")
    yield from _not_found(spec, routing, manifests)


def _not_found(spec: RolloutSpec, routing: TrafficRouting, manifests: ManifestSet) -> Iterator[SpecError]:
    """With both routers only those of the ALB are looked up."""
    for router, written in _routers(routing)[-1:]:
        for name in _names(written):
            if _ingress(name, spec, manifests) is None:
                value = written.one if written.several is None else list(written.several)
                yield invalid(_where(router, written), value, f'ingress.networking.k8s.io "{name}" not found')


def ingress_errors(spec: RolloutSpec, manifests: ManifestSet) -> Iterator[SpecError]:
    """Ingresses without a rule for the stable Service (ALB: the root Service, if one is named)."""
    routing = _routing(spec)
    if routing is None or spec.canary is None:
        return
    for router, written in _routers(routing)[-1:]:
        service = written.root_service or spec.canary.stable_service
        for name in _names(written):
            found = _ingress(name, spec, manifests)
            if found is not None and service not in found.backends:
                detail = f"ingress `{name}` has no rules using service {service} backend"
                yield invalid(_where(router, written), name, detail)


def missing_mappings(spec: RolloutSpec, manifests: ManifestSet) -> Iterator[SpecError]:
    """Ambassador routing without mappings, or with mappings that do not exist."""
    routing = _routing(spec)
    if routing is None or "ambassador" not in routing.kinds:
        return
    if not routing.mappings:
        yield invalid(_MAPPINGS, None, "must provide at least one mapping")
    for name in routing.mappings:
        if _mapping(name, spec, manifests) is None:
            yield invalid(_MAPPINGS, name, f'mappings.getambassador.io "{name}" not found')


def mapping_errors(spec: RolloutSpec, manifests: ManifestSet) -> Iterator[SpecError]:
    """Mappings that have a weight of their own."""
    routing = _routing(spec)
    for name in routing.mappings if routing is not None else ():
        found = _mapping(name, spec, manifests)
        if found is not None and found.weight:
            where = Place(_MAPPINGS.path, ("spec", "weight"))
            yield invalid(where, name, f'Ambassador mapping "{name}" can not define weight')


def _routing(spec: RolloutSpec) -> TrafficRouting | None:
    return spec.canary.traffic_routing if spec.canary is not None else None


def _routers(routing: TrafficRouting) -> list[tuple[str, IngressRouting]]:
    both = (("nginx", routing.nginx), ("alb", routing.alb))
    return [(router, written) for router, written in both if written is not None]


def _names(written: IngressRouting) -> tuple[str, ...]:
    if written.several is not None:
        return written.several
    return (written.one,) if written.one else ()


def _where(router: str, written: IngressRouting) -> Place:
    one, several = _FIELDS[router]
    return _ROUTING.at(router, one if written.several is None else several)


def _ingress(name: str, spec: RolloutSpec, manifests: ManifestSet) -> Ingress | None:
    named = (item for item in manifests.ingresses if (item.name, item.namespace) == (name, spec.namespace))
    return next(named, None)


def _mapping(name: str, spec: RolloutSpec, manifests: ManifestSet) -> AmbassadorMapping | None:
    named = (item for item in manifests.mappings if (item.name, item.namespace) == (name, spec.namespace))
    return next(named, None)
