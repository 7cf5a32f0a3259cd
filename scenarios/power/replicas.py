"""Scenarios by which a study checks the chances: the same rollout, in which no gate stops anything.

Every analysis is a dry run, so that each gate measures on what the release does, however bad it is; what it would have
decided is read off its measurements. Until the first abort nothing else differs: a controller does not know beforehand.
Nobody is paged and nobody interferes, for it is the gates that are asked. So one run tells of every gate and step at once.
Traffic rows, which nobody reads, are taken once, at the end.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.power.models import Rollout, healthy_behaviour
from scenarios.power.world import Truth, behaviour_of
from sim.model.analysis import AnalysisRef
from sim.model.behaviour import Fault, People, Release, Side, Slowdown, Target, VersionBehaviour
from sim.model.rollout import BlueGreenStrategy, CanaryStep, CanaryStrategy, RolloutSpec
from sim.model.scenario import Scenario

RELEASE = "release"
"""One name for every truth: all of them meet the same arrivals, delays and draws."""
_EVERYTHING = (".*",)


def observed(scenario: Scenario, truth: Truth) -> Scenario:
    """The scenario with a release that is truly so, its gates watching only."""
    behaviour = _with_slowdown(behaviour_of(healthy_behaviour(scenario), truth), truth)
    manifests = replace(scenario.manifests, rollouts=tuple(_dry(spec) for spec in scenario.manifests.rollouts))
    people = People(approve=scenario.people.approve, alert=None, report=None, watch_degraded=False)
    return replace(
        scenario,
        manifests=manifests,
        release=Release(RELEASE, good=True, share=1.0, behaviour=behaviour),
        mix=(),
        people=people,
        telemetry=replace(scenario.telemetry, sample_interval_s=scenario.horizon_s),
        targets=(),
        tail_s=0.0,
    )


def _with_slowdown(behaviour: VersionBehaviour, truth: Truth) -> VersionBehaviour:
    if not truth.add_s:
        return behaviour
    target = Target(Side.CANDIDATE, version=behaviour.name)
    return replace(
        behaviour, faults=(*behaviour.faults, Fault("slower", Slowdown(truth.factor, truth.add_s), target=target))
    )


def judging(rollout: Rollout, truth: Truth) -> Scenario:
    """The same release under the gates as they are written: what the observed one is checked against."""
    return replace(observed(rollout.scenario, truth), manifests=rollout.scenario.manifests)


def _dry(spec: RolloutSpec) -> RolloutSpec:
    return replace(spec, canary=_dry_canary(spec.canary), blue_green=_dry_blue_green(spec.blue_green))


def _dry_canary(canary: CanaryStrategy | None) -> CanaryStrategy | None:
    if canary is None:
        return None
    return replace(canary, analysis=_dry_ref(canary.analysis), steps=tuple(_dry_step(step) for step in canary.steps))


def _dry_step(step: CanaryStep) -> CanaryStep:
    experiment = step.experiment
    if experiment is not None:
        experiment = replace(experiment, dry_run=_EVERYTHING)
    return replace(step, analysis=_dry_ref(step.analysis), experiment=experiment)


def _dry_blue_green(blue_green: BlueGreenStrategy | None) -> BlueGreenStrategy | None:
    if blue_green is None:
        return None
    return replace(
        blue_green,
        pre_promotion=_dry_ref(blue_green.pre_promotion),
        post_promotion=_dry_ref(blue_green.post_promotion),
    )


def _dry_ref(ref: AnalysisRef | None) -> AnalysisRef | None:
    return None if ref is None else replace(ref, dry_run=_EVERYTHING)
