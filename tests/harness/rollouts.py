"""A small shop whose Rollout the twin's controller drives in memory: manifests, plan, and the run's loop."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML

from harness import watching
from harness.cluster.cluster import Cluster
from harness.cluster.objects import Object
from harness.deploy.plan import Plan
from harness.makers.twin import TwinMaker
from harness.recorder import Recorder
from harness.site import Site
from scenarios.document import Loaded, load
from sim.model.records import DecisionRecord, StepRecord
from sim.streams import Streams
from tests.harness.fakes import START, AtOnce, FakeObjects, FakePrometheus, SetClock

HEAD = """
schema: rolltwin/v1
title: shop
manifests: [shop.yaml]
traffic: {stages: [{duration: 1h, rate: 50}]}
stable: {name: stable, statuses: {500: 0%}, start_up: {median: 2s, sigma: 0}}
cluster: {image_pull: 0s}
releases:
  - {name: good, good: true, share: 50%}
  - {name: bad, good: false, share: 50%, behaviour: {statuses: {500: 50%}}}
people: {alert: null, report: null, watch_degraded: false}
release: good
horizon: 1h
"""
SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: shop-stable}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop-canary}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example.com]
  gateways: [front]
  http:
    - name: primary
      corsPolicy: {maxAge: 24h}
      route:
        - {destination: {host: shop-stable}, weight: 100, headers: {request: {set: {x-side: stable}}}}
        - {destination: {host: shop-canary}, weight: 0}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: errors}
spec:
  args: [{name: hash}]
  metrics:
    - name: error-ratio
      interval: 10s
      count: 3
      successCondition: result[0] < 0.05
      failureLimit: 0
      provider:
        prometheus:
          address: http://prometheus:9090
          query: |
            sum(rate(http_requests_total{status=~"5..",rollouts_pod_template_hash="{{args.hash}}"}[30s]))
            / sum(rate(http_requests_total{rollouts_pod_template_hash="{{args.hash}}"}[30s])) or vector(0)
"""
CANARY = """
canary:
  stableService: shop-stable
  canaryService: shop-canary
  trafficRouting: {istio: {virtualService: {name: shop, routes: [primary]}}}
  steps:
    - setWeight: 20
    - pause: {duration: 30s}
    - analysis: &judged {templates: [{templateName: errors}], args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]}
    - setWeight: 60
    - pause: {duration: 20s}
"""
BLUE_GREEN = """
blueGreen:
  activeService: shop-stable
  previewService: shop-canary
  scaleDownDelaySeconds: 20
  prePromotionAnalysis: {templates: [{templateName: errors}], args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]}
"""


def rollout(strategy: str, replicas: int = 3) -> Object:
    template: Object = {
        "metadata": {"labels": {"app": "shop"}},
        "spec": {
            "containers": [
                {
                    "name": "shop",
                    "image": "shop:1",
                    "ports": [{"containerPort": 8080}],
                    "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1},
                }
            ]
        },
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "shop"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "shop"}},
            "template": template,
            "strategy": YAML(typ="safe").load(strategy),
        },
    }


def shop(folder: Path, strategy: str, **overrides: str) -> Loaded:
    """The scenario, written and read as people's are."""
    with (folder / "shop.yaml").open("w", encoding="utf-8") as file:
        file.write(SERVICES.strip() + "\n---\n")
        YAML(typ="safe").dump(rollout(strategy), file)
    (folder / "scenario.yaml").write_text(HEAD, encoding="utf-8")
    return load(folder / "scenario.yaml", [f"{key}={value}" for key, value in overrides.items()])


def sided(template: Object, side: str) -> Object:
    """The pod template of one side."""
    made = deepcopy(template)
    made["metadata"]["annotations"] = {"rolltwin.dev/side": side}
    return made


def plan_of(loaded: Loaded) -> Plan:
    """As ``harness.deploy`` would make it, but for images and ports."""
    objects = [deepcopy(one.data) for one in loaded.documents.objects]
    (workload,) = (one for one in objects if one["kind"] == "Rollout")
    written = workload["spec"]["template"]
    workload["spec"]["template"] = sided(written, "stable")
    return Plan(workload, sided(written, "candidate"), tuple(one for one in objects if one is not workload), ())


def healthy(query: str, at_unix_s: float) -> float:
    """No errors."""
    del query, at_unix_s
    return 0.0


def failing(query: str, at_unix_s: float) -> float:
    """Half of the requests fail."""
    del query, at_unix_s
    return 0.5


@dataclass
class Rehearsal:
    """A run in memory, from the stable version on. ``each`` is called after every poll."""

    loaded: Loaded
    answer: Callable[[str, float], float | None] = healthy
    clock: SetClock = field(default_factory=SetClock)
    each: Callable[[Rehearsal], None] = lambda _: None

    def __post_init__(self) -> None:
        self.objects = FakeObjects(self.clock)
        self.recorder = Recorder(START + 10.0, clock=self.clock)
        self.prometheus = FakePrometheus(self.answer)
        site = Site(cast("Cluster", None), self.objects, self.recorder, self.loaded, Streams(1), Path())
        watching.watch(self.objects, self.recorder)
        self.maker = TwinMaker(site, plan_of(self.loaded), self.prometheus, AtOnce())

    def stand(self) -> Rehearsal:
        """The stable version serves; its pods are ready at once, later ones take some time."""
        self.objects.at_once = True
        self.maker.stand()
        self.objects.at_once = False
        self.objects.start_s, self.objects.ready_s = 0.3, 2.2
        self.run(10.0)
        return self

    def release(self) -> Rehearsal:
        self.maker.release()
        return self

    def run(self, seconds: float, every_s: float = 0.2) -> Rehearsal:
        """Polls for so long, or until there is an outcome and nothing follows from it."""
        end = self.clock.now + seconds
        while self.clock.now < end - every_s / 2:
            self.objects.advance(every_s)
            self.maker.poll()
            self.each(self)
        return self

    def rows(self, kind: type[Any]) -> list[Any]:
        return [row for row in self.recorder.rows() if isinstance(row, kind)]

    @property
    def decisions(self) -> list[tuple[str, str]]:
        return [(row.actor, row.decision) for row in self.rows(DecisionRecord)]

    @property
    def steps(self) -> list[tuple[int, str]]:
        return [(row.index, row.state) for row in self.rows(StepRecord)]

    def weights(self) -> list[int]:
        """Of the VirtualService as it is now."""
        obj = self.objects.get("VirtualService", "shop")
        assert obj is not None
        return [one["weight"] for one in obj["spec"]["http"][-1]["route"]]

    def sizes(self) -> dict[str, int]:
        """Wanted pods by side."""
        sets = self.objects.list("ReplicaSet")
        return {watching.side_of(one): one["spec"]["replicas"] for one in sets}
