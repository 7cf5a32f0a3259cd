"""Every rule: one change to the clean set that trips it; the clean set itself trips none."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from scenarios.rules import RULES
from sim.model.behaviour import VersionBehaviour
from sim.model.controller import Controller
from sim.model.load import LoadShape, Stage
from sim.model.scenario import Delivery
from sim.model.strategy import ArgoRollout, Geographic, Region, RegionPhase
from sim.model.telemetry import PrometheusTelemetry, Signal, Telemetry
from tests.rules.specimens import ABSENT, BROKEN_LATER, GOOD, Changes, codes, found, scenario

CANARY = ("Rollout", "spec", "strategy", "canary")
METRIC = ("AnalysisTemplate", "spec", "metrics", 0)
PROMETHEUS = (*METRIC, "provider", "prometheus")
QUERY = (*PROMETHEUS, "query")
PROVIDER = PROMETHEUS[:-1]
RANGE = (*PROMETHEUS, "rangeQuery")
MINUTES = {"start": 'now() - duration("5m")', "end": "now()", "step": "1m"}
HTTP = ("VirtualService", "spec", "http")
CONTAINER = ("Rollout", "spec", "template", "spec", "containers", 0)
APP = ("Application", "spec")
SET = ("ApplicationSet", "spec")
ELEMENTS = (*SET, "generators", 0, "list", "elements")
WINDOWS = ("AppProject", "spec", "syncWindows")
STEPS = (*CANARY, "steps")
WORKLOAD = ("Rollout", "spec", "workloadRef")


def datadog(query: str, condition: str, **more: Any) -> Changes:
    provider = {"datadog": {"query": query, **more}}
    return {(*METRIC, "provider"): provider, (*METRIC, "successCondition"): condition}


def window(**more: Any) -> Changes:
    allow = {
        "kind": "allow",
        "schedule": "0 10 * * 1-5",
        "duration": "6h",
        "timeZone": "Asia/Tokyo",
        "applications": ["*"],
    }
    return {WINDOWS: [{key: value for key, value in (allow | more).items() if value is not None}]}


def deny(**more: Any) -> Changes:
    return window(**{"kind": "deny", "schedule": "0 0 28 12 *", "duration": "24h", "manualSync": True} | more)


INLINE = [
    {"setWeight": 10},
    {"pause": {"duration": "5m"}},
    {"analysis": {"templates": [{"templateName": "errors"}], "args": [{"name": "role", "value": "canary"}]}},
]
BLUE_GREEN = {"activeService": "shop-stable", "previewService": "shop-canary"}
MATCH = [{"headerName": "x-canary", "headerValue": {"exact": "1"}}]
HEADER_ROUTE = {"setHeaderRoute": {"name": "early", "match": MATCH}}
MIRROR_ROUTE = {"setMirrorRoute": {"name": "early", "percentage": 50, "match": [{"path": {"prefix": "/"}}]}}
MANAGED = {(*CANARY, "trafficRouting", "managedRoutes"): [{"name": "early"}]}
SUBSETS: Changes = {
    (*CANARY, "trafficRouting", "istio", "destinationRule"): {
        "name": "shop",
        "canarySubsetName": "new",
        "stableSubsetName": "old",
    },
    ("DestinationRule", "spec", "subsets"): [{"name": "new"}, {"name": "old"}, {"name": "beta"}],
}
DRY_RUN: Changes = {
    ("AnalysisTemplate", "spec", "metrics", 1): {
        "name": "client-errors",
        "interval": "20s",
        "successCondition": "len(result) > 0 && result[0] < 0.1",
        "provider": {"prometheus": {"address": "http://p", "query": "sum(up)"}},
    },
    ("AnalysisTemplate", "spec", "dryRun"): [{"metricName": "errors"}],
}
POST_PROMOTION: Changes = {
    ("Rollout", "spec", "strategy"): {
        "blueGreen": {
            **BLUE_GREEN,
            "scaleDownDelaySeconds": 30,
            "postPromotionAnalysis": {
                "templates": [{"templateName": "errors"}],
                "args": [{"name": "role", "value": "canary"}],
            },
        }
    },
    (*METRIC, "count"): 5,
}

TRIPS = [
    ("RT101", {(*CANARY, "antiAffinity"): {
        "requiredDuringSchedulingIgnoredDuringExecution": {},
        "preferredDuringSchedulingIgnoredDuringExecution": {"weight": 100},
    }}),
    ("RT102", {(*CANARY, "stableService"): "shop-stabel"}),
    ("RT103", {(*CANARY, "analysis", "templates", 0, "templateName"): "eror"}),
    ("RT104", {STEPS: INLINE}),
    ("RT105", {STEPS: [{"setWeight": 10}, {"analysis": {"templates": [{"templateName": "errors"}]}}],
               (*METRIC, "count"): 5}),
    ("RT106", {(*CANARY, "trafficRouting", "istio", "virtualService", "routes"): ["secondary"]}),
    ("RT107", {(*CANARY, "trafficRouting", "istio", "destinationRule"): {
        "name": "shop", "canarySubsetName": "canary", "stableSubsetName": "stable"}}),
    ("RT108", {("Rollout", "spec", "strategy", "blueGreen"): BLUE_GREEN}),
    ("RT109", {(*STEPS, 0, "setWeight"): 101}),
    ("RT110", {(*CANARY, "stableService"): "shop-canary"}),
    ("RT111", {STEPS: INLINE, (*METRIC, "count"): 2, (*METRIC, "failureLimit"): 3}),
    ("RT112", {("Rollout", "spec", "selector", "matchLabels", "app"): "shoop"}),
    ("RT113", {(*CONTAINER, "readinessProbe"): {}}),
    ("RT114", {QUERY: "sum(rate(http_requests_total{role='{{args.role}}', pod='{{args.pod}}'}[1m]))"}),
    ("RT125", {("AnalysisTemplate", "spec", "args", 1): {
        "name": "token", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "token"}}}}),
    ("RT126", {(*PROMETHEUS, "address"): "/prometheus"}),
    ("RT119", {("Rollout", "spec", "progressDeadlineSeconds"): 5, ("Rollout", "spec", "minReadySeconds"): 60,
               ("Rollout", "spec", "progressDeadlineAbort"): True}),
    ("RT120", {(*CANARY, "analysis"): {}}),
    ("RT121", {("AnalysisTemplate", "spec", "metrics"): []}),
    ("RT122", {(*CANARY, "analysis", "dryRun"): [{"metricName": "latency"}]}),
    ("RT123", {("AnalysisTemplate", "spec", "metrics", 1): {"name": "errors", "count": 1, "provider": {"job": {"spec": {
        "template": {"spec": {"containers": [{"name": "a", "image": "b"}], "restartPolicy": "Never"}}}}}}}),
    ("RT124", {(*CANARY, "trafficRouting", "istio", "destinationRule"): {
        "name": "shop", "canarySubsetName": "canary", "stableSubsetName": "stable"}}),
    ("RT201", {(*METRIC, "successCondition"): "result < 0.005"}),
    ("RT202", {(*METRIC, "successCondition"): "result[0] >= 0"}),
    ("RT203", {(*METRIC, "successCondition"): "result[0] < 0"}),
    ("RT204", {(*METRIC, "successCondition"): "len(result) == 0 || result[0] < 0.005"}),
    ("RT205", {(*METRIC, "failureCondition"): "result[0] > 0.05"}),
    ("RT206", {(*CANARY, "analysis"): ABSENT}),
    ("RT207", {("AnalysisTemplate", "spec", "args", 1): {"name": "spare", "value": "x"}}),
    ("RT208", {(*CANARY, "analysis", "args", 1): {"name": "spare", "value": "x"}}),
    ("RT209", {(*METRIC, "consecutiveErrorLimit"): ABSENT}),
    ("RT210", {(*METRIC, "initialDelay"): "-5s"}),
    ("RT230", {QUERY: "sum(rate(http_requests_total[1m])"}),
    ("RT230", {QUERY: "'up'"}),
    ("RT230", {RANGE: {"start": "now() - '5m'", "end": "now()", "step": "1m"}}),
    ("RT230", {RANGE: {"start": "now()", "end": "now()", "step": "1 minute"}}),
    ("RT231", {(*METRIC, "successCondition"): "result[0] < result[1] * 1.1"}),
    ("RT232", {QUERY: 'rate(http_requests_total{role="{{args.role}}"}[1m])', (*METRIC, "successCondition"): "result[0] < 9"}),
    ("RT233", {QUERY: 'sum(rate(http_requests_total{role="{{args.role}}",status=~"5.."}[1m])) or vector(0)'}),
    ("RT234", datadog("avg:trip.duration.99percentile{role:{{args.role}}}.rollup(avg, 60)", "result < 500")),
    ("RT235", {QUERY: 'histogram_quantile(0.99, sum(rate(d_bucket{role="{{args.role}}"}[1m])))'}),
    ("RT236", {QUERY: 'histogram_quantile(0.99, rate(d_bucket{role="{{args.role}}"}[1m]))'}),
    ("RT237", {QUERY: 'sum(rate(http_requests_total{role="{{args.role}}"}[30s]))'}),
    ("RT238", {QUERY: 'sum(rate(r{role="{{args.role}}",status=~"2.."}[1m])) / sum(rate(r{role="{{args.role}}"}[1m]))',
               (*METRIC, "successCondition"): "result[0] >= 0.99"}),
    ("RT239", {QUERY: 'sum(rate(r{role="{{args.role}}",status=~"5"}[1m])) / sum(rate(r{role="{{args.role}}"}[1m]))'}),
    ("RT240", {(*PROMETHEUS, "address"): ABSENT}),
    ("RT241", datadog("sum:r{role:{{args.role}}}.as_rate()", "result > 5")),
    ("RT242", datadog("sum:r{role:{{args.role}}}.as_count().rollup(sum, 86400)", "result > 5")),
    ("RT243", datadog("p99:trip.duration{role:{{args.role}}}.rollup(avg, 60)", "result < 500")),
    ("RT301", {(*METRIC, "count"): 2}),
    ("RT302", {(*METRIC, "interval"): "10m"}),
    ("RT303", {("AnalysisTemplate", "spec", "metrics", 1): {
        "name": "budget", "interval": "20s", "consecutiveErrorLimit": 6, "successCondition": "result[0] < 0.05",
        "provider": {"prometheus": {"address": "http://p", "query":
            'sum(rate(http_requests_total{role="{{args.role}}",status=~"5.."}[1m]))'
            ' / sum(rate(http_requests_total{role="{{args.role}}"}[1m]))'}}}}),
    ("RT307", {("AnalysisTemplate", "spec", "metrics"): [
        {"name": name, "interval": "20s", "consecutiveErrorLimit": 6, "successCondition": f"result[0] < {limit}",
         "provider": {"prometheus": {"address": "http://p", "query": 'sum(queue{role="{{args.role}}"})'}}}
        for name, limit in (("short", 5), ("long", 50))]}),
    ("RT401", {("Service/shop-canary", "metadata", "name"): "everything"}),
    ("RT402", {("Service/shop-canary", "spec", "selector", "app"): "shoop"}),
    ("RT403", {(*HTTP, 0, "route", 1, "destination", "host"): "shop-cannary"}),
    ("RT404", {("VirtualService", "spec", "gateways"): ["istio-system/gateway"]}),
    ("RT405", {("DestinationRule", "spec", "host"): "shop"}),
    ("RT406", {(*HTTP, 0, "route", 1, "destination", "subset"): "v2"}),
    ("RT407", {}),
    ("RT408", {(*HTTP, 0, "route", 1, "weight"): 20}),
    ("RT409", {HTTP: [
        {"match": [{"headers": {"x-env": {"exact": "canary"}}}], "route": [{"destination": {"host": "shop-canary"}}]},
        {"name": "primary", "route": [{"destination": {"host": "shop-stable"}, "weight": 100},
                                      {"destination": {"host": "shop-canary"}, "weight": 0}]}]}),
    ("RT410", {(*HTTP, 1): {"name": "late", "route": [{"destination": {"host": "shop-canary"}}]}}),
    ("RT411", {("DestinationRule", "spec", "trafficPolicy", "loadBalancer"): {"consistentHash": {"useSourceIp": True}}}),
    ("RT412", {(*CANARY, "trafficRouting"): {"traefik": {"weightedTraefikServiceName": "web"}}}),
    ("RT413", {(*CANARY, "trafficRouting"): {"smi": {}}}),
    ("RT414", {("VirtualService", "spec", "http", 0, "match"): [{"withoutHeaders": {"x": {"exact": "1"}}}]}),
    ("RT415", {("VirtualService", "spec", "http", 0, "match"): [{"uri": {"regex": "(?=x)"}}]}),
    ("RT420", {(*CONTAINER, "lifecycle"): ABSENT}),
    ("RT421", {("PodDisruptionBudget", "spec", "selector", "matchLabels", "app"): "other"}),
    ("RT422", {(*CONTAINER, "readinessProbe"): ABSENT}),
    ("RT416", {(*CANARY, "trafficRouting"): {}}),
    ("RT431", {WORKLOAD: {"apiVersion": "apps/v1", "kind": "Deployment", "name": "old"}}),
    ("RT430", {("Rollout", "spec", "template", "spec", "initContainers"): [{"name": "wait", "image": "wait:1"}]}),
    ("RT423", {(*CONTAINER, "resources"): ABSENT}),
    ("RT501", {(*ELEMENTS, 0, "phase"): 1}),
    ("RT502", {(*SET, "template", "spec", "syncPolicy"): {"automated": {"prune": "{{auto}}"}}}),
    ("RT503", {(*ELEMENTS, 0, "region"): "prod"}),
    ("RT504", {(*APP, "project"): "shoop"}),
    ("RT505", {(*APP, "destination", "namespace"): "staging"}),
    ("RT506", {(*APP, "source", "repoURL"): "https://git.example.com/other.git"}),
    ("RT507", {ELEMENTS: [{"region": "tokyo", "phase": "1"}, {"region": "osaka", "phase": "2"}]}),
    ("RT508", {(*APP, "source", "targetRevision"): "release/*"}),
    ("RT509", {(*APP, "source", "helm"): {"valueFiles": ["values.yaml"], "parameters": [{"name": "tag", "value": "v1"}]}}),
    ("RT510", {(*ELEMENTS, 0, "syncPolicy"): "manual", (*SET, "template", "spec", "syncPolicy"): {"automated": {"prune": True}}}),
    ("RT511", {(*APP, "syncPolicy"): {"automated": {"prune": False}}}),
    ("RT512", {(*APP, "syncPolicy"): {"automated": {"selfHeal": True}}}),
    ("RT513", {("AppProject", "spec", "namespaceResourceWhitelist"): [{"group": "", "kind": "*"}]}),
    ("RT514", {(*SET, "template", "metadata", "name"): "shop-{{zone}}"}),
    ("RT601", window(schedule="@daily")),
    ("RT602", window(duration="7d")),
    ("RT603", deny(schedule="0 0 30 2 *")),
    ("RT604", window(timeZone=None)),
    ("RT605", deny(schedule="0 0 29 4-5 *")),
    ("RT606", deny(schedule="0 0 28-31 12 *", duration="168h")),
    ("RT607", window(schedule="0 10 1 * 1")),
    ("RT608", deny(manualSync=None)),
    ("RT609", window(manualSync=True)),
    ("RT610", window()),
    ("RT611", dict(window()) | {(*APP, "syncPolicy"): {"automated": {"selfHeal": True}}}),
    ("RT612", window(applications=["other-*"])),
    ("RT613", window(timeZone="Asia/Edo")),
    ("RT701", {(*STEPS, 1, "pause", "duration"): "20m"}),
    ("RT702", {(*METRIC, "interval"): "2m"}),
    ("RT703", {STEPS: [*INLINE, {"setWeight": 100}], (*CANARY, "analysis"): ABSENT, (*METRIC, "count"): 5}),
    ("RT704", {STEPS: [*INLINE, {"setWeight": 100}], (*CANARY, "analysis"): ABSENT, (*METRIC, "count"): 5}),
    ("RT705", {(*CANARY, "analysis"): ABSENT}),
    ("RT706", {("Rollout", "spec", "strategy"): {"blueGreen": BLUE_GREEN}}),
    ("RT707", {("Rollout", "spec", "strategy"): {
        "blueGreen": BLUE_GREEN | {"autoPromotionEnabled": False, "autoPromotionSeconds": 60}}}),
    ("RT708", {(*STEPS, 1, "pause"): {}}),
    ("RT709", {("Rollout", "spec", "rollbackWindow"): ABSENT}),
    ("RT710", {STEPS: []}),
    ("RT711", {(*CANARY, "trafficRouting"): ABSENT, (*STEPS, 0, "setWeight"): 5}),
    ("RT712", {("Rollout", "spec", "progressDeadlineSeconds"): 300}),
    ("RT901", {(*CANARY, "dynamicStableScale"): True, (*CANARY, "minPodsPerReplicaSet"): 2}),
    ("RT902", {(*CANARY, "scaleDownDelaySeconds"): 0}),
    ("RT904", {(*STEPS, 0): MIRROR_ROUTE} | MANAGED),
    ("RT905", {(*STEPS, 0): HEADER_ROUTE} | MANAGED),
    ("RT906", {(*CANARY, "abortScaleDownDelaySeconds"): 0}),
    ("RT911", {(*STEPS, 0): {"setCanaryScale": {"replicas": 2}}, (*STEPS, 1): {"setWeight": 30}}),
    ("RT912", {(*STEPS, 1, "pause", "duration"): "500ms"}),
    ("RT913", {(*METRIC, "count"): 4}),
    ("RT914", {(*CANARY, "analysis", "startingStep"): 4}),
    ("RT915", {("Rollout", "spec", "progressDeadlineAbort"): True, (*CANARY, "analysis", "startingStep"): 2}),
    ("RT921", {(*HTTP, 0, "route", 2): {"destination": {"host": "shop-old"}, "weight": 5}}),
    ("RT922", SUBSETS),
    ("RT931", {(*METRIC, "successCondition"): "default(result[0], 0) < 0.005"}),
    ("RT932", datadog("avg:errors{role:{{args.role}}}", "isNil(result) || result < 0.005")),
    ("RT933", {(*METRIC, "successCondition"): "result[0] < 0.005", (*METRIC, "consecutiveErrorLimit"): ABSENT}),
    ("RT934", {(*METRIC, "inconclusiveLimit"): 2}),
    ("RT935", DRY_RUN),
    ("RT941", {("Rollout", "spec", "strategy"): {"blueGreen": BLUE_GREEN | {"previewService": "shop-canary"}}}),
    ("RT942", POST_PROMOTION),
    ("RT943", POST_PROMOTION),
    ("RT806", {(*CANARY, "canaryMetadata"): ABSENT, (*CANARY, "analysis", "args", 0, "value"): "shop-canary"}),
    ("RT807", {(*CANARY, "canaryMetadata"): ABSENT, (*CANARY, "stableMetadata"): ABSENT,
               QUERY: 'sum(rate(http_requests_total{status=~"5.."}[1m])) / sum(rate(http_requests_total[1m]))'}),
]  # fmt: skip

EXTRA = {
    "RT125": """
