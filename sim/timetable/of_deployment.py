"""The timetable of a plain Deployment: batches of pods, and nobody who watches."""

from __future__ import annotations

from sim.decide.rolling import fenceposts
from sim.model.pods import DeploymentSpec
from sim.model.scenario import Scenario
from sim.model.units import duration_text
from sim.timetable.deployments import DeploymentWalk
from sim.timetable.gates import DEADLINE
from sim.timetable.pace import fastest, slowest
from sim.timetable.rows import Pair, deployment_rows
from sim.timetable.sums import extra_pod_hours, peak_of, points
from sim.timetable.values import PODS, Ability, Gate, Instant, Timetable


def deployment_walks(scenario: Scenario, spec: DeploymentSpec) -> Pair:
    """Its update at its fastest and at its slowest."""
    paces = (
        fastest(scenario, spec.template, spec.min_ready_s),
        slowest(scenario, spec.template, spec.progress_deadline_s),
    )
    return Pair(*(DeploymentWalk(spec, pace, first_deploy=scenario.first_deploy).run() for pace in paces))


def deployment_timetable(scenario: Scenario, spec: DeploymentSpec) -> Timetable:
    """Of an update of a Deployment that runs."""
    pair = deployment_walks(scenario, spec)
    rows = tuple(deployment_rows(pair))
    after = duration_text(spec.progress_deadline_s)
    reason = f"pods that never become available fail it after {after}, but nothing goes back"
    deadline = Gate(
        DEADLINE,
        PODS,
        f"pods must become available within {after}",
        Instant(0.0, 0.0),
        Instant(None, None),
        Ability.NEVER,
        reason,
    )
    return Timetable(
        subject=f"Deployment {spec.name}",
        strategy=deployment_text(spec),
        replicas=spec.replicas,
        rows=rows,
        end=pair.instant(lambda walk: walk.end),
        ending=pair.fast.stopped or ("" if pair.fast.end is not None else "it never completes by itself"),
        gates=(deadline,),
        unwatched=tuple(index for index, row in enumerate(rows) if row.weight > 0),
        earliest_abort_s=None,
        bound_s=None,
        peak=peak_of(rows, pair),
        extra_pod_hours=extra_pod_hours(pair.slow, spec.replicas),
        relief=None,
        fastest=points(pair.fast),
        slowest=points(pair.slow),
        assumptions=(
            "an update of a version that runs; no pod dies, nobody interferes",
            "earliest: pods are available as soon as their probes and minReadySeconds allow",
            f"latest: every batch of pods just keeps within progressDeadlineSeconds ({after})",
        ),
    )


def deployment_text(spec: DeploymentSpec) -> str:
    """``rolling update, maxSurge 3, maxUnavailable 2``."""
    if spec.recreate:
        return "recreate: all old pods go before the first new one comes"
    surge, unavailable = fenceposts(spec)
    return f"rolling update, {surge} more and {unavailable} fewer pods at a time"
