"""Rollouts: the object, its two strategies and their routers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scenarios.manifests.build.analysis import optional_reference
from scenarios.manifests.build.reading import (
    any_int_or_percent,
    flag,
    integer,
    labels,
    mapping,
    mappings,
    text,
    texts,
)  # fmt: skip
from scenarios.manifests.build.steps import step
from scenarios.manifests.build.templates import selector_problems, template_problems
from scenarios.manifests.build.workloads import pod_template
from sim.model.network import Layer
from sim.model.pods import AntiAffinity, FieldProblem, labels_of
from sim.model.rollout import (
    BlueGreenStrategy,
    CanaryStrategy,
    ConnectionTarget,
    EphemeralMetadata,
    IngressRouting,
    IstioDestinationRule,
    IstioVirtualService,
    RolloutSpec,
    Threshold,
    TrafficRouting,
)  # fmt: skip

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_ROUTERS = frozenset({"istio", "nginx", "alb", "smi", "traefik", "ambassador", "apisix", "appMesh"})


def rollout(data: dict[str, Any], name: str, namespace: str) -> RolloutSpec:
    """A Rollout; with ``workloadRef`` the template is the Deployment's and is filled in by whoever has it."""
    spec = mapping(data, "spec")
    strategy = mapping(spec, "strategy")
    return RolloutSpec(
        name=name,
        namespace=namespace,
        replicas=integer(spec, "replicas"),
        selector=labels(spec, "selector", "matchLabels"),
        template=pod_template(mapping(spec, "template")),
        canary=_canary(mapping(strategy, "canary")) if isinstance(strategy.get("canary"), dict) else None,
        blue_green=_blue_green(mapping(strategy, "blueGreen")) if isinstance(strategy.get("blueGreen"), dict) else None,
        paused=flag(spec, "paused"),
        min_ready_s=integer(spec, "minReadySeconds") or 0,
        progress_deadline_s=integer(spec, "progressDeadlineSeconds"),
        progress_deadline_abort=flag(spec, "progressDeadlineAbort"),
        revision_history_limit=integer(spec, "revisionHistoryLimit"),
        rollback_window_revisions=integer(spec, "rollbackWindow", "revisions"),
        successful_run_history_limit=integer(spec, "analysis", "successfulRunHistoryLimit"),
        unsuccessful_run_history_limit=integer(spec, "analysis", "unsuccessfulRunHistoryLimit"),
        workload_ref=text(spec, "workloadRef", "name"),
        workload=labels(spec, "workloadRef"),
        selector_is_written=isinstance(spec.get("selector"), dict),
        problems=_problems(spec),
    )


def _problems(spec: dict[str, Any]) -> tuple[FieldProblem, ...]:
    """Those of the selector and of the template, which has to be empty with a ``workloadRef``."""
    if mapping(spec, "workloadRef"):
        return ()
    written = spec.get("selector")
    in_selector = selector_problems(written) if isinstance(written, dict) else ()
    return (*in_selector, *template_problems(mapping(spec, "template")))


def _canary(data: dict[str, Any]) -> CanaryStrategy:
    ping_pong = data.get("pingPong")
    return CanaryStrategy(
        steps=tuple(step(entry) for entry in mappings(data, "steps")),
        canary_service=text(data, "canaryService"),
        stable_service=text(data, "stableService"),
        traffic_routing=_routing(mapping(data, "trafficRouting"))
        if isinstance(data.get("trafficRouting"), dict)
        else None,
        max_surge=any_int_or_percent(data, "maxSurge"),
        max_unavailable=any_int_or_percent(data, "maxUnavailable"),
        analysis=optional_reference(data, "analysis"),
        anti_affinity=_anti_affinity(data),
        anti_affinity_weight=integer(data, "antiAffinity", _PREFERRED, "weight"),
        scale_down_delay_s=integer(data, "scaleDownDelaySeconds"),
        scale_down_delay_revision_limit=integer(data, "scaleDownDelayRevisionLimit"),
        abort_scale_down_delay_s=integer(data, "abortScaleDownDelaySeconds"),
        dynamic_stable_scale=flag(data, "dynamicStableScale"),
        min_pods_per_replica_set=integer(data, "minPodsPerReplicaSet"),
        replica_progress_threshold=_threshold(mapping(data, "replicaProgressThreshold")),
        canary_metadata=_metadata(data, "canaryMetadata"),
        stable_metadata=_metadata(data, "stableMetadata"),
        ping_pong=(text(ping_pong, "pingService"), text(ping_pong, "pongService"))
        if isinstance(ping_pong, dict)
        else None,
    )