apiVersion: v1
kind: Secret
metadata: {name: other, namespace: prod}
stringData: {token: abc}
""",
    "RT407": """
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: shop-too, namespace: prod}
spec: {hosts: [shop.example.com], gateways: [istio-system/gateway], http: [{route: [{destination: {host: shop-stable}}]}]}
""",
    "RT401": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: other, namespace: prod}
spec: {selector: {matchLabels: {app: shop}}, template: {metadata: {labels: {app: shop}}}}
""",
    "RT431": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: old, namespace: prod}
spec: {replicas: 2, selector: {matchLabels: {app: shop}}, template: {metadata: {labels: {app: shop}}}}
""",
}

REGIONS = Geographic((RegionPhase("one", (Region("seoul", 0.5, deployed=False),), 60.0),), ArgoRollout("shop"))
QUIET = LoadShape((Stage(60.0, 1.0),))

PLUGIN_STEP: Changes = {STEPS: [{"setWeight": 10}, {"plugin": {"name": "acme/wait"}}]}
SCENARIO_TRIPS = [
    ("RT304", {"load": LoadShape((Stage(60.0, 20.0),))}, {}),
    ("RT305", {"stable": VersionBehaviour("stable", statuses=((500, 0.02),))}, {}),
    ("RT306", {"load": QUIET}, {
        QUERY: 'histogram_quantile(0.99, sum by (le) (rate(d_bucket{role="{{args.role}}"}[1m])))'}),
    ("RT515", {"strategy": REGIONS}, {}),
    ("RT801", {"warm_up_s": 10.0}, {}),
    ("RT802", {"horizon_s": 60.0}, {}),
    ("RT803", {"delivery": Delivery(application="shoop")}, {}),
    ("RT804", {"mix": (GOOD,)}, {}),
    ("RT805", {"telemetry": Telemetry(PrometheusTelemetry(), signals=(Signal("errors", "eror", ()),))}, {}),
    ("RT810", {}, {PROVIDER: {"web": {"url": "http://shop/healthz"}}}),
    ("RT812", {}, {QUERY: 'sum(rate(shop_orders_failed_total{role="canary"}[1m]))'}),
    ("RT813", {}, PLUGIN_STEP),
    ("RT901", {"controller": Controller.ARGO_1_9}, {
        (*CANARY, "dynamicStableScale"): True, (*CANARY, "abortScaleDownDelaySeconds"): 60, (*STEPS, 1): {"setWeight": 50}}),
    ("RT901", {}, {(*CANARY, "dynamicStableScale"): True, (*CANARY, "abortScaleDownDelaySeconds"): 0,
                   (*STEPS, 0): {"setCanaryScale": {"weight": 60}}}),
]  # fmt: skip

READ_ELSEWHERE = {rule.code for rule in RULES if rule.check is None}


def test_clean_set_has_no_finding_but_of_its_disruption_budget(tmp_path: Path) -> None:
    assert [finding.message.split(":")[0] for finding in found(tmp_path, given=scenario())] == [
        "spec of PodDisruptionBudget 'shop' has no effect in a simulation"
    ]


def test_a_kind_that_is_not_simulated_at_all_is_named(tmp_path: Path) -> None:
    extra = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shop, namespace: prod}
spec: {podSelector: {}}
"""
    messages = [finding.message for finding in found(tmp_path, extra=extra) if finding.code == "RT430"]
    assert [message for message in messages if message.startswith("spec of NetworkPolicy 'shop' has no effect")]


