"""The twin held against a cluster: what agrees, by how much, and what that says about what was asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import reports
from reports.reasons import causes
from reports.verify import thresholds
from reports.verify.agreement import ONE_CLASS, agreement, kappa
from reports.verify.card import Answer, Verification
from reports.verify.data import verification_data
from reports.verify.facts import Decision, Facts, Measure, facts_of
from reports.verify.series import Deviation, deviation, kolmogorov, sampled
from reports.verify.thresholds import LoadLimit, Near, Thresholds, TimeLimit
from scenarios.findings import BadInput
from sim.model.hashing import canonical_json
from sim.model.records import DecisionRecord, PodRecord, StepRecord, Verdict
from tests.reports.builders import journal, run_result, traffic, weight
from tests.reports.worlds import facts, late, pairing, verification

ABORTED, PROMOTED, STUCK = Verdict.ABORTED, Verdict.PROMOTED, Verdict.STUCK


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param("aa aa bb", 1.0, id="the same of several"),
        pytest.param("aa ab ba bb", 0.0, id="as chance would have it"),
        pytest.param("ab ba", -1.0, id="always the other"),
        pytest.param("aa aa", None, id="only one class"),
        pytest.param("ab ab", 0.0, id="one class each, not the same"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_kappa(pairs: str, expected: float | None) -> None:
    assert kappa([(pair[0], pair[1]) for pair in pairs.split()]) == expected


def test_agreement_says_why_there_is_no_kappa() -> None:
    found = agreement([("promoted", "promoted")] * 12)
    assert (found.same, found.of, found.kappa) == (12, 12, None)
    assert found.why_no_kappa == ONE_CLASS
    assert found.bounds is not None
    assert found.bounds.lo == pytest.approx(0.757, abs=0.001)  # never certain
    assert agreement([]).bounds is None


def test_steps_hold_until_the_next() -> None:
    steps = ((-5.0, 1.0), (2.0, 3.0))
    at_s = [-6.0, -5.0, 1.9, 2.0, 99.0]
    assert sampled(steps, at_s).tolist() == [0.0, 1.0, 1.0, 3.0, 3.0]  # type: ignore[arg-type]  # any sequence will do


def test_a_run_is_so_much_later() -> None:
    twin = ((0.0, 0.0), (10.0, 20.0), (60.0, 100.0))
    run = ((0.0, 0.0), (14.0, 20.0), (64.0, 100.0))
    found = deviation(run, [twin] * 3, 99.0)
    assert found is not None
    assert (found.most, round(found.mean, 6), found.shift_s) == (80.0, (4 * 20 + 4 * 80) / 100, 4.0)
    assert deviation(twin, [twin], 99.0) == Deviation(0.0, 0.0, 0.0)
    assert deviation(run, [], 99.0) is None


def test_distance_of_distributions() -> None:
    found = kolmogorov([1, 1, 0], [4, 0, 0])
    assert found is not None
    assert found == (0.5, 2, 4)
    assert kolmogorov([0, 0], [1, 0]) is None
    assert kolmogorov([1, 0, 0], [1, 0]) is None  # other buckets


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            'RolloutAborted: Rollout aborted update to revision 2: Metric "errors" assessed Failed due to failed (2) > (1)',
            ("errors Failed",),
        ),
        ('ReplicaSet "api-7d9f8c6b5d" has timed out', ('ReplicaSet "api-#" has timed out',)),
        ('ReplicaSet "api-40699b70c4" has timed out', ('ReplicaSet "api-#" has timed out',)),
        ("check 3: error rate too high: 5.25", ("check #: error rate too high: #",)),
    ],
    ids=["metric", "Kubernetes' revision", "the twin's revision", "figures"],
)
def test_causes_leave_out_what_differs_by_chance(reason: str, expected: tuple[str, ...]) -> None:
    assert causes(reason) == expected


def aborted_run() -> Facts:
    return facts_of(
        run_result(
            journal(
                traffic(0.0, "stable", 100, counts=(100, 0, 0, 0)),
                PodRecord(1.0, "tokyo", "p", "candidate", "n", "ready"),
                StepRecord(1.0, "tokyo", 0, "setWeight 20", "started"),
                weight(2.0, 20.0),
                StepRecord(3.0, "tokyo", 1, "analysis", "started"),
                traffic(60.0, "stable", 80, counts=(70, 10, 0, 0)),
                traffic(60.0, "candidate", 20, 5),
                DecisionRecord(61.0, "tokyo", "analysis", "abort", "bad"),
                PodRecord(62.0, "tokyo", "p", "candidate", "n", "terminating"),
                verdict=ABORTED,
                ended_s=63.0,
                reason='Metric "errors" assessed Failed',
            )
        )
    )


def test_facts_of_an_aborted_run() -> None:
    found = aborted_run()
    assert found.decision == Decision(ABORTED, 1, ("errors Failed",))
    assert (found.decided_s, found.place) == (61.0, "step 2 (analysis)")
    assert found.latency == (("candidate", (15, 0, 5, 0)), ("stable", (70, 10, 0, 0)))  # not of the warm-up
    assert found.ready == (("candidate", ((1.0, 1.0), (62.0, 0.0))),)
    assert found.weights == ((2.0, 20.0),)
    assert found.failures == ((0.0, 100.0, 0.0), (60.0, 100.0, 5.0))
    assert (found.requests, found.covered_s, found.value(Measure.EXPOSED)) == (100.0, 60.0, 0.2)


def test_facts_survive_json() -> None:
    found = aborted_run()
    assert Facts.from_json(json.loads(canonical_json(found))) == found


def test_a_stuck_release_was_never_decided() -> None:
    assert facts_of(run_result(journal(verdict=STUCK, ended_s=0.0, last_s=600.0))).decided_s is None


def test_the_packaged_thresholds_are_those_of_the_issue() -> None:
    asked = thresholds.load(thresholds.DEFAULT)
    assert asked.time == TimeLimit(0.1, 15.0)
    assert [asked.time.of(time_s) for time_s in (60.0, 300.0)] == [15.0, 30.0]
    assert "canary-errors-2" in asked.near.scenarios


def test_a_load_may_differ_by_what_chance_explains() -> None:
    assert LoadLimit(0.05, 3.0).of(10_000) == 800.0


def test_every_mistake_in_thresholds_is_reported_at_once(tmp_path: Path) -> None:
    file = tmp_path / "asked.yaml"
    file.write_text("schema: rolltwin-thresholds/v1\ntime_to_decision: {relative: much}\nlod: none\n", encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        thresholds.load(file)
    assert [finding.line for finding in refused.value.findings] == [2, 3]


def answers(found: Verification) -> dict[str, Answer]:
    return {check.name: check.answer for check in found.pairings[0].runs[0].checks}


def test_a_run_like_the_twins_passes() -> None:
    found = verification(pairing([facts()] * 20, facts()))
    assert answers(found) == {
        "verdict": Answer.PASS,
        "step": Answer.PASS,
        "time to decision": Answer.PASS,
        "load": Answer.PASS,
        "latency, candidate": Answer.NOT_ASKED,
        "latency, stable": Answer.NOT_ASKED,
    }
    assert found.answer is Answer.PASS
    assert found.pairings[0].runs[0].weights == Deviation(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("run", "failing"),
    [
        pytest.param(facts(ABORTED, step=1), {"verdict", "step", "time to decision"}, id="another verdict"),
        pytest.param(facts(decided_s=116.0), {"time to decision"}, id="too late"),
        pytest.param(facts(decided_s=84.0), {"time to decision"}, id="too early"),
        pytest.param(facts(requests=5463.0), {"load"}, id="too much load"),
    ],
)
def test_what_differs_fails(run: Facts, failing: set[str]) -> None:
    found = verification(pairing([facts()] * 20, run))
    assert {name for name, answer in answers(found).items() if answer is Answer.FAIL} == failing
    assert found.answer is Answer.FAIL


def test_times_are_compared_with_replications_that_decided_alike() -> None:
    twin = [facts(ABORTED, 30.0, step=1)] * 15 + [facts(ABORTED, 80.0, step=3)] * 5
    found = verification(pairing(twin, facts(ABORTED, 82.0, step=3)))
    time = found.pairings[0].runs[0].time
    assert time is not None
    assert (time.twin_s, time.of, time.error_s) == (80.0, 5, -2.0)
    assert answers(found)["step"] is Answer.FAIL


def test_near_a_threshold_the_twin_itself_ends_now_this_way_now_that() -> None:
    twin = [facts(ABORTED, 30.0, step=1)] * 18 + [facts(PROMOTED, 100.0)] * 2
    found = verification(pairing(twin, facts(PROMOTED, 110.0), near=True))
    assert answers(found) == {
        "verdict": Answer.PASS,
        "step": Answer.NOT_ASKED,
        "time to decision": Answer.PASS,
        "load": Answer.PASS,
        "latency, candidate": Answer.NOT_ASKED,
        "latency, stable": Answer.NOT_ASKED,
    }
    assert not found.pairings[0].runs[0].same_verdict  # and yet it is counted as another
    assert found.clear_steps.of == 0


def test_near_a_threshold_a_verdict_that_the_twin_never_has_fails() -> None:
    found = verification(pairing([facts(ABORTED, 30.0, step=1)] * 20, facts(PROMOTED), near=True))
    assert answers(found)["verdict"] is Answer.FAIL
    assert answers(found)["time to decision"] is Answer.FAIL


def test_too_few_replications_decide_nothing() -> None:
    found = verification(pairing([facts()] * 19, facts(ABORTED)))
    assert found.answer is Answer.UNDECIDED


def test_a_stuck_run_has_no_time_to_judge() -> None:
    found = verification(pairing([facts(STUCK, None)] * 20, facts(STUCK, None)))
    assert answers(found)["time to decision"] is Answer.NOT_ASKED
    assert found.answer is Answer.PASS


def test_latency_is_judged_where_it_is_asked_for() -> None:
    slow = replace(facts(), latency=(("candidate", (50, 50, 0)),))
    asked = Thresholds(latency_distance=0.3)
    found = verification(pairing([facts()] * 20, slow), thresholds=asked)
    assert answers(found)["latency, candidate"] is Answer.FAIL


def test_coverage_counts_values_within_the_twins_interval() -> None:
    twin = [facts(decided_s=90.0 + index) for index in range(21)]
    found = verification(pairing(twin, facts(decided_s=100.0), facts(decided_s=120.0)))
    coverage = {item.measure: (item.inside, item.of) for item in found.coverage}
    assert coverage[Measure.TIME] == (1, 2)
    assert coverage[Measure.EXTRA_PODS] == (0, 0)  # neither world knows it


def both_ways() -> Verification:
    aborting = [facts(ABORTED, 30.0 + index, step=2, causes=("errors Failed",)) for index in range(20)]
    return verification(
        pairing([facts()] * 20, late(facts(), 3.0), name="good"),
        pairing(aborting, facts(ABORTED, 35.0, step=2, causes=("errors Failed",)), facts(STUCK, None), near=True),
        thresholds=Thresholds(near=Near(("canary",))),
    )


@pytest.mark.parametrize("fmt", reports.FORMATS)
def test_every_form_of_the_report_says_the_same(fmt: str) -> None:
    text = reports.render_verification(both_ways(), fmt)
    for what in ("good", "canary-1", "aborted", "stuck", "Time runs as it does."):
        assert what in text


def test_text_tells_what_to_know_first() -> None:
    lines = reports.render_verification(both_ways(), "text").splitlines()
    assert lines[0] == "2 scenarios, 3 cluster runs; 20 replications of the twin each, seed 1."
    assert lines[1] == "- Not everything that was asked for beforehand holds: 1 run (canary)."
    assert lines[2].startswith("- Verdict: the same in 2 of 3 runs")


def test_json_has_every_run() -> None:
    data = verification_data(both_ways())
    assert [len(item["runs"]) for item in data["scenarios"]] == [1, 2]
    run = data["scenarios"][0]["runs"][0]
    assert run["weights"]["shift_s"] == 3.0
    assert run["conditions"] == {"cores": "2"}
    assert run["time_to_decision"]["error_s"] == 0.0


def test_files(tmp_path: Path) -> None:
    reports.write_verification(both_ways(), tmp_path)
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {
        "report.html",
        "report.md",
        "verify.json",
        "figures/overview.svg",
        "figures/good-errors.svg",
        "figures/canary-errors.svg",
    }
