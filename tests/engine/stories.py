"""Whole stories: manifests as text, what people do at set times, and how everything stands then.

A story runs as ``rolltwin run`` runs it, without traffic and with pods that are ready about a second after their creation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scenarios.document.load import from_manifests
from sim.decide.rejections import rejection
from sim.decide.standin import SYNTHETIC
from sim.engine.argo import ArgoDriver
from sim.engine.clock import Rank
from sim.engine.local import LocalRun, Place
from sim.model.behaviour import Crash, Fault, Release
from sim.model.load import LoadShape, Stage
from sim.model.operations import Command, Operation
from sim.model.scenario import Cluster, Scenario
from sim.model.strategy import ArgoRollout
from sim.model.telemetry import PrometheusTelemetry
from sim.streams import Streams
from tests.engine import builders

JOB = "{spec: {template: {spec: {containers: [{name: c, image: c}], restartPolicy: Never}}, backoffLimit: 0}}"


def _template(name: str, metric: str) -> str:
    kind = "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\n"
    return f"{kind}metadata: {{name: {name}}}\nspec: {{metrics: [{{name: {name}, {metric}}}]}}\n---\n"


WEB = 'provider: {web: {url: "https://w"}}'
ANALYSES = (
    _template("passing", f"provider: {{job: {JOB}}}")
    + _template("failing", f"provider: {{job: {JOB}}}")
    + _template("mended", f"provider: {{job: {JOB}}}")
    + _template("unpulled", f"provider: {{job: {JOB}}}")
    + _template("lasting", f"provider: {{job: {JOB}}}")
    + _template("late", f"initialDelay: 10s, provider: {{job: {JOB}}}")
    + _template("never", f"initialDelay: 10000s, provider: {{job: {JOB}}}")
    + _template("watching", f"interval: 5s, successCondition: result == 1, {WEB}")
    + _template(
        "doubting",
        f"interval: 5s, inconclusiveLimit: 3, successCondition: result > 9, failureCondition: result < 0, {WEB}",
    )
)
FRAME = f"""
apiVersion: v1
kind: Service
metadata: {{name: stable}}
spec: {{selector: {{app: shop}}, ports: [{{port: 80}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: canary}}
spec: {{selector: {{app: shop}}, ports: [{{port: 80}}]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop}}
spec:
  hosts: [shop]
  http:
  - name: primary
    route:
    - {{destination: {{host: stable}}, weight: 100}}
    - {{destination: {{host: canary}}, weight: 0}}
---
{ANALYSES}---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: shop}}
spec:
  selector: {{matchLabels: {{app: shop}}}}
"""
POD = (
    "template: {metadata: {labels: {app: shop}}, spec: {containers:"
    " [{name: shop, image: shop, readinessProbe: {periodSeconds: 1, httpGet: {port: 80}}}]}}"
)
LATE_POD = POD.replace("periodSeconds: 1", "initialDelaySeconds: 10")
"""Ready only after the first probe, some 10 s after its creation."""
ISTIO = "trafficRouting: {istio: {virtualService: {name: shop, routes: [primary]}}}, canaryService: canary, stableService: stable"
MANAGED = ISTIO.replace("{istio", "{managedRoutes: [{name: first}, {name: second}], istio")
"""The same with two managed routes."""
SIGNALS = {
    "passing": "{answer: success, takes: 5s}",
    "late": "{answer: success, takes: 5s}",
    "never": "{answer: success, takes: 5s}",
    "failing": "{answer: failure, takes: 5s}",
    "mended": "{answer: failure, answers: {30s: success}, takes: 5s}",
    "unpulled": "{answer: inconclusive, takes: 10s}",
    "lasting": "{answer: success, takes: 24h}",
    "watching": '{answer: "1"}',
    "doubting": '{answer: "0"}',
}
"""What the one metric of each template is answered."""
SCRIPTED = [one.replace("{", f"{{template: {name}, metric: {name}, ", 1) for name, one in SIGNALS.items()]


@dataclass(frozen=True)
class Seen:
    """How everything stands at one instant; ``pods`` by revision are those not being deleted."""

    phase: str
    message: str
    step: int | None
    pods: Mapping[int, int]
    available: int
    canary_weight: int | None
    weights: tuple[int | None, ...]
    """Of the main route's destinations: stable, canary and those of an experiment."""
    routes: tuple[str, ...]
    active: int
    """Revision that the stable (active) Service selects; 0 is none."""
    preview: int
    """Revision that the canary (preview) Service selects."""
    stable: int
    dying: tuple[int, ...]
    """Revisions with a scale-down deadline."""
    runs: tuple[str, ...]
    """Phases of the analysis runs, oldest first."""
    analyses: int
    """How many analysis runs there are."""
    abort: bool
    roles: Mapping[int, str]
    """By revision: the label ``role`` that the strategy's metadata puts on its pods."""


@dataclass(frozen=True)
class Expected:
    """What is said of some of it at a time."""

    at_s: float
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Story:
    """One story; ``told`` mixes operations and expectations."""

    rollout: str
    told: tuple[Operation | Expected, ...]
    changes: Mapping[str, Any] = field(default_factory=dict)


