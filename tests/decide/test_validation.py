from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from sim.decide.validation import invalid_spec_message, rollout_errors
from sim.model.analysis import AnalysisRef, AnalysisTemplate, Argument, SecretRef, TemplateRef
from sim.model.controller import Controller
from sim.model.manifests import ManifestSet
from sim.model.network import (
    AmbassadorMapping,
    ConnectionRoute,
    HttpRoute,
    Ingress,
    IngressPath,
    Layer,
    RouteDestination,
    ServiceSpec,
    VirtualService,
)
from sim.model.pods import AntiAffinity, DeploymentSpec, PodTemplate, labels_of
from sim.model.rollout import (
    BlueGreenStrategy,
    CanaryScale,
    CanaryStep,
    CanaryStrategy,
    ConnectionTarget,
    Experiment,
    ExperimentTemplate,
    HeaderMatch,
    HeaderRoute,
    IngressRouting,
    IstioDestinationRule,
    IstioVirtualService,
    MirrorRoute,
    Pause,
    RolloutSpec,
    TrafficRouting,
)
from sim.model.units import IntOrPercent

LABELS = (("app", "api"),)
ISTIO = TrafficRouting(("istio",), (IstioVirtualService("vs", ("primary",)),))
ROUTE = HttpRoute("primary", destinations=(RouteDestination("api-stable"), RouteDestination("api-canary")))
CLUSTER = ManifestSet(
    services=tuple(ServiceSpec(name, selector=LABELS) for name in ("api-stable", "api-canary", "active", "preview")),
    virtual_services=(VirtualService("vs", http=(ROUTE,)),),
)
SAME_SERVICES = "services, but two different services are required."


def rollout(**more: Any) -> RolloutSpec:
    return RolloutSpec("api", selector=LABELS, template=PodTemplate(labels=LABELS), **more)


def canary(*steps: CanaryStep, **more: Any) -> RolloutSpec:
    return rollout(canary=CanaryStrategy(steps, **more))


def routed(*steps: CanaryStep, routing: TrafficRouting = ISTIO, **more: Any) -> RolloutSpec:
    return canary(*steps, canary_service="api-canary", stable_service="api-stable", traffic_routing=routing, **more)


def blue_green(**more: Any) -> RolloutSpec:
    return rollout(blue_green=BlueGreenStrategy(**({"active_service": "active", "preview_service": "preview"} | more)))


def template(name: str = "t", *, args: tuple[Argument, ...] = (), **metric: Any) -> AnalysisTemplate:
    written = {"name": "rate", "provider": {"prometheus": {}}} | metric
    return AnalysisTemplate(name, args=args, metrics_json=(json.dumps(written),))


def analysis(*names: str, args: tuple[Argument, ...] = ()) -> AnalysisRef:
    return AnalysisRef(tuple(TemplateRef(name) for name in names), args)


