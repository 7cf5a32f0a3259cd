from __future__ import annotations

import json

import pytest

from reports.kpis import harm_s, kpis_of, lower_bounds, occupancy_s
from reports.outcome import Outcome, outcome_of
from reports.views import Journal, exposed_s, full_weight_s, intervals, restored_s, served_everybody_s, slots
from sim.model.hashing import canonical_json
from sim.model.kpis import Kpi
from sim.model.records import DecisionRecord, DeliveryRecord, FaultRecord, PodRecord, Record, Verdict, WeightRecord
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
        pytest.param(
            ABORTED, Kpi.RECOVERY_TIME, 112 / 60, id="from the exposure in the interval of harm to zero weight"
        ),
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


# A switch to where no pod is, at 0:02; undone at 8:26. 8:20 is the last full interval; the one after fails in part.
NOWHERE = journal(
    WeightRecord(-60.0, "tokyo", 0.0, 100.0),
    decision(0.0, "switch"),
    WeightRecord(2.0, "tokyo", 0.0, 0.0),
    traffic(10.0, "stable", 780, width_s=10.0),
    traffic(10.0, "none", 3120, 3120, width_s=10.0),
    decision(50.0, "promote"),
    traffic(500.0, "none", 191100, 191100, width_s=490.0),
    decision(504.0, "undo"),
    WeightRecord(506.0, "tokyo", 0.0, 100.0),
    traffic(510.0, "none", 2340, 2340, width_s=10.0),
    traffic(510.0, "stable", 1560, width_s=10.0),
    traffic(520.0, "stable", 3900, 2, width_s=10.0),
    verdict=Verdict.UNDONE,
    ended_s=506.0,
    last_s=520.0,
)


@pytest.mark.parametrize(
    ("kpi", "expected"),
    [
        pytest.param(Kpi.CHANGE_FAILURE_RATE, 1.0, id="everybody depended on it, so it failed"),
        pytest.param(Kpi.LEAD_TIME, None, id="it never served anybody, so it never arrived"),
        pytest.param(Kpi.DEPLOYMENT_DURATION, None, id="nor was it deployed"),
        pytest.param(Kpi.RECOVERY_TIME, 504 / 60, id="from the switch to the stable version serving all"),
        pytest.param(Kpi.FAILED_REQUESTS, 3120 + 191100 + 2340 + 2, id="all that found no pod"),
        pytest.param(Kpi.UNPLANNED_DOWNTIME, 510 / 60, id="each of these intervals fails at least by half"),
        pytest.param(Kpi.FALSE_ABORT_RATE, 0.0, id="undone is not aborted"),
    ],
)
def test_an_outage_that_the_strategy_made(kpi: Kpi, expected: float | None) -> None:
    assert kpis_of(NOWHERE)[kpi] == (None if expected is None else pytest.approx(expected))


def test_an_outage_nobody_ends_has_a_lower_bound() -> None:
    rows = journal(
        weight(-60.0, 0.0), WeightRecord(0.0, "tokyo", 0.0, 0.0), traffic(60.0, "none", 600, 600),
        verdict=Verdict.DEGRADED, ended_s=60.0, last_s=60.0,
    )  # fmt: skip
    assert kpis_of(rows)[Kpi.RECOVERY_TIME] == 1.0
    assert Kpi.RECOVERY_TIME in lower_bounds(rows)
    assert kpis_of(rows)[Kpi.CHANGE_FAILURE_RATE] == 1.0


def test_regions_recorded_at_different_widths_are_judged_together() -> None:
    # Tokyo serves 60 requests a second, all its candidate's in the second of two minutes; a soak elsewhere serves 30.
    rows = journal(
        traffic(60.0, "stable", 3600),
        traffic(120.0, "candidate", 3600, 3600),
        soak(120.0, "stable", 3600.0, 36.0, width_s=120.0),
        good=False,
        last_s=120.0,
    )
    found = kpis_of(rows)
    assert found[Kpi.BAD_FULL_TRAFFIC_MINUTES] == pytest.approx(60 / 90)
    assert found[Kpi.UNPLANNED_DOWNTIME] == pytest.approx(1.0)
    assert found[Kpi.ERROR_BUDGET_BURN] == pytest.approx(3636 / (0.001 * 90 * 30 * 86400))


def test_a_slice_of_one_region_is_no_downtime_for_all() -> None:
    rows = journal(traffic(60.0, "candidate", 600, 600), soak(120.0, "stable", 1200.0, 0.0, width_s=120.0))
    assert kpis_of(rows)[Kpi.UNPLANNED_DOWNTIME] == pytest.approx(1.0)
    larger = journal(traffic(60.0, "candidate", 600, 600), soak(120.0, "stable", 1202.0, 0.0, width_s=120.0))
    assert kpis_of(larger)[Kpi.UNPLANNED_DOWNTIME] == 0.0
    assert [round(slot.requests) for slot in slots(intervals(larger))] == [1201, 601]


def test_slots_leave_gaps_and_rows_without_width_out() -> None:
    rows = intervals(
        journal(traffic(60.0, "stable", 10), traffic(60.0, "none", 1, width_s=0.0), traffic(180.0, "stable", 5))
    )
    assert [(slot.start_s, slot.end_s, slot.requests) for slot in slots(rows)] == [(0.0, 60.0, 10), (120.0, 180.0, 5)]


