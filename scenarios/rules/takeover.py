"""RT92x: what the controller takes out of the Istio objects that it manages."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.findings import Severity
from scenarios.manifests import Document
from scenarios.rules.aborts import written_rollouts
from scenarios.rules.context import Context
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.tree import entries, text, whole
from sim.decide.istio.rewriting import http_targets, short
from sim.model.network import VirtualService
from sim.model.rollout import CanaryStrategy, IstioVirtualService, RolloutSpec


def destination_deleted(context: Context) -> Iterator[Hit]:
    """Weighted destinations of a managed route that are neither canary nor stable (``istio.go:232-266``)."""
    for rollout, canary, use, document in _managed(context):
        served = _typed(context, document)
        own = {canary.canary_service, canary.stable_service, *(canary.ping_pong or ())} - {""}
        for route in http_targets(use.routes, served.http) if served else ():
            for path, item in entries(document.data, "spec", "http", route, "route"):
                host, subset = text(item, "destination", "host"), text(item, "destination", "subset")
                is_own = short(host) in own or subset in _subsets(canary, additional=True)
                if not is_own and short(host) and whole(item.get("weight")):
                    message = (
                        f"destination {host!r}{f' subset {subset!r}' if subset else ''} is deleted from VirtualService "
                        f"{document.name!r} as soon as Rollout {rollout.name!r} writes weights: it is neither its canary nor "
                        f"its stable version"
                    )
                    yield Hit(document, path, message)


def subset_deleted(context: Context) -> Iterator[Hit]:
    """Subsets of a managed DestinationRule beside canary and stable (``istio.go:436-462``)."""
    for _, spec in written_rollouts(context):
        routing = spec.canary.traffic_routing if spec.canary else None
        if spec.canary is None or routing is None or routing.destination_rule is None:
            continue
        rule = context.find("DestinationRule", routing.destination_rule.name, spec.namespace)
        for path, item in entries(rule.data, "spec", "subsets") if rule is not None else ():
            name = text(item, "name")
            if rule is not None and name and name not in _subsets(spec.canary, additional=False):
                message = (
                    f"subset {name!r} is deleted from DestinationRule {rule.name!r} as soon as Rollout {spec.name!r} writes "
                    f"it: only the canary's and the stable version's stay"
                )
                yield Hit(rule, path, message)


def _subsets(canary: CanaryStrategy, *, additional: bool) -> set[str]:
    rule = canary.traffic_routing.destination_rule if canary.traffic_routing else None
    if rule is None:
        return set()
    return {rule.canary_subset, rule.stable_subset, *(rule.additional_subsets if additional else ())} - {""}


def _managed(context: Context) -> Iterator[tuple[RolloutSpec, CanaryStrategy, IstioVirtualService, Document]]:
    """(Rollout, its strategy, which routes it takes, the VirtualService)."""
    for _, spec in written_rollouts(context):
        routing = spec.canary.traffic_routing if spec.canary else None
        for use in routing.virtual_services if routing is not None else ():
            name, _, namespace = use.name.partition(".")
            document = context.find("VirtualService", name, namespace or spec.namespace)
            if spec.canary is not None and document is not None:
                yield spec, spec.canary, use, document


def _typed(context: Context, document: Document) -> VirtualService | None:
    named = (document.name, document.namespace or "default")
    return next((vs for vs in context.manifests.virtual_services if (vs.name, vs.namespace) == named), None)


RULES = (
    Rule("RT921", "destination-deleted", Severity.WARNING,
         "In a managed route the controller keeps the canary's and the stable version's destinations, those without weight "
         "and (since 1.9) those of additionalSubsetNames; every other is deleted.",
         "put it into a route of its own, or name its subset under destinationRule.additionalSubsetNames", destination_deleted),
    Rule("RT922", "subset-deleted", Severity.WARNING,
         "The controller writes a managed DestinationRule with two subsets (and those of a running experiment); routes to "
         "any other then answer 503.",
         "define other subsets in a DestinationRule of their own; Istio merges several of one host", subset_deleted),
)  # fmt: skip