def with_templates(*templates: AnalysisTemplate) -> ManifestSet:
    return replace(CLUSTER, analysis_templates=templates)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(canary(), id="canary-without-steps"),
        pytest.param(routed(CanaryStep(set_weight=5), CanaryStep(pause=Pause())), id="routed"),
        pytest.param(canary(CanaryStep(set_weight=5, plugin="p")), id="weight-with-plugin"),
        pytest.param(canary(CanaryStep(pause=Pause("90"))), id="digits"),
        pytest.param(blue_green(), id="blue-green"),
        pytest.param(canary(anti_affinity=(AntiAffinity.REQUIRED,)), id="one-rule"),
        pytest.param(canary(max_surge=IntOrPercent(0)), id="only-surge-is-zero"),
    ],
)
def test_valid(spec: RolloutSpec) -> None:
    assert rollout_errors(spec, CLUSTER) == ()


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        pytest.param(
            rollout(),
            "spec.strategy",
            "spec.strategy.strategy: Required value: Rollout has missing field "
            "'.spec.strategy.canary or .spec.strategy.blueGreen'",
            id="no-strategy",
        ),
        pytest.param(
            rollout(canary=CanaryStrategy(), blue_green=BlueGreenStrategy()),
            "spec.strategy",
            'spec.strategy.strategy: Invalid value: "blueGreen: true canary: true": Multiple Strategies can not be listed',
            id="two-strategies",
        ),
        pytest.param(
            replace(canary(), replicas=-1),
            "spec.replicas",
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            id="negative-replicas",
        ),
        pytest.param(
            replace(canary(), selector=(("app", "other"),)),
            "spec.template.metadata.labels",
            'spec.template.metadata.labels: Invalid value: {"app":"api"}: `selector` does not match template `labels`',
            id="selector",
        ),
        pytest.param(
            replace(canary(), min_ready_s=600),
            "spec.progressDeadlineSeconds",
            "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds",
            id="deadline",
        ),
        pytest.param(
            blue_green(preview_service="active"),
            "spec.strategy.blueGreen.activeService",
            'spec.strategy.activeService: Invalid value: "active": '
            f"This rollout uses the same service for the active and preview {SAME_SERVICES}",
            id="one-service-for-both-colours",
        ),
        pytest.param(
            blue_green(scale_down_delay_revision_limit=11),
            "spec.strategy.blueGreen.scaleDownDelayRevisionLimit",
            "spec.strategy.scaleDownDelayRevisionLimit: Invalid value: 11: "
            "This rollout's revision history limit can not be smaller than the rollout's scale down limit",
            id="revision-limit",
        ),
        pytest.param(
            canary(max_surge=IntOrPercent(0, percent=True), max_unavailable=IntOrPercent(0)),
            "spec.strategy.canary.maxSurge",
            'spec.strategy.maxSurge: Invalid value: "0%": MaxSurge and MaxUnavailable both can not be zero',
            id="no-room-to-move",
        ),
        pytest.param(
            canary(scale_down_delay_s=30),
            "spec.strategy.canary.scaleDownDelaySeconds",
            "spec.strategy.scaleDownDelaySeconds: Invalid value: 30: "
            "Canary scaleDownDelaySeconds can only be used with traffic routing",
            id="delay-without-router",
        ),
        pytest.param(
            canary(anti_affinity=(AntiAffinity.PREFERRED, AntiAffinity.REQUIRED), anti_affinity_weight=100),
            "spec.strategy.canary.antiAffinity",
            "spec.strategy.antiAffinity: Invalid value: "
            '"antiAffinity.PreferredDuringSchedulingIgnoredDuringExecution: true '
            'antiAffinity.RequiredDuringSchedulingIgnoredDuringExecution: true": '
            "AntiAffinity must have exactly one strategy listed",
            id="two-rules",
        ),
        pytest.param(
            canary(anti_affinity=(AntiAffinity.PREFERRED,), anti_affinity_weight=101),
            "spec.strategy.canary.antiAffinity.preferredDuringSchedulingIgnoredDuringExecution.weight",
            "spec.strategy.antiAffinity.weight: Invalid value: 101: AntiAffinity weight must be between 1-100",
            id="rule-weight",
        ),
        pytest.param(
            canary(CanaryStep(set_weight=101)),
            "spec.strategy.canary.steps.0.setWeight",
            "spec.strategy.steps[0].setWeight: Invalid value: 101: SetWeight needs to be between 0 and 100",
            id="weight",
        ),
        pytest.param(
            canary(CanaryStep(set_weight=5), CanaryStep(pause=Pause("1day"))),
            "spec.strategy.canary.steps.1.pause.duration",
            "spec.strategy.steps[1].pause.duration: Invalid value: -1: Duration needs to be greater than 0",
            id="pause",
        ),
        pytest.param(
            canary(CanaryStep(set_weight=5, pause=Pause())),
            "spec.strategy.canary.steps.0",
            'spec.strategy.steps[0]: Invalid value: "step.Experiment: false step.Pause: true step.SetWeight: true '
            'step.Analysis: false": '
            "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause",
            id="two-kinds",
        ),
        pytest.param(
            canary(CanaryStep(set_canary_scale=CanaryScale(replicas=1))),
            "spec.strategy.canary.steps.0.setCanaryScale",
            "spec.strategy.trafficRouting: Required value: SetCanaryScale requires TrafficRouting to be set",
            id="canary-scale",
        ),
    ],
)
def test_spec_errors(spec: RolloutSpec, path: str, message: str) -> None:
    error = rollout_errors(spec, CLUSTER)[0]
    assert ".".join(str(key) for key in error.path) == path
    assert error.message == message
    assert (error.kind, error.name) == ("Rollout", "api")


