from __future__ import annotations

import pytest

from scenarios.manifests import typed
from sim.model.analysis import Argument, SecretRef, TemplateRef
from sim.model.network import (
    ConnectionPool,
    HttpMatch,
    HttpRetry,
    OutlierDetection,
    RouteDestination,
    StringMatch,
    Subset,
)
from sim.model.pods import AntiAffinity, Probe
from sim.model.rollout import (
    CanaryScale,
    EphemeralMetadata,
    HeaderMatch,
    HeaderRoute,
    IstioDestinationRule,
    IstioVirtualService,
    MirrorRoute,
    Pause,
)
from sim.model.units import IntOrPercent
from tests.manifests.conftest import Reader

ROLLOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: api, namespace: shop}
spec:
  minReadySeconds: 5
  rollbackWindow: {revisions: 2}
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  strategy:
    canary:
      canaryService: api-canary
      stableService: api-stable
      maxSurge: 25%
      maxUnavailable: 0
      dynamicStableScale: true
      antiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: {weight: 7}}
      canaryMetadata: {labels: {role: canary}, annotations: {a: b}}
      pingPong: {pingService: ping, pongService: pong}
      trafficRouting:
        managedRoutes: [{name: beta}]
        istio:
          virtualServices: [{name: api.shop, routes: [primary]}]
          destinationRule: {name: api, canarySubsetName: new, stableSubsetName: old}
      analysis:
        startingStep: 2
        templates: [{templateName: rate}, {templateName: all, clusterScope: true}]
        args:
          - {name: a, value: "1"}
          - {name: hash, valueFrom: {podTemplateHashValue: Latest}}
          - {name: ns, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
        dryRun: [{metricName: ra.*}]
        measurementRetention: [{metricName: rate, limit: 20}]
      steps:
        - setWeight: 0
        - pause: {}
        - pause: {duration: 90}
        - pause: {duration: 1h}
        - setCanaryScale: {matchTrafficWeight: true}
        - setHeaderRoute: {name: beta, match: [{headerName: x, headerValue: {exact: yy}}]}
        - setHeaderRoute: {name: beta}
        - setMirrorRoute: {name: copy, match: [{path: {prefix: /}}]}
        - experiment:
            duration: 5m
            templates: [{name: base, specRef: stable, weight: 5, service: {}}]
            analyses: [{name: a, templateName: rate, args: [{name: k, value: v}]}]
        - analysis: {templates: []}
"""


@pytest.mark.parametrize(
    ("written", "kinds"),
    [
        pytest.param("{}", (), id="empty"),
        pytest.param("{maxTrafficWeight: 200, managedRoutes: []}", (), id="no-router"),
        pytest.param("{plugins: {}}", (), id="no-plugin"),
        pytest.param("{istio: null, smi: {}}", ("smi",), id="null-is-absent"),
        pytest.param("{smi: {}, plugins: {a/b: {}}, nginx: {}}", ("nginx", "smi", "plugins"), id="several"),
        pytest.param("null", None, id="absent"),
    ],
)
def test_routers_are_those_the_controller_would_call(read: Reader, written: str, kinds: tuple[str, ...] | None) -> None:
    head = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: api}\n"
    (spec,) = typed(read(f"{head}spec: {{strategy: {{canary: {{trafficRouting: {written}}}}}}}\n")).rollouts
    routing = spec.canary.traffic_routing if spec.canary is not None else None
    assert (routing and routing.kinds) == kinds


def test_every_field_of_a_canary_is_read(read: Reader) -> None:
    documents = read(ROLLOUT)
    assert documents.findings == ()
    (spec,) = typed(documents).rollouts
    canary = spec.canary
    assert canary is not None
    assert (spec.name, spec.namespace, spec.replicas, spec.desired) == ("api", "shop", None, 1)
    assert (spec.min_ready_s, spec.rollback_window_revisions, spec.workload_ref) == (5, 2, "api")
    assert (canary.max_surge, canary.max_unavailable) == (IntOrPercent(25, percent=True), IntOrPercent(0))
    assert (canary.anti_affinity, canary.anti_affinity_weight) == ((AntiAffinity.PREFERRED,), 7)
    assert canary.canary_metadata == EphemeralMetadata((("role", "canary"),), (("a", "b"),))
    assert (canary.stable_metadata, canary.ping_pong, canary.dynamic_stable_scale) == (None, ("ping", "pong"), True)


def test_routing_and_analysis_of_a_canary_are_read(read: Reader) -> None:
    canary = typed(read(ROLLOUT)).rollouts[0].canary
    assert canary is not None
    assert canary.traffic_routing is not None
    assert canary.traffic_routing.kinds == ("istio",)
    assert canary.traffic_routing.virtual_services == (IstioVirtualService("api.shop", ("primary",)),)
    assert canary.traffic_routing.destination_rule == IstioDestinationRule("api", "new", "old")
    assert canary.traffic_routing.managed_routes == ("beta",)
    analysis = canary.analysis
    assert analysis is not None
    assert analysis.templates == (TemplateRef("rate"), TemplateRef("all", cluster_scope=True))
    assert [(a.value, a.pod_template_hash, a.field_path) for a in analysis.args] == [
        ("1", None, None),
        (None, "Latest", None),
        (None, None, "metadata.namespace"),
    ]
    assert (analysis.dry_run, analysis.retention, analysis.starting_step) == (("ra.*",), (("rate", 20),), 2)


def test_every_kind_of_step_is_read(read: Reader) -> None:
    canary = typed(read(ROLLOUT)).rollouts[0].canary
    assert canary is not None
    steps = canary.steps
    assert steps[0].set_weight == 0
    assert [step.pause for step in steps[1:4]] == [Pause(), Pause(90), Pause("1h")]
    assert steps[4].set_canary_scale == CanaryScale(match_traffic_weight=True)
    assert steps[5].set_header_route == HeaderRoute("beta", (HeaderMatch("x", "exact", "yy"),))
    assert steps[6].set_header_route == HeaderRoute("beta")
    assert steps[7].set_mirror_route == MirrorRoute("copy", 100, (HttpMatch(uri=StringMatch("prefix", "/")),))
    experiment = steps[8].experiment
    assert experiment is not None
    assert (experiment.duration, experiment.templates[0].spec_ref, experiment.templates[0].weight) == (
        "5m",
        "stable",
        5,
    )
    assert experiment.analyses[0].ref.args == (Argument("k", "v"),)
    assert steps[9].analysis is not None


def test_blue_green_is_read(read: Reader) -> None:
    text = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: api}
spec:
  strategy:
    blueGreen:
      activeService: a
      previewService: p
      autoPromotionEnabled: false
      autoPromotionSeconds: 30
      scaleDownDelaySeconds: 0
      antiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {}}
      prePromotionAnalysis: {templates: [{templateName: smoke}]}
"""
    documents = read(text)
    assert documents.findings == ()
    blue_green = typed(documents).rollouts[0].blue_green
    assert blue_green is not None
    assert (blue_green.active_service, blue_green.preview_service) == ("a", "p")
    assert (blue_green.auto_promotion_enabled, blue_green.auto_promotion_s, blue_green.scale_down_delay_s) == (
        False,
        30,
        0,
    )
    assert blue_green.anti_affinity == (AntiAffinity.REQUIRED,)
    assert blue_green.pre_promotion is not None
    assert blue_green.post_promotion is None


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        pytest.param("antiAffinity: {}", (AntiAffinity.NONE,), id="a-block-without-a-rule"),
        pytest.param("antiAffinity:", (), id="null"),
        pytest.param("maxSurge: 1", (), id="absent"),
        pytest.param(
            "antiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: null}", (AntiAffinity.NONE,), id="null-rule"
        ),
    ],
)
def test_anti_affinity_is_a_block_even_without_a_rule(read: Reader, written: str, rules: tuple[str, ...]) -> None:
    text = f"""
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: api}}
spec:
  strategy:
    canary:
      {written}
"""
    canary = typed(read(text)).rollouts[0].canary
    assert canary is not None
    assert canary.anti_affinity == rules


