"""The twin's controller on objects of a cluster: the same decisions, carried out on what Kubernetes knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.cluster.connection import ApiError
from harness.makers.observe import unix_s
from harness.missing import MissingError
from scenarios.document import Loaded
from sim import study
from sim.model.outcome import Outcome
from sim.model.records import (
    AnalysisRecord,
    DecisionRecord,
    MeasurementRecord,
    PhaseRecord,
    StepRecord,
    Verdict,
    WeightRecord,
)
from tests.harness.rollouts import BLUE_GREEN, CANARY, Rehearsal, failing, shop


@pytest.fixture
def canary(tmp_path: Path) -> Loaded:
    return shop(tmp_path, CANARY)


def ended(run: Rehearsal) -> Outcome:
    assert run.maker.outcome is not None
    return run.maker.outcome


def twins(loaded: Loaded, kind: type[Any]) -> list[Any]:
    return [row for row in study.run_once(loaded.scenario, 1).journal if isinstance(row, kind)]


def decisions(loaded: Loaded) -> list[tuple[str, str]]:
    return [(row.actor, row.decision) for row in twins(loaded, DecisionRecord)]


def steps(loaded: Loaded) -> list[tuple[int, str]]:
    return [(row.index, row.state) for row in twins(loaded, StepRecord)]


def test_a_good_canary_is_promoted_as_in_the_twin(canary: Loaded) -> None:
    run = Rehearsal(canary).stand().release().run(150.0)
    assert (ended(run).verdict, ended(run).served_all) == (Verdict.PROMOTED, True)
    assert run.decisions == decisions(canary)
    assert run.steps == steps(canary)
    assert [row.phase for row in run.rows(MeasurementRecord)] == ["Successful"] * 3
    assert run.weights() == [100, 0]
    assert run.sizes() == {"stable": 0, "candidate": 3}


def test_a_bad_canary_is_aborted_as_in_the_twin(canary: Loaded) -> None:
    bad = canary.with_release("bad")
    run = Rehearsal(bad, failing).stand().release().run(150.0)
    assert ended(run).verdict is Verdict.ABORTED
    assert run.decisions == decisions(bad) == [("argo-cd", "start"), ("analysis", "abort")]
    assert run.steps == steps(bad)
    assert [row.phase for row in run.rows(AnalysisRecord)] == [row.phase for row in twins(bad, AnalysisRecord)]
    assert run.weights() == [100, 0]
    assert run.sizes() == {"stable": 3, "candidate": 0}


def test_the_analysis_asks_about_the_canary(canary: Loaded) -> None:
    run = Rehearsal(canary).stand().release().run(60.0)
    assert run.maker.rollout.template_hash in run.prometheus.asked[0][0]
    assert run.prometheus.asked[0][1] == pytest.approx(run.recorder.applied_at + 33, abs=1.5)


def test_an_outage_is_an_error_in_the_words_of_the_client(canary: Loaded) -> None:
    run = Rehearsal(canary).stand().release()
    run.prometheus.down = True
    run.run(150.0)
    assert ended(run).verdict is Verdict.ABORTED
    rows = run.rows(MeasurementRecord)
    assert len(rows) == 5
    assert {row.message for row in rows} == {
        'Post "http://127.0.0.1:9090/api/v1/query": dial tcp 127.0.0.1:9090: connect: connection refused'
    }


def test_an_abort_ends_when_the_gateway_has_it(canary: Loaded) -> None:
    """What is written to the VirtualService is no fact before the proxy acts on it."""
    run = Rehearsal(canary).stand()
    run.recorder.add(WeightRecord(0.0, "", 20.0, 80.0))
    run.release().run(10.0)
    run.maker.abort("enough")
    run.run(5.0)
    assert run.maker.outcome is None
    run.recorder.add(WeightRecord(run.recorder.t_s, "", 0.0, 100.0))
    run.run(0.4)
    assert ended(run) == Outcome(Verdict.ABORTED, "aborted by a person: enough", 15.2)


def test_a_person_takes_a_promoted_release_back(canary: Loaded) -> None:
    run = Rehearsal(canary).stand().release().run(100.0)
    run.maker.undo("reported by users")
    assert (run.maker.outcome, run.maker.going_back) == (None, True)
    run.run(150.0)
    assert (ended(run).verdict, ended(run).reason) == (Verdict.UNDONE, "undone by a person: reported by users")
    assert run.sizes() == {"stable": 3, "candidate": 0}


def test_a_person_ends_a_pause_without_end(tmp_path: Path) -> None:
    run = Rehearsal(shop(tmp_path, CANARY.replace("{duration: 30s}", "{}"))).stand().release().run(60.0)
    assert run.maker.waits_for_person() is not None
    run.maker.approve()
    run.run(0.4)
    assert run.maker.waits_for_person() is None


def test_pods_that_never_get_ready_leave_the_rollout_stuck(canary: Loaded) -> None:
    run = Rehearsal(canary).stand()
    run.objects.broken = {"candidate"}
    run.release().run(700.0, every_s=1.0)
    assert run.maker.outcome is None
    assert "ProgressDeadlineExceeded" in run.maker.trouble
    assert run.maker.stuck().verdict is Verdict.DEGRADED


def test_a_blue_green_switches_both_services(tmp_path: Path) -> None:
    loaded = shop(tmp_path, BLUE_GREEN)
    run = Rehearsal(loaded).stand().release().run(100.0)
    assert ended(run).verdict is Verdict.PROMOTED
    assert run.decisions == decisions(loaded)
    selectors = {one["metadata"]["name"]: one["spec"]["selector"] for one in run.objects.list("Service")}
    (pod_hash,) = {one["rollouts-pod-template-hash"] for one in selectors.values()}
    assert pod_hash == run.maker.rollout.status.stable_rs
    assert run.sizes() == {"stable": 0, "candidate": 3}


def test_a_resting_rollout_writes_nothing(canary: Loaded) -> None:
    run = Rehearsal(canary).stand().release().run(120.0)
    run.objects.writes.clear()
    run.run(60.0)
    assert run.objects.writes == []


def test_phases_are_told_as_in_the_twin(canary: Loaded) -> None:
    run = Rehearsal(canary).stand().release().run(150.0)
    assert [(row.phase, row.message) for row in run.rows(PhaseRecord)] == [
        (row.phase, row.message) for row in twins(canary, PhaseRecord)
    ]


def test_an_experiment_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    step = "- experiment: {templates: [{name: a, specRef: stable}], duration: 30s}\n    - setWeight: 60"
    with pytest.raises(MissingError, match="a controller for Experiments is missing"):
        Rehearsal(shop(tmp_path, CANARY.replace("- setWeight: 60", step)))


def test_traffic_by_header_reaches_the_canary_first(tmp_path: Path) -> None:
    routed = CANARY.replace("trafficRouting: {", "trafficRouting: {managedRoutes: [{name: testers}], ").replace(
        "    - setWeight: 20",
        "    - setCanaryScale: {replicas: 1}\n"
        "    - setHeaderRoute: {name: testers, match: [{headerName: x-tester, headerValue: {exact: always}}]}\n"
        "    - pause: {duration: 10s}\n    - setWeight: 20",
    )
    run = Rehearsal(shop(tmp_path, routed)).stand().release().run(8.0)
    obj = run.objects.get("VirtualService", "shop")
    assert obj is not None
    assert obj["spec"]["http"][0] == {
        "name": "testers",
        "match": [{"headers": {"x-tester": {"exact": "always"}}}],
        "route": [{"destination": {"host": "shop-canary"}, "weight": 100}],
    }
    assert obj["spec"]["http"][1]["corsPolicy"] == {"maxAge": "24h"}
    run.run(150.0)
    obj = run.objects.get("VirtualService", "shop")
    assert obj is not None
    assert [one["name"] for one in obj["spec"]["http"]] == ["primary"]
    assert obj["spec"]["http"][0]["route"][0]["headers"] == {"request": {"set": {"x-side": "stable"}}}


def test_a_deadline_is_kept_on_the_replica_set(canary: Loaded) -> None:
    run = Rehearsal(canary).stand().release().run(100.0)
    stable, new = (one["metadata"]["annotations"] for one in run.objects.list("ReplicaSet"))
    assert (stable["rollout.argoproj.io/revision"], new["rollout.argoproj.io/revision"]) == ("1", "2")
    assert unix_s(stable["scale-down-deadline"]) == pytest.approx(
        run.recorder.applied_at + ended(run).ended_s + 30, abs=0.5
    )
    assert run.sizes() == {"stable": 3, "candidate": 3}


@pytest.mark.parametrize(
    ("rule", "written"),
    [
        pytest.param("requiredDuringSchedulingIgnoredDuringExecution: {}", None, id="required"),
        pytest.param("preferredDuringSchedulingIgnoredDuringExecution: {weight: 7}", 7, id="preferred"),
    ],
)
def test_new_pods_keep_away_from_the_stable_ones(tmp_path: Path, rule: str, written: int | None) -> None:
    run = Rehearsal(shop(tmp_path, CANARY.replace("canary:", f"canary:\n  antiAffinity: {{{rule}}}"))).stand().release()
    run.run(1.0)
    stable, new = run.objects.list("ReplicaSet")
    assert "affinity" not in stable["spec"]["template"]["spec"]
    (found,) = new["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"].values()
    assert found[0].get("weight") == written
    term = found[0]["podAffinityTerm"] if written else found[0]
    assert term["labelSelector"]["matchExpressions"][0]["values"] == [run.maker.rollout.status.stable_rs]


def test_a_write_that_the_api_server_refuses_is_tried_again(canary: Loaded) -> None:
    run = Rehearsal(canary).stand().release()
    run.objects.refuse("ReplicaSet", ApiError(503, "ServiceUnavailable", "overloaded"), times=3)
    run.run(20.0)
    assert run.maker.rollout.status.message == "CanaryPauseStep"


def test_an_api_server_that_stays_away_ends_the_run(canary: Loaded) -> None:
    run = Rehearsal(canary).stand().release()
    run.objects.refuse("ReplicaSet", ApiError(503, "ServiceUnavailable", "overloaded"), times=1000)
    with pytest.raises(ApiError):
        run.run(70.0)
