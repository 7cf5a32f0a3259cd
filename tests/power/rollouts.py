"""Bare Rollouts with one gate, as small as they can be."""

from __future__ import annotations

import textwrap
from pathlib import Path

from scenarios.document import load
from scenarios.power.models import Rollout, rollout_of
from sim.model.scenario import Scenario

RATIO = (
    'sum(rate(http_requests_total{pod=~"shop-{{args.hash}}-.*",status=~"5.."}[1m])) / '
    'sum(rate(http_requests_total{pod=~"shop-{{args.hash}}-.*"}[1m]))'
)
GOOD = (
    'sum(rate(http_requests_total{pod=~"shop-{{args.hash}}-.*",status!~"5.."}[1m])) / '
    'sum(rate(http_requests_total{pod=~"shop-{{args.hash}}-.*"}[1m]))'
)


def metric(query: str, **fields: object) -> str:
    """One metric of an AnalysisTemplate, on Prometheus."""
    lines = [f"{name}: {value}" for name, value in fields.items()]
    return "\n".join(["name: gate", *lines, "provider:", "  prometheus:", "    address: http://prometheus:9090",
                      f"    query: '{query}'"])  # fmt: skip


def manifests(*gates: str, weight: int = 10, pause: str = "5m") -> str:
    """A Rollout whose only step with traffic is judged by these metrics."""
    metrics = "\n    ".join(f"- {textwrap.indent(gate, ' ' * 6).strip()}" for gate in gates)
    return f"""\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{name: gates}}
spec:
  args: [{{name: hash}}]
  metrics:
    {metrics}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: shop}}
spec:
  replicas: 4
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec: {{containers: [{{name: app, image: "shop:2"}}]}}
  strategy:
    canary:
      canaryService: shop-canary
      stableService: shop
      trafficRouting: {{nginx: {{stableIngress: shop}}}}
      steps:
        - setWeight: {weight}
        - pause: {{duration: {pause}}}
        - analysis:
            templates: [{{templateName: gates}}]
            args: [{{name: hash, valueFrom: {{podTemplateHashValue: Latest}}}}]
---
apiVersion: v1
kind: Service
metadata: {{name: shop}}
spec: {{selector: {{app: shop}}, ports: [{{port: 80}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: shop-canary}}
spec: {{selector: {{app: shop}}, ports: [{{port: 80}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: shop}}
spec:
  ingressClassName: nginx
  rules: [{{http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: shop, port: {{number: 80}}}}}}}}]}}}}]
"""


def scenario(
    folder: Path, gate: str | tuple[str, ...], rate: float = 100.0, more: str = "", **kind: object
) -> Scenario:
    """The Rollout in a world of constant traffic."""
    gates = (gate,) if isinstance(gate, str) else gate
    return scenario_of(folder, manifests(*gates, **kind), rate, more)  # type: ignore[arg-type]


def scenario_of(folder: Path, documents: str, rate: float = 100.0, more: str = "") -> Scenario:
    """The same world around these manifests."""
    (folder / "shop.yaml").write_text(documents, encoding="utf-8")
    text = f"""\
schema: rolltwin/v1
name: shop
manifests: [shop.yaml]
traffic: {{stages: [{{duration: 1h, rate: {rate}}}]}}
client: {{timeout: 5s, retries: 0}}
stable: {{name: old, latency: {{median: 20ms, sigma: 0.4}}, statuses: {{500: 0.1%}}, start_up: {{median: 2s, sigma: 0}}}}
releases: [{{name: good, good: true, share: 100%}}]
warm_up: 30s
tail: 0s
{more}
"""
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    return load(folder / "scenario.yaml").scenario


def rollout(folder: Path, gate: str | tuple[str, ...], rate: float = 100.0, more: str = "", **kind: object) -> Rollout:
    """Its models."""
    return models_of(scenario(folder, gate, rate, more, **kind))


def rollout_of_text(folder: Path, documents: str, rate: float = 100.0) -> Rollout:
    """The models of these manifests."""
    return models_of(scenario_of(folder, documents, rate))


def models_of(world: Scenario) -> Rollout:
    """The models of a scenario that has gates."""
    found = rollout_of(world)
    assert isinstance(found, Rollout)
    return found