def _blue_green(data: dict[str, Any]) -> BlueGreenStrategy:
    automatic = data.get("autoPromotionEnabled")
    return BlueGreenStrategy(
        active_service=text(data, "activeService"),
        preview_service=text(data, "previewService"),
        preview_replica_count=integer(data, "previewReplicaCount"),
        auto_promotion_enabled=automatic if isinstance(automatic, bool) else None,
        auto_promotion_s=integer(data, "autoPromotionSeconds") or 0,
        scale_down_delay_s=integer(data, "scaleDownDelaySeconds"),
        scale_down_delay_revision_limit=integer(data, "scaleDownDelayRevisionLimit"),
        abort_scale_down_delay_s=integer(data, "abortScaleDownDelaySeconds"),
        max_unavailable=any_int_or_percent(data, "maxUnavailable"),
        pre_promotion=optional_reference(data, "prePromotionAnalysis"),
        post_promotion=optional_reference(data, "postPromotionAnalysis"),
        anti_affinity=_anti_affinity(data),
        anti_affinity_weight=integer(data, "antiAffinity", _PREFERRED, "weight"),
        active_metadata=_metadata(data, "activeMetadata"),
        preview_metadata=_metadata(data, "previewMetadata"),
    )


def _anti_affinity(data: dict[str, Any]) -> tuple[AntiAffinity, ...]:
    """The rules written; ``{}`` is a rule, for the controller tests the pointer only. A block without one is NONE."""
    block = data.get("antiAffinity")
    if not isinstance(block, dict):
        return ()
    rules = ((_PREFERRED, AntiAffinity.PREFERRED), (_REQUIRED, AntiAffinity.REQUIRED))
    return tuple(rule for key, rule in rules if isinstance(block.get(key), dict)) or (AntiAffinity.NONE,)


def _threshold(data: dict[str, Any]) -> Threshold | None:
    amount = integer(data, "value")
    return None if amount is None else Threshold(text(data, "type"), amount)


def _metadata(data: dict[str, Any], key: str) -> EphemeralMetadata | None:
    block = mapping(data, key)
    return EphemeralMetadata(labels(block, "labels"), labels(block, "annotations")) if block else None


def _routing(data: dict[str, Any]) -> TrafficRouting:
    istio = mapping(data, "istio")
    singular = mapping(istio, "virtualService")
    several = list(mappings(istio, "virtualServices"))
    gateway = mapping(data, "plugins", "argoproj-labs/gatewayAPI")
    return TrafficRouting(
        kinds=tuple(_routers(data)),
        virtual_services=tuple(_virtual_service(entry) for entry in ([singular] if singular else []) + several),
        singular_and_plural=bool(singular) and bool(several),
        destination_rule=_destination_rule(mapping(istio, "destinationRule")),
        managed_routes=_managed_routes(data) if isinstance(data.get("managedRoutes"), list) else None,
        max_weight=integer(data, "maxTrafficWeight"),
        nginx=_ingresses(data, "nginx", "stableIngress"),
        alb=_ingresses(data, "alb", "ingress"),
        mappings=texts(data, "ambassador", "mappings"),
        gateway_routes=tuple(_gateway_routes(gateway)),
        header_gateway_routes=tuple(_gateway_routes(gateway, with_headers=True)),
        gateway_namespace=text(gateway, "namespace"),
    )


def _routers(data: dict[str, Any]) -> Iterator[str]:
    """The routers named, sorted; an empty block counts, as a pointer of the controller's does, an empty map does not."""
    yield from sorted(kind for kind in data if kind in _ROUTERS and isinstance(data[kind], dict))
    if mapping(data, "plugins"):
        yield "plugins"


def _managed_routes(data: dict[str, Any]) -> tuple[str, ...]:
    return tuple(text(entry, "name") for entry in mappings(data, "managedRoutes"))


def _gateway_routes(data: dict[str, Any], *, with_headers: bool = False) -> Iterator[str]:
    """HTTPRoutes that the Gateway API plugin writes weights (or header routes too) into (plugin.go:350-356)."""
    listed = mappings(data, "httpRoutes")
    yield from (text(entry, "name") for entry in listed if flag(entry, "useHeaderRoutes") or not with_headers)
    if name := text(data, "httpRoute"):
        yield name


def _ingresses(data: dict[str, Any], router: str, field: str) -> IngressRouting | None:
    block = data.get(router)
    if not isinstance(block, dict):
        return None
    plural = "stableIngresses" if router == "nginx" else "ingresses"
    several = texts(block, plural) if isinstance(block.get(plural), list) else None
    written = mapping(block, "additionalIngressAnnotations") | mapping(block, "canaryIngressAnnotations")
    notes = {name.rpartition("/")[2]: note for name, note in written.items() if isinstance(note, str)}
    return IngressRouting(text(block, field), several, text(block, "rootService"), labels_of(notes))


def _virtual_service(data: dict[str, Any]) -> IstioVirtualService:
    targets = tuple(
        ConnectionTarget(layer, integer(entry, "port") or 0, texts(entry, "sniHosts"))
        for layer in Layer
        for entry in mappings(data, f"{layer.value}Routes")
    )
    return IstioVirtualService(text(data, "name"), texts(data, "routes"), targets)


def _destination_rule(data: dict[str, Any]) -> IstioDestinationRule | None:
    if not data:
        return None
    return IstioDestinationRule(
        text(data, "name"),
        text(data, "canarySubsetName"),
        text(data, "stableSubsetName"),
        texts(data, "additionalSubsetNames"),
    )
