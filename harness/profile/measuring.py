"""How quick a cluster is, measured with the very parts that runs use: the application, the gateway and the watches."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, stdev
from tempfile import TemporaryDirectory
from typing import Final

from harness.cluster import crds
from harness.cluster.base import Reachable
from harness.cluster.namespace import run_namespace
from harness.cluster.objects import Object, Objects
from harness.cluster.statuses import condition
from harness.deploy.plan import Plan, plan
from harness.deploy.target import Target
from harness.gateway.gateway import Action, Gateway
from harness.images import Images
from harness.makers import deployments
from harness.recorder import Recorder
from harness.site import Site
from harness.waiting import wait_until
from scenarios.document import Loaded, load
from sim.streams import Streams

UPDATES: Final = 4
"""Rolling updates, each of which makes new pods."""
ROUTES: Final = 20
_WITHIN_S: Final = 120.0
_PROBED_S: Final = 3.0
"""From the start of the process to its first successful probe: half a period after 2.5 s on average, in the twin always."""
_ROUTE: Final = "networking.istio.io/v1beta1/VirtualService"
_SCENARIO: Final = """
schema: rolltwin/v1
manifests: [manifests.yaml]
strategy: {kind: rolling-update, deployment: probe}
stable: {name: stable, start_up: {median: 2500ms, shape: constant}}
"""
_MANIFESTS: Final = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: probe}
spec:
  replicas: 4
  selector: {matchLabels: {app: probe}}
  template:
    metadata: {labels: {app: probe}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: probe
          image: probe
          ports: [{containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: probe}
spec: {selector: {app: probe}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: other}
spec: {selector: {app: probe}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: probe}
spec:
  hosts: [probe.example.com]
  gateways: [public]
  http:
    - route:
        - {destination: {host: probe}, weight: 100}
        - {destination: {host: other}, weight: 0}
"""


@dataclass
class Samples:
    """Seconds, by what they are of."""

    schedule: list[float] = field(default_factory=list)
    """From hearing of a pod to hearing that it is ready, less its start-up and the wait for a probe."""
    endpoint: list[float] = field(default_factory=list)
    """From hearing that a pod's readiness has changed to the proxy acting on it."""
    route: list[float] = field(default_factory=list)
    """From sending a patch of the VirtualService to the proxy acting on it."""
    heard: list[float] = field(default_factory=list)
    """From sending a patch to hearing of it: what a controller that watches needs before it reconciles."""


def measure(cluster: Reachable, images: Images) -> Samples:
    """Samples from a namespace made for it; some minutes. WaitError if pods or proxy do not follow."""
    with TemporaryDirectory(prefix="rolltwin-profile-") as folder, run_namespace(cluster, "profile") as objects:
        with cluster.objects("default") as everywhere:
            crds.install(everywhere)
        loaded = _loaded(Path(folder))
        image = images.reference("app")
        cluster.load_image(image)
        made = plan(loaded, Target(objects.namespace, image))
        site = Site(cluster, objects, Recorder(), loaded, Streams(1), Path(folder))
        with Gateway(site, images) as gateway:
            gateway.start()
            return _Measuring(objects, gateway, made).samples()


def _loaded(folder: Path) -> Loaded:
    (folder / "manifests.yaml").write_text(_MANIFESTS, encoding="utf-8")
    (folder / "scenario.yaml").write_text(_SCENARIO, encoding="utf-8")
    return load(folder / "scenario.yaml")


class _Measuring:
    def __init__(self, objects: Objects, gateway: Gateway, made: Plan) -> None:
        self._objects, self._gateway, self._plan = objects, gateway, made
        self._found = Samples()
        self._created: dict[str, float] = {}
        self._ready: dict[str, float] = {}
        self._objects.watch("Pod").on_change(self._hear)

    def samples(self) -> Samples:
        """See ``measure``."""
        deployments.stand(self._objects, self._plan)
        for number in range(UPDATES):
            self._update(number)
        for number in range(ROUTES):
            self._route(number)
        self._found.schedule += [self._ready[one] - self._created[one] - _PROBED_S for one in list(self._ready)]
        self._found.endpoint += [one.took_s for one in self._gateway.actions if one.what == "pods"]
        return self._found

    def _hear(self, name: str, pod: Object | None, at_unix_s: float) -> None:
        """Called on the watching thread."""
        if pod is None or pod["metadata"].get("labels", {}).get("app") != "probe":
            return
        self._created.setdefault(name, at_unix_s)
        if condition(pod, "Ready").get("status") == "True":
            self._ready.setdefault(name, at_unix_s)

    def _update(self, number: int) -> None:
        """A rolling update."""
        template = json.loads(json.dumps(self._plan.workload["spec"]["template"]))
        template["metadata"]["annotations"]["rolltwin.dev/update"] = str(number)
        applied = self._objects.apply(deployments.with_template(self._plan.workload, template))
        generation = applied["metadata"].get("generation", 0)

        def through() -> bool:
            now = self._objects.watch(deployments.KIND).current().get("probe")
            return now is not None and deployments.is_complete(now, generation)

        wait_until(through, f"update {number} is through", _WITHIN_S)

    def _route(self, number: int) -> None:
        weights = (90, 10) if number % 2 else (10, 90)
        ends = [
            {"destination": {"host": host}, "weight": weight}
            for host, weight in zip(("probe", "other"), weights, strict=True)
        ]
        sent_s = time.time()
        self._objects.patch(_ROUTE, "probe", {"spec": {"http": [{"route": ends}]}})
        (acted,) = wait_until(lambda: self._acted(sent_s), f"route {number} is acted on", _WITHIN_S, every_s=0.02)
        self._found.route.append(acted.acted_s - sent_s)
        if acted.what == "virtual_services":  # else something else may have been heard of before
            self._found.heard.append(acted.heard_s - sent_s)

    def _acted(self, since_s: float) -> list[Action]:
        """The first action on a VirtualService since then, if there is one."""
        actions = self._gateway.actions
        return [one for one in actions if one.acted_s >= since_s and "virtual_services" in one.what.split(",")][:1]


def spread(samples: Sequence[float]) -> tuple[float, float]:
    """(median, standard deviation of the logarithms): a log-normal delay. Nothing is quicker than a millisecond."""
    kept = [max(one, 0.001) for one in samples]
    return median(kept), stdev(map(math.log, kept)) if len(kept) > 1 else 0.0


def written(found: Samples, source: str) -> str:
    """The file of a profile, with how each delay was measured."""
    parts = (
        (
            "schedule",
            found.schedule,
            "from hearing of a pod to hearing that it is ready, less its start-up and the wait for a probe",
        ),
        ("endpoint_propagation", found.endpoint, "from hearing of a pod's readiness to the proxy acting on it"),
        ("route_propagation", found.route, "from sending a patch of a VirtualService to the proxy acting on it"),
    )
    lines = ["# Written by python -m harness.profile.", f"source: {json.dumps(source)}"]
    for name, samples, how in parts:
        middle, sigma = spread(samples)
        lines += [f"# {how}; {len(samples)} samples", f"{name}: {{median_s: {middle:.3f}, sigma: {sigma:.2f}}}"]
    lines += [
        "# images are loaded into the node before a run",
        "image_pull: {median_s: 0.0, sigma: 0.0}",
        f"# from sending a patch to hearing of it: median of {len(found.heard)} samples",
        f"controller_latency_s: {median(found.heard):.3f}",
    ]
    return "\n".join(lines) + "\n"