def test_pods_are_read_with_kubernetes_defaults(read: Reader) -> None:
    text = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api, v: "1"}}
    spec:
      containers:
        - name: api
          image: api:1
          env: [{name: A, value: b}, {name: S, valueFrom: {secretKeyRef: {name: s, key: k}}}]
          resources: {requests: {cpu: 500m}, limits: {cpu: 2, memory: 2Gi}}
          readinessProbe: {httpGet: {port: 80}, periodSeconds: 5}
          lifecycle: {preStop: {exec: {command: [sh, -c, "sleep 15; exit"]}}}
        - name: proxy
          resources: {requests: {cpu: "0.1", memory: 128Mi}}
"""
    (deployment,) = typed(read(text)).deployments
    template = deployment.template
    assert (deployment.replicas, deployment.max_surge, deployment.recreate) == (
        1,
        IntOrPercent(25, percent=True),
        False,
    )
    assert (template.image, template.cpu_request, template.memory_request) == ("api:1", 0.6, (2048 + 128) * 2.0**20)
    assert (template.memory_limit, template.readiness) == (2 * 2.0**30, Probe(0.0, 5.0, 1.0, 1, 3))
    assert (template.liveness, template.pre_stop_s, template.termination_grace_s) == (None, 15.0, 30.0)
    assert template.env == (("A", "b"),)


def test_istio_is_read(read: Reader) -> None:
    text = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: api}
spec:
  hosts: [api]
  http:
    - match: [{headers: {x-beta: {exact: "1"}, x-any: {}}, gateways: [mesh]}]
      timeout: 1.5s
      retries: {attempts: 2}
      route: [{destination: {host: b, subset: s}}]
    - name: primary
      route: [{destination: {host: a}, weight: 90}, {destination: {host: b}, weight: 10}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: api}
spec:
  host: api
  trafficPolicy: {outlierDetection: {consecutive5xxErrors: 7, baseEjectionTime: 1m}, connectionPool: {tcp: {maxConnections: 9}}}
  subsets: [{name: s, labels: {v: "1"}}]
"""
    manifests = typed(read(text))
    (service,) = manifests.virtual_services
    first, second = service.http
    assert (service.gateways, first.timeout_s, first.retries) == (("mesh",), 1.5, HttpRetry(2))
    assert first.matches[0].headers == (("x-any", StringMatch("present")), ("x-beta", StringMatch("exact", "1")))
    assert first.destinations == (RouteDestination("b", "s"),)
    assert [d.weight for d in second.destinations] == [90, 10]
    (rule,) = manifests.destination_rules
    assert rule.policy.outlier == OutlierDetection(consecutive_5xx=7, base_ejection_s=60.0)
    assert rule.policy.pool == ConnectionPool(max_connections=9)
    assert rule.subsets == (Subset("s", (("v", "1"),)),)