def do(at_s: float, command: str, **parts: Any) -> Operation:
    """Something a person does."""
    return Operation(at_s, Command(command), **parts)


def at(at_s: float, **facts: Any) -> Expected:
    """What is to be seen; names and meanings are those of ``Seen``."""
    assert set(facts) <= {one.name for one in fields(Seen)}
    return Expected(at_s, facts)


def story(name: str, rollout: str, *parts: Operation | Expected, **changes: Any) -> Any:
    """A row of a table of stories; ``name`` is that of the upstream test, ``changes`` are made to the scenario."""
    return pytest.param(Story(rollout, parts, changes), id=name)


def rollout(strategy: str, replicas: int = 1, *spec: str, pod: str = POD) -> str:
    """A Rollout with the given strategy and further fields, and everything else there is."""
    lines = (f"replicas: {replicas}", f"strategy: {{{strategy}}}", *spec, pod)
    return FRAME + "".join(f"  {line}\n" for line in lines)


def shipped(name: str, **changes: Any) -> Release:
    """A release whose pods start within a second."""
    return Release(
        name, good=True, share=0.0, behaviour=builders.version(name, start_up=builders.constant(1), **changes)
    )


CRASHING = (Fault("exits", Crash(0.0)),)
SLOW = replace(shipped("slow"), behaviour=builders.version("slow", start_up=builders.constant(20)))
BAD = shipped("bad", faults=CRASHING)
RELEASES = (
    shipped("two"),
    shipped("three"),
    shipped("four"),
    shipped("five"),
    BAD,
    shipped("worse", faults=CRASHING),
    SLOW,
)


def told(story: Story, folder: Path) -> dict[float, Any]:
    """What is seen of it at the times of its expectations, before anything is done at that instant."""
    file = folder / "shop.yaml"
    file.write_text(story.rollout)
    scenario = _scenario(from_manifests([file], [f"telemetry.signals=[{', '.join(SCRIPTED)}]"]).scenario, story)
    strategy = scenario.strategy
    assert isinstance(strategy, ArgoRollout)
    run = LocalRun(scenario, strategy, Place(Streams(1)))
    seen: dict[float, Any] = {}
    for one in story.told:
        if isinstance(one, Expected):
            run._ground.clock.call_at(one.at_s, Rank.FAULT, partial(_look, run, one, seen))
    run.run(rejection(scenario, strategy))
    return seen


def _scenario(base: Scenario, story: Story) -> Scenario:
    defaults: dict[str, Any] = {
        "stable": shipped("one").behaviour,
        "release": RELEASES[0],
        "mix": RELEASES,
        "load": LoadShape((Stage(60.0, 0.0),)),
        "people": builders.QUIET,
        "cluster": Cluster(
            schedule=builders.constant(0.1),
            image_pull=builders.constant(0),
            endpoint_propagation=builders.constant(0.1),
            route_propagation=builders.constant(0.1),
        ),
        "telemetry": replace(
            base.telemetry, prometheus=PrometheusTelemetry(scrape_interval_s=3600.0), sample_interval_s=3600.0
        ),
        "operations": tuple(one for one in story.told if isinstance(one, Operation)),
        "warm_up_s": 1.0,
        "tail_s": 600.0,
        "horizon_s": 600.0,
    }
    return replace(base, **(defaults | dict(story.changes)))


def _look(run: LocalRun, expected: Expected, seen: dict[float, Any]) -> None:
    stands = _stands(run)
    seen.setdefault(expected.at_s, {}).update({name: getattr(stands, name) for name in expected.facts})


def _stands(run: LocalRun) -> Seen:
    driver = run._driver
    assert isinstance(driver, ArgoDriver)
    status, hands = driver.controller.status, driver.controller._hands
    numbers = {rs.revision.hash: rs.number for rs in hands.sets.values()}
    targets = {one.name: numbers.get(one.hash, 0) for one in hands.writer.services()}
    routers = run._router.network.virtual_services
    http = routers.get(SYNTHETIC, routers["shop"]).http
    weights = {one.host: one.weight for one in http[-1].destinations}
    return Seen(
        phase=status.phase.value,
        message=status.message,
        step=status.current_step_index,
        pods={rs.number: len(rs.active) for rs in hands.sets.values()},
        available=sum(rs.available for rs in hands.sets.values()),
        canary_weight=weights["canary"],
        weights=tuple(one.weight for one in http[-1].destinations),
        routes=tuple(one.name for one in http),
        active=targets.get("stable", 0),
        preview=targets.get("canary", 0),
        stable=numbers.get(status.stable_rs, 0),
        dying=tuple(sorted(rs.number for rs in hands.sets.values() if rs.deadline_s is not None)),
        runs=tuple(one.phase.value for one in hands.analyst.views()),
        analyses=len(hands.analyst.views()),
        abort=status.abort,
        roles={rs.number: rs.label_map().get("role", "") for rs in hands.sets.values()},
    )


def expected(story: Story) -> dict[float, Any]:
    """What the story says of each time."""
    said: dict[float, Any] = {}
    for one in story.told:
        if isinstance(one, Expected):
            said.setdefault(one.at_s, {}).update(one.facts)
    return said
