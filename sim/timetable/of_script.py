"""The timetable of the switch script: deploy the idle colour, validate, switch, check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sim.decide import script as rules
from sim.model.pods import DeploymentSpec
from sim.model.scenario import Scenario
from sim.model.strategy import SwitchScript
from sim.model.units import duration_text
from sim.timetable.of_deployment import deployment_walks
from sim.timetable.rows import APPLY
from sim.timetable.values import Ability, Exposure, Gate, Instant, Peak, Point, Relief, Row, Timetable

CHECKS = "post-switch checks"


@dataclass(frozen=True, slots=True)
class _Course:
    """The two colours, and how far each part of the script goes."""

    script: SwitchScript
    target: str
    active: DeploymentSpec | None
    idle: DeploymentSpec | None
    deployed: Instant
    checked_s: float
    most_idle: int

    @property
    def standing(self) -> int:
        """Pods of the active colour."""
        return self.active.replicas if self.active is not None else 0

    @property
    def new(self) -> int:
        """Pods of the idle colour."""
        return self.idle.replicas if self.idle is not None else 0


def script_timetable(scenario: Scenario, script: SwitchScript) -> Timetable:
    """Of a release by the script, as far as nobody stops it."""
    course = _course(scenario, script)
    rows = tuple(_rows(course))
    gate = _gate(scenario, course)
    end = _later(course.deployed, course.checked_s)
    routes_s = scenario.cluster.route_propagation.median_s
    able = gate.ability is not Ability.NEVER
    pods, most = course.standing + course.new, course.standing + course.most_idle
    line = (
        Point(0.0, 0.0, course.new, course.standing, pods),
        Point(course.deployed.earliest_s or 0.0, 100.0, course.new, course.standing, pods),
    )
    return Timetable(
        subject=f"VirtualService {script.virtual_service}",
        strategy=f"switch script, to {course.target}",
        replicas=course.standing,
        rows=rows,
        end=end,
        ending="",
        gates=(gate,),
        unwatched=() if able else (len(rows) - 1,),
        earliest_abort_s=gate.earliest_abort_s,
        bound_s=None if gate.start.after_wait else gate.bound_s,
        peak=Peak(most, most, 0, 0.0, most),
        extra_pod_hours=None,
        relief=Relief(100.0, Instant(0.0, routes_s), Instant(None, None)) if able else None,
        fastest=line,
        slowest=(line[0], *(Point(at_s, 100.0, course.new, course.standing, pods) for at_s in _known(course))),
        assumptions=(
            "people deploy the idle colour and start the script; how long they take is left out",
            "the script's queries take no time",
        ),
        notes=tuple(_notes(course)),
    )


def _known(course: _Course) -> tuple[float, ...]:
    return () if course.deployed.latest_s is None else (course.deployed.latest_s,)


def _course(scenario: Scenario, script: SwitchScript) -> _Course:
    hosts = {vs.name: vs for vs in scenario.manifests.virtual_services}
    vs = hosts.get(script.virtual_service)
    active = rules.active_color(script, rules.default_host(script, vs))
    target = rules.switch_route(script, active).target
    named = {one.name: one for one in scenario.manifests.deployments}
    idle = named.get(script.deployment_prefix + target)
    deployed, most = APPLY, idle.replicas if idle is not None else 0
    if script.idle_deployed_by is not None:
        walks = deployment_walks(scenario, idle) if idle is not None else None
        end = walks.instant(lambda walk: walk.end) if walks is not None else APPLY
        most = max((frame.pods for frame in walks.slow.frames), default=0) if walks is not None else 0
        deployed = Instant(end.earliest_s, end.latest_s, after_wait=True)
    checked_s = script.first_check_after_s + script.checks * script.interval_s
    return _Course(script, target, named.get(script.deployment_prefix + active), idle, deployed, checked_s, most)


def _rows(course: _Course) -> Iterator[Row]:
    script = course.script
    new, standing = course.new, course.standing
    if script.idle_deployed_by is not None:
        note = "waits for a person"
        yield Row(None, f"deploy {course.target}", APPLY, course.deployed, 0.0, new, standing, 0, (), True, note)
    yield Row(None, f"validate {course.target}", course.deployed, course.deployed, 0.0, new, standing)
    yield Row(None, f"switch to {course.target}", course.deployed, course.deployed, 100.0, new, standing)
    end = _later(course.deployed, course.checked_s)
    what = f"{script.checks} checks every {duration_text(script.interval_s)}"
    gates = (CHECKS,) if script.checks else ()
    yield Row(None, what, course.deployed, end, 100.0, new, standing, 0, gates)


def _later(start: Instant, seconds: float) -> Instant:
    earliest = None if start.earliest_s is None else start.earliest_s + seconds
    return Instant(earliest, None if start.latest_s is None else start.latest_s + seconds, start.after_wait)


def _gate(scenario: Scenario, course: _Course) -> Gate:
    script = course.script
    first = _later(course.deployed, script.first_check_after_s)
    rule = f"{script.checks} checks every {duration_text(script.interval_s)}; the first that fails switches back"
    end = _later(course.deployed, course.checked_s)
    if not script.checks or not (script.error_query or script.latency_query):
        return Gate(CHECKS, "switch script", rule, first, end, Ability.NEVER, "nothing is checked")
    bound_s = None if first.latest_s is None else first.latest_s
    seconds = script.first_check_after_s + scenario.cluster.route_propagation.median_s
    return Gate(
        CHECKS,
        "switch script",
        rule,
        first,
        end,
        Ability.ALWAYS,
        earliest_abort_s=first.earliest_s,
        bound_s=bound_s,
        bound_with_errors_s=bound_s,
        first_measurement_s=first.earliest_s,
        interval_s=script.interval_s,
        measurements=script.checks,
        exposure=Exposure(((100.0, seconds),)),
    )


def _notes(course: _Course) -> Iterator[str]:
    if course.idle is None:
        yield f"no Deployment {course.script.deployment_prefix}{course.target} is in the manifests"
    defects = course.script.defects
    if defects.whole_service_query:
        yield "the checks ask about both colours together"
    if defects.no_data_passes:
        yield "a check without data passes"