HEADER = HeaderRoute(
    "h", (HeaderMatch("x", "exact", "1"),), '{"name":"h","match":[{"headerName":"x","headerValue":{"exact":"1"}}]}'
)
MANAGED = replace(ISTIO, managed_routes=("h",))
COPY = MirrorRoute("m", 10, written='{"name":"m","match":[{"path":{"prefix":"/","regex":"."}}],"percentage":10}')


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        pytest.param(canary(CanaryStep()), "step.Plugin: true", id="empty-step"),
        pytest.param(canary(CanaryStep(set_header_route=HEADER)), "SetHeaderRoute requires", id="header-router"),
        pytest.param(
            canary(CanaryStep(set_mirror_route=MirrorRoute("m"))), "SetMirrorRoute requires", id="mirror-router"
        ),
        pytest.param(
            routed(CanaryStep(set_header_route=HEADER)), "missing field 'spec.strategy.canary.traf", id="none"
        ),
        pytest.param(
            routed(CanaryStep(set_mirror_route=MirrorRoute("m")), routing=MANAGED), "does not exist in", id="unmanaged"
        ),
        pytest.param(
            routed(
                CanaryStep(set_header_route=replace(HEADER, written='{"match":[{"headerValue":{}}]}')), routing=MANAGED
            ),
            "setHeaderRoute.match[0]: Invalid value: {}: StringMatch value missed",
            id="empty-match",
        ),
        pytest.param(
            routed(CanaryStep(set_mirror_route=COPY), routing=MANAGED),
            'setMirrorRoute.match[0]: Invalid value: {"prefix":"/","regex":"."}: StringMatch match value must have exactly',
            id="two-matches",
        ),
        pytest.param(
            canary(CanaryStep(set_mirror_route=COPY)),
            f"setMirrorRoute: Invalid value: {COPY.written}: ",
            id="mirror-shown",
        ),
        pytest.param(
            routed(CanaryStep(set_header_route=HEADER), routing=replace(ISTIO, managed_routes=())),
            'setHeaderRoute: Invalid value: "h": Steps define a route that does not exist in',
            id="no-route-managed",
        ),
        pytest.param(
            replace(canary(), selector=()),
            'template.metadata.labels: Invalid value: {"app":"api"}: `selector` does not match',
            id="no-selector",
        ),
        pytest.param(
            routed(ping_pong=("a", "b"), routing=TrafficRouting(("nginx",))),
            "trafficRouting.alb: Invalid value: null: Ping-pong feature works with",
            id="ping-pong-router",
        ),
        pytest.param(
            canary(CanaryStep(experiment=Experiment((ExperimentTemplate("a", weight=5),)))),
            "templates[0].weight: Invalid value: 5: Experiment template weight cannot be set",
            id="experiment-weight",
        ),
        pytest.param(
            canary(CanaryStep(analysis=analysis("t", args=(Argument("a", field_path="metadata.generation"),)))),
            "steps[0].analyses: Invalid value: [",
            id="metadata-argument",
        ),
        pytest.param(canary(dynamic_stable_scale=True), "dynamicStableScale can only be", id="dynamic-without-router"),
        pytest.param(
            routed(dynamic_stable_scale=True, scale_down_delay_s=1), "cannot be used with scaleDown", id="both"
        ),
        pytest.param(routed(routing=replace(ISTIO, max_weight=1000)), "only supported in Nginx", id="max-weight"),
        pytest.param(canary(traffic_routing=ISTIO), "Canary service and Stable service must", id="services-needed"),
        pytest.param(canary(canary_service="a", stable_service="a"), "for the stable and canary", id="same-service"),
        pytest.param(canary(ping_pong=("a", "a")), "for the ping and pong", id="ping-is-pong"),
        pytest.param(canary(ping_pong=("", "a")), 'pingService: Invalid value: ""', id="no-ping"),
        pytest.param(replace(canary(), workload_ref="web"), 'deployments.apps "default/web" not found', id="workload"),
    ],
)
def test_more_spec_errors(spec: RolloutSpec, part: str) -> None:
    assert any(part in error.message for error in rollout_errors(spec, CLUSTER))