def test_argo_cd_is_read(read: Reader) -> None:
    text = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a, labels: {phase: "1"}}
spec:
  project: p
  destination: {server: https://c, namespace: ns}
  source: {repoURL: r, path: x, targetRevision: main, helm: {parameters: [{name: image.tag, value: v1}], valueFiles: [v.yaml]}}
  syncPolicy: {automated: {}}
---
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: s}
spec:
  generators: [{list: {elements: [{env: dev, no1: 1}]}}, {git: {repoURL: r, revision: HEAD}}]
  template: {metadata: {name: "{{env}}"}, spec: {project: p, destination: {}, source: {repoURL: r, path: x}}}
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: p, namespace: cd}
spec:
  destinations: [{server: https://c, namespace: ns}]
  syncWindows: [{kind: allow, schedule: "* * * * *", duration: 1h, applications: ["*"], timeZone: Asia/Tokyo, manualSync: true}]
"""
    documents = read(text)
    assert documents.findings == ()
    manifests = typed(documents)
    (application,) = manifests.applications
    assert (application.namespace, application.automated, application.self_heal) == ("argocd", True, False)
    assert application.helm_parameters == (("image.tag", "v1"),)
    (application_set,) = manifests.application_sets
    assert application_set.elements == ((("env", "dev"), ("no1", "1")),)
    assert (application_set.non_string_values, application_set.generators) == (((0, "no1"),), ("list", "git"))
    (project,) = manifests.projects
    assert (project.namespace, project.windows[0].time_zone, project.windows[0].manual_sync) == (
        "cd",
        "Asia/Tokyo",
        True,
    )


def test_secrets_and_metrics_of_templates_are_kept_as_written(read: Reader) -> None:
    text = """
apiVersion: argoproj.io/v1alpha1
kind: ClusterAnalysisTemplate
metadata: {name: t}
spec:
  args: [{name: token, valueFrom: {secretKeyRef: {name: s, key: k}}}]
  metrics:
    - {name: m, count: "{{args.count}}", provider: {web: {url: https://x, jsonPath: "{$.ok}"}}}
"""
    (template,) = typed(read(text)).analysis_templates
    assert (template.cluster_scoped, template.namespace) == (True, "")
    assert template.args[0].secret == SecretRef("s", "k")
    assert template.metrics_json == (
        '{"count":"{{args.count}}","name":"m","provider":{"web":{"jsonPath":"{$.ok}","url":"https://x"}}}',
    )


def test_wrong_values_are_read_as_not_written(read: Reader) -> None:
    text = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: api}
spec:
  replicas: two
  strategy:
    canary:
      steps:
        - setWeight: 5
        - oops
        - setWeight: 10
"""
    manifests = typed(read(text))
    (spec,) = manifests.rollouts
    assert spec.canary is not None
    assert (spec.replicas, [step.set_weight for step in spec.canary.steps]) == (None, [5, 10])
    assert len(manifests.refusals) == 1


def test_a_surge_that_is_neither_count_nor_percentage_is_kept_as_written(read: Reader) -> None:
    text = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: api}
spec: {strategy: {canary: {maxSurge: "1e3", maxUnavailable: "25%%"}}}
"""
    canary = typed(read(text)).rollouts[0].canary
    assert canary is not None
    assert canary.max_surge == IntOrPercent(0, unreadable="1e3")
    assert canary.max_unavailable == IntOrPercent(25, percent=True)


def test_an_empty_list_of_http_routes_is_told_from_none(read: Reader) -> None:
    text = """
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: %s}
spec: {hosts: [shop]%s}
"""
    found = typed(read(text % ("a", ", http: []") + "---" + text % ("b", ""))).virtual_services
    assert [one.empty_http for one in found] == [True, False]


def test_the_later_of_two_equal_objects_wins(read: Reader) -> None:
    one = "apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{selector: {{app: {app}}}}}\n"
    manifests = typed(read(f"{one.format(app='a')}---\n{one.format(app='b')}"))
    assert [service.selector for service in manifests.services] == [(("app", "b"),)]


def test_objects_of_other_groups_with_the_same_kind_are_left_alone(read: Reader) -> None:
    manifests = typed(read("apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s}\n"))
    assert manifests.services == ()


def test_routes_of_the_gateway_api_are_read_in_the_order_they_are_tried(read: Reader) -> None:
    text = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  hostnames: [shop.example.com]
  rules:
    - backendRefs: [{name: stable, port: 80, weight: 100}, {name: canary, port: 80, weight: 0}]
    - matches: [{path: {type: PathPrefix, value: /api}, headers: [{name: x, value: "1"}]}, {path: {type: Exact, value: /api/v1}}]
      backendRefs: [{name: api}]
"""
    (web,) = typed(read(text)).gateway_routes
    exact, prefix, rest = web.routes
    assert exact.matches == (HttpMatch(uri=StringMatch("exact", "/api/v1")),)
    asked = (("x", StringMatch("exact", "1")),)
    assert prefix.matches == (
        HttpMatch(headers=asked, uri=StringMatch("exact", "/api")),
        HttpMatch(headers=asked, uri=StringMatch("prefix", "/api/")),
    )
    assert exact.destinations == (RouteDestination("api", weight=1),)
    assert [one.weight for one in rest.destinations] == [100, 0]
