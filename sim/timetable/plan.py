"""The timetable of a strategy: Rollouts, Deployments, the switch script, regions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sim.decide.rejections import Rejection, geographic_rejection, rejection
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, Geographic, LocalStrategy, RollingUpdate, SetImage, Strategy, SwitchScript
from sim.timetable.of_deployment import deployment_timetable
from sim.timetable.of_rollout import rollout_timetable
from sim.timetable.of_script import script_timetable
from sim.timetable.values import Instant, Phase, Timetable


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no timetable: the cluster refuses the release, in these words."""

    subject: str
    actor: str
    reason: str


def plan(scenario: Scenario, strategy: Strategy | None = None) -> Timetable | Refused:
    """The timetable of the scenario's strategy (or of another one with its manifests), or why nothing would happen."""
    chosen = strategy or scenario.strategy
    if isinstance(chosen, Geographic):
        return _regional(scenario, chosen)
    return _local(scenario, chosen)


def subject_of(strategy: LocalStrategy) -> str:
    """``Rollout shop``."""
    match strategy:
        case ArgoRollout(name):
            return f"Rollout {name}"
        case RollingUpdate(name) | SetImage(name):
            return f"Deployment {name}"
        case SwitchScript(virtual_service=name):
            return f"VirtualService {name}"


def _local(scenario: Scenario, strategy: LocalStrategy) -> Timetable | Refused:
    refused = rejection(scenario, strategy)
    if refused is not None:
        return _refused(subject_of(strategy), refused)
    match strategy:
        case ArgoRollout(name):
            spec = next(one for one in scenario.manifests.rollouts if one.name == name)
            return rollout_timetable(scenario, spec)
        case RollingUpdate(name) | SetImage(name):
            deployment = next(one for one in scenario.manifests.deployments if one.name == name)
            return deployment_timetable(scenario, deployment)
        case SwitchScript():
            return script_timetable(scenario, strategy)


def _refused(subject: str, refused: Rejection) -> Refused:
    return Refused(subject, refused.actor, refused.reason)


def _regional(scenario: Scenario, strategy: Geographic) -> Timetable | Refused:
    refused = geographic_rejection(scenario, strategy)
    if refused is not None:
        return _refused(f"ApplicationSet {strategy.refused_by}", refused)
    inner = _local(scenario, strategy.inner)
    if isinstance(inner, Refused):
        return inner
    phases = _phases(strategy, inner)
    missing = [region.name for phase in strategy.phases for region in phase.regions if not region.deployed]
    ending = inner.ending or (f"no manifest deploys to {', '.join(missing)}" if missing else "")
    end = phases[-1].released if phases else inner.end
    return replace(
        inner,
        strategy=f"region by region, each: {inner.strategy}",
        phases=phases,
        end=Instant(None, None) if ending else end,
        ending=ending,
        notes=(*inner.notes, "steps, gates and pods are those of one region, counted from its own start"),
    )


def _phases(strategy: Geographic, inner: Timetable) -> tuple[Phase, ...]:
    """One phase after the other; all regions at once where nothing orders them."""
    if not strategy.ordered:
        regions = tuple(region.name for phase in strategy.phases for region in phase.regions)
        soak_s = strategy.phases[-1].soak_s if strategy.phases else 0.0
        parts = [("all at once", regions, soak_s)]
    else:
        parts = [(one.name, tuple(region.name for region in one.regions), one.soak_s) for one in strategy.phases]
    start, found = Instant(0.0, 0.0), []
    for name, regions, soak_s in parts:
        released = _later(start, inner.end)
        end = _later(released, Instant(soak_s, soak_s))
        found.append(Phase(name, regions, start, released, soak_s, end))
        start = end
    return tuple(found)


def _later(start: Instant, length: Instant) -> Instant:
    earliest = _sum(start.earliest_s, length.earliest_s)
    return Instant(earliest, _sum(start.latest_s, length.latest_s), start.after_wait or length.after_wait)


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