PLUGINS = TrafficRouting(("plugins",), managed_routes=("h", "m"))
WEIGHTED = Experiment((ExperimentTemplate("a", weight=5),))


@pytest.mark.parametrize(
    ("spec", "part", "fixed"),
    [
        pytest.param(
            routed(CanaryStep(set_header_route=HEADER), routing=PLUGINS),
            "SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix",
            Controller.ARGO_1_7,
            id="header-by-plugin",
        ),
        pytest.param(
            canary(traffic_routing=PLUGINS), "must to be set to use Traffic", Controller.ARGO_1_7, id="plugin-services"
        ),
        pytest.param(
            canary(traffic_routing=ISTIO, ping_pong=("a", "b")),
            "Ping-pong feature works with the ALB traffic routing only",
            Controller.ARGO_1_7,
            id="ping-pong-by-istio",
        ),
        pytest.param(
            routed(CanaryStep(experiment=WEIGHTED), routing=PLUGINS),
            "only available for TrafficRouting with SMI, ALB, and Istio at this time",
            Controller.ARGO_1_8,
            id="experiment-by-plugin",
        ),
        pytest.param(canary(CanaryStep(plugin="p")), "step.SetMirrorRoutes: true", Controller.ARGO_1_8, id="plugin"),
        pytest.param(
            routed(CanaryStep(set_mirror_route=MirrorRoute("m")), routing=PLUGINS),
            "SetMirrorRoute requires TrafficRouting, supports Istio only",
            Controller.ARGO_1_10_RC1,
            id="mirror-by-plugin",
        ),
        pytest.param(
            canary(traffic_routing=PLUGINS, ping_pong=("a", "b")),
            "Ping-pong feature works with the ALB",
            Controller.ARGO_1_10_RC1,
            id="ping-pong-by-plugin",
        ),
    ],
)
def test_older_releases_refuse_more(spec: RolloutSpec, part: str, fixed: Controller) -> None:
    refusing = [c for c in Controller if any(part in e.message for e in rollout_errors(spec, CLUSTER, c))]
    assert refusing == [c for c in Controller if not c.is_since(fixed)]


def test_services_are_not_needed_with_a_destination_rule() -> None:
    rule = IstioDestinationRule("dr", "canary", "stable")
    subsets = HttpRoute("primary", destinations=(RouteDestination("api", "canary"), RouteDestination("api", "stable")))
    manifests = ManifestSet(virtual_services=(VirtualService("vs", http=(subsets,)),))
    spec = canary(traffic_routing=replace(ISTIO, destination_rule=rule))
    assert rollout_errors(spec, manifests) == ()


def test_a_template_may_come_from_a_deployment() -> None:
    web = DeploymentSpec("web", template=PodTemplate(labels=LABELS))
    spec = RolloutSpec("api", workload_ref="web", blue_green=BlueGreenStrategy("active", "preview"))
    assert rollout_errors(spec, replace(CLUSTER, deployments=(web,))) == ()


def test_missing_service() -> None:
    error = rollout_errors(blue_green(active_service="nope"), CLUSTER)[0]
    where = "spec.strategy.blueGreen.activeService"
    assert error.message == f'{where}: Invalid value: "nope": service "nope" not found'


def test_selector_that_the_pods_do_not_have() -> None:
    odd = ServiceSpec("active", selector=(("app", "api"), ("color", "blue"), ("rollouts-pod-template-hash", "x")))
    manifests = replace(CLUSTER, services=(odd, *CLUSTER.services[-1:]))
    assert [error.message.split(": ")[-1] for error in rollout_errors(blue_green(), manifests)] == [
        'Service "active" has unmatch label "color" in rollout'
    ]


