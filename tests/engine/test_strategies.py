"""The other strategies end to end: rolling update, blue-green, switch script, hotfix, regions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.engine import run
from sim.model.behaviour import Alert, Errors, Fault, People, Side, Target
from sim.model.gitops import ApplicationSet
from sim.model.manifests import ManifestSet, Refusal
from sim.model.network import HttpMatch, HttpRoute, RouteDestination, ServiceSpec, StringMatch, VirtualService
from sim.model.pods import DeploymentSpec
from sim.model.records import (
    DecisionRecord,
    PhaseRecord,
    RunResult,
    ScaleRecord,
    SoakRecord,
    TrafficRecord,
    Verdict,
    WeightRecord,
)
from sim.model.strategy import (
    ArgoRollout,
    Geographic,
    Region,
    RegionPhase,
    RollingUpdate,
    ScriptDefects,
    SetImage,
    SwitchScript,
)
from sim.model.units import IntOrPercent
from tests.engine import builders

ERRORS = 'sum(rate(http_requests_total{service="{service}",status=~"5.*"}[1m]))/sum(rate(http_requests_total{service="{service}"}[1m]))*100'
SCRIPT = SwitchScript(
    "shop", host_prefix="shop-", deployment_prefix="shop-", error_query=ERRORS, latency_query="vector(0)"
)


def color_manifests(colors: tuple[str, ...] = ("blue", "green")) -> ManifestSet:
    def labels(color: str) -> tuple[tuple[str, str], ...]:
        return (("app", "shop"), ("version", color))

    def match(color: str) -> HttpRoute:
        headers = (("x-environment", StringMatch("exact", color)),)
        return HttpRoute(matches=(HttpMatch(headers=headers),), destinations=(RouteDestination(f"shop-{color}"),))

    default = HttpRoute(
        destinations=(RouteDestination("shop-blue", weight=100), RouteDestination("shop-green", weight=0))
    )
    return ManifestSet(
        deployments=tuple(
            DeploymentSpec(f"shop-{c}", replicas=3, selector=labels(c), template=builders.template(labels=labels(c)))
            for c in colors
        ),
        services=tuple(ServiceSpec(f"shop-{c}", selector=labels(c)) for c in ("blue", "green")),
        virtual_services=(
            VirtualService("shop", hosts=("shop",), gateways=("gw",), http=(match("blue"), match("green"), default)),
        ),
    )


def decisions(result: RunResult) -> list[tuple[str, str]]:
    return [(row.actor, row.decision) for row in result.journal if isinstance(row, DecisionRecord)]


def last_weights(result: RunResult) -> tuple[float, float]:
    row = [row for row in result.journal if isinstance(row, WeightRecord)][-1]
    return row.candidate, row.stable


def test_rolling_update_stays_within_surge_and_unavailability() -> None:
    manifests = builders.deployment_manifests(replicas=4, max_surge=IntOrPercent(1), max_unavailable=IntOrPercent(1))
    result = run(builders.scenario(manifests, RollingUpdate("shop")), seed=1)
    latest: dict[str, ScaleRecord] = {}
    for row in result.journal:
        if isinstance(row, ScaleRecord):
            latest[row.replica_set] = row
            if row.t_s > 0:
                assert sum(one.desired for one in latest.values()) <= 5
                assert sum(one.available for one in latest.values()) >= 3
    assert result.verdict is Verdict.PROMOTED
    assert last_weights(result) == (100.0, 0.0)


def test_blue_green_switches_once_every_pod_is_ready_and_keeps_the_old_ones_thirty_seconds() -> None:
    result = run(builders.scenario(builders.blue_green_manifests()), seed=1)
    switched = next(row.t_s for row in result.journal if isinstance(row, WeightRecord) and row.candidate == 100)
    gone = [
        row.t_s for row in result.journal if isinstance(row, ScaleRecord) and row.side == "stable" and row.desired == 0
    ]
    assert result.verdict is Verdict.PROMOTED
    assert switched == pytest.approx(17, abs=0.2)
    assert gone[0] == pytest.approx(46, abs=1)


def test_blue_green_waits_for_a_person_and_is_stuck_without_one() -> None:
    manifests = builders.blue_green_manifests(auto_promotion_enabled=False)
    stuck = run(builders.scenario(manifests, horizon_s=600.0), seed=1)
    assert stuck.verdict is Verdict.STUCK
    approving = replace(builders.QUIET, approve=builders.constant(100))
    promoted = run(builders.scenario(manifests, people=approving, horizon_s=600.0), seed=1)
    assert promoted.verdict is Verdict.PROMOTED
    assert ("person", "resume") in decisions(promoted)
    assert promoted.ended_s == pytest.approx(116, abs=2)


def test_script_checks_five_times_ten_seconds_apart_and_reports_success() -> None:
    strategy = replace(SCRIPT, idle_deployed_by=None)
    result = run(builders.scenario(color_manifests(), strategy), seed=1)
    assert result.verdict is Verdict.PROMOTED
    assert result.ended_s == pytest.approx(50.0)
    assert last_weights(result) == (100.0, 0.0)


def test_script_deploys_the_idle_colour_first_when_people_do() -> None:
    strategy = replace(SCRIPT, idle_deployed_by=builders.constant(60))
    result = run(builders.scenario(color_manifests(), strategy), seed=1)
    assert result.verdict is Verdict.PROMOTED
    assert result.ended_s > 60 + 50 + 15


def test_missing_green_takes_all_traffic_and_is_reported_as_success() -> None:
    strategy = replace(SCRIPT, idle_deployed_by=builders.constant(10))
    result = run(builders.scenario(color_manifests(("blue",)), strategy), seed=1)
    assert ("script", "promote") in decisions(result)
    assert result.verdict is Verdict.DEGRADED
    assert "100 % of requests failed" in result.reason
    sides = {row.side for row in result.journal if isinstance(row, TrafficRecord) and row.t_s > result.ended_s}
    assert sides == {"none"}


def test_missing_green_is_refused_once_the_defect_is_repaired() -> None:
    strategy = replace(SCRIPT, idle_deployed_by=None, defects=ScriptDefects(missing_target_is_healthy=False))
    result = run(builders.scenario(color_manifests(("blue",)), strategy), seed=1)
    assert result.verdict is Verdict.ABORTED
    assert last_weights(result) == (0.0, 100.0)


def test_script_switches_back_when_a_check_fails() -> None:
    strategy = replace(SCRIPT, idle_deployed_by=None)
    bad = builders.release(good=False, error_ratio=1.0)
    result = run(builders.scenario(color_manifests(), strategy, release=bad), seed=1)
    assert ("script", "switch-back") in decisions(result)
    assert result.verdict is Verdict.ABORTED
    assert 10 <= result.ended_s <= 45
    assert last_weights(result) == (0.0, 100.0)


HURT = builders.release(good=False, error_ratio=1.0)
ON_CALL = People(
    approve=None,
    alert=Alert(error_ratio=0.05, error_for_s=10.0, p99_s=None),
    notice=builders.constant(30),
    decide=builders.constant(20),
    act=builders.constant(10),
    report=None,
)
BLIND = replace(SCRIPT, idle_deployed_by=None, error_query="vector(0)")


def test_a_person_stops_a_script_that_sees_nothing() -> None:
    result = run(builders.scenario(color_manifests(), replace(BLIND, checks=60), release=HURT, people=ON_CALL), seed=1)
    assert decisions(result) == [
        ("person", "start"),
        ("script", "switch"),
        ("person", "alert"),
        ("person", "abort"),
        ("person", "switch-back"),
    ]
    assert result.verdict is Verdict.ABORTED
    assert result.reason == "aborted by a person: clients' error ratio above 5 % for 10s"
    assert last_weights(result) == (0.0, 100.0)


@pytest.mark.parametrize("act_s", [pytest.param(float(s), id=f"{s}s") for s in range(4, 28, 3)])
def test_a_person_may_come_at_any_moment_of_the_switch_back(act_s: float) -> None:
    strategy = replace(SCRIPT, idle_deployed_by=None, defects=ScriptDefects(rollback_is_toggle=False))
    people = replace(ON_CALL, notice=builders.constant(0), decide=builders.constant(0), act=builders.constant(act_s))
    slow = replace(builders.CLUSTER, route_propagation=builders.constant(5))
    result = run(builders.scenario(color_manifests(), strategy, release=HURT, people=people, cluster=slow), seed=1)
    assert result.verdict is Verdict.ABORTED
    assert last_weights(result) == (0.0, 100.0)


def test_a_person_stops_the_deployment_of_the_idle_colour() -> None:
    strategy = replace(BLIND, idle_deployed_by=builders.constant(600))
    everybody = Fault("errors", Errors(1.0), target=Target(Side.STABLE))
    result = run(builders.scenario(color_manifests(), strategy, faults=(everybody,), people=ON_CALL), seed=1)
    assert result.verdict is Verdict.ABORTED
    assert ("script", "switch") not in decisions(result)


@pytest.mark.parametrize(
    ("toggles", "verdict"),
    [pytest.param(True, Verdict.UNDONE, id="as-written"), pytest.param(False, Verdict.ABORTED, id="restoring")],
)
def test_a_late_rollback_toggles_the_release_back_in(toggles: bool, verdict: Verdict) -> None:
    strategy = replace(SCRIPT, idle_deployed_by=None, defects=ScriptDefects(rollback_is_toggle=toggles))
    result = run(builders.scenario(color_manifests(), strategy, release=HURT, people=ON_CALL), seed=1)
    made = decisions(result)
    assert ("script", "switch-back") in made
    assert (("person", "switch") in made) is toggles
    assert result.verdict is verdict
    assert last_weights(result) == (0.0, 100.0)
    if toggles:
        assert result.reason.startswith("a person's rollback toggled the traffic back to the release while 100 %")
        assert made[-2:] == [("person", "alert"), ("person", "undo")]


def test_hotfix_on_a_deployment_that_does_not_exist_is_refused() -> None:
    manifests = builders.canary_manifests((builders.set_weight(50),))
    result = run(builders.scenario(manifests, SetImage("shop")), seed=1)
    assert result.verdict is Verdict.REJECTED
    assert result.reason == 'Error from server (NotFound): deployments.apps "shop" not found'
    assert last_weights(result) == (0.0, 100.0)


def test_unknown_field_is_refused_in_the_api_servers_words() -> None:
    manifests = builders.canary_manifests((builders.set_weight(50),))
    words = 'strict decoding error: unknown field "spec.strategy.canary.analysis.x"'
    result = run(builders.scenario(replace(manifests, refusals=(Refusal("Rollout", "shop", words),))), seed=1)
    assert (result.verdict, result.reason, result.ended_s) == (Verdict.REJECTED, words, 0.0)


def test_invalid_spec_degrades_and_nothing_moves() -> None:
    manifests = builders.canary_manifests((builders.set_weight(50), builders.analysis("missing")))
    result = run(builders.scenario(manifests), seed=1)
    phases = [row for row in result.journal if isinstance(row, PhaseRecord)]
    assert result.verdict is Verdict.REJECTED
    assert phases[-1].message.startswith("InvalidSpec: ")
    assert last_weights(result) == (0.0, 100.0)


PHASES = (
    RegionPhase("first", (Region("tokyo", 0.5),), 600.0),
    RegionPhase("second", (Region("singapore", 0.3), Region("oregon", 0.2)), 600.0),
)


def test_regions_follow_each_other_after_their_soak() -> None:
    manifests = builders.deployment_manifests()
    result = run(builders.scenario(manifests, Geographic(PHASES, RollingUpdate("shop"))), seed=1)
    starts = {
        row.region: row.t_s for row in result.journal if isinstance(row, DecisionRecord) and row.decision == "start"
    }
    assert result.verdict is Verdict.PROMOTED
    assert starts["tokyo"] == 0.0
    assert starts["singapore"] == starts["oregon"] > 600.0
    assert sum(row.requests for row in result.journal if isinstance(row, SoakRecord) and row.region == "oregon") > 0


def test_a_release_stopped_in_the_first_phase_never_reaches_the_second() -> None:
    manifests = builders.deployment_manifests()
    people = replace(builders.QUIET, report=builders.constant(300))
    bad = builders.release(good=False, error_ratio=0.02)
    result = run(
        builders.scenario(manifests, Geographic(PHASES, RollingUpdate("shop")), release=bad, people=people), seed=1
    )
    assert result.verdict is Verdict.UNDONE
    assert {row.region for row in result.journal if isinstance(row, DecisionRecord)} == {"tokyo"}


def test_regions_at_once_start_together() -> None:
    strategy = Geographic(PHASES, RollingUpdate("shop"), ordered=False)
    result = run(builders.scenario(builders.deployment_manifests(), strategy), seed=1)
    starts = {row.t_s for row in result.journal if isinstance(row, DecisionRecord) and row.decision == "start"}
    assert starts == {0.0}


def test_a_region_that_nothing_deploys_to_leaves_the_release_unfinished() -> None:
    phases = (RegionPhase("all", (Region("tokyo", 0.5), Region("seoul", 0.5, deployed=False)), 60.0),)
    result = run(builders.scenario(builders.deployment_manifests(), Geographic(phases, RollingUpdate("shop"))), seed=1)
    assert result.verdict is Verdict.STUCK
    assert "seoul" in result.reason


def test_a_generator_with_a_number_refuses_every_region() -> None:
    generator = ApplicationSet("geo", non_string_values=((0, "phase"),))
    manifests = replace(builders.deployment_manifests(), application_sets=(generator,))
    strategy = Geographic(PHASES, RollingUpdate("shop"), refused_by="geo")
    result = run(builders.scenario(manifests, strategy), seed=1)
    assert result.verdict is Verdict.REJECTED
    assert "phase" in result.reason


def test_same_seed_same_journal_for_regions() -> None:
    scenario = builders.scenario(builders.deployment_manifests(), Geographic(PHASES, RollingUpdate("shop")))
    assert repr(run(scenario, 3)) == repr(run(scenario, 3))


def test_an_argo_rollout_that_is_not_there_is_refused() -> None:
    result = run(builders.scenario(builders.deployment_manifests(), ArgoRollout("other")), seed=1)
    assert result.verdict is Verdict.REJECTED
    assert "not found" in result.reason
