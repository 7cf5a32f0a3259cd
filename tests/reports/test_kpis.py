from __future__ import annotations

import json

import pytest

from reports.kpis import harm_s, kpis_of, lower_bounds, occupancy_s
from reports.outcome import Outcome, outcome_of
from reports.views import Journal, full_weight_s, served_everybody_s
from sim.model.hashing import canonical_json
from sim.model.kpis import Kpi
from sim.model.records import DecisionRecord, DeliveryRecord, PodRecord, Record, Verdict
from tests.reports.builders import journal, run_result, soak, traffic, weight

REVIEW = DeliveryRecord(-1800.0, "review", 3600.0)
QUEUE = DeliveryRecord(-60.0, "git poll", 120.0)
WATCH = DeliveryRecord(900.0, "watch", 300.0)


def decision(t_s: float, what: str) -> DecisionRecord:
    return DecisionRecord(t_s, "tokyo", "analysis", what, "success rate")


def pod(t_s: float, name: str, state: str) -> PodRecord:
    return PodRecord(t_s, "tokyo", name, "candidate", "node-1", state)


# A bad release: 10 % of 600 requests a minute for two minutes, half of its requests failing; stopped at 2:00.
STOPPED: tuple[Record, ...] = (
    weight(0.0, 0.0),
    weight(10.0, 10.0),
    traffic(60.0, "stable", 540),
    traffic(60.0, "candidate", 60, 30),
    traffic(120.0, "stable", 540),
    traffic(120.0, "candidate", 60, 30),
    decision(120.0, "abort"),
    weight(122.0, 0.0),
    traffic(180.0, "stable", 600),
)
ABORTED = journal(*STOPPED, verdict=Verdict.ABORTED, ended_s=122.0, last_s=180.0, good=False)
# The same release let through: full weight at 1:00, then nobody notices until the run ends at 4:00.
MISSED = journal(
    weight(0.0, 50.0),
    traffic(60.0, "stable", 300),
    traffic(60.0, "candidate", 300, 150),
    weight(60.0, 100.0),
    traffic(120.0, "candidate", 600, 300),
    traffic(180.0, "candidate", 600, 300),
    ended_s=90.0,
    last_s=240.0,
    good=False,
)
UNDONE = journal(
    weight(0.0, 100.0),
    traffic(60.0, "candidate", 600, 60),
    decision(90.0, "alert"),
    decision(300.0, "undo"),
    weight(310.0, 0.0),
    verdict=Verdict.UNDONE,
    ended_s=310.0,
    good=False,
)
GOOD = journal(REVIEW, QUEUE, weight(0.0, 5.0), weight(300.0, 100.0), WATCH)
REJECTED = journal(decision(0.0, "reject"), verdict=Verdict.REJECTED, ended_s=0.0)