@pytest.mark.parametrize(
    ("ref", "templates", "message"),
    [
        pytest.param(analysis("x"), (), "Invalid value: \"x\": AnalysisTemplate 'x' not found", id="missing"),
        pytest.param(
            AnalysisRef((TemplateRef("x", cluster_scope=True),)),
            (template("x"),),
            "ClusterAnalysisTemplate 'x' not found",
            id="other-scope",
        ),
        pytest.param(
            analysis("t"),
            (template(interval="1m"),),
            "AnalysisTemplate t has metric rate which runs indefinitely. Invalid value for count: <nil>",
            id="for-ever",
        ),
        pytest.param(
            analysis("t"),
            (template(interval="1m", count="{{args.n}}", args=(Argument("n"),)),),
            'Invalid value: "templateNames: [t]": args.n was not resolved',
            id="no-value",
        ),
        pytest.param(
            analysis("t", args=(Argument("n", "3"),)),
            (template(interval="1m", count="{{args.n}}", args=(Argument("n"),)),),
            "which runs indefinitely. Invalid value for count: dummy-value",
            id="the-count-is-tried-with-a-dummy",
        ),
        pytest.param(
            analysis("t"),
            (template(successCondition="{{args.x}}"),),
            "AnalysisTemplate t: failed to resolve {{args.x}}",
            id="unknown-tag",
        ),
        pytest.param(
            analysis("a", "b"),
            (template("a"), template("b")),
            "Invalid value: \"templateNames: [a b]\": two metrics have the same name 'rate'",
            id="same-metric-twice",
        ),
        pytest.param(
            analysis("t"),
            (template(args=(Argument("s", "v", SecretRef("n", "k")),)),),
            "AnalysisTemplate t: arg 's' has both Value and ValueFrom fields",
            id="value-and-source",
        ),
    ],
)
def test_inline_analysis(ref: AnalysisRef, templates: tuple[AnalysisTemplate, ...], message: str) -> None:
    error = rollout_errors(canary(CanaryStep(analysis=ref)), with_templates(*templates))[0]
    assert message in error.message
    assert error.path == ("spec", "strategy", "canary", "steps", 0, "analysis", "templates")


def test_background_analysis_may_run_for_ever() -> None:
    assert rollout_errors(canary(analysis=analysis("t")), with_templates(template(interval="1m"))) == ()


def test_blue_green_analysis_may_not() -> None:
    errors = rollout_errors(blue_green(pre_promotion=analysis("t")), with_templates(template(interval="1m")))
    assert errors[0].message.startswith("spec.strategy.blueGreen.prePromotionAnalysis.templates: Invalid value")


def test_a_nested_template_that_is_missing_is_the_outer_ones_error() -> None:
    outer = replace(template("outer"), templates=(TemplateRef("inner"),))
    error = rollout_errors(canary(analysis=analysis("outer")), with_templates(outer))[0]
    assert (error.kind, error.name, error.path) == ("AnalysisTemplate", "outer", ("spec", "templates"))


def route(name: str, *hosts: str) -> HttpRoute:
    return HttpRoute(name, destinations=tuple(RouteDestination(host) for host in hosts))


BOTH = ("api-stable.default.svc.cluster.local", "api-canary")


@pytest.mark.parametrize(
    ("use", "http", "message"),
    [
        pytest.param(IstioVirtualService("vs"), (route("", *BOTH),), None, id="the-only-route"),
        pytest.param(IstioVirtualService("vs.default"), (route("a", *BOTH),), None, id="with-namespace"),
        pytest.param(
            IstioVirtualService("nope"), (), 'virtualservices.networking.istio.io "nope" not found', id="missing"
        ),
        pytest.param(
            IstioVirtualService("vs", ("b",)),
            (route("a", *BOTH),),
            "Error: HTTP Route 'b' is not found in the defined Virtual Service.",
            id="no-such-route",
        ),
        pytest.param(
            IstioVirtualService("vs"),
            (route("a", *BOTH), route("b", *BOTH)),
            "it must have exactly one route when omitting",
            id="which-route",
        ),
        pytest.param(
            IstioVirtualService("vs"),
            (route("", "api-stable"),),
            "Canary Service 'api-canary' not found",
            id="no-canary",
        ),
        pytest.param(
            IstioVirtualService("vs"),
            (route("", "api-canary"),),
            "Stable Service 'api-stable' not found",
            id="no-stable",
        ),
        pytest.param(IstioVirtualService("vs"), (), "Unable to get any of the HTTP, TCP or TLS routes", id="no-routes"),
    ],
)
def test_virtual_services(use: IstioVirtualService, http: tuple[HttpRoute, ...], message: str | None) -> None:
    manifests = replace(CLUSTER, virtual_services=(VirtualService("vs", http=http),))
    errors = rollout_errors(routed(routing=replace(ISTIO, virtual_services=(use,))), manifests)
    assert (message is None and not errors) or (message is not None and message in errors[0].message)


