from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from harness.cluster.objects import Object
from harness.deploy.choosing import chosen
from harness.deploy.plan import Plan, plan
from harness.deploy.pods import SCRAPE, SIDE
from harness.deploy.target import Target
from scenarios import library
from scenarios.document import Loaded, load
from sim.decide.standing import standing_strategy
from sim.engine.setup import bystanders, network_and_entry
from sim.model.hashing import plain
from sim.model.strategy import Geographic, SwitchScript

PLAYBOOK = library.DEFAULT.parent / "triptrip" / "scenarios"
SCENARIOS = (
    "as-written/canary",
    "as-written/hotfix",
    "as-written/blue-green-missing-green",
    "repaired/canary",
    "repaired/blue-green",
    "repaired/rolling-update",
    "corrected/geographic",
)
TARGET = Target("run-1", "local/app:1")

HEAD = """
schema: rolltwin/v1
manifests: [shop.yaml]
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  namespace: market
  labels: {team: a}
  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}
spec:
  replicas: 4
  selector: {matchLabels: {app: shop}}
  template:
    metadata:
      labels: {app: shop}
      annotations: {prometheus.io/scrape: "true"}
    spec:
POD
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: market}
spec: SPEC
"""


@lru_cache(maxsize=16)
def playbook(name: str) -> Loaded:
    return load(PLAYBOOK / f"{name}.yaml")


def written(folder: Path, *documents: str, head: str = "") -> Loaded:
    (folder / "shop.yaml").write_text("\n---\n".join(documents), encoding="utf-8")
    (folder / "scenario.yaml").write_text(HEAD + head, encoding="utf-8")
    return load(folder / "scenario.yaml")


def deployment(pod: str) -> str:
    return DEPLOYMENT.replace("POD", "\n".join(" " * 6 + line for line in pod.strip().splitlines()))


