"""A set of manifests and a scenario without a single finding, and changes to it that break one rule at a time."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scenarios import manifests
from scenarios.findings import Finding
from scenarios.rules import check
from sim.model.behaviour import Errors, Fault, Release, Side, Target, VersionBehaviour
from sim.model.kpis import Kpi, KpiTarget
from sim.model.load import LoadShape, Stage
from sim.model.manifests import ManifestSet
from sim.model.scenario import Delivery, Scenario
from sim.model.strategy import ArgoRollout
from sim.model.telemetry import LabelSource, PrometheusTelemetry, Telemetry

CLEAN = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop, namespace: prod}
spec:
  replicas: 10
  rollbackWindow: {revisions: 3}
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: api
          image: shop:1
          resources: {requests: {cpu: 500m}}
          readinessProbe: {httpGet: {path: /ready, port: 80}}
          lifecycle: {preStop: {exec: {command: [sleep, "10"]}}}
  strategy:
    canary:
      canaryService: shop-canary
      stableService: shop-stable
      canaryMetadata: {labels: {role: canary}}
      stableMetadata: {labels: {role: stable}}
      trafficRouting: {istio: {virtualService: {name: shop, routes: [primary]}}}
      analysis:
        templates: [{templateName: errors}]
        args: [{name: role, value: canary}]
      steps:
        - setWeight: 10
        - pause: {duration: 5m}
        - setWeight: 100
        - pause: {duration: 2m}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: errors, namespace: prod}
spec:
  args: [{name: role}]
  metrics:
    - name: errors
      interval: 20s
      failureLimit: 2
      consecutiveErrorLimit: 6
      successCondition: len(result) > 0 && result[0] < 0.005
      provider:
        prometheus:
          address: http://prometheus:9090
          query: >-
            (sum(rate(http_requests_total{role="{{args.role}}",status=~"5.."}[1m])) or vector(0))
            / sum(rate(http_requests_total{role="{{args.role}}"}[1m]))
---
apiVersion: v1
kind: Service
metadata: {name: shop-canary, namespace: prod}
spec: {selector: {app: shop}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop-stable, namespace: prod}
spec: {selector: {app: shop}, ports: [{port: 80}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: shop, namespace: prod}
spec: {minAvailable: 80%, selector: {matchLabels: {app: shop}}}
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: shop, namespace: prod}
spec:
  hosts: [shop, shop.example.com]
  gateways: [mesh, istio-system/gateway]
  http:
    - name: primary
      route:
        - {destination: {host: shop-stable}, weight: 100}
        - {destination: {host: shop-canary}, weight: 0}
---
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata: {name: shop, namespace: prod}
spec:
  host: shop-canary
  trafficPolicy: {outlierDetection: {consecutive5xxErrors: 5}}
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: shop, namespace: argocd}
spec:
  sourceRepos: [https://git.example.com/shop.git]
  destinations: [{server: https://prod.example.com, namespace: prod}]
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop-prod, namespace: argocd}
spec:
  project: shop
  source: {repoURL: https://git.example.com/shop.git, path: shop, targetRevision: main}
  destination: {server: https://prod.example.com, namespace: prod}
---
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shop-regions, namespace: argocd}
spec:
  generators:
    - list:
        elements:
          - {region: tokyo}
          - {region: osaka}
  template:
    metadata: {name: "shop-{{region}}"}
    spec:
      project: shop
      source: {repoURL: https://git.example.com/shop.git, path: shop, targetRevision: main}
      destination: {server: https://prod.example.com, namespace: prod}
"""

ABSENT = object()
"""Value of a change that takes the key away."""

Changes = Mapping[tuple[str | int, ...], Any]
"""(kind or kind/name, key, ...) -> new value."""

BAD = Release("bad", good=False, share=0.1, behaviour=VersionBehaviour("bad", statuses=((500, 0.02),)))
GOOD = Release("good", good=True, share=0.9, behaviour=VersionBehaviour("good"))
BROKEN_LATER = VersionBehaviour("later", faults=(Fault("all", Errors(0.5), target=Target(Side.CANDIDATE)),))


def scenario(**changes: Any) -> Scenario:
    """A scenario under which the clean set has no finding: 200 requests/s, one bad kind of release."""
    labels = (
        LabelSource("role", ("pod-label:role",)),
        LabelSource("status", ("status",)),
        LabelSource("pod", ("pod-name",)),
    )
    values: dict[str, Any] = {
        "title": "shop",
        "strategy": ArgoRollout("shop"),
        "manifests": ManifestSet(),
        "stable": VersionBehaviour("stable"),
        "release": BAD,
        "mix": (GOOD, BAD),
        "load": LoadShape((Stage(60.0, 200.0),)),
        "telemetry": Telemetry(PrometheusTelemetry(scrape_interval_s=15.0, labels=labels)),
        "delivery": Delivery(application="shop-prod"),
        "targets": (
            KpiTarget(Kpi.DEPLOYMENT_DURATION, "objective", 15.0),
            KpiTarget(Kpi.TIME_TO_DETECT, "objective", 2.0),
        ),
        **changes,
    }
    return Scenario(**values)


def objects(changes: Changes | None = None, extra: str = "") -> list[Any]:
    """The clean documents with changes, and further documents behind them."""
    documents = [*_parse(CLEAN), *_parse(extra)]
    for path, value in (changes or {}).items():
        _change(documents, path, value)
    return documents


def written(tmp_path: Path, changes: Changes | None = None, extra: str = "") -> Path:
    """A file that holds them."""
    file = tmp_path / "all.yaml"
    file.write_text("\n---\n".join(json.dumps(item) for item in objects(changes, extra)), encoding="utf-8")
    return file


def found(
    tmp_path: Path, changes: Changes | None = None, extra: str = "", given: Scenario | None = None
) -> tuple[Finding, ...]:
    """Findings about them."""
    return check(manifests.load([written(tmp_path, changes, extra)]), given)


def codes(findings: tuple[Finding, ...]) -> list[str]:
    """Their codes, each once, in order."""
    return sorted({finding.code for finding in findings})


def _parse(text: str) -> list[Any]:
    return copy.deepcopy(_parsed(text))


@lru_cache(maxsize=16)
def _parsed(text: str) -> list[Any]:
    return [item for item in YAML(typ="safe", pure=True).load_all(StringIO(text)) if item is not None]


def _change(documents: list[Any], path: tuple[Any, ...], value: Any) -> None:
    kind, _, name = str(path[0]).partition("/")
    node: Any = next(item for item in documents if item["kind"] == kind and name in {"", item["metadata"]["name"]})
    for key in path[1:-1]:
        node = node[key] if isinstance(node, list) else node.setdefault(key, {})
    if value is ABSENT:
        node.pop(path[-1])
    elif isinstance(node, list) and path[-1] == len(node):
        node.append(copy.deepcopy(value))
    else:
        node[path[-1]] = copy.deepcopy(value)