@pytest.mark.parametrize(("code", "changes"), [pytest.param(*row, id=row[0]) for row in TRIPS])
def test_rule_is_tripped(tmp_path: Path, code: str, changes: Changes) -> None:
    findings = found(tmp_path, changes, EXTRA.get(code, ""), scenario())

    assert code in codes(findings)
    assert all(finding.line > 0 for finding in findings if finding.file)


@pytest.mark.parametrize(("code", "given", "changes"), [pytest.param(*row, id=row[0]) for row in SCENARIO_TRIPS])
def test_rule_is_tripped_by_the_scenario(tmp_path: Path, code: str, given: dict[str, Any], changes: Changes) -> None:
    assert code in codes(found(tmp_path, changes, given=scenario(**given)))


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        pytest.param(Signal("errors", "errors", answer="true"), [], id="answered"),
        pytest.param(Signal("errors", "errors", ((60.0, "true"),)), [], id="answered later"),
        pytest.param(Signal("errors", "errors", answer="true", release="good"), ["RT810"], id="only for good releases"),
        pytest.param(Signal("errors", "errors"), ["RT810"], id="nothing said"),
    ],
)
def test_a_scripted_provider_needs_an_answer_for_every_release(
    tmp_path: Path, signal: Signal, expected: list[str]
) -> None:
    telemetry = dataclasses.replace(scenario().telemetry, signals=(signal,))
    findings = found(tmp_path, {PROVIDER: {"web": {"url": "http://shop/healthz"}}}, given=scenario(telemetry=telemetry))
    assert [code for code in codes(findings) if code == "RT810"] == expected