@pytest.mark.parametrize(
    ("weights", "exposed", "restored"),
    [
        pytest.param((weight(-60.0, 0.0),), None, -60.0, id="never exposed"),
        pytest.param((weight(-60.0, 0.0), weight(5.0, 10.0)), 5.0, None, id="exposed at the end"),
        pytest.param((weight(0.0, 0.0), weight(5.0, 10.0), weight(9.0, 0.0)), 5.0, 9.0, id="taken back"),
        pytest.param(
            (weight(0.0, 0.0), weight(5.0, 10.0), weight(7.0, 10.0, "osaka"), weight(9.0, 0.0)), 5.0, None,
            id="one region of two taken back",
        ),
        pytest.param((), None, None, id="no weights"),
    ],
)  # fmt: skip
def test_when_the_stable_version_lost_and_regained_traffic(
    weights: tuple[Record, ...], exposed: float | None, restored: float | None
) -> None:
    assert (exposed_s(journal(*weights)), restored_s(journal(*weights))) == (exposed, restored)


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


def test_extra_pods_of_a_region_are_not_hidden_by_regions_that_have_not_begun() -> None:
    def at(t_s: float, region: str, name: str, state: str) -> PodRecord:
        return PodRecord(t_s, region, name, "stable", "node-1", state)

    # Ten desired in all: four in Tokyo, six in Osaka, which is heard of only after an hour.
    rows = journal(
        *(at(-60.0, "tokyo", f"t{i}", "ready") for i in range(4)),
        at(0.0, "tokyo", "surge", "running"),
        at(1800.0, "tokyo", "surge", "gone"),
        *(at(3600.0, "osaka", f"o{i}", "ready") for i in range(6)),
        at(3660.0, "osaka", "o0", "gone"),
        at(3660.0, "tokyo", "again", "running"),
        ended_s=7260.0,
    )
    # Half an hour in Tokyo, then one for an hour, though Osaka is one short.
    assert kpis_of(rows)[Kpi.EXTRA_POD_HOURS] == pytest.approx(1.5)


def test_the_error_budget_is_of_the_rate_since_the_apply() -> None:
    # The warm-up knows one region, the run two.
    rows = journal(
        traffic(0.0, "stable", 600), traffic(60.0, "candidate", 600, 6), traffic(60.0, "stable", 600, region="osaka")
    )
    assert kpis_of(rows)[Kpi.ERROR_BUDGET_BURN] == pytest.approx(6 / (0.001 * 20 * 30 * 86400))


def test_all_regions_must_be_full() -> None:
    rows = journal(weight(0.0, 0.0), weight(0.0, 0.0, "osaka"), weight(60.0, 100.0), weight(90.0, 100.0, "osaka"))
    assert full_weight_s(rows) == 90.0


@pytest.mark.parametrize(
    ("verdict", "full", "expected"),
    [
        pytest.param(Verdict.PROMOTED, 300.0, 600.0, id="promoted at the end"),
        pytest.param(Verdict.DEGRADED, 300.0, 300.0, id="degraded after full weight"),
        pytest.param(Verdict.DEGRADED, None, None, id="degraded before"),
        pytest.param(Verdict.UNDONE, None, None, id="undone before it served everybody"),
        pytest.param(Verdict.STUCK, 300.0, None, id="stuck is not done"),
        pytest.param(Verdict.ABORTED, 300.0, None, id="aborted in its last step"),
    ],
)
def test_when_a_release_served_everybody(verdict: Verdict, full: float | None, expected: float | None) -> None:
    rows = [weight(0.0, 5.0)] + ([] if full is None else [weight(full, 100.0)])
    assert served_everybody_s(journal(*rows, verdict=verdict)) == expected


def test_without_weights_a_release_that_was_undone_served_everybody_since_its_promotion() -> None:
    assert served_everybody_s(journal(decision(60.0, "promote"), verdict=Verdict.UNDONE)) == 60.0
    assert served_everybody_s(journal(verdict=Verdict.UNDONE)) == 600.0


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


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param((weight(0.0, 5.0),), 60.0, id="long exposed: the interval's start"),
        pytest.param((weight(0.0, 5.0), weight(75.0, 25.0)), 75.0, id="more traffic in the interval"),
        pytest.param((weight(0.0, 5.0), weight(110.0, 0.0)), 60.0, id="less traffic is no cause"),
        pytest.param(
            (weight(0.0, 5.0), FaultRecord(80.0, "tokyo", "pool", "candidate", "began"), weight(90.0, 25.0)), 80.0,
            id="a fault",
        ),
    ],
)  # fmt: skip
def test_harm_begins_with_what_made_it(rows: tuple[Record, ...], expected: float) -> None:
    harmful = (traffic(60.0, "candidate", 60, 0), traffic(120.0, "candidate", 60, 30))
    assert harm_s(journal(*rows, *harmful, verdict=Verdict.ABORTED, good=False)) == expected


def test_a_release_keeps_the_next_one_waiting_until_the_steps_after_it_are_done() -> None:
    assert occupancy_s(GOOD) == 900.0
    assert occupancy_s(REJECTED) == 0.0


def test_an_outcome_survives_its_own_json() -> None:

    found = outcome_of(run_result(MISSED))
    assert Outcome.from_json(json.loads(canonical_json(found))) == found
    assert found.value(Kpi.MISS_RATE) == 1.0