def connection(layer: Layer, port: int, *sni_hosts: str, hosts: tuple[str, ...] = BOTH) -> ConnectionRoute:
    return ConnectionRoute(layer, (port,), sni_hosts, destinations=tuple(RouteDestination(host) for host in hosts))


TLS_443 = ConnectionTarget(Layer.TLS, 443, ("a", "b"))


@pytest.mark.parametrize(
    ("use", "vs", "message"),
    [
        pytest.param(IstioVirtualService("vs"), VirtualService("vs", empty_http=True), None, id="empty-http"),
        pytest.param(
            IstioVirtualService("vs", ("x",)),
            VirtualService("vs", empty_http=True),
            "invalid HTTP routes. Error: HTTP Route 'x' is not found in the defined Virtual Service.",
            id="named-in-empty-http",
        ),
        pytest.param(
            IstioVirtualService("vs", connections=(TLS_443,)),
            VirtualService("vs", connections=(connection(Layer.TLS, 443, "b", "a"), connection(Layer.TLS, 444, "a"))),
            None,
            id="named-tls",
        ),
        pytest.param(
            IstioVirtualService("vs", connections=(TLS_443,)),
            VirtualService("vs", connections=(connection(Layer.TLS, 443, "a"),)),
            "invalid TLS routes. Error: No matching TLS routes found in the defined Virtual Service.",
            id="no-such-tls",
        ),
        pytest.param(
            IstioVirtualService("vs"),
            VirtualService("vs", connections=(connection(Layer.TCP, 80, hosts=BOTH[:1]),)),
            "invalid TCP routes. Error: Canary Service 'api-canary' not found in route",
            id="tcp-without-canary",
        ),
        pytest.param(
            IstioVirtualService("vs"),
            VirtualService("vs", connections=(connection(Layer.TLS, 443), connection(Layer.TLS, 444))),
            "invalid TLS routes. Error: spec.tls[] should be set in VirtualService and it must have exactly one route when "
            "omitting spec.strategy.canary.trafficRouting.istio.virtualService.tlsRoutes",
            id="which-tls",
        ),
    ],
)
def test_routes_of_virtual_services(use: IstioVirtualService, vs: VirtualService, message: str | None) -> None:
    errors = rollout_errors(
        routed(routing=replace(ISTIO, virtual_services=(use,))), replace(CLUSTER, virtual_services=(vs,))
    )
    assert [error.message.split("Istio VirtualService has ")[1] for error in errors] == ([message] if message else [])


@pytest.mark.parametrize(
    "routing",
    [
        pytest.param(replace(ISTIO, virtual_services=()), id="neither"),
        pytest.param(replace(ISTIO, singular_and_plural=True), id="both"),
    ],
)
def test_one_way_to_name_virtual_services(routing: TrafficRouting) -> None:
    errors = rollout_errors(routed(routing=routing), CLUSTER)
    assert [error.message.split(": ", 1)[1] for error in errors] == [
        "Internal error: either VirtualService or VirtualServices must be configured"
    ]


def test_a_subset_that_is_in_no_destination() -> None:
    rule = IstioDestinationRule("dr", "canary", "stable")
    errors = rollout_errors(routed(routing=replace(ISTIO, destination_rule=rule)), CLUSTER)
    assert "Canary DestinationRule subset 'canary' not found in route" in errors[0].message


@pytest.mark.parametrize(
    ("ingress", "message"),
    [
        pytest.param("", "Neither are configured.", id="not-named"),
        pytest.param("web", 'ingress.networking.k8s.io "web" not found', id="missing"),
    ],
)
def test_ingress(ingress: str, message: str) -> None:
    errors = rollout_errors(routed(routing=TrafficRouting(("nginx",), nginx=IngressRouting(ingress))), CLUSTER)
    assert errors[0].message.endswith(message)