def test_without_a_scenario_it_is_only_said_that_one_is_needed(tmp_path: Path) -> None:
    findings = found(tmp_path, {PROVIDER: {"web": {"url": "http://shop/healthz"}}})
    assert {"RT810", "RT811"} & set(codes(findings)) == {"RT811"}


@pytest.mark.parametrize(
    ("scale_down", "replicas", "warns"),
    [
        pytest.param("never", "replicas: 2", True, id="never"),
        pytest.param("onsuccess", "replicas: 2", False, id="onsuccess"),
        pytest.param("progressively", "replicas: 2", False, id="progressively"),
        pytest.param("never", "replicas: 0", False, id="scaled-down"),
    ],
)
def test_a_referenced_deployment_keeps_pods_unless_it_is_scaled_down(
    tmp_path: Path, scale_down: str, replicas: str, warns: bool
) -> None:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "old", "scaleDown": scale_down}
    deployment = EXTRA["RT431"].replace("replicas: 2", replicas)
    assert ("RT431" in codes(found(tmp_path, {WORKLOAD: reference}, deployment))) == warns


def test_a_metric_plugin_is_named(tmp_path: Path) -> None:
    findings = found(tmp_path, {PROVIDER: {"plugin": {"acme/metrics": {}}}}, given=scenario())
    assert [item for item in findings if item.code == "RT810" and "asks plugin acme/metrics," in item.message]