def container_of(made: Plan) -> dict[str, Any]:
    (container,) = made.workload["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def env_of(template: Object) -> dict[str, str]:
    return {one["name"]: one.get("value", "") for one in template["spec"]["containers"][0]["env"]}


def names(made: Plan) -> list[tuple[str, str]]:
    return [(one["kind"], one["metadata"]["name"]) for one in made.others]


@pytest.mark.parametrize("name", SCENARIOS)
def test_everything_of_a_playbook_is_in_the_one_namespace(name: str) -> None:
    made = plan(playbook(name), TARGET)
    assert {one["metadata"]["namespace"] for one in (*made.others, made.workload) if one} == {"run-1"}
    assert "triptrip-production" not in json.dumps([one["metadata"] for one in made.others])


@pytest.mark.parametrize("name", SCENARIOS)
def test_two_versions_differ_in_behaviour_alone(name: str) -> None:
    loaded = playbook(name)
    made = plan(loaded, TARGET)
    if not made.workload:
        assert name == "as-written/blue-green-missing-green"
        assert made.release_template == {}
        return
    stable, candidate = made.workload["spec"]["template"], made.release_template
    old, new = env_of(stable), env_of(candidate)
    assert json.loads(old.pop("ROLLTWIN_BEHAVIOUR")) == plain(loaded.scenario.stable)
    assert json.loads(new.pop("ROLLTWIN_BEHAVIOUR")) == plain(loaded.scenario.release.behaviour)
    assert (old.pop("ROLLTWIN_SIDE"), new.pop("ROLLTWIN_SIDE")) == ("stable", "candidate")
    assert old == new
    assert stable["metadata"]["annotations"] | {SIDE: "candidate"} == candidate["metadata"]["annotations"]
    assert stable["metadata"]["labels"] == candidate["metadata"]["labels"]
    stable["spec"]["containers"][0].pop("env")
    candidate["spec"]["containers"][0].pop("env")
    assert stable["spec"] == candidate["spec"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_deployments_stand_beside_as_in_the_twin(name: str) -> None:
    scenario = playbook(name).scenario
    asked = scenario.strategy.inner if isinstance(scenario.strategy, Geographic) else scenario.strategy
    strategy = standing_strategy(scenario.manifests, asked)
    assert strategy is not None
    network, entry = network_and_entry(scenario.manifests, strategy, scenario.cluster.istio)
    twin = {one.name for one in bystanders(scenario, strategy, network, entry)}
    colors = {"triptrip-api-blue"} if isinstance(strategy, SwitchScript) else set()
    assert set(chosen(scenario).beside) == twin | colors


def test_the_released_deployment(tmp_path: Path) -> None:
    made = plan(written(tmp_path, deployment("containers: [{name: shop, image: 'shop:1'}]")), TARGET)
    workload = made.workload
    assert workload["metadata"] == {"name": "shop", "labels": {"team": "a"}, "namespace": "run-1"}
    template = workload["spec"]["template"]
    assert template["metadata"]["annotations"] == {"prometheus.io/scrape": "true", SIDE: "stable", SCRAPE: "true"}
    container = container_of(made)
    assert (container["image"], container["imagePullPolicy"]) == ("local/app:1", "IfNotPresent")
    assert env_of(template)["ROLLTWIN_PORTS"] == "[8080]"


POD = """
serviceAccountName: shop
imagePullSecrets: [{name: registry}]
nodeSelector: {disk: ssd}
affinity: {}
tolerations: []
topologySpreadConstraints: []
priorityClassName: high
terminationGracePeriodSeconds: 20
initContainers: [{name: migrate, image: "migrate:1"}]
volumes: [{name: settings, configMap: {name: settings}}]
containers:
  - name: shop
    image: shop:1
    command: [shop]
    args: [--serve]
    ports: [{name: web, containerPort: 3000}, {name: admin, containerPort: 3001}, {containerPort: 53, protocol: UDP}]
    env:
      - {name: COLOUR, value: blue}
      - {name: PASSWORD, valueFrom: {secretKeyRef: {name: shop, key: password}}}
      - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    envFrom: [{configMapRef: {name: settings}}]
    volumeMounts: [{name: settings, mountPath: /etc/shop}]
    securityContext: {readOnlyRootFilesystem: true}
    resources: {requests: {cpu: 500m, memory: 512Mi}, limits: {cpu: 2, memory: 2Gi}}
    startupProbe: {tcpSocket: {port: web}, failureThreshold: 30}
    readinessProbe: {httpGet: {path: /ready, port: web, scheme: HTTPS}, periodSeconds: 5}
    livenessProbe: {exec: {command: [check]}, initialDelaySeconds: 15}
    lifecycle: {preStop: {exec: {command: [sh, -c, "sleep 10 && stop"]}}}
  - {name: proxy, image: "proxy:1", ports: [{name: mesh, containerPort: 8443}], resources: {requests: {cpu: 100m}}}
"""


def test_a_pod_keeps_only_what_the_application_under_test_needs(tmp_path: Path) -> None:
    service = SERVICE.replace(
        "SPEC", "{selector: {app: shop}, ports: [{port: 80, targetPort: admin}, {port: 81, targetPort: 3002}]}"
    )
    made = plan(written(tmp_path, deployment(POD), service), replace(TARGET, cpu=9.6, memory=38.4 * 2**30))
    container = container_of(made)
    env = env_of(made.workload["spec"]["template"])
    assert set(made.workload["spec"]["template"]["spec"]) == {
        "containers", "terminationGracePeriodSeconds", "automountServiceAccountToken", "enableServiceLinks",
    }  # fmt: skip
    assert set(container) == {
        "name", "image", "imagePullPolicy", "env", "ports", "resources",
        "startupProbe", "readinessProbe", "livenessProbe", "lifecycle",
    }  # fmt: skip
    assert [one for one in container["env"] if not one["name"].startswith("ROLLTWIN_")] == [
        {"name": "COLOUR", "value": "blue"},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ]
    assert env["ROLLTWIN_PORTS"] == "[3000, 3001, 8443, 3002]"
    assert container["ports"][2] == {"name": "mesh", "containerPort": 8443}
    assert json.loads(env["ROLLTWIN_PROBES"]) == ["/healthz", "/ready"]
    assert container["startupProbe"] == {"failureThreshold": 30, "httpGet": {"path": "/healthz", "port": "web"}}
    assert container["readinessProbe"] == {"periodSeconds": 5, "httpGet": {"path": "/ready", "port": "web"}}
    assert container["livenessProbe"] == {"initialDelaySeconds": 15, "httpGet": {"path": "/healthz", "port": 3000}}
    assert container["lifecycle"] == {"preStop": {"exec": {"command": ["sleep", "10"]}}}
    # A tenth of the scenario's 96 cores and 384 GiB: 600m and 512Mi of both containers together.
    assert container["resources"] == {"requests": {"cpu": "60m", "memory": str(-(-512 * 2**20 // 10))}}


def test_what_was_changed_is_said_once_for_all_objects(tmp_path: Path) -> None:
    service = SERVICE.replace(
        "SPEC", "{type: LoadBalancer, selector: {app: shop}, ports: [{port: 80, targetPort: web, nodePort: 30080}]}"
    )
    budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: shop}\nspec: {minAvailable: 1}"
    made = plan(written(tmp_path, deployment(POD), service, budget), TARGET)
    shop = "Deployment/shop: "
    for sentence in (
        f"{shop}the application's image is replaced by local/app:1, which behaves as the scenario says.",
        f"{shop}the containers proxy, migrate are left out, the application does without.",
        f"{shop}affinity, nodeSelector, tolerations, topologySpreadConstraints left out, the nodes here are others.",
        f"{shop}imagePullSecrets, priorityClassName, serviceAccountName, volumes left out, what they name does not exist here.",
        f"{shop}variables from ConfigMaps and Secrets are left out, the application has no use for them.",
        f"{shop}limits are left out, they would throttle or kill the application under test.",
        f"{shop}the startupProbe (tcpSocket) asks the application over HTTP.",
        "Service/shop: ClusterIP in place of LoadBalancer.",
        "PodDisruptionBudget/shop: left out, the twin does not read it, or it has no part in the release.",
    ):
        assert sentence in made.adaptations, "\n".join(made.adaptations)
    assert made.others[0]["spec"] == {"ports": [{"port": 80, "targetPort": "web"}], "selector": {"app": "shop"}}


def test_a_port_below_1024_takes_a_container_of_root(tmp_path: Path) -> None:
    made = plan(
        written(tmp_path, deployment("containers: [{name: shop, image: 'shop:1', ports: [{containerPort: 80}]}]")),
        TARGET,
    )
    assert container_of(made)["securityContext"] == {"runAsUser": 0, "runAsNonRoot": False}


ROLLOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: market}
spec:
  replicas: 8
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  strategy:
    canary:
      canaryService: canary
      stableService: stable
      trafficRouting: {istio: {virtualService: {name: web.market}}}
      steps:
        - setWeight: 20
        - analysis: {templates: [{templateName: errors, clusterScope: true}]}
"""
ROUTES = """
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: web, namespace: market}
spec:
  hosts: [web.example.com]
  gateways: [front, istio-system/public, mesh]
  http:
    - match: [{gateways: [front], headers: {x: {exact: y}}}]
      route: [{destination: {host: stable.market.svc.cluster.local}}]
    - route:
        - {destination: {host: stable.market.svc.cluster.local}, weight: 100}
        - {destination: {host: canary}, weight: 0}
      mirror: {host: canary.market}
---
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata: {name: stable, namespace: market}
spec: {host: stable.market.svc.cluster.local}
---
apiVersion: argoproj.io/v1alpha1
kind: ClusterAnalysisTemplate
metadata: {name: errors}
spec:
  metrics:
    - name: errors
      successCondition: result[0] < 1
      provider: {prometheus: {address: "http://prometheus.monitoring.svc.cluster.local:9090", query: up}}
---
apiVersion: v1
kind: Service
metadata: {name: stable, namespace: market}
spec: {selector: {app: shop}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: canary, namespace: market}
spec: {selector: {app: shop}, ports: [{port: 80}]}
"""


def routed(folder: Path, target: Target = TARGET) -> Plan:
    pod = deployment("containers: [{name: shop, image: 'shop:1', ports: [{containerPort: 80}]}]")
    loaded = written(folder, pod, ROLLOUT, ROUTES, head="strategy: {kind: argo-rollout, rollout: web}")
    return plan(loaded, target)


def test_a_reference_to_a_workload_is_resolved(tmp_path: Path) -> None:
    made = routed(tmp_path)
    assert "workloadRef" not in made.workload["spec"]
    assert made.workload["spec"]["selector"] == {"matchLabels": {"app": "shop"}}
    assert container_of(made)["image"] == "local/app:1"
    assert ("Deployment", "shop") not in names(made)
    assert "Rollout/web: the template of Deployment/shop stands in for workloadRef." in made.adaptations


def test_names_lead_into_the_one_namespace(tmp_path: Path) -> None:
    made = routed(tmp_path)
    found = {one["kind"]: one["spec"] for one in made.others}
    named, first = found["VirtualService"]["http"][1], found["VirtualService"]["http"][0]
    assert named["route"][0]["destination"]["host"] == "stable.run-1.svc.cluster.local"
    assert (named["route"][1]["destination"]["host"], named["mirror"]["host"]) == ("canary", "canary.run-1")
    assert found["VirtualService"]["gateways"] == ["market/front", "istio-system/public", "mesh"]
    assert first["match"][0]["gateways"] == ["market/front"]
    assert found["VirtualService"]["hosts"] == ["web.example.com"]
    assert found["DestinationRule"]["host"] == "stable.run-1.svc.cluster.local"
    canary = made.workload["spec"]["strategy"]["canary"]
    assert canary["trafficRouting"]["istio"]["virtualService"]["name"] == "web.run-1"


def test_templates_of_the_cluster_become_ones_of_the_namespace(tmp_path: Path) -> None:
    made = routed(tmp_path)
    (template,) = (one for one in made.others if one["kind"] == "AnalysisTemplate")
    assert template["metadata"] == {"name": "errors", "namespace": "run-1"}
    address = template["spec"]["metrics"][0]["provider"]["prometheus"]["address"]
    assert address == "http://prometheus.monitoring.svc.cluster.local:9090"
    steps = made.workload["spec"]["strategy"]["canary"]["steps"]
    assert steps[1]["analysis"]["templates"] == [{"templateName": "errors"}]


def test_services_and_routes_come_before_what_uses_them(tmp_path: Path) -> None:
    order = ["Service", "Service", "DestinationRule", "VirtualService", "AnalysisTemplate"]
    assert [kind for kind, _ in names(routed(tmp_path))] == order


def test_fewer_pods_if_asked(tmp_path: Path) -> None:
    made = routed(tmp_path, replace(TARGET, pods=3))
    assert made.workload["spec"]["replicas"] == 3
    assert "3 replicas in place of 8, other workloads in proportion." in made.adaptations


def test_colours_and_what_else_is_reached() -> None:
    made = plan(playbook("repaired/blue-green"), replace(TARGET, pods=2))
    assert made.workload["metadata"]["name"] == "triptrip-api-green"
    assert [name for kind, name in names(made) if kind == "Deployment"] == ["triptrip-api-blue"]
    assert [one["spec"]["replicas"] for one in made.others if one["kind"] == "Deployment"] == [2]
    assert env_of(made.others[-1]["spec"]["template"])["ROLLTWIN_SIDE"] == "stable"


def test_fields_that_the_api_server_refuses_are_left_out_and_named() -> None:
    made = plan(playbook("as-written/canary"), TARGET)
    assert "successfulRunHistoryLimit" not in json.dumps(made.workload["spec"]["strategy"])
    assert any(
        one.startswith("Rollout/triptrip-api: the API server would refuse it; the fields in question are left out")
        for one in made.adaptations
    )


def test_what_the_controller_refuses_stays() -> None:
    """D1: two anti-affinity rules, which Argo refuses."""
    made = plan(playbook("as-written/canary"), TARGET)
    assert len(made.workload["spec"]["strategy"]["canary"]["antiAffinity"]) == 2