NGINX, ALB = IngressRouting("web"), IngressRouting("", ("web", "gone"), "root")
INGRESSES = replace(
    CLUSTER,
    ingresses=(Ingress("web", paths=(IngressPath(service="other"),)),),
    mappings=(AmbassadorMapping("heavy", weight=10), AmbassadorMapping("light")),
)


@pytest.mark.parametrize(
    ("routing", "messages"),
    [
        pytest.param(
            TrafficRouting(("nginx",), nginx=NGINX),
            ['nginx.stableIngress: Invalid value: "web": ingress `web` has no rules using service api-stable backend'],
            id="another-backend",
        ),
        pytest.param(
            TrafficRouting(("alb",), alb=ALB),
            [
                'alb.ingresses: Invalid value: ["web","gone"]: ingress.networking.k8s.io "gone" not found',
                'alb.ingresses: Invalid value: "web": ingress `web` has no rules using service root backend',
            ],
            id="several",
        ),
        pytest.param(
            TrafficRouting(("alb",), alb=IngressRouting()),
            ["alb: Internal error: Either Ingress or Ingresses must be configured. Neither are configured."],
            id="no-ingress",
        ),
        pytest.param(
            TrafficRouting(("nginx",), nginx=IngressRouting("web", ("gone",))),
            [
                "nginx: Internal error: Either StableIngress or StableIngresses must be configured. Both are configured.",
                'nginx.stableIngresses: Invalid value: ["gone"]: ingress.networking.k8s.io "gone" not found',
            ],
            id="both",
        ),
        pytest.param(
            TrafficRouting(("ambassador",)),
            ["ambassador.mappings: Invalid value: null: must provide at least one mapping"],
            id="no-mapping",
        ),
        pytest.param(
            TrafficRouting(("ambassador",), mappings=("gone", "heavy", "light")),
            [
                'ambassador.mappings: Invalid value: "gone": mappings.getambassador.io "gone" not found',
                'spec.weight: Invalid value: "heavy": Ambassador mapping "heavy" can not define weight',
            ],
            id="mappings",
        ),
    ],
)
def test_ingresses_and_mappings(routing: TrafficRouting, messages: list[str]) -> None:
    found = [error.message for error in rollout_errors(routed(routing=routing), INGRESSES)]
    prefix = "spec.strategy.canary.trafficRouting."
    assert [message.removeprefix(prefix) for message in found] == messages


@pytest.mark.parametrize(
    ("workload", "message"),
    [
        pytest.param(
            {"apiVersion": "apps/v1", "kind": "ReplicaSet"}, 'replicasets.apps "default/web" not found', id="other"
        ),
        pytest.param({"apiVersion": "v1", "kind": "PodTemplate"}, 'podtemplates "default/web" not found', id="core"),
        pytest.param(
            {"apiVersion": "apps/v1", "kind": "DaemonSet"}, "workload of type apps/DaemonSet is not supported", id="no"
        ),
        pytest.param({"kind": "Deployment"}, "workload of type /Deployment is not supported", id="no-version"),
    ],
)
def test_workload_references(workload: dict[str, str], message: str) -> None:
    spec = replace(canary(), template=PodTemplate(), workload_ref="web", workload=labels_of(workload))
    assert rollout_errors(spec, CLUSTER)[0].message == message


def test_spec_errors_come_before_references() -> None:
    spec = canary(CanaryStep(set_weight=-1), canary_service="nope")
    first, second = rollout_errors(spec, CLUSTER)
    assert "setWeight" in first.message
    assert 'service "nope" not found' in second.message
    assert invalid_spec_message((first, second)) == f'The Rollout "api" is invalid: {first.message}'


def test_condition_names_the_rollout_whatever_the_object() -> None:
    outer = replace(template("outer"), templates=(TemplateRef("inner"),))
    errors = rollout_errors(canary(analysis=analysis("outer")), with_templates(outer))
    assert invalid_spec_message(errors).startswith('The Rollout "api" is invalid: spec.templates: Invalid value')