@pytest.mark.parametrize("rollout", [pytest.param("shop", id="released"), pytest.param("other", id="of-another")])
def test_a_plugin_step_is_an_error_where_it_is_released(tmp_path: Path, rollout: str) -> None:
    findings = found(tmp_path, PLUGIN_STEP, given=scenario(strategy=ArgoRollout(rollout)))
    assert {"RT813", "RT814"} & set(codes(findings)) == ({"RT813"} if rollout == "shop" else set())


def test_without_a_scenario_a_plugin_step_is_a_warning_with_its_name_and_place(tmp_path: Path) -> None:
    (finding,) = (item for item in found(tmp_path, PLUGIN_STEP) if item.code in {"RT813", "RT814"})
    assert (finding.code, finding.path) == ("RT814", (*STEPS[1:], 1, "plugin", "name"))
    assert "step 2 is plugin 'acme/wait'" in finding.message


def test_controllers_without_plugin_steps_refuse_them_themselves(tmp_path: Path) -> None:
    given = scenario(controller=Controller.ARGO_1_7)
    assert {"RT109", "RT813"} & set(codes(found(tmp_path, PLUGIN_STEP, given=given))) == {"RT109"}


TRAEFIK = {"traefik": {"weightedTraefikServiceName": "web"}}
APISIX = {"apisix": {"route": {"name": "web", "rules": ["all"]}}}
GATEWAY = {"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "web", "namespace": "edge"}}}
MESH = {"appMesh": {"virtualService": {"name": "web"}}}
BOTH = "[{name: shop-canary}, {name: shop-stable}]"


@pytest.mark.parametrize(
    ("routing", "written", "words"),
    [
        pytest.param(TRAEFIK, "", 'traefikservices.traefik.io "web" not found', id="no-traefik-service"),
        pytest.param(
            TRAEFIK, "traefik.io/v1alpha1 TraefikService prod {}", "spec.weighted.services was not found in traefik service "
            "manifest", id="not-weighted",
        ),
        pytest.param(
            TRAEFIK, "traefik.io/v1alpha1 TraefikService prod {weighted: {services: [{name: shop-canary}]}}",
            "traefik stable service was not found", id="one-traefik-service",
        ),
        pytest.param(
            TRAEFIK, f"traefik.io/v1alpha1 TraefikService prod {{weighted: {{services: {BOTH}}}}}", "", id="traefik"
        ),
        pytest.param(APISIX, "", 'apisixroutes.apisix.apache.org "web" not found', id="no-apisix-route"),
        pytest.param(
            APISIX, "apisix.apache.org/v2 ApisixRoute prod {http: [{name: other}]}", "Apisix http route rule all not found",
            id="no-apisix-rule",
        ),
        pytest.param(
            APISIX, "apisix.apache.org/v2 ApisixRoute prod {http: [{name: all, backends: [{serviceName: shop-canary}]}]}",
            "apisix route shop-stable backend was not found", id="one-apisix-backend",
        ),
        pytest.param(MESH, "", 'virtualservices.appmesh.k8s.aws "web" not found', id="no-app-mesh-service"),
        pytest.param(
            MESH, "appmesh.k8s.aws/v1beta2 VirtualService prod {provider: {virtualNode: {virtualNodeRef: {name: n}}}}",
            "Virtual-service is not associated with virtual-router", id="no-virtual-router",
        ),
        pytest.param(
            GATEWAY, "gateway.networking.k8s.io/v1 HTTPRoute prod {}",
            'failed to set weight via plugin: httproutes.gateway.networking.k8s.io "web" not found', id="other-namespace",
        ),
        pytest.param(
            GATEWAY, "gateway.networking.k8s.io/v1 HTTPRoute edge {rules: [{backendRefs: [{name: shop-canary}]}]}",
            "failed to set weight via plugin: backendRef was not found in httpRoute", id="one-backend",
        ),
        pytest.param(
            GATEWAY, f"gateway.networking.k8s.io/v1 HTTPRoute edge {{rules: [{{backendRefs: {BOTH}}}]}}", "", id="http-route"
        ),
    ],
)  # fmt: skip
def test_an_object_that_the_router_cannot_write_is_named_in_the_controllers_words(
    tmp_path: Path, routing: dict[str, Any], written: str, words: str
) -> None:
    version, kind, namespace, spec = written.split(" ", 3) if written else ("", "", "", "")
    extra = f"{{apiVersion: {version}, kind: {kind}, metadata: {{name: web, namespace: {namespace}}}, spec: {spec}}}\n"
    findings = found(tmp_path, {(*CANARY, "trafficRouting"): routing}, extra if written else "", scenario())
    messages = [finding.message for finding in findings if finding.code == "RT412"]
    assert [message.split("fails with ")[1].split(" and makes")[0] for message in messages] == (
        [repr(words)] if words else []
    )


def test_every_rule_has_a_specimen() -> None:
    tried = {row[0] for row in TRIPS} | {row[0] for row in SCENARIO_TRIPS} | {"RT811", "RT814"}

    assert tried == {rule.code for rule in RULES} - READ_ELSEWHERE


def test_codes_are_unique_and_well_formed() -> None:
    found_codes = [rule.code for rule in RULES]

    assert len(set(found_codes)) == len(found_codes)
    assert found_codes == sorted(found_codes)
    assert all(len(code) == 5 and code.startswith("RT") and code[2:].isdigit() for code in found_codes)
    assert len({rule.name for rule in RULES}) == len(RULES)


NEAR_MISSES = [
    ("RT124", {(*CANARY, "trafficRouting", "istio", "destinationRule"): {
        "name": "shop", "canarySubsetName": "new", "stableSubsetName": "old"},
        ("DestinationRule", "spec", "subsets"): [{"name": "new"}, {"name": "old"}]}, "both subsets are there"),
    ("RT202", {(*METRIC, "successCondition"): "result[0] <= 0.999"}, "just below everything"),
    ("RT203", {(*METRIC, "successCondition"): "result[0] <= 0"}, "only without errors"),
    ("RT204", {(*METRIC, "successCondition"): "len(result) > 0 && result[0] < 0.005"}, "absence fails"),
    ("RT233", {QUERY: 'sum(rate(r{role="{{args.role}}",status=~"2.."}[1m])) or vector(0)',
               (*METRIC, "successCondition"): "result[0] > 5"}, "the filled value fails"),
    ("RT237", {QUERY: 'sum(rate(http_requests_total{role="{{args.role}}"}[60s]))'}, "exactly four scrapes"),
    ("RT231", {QUERY: 'sum by (pod) (rate(r{role="{{args.role}}"}[1m]))',
               (*METRIC, "successCondition"): "result[0] < result[1]"}, "several elements"),
    ("RT230", datadog("p99:trip.duration{role:{{args.role}}}", "result < 500"), "valid, though beyond the twin"),
    ("RT230", {RANGE: MINUTES}, "a range of minutes"),
    ("RT231", {RANGE: MINUTES, (*METRIC, "successCondition"): "result[0] < result[1]"}, "a point for each minute"),
    ("RT301", {(*METRIC, "count"): 3}, "one more measurement than failures tolerated"),
    ("RT303", {("AnalysisTemplate", "spec", "metrics", 1): {
        "name": "burn", "interval": "20s", "consecutiveErrorLimit": 6, "successCondition": "result[0] < 0.001",
        "provider": {"prometheus": {"address": "http://p", "query":
            'sum(rate(http_requests_total{role="{{args.role}}",status=~"5.."}[10m]))'
            ' / sum(rate(http_requests_total{role="{{args.role}}"}[10m]))'}}}}, "stricter over a longer window"),
    ("RT401", {("Service/shop-canary", "metadata", "name"): "everything"}, "one workload only"),
    ("RT409", {("VirtualService", "spec", "gateways"): ["mesh"]}, "inside the mesh only"),
    ("RT412", {(*CANARY, "trafficRouting"): {"smi": {}}}, "made by the controller"),
    ("RT414", {("VirtualService", "spec", "http", 0, "match"): [{"withoutHeaders": {"x": {}}}]}, "presence alone"),
    ("RT415", {("VirtualService", "spec", "http", 0, "match"): [{"uri": {"regex": "*"}}]}, "presence by a star"),
    ("RT501", {(*ELEMENTS, 0, "phase"): 1, (*SET, "goTemplate"): True}, "Go templates take numbers"),
    ("RT508", {(*APP, "source", "targetRevision"): "1.2.*"}, "a semantic version range"),
    ("RT505", {("AppProject", "spec", "destinations"): [{"server": "*", "namespace": "pr*"}]}, "globs"),
    ("RT602", window(duration="168h"), "a week in hours"),
    ("RT605", deny(schedule="0 0 29 * *"), "every month on purpose"),
    ("RT607", window(schedule="0 10 * * 1"), "weekday only"),
    ("RT901", {(*CANARY, "dynamicStableScale"): True, (*CANARY, "minPodsPerReplicaSet"): 1}, "no more than 10 % need"),
    ("RT901", {(*CANARY, "minPodsPerReplicaSet"): 2}, "the stable version stays whole"),
    ("RT901", {(*CANARY, "dynamicStableScale"): True, (*CANARY, "minPodsPerReplicaSet"): 2,
               (*CANARY, "abortScaleDownDelaySeconds"): 60}, "a delay lets go of the pods"),
    ("RT901", {(*CANARY, "dynamicStableScale"): True, (*CANARY, "abortScaleDownDelaySeconds"): 0, (*STEPS, 0): {
        "setCanaryScale": {"replicas": 1}}, (*STEPS, 2, "setWeight"): 10}, "one pod for 10 %"),
    ("RT904", {(*STEPS, 0): HEADER_ROUTE} | MANAGED, "leads to the stable pods"),
    ("RT905", {(*STEPS, 1): HEADER_ROUTE} | MANAGED, "not the first step"),
    ("RT906", {(*CANARY, "abortScaleDownDelaySeconds"): 60}, "some time"),
    ("RT911", {(*STEPS, 0): {"setCanaryScale": {"replicas": 3}}, (*STEPS, 1): {"setWeight": 30}, (*STEPS, 2): {
        "setCanaryScale": {"matchTrafficWeight": True}}, (*STEPS, 3): {"setWeight": 100}}, "let go in time"),
    ("RT912", {(*STEPS, 1, "pause", "duration"): "1m30s"}, "whole seconds"),
    ("RT913", {(*METRIC, "count"): 60}, "longer than the steps"),
    ("RT914", {(*CANARY, "analysis", "startingStep"): 3}, "the last step"),
    ("RT915", {("Rollout", "spec", "progressDeadlineAbort"): True}, "an analysis watches"),
    ("RT921", {(*HTTP, 0, "route", 2): {"destination": {"host": "shop-old"}, "weight": 0}}, "without weight"),
    ("RT931", {(*METRIC, "successCondition"): "result[0] < result[1]"}, "more elements would do"),
    ("RT931", {(*METRIC, "successCondition"): "len(result) > 0 && isNaN(result[0]) == false"}, "errors for none"),
    ("RT932", datadog("avg:errors{role:{{args.role}}}", "default(result, 1) < 0.005"), "the default is a number"),
    ("RT933", {(*METRIC, "successCondition"): "result[0] < 0.005"}, "errors were thought of"),
    ("RT934", {(*METRIC, "inconclusiveLimit"): 2, (*METRIC, "failureCondition"): "result[0] > 0.01"}, "two conditions"),
    ("RT935", dict(DRY_RUN) | {("AnalysisTemplate", "spec", "dryRun"): [{"metricName": "^errors$"}]}, "anchored"),
    ("RT943", dict(POST_PROMOTION) | {
        ("Rollout", "spec", "strategy", "blueGreen", "scaleDownDelaySeconds"): 80}, "as long as the analysis"),
    ("RT711", {(*CANARY, "trafficRouting"): ABSENT}, "a tenth of ten pods"),
    ("RT711", {(*CANARY, "trafficRouting"): ABSENT, ("Rollout", "spec", "replicas"): 19, (*STEPS, 0, "setWeight"): 5},
     "a twentieth of nineteen and one more"),
    ("RT807", {QUERY: 'sum(rate(http_requests_total{pod=~"shop-abc-.*",status=~"5.."}[1m]))'
                      ' / sum(rate(http_requests_total{pod=~"shop-abc-.*"}[1m]))'}, "told apart by pod name"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "changes"), [pytest.param(code, changes, id=f"{code}-{why}") for code, changes, why in NEAR_MISSES]
)
def test_near_miss_is_let_pass(tmp_path: Path, code: str, changes: Changes) -> None:
    assert code not in codes(found(tmp_path, changes, given=scenario()))


def test_faults_count_as_errors_of_a_bad_release(tmp_path: Path) -> None:
    small = LoadShape((Stage(60.0, 0.5),))
    bad = dataclasses.replace(scenario().release, behaviour=BROKEN_LATER)
    findings = found(tmp_path, given=scenario(load=small, release=bad, mix=(GOOD, bad)))

    message = next(finding.message for finding in findings if finding.code == "RT304")
    assert "a bad one (50 %)" in message


def test_a_gate_is_judged_by_all_its_measurements(tmp_path: Path) -> None:
    """Two failures are tolerated, so a chance that would fail every tenth measurement aborts few releases."""
    findings = found(tmp_path, {(*METRIC, "failureLimit"): 0}, given=scenario(load=LoadShape((Stage(60.0, 60.0),))))
    message = next(finding.message for finding in findings if finding.code == "RT304")
    assert "judges 360 requests a measurement" in message
    assert "21 times, and fails beyond failureLimit 0" in message
    assert "windows overlap, so 3 in a row are taken to agree" in message
