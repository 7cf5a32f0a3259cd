"""Every reconcile of a rollout that did something, one a paragraph: what it did, and what became of the status."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from unittest.mock import patch

from sim.decide import bluegreen, canary
from sim.engine import run
from sim.model.actions import (
    Action,
    CreateReplicaSet,
    Decision,
    PointService,
    Scale,
    SetScaleDownDeadline,
    SetWeight,
    StartAnalysis,
    TerminateAnalysis,
)
from sim.model.analysis import AnalysisTemplate
from sim.model.operations import Command, Operation
from sim.model.rollout import Observed, RolloutSpec, RolloutStatus
from sim.model.scenario import Scenario
from tests.engine import builders
from tests.engine.worlds import world

Rules = Callable[[RolloutSpec, Observed], Decision]
PASSES = builders.prometheus_template("passes", "vector(1)", "result[0] == 1", interval="20s", count=2)
STEPS = (builders.set_weight(25), builders.pause(30), builders.analysis("passes"), builders.set_weight(50))


def _canary(
    *, templates: tuple[AnalysisTemplate, ...] = (PASSES,), routed: bool = True, **strategy: object
) -> Scenario:
    manifests = builders.canary_manifests(STEPS, replicas=4, templates=templates)
    spec = manifests.rollouts[0]
    assert spec.canary is not None
    changed = replace(spec.canary, **strategy)  # type: ignore[arg-type]  # fields of the strategy, named by the callers
    changed = changed if routed else replace(changed, traffic_routing=None)
    return world(replace(manifests, rollouts=(replace(spec, canary=changed),)), tail_s=120.0)


def _blue_green() -> Scenario:
    ref = builders.refs("passes")
    manifests = builders.blue_green_manifests(
        replicas=2, templates=(PASSES,), pre_promotion=ref, post_promotion=ref, auto_promotion_s=10
    )
    return world(manifests, tail_s=120.0)


def _operated(scenario: Scenario, *operations: Operation) -> Scenario:
    return replace(scenario, operations=operations)


CASES: Mapping[str, Scenario] = MappingProxyType(
    {
        "istio-canary": _canary(),
        "basic-canary": _canary(routed=False),
        "blue-green": _blue_green(),
        "abort": _operated(_canary(), Operation(30.0, Command.ABORT)),
        "retry": _operated(_canary(), Operation(30.0, Command.ABORT), Operation(90.0, Command.RETRY)),
        "dynamic-stable-scale": _canary(dynamic_stable_scale=True),
        "dynamic-stable-scale-abort": _operated(_canary(dynamic_stable_scale=True), Operation(90.0, Command.ABORT)),
        "superseded": _operated(_canary(), Operation(30.0, Command.APPLY, release="second")),
        "undo": _operated(_canary(), Operation(30.0, Command.UNDO)),
    }
)


@dataclass
class _Log:
    lines: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def hear(self, observed: Observed, decision: Decision) -> None:
        told = [self.told(action) for action in decision.actions]
        told += self._changes(observed.status, decision.status)
        if told:
            head = f"{observed.now_s:8.3f}  "
            self.lines += [head + told[0], *(" " * len(head) + line for line in told[1:])]

    def name(self, pod_hash: str) -> str:
        """Revisions by the order in which they were first spoken of."""
        return self.names.setdefault(pod_hash, f"v{len(self.names) + 1}") if pod_hash else "none"

    def told(self, action: Action) -> str:
        match action:
            case SetWeight(weights):
                sides = ((side, self.name(side.hash)) for side in (weights.canary, weights.stable))
                return "weights " + ", ".join(f"{name} {side.weight}" for side, name in sides)
            case PointService(service, pod_hash):
                return f"service {service} -> {self.name(pod_hash)}"
            case StartAnalysis(role, _, run_name):
                return f"start {role} analysis {self._plain(run_name)}"
            case TerminateAnalysis(run_name):
                return f"terminate analysis {self._plain(run_name)}"
            case _:
                return self._sized(action)

    def _sized(self, action: Action) -> str:
        match action:
            case CreateReplicaSet(pod_hash, revision):
                return f"create {self.name(pod_hash)} (revision {revision})"
            case Scale(pod_hash, replicas):
                return f"scale {self.name(pod_hash)} to {replicas}"
            case SetScaleDownDeadline(pod_hash, deadline_s):
                until = "none" if deadline_s is None else f"{deadline_s:.3f}"
                return f"scale-down deadline of {self.name(pod_hash)}: {until}"
            case _:
                return type(action).__name__

    def _plain(self, text: str) -> str:
        for pod_hash, name in self.names.items():
            text = text.replace(pod_hash, name)
        return text

    def _changes(self, before: RolloutStatus, after: RolloutStatus) -> Iterator[str]:
        if (before.phase, before.message) != (after.phase, after.message):
            yield f"{after.phase}: {self._plain(after.message)}".removesuffix(": ")
        for what, old, new in (
            ("current", self.name(before.current_pod_hash), self.name(after.current_pod_hash)),
            ("stable", self.name(before.stable_rs), self.name(after.stable_rs)),
            ("step", before.current_step_index, after.current_step_index),
            ("abort", before.abort, after.abort),
            ("paused by", _reasons(before), _reasons(after)),
            ("active", self.name(before.blue_green.active_selector), self.name(after.blue_green.active_selector)),
        ):
            if old != new:
                yield f"{what} {old} -> {new}"


def _reasons(status: RolloutStatus) -> str:
    return ", ".join(condition.reason for condition in status.pause_conditions) or "nothing"


def text(case: str) -> str:
    """The log of one case."""
    log = _Log()

    def listening(rules: Rules) -> Rules:
        def next_actions(spec: RolloutSpec, observed: Observed) -> Decision:
            decision = rules(spec, observed)
            log.hear(observed, decision)
            return decision

        return next_actions

    with (
        patch.object(canary, "next_actions", listening(canary.next_actions)),
        patch.object(bluegreen, "next_actions", listening(bluegreen.next_actions)),
    ):
        result = run(CASES[case], seed=1)
    return "\n".join([*log.lines, f"ended at {result.ended_s:.3f} s: {result.verdict}", ""])