@pytest.mark.parametrize(
    ("rows", "kpi", "expected"),
    [
        pytest.param(GOOD, Kpi.LEAD_TIME, (600 + 5400) / 3600, id="lead time from the first step's start"),
        pytest.param(GOOD, Kpi.DEPLOYMENT_DURATION, 10.0, id="promoted at the rollout's end, not at full weight"),
        pytest.param(journal(), Kpi.LEAD_TIME, 600 / 3600, id="without delivery the commit is the apply"),
        pytest.param(ABORTED, Kpi.LEAD_TIME, None, id="aborted never arrives"),
        pytest.param(UNDONE, Kpi.DEPLOYMENT_DURATION, 0.0, id="undone arrived at full weight"),
        pytest.param(GOOD, Kpi.DEPLOYMENT_FREQUENCY, None, id="frequency is nobody's alone"),
        pytest.param(GOOD, Kpi.CHANGE_FAILURE_RATE, 0.0, id="good and promoted"),
        pytest.param(MISSED, Kpi.CHANGE_FAILURE_RATE, 1.0, id="bad and still there"),
        pytest.param(UNDONE, Kpi.CHANGE_FAILURE_RATE, 1.0, id="undone failed"),
        pytest.param(ABORTED, Kpi.CHANGE_FAILURE_RATE, 0.0, id="aborted is no failure"),
        pytest.param(ABORTED, Kpi.CHANGE_FAILURE_RATE_WITH_ABORTS, 1.0, id="unless aborts count"),
        pytest.param(REJECTED, Kpi.CHANGE_FAILURE_RATE, None, id="rejected is no deployment"),
        pytest.param(REJECTED, Kpi.CHANGE_FAILURE_RATE_WITH_ABORTS, None, id="nor when aborts count"),
        pytest.param(REJECTED, Kpi.FALSE_ABORT_RATE, 1.0, id="a good release rejected is stopped"),
        pytest.param(GOOD, Kpi.FALSE_ABORT_RATE, 0.0, id="good passes"),
        pytest.param(ABORTED, Kpi.FALSE_ABORT_RATE, None, id="false aborts are of good releases"),
        pytest.param(ABORTED, Kpi.MISS_RATE, 0.0, id="caught"),
        pytest.param(MISSED, Kpi.MISS_RATE, 1.0, id="missed"),
        pytest.param(UNDONE, Kpi.MISS_RATE, 1.0, id="undone was missed first"),
        pytest.param(GOOD, Kpi.MISS_RATE, None, id="misses are of bad releases"),
        pytest.param(ABORTED, Kpi.TIME_TO_DETECT, 110 / 60, id="from the first weight in the first interval"),
        pytest.param(UNDONE, Kpi.TIME_TO_DETECT, 1.5, id="an alert detects"),
        pytest.param(MISSED, Kpi.TIME_TO_DETECT, 4.0, id="undetected until the run's end"),
        pytest.param(GOOD, Kpi.TIME_TO_DETECT, None, id="nothing to detect"),
        pytest.param(ABORTED, Kpi.RECOVERY_TIME, 122 / 60, id="from harm to zero weight"),
        pytest.param(UNDONE, Kpi.RECOVERY_TIME, 310 / 60, id="undo included"),
        pytest.param(GOOD, Kpi.RECOVERY_TIME, None, id="no harm, no recovery"),
        pytest.param(ABORTED, Kpi.FAILED_REQUESTS, 60.0, id="failures"),
        pytest.param(MISSED, Kpi.FAILED_REQUESTS, 750.0, id="failures of a miss"),
        pytest.param(ABORTED, Kpi.BAD_FULL_TRAFFIC_MINUTES, 0.2, id="two minutes at a tenth"),
        pytest.param(MISSED, Kpi.BAD_FULL_TRAFFIC_MINUTES, 2.5, id="half a minute and two"),
        pytest.param(GOOD, Kpi.BAD_FULL_TRAFFIC_MINUTES, None, id="not bad"),
        pytest.param(ABORTED, Kpi.UNPLANNED_DOWNTIME, 0.0, id="a twentieth failing is no downtime"),
        pytest.param(MISSED, Kpi.UNPLANNED_DOWNTIME, 2.0, id="half failing is"),
        pytest.param(ABORTED, Kpi.ERROR_BUDGET_BURN, 60 / (0.001 * 10 * 30 * 86400), id="of 30 days at 10/s"),
        pytest.param(REJECTED, Kpi.ERROR_BUDGET_BURN, None, id="no traffic, no budget"),
        pytest.param(GOOD, Kpi.EXTRA_POD_HOURS, None, id="no pods known"),
    ],
)
def test_kpi(rows: Journal, kpi: Kpi, expected: float | None) -> None:
    assert kpis_of(rows)[kpi] == (None if expected is None else pytest.approx(expected))


def test_failed_requests_leave_out_the_warm_up_and_the_stable_versions_own_failures() -> None:
    rows = journal(traffic(0.0, "stable", 1000, 500), traffic(60.0, "stable", 1000, 12), base=0.01)
    assert kpis_of(rows)[Kpi.FAILED_REQUESTS] == pytest.approx(2.0)


def test_soak_rows_count_like_traffic() -> None:
    rows = journal(traffic(60.0, "candidate", 60), soak(3660.0, "candidate", 3600.0, 36.0, width_s=3600.0), good=False)
    found = kpis_of(rows)
    assert found[Kpi.FAILED_REQUESTS] == pytest.approx(36.0)
    assert found[Kpi.BAD_FULL_TRAFFIC_MINUTES] == pytest.approx(61.0)


def test_extra_pod_hours_are_pods_above_the_desired_count() -> None:
    before = [pod(-100.0, f"old-{i}", "ready") for i in range(10)]
    change = [
        pod(0.0, "new-0", "pending"),
        pod(0.0, "new-1", "running"),
        pod(60.0, "new-0", "running"),
        pod(600.0, "old-0", "terminating"),
        pod(1200.0, "old-0", "gone"),
        pod(1200.0, "old-1", "gone"),
    ]
    # One extra from 0:00, two from 1:00 (the terminating pod counts until it is gone), none from 20:00.
    rows = journal(*before, *change, ended_s=1800.0)
    assert kpis_of(rows)[Kpi.EXTRA_POD_HOURS] == pytest.approx((60 * 1 + 1140 * 2) / 3600)


def test_all_regions_must_be_full() -> None:
    rows = journal(weight(0.0, 0.0), weight(0.0, 0.0, "osaka"), weight(60.0, 100.0), weight(90.0, 100.0, "osaka"))
    assert full_weight_s(rows) == 90.0


@pytest.mark.parametrize(
    ("verdict", "full", "expected"),
    [
        pytest.param(Verdict.PROMOTED, 300.0, 600.0, id="promoted at the end"),
        pytest.param(Verdict.DEGRADED, 300.0, 300.0, id="degraded after full weight"),
        pytest.param(Verdict.DEGRADED, None, None, id="degraded before"),
        pytest.param(Verdict.UNDONE, None, 600.0, id="undone without weights"),
        pytest.param(Verdict.STUCK, 300.0, None, id="stuck is not done"),
        pytest.param(Verdict.ABORTED, 300.0, None, id="aborted in its last step"),
    ],
)
def test_when_a_release_served_everybody(verdict: Verdict, full: float | None, expected: float | None) -> None:
    rows = [weight(0.0, 5.0)] + ([] if full is None else [weight(full, 100.0)])
    assert served_everybody_s(journal(*rows, verdict=verdict)) == expected


def test_an_undetected_release_makes_lower_bounds() -> None:
    assert lower_bounds(MISSED) == {
        Kpi.TIME_TO_DETECT,
        Kpi.RECOVERY_TIME,
        Kpi.FAILED_REQUESTS,
        Kpi.ERROR_BUDGET_BURN,
        Kpi.BAD_FULL_TRAFFIC_MINUTES,
    }
    assert lower_bounds(ABORTED) == frozenset()
    assert lower_bounds(GOOD) == frozenset()


def test_a_bad_release_stopped_before_its_first_request_has_no_time_to_detect() -> None:
    rows = journal(traffic(60.0, "stable", 600), decision(30.0, "abort"), verdict=Verdict.ABORTED, good=False)
    assert kpis_of(rows)[Kpi.TIME_TO_DETECT] is None
    assert kpis_of(rows)[Kpi.RECOVERY_TIME] is None


def test_one_stray_failure_is_no_harm() -> None:
    stray = journal(weight(0.0, 5.0), traffic(60.0, "candidate", 30, 1), verdict=Verdict.ABORTED)
    routed_nowhere = journal(weight(0.0, 5.0), traffic(60.0, "none", 30, 30), verdict=Verdict.ABORTED)
    assert harm_s(stray) is None
    assert harm_s(routed_nowhere) == 0.0


def test_a_release_keeps_the_next_one_waiting_until_the_steps_after_it_are_done() -> None:
    assert occupancy_s(GOOD) == 900.0
    assert occupancy_s(REJECTED) == 0.0


def test_an_outcome_survives_its_own_json() -> None:

    found = outcome_of(run_result(MISSED))
    assert Outcome.from_json(json.loads(canonical_json(found))) == found
    assert found.value(Kpi.MISS_RATE) == 1.0
